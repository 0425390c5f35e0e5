TITLE A current into the cell that is part of its membrane current

COMMENT
IClamp is an electrode: what it injects is no membrane current. This one stands for input that is (SONATA extension,
represents_physical_electrode false). amp is played into it; it is on until dur.
ENDCOMMENT

NEURON {
    POINT_PROCESS pynn_io_current
    RANGE amp, dur, i
    NONSPECIFIC_CURRENT i
}

UNITS {
    (nA) = (nanoamp)
}

PARAMETER {
    amp = 0 (nA)
    dur = 0 (ms)
}

ASSIGNED {
    i (nA)
}

BREAKPOINT {
    if (t < dur) {
        i = -amp
    } else {
        i = 0
    }
}
