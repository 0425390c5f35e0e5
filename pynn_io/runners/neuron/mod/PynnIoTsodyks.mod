TITLE Short-term depression and facilitation of one connection, between its source and its target

COMMENT
PyNN's TsodyksMarkramSynapse; NEST's tsodyks_synapse (Tsodyks, Uziel, Markram 2000, J. Neurosci. 20 RC50).

A spike that arrives is passed on at once, with the weight times the part of the resources that it releases. Resources
are recovered (x), active (y) and inactive (1 - x - y); they come back by tau_rec, and become inactive by tau_psc.
Between events the equations are linear, and solved exactly. sent points to the weight of the NetCon to the target.
ENDCOMMENT

NEURON {
    POINT_PROCESS PynnIoTsodyks
    RANGE U, tau_rec, tau_facil, tau_psc, stated, x, y, u, x0, y0, u0, began, last
    POINTER sent
}

PARAMETER {
    U = 0.5
    tau_rec = 100 (ms)
    tau_facil = 0 (ms)
    tau_psc = 5 (ms)
    stated = 0
    x0 = 1
    y0 = 0
    u0 = 0
    began = 0 (ms)
}

ASSIGNED {
    x
    y
    u
    last (ms)
    sent
}

INITIAL {
    x = x0
    y = y0
    u = u0
    last = began
}

NET_RECEIVE (w) { LOCAL since, back, gone, inactive, released
    since = t - last
    back = exp(-since/tau_rec)
    gone = exp(-since/tau_psc)
    inactive = 1 - x - y
    if (tau_facil > 1e-10) {
        u = u*exp(-since/tau_facil)
    } else {
        u = 0
    }
    x = x + ((back - 1)*tau_rec - (gone - 1)*tau_psc)/(tau_psc - tau_rec)*y + (1 - back)*inactive
    y = y*gone
    u = u + U*(1 - u)
    released = u*x
    x = x - released
    y = y + released
    last = t
    sent = stated*released
    net_event(t)
}
