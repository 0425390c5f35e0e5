"""The rows behind `pynn_io.vocabulary.models`: nothing but literals.

``parameters`` and ``states``: ``name default unit``, separated by commas. ``receptors``: names, the default first.
``weight``: unit of a weight onto the cell. ``aliases``: ``spelling=name``.
"""

from __future__ import annotations

_IF = "v_rest -65 mV, cm 1 nF, tau_m 20 ms, tau_refrac 0.1 ms, v_reset -65 mV, v_thresh -50 mV, i_offset 0 nA"
_EIF = (
    "cm 0.281 nF, tau_refrac 0.1 ms, v_spike -40 mV, v_reset -70.6 mV, v_rest -70.6 mV, tau_m 9.3667 ms, i_offset 0 nA,"
    "a 4 nS, b 0.0805 nA, delta_T 2 mV, tau_w 144 ms, v_thresh -50.4 mV, e_rev_E 0 mV, tau_syn_E 5 ms, e_rev_I -80 mV,"
    "tau_syn_I 5 ms"
)
_TWO = "excitatory inhibitory"

_NEST_IF = "C_m 250 pF, E_L -70 mV, I_e 0 pA, V_th -55 mV, t_ref 2 ms"
_NEST_COND = "E_ex 0 mV, E_in -85 mV, g_L 16.6667 nS, tau_syn_ex 0.2 ms, tau_syn_in 2 ms"
_AEIF = (
    "C_m 281 pF, Delta_T 2 mV, E_L -70.6 mV, I_e 0 pA, V_peak 0 mV, V_reset -60 mV, V_th -50.4 mV, a 4 nS, b 80.5 pA,"
    "g_L 30 nS, t_ref 0 ms, tau_w 144 ms, gsl_error_tol 1e-06 1"
)

CELLS: dict[str, dict[str, str]] = {
    "IF_curr_alpha": {
        "parameters": f"{_IF}, tau_syn_E 0.5 ms, tau_syn_I 0.5 ms",
        "states": "v -65 mV, isyn_exc 0 nA, isyn_inh 0 nA",
        "receptors": _TWO,
        "weight": "nA",
    },
    "IF_curr_exp": {
        "parameters": f"{_IF}, tau_syn_E 5 ms, tau_syn_I 5 ms",
        "states": "v -65 mV, isyn_exc 0 nA, isyn_inh 0 nA",
        "receptors": _TWO,
        "weight": "nA",
    },
    "IF_curr_delta": {"parameters": _IF, "states": "v -65 mV", "receptors": _TWO, "weight": "mV"},
    "IF_cond_alpha": {
        "parameters": f"{_IF}, tau_syn_E 0.3 ms, tau_syn_I 0.5 ms, e_rev_E 0 mV, e_rev_I -70 mV",
        "states": "v -65 mV, gsyn_exc 0 uS, gsyn_inh 0 uS",
        "receptors": _TWO,
        "weight": "uS",
    },
    "IF_cond_exp": {
        "parameters": f"{_IF}, tau_syn_E 5 ms, tau_syn_I 5 ms, e_rev_E 0 mV, e_rev_I -70 mV",
        "states": "v -65 mV, gsyn_exc 0 uS, gsyn_inh 0 uS",
        "receptors": _TWO,
        "weight": "uS",
    },
    "IF_cond_exp_gsfa_grr": {
        "parameters": f"{_IF}, tau_syn_E 5 ms, tau_syn_I 5 ms, e_rev_E 0 mV, e_rev_I -70 mV, tau_sfa 100 ms,"
        "e_rev_sfa -75 mV, q_sfa 15 nS, tau_rr 2 ms, e_rev_rr -75 mV, q_rr 3000 nS",
        "states": "v -65 mV, g_r 0 nS, g_s 0 nS, gsyn_exc 0 uS, gsyn_inh 0 uS",
        "receptors": _TWO,
        "weight": "uS",
    },
    "IF_facets_hardware1": {
        "parameters": "g_leak 40 nS, tau_syn_E 30 ms, tau_syn_I 30 ms, v_reset -80 mV, e_rev_I -80 mV, v_rest -65 mV,"
        "v_thresh -55 mV",
        "states": "v -65 mV, gsyn_exc 0 uS, gsyn_inh 0 uS",
        "receptors": _TWO,
        "weight": "uS",
    },
    "HH_cond_exp": {
        "parameters": "gbar_Na 20 uS, gbar_K 6 uS, g_leak 0.01 uS, cm 0.2 nF, v_offset -63 mV, e_rev_Na 50 mV,"
        "e_rev_K -90 mV, e_rev_leak -65 mV, e_rev_E 0 mV, e_rev_I -80 mV, tau_syn_E 0.2 ms, tau_syn_I 2 ms,"
        "i_offset 0 nA",
        "states": "v -65 mV, gsyn_exc 0 uS, gsyn_inh 0 uS, h 1 1, m 0 1, n 0 1",
        "receptors": _TWO,
        "weight": "uS",
    },
    "EIF_cond_exp_isfa_ista": {
        "parameters": _EIF,
        "states": "v -70.6 mV, w 0 nA, gsyn_exc 0 uS, gsyn_inh 0 uS",
        "receptors": _TWO,
        "weight": "uS",
    },
    "EIF_cond_alpha_isfa_ista": {
        "parameters": _EIF,
        "states": "v -70.6 mV, w 0 nA, gsyn_exc 0 uS, gsyn_inh 0 uS",
        "receptors": _TWO,
        "weight": "uS",
    },
    "Izhikevich": {
        "parameters": "a 0.02 per_ms, b 0.2 per_ms, c -65 mV, d 2 mV/ms, i_offset 0 nA",
        "states": "v -70 mV, u -14 mV/ms",
        "receptors": _TWO,
        "weight": "mV",
    },
    "GIF_cond_exp": {
        "parameters": "v_rest -65 mV, cm 1 nF, tau_m 20 ms, tau_refrac 4 ms, v_reset -65 mV, i_offset 0 nA,"
        "tau_syn_E 5 ms, tau_syn_I 5 ms, e_rev_E 0 mV, e_rev_I -70 mV, delta_v 0.5 mV, v_t_star -48 mV, lambda0 1 Hz,"
        "tau_eta [1;10;100] ms, tau_gamma [1;10;100] ms, a_eta [1;1;1] nA, a_gamma [1;1;1] mV",
        "states": "v -65 mV, v_t -48 mV, i_eta 0 nA, gsyn_exc 0 uS, gsyn_inh 0 uS",
        "receptors": _TWO,
        "weight": "uS",
    },
    "nest:gif_cond_exp": {
        "parameters": "C_m 80 pF, E_L -70 mV, I_e 0 pA, g_L 4 nS, t_ref 4 ms, V_reset -55 mV, tau_syn_ex 2 ms,"
        "tau_syn_in 2 ms, E_ex 0 mV, E_in -85 mV, Delta_V 0.5 mV, V_T_star -35 mV, lambda_0 1 Hz, tau_stc [] ms,"
        "tau_sfa [] ms, q_stc [] pA, q_sfa [] mV, gsl_error_tol 0.001 1",
        "states": "V_m -70 mV, g_ex 0 nS, g_in 0 nS, I_stc 0 pA, E_sfa -35 mV",
        "receptors": _TWO,
        "weight": "nS",
    },
    "nest:iaf_psc_alpha": {
        "parameters": f"{_NEST_IF}, V_reset -70 mV, V_min -inf mV, tau_m 10 ms, tau_syn_ex 2 ms, tau_syn_in 2 ms",
        "states": "V_m -70 mV",
        "receptors": _TWO,
        "weight": "pA",
    },
    "nest:iaf_psc_delta": {
        "parameters": f"{_NEST_IF}, V_reset -70 mV, V_min -inf mV, tau_m 10 ms, refractory_input false 1",
        "states": "V_m -70 mV",
        "receptors": _TWO,
        "weight": "mV",
    },
    "nest:iaf_psc_exp": {
        "parameters": f"{_NEST_IF}, V_reset -70 mV, tau_m 10 ms, tau_syn_ex 2 ms, tau_syn_in 2 ms, delta 0 mV,"
        "rho 0.01 Hz",
        "states": "V_m -70 mV",
        "receptors": _TWO,
        "weight": "pA",
    },
    "nest:iaf_cond_alpha": {
        "parameters": f"{_NEST_IF}, V_reset -60 mV, {_NEST_COND}",
        "states": "V_m -70 mV, g_ex 0 nS, g_in 0 nS, dg_ex 0 nS/ms, dg_in 0 nS/ms",
        "receptors": _TWO,
        "weight": "nS",
    },
    "nest:iaf_cond_exp": {
        "parameters": f"{_NEST_IF}, V_reset -60 mV, {_NEST_COND}",
        "states": "V_m -70 mV, g_ex 0 nS, g_in 0 nS",
        "receptors": _TWO,
        "weight": "nS",
    },
    "nest:iaf_cond_exp_sfa_rr": {
        "parameters": "C_m 289.5 pF, E_L -70 mV, I_e 0 pA, V_th -57 mV, t_ref 0.5 ms, V_reset -70 mV, E_ex 0 mV,"
        "E_in -75 mV, g_L 28.95 nS, tau_syn_ex 1.5 ms, tau_syn_in 10 ms, E_sfa -70 mV, q_sfa 14.48 nS, tau_sfa 110 ms,"
        "E_rr -70 mV, q_rr 3214 nS, tau_rr 1.97 ms",
        "states": "V_m -70 mV, g_ex 0 nS, g_in 0 nS, g_sfa 0 nS, g_rr 0 nS",
        "receptors": _TWO,
        "weight": "nS",
    },
    "nest:aeif_cond_exp": {
        "parameters": f"{_AEIF}, E_ex 0 mV, E_in -85 mV, tau_syn_ex 0.2 ms, tau_syn_in 2 ms",
        "states": "V_m -70.6 mV, w 0 pA, g_ex 0 nS, g_in 0 nS",
        "receptors": _TWO,
        "weight": "nS",
    },
    "nest:aeif_cond_alpha": {
        "parameters": f"{_AEIF}, E_ex 0 mV, E_in -85 mV, tau_syn_ex 0.2 ms, tau_syn_in 2 ms",
        "states": "V_m -70.6 mV, w 0 pA, g_ex 0 nS, g_in 0 nS, dg_ex 0 nS/ms, dg_in 0 nS/ms",
        "receptors": _TWO,
        "weight": "nS",
    },
    "nest:aeif_psc_exp": {
        "parameters": f"{_AEIF}, tau_syn_ex 0.2 ms, tau_syn_in 2 ms",
        "states": "V_m -70.6 mV, w 0 pA, I_syn_ex 0 pA, I_syn_in 0 pA",
        "receptors": _TWO,
        "weight": "pA",
    },
    "nest:aeif_psc_alpha": {
        "parameters": f"{_AEIF}, tau_syn_ex 0.2 ms, tau_syn_in 2 ms",
        "states": "V_m -70.6 mV, w 0 pA, I_syn_ex 0 pA, I_syn_in 0 pA, dI_syn_ex 0 pA/ms, dI_syn_in 0 pA/ms",
        "receptors": _TWO,
        "weight": "pA",
    },
    "nest:aeif_psc_delta": {
        "parameters": f"{_AEIF}, refractory_input false 1",
        "states": "V_m -70.6 mV, w 0 pA",
        "receptors": _TWO,
        "weight": "mV",
    },
    "nest:izhikevich": {
        "parameters": "a 0.02 per_ms, b 0.2 per_ms, c -65 mV, d 8 mV, I_e 0 1, V_th 30 mV, V_min -inf mV,"
        "consistent_integration true 1",
        "states": "V_m -65 mV, U_m -13 mV",
        "receptors": _TWO,
        "weight": "mV",
    },
    "nest:hh_psc_alpha": {
        "parameters": "C_m 100 pF, E_K -77 mV, E_L -54.402 mV, E_Na 50 mV, I_e 0 pA, g_K 3600 nS, g_L 30 nS,"
        "g_Na 12000 nS, t_ref 2 ms, tau_syn_ex 0.2 ms, tau_syn_in 2 ms",
        "states": "V_m -65 mV, Act_m 0.05293248525724958 1, Inact_h 0.5961207535084603 1, Act_n 0.3176769140606974 1",
        "receptors": _TWO,
        "weight": "pA",
    },
    "nest:hh_cond_exp_traub": {
        "parameters": "C_m 200 pF, E_K -90 mV, E_L -60 mV, E_Na 50 mV, E_ex 0 mV, E_in -80 mV, I_e 0 pA, V_T -63 mV,"
        "g_K 6000 nS, g_L 10 nS, g_Na 20000 nS, t_ref 2 ms, tau_syn_ex 5 ms, tau_syn_in 10 ms",
        "states": "V_m -60 mV, Act_m 9.895563096746586e-09 1, Inact_h 0.999999999106396 1,"
        "Act_n 2.551577051602551e-07 1",
        "receptors": _TWO,
        "weight": "nS",
    },
    "nest:glif_psc": {
        "parameters": "C_m 58.72 pF, E_L -78.85 mV, V_reset -78.85 mV, V_th -51.68 mV, g 9.43 nS, t_ref 3.75 ms,"
        "tau_syn [2] ms, adapting_threshold false 1, after_spike_currents false 1, spike_dependent_threshold false 1,"
        "asc_amps [-9.18;-198.94] pA, asc_decay [0.003;0.1] per_ms, asc_init [0;0] pA, asc_r [1;1] 1,"
        "th_spike_add 0.37 mV, th_spike_decay 0.009 per_ms, th_voltage_decay 0.09 per_ms,"
        "th_voltage_index 0.005 per_ms, voltage_reset_add 18.51 mV, voltage_reset_fraction 0.2 1",
        "states": "V_m -78.85 mV, ASCurrents [0;0] pA",
        "receptors": "1 2 3 4",
        "weight": "pA",
    },
    "nrn:IntFire1": {
        # Seconds, as every SONATA file states them and BMTK reads them (NEURON's own unit is ms).
        "parameters": "tau 0.01 s, refrac 0.005 s",
        "states": "m 0 1",
        "receptors": "excitatory",
        "weight": "1",
    },
    "nrn:IntFire2": {
        "parameters": "taum 10 ms, taus 20 ms, ib 0 1",
        "states": "m 0 1, i 0 1",
        "receptors": "excitatory",
        "weight": "1",
    },
    "nrn:IntFire4": {
        "parameters": "taue 5 ms, taui1 10 ms, taui2 20 ms, taum 50 ms",
        "states": "m 0 1, e 0 1, i1 0 1, i2 0 1",
        "receptors": "excitatory",
        "weight": "1",
    },
}

SOURCES: dict[str, dict[str, str]] = {
    "SpikeSourceArray": {"parameters": "spike_times [] ms"},
    "SpikeSourcePoisson": {"parameters": "rate 1 Hz, start 0 ms, duration 1e10 ms"},
    "SpikeSourcePoissonRefractory": {
        "parameters": "rate 1 Hz, tau_refrac 0 ms, start 0 ms, duration 1e10 ms",
    },
    "SpikeSourceGamma": {"parameters": "beta 1 Hz, alpha 2 1, start 0 ms, duration 1e10 ms"},
    "SpikeSourceInhGamma": {
        "parameters": "a [1] 1, b [1] s, tbins [0] ms, start 0 ms, duration 1e10 ms",
    },
    "nest:poisson_generator": {"parameters": "rate 0 Hz, start 0 ms, stop inf ms, origin 0 ms"},
    "nest:spike_generator": {"parameters": "spike_times [] ms, start 0 ms, stop inf ms, origin 0 ms"},
}

_NEST_STDP = "tau_plus 20 ms, lambda 0.01 1, alpha 1 1, mu_plus 1 1, mu_minus 1 1, Wmax 100 1"

SYNAPSES: dict[str, dict[str, str]] = {
    "static": {},
    "StaticSynapse": {},
    "TsodyksMarkramSynapse": {"parameters": "U 0.5 1, tau_rec 100 ms, tau_facil 0 ms", "states": "x 1 1, u 0 1, y 0 1"},
    "SimpleStochasticSynapse": {"parameters": "p 0.5 1"},
    "StochasticTsodyksMarkramSynapse": {"parameters": "U 0.5 1, tau_rec 100 ms, tau_facil 0 ms"},
    "MultiQuantalSynapse": {
        "parameters": "U 0.5 1, n 1 1, tau_rec 800 ms, tau_facil 0 ms",
        "states": "u 0.5 1, a 1 1",
    },
    "ElectricalSynapse": {"weight": "uS"},
    "STDPMechanism": {},
    "nest:static_synapse": {},
    "nest:static_synapse_hom_w": {},
    "nest:cont_delay_synapse": {},
    "nest:bernoulli_synapse": {"parameters": "p_transmit 1 1"},
    "nest:tsodyks_synapse": {
        "parameters": "U 0.5 1, tau_rec 800 ms, tau_fac 0 ms, tau_psc 3 ms",
        "states": "x 1 1, y 0 1, u 0 1",
    },
    "nest:tsodyks2_synapse": {"parameters": "U 0.5 1, tau_rec 800 ms, tau_fac 0 ms", "states": "x 1 1, u 0.5 1"},
    "nest:quantal_stp_synapse": {
        "parameters": "U 0.5 1, n 1 1, tau_rec 800 ms, tau_fac 0 ms",
        "states": "u 0.5 1, a 1 1",
    },
    "nest:stdp_synapse": {"parameters": _NEST_STDP, "states": "Kplus 0 1"},
    "nest:stdp_synapse_hom": {"parameters": _NEST_STDP, "states": "Kplus 0 1"},
    "nest:stdp_triplet_synapse": {
        "parameters": "tau_plus 16.8 ms, tau_plus_triplet 101 ms, Aplus 5e-10 1, Aminus 0.007 1, "
        "Aplus_triplet 0.0062 1, Aminus_triplet 0.00023 1, Wmax 100 1",
        "states": "Kplus 0 1, Kplus_triplet 0 1",
    },
    "nest:vogels_sprekeler_synapse": {
        "parameters": "tau 20 ms, alpha 0.12 1, eta 0.001 1, Wmax 1 1",
        "states": "Kplus 0 1",
    },
    "nest:gap_junction": {"weight": "nS"},
    "nrn:ExpSyn": {"parameters": "tau 0.1 ms, e 0 mV", "weight": "uS", "aliases": "erev=e tau1=tau tau_1=tau"},
    "nrn:Exp2Syn": {"parameters": "tau1 0.1 ms, tau2 10 ms, e 0 mV", "weight": "uS", "aliases": "erev=e"},
}

#: Spellings in files, lower case and without a prefix, for the model they mean.
SYNONYMS: dict[str, str] = {
    "static_synapse": "nest:static_synapse",
    "staticsynapse": "StaticSynapse",
    "static": "static",
    "expsyn": "nrn:ExpSyn",
    "exp2syn": "nrn:Exp2Syn",
    "stdp_synapse": "nest:stdp_synapse",
    "stdp_synapse_recorder": "nest:stdp_synapse",
    "tsodyks_synapse": "nest:tsodyks_synapse",
    "tsodyks2_synapse": "nest:tsodyks2_synapse",
    "intfire1": "nrn:IntFire1",
    "intfire2": "nrn:IntFire2",
    "intfire4": "nrn:IntFire4",
}
