"""Names, units and signs of components by hand, and what is said of what cannot be written."""

from __future__ import annotations

from importlib.resources import files

import pytest
from lxml import etree

from pynn_io.exporters.neuroml_components import (
    cell_component,
    pulse_component,
    recorded_exposure,
    spike_array_component,
    takes_current,
)
from pynn_io.exporters.neuroml_synapses import needs_sign_split, synapse_component
from pynn_io.graph.cells import CableCell, PointCell, SpikeSource
from pynn_io.graph.synapses import Synapse
from pynn_io.report import Kind, Report
from pynn_io.vocabulary.models import MODELS
from pynn_io.vocabulary.neuroml import CELL_ROWS, SUPPORT_ROWS, SYNAPSE_ROWS

LEMS = files("pynn_io.vocabulary").joinpath("lems")


def made_synapse(model: str, cell, unit: str, *, inhibitory: bool = False, receptor: str | None = None, **parameters):
    report = Report()
    found = synapse_component(
        "s",
        Synapse(model, parameters),
        cell,
        weight_unit=unit,
        inhibitory=inhibitory,
        receptor=receptor,
        report=report,
        where="edges/e",
    )
    return found, report


# The same cell in PyNN's words and in NEST's: numbers converted by hand.
TWINS = {
    "alpha": (
        PointCell(
            "IF_curr_alpha",
            {"cm": 0.239, "tau_m": 44.9, "v_rest": -78.0, "v_reset": -55.0, "v_thresh": -43.0, "tau_refrac": 3.0}
            | {"i_offset": 0.012, "tau_syn_E": 2.0, "tau_syn_I": 1.0, "v": -75.0},
        ),
        PointCell(
            "nest:iaf_psc_alpha",
            {"C_m": 239.0, "tau_m": 44.9, "E_L": -78.0, "V_reset": -55.0, "V_th": -43.0, "t_ref": 3.0, "I_e": 12.0}
            | {"tau_syn_ex": 2.0, "tau_syn_in": 1.0, "V_m": -75.0},
        ),
    ),
    "delta": (
        PointCell("IF_curr_delta", {"cm": 0.2, "tau_m": 12.0, "v_rest": -68.0, "tau_refrac": 2.0, "v": -66.0}),
        PointCell(
            "nest:iaf_psc_delta",
            {"C_m": 200.0, "tau_m": 12.0, "E_L": -68.0, "t_ref": 2.0, "V_m": -66.0, "V_th": -50.0, "V_reset": -65.0},
        ),
    ),
    "cond": (
        PointCell(
            "IF_cond_exp",
            {"cm": 0.2, "tau_m": 10.0, "v_rest": -68.0, "v_reset": -61.0, "v_thresh": -52.0, "tau_refrac": 3.0}
            | {"i_offset": 0.02, "tau_syn_E": 1.5, "tau_syn_I": 4.0, "e_rev_E": 2.0, "e_rev_I": -81.0, "v": -66.0},
        ),
        PointCell(
            "nest:iaf_cond_exp",
            {"C_m": 200.0, "g_L": 20.0, "E_L": -68.0, "V_reset": -61.0, "V_th": -52.0, "t_ref": 3.0, "I_e": 20.0}
            | {"tau_syn_ex": 1.5, "tau_syn_in": 4.0, "E_ex": 2.0, "E_in": -81.0, "V_m": -66.0},
        ),
    ),
    "facets": (
        PointCell("IF_facets_hardware1", {"g_leak": 50.0, "v": -64.0}),
        PointCell(
            "nest:iaf_cond_exp",
            {"C_m": 200.0, "g_L": 50.0, "E_L": -65.0, "V_reset": -80.0, "V_th": -55.0, "t_ref": 1.0, "I_e": 0.0}
            | {"tau_syn_ex": 30.0, "tau_syn_in": 30.0, "E_ex": 0.0, "E_in": -80.0, "V_m": -64.0},
        ),
    ),
    "izhikevich": (
        PointCell("Izhikevich", {"d": 8.0, "i_offset": 0.01, "v": -65.0, "u": -13.0}),
        PointCell("nest:izhikevich", {"d": 8.0, "I_e": 10.0, "V_m": -65.0, "U_m": -13.0}),
    ),
    "hh": (
        PointCell("HH_cond_exp", {"v": -60.0, "m": 0.1, "h": 0.9, "n": 0.2}),
        PointCell(
            "nest:hh_cond_exp_traub",
            {"g_Na": 20000.0, "g_K": 6000.0, "g_L": 10.0, "C_m": 200.0, "V_T": -63.0, "E_Na": 50.0, "E_K": -90.0}
            | {"E_L": -65.0, "E_ex": 0.0, "E_in": -80.0, "tau_syn_ex": 0.2, "tau_syn_in": 2.0}
            | {"V_m": -60.0, "Act_m": 0.1, "Inact_h": 0.9, "Act_n": 0.2},
        ),
    ),
    "eif": (
        PointCell("EIF_cond_exp_isfa_ista", {"v": -70.0}),
        PointCell(
            "nest:aeif_cond_exp",
            {"C_m": 281.0, "g_L": 281.0 / 9.3667, "V_peak": -40.0, "V_reset": -70.6, "t_ref": 0.1, "E_in": -80.0}
            | {"tau_syn_ex": 5.0, "tau_syn_in": 5.0, "V_m": -70.0},
        ),
    ),
    "sfa": (
        PointCell("IF_cond_exp_gsfa_grr", {"v": -65.0, "g_s": 3.0}),
        PointCell(
            "nest:iaf_cond_exp_sfa_rr",
            {"C_m": 1000.0, "g_L": 50.0, "E_L": -65.0, "V_reset": -65.0, "V_th": -50.0, "t_ref": 0.1, "E_in": -70.0}
            | {"tau_syn_ex": 5.0, "tau_syn_in": 5.0, "tau_sfa": 100.0, "E_sfa": -75.0, "q_sfa": 15.0, "tau_rr": 2.0}
            | {"E_rr": -75.0, "q_rr": 3000.0, "V_m": -65.0, "g_sfa": 3.0},
        ),
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_standard_cells_are_their_native_twins(name: str) -> None:
    """The native side is compared with its equations by running it; the standard one with the native here."""
    components = [cell_component("c", cell, Report(), "c") for cell in TWINS[name]]
    assert all(component is not None for component in components)
    first, second = components
    assert first.type == second.type
    units = {key: value.lstrip("-0123456789.e") for key, value in first.attributes.items()}
    assert units == {key: value.lstrip("-0123456789.e") for key, value in second.attributes.items()}
    for key, unit in units.items():
        found, expected = (float(one.attributes[key].removesuffix(unit)) for one in components)
        assert found == pytest.approx(expected, rel=1e-12), key


def test_v_init_of_the_plan_comes_before_what_the_cell_states() -> None:
    cell = PointCell("nest:iaf_psc_alpha", {"V_m": -75.0})
    assert cell_component("c", cell, Report(), "c", v_init=-80.0).attributes["v_init"] == "-80.0"
    assert cell_component("c", cell, Report(), "c").attributes["v_init"] == "-75.0"


def test_defaulted_initial_state_is_said() -> None:
    report = Report()
    cell_component("c", PointCell("nest:izhikevich", {}), report, "cells/c")
    issue = next(issue for issue in report if issue.code == "default-initial-state")
    assert issue.kind == Kind.DEFAULTED and "V_m=-65.0 mV, U_m=-13.0 mV" in issue.message
    report = Report()
    cell_component("c", PointCell("nest:iaf_psc_exp", {}), report, "cells/c", v_init=-70.0)
    assert "default-initial-state" not in report.codes()


@pytest.mark.parametrize(
    ("cell", "code", "words"),
    [
        (PointCell("nest:glif_psc", {}), "no-neuroml-cell", "after-spike currents"),
        (PointCell("nest:no_such_thing", {}), "no-neuroml-cell", "nest:no_such_thing"),
        (PointCell("nest:iaf_psc_alpha", {"V_min": -80.0}), "parameter-without-place", "V_min=-80.0"),
        (PointCell("nest:iaf_psc_exp", {"delta": 1.0}), "parameter-without-place", "delta=1.0"),
        (PointCell("nest:izhikevich", {"consistent_integration": False}), "parameter-without-place", "consistent"),
        (PointCell("nest:iaf_cond_exp", {"g_ex": 2.0}), "initial-state", "g_ex=2.0"),
        (PointCell("nest:iaf_psc_alpha", {"C_m": "NULL"}), "no-neuroml-cell", "C_m"),
        (PointCell("nest:iaf_psc_alpha", {"frequency": 3}), "unknown-parameter", "'frequency'"),
        (PointCell("GIF_cond_exp", {"tau_eta": (1.0,) * 4, "a_eta": (1.0,) * 4}), "no-neuroml-cell", "has 4 terms"),
        (PointCell("GIF_cond_exp", {"a_gamma": (1.0, "x")}), "no-neuroml-cell", "a_gamma"),
        (PointCell("GIF_cond_exp", {"v_t": -50.0}), "initial-state", "v_t=-50.0"),
    ],
)
def test_what_is_lost_of_a_cell_is_named(cell: PointCell, code: str, words: str) -> None:
    report = Report()
    cell_component("c", cell, report, "cells/c")
    issue = next(issue for issue in report if issue.code == code)
    assert (issue.kind, issue.where) == (Kind.LOST, "cells/c")
    assert words in issue.message


def test_weights_by_hand() -> None:
    current = PointCell("nest:iaf_psc_exp", {"tau_syn_ex": 2.0, "tau_syn_in": 8.0})
    found, _ = made_synapse("nest:static_synapse", current, "pA")
    assert (found.component.type, found.component.attributes, found.weight_factor) == (
        "expCurrSynapse",
        {"tau_syn": "2.0"},
        0.001,
    )
    found, _ = made_synapse("nest:static_synapse", current, "pA", inhibitory=True)
    assert (found.component.attributes, found.weight_factor) == ({"tau_syn": "8.0"}, 0.001)
    conductance = PointCell("nest:iaf_cond_alpha", {"E_in": -85.0, "tau_syn_in": 2.0})
    found, _ = made_synapse("nest:static_synapse", conductance, "nS", inhibitory=True)
    assert found.component.attributes == {"tau_syn": "2.0", "e_rev": "-85.0"}
    assert found.weight_factor == -0.001  # a NEST weight of -6 nS is a NeuroML weight of +0.006
    standard = PointCell("IF_cond_exp", {"e_rev_I": -70.0, "tau_syn_I": 5.0})
    found, _ = made_synapse("StaticSynapse", standard, "uS", receptor="inhibitory")
    assert (found.component.attributes["e_rev"], found.weight_factor) == ("-70.0", 1.0)
    found, _ = made_synapse("static", PointCell("nest:iaf_psc_delta"), "mV", inhibitory=True)
    assert (found.component.type, found.weight_factor) == ("pynnIoJumpSynapse", 1.0)


def test_signs_are_split_only_where_they_differ() -> None:
    static = Synapse("nest:static_synapse")
    same = {"tau_syn_ex": 2.0, "tau_syn_in": 2.0}
    assert not needs_sign_split(static, PointCell("nest:iaf_psc_alpha", same))
    assert needs_sign_split(static, PointCell("nest:iaf_psc_alpha", {**same, "tau_syn_in": 3.0}))
    assert needs_sign_split(static, PointCell("nest:iaf_cond_exp", same))
    assert not needs_sign_split(static, PointCell("nest:iaf_psc_delta"))
    assert not needs_sign_split(Synapse("nrn:Exp2Syn"), CableCell("m"))
    assert not needs_sign_split(Synapse("nrn:Exp2Syn"), PointCell("nest:iaf_cond_exp", same))


@pytest.mark.parametrize(
    ("model", "cell", "unit", "code", "words"),
    [
        ("", CableCell("m"), "uS", "no-neuroml-synapse", "need kinetics"),
        ("nest:bernoulli_synapse", PointCell("nest:iaf_psc_exp"), "pA", "no-neuroml-synapse", "at random"),
        ("nest:no_synapse", PointCell("nest:iaf_psc_exp"), "pA", "no-neuroml-synapse", "nest:no_synapse"),
        ("static", PointCell("nest:glif_psc"), "pA", "no-neuroml-synapse", "target cell"),
        ("static", SpikeSource(), "pA", "no-neuroml-synapse", "target cell"),
        ("nrn:Exp2Syn", PointCell("nest:iaf_psc_delta"), "uS", "no-neuroml-synapse", "only jumps"),
        ("nest:tsodyks_synapse", PointCell("nrn:IntFire4"), "1", "no-neuroml-synapse", "short-term"),
        ("static", PointCell("nest:iaf_psc_exp"), "mV", "weight-unit-mismatch", "mV"),
        ("static", PointCell("nrn:IntFire1"), "uS", "weight-unit-mismatch", "uS"),
        ("nest:gap_junction", PointCell("nest:iaf_psc_exp"), "nS", "no-neuroml-synapse", "event-driven"),
    ],
)
def test_synapses_without_a_component_are_named(model: str, cell, unit: str, code: str, words: str) -> None:
    found, report = made_synapse(model, cell, unit)
    assert found is None
    (issue,) = report.of_kind(Kind.LOST)
    assert (issue.code, issue.where) == (code, "edges/e")
    assert words in issue.message


def test_plastic_synapses_keep_their_initial_weight_and_say_so() -> None:
    found, report = made_synapse("nest:stdp_synapse", PointCell("nest:iaf_psc_alpha"), "pA")
    assert found.component.type == "alphaCurrSynapse"
    (issue,) = report.of_kind(Kind.APPROXIMATED)
    assert issue.code == "plasticity-frozen" and "the weight stays" in issue.message


def test_a_missing_unit_is_the_targets_own_and_said() -> None:
    found, report = made_synapse("", PointCell("nest:iaf_psc_alpha"), "")
    assert found.weight_factor == 0.001
    assert "default-weight-unit" in {issue.code for issue in report.of_kind(Kind.DEFAULTED)}


def test_sources_and_pulses() -> None:
    array = spike_array_component("a", [1.5, 20.0])
    assert [(child.type, child.id, dict(child.attributes)) for child in array.children] == [
        ("spike", "0", {"time": "1.5ms"}),
        ("spike", "1", {"time": "20.0ms"}),
    ]
    report = Report()
    poisson = cell_component("p", SpikeSource("SpikeSourcePoisson", {"rate": 20.0, "duration": 1e20}), report, "p")
    assert poisson.type == "SpikeSourcePoisson"
    assert poisson.attributes == {"start": "0.0ms", "duration": "10000000000.0ms", "rate": "20.0Hz"}
    nest = SpikeSource("nest:poisson_generator", {"rate": 8.0, "start": 10.0, "stop": 30.0, "origin": 5.0})
    poisson = cell_component("p", nest, report, "p")
    assert poisson.attributes == {"start": "15.0ms", "duration": "20.0ms", "rate": "8.0Hz"}
    assert "approximate-source" in {issue.code for issue in report.of_kind(Kind.APPROXIMATED)}
    assert pulse_component("i", 1.0, 2.0, 0.3).attributes["amplitude"] == "0.3nA"
    assert pulse_component("i", 1.0, 2.0, 0.3, PointCell("nest:iaf_psc_exp")).type == "pulseGenerator"
    assert pulse_component("i", 1.0, 2.0, 0.3, PointCell("nest:iaf_psc_delta")).type == "pynnIoJumpPulse"


def test_what_to_record_and_where_currents_go() -> None:
    assert recorded_exposure(PointCell("nest:iaf_psc_exp")) == "v"
    assert recorded_exposure(PointCell("nrn:IntFire1")) == "m"
    assert recorded_exposure(PointCell("nest:glif_psc")) == recorded_exposure(SpikeSource()) == ""
    assert takes_current(PointCell("nest:iaf_psc_delta")) and takes_current(CableCell("m"))
    assert not takes_current(PointCell("nrn:IntFire1")) and not takes_current(SpikeSource())


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.kind != "synapse"])
def test_support_rows_keep_their_promise(name: str) -> None:
    report = Report()
    cell = (PointCell if MODELS[name].kind == "cell" else SpikeSource)(name)
    component = cell_component("c", cell, report, "c")
    level = SUPPORT_ROWS[name][0]
    assert (component is None) == (level == "no")
    kinds = {issue.kind for issue in report}
    assert (Kind.LOST in kinds) == (level == "no")
    assert (Kind.APPROXIMATED in kinds) == (level == "approximate")


def test_own_types_are_defined_in_the_files_that_rows_name() -> None:
    defined = {}
    for path in LEMS.iterdir():
        root = etree.fromstring(path.read_bytes())
        for item in root.iter("{*}ComponentType"):
            defined[item.get("name")] = path.name
            values = " ".join(value for part in item.iter("{*}*") for value in part.attrib.values())
            assert ">" not in values, "jLEMS's parser takes '>' inside an attribute for the end of the element"
    rows = [*CELL_ROWS.values(), *SYNAPSE_ROWS.values()]
    assert all((row.type in defined) == bool(row.definitions) for row in rows)
    assert all(defined[row.type] in row.definitions for row in rows if row.definitions)
    attributes = {row.type: {item.name for item in row.attributes} for row in CELL_ROWS.values() if row.definitions}
    for path in LEMS.iterdir():
        for item in etree.fromstring(path.read_bytes()).iter("{*}ComponentType"):
            if item.get("name") in attributes:
                assert {part.get("name") for part in item.iter("{*}Parameter")} == attributes[item.get("name")]


def test_text_where_a_number_belongs_is_named() -> None:
    made, report = made_synapse("nrn:Exp2Syn", CableCell("m"), "uS", tau1=1.0, tau2=2.0, erev="/etc/passwd")
    assert made is None
    assert [(issue.code, issue.kind, issue.message) for issue in report] == [
        ("no-neuroml-synapse", Kind.LOST, "nrn:Exp2Syn: e is '/etc/passwd', which is not a number.")
    ]
    report = Report()
    assert cell_component("c", SpikeSource("SpikeSourcePoisson", {"rate": "fast"}), report, "here") is None
    assert "rate is 'fast', which is not a number" in "".join(issue.message for issue in report)
