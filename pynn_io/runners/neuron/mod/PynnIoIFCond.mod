TITLE Leaky integrate-and-fire cell with exponential or alpha-shaped synaptic conductances, and adaptation

COMMENT
PyNN's IF_cond_exp (alpha = 0), IF_cond_alpha (alpha = 1), IF_facets_hardware1 and IF_cond_exp_gsfa_grr (q_sfa, q_rr);
NEST's iaf_cond_exp, iaf_cond_alpha and iaf_cond_exp_sfa_rr. See PynnIoIFCurr.mod for what is common.

  cm dvm/dt = cm (v_rest - vm)/tau_m + g_e (e_rev_E - vm) + g_i (e_rev_I - vm)
              + g_s (e_rev_sfa - vm) + g_r (e_rev_rr - vm) + i_offset + i_stim

Conductances decay exactly; the potential takes STEPS Runge-Kutta steps of fourth order a time step. NEST's error bound
is 1e-3 mV a step.

NetCon weights are in uS, and their sign chooses the synapse.
ENDCOMMENT

DEFINE STEPS 4

NEURON {
    POINT_PROCESS PynnIoIFCond
    RANGE v_rest, cm, tau_m, tau_refrac, v_reset, v_thresh, i_offset, tau_syn_E, tau_syn_I, e_rev_E, e_rev_I, alpha
    RANGE tau_sfa, e_rev_sfa, q_sfa, tau_rr, e_rev_rr, q_rr
    RANGE v_init, i_stim, vm, g_e, g_i, dg_e, dg_i, g_s, g_r, fired, left
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (nF) = (nanofarad)
    (uS) = (microsiemens)
}

PARAMETER {
    v_rest = -65 (mV)
    cm = 1 (nF)
    tau_m = 20 (ms)
    tau_refrac = 0.1 (ms)
    v_reset = -65 (mV)
    v_thresh = -50 (mV)
    i_offset = 0 (nA)
    tau_syn_E = 5 (ms)
    tau_syn_I = 5 (ms)
    e_rev_E = 0 (mV)
    e_rev_I = -70 (mV)
    alpha = 0
    tau_sfa = 100 (ms)
    e_rev_sfa = -75 (mV)
    q_sfa = 0 (uS)
    tau_rr = 2 (ms)
    e_rev_rr = -75 (mV)
    q_rr = 0 (uS)
    v_init = -65 (mV)
    i_stim = 0 (nA)
}

ASSIGNED {
    dt (ms)
    vm (mV)
    g_e (uS)
    g_i (uS)
    dg_e (uS/ms)
    dg_i (uS/ms)
    g_s (uS)
    g_r (uS)
    fired
    left
}

INITIAL {
    vm = v_init
    g_e = 0
    g_i = 0
    dg_e = 0
    dg_i = 0
    g_s = 0
    g_r = 0
    fired = 0
    left = 0
    net_send(0, 1)
}

BREAKPOINT {
    SOLVE advance
}

PROCEDURE advance() { LOCAL h, k1, k2, k3, k4, n
    h = dt/STEPS
    n = 0
    while (n < STEPS) {
        if (left <= 0) {
            k1 = slope(vm)
        }
        decay(h/2)
        if (left <= 0) {
            k2 = slope(vm + h/2*k1)
            k3 = slope(vm + h/2*k2)
        }
        decay(h/2)
        if (left <= 0) {
            k4 = slope(vm + h*k3)
            vm = vm + h/6*(k1 + 2*k2 + 2*k3 + k4)
        }
        n = n + 1
    }
    if (left > 0) {
        left = left - 1
    } else if (vm >= v_thresh) {
        left = -floor(1e-6 - floor(tau_refrac*1000 + 0.5)/(dt*1000)) : NEST's: up, of tics of 0.001 ms
        vm = v_reset
        g_s = g_s + q_sfa
        g_r = g_r + q_rr
        fired = 1
    }
}

FUNCTION slope(x (mV)) (mV/ms) {
    slope = (v_rest - x)/tau_m + (g_e*(e_rev_E - x) + g_i*(e_rev_I - x) + g_s*(e_rev_sfa - x) + g_r*(e_rev_rr - x) + i_offset + i_stim)/cm
}

PROCEDURE decay(h (ms)) { LOCAL f
    f = exp(-h/tau_syn_E)
    g_e = f*(g_e + h*dg_e)
    dg_e = f*dg_e
    f = exp(-h/tau_syn_I)
    g_i = f*(g_i + h*dg_i)
    dg_i = f*dg_i
    g_s = g_s*exp(-h/tau_sfa)
    g_r = g_r*exp(-h/tau_rr)
}

NET_RECEIVE (w) {
    if (flag == 1) {
        WATCH (fired > 0.5) 2
    } else if (flag == 2) {
        fired = 0
        WATCH (fired > 0.5) 2
        net_event(t)
    } else if (w >= 0) {
        g_e = g_e + (1 - alpha)*w
        dg_e = dg_e + alpha*w*exp(1)/tau_syn_E
    } else {
        g_i = g_i - (1 - alpha)*w
        dg_i = dg_i - alpha*w*exp(1)/tau_syn_I
    }
}
