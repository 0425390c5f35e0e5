TITLE Hodgkin-Huxley cell of Traub and Miles with exponential synaptic conductances

COMMENT
PyNN's HH_cond_exp, NEST's hh_cond_exp_traub. Traub & Miles 1991, Neuronal Networks of the Hippocampus, in the form of
Brette et al. 2007, doi:10.1007/s10827-007-0038-6. See PynnIoIFCurr.mod for what is common.

Runge-Kutta of fourth order, STEPS steps a time step. A spike is a maximum of vm at or above v_offset + 30 mV, seen at
the end of a time step, and not sooner than tau_refrac after the last one. There is no reset.

NetCon weights are in uS, and their sign chooses the synapse.
ENDCOMMENT

DEFINE STEPS 8

NEURON {
    POINT_PROCESS PynnIoHHCond
    RANGE gbar_Na, gbar_K, g_leak, cm, v_offset, e_rev_Na, e_rev_K, e_rev_leak, e_rev_E, e_rev_I, tau_syn_E, tau_syn_I
    RANGE i_offset, tau_refrac, v_init, m_init, h_init, n_init, i_stim, vm, m, h, n, g_e, g_i, fired, left
    RANGE dv, dm, dh, dn
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (nF) = (nanofarad)
    (uS) = (microsiemens)
}

PARAMETER {
    gbar_Na = 20 (uS)
    gbar_K = 6 (uS)
    g_leak = 0.01 (uS)
    cm = 0.2 (nF)
    v_offset = -63 (mV)
    e_rev_Na = 50 (mV)
    e_rev_K = -90 (mV)
    e_rev_leak = -65 (mV)
    e_rev_E = 0 (mV)
    e_rev_I = -80 (mV)
    tau_syn_E = 0.2 (ms)
    tau_syn_I = 2 (ms)
    i_offset = 0 (nA)
    tau_refrac = 2 (ms)
    v_init = -65 (mV)
    m_init = 0
    h_init = 1
    n_init = 0
    i_stim = 0 (nA)
}

ASSIGNED {
    dt (ms)
    vm (mV)
    m
    h
    n
    dv (mV/ms)
    dm (/ms)
    dh (/ms)
    dn (/ms)
    g_e (uS)
    g_i (uS)
    fired
    left
}

INITIAL {
    vm = v_init
    m = m_init
    h = h_init
    n = n_init
    g_e = 0
    g_i = 0
    fired = 0
    left = 0
    net_send(0, 1)
}

BREAKPOINT {
    SOLVE advance
}

PROCEDURE advance() { LOCAL s, k, before, v1, m1, h1, n1, v2, m2, h2, n2, v3, m3, h3, n3
    before = vm
    s = dt/STEPS
    k = 0
    while (k < STEPS) {
        slopes(vm, m, h, n)
        v1 = dv  m1 = dm  h1 = dh  n1 = dn
        decay(s/2)
        slopes(vm + s/2*v1, m + s/2*m1, h + s/2*h1, n + s/2*n1)
        v2 = dv  m2 = dm  h2 = dh  n2 = dn
        slopes(vm + s/2*v2, m + s/2*m2, h + s/2*h2, n + s/2*n2)
        v3 = dv  m3 = dm  h3 = dh  n3 = dn
        decay(s/2)
        slopes(vm + s*v3, m + s*m3, h + s*h3, n + s*n3)
        vm = vm + s/6*(v1 + 2*v2 + 2*v3 + dv)
        m = m + s/6*(m1 + 2*m2 + 2*m3 + dm)
        h = h + s/6*(h1 + 2*h2 + 2*h3 + dh)
        n = n + s/6*(n1 + 2*n2 + 2*n3 + dn)
        k = k + 1
    }
    if (left > 0) {
        left = left - 1
    } else if (vm >= v_offset + 30 && before > vm) {
        left = -floor(1e-6 - floor(tau_refrac*1000 + 0.5)/(dt*1000)) : NEST's: up, of tics of 0.001 ms
        fired = 1
    }
}

PROCEDURE slopes(x (mV), m_, h_, n_) { LOCAL y
    y = x - v_offset
    dm = 0.32*4*ratio((13 - y)/4)*(1 - m_) - 0.28*5*ratio((y - 40)/5)*m_
    dh = 0.128*exp((17 - y)/18)*(1 - h_) - 4/(1 + exp((40 - y)/5))*h_
    dn = 0.032*5*ratio((15 - y)/5)*(1 - n_) - 0.5*exp((10 - y)/40)*n_
    dv = (gbar_Na*m_*m_*m_*h_*(e_rev_Na - x) + gbar_K*n_*n_*n_*n_*(e_rev_K - x) + g_leak*(e_rev_leak - x) + g_e*(e_rev_E - x) + g_i*(e_rev_I - x) + i_offset + i_stim)/cm
}

: x / (exp(x) - 1), which is 1 at 0
FUNCTION ratio(x) {
    if (fabs(x) < 1e-4) {
        ratio = 1 - x/2 + x*x/12
    } else {
        ratio = x/(exp(x) - 1)
    }
}

PROCEDURE decay(s (ms)) {
    g_e = g_e*exp(-s/tau_syn_E)
    g_i = g_i*exp(-s/tau_syn_I)
}

NET_RECEIVE (w) {
    if (flag == 1) {
        WATCH (fired > 0.5) 2
    } else if (flag == 2) {
        fired = 0
        WATCH (fired > 0.5) 2
        net_event(t)
    } else if (w >= 0) {
        g_e = g_e + w
    } else {
        g_i = g_i - w
    }
}
