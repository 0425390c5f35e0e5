TITLE Plasticity of one connection by Vogels' rule, between its source and its target

COMMENT
PyNN's STDPMechanism with Vogels2011Rule (Vogels et al. 2011, Science 334:1569), with the traces of all spikes.

Events, and back, as of PynnIoPairs. A spike that arrives changes the weight by eta times (the target's trace - 2 rho tau), a spike
of the target by eta times the trace of what arrived. Spikes at the same time are one pair.
ENDCOMMENT

NEURON {
    POINT_PROCESS PynnIoVogels
    RANGE tau, eta, rho, most, least, stated, direction, back, strength, plus, minus, t_plus, t_minus
    POINTER sent
}

PARAMETER {
    tau = 20 (ms)
    eta = 1e-10
    rho = 3
    most = 1
    least = 0
    stated = 0
    direction = 1
    back = 0 (ms)
}

ASSIGNED {
    dt (ms)
    strength
    plus
    minus
    t_plus (ms)
    t_minus (ms)
    sent
}

INITIAL {
    strength = stated
    plus = 0
    minus = 0
    t_plus = -1e9
    t_minus = -1e9
}

NET_RECEIVE (w) { LOCAL now
    if (w > 0) {
        now = floor(t/dt + 0.5)*dt : cells take events on steps
        strength = strength + eta*(minus*exp(-(now - t_minus)/tau) - 2*rho*tau)
        bound()
        plus = 1 + plus*exp(-(now - t_plus)/tau)
        t_plus = now
        sent = direction*strength
        net_event(t)
    } else {
        now = floor((t - back)/dt + 0.5)*dt + back : cells spike on steps
        strength = strength + eta*plus*exp(-(now - t_plus)/tau)
        bound()
        minus = 1 + minus*exp(-(now - t_minus)/tau)
        t_minus = now
    }
}

PROCEDURE bound() {
    if (strength > most) {
        strength = most
    } else if (strength < least) {
        strength = least
    }
}
