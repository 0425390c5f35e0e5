TITLE Leaky integrate-and-fire cell with exponential or alpha-shaped synaptic currents

COMMENT
PyNN's IF_curr_exp (alpha = 0) and IF_curr_alpha (alpha = 1); NEST's iaf_psc_exp and iaf_psc_alpha.

  cm dvm/dt = cm (v_rest - vm) / tau_m + i_e + i_i + i_offset + i_stim

Between events the equations are linear, and every step is exact (Rotter & Diesmann 1999, doi:10.1007/s004220050570).
Spikes are bound to the grid: a crossing in a step is a spike at its end. An event acts from the grid point that it is
delivered at. The process has no effect on the section that it stands in, so any number of them may share one.

NetCon weights are in nA, and their sign chooses the synapse. i_stim (nA) is what stimuli put in, a step function.
ENDCOMMENT

NEURON {
    POINT_PROCESS PynnIoIFCurr
    RANGE v_rest, cm, tau_m, tau_refrac, v_reset, v_thresh, v_floor, i_offset, tau_syn_E, tau_syn_I, alpha
    RANGE v_init, i_stim, vm, i_e, i_i, fired
    RANGE di_e, di_i, left, p_vv, p_vi, d_e, d_i, p_ve, p_vde, p_vi_i, p_vdi
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
    tau_syn_E = 5 (ms)
    tau_syn_I = 5 (ms)
    alpha = 0
    v_init = -65 (mV)
    i_stim = 0 (nA)
}

ASSIGNED {
    dt (ms)
    vm (mV)
    i_e (nA)
    i_i (nA)
    di_e (nA/ms)
    di_i (nA/ms)
    fired
    left
    p_vv
    p_vi (mV/nA)
    d_e
    d_i
    p_ve (mV/nA)
    p_vde (mV ms/nA)
    p_vi_i (mV/nA)
    p_vdi (mV ms/nA)
}

INITIAL {
    vm = v_init
    i_e = 0
    i_i = 0
    di_e = 0
    di_i = 0
    fired = 0
    left = 0
    p_vv = exp(-dt/tau_m)
    p_vi = -(tau_m/cm)*expm1_(-dt/tau_m)
    d_e = exp(-dt/tau_syn_E)
    d_i = exp(-dt/tau_syn_I)
    p_ve = dt/cm*d_e*phi1(dt*(1/tau_syn_E - 1/tau_m))
    p_vi_i = dt/cm*d_i*phi1(dt*(1/tau_syn_I - 1/tau_m))
    p_vde = dt*dt/cm*d_e*phi2(dt*(1/tau_syn_E - 1/tau_m))
    p_vdi = dt*dt/cm*d_i*phi2(dt*(1/tau_syn_I - 1/tau_m))
    net_send(0, 1)
}

BREAKPOINT {
    SOLVE advance
}

PROCEDURE advance() {
    if (left > 0) {
        left = left - 1
    } else {
        vm = v_rest + p_vv*(vm - v_rest) + p_vi*(i_offset + i_stim) + p_ve*i_e + p_vde*di_e + p_vi_i*i_i + p_vdi*di_i
        if (vm < v_floor) {
            vm = v_floor
        }
    }
    i_e = d_e*(i_e + dt*di_e)
    di_e = d_e*di_e
    i_i = d_i*(i_i + dt*di_i)
    di_i = d_i*di_i
    if (vm >= v_thresh) {
        left = -floor(1e-6 - floor(tau_refrac*1000 + 0.5)/(dt*1000)) : NEST's: up, of tics of 0.001 ms
        vm = v_reset
        fired = 1
    }
}

NET_RECEIVE (w (nA)) {
    if (flag == 1) {
        WATCH (fired > 0.5) 2
    } else if (flag == 2) {
        fired = 0
        WATCH (fired > 0.5) 2
        net_event(t)
    } else if (w >= 0) {
        i_e = i_e + (1 - alpha)*w
        di_e = di_e + alpha*w*exp(1)/tau_syn_E
    } else {
        i_i = i_i + (1 - alpha)*w
        di_i = di_i + alpha*w*exp(1)/tau_syn_I
    }
}

: exp(x) - 1, without cancellation near 0
FUNCTION expm1_(x) {
    if (fabs(x) < 1e-5) {
        expm1_ = x*(1 + x/2*(1 + x/3))
    } else {
        expm1_ = exp(x) - 1
    }
}

: integral of exp(x (1 - s)) for s from 0 to 1, read backwards: (exp(x) - 1) / x
FUNCTION phi1(x) {
    if (fabs(x) < 1e-3) {
        phi1 = 1 + x/2*(1 + x/3*(1 + x/4*(1 + x/5)))
    } else {
        phi1 = (exp(x) - 1)/x
    }
}

: integral of s exp(x (1 - s)) for s from 0 to 1: (exp(x) - 1 - x) / x^2
FUNCTION phi2(x) {
    if (fabs(x) < 1e-2) {
        phi2 = 1/2 + x/6*(1 + x/4*(1 + x/5*(1 + x/6*(1 + x/7))))
    } else {
        phi2 = (exp(x) - 1 - x)/(x*x)
    }
}
