TITLE A conductance into the cell that is part of its membrane current

COMMENT
As SEClamp with one level, but a membrane current (SONATA extension, represents_physical_electrode false). rs is played
into it.
ENDCOMMENT

NEURON {
    POINT_PROCESS pynn_io_conductance
    RANGE rs, dur1, amp1, i
    NONSPECIFIC_CURRENT i
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (Mohm) = (megohm)
}

PARAMETER {
    rs = 1e9 (Mohm)
    dur1 = 0 (ms)
    amp1 = 0 (mV)
}

ASSIGNED {
    v (mV)
    i (nA)
}

BREAKPOINT {
    if (t < dur1) {
        i = (v - amp1) / rs
    } else {
        i = 0
    }
}
