TITLE Izhikevich's simple cell

COMMENT
PyNN's Izhikevich, NEST's izhikevich. Izhikevich 2003, doi:10.1109/TNN.2003.820440.

  dvm/dt = 0.04 vm^2 + 5 vm + 140 - u + i;  du/dt = a (b vm - u);  vm >= v_thresh: vm = c, u = u + d

One forward Euler step a time step, as in NEST with consistent_integration: the model's behaviour is known under this
method only. Events of one grid point add up before the threshold is looked at: see PynnIoIFJump.mod.

NetCon weights are in mV. The model takes currents as mV/ms; PyNN and NEST call the number pA.
ENDCOMMENT

NEURON {
    POINT_PROCESS PynnIoIzhikevich
    RANGE a, b, c, d, v_thresh, v_floor, i_offset, v_init, u_init, i_stim, vm, u, pending, crossed
}

UNITS {
    (mV) = (millivolt)
}

PARAMETER {
    a = 0.02 (/ms)
    b = 0.2 (/ms)
    c = -65 (mV)
    d = 2 (mV/ms)
    v_thresh = 30 (mV)
    v_floor = -1e30 (mV)
    i_offset = 0 (mV/ms)
    v_init = -70 (mV)
    u_init = -14 (mV/ms)
    i_stim = 0 (mV/ms)
}

ASSIGNED {
    dt (ms)
    vm (mV)
    u (mV/ms)
    pending
    crossed
}

INITIAL {
    vm = v_init
    u = u_init
    pending = 0
    crossed = 0
    net_send(0, 1)
}

BREAKPOINT {
    SOLVE advance
}

PROCEDURE advance() { LOCAL before
    before = vm
    vm = vm + dt*(0.04*before*before + 5*before + 140 - u + i_offset + i_stim)
    u = u + dt*a*(b*before - u)
    if (vm < v_floor) {
        vm = v_floor
    }
    crossed = (vm >= v_thresh)
}

NET_RECEIVE (w) {
    if (flag == 1) {
        WATCH (crossed > 0.5) 2
    } else if (flag == 3) {
        pending = 0
        crossed = 0
        WATCH (crossed > 0.5) 2
        if (vm >= v_thresh) {
            vm = c
            u = u + d
            net_event(t)
        }
    } else {
        if (flag == 0) {
            vm = vm + w
        }
        if (!pending) {
            pending = 1
            net_send(1e-6, 3)
        }
    }
}
