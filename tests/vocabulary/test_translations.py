"""PyNN's standard cells and NEST's, both ways: hand-computed numbers, there and back, and what one side cannot say."""

from __future__ import annotations

import pytest

from pynn_io.vocabulary.models import MODELS
from pynn_io.vocabulary.translations import ON_NEST_ALONE, TRANSLATIONS, of_native, of_standard, to_native, to_standard


def defaults(name: str) -> dict:
    return {item.name: item.default for item in MODELS[name].parameters}


@pytest.mark.parametrize("row", TRANSLATIONS, ids=lambda row: row.standard)
def test_there_and_back(row) -> None:
    native, left = to_native(row, defaults(row.standard))
    assert left == {}
    assert set(native) <= {item.name for item in MODELS[row.native].parameters}
    standard, left = to_standard(row, {**defaults(row.native), **native})
    assert left == {}
    assert standard == pytest.approx(defaults(row.standard), rel=1e-15)


@pytest.mark.parametrize("row", TRANSLATIONS, ids=lambda row: row.standard)
def test_weights_scale_as_the_units_of_the_models(row) -> None:
    powers = {("nA", "pA"): 3, ("uS", "nS"): 3, ("mV", "mV"): 0}
    pair = MODELS[row.standard].weight_unit, MODELS[row.native].weight_unit
    assert row.weight_power == powers[pair]


def test_numbers_by_hand() -> None:
    native, _ = to_native(
        of_standard("IF_cond_exp"), {**defaults("IF_cond_exp"), "cm": 0.25, "tau_m": 10.0, "i_offset": 0.1}
    )
    assert (native["C_m"], native["g_L"], native["I_e"]) == (250.0, 25.0, 100.0)
    native, _ = to_native(of_standard("EIF_cond_exp_isfa_ista"), defaults("EIF_cond_exp_isfa_ista"))
    assert native["g_L"] == pytest.approx(30.0, rel=1e-5)  # 281 pF / 9.3667 ms
    assert (native["a"], native["b"], native["V_peak"]) == (4.0, 80.5, -40.0)
    native, _ = to_native(of_standard("HH_cond_exp"), defaults("HH_cond_exp"))
    assert (native["g_Na"], native["g_L"], native["V_T"], native["t_ref"]) == (20000.0, 10.0, -63.0, 2.0)
    standard, _ = to_standard(of_native("nest:izhikevich"), {**defaults("nest:izhikevich"), "I_e": 10.0})
    assert standard == {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "i_offset": 0.01}


def test_what_the_standard_model_cannot_say_is_left_over() -> None:
    values = {**defaults("nest:iaf_psc_exp"), "delta": 2.0, "rho": 5.0}
    assert to_standard(of_native("nest:iaf_psc_exp"), values)[1] == {"delta": 2.0}
    values = {**defaults("nest:iaf_psc_delta"), "refractory_input": True, "V_min": -90.0}
    left = to_standard(of_native("nest:iaf_psc_delta"), values)[1]
    assert left == {"refractory_input": True, "V_min": -90.0}
    values = {**defaults("nest:aeif_cond_exp"), "gsl_error_tol": 1e-9}
    assert to_standard(of_native("nest:aeif_cond_exp"), values)[1] == {}


def test_models_without_a_twin() -> None:
    assert of_native("nest:glif_psc") is None
    assert of_standard("GIF_cond_exp") is None  # nothing is read back as one
    native, left = to_native(ON_NEST_ALONE["GIF_cond_exp"], defaults("GIF_cond_exp"))
    assert (native["g_L"], native["q_stc"], left) == (50.0, (1000.0,) * 3, {})
