TITLE One connection that passes each spike by chance, between its source and its target

COMMENT
PyNN's SimpleStochasticSynapse; NEST's bernoulli_synapse. dice is seeded when the network is built. sent points to the
weight of the NetCon to the target.
ENDCOMMENT

NEURON {
    POINT_PROCESS PynnIoBernoulli
    RANGE p, stated
    RANDOM dice
    POINTER sent
}

PARAMETER {
    p = 0.5
    stated = 0
}

ASSIGNED {
    sent
}

INITIAL {
    sent = stated
}

NET_RECEIVE (w) {
    if (random_uniform(dice) < p) {
        net_event(t)
    }
}
