TITLE One half of a gap junction

COMMENT
An ohmic conductance towards the potential vgap of the other side, which ParallelContext.target_var brings.
ENDCOMMENT

NEURON {
    POINT_PROCESS pynn_io_gap
    RANGE g, i, vgap
    NONSPECIFIC_CURRENT i
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (uS) = (microsiemens)
}

PARAMETER {
    g = 0 (uS)
}

ASSIGNED {
    v (mV)
    vgap (mV)
    i (nA)
}

BREAKPOINT {
    i = g * (v - vgap)
}
