TITLE Plasticity of one connection by pairs of spikes, between its source and its target

COMMENT
PyNN's STDPMechanism with SpikePairRule; NEST's stdp_synapse where its lower bound is 0 (Guetig et al. 2003, J. Neurosci.
23:3697).

An event of a weight above 0 is a spike that arrives, and is passed on at once with the weight of then; one below 0 is a
spike of the target that comes back. Of the largest weight, a share is kept: it falls with the trace of the target's
spikes, times what is left above the lower bound to the power mu_minus, and rises with that of the source's, times what
is left below 1 to the power mu_plus. A spike at the same time is no pair; one of the target is to be handed over just
before one that arrives, back (ms) after it. sent points to the weight of the NetCon to the target, and has its sign.
ENDCOMMENT

NEURON {
    POINT_PROCESS PynnIoPairs
    RANGE tau_plus, tau_minus, A_plus, A_minus, mu_plus, mu_minus, most, least, stated, direction, back
    RANGE share, plus, plus_before, minus, minus_before, t_plus, t_minus
    POINTER sent
}

PARAMETER {
    tau_plus = 20 (ms)
    tau_minus = 20 (ms)
    A_plus = 0.01
    A_minus = 0.01
    mu_plus = 0
    mu_minus = 0
    most = 1
    least = 0
    stated = 0
    direction = 1
    back = 0 (ms)
}

ASSIGNED {
    dt (ms)
    share
    plus
    plus_before
    minus
    minus_before
    t_plus (ms)
    t_minus (ms)
    sent
}

INITIAL {
    share = stated/most
    plus = 0
    plus_before = 0
    minus = 0
    minus_before = 0
    t_plus = -1e9
    t_minus = -1e9
}

NET_RECEIVE (w) { LOCAL now
    if (w > 0) {
        now = floor(t/dt + 0.5)*dt : cells take events on steps
        share = share - A_minus*power(share - least, mu_minus)*trace(minus, minus_before, now - t_minus, tau_minus)
        if (share < least) {
            share = least
        }
        plus_before = plus*exp(-(now - t_plus)/tau_plus)
        plus = 1 + plus_before
        t_plus = now
        sent = direction*share*most
        net_event(t)
    } else {
        now = floor((t - back)/dt + 0.5)*dt + back : cells spike on steps
        share = share + A_plus*power(1 - share, mu_plus)*trace(plus, plus_before, now - t_plus, tau_plus)
        if (share > 1) {
            share = 1
        }
        minus_before = minus*exp(-(now - t_minus)/tau_minus)
        minus = 1 + minus_before
        t_minus = now
    }
}

: what a spike sees of the other side: without a spike at the same time
FUNCTION trace(all, before, since, tau) {
    if (since < 1e-5) {
        trace = before
    } else {
        trace = all*exp(-since/tau)
    }
}

FUNCTION power(base, exponent) {
    if (exponent == 0) {
        power = 1
    } else if (base <= 0) {
        power = 0
    } else {
        power = pow(base, exponent)
    }
}
