TITLE Adaptive exponential integrate-and-fire cell with synaptic conductances

COMMENT
PyNN's EIF_cond_exp_isfa_ista (alpha = 0) and EIF_cond_alpha_isfa_ista (alpha = 1); NEST's aeif_cond_exp and
aeif_cond_alpha. Brette & Gerstner 2005, doi:10.1152/jn.00686.2005. See PynnIoIFCurr.mod for what is common.

  cm dvm/dt = g_leak (v_rest - vm) + g_leak delta_T exp((vm - v_thresh)/delta_T) - w + synapses + i_offset + i_stim
  tau_w dw/dt = a (vm - v_rest) - w

Runge-Kutta of fourth order, with steps as short as the upstroke asks for. The reset happens within a time step, when
vm passes v_spike, and the spike is at the step's end.

NetCon weights are in uS, and their sign chooses the synapse.
ENDCOMMENT

NEURON {
    POINT_PROCESS PynnIoEIFCond
    RANGE v_rest, cm, tau_m, tau_refrac, v_reset, v_thresh, v_spike, i_offset, a, b, delta_T, tau_w
    RANGE tau_syn_E, tau_syn_I, e_rev_E, e_rev_I, alpha
    RANGE v_init, w_init, i_stim, vm, w, g_e, g_i, dg_e, dg_i, fired, left
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (nF) = (nanofarad)
    (uS) = (microsiemens)
}

PARAMETER {
    v_rest = -70.6 (mV)
    cm = 0.281 (nF)
    tau_m = 9.3667 (ms)
    tau_refrac = 0.1 (ms)
    v_reset = -70.6 (mV)
    v_thresh = -50.4 (mV)
    v_spike = -40 (mV)
    i_offset = 0 (nA)
    a = 0.004 (uS)
    b = 0.0805 (nA)
    delta_T = 2 (mV)
    tau_w = 144 (ms)
    tau_syn_E = 5 (ms)
    tau_syn_I = 5 (ms)
    e_rev_E = 0 (mV)
    e_rev_I = -80 (mV)
    alpha = 0
    v_init = -70.6 (mV)
    w_init = 0 (nA)
    i_stim = 0 (nA)
}

ASSIGNED {
    dt (ms)
    vm (mV)
    w (nA)
    g_e (uS)
    g_i (uS)
    dg_e (uS/ms)
    dg_i (uS/ms)
    fired
    left
}

INITIAL {
    vm = v_init
    w = w_init
    g_e = 0
    g_i = 0
    dg_e = 0
    dg_i = 0
    fired = 0
    left = 0
    net_send(0, 1)
}

BREAKPOINT {
    SOLVE advance
}

PROCEDURE advance() { LOCAL rest, h, peak, k1, k2, k3, k4, m1, m2, m3, m4
    peak = v_spike
    if (delta_T <= 0) {
        peak = v_thresh
    }
    rest = dt
    while (rest > 0) {
        k1 = slope(vm)
        h = stride(k1, rest)
        m1 = adaptation(vm, w)
        decay(h/2)
        m2 = adaptation(vm + h/2*k1, w + h/2*m1)
        k2 = slope_(vm + h/2*k1, w + h/2*m1, peak)
        m3 = adaptation(vm + h/2*k2, w + h/2*m2)
        k3 = slope_(vm + h/2*k2, w + h/2*m2, peak)
        decay(h/2)
        m4 = adaptation(vm + h*k3, w + h*m3)
        k4 = slope_(vm + h*k3, w + h*m3, peak)
        vm = vm + h/6*(k1 + 2*k2 + 2*k3 + k4)
        w = w + h/6*(m1 + 2*m2 + 2*m3 + m4)
        rest = rest - h
        if (left > 0) {
            vm = v_reset
        } else if (vm >= peak) {
            vm = v_reset
            w = w + b
            fired = 1
            left = -floor(1e-6 - floor(tau_refrac*1000 + 0.5)/(dt*1000)) : NEST's: up, of tics of 0.001 ms
            if (left > 0) {
                left = left + 1
            }
        }
    }
    if (left > 0) {
        left = left - 1
    }
}

: No longer than half a time step, and so short that vm moves by less than a twentieth of delta_T
FUNCTION stride(k (mV/ms), rest (ms)) (ms) {
    stride = dt/2
    if (delta_T > 0 && fabs(k)*stride > delta_T/20) {
        stride = delta_T/20/fabs(k)
        if (stride < dt/2000) {
            stride = dt/2000
        }
    }
    if (stride > rest - dt*1e-9) {
        stride = rest
    }
}

FUNCTION slope(x (mV)) (mV/ms) { LOCAL peak
    peak = v_spike
    if (delta_T <= 0) {
        peak = v_thresh
    }
    slope = slope_(x, w, peak)
}

FUNCTION slope_(x (mV), y (nA), peak (mV)) (mV/ms) { LOCAL u, up
    if (left > 0) {
        slope_ = 0
    } else {
        u = x
        if (u > peak) {
            u = peak
        }
        up = 0
        if (delta_T > 0) {
            up = delta_T*exp((u - v_thresh)/delta_T)
        }
        slope_ = (v_rest - u + up)/tau_m + (g_e*(e_rev_E - u) + g_i*(e_rev_I - u) - y + i_offset + i_stim)/cm
    }
}

FUNCTION adaptation(x (mV), y (nA)) (nA/ms) { LOCAL u
    u = x
    if (left > 0) {
        u = v_reset
    }
    adaptation = (a*(u - v_rest) - y)/tau_w
}

PROCEDURE decay(h (ms)) { LOCAL f
    f = exp(-h/tau_syn_E)
    g_e = f*(g_e + h*dg_e)
    dg_e = f*dg_e
    f = exp(-h/tau_syn_I)
    g_i = f*(g_i + h*dg_i)
    dg_i = f*dg_i
}

NET_RECEIVE (weight) {
    if (flag == 1) {
        WATCH (fired > 0.5) 2
    } else if (flag == 2) {
        fired = 0
        WATCH (fired > 0.5) 2
        net_event(t)
    } else if (weight >= 0) {
        g_e = g_e + (1 - alpha)*weight
        dg_e = dg_e + alpha*weight*exp(1)/tau_syn_E
    } else {
        g_i = g_i - (1 - alpha)*weight
        dg_i = dg_i - alpha*weight*exp(1)/tau_syn_I
    }
}
