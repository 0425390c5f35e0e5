"""The table of models against NEST's and NEURON's own defaults, and how gaps are filled and reported."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pynn_io.graph.cells import PointCell
from pynn_io.graph.synapses import Synapse
from pynn_io.report import Kind, Report
from pynn_io.vocabulary.models import MODELS, complete, known, weight_unit
from pynn_io.vocabulary.neuroml import SUPPORT_ROWS

#: What NEST lists beside a model's parameters: bookkeeping, and names that are the same quantity in another form.
BOOKKEEPING = {
    "ignore_and_spike", "ignore_and_spike_interval", "ignore_and_spike_offset", "beta_Ca", "tau_Ca", "Ca",
    "tau_minus", "tau_minus_triplet", "archiver_length", "element_type", "elementsize", "frozen", "global_id",
    "instantiations", "local", "model", "model_id", "node_uses_wfr", "post_trace", "synaptic_elements",
    "thread", "thread_local_id", "type_id", "vp", "available", "capacity", "supports_precise_spikes", "t_spike",
    "recordables", "growth_curve", "has_connections", "threshold_spike", "threshold_voltage", "delay",
    "has_delay", "num_connections", "receptor_type", "requires_symmetric", "sizeof", "synapse_model",
    "synapse_modelid", "weight", "weight_recorder", "ASCurrents", "is_refractory", "label", "shift_now_spikes",
    "allow_offgrid_times", "precise_times", "spike_weights", "spike_multiplicities",
}  # fmt: skip

DEFAULTS = """
import json, sys, nest
names = json.loads(sys.argv[1])
out = {}
for name in names:
    row = {}
    for key, value in nest.GetDefaults(name).items():
        if hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, tuple):
            value = list(value)
        if isinstance(value, (bool, int, float, list)):
            row[key] = value
    out[name] = row
print("@@" + json.dumps(out))
"""


@pytest.fixture(scope="module")
def nest_defaults() -> dict[str, dict]:
    pytest.importorskip("nest")
    names = [name.removeprefix("nest:") for name in MODELS if name.startswith("nest:")]
    done = subprocess.run(
        [sys.executable, "-c", DEFAULTS, json.dumps(names)], capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(done.stdout.partition("@@")[2])


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MODELS if name.startswith("nest:")])
def test_defaults_are_nests(name: str, nest_defaults: dict[str, dict]) -> None:
    real = nest_defaults[name.removeprefix("nest:")]
    for item in (*MODELS[name].parameters, *MODELS[name].states):
        expected = real[item.name]
        found = list(item.default) if isinstance(item.default, tuple) else item.default
        if item.name == "V_min":
            assert found < -1e300 and expected < -1e300
        elif name == "nest:poisson_generator" and item.name == "stop":
            assert found > 1e300 or found == expected
        elif name == "nest:spike_generator" and item.name == "stop":
            assert found > 1e300
        elif item.name == "E_sfa" and name == "nest:gif_cond_exp":
            assert (found, expected) == (real["V_T_star"], 0.0)  # NEST has no threshold before its first step
        else:
            assert found == pytest.approx(expected, rel=1e-12), item.name
    missing = set(real) - BOOKKEEPING - {item.name for item in (*MODELS[name].parameters, *MODELS[name].states)}
    assert missing == set(), f"{name} has parameters that the table does not know"


def test_defaults_are_neurons() -> None:
    h = pytest.importorskip("neuron").h
    soma = h.Section(name="soma")
    for name in ("nrn:IntFire1", "nrn:IntFire2", "nrn:IntFire4"):
        cell = getattr(h, name.removeprefix("nrn:"))()
        for item in MODELS[name].parameters:
            scale = 1000.0 if item.unit == "s" else 1.0
            assert item.default * scale == pytest.approx(getattr(cell, item.name)), item.name
    for name in ("nrn:ExpSyn", "nrn:Exp2Syn"):
        synapse = getattr(h, name.removeprefix("nrn:"))(soma(0.5))
        for item in MODELS[name].parameters:
            assert item.default == pytest.approx(getattr(synapse, item.name)), item.name


def test_every_model_has_a_support_row_with_a_reason() -> None:
    assert set(SUPPORT_ROWS) == set(MODELS)
    for name, (level, reason) in SUPPORT_ROWS.items():
        assert level in {"exact", "approximate", "no"}, name
        assert bool(reason) == (level != "exact"), name


def test_complete_keeps_what_is_stated_and_says_what_it_fills() -> None:
    report = Report()
    cell = PointCell("nest:iaf_psc_alpha", {"C_m": 239.0, "tau_m": 44.9, "V_m": -71.0, "type": "NEST"})
    values = complete(cell, report, "cells/x")
    assert (values["C_m"], values["tau_m"], values["V_m"]) == (239.0, 44.9, -71.0)
    assert (values["E_L"], values["t_ref"], values["tau_syn_ex"]) == (-70.0, 2.0, 2.0)
    (issue,) = report
    assert (issue.code, issue.kind, issue.where) == ("default-parameter", Kind.DEFAULTED, "cells/x")
    assert "E_L=-70.0 mV" in issue.message and "tau_m" not in issue.message
    assert cell.parameters == {"C_m": 239.0, "tau_m": 44.9, "V_m": -71.0, "type": "NEST"}


def test_complete_names_what_no_model_has() -> None:
    report = Report()
    complete(
        PointCell("IF_cond_exp", {"tau_w": 3.0, **{p.name: 1.0 for p in MODELS["IF_cond_exp"].parameters}}), report, "c"
    )
    (issue,) = report
    assert (issue.code, issue.kind) == ("unknown-parameter", Kind.LOST)
    assert "'tau_w'" in issue.message


def test_complete_understands_aliases_and_refuses_unknown_models() -> None:
    report = Report()
    assert complete(Synapse("nrn:Exp2Syn", {"erev": -70.0, "tau1": 2.7, "tau2": 15.0}), report, "s")["e"] == -70.0
    assert len(report) == 0
    with pytest.raises(KeyError, match="no:such"):
        complete(PointCell("no:such"), report, "c")


def test_file_spellings_and_weight_units() -> None:
    assert known("static_synapse").name == "nest:static_synapse"  # type: ignore[union-attr]
    assert known("exp2syn").name == known("Exp2Syn").name == "nrn:Exp2Syn"  # type: ignore[union-attr]
    assert known("nonsense") is None
    assert weight_unit("nest:static_synapse", "nest:iaf_psc_delta") == "mV"
    assert weight_unit("nest:static_synapse", "nest:iaf_cond_exp") == "nS"
    assert weight_unit("nrn:Exp2Syn", "IF_cond_exp") == "uS"
    assert weight_unit("", "nrn:IntFire1") == "1"
    assert weight_unit("", "no:such") == ""
