TITLE Leaky integrate-and-fire cell whose potential jumps with every event

COMMENT
PyNN's IF_curr_delta, NEST's iaf_psc_delta. See PynnIoIFCurr.mod for what is common.

Events of one grid point add up before the threshold is looked at, so that the look is an event of its own, a
millionth of a ms later. What arrives in the refractory time is lost, or kept where refractory_input is set.

NetCon weights are in mV.
ENDCOMMENT

NEURON {
    POINT_PROCESS PynnIoIFJump
    RANGE v_rest, cm, tau_m, tau_refrac, v_reset, v_thresh, v_floor, i_offset, refractory_input
    RANGE v_init, i_stim, vm, left, refractory, pending, kept, crossed, p_vv, p_vi
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (nF) = (nanofarad)
}

PARAMETER {
    v_rest = -65 (mV)
    cm = 1 (nF)
    tau_m = 20 (ms)
    tau_refrac = 0.1 (ms)
    v_reset = -65 (mV)
    v_thresh = -50 (mV)
    v_floor = -1e30 (mV)
    i_offset = 0 (nA)
    refractory_input = 0
    v_init = -65 (mV)
    i_stim = 0 (nA)
}

ASSIGNED {
    dt (ms)
    vm (mV)
    left
    refractory
    pending
    crossed
    kept (mV)
    p_vv
    p_vi (mV/nA)
}

INITIAL {
    vm = v_init
    left = 0
    refractory = 0
    pending = 0
    kept = 0
    crossed = 0
    p_vv = exp(-dt/tau_m)
    p_vi = -(tau_m/cm)*(exp(-dt/tau_m) - 1)
    net_send(0, 1)
}

BREAKPOINT {
    SOLVE advance
}

PROCEDURE advance() {
    refractory = (left > 0)
    if (refractory) {
        left = left - 1
    } else {
        vm = v_rest + p_vv*(vm - v_rest) + p_vi*(i_offset + i_stim) + kept
        kept = 0
        if (vm < v_floor) {
            vm = v_floor
        }
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
            left = -floor(1e-6 - floor(tau_refrac*1000 + 0.5)/(dt*1000)) : NEST's: up, of tics of 0.001 ms
            vm = v_reset
            net_event(t)
        }
    } else if (flag == 0 && refractory) {
        if (refractory_input) {
            kept = kept + w*exp(-(left + 1)*dt/tau_m)
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
