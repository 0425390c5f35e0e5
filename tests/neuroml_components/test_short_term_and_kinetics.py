"""Tsodyks-Markram synapses against NEST and a hand-made recurrence; ExpSyn and Exp2Syn against NEURON's waveform."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pynn_io.exporters.neuroml_components import cell_component
from pynn_io.exporters.neuroml_synapses import synapse_component
from pynn_io.graph.cells import CableCell, PointCell
from pynn_io.graph.synapses import Synapse
from pynn_io.report import Report
from tests.neuroml_components import lems
from tests.neuroml_components.test_native_firing import run_nest

STEP, DELAY, DURATION = 0.004, 1.0, 300.0
TIMES = (10.0, 30.0, 50.0, 60.0, 70.0, 200.0)

CELL = {"E_L": -70.0, "V_m": -70.0, "C_m": 250.0, "tau_m": 10.0, "V_th": 0.0, "tau_syn_ex": 2.0, "tau_syn_in": 5.0}
COND = {"E_L": -70.0, "V_m": -70.0, "C_m": 250.0, "g_L": 20.0, "V_th": -10.0, "tau_syn_ex": 2.0, "tau_syn_in": 5.0}
DELTA = {"E_L": -70.0, "V_m": -70.0, "C_m": 250.0, "tau_m": 10.0, "V_th": 0.0}
DEPRESSING = {"U": 0.6, "tau_rec": 120.0, "tau_fac": 0.0}
FACILITATING = {"U": 0.1, "tau_rec": 50.0, "tau_fac": 400.0}

#: name -> (cell model, its parameters, synapse model, its parameters, weight, unit)
ROWS = {
    "psc_exp": ("nest:iaf_psc_exp", CELL, "nest:tsodyks_synapse", {**DEPRESSING, "tau_psc": 2.0}, 600.0, "pA"),
    "psc_alpha": ("nest:iaf_psc_alpha", CELL, "nest:tsodyks_synapse", {**FACILITATING, "tau_psc": 2.0}, 900.0, "pA"),
    "psc_exp_2": ("nest:iaf_psc_exp", CELL, "nest:tsodyks2_synapse", FACILITATING, 900.0, "pA"),
    "psc_inhibitory": ("nest:iaf_psc_exp", CELL, "nest:tsodyks2_synapse", DEPRESSING, -600.0, "pA"),
    "cond_exp": ("nest:iaf_cond_exp", COND, "nest:tsodyks2_synapse", {**DEPRESSING, "u": 0.6}, 10.0, "nS"),
    "cond_alpha": ("nest:iaf_cond_alpha", COND, "nest:tsodyks_synapse", {**FACILITATING, "tau_psc": 2.0}, -30.0, "nS"),
    "delta": ("nest:iaf_psc_delta", DELTA, "nest:tsodyks2_synapse", DEPRESSING, 8.0, "mV"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple:
    setups = {}
    for name, (model, parameters, synapse, synapse_parameters, weight, unit) in ROWS.items():
        cell, report = PointCell(model, parameters), Report()
        component = cell_component(f"{name}_cell", cell, report, name)
        made = synapse_component(
            f"{name}_syn",
            Synapse(synapse, synapse_parameters),
            cell,
            weight_unit=unit,
            inhibitory=weight < 0,
            receptor=None,
            report=report,
            where=name,
        )
        assert component is not None and made is not None and not report.refusals()
        setups[name] = lems.Setup(cell, component)
        setups[name].inputs.append((made.component, [t - DELAY for t in TIMES], weight * made.weight_factor, DELAY))
    folder: Path = tmp_path_factory.mktemp("short_term")
    return (folder, *lems.run(folder, setups, DURATION, STEP))


@pytest.mark.slow
def test_nest_agrees(runs: tuple, tmp_path: Path) -> None:
    jobs = {
        name: {
            "model": model.removeprefix("nest:"),
            "parameters": parameters,
            "trains": [[[t - DELAY for t in TIMES], weight]],
            "synapse": synapse.removeprefix("nest:"),
            "synapse_parameters": synapse_parameters,
            "duration": DURATION,
        }
        for name, (model, parameters, synapse, synapse_parameters, weight, _) in ROWS.items()
    }
    results = run_nest(tmp_path, jobs)
    _, t, traces, _ = runs
    for name in ROWS:
        expected, times = np.array(results[name]["v"]), np.array(results[name]["t"])
        away = np.min(np.abs(times[:, None] - np.array(TIMES)), axis=1) > 0.05
        error = np.abs(np.interp(times, t, traces[name]) - expected)[away]
        moved = np.abs(expected + 70.0).max()
        assert moved > 1.0, name
        assert error.max() < 0.01 * moved, f"{name}: {error.max():.4f} mV of {moved:.2f}"


@pytest.mark.slow
def test_jumps_by_hand(runs: tuple) -> None:
    """Depressing tsodyks2 onto iaf_psc_delta: each jump is 8 mV u x; NEST's first spike finds u = 0.5 and x = 1."""
    _, t, traces, _ = runs
    v = traces["delta"] + 70.0
    x, u, expected = 1.0, 0.5, [4.0]
    for last, time in pairwise(TIMES):
        x = 1.0 + (x - x * u - 1.0) * math.exp(-(time - last) / 120.0)
        u = 0.6
        expected.append(8.0 * x * u)
    steps = [np.interp(time + 0.05, t, v) - np.interp(time - 0.05, t, v) for time in TIMES]
    decay = [np.interp(time, t, v) * 0.1 / 10.0 for time in TIMES]
    assert np.allclose(np.array(steps), expected, atol=max(decay) + 0.02)


@pytest.mark.slow
def test_document_is_valid(runs: tuple) -> None:
    assert "All valid and no warnings" in lems.validate(runs[0])


def kinetic(model: str, parameters: dict, *, weight_unit: str = "uS") -> tuple:
    report = Report()
    made = synapse_component(
        "s",
        Synapse(model, parameters),
        CableCell("m"),
        weight_unit=weight_unit,
        inhibitory=False,
        receptor=None,
        report=report,
        where="e",
    )
    return made, report


def test_exp2syn_has_neurons_waveform() -> None:
    """expTwoSynapse's formulas with our attributes (NeuroML2CoreTypes) against NEURON's Exp2Syn, 1 nS on a soma."""
    h = pytest.importorskip("neuron").h
    h.load_file("stdrun.hoc")
    made, report = kinetic("nrn:Exp2Syn", {"tau1": 1.0, "tau2": 3.0, "erev": -10.0})
    assert made is not None and made.weight_factor == 1.0 and not report.refusals()
    attributes = made.component.attributes
    assert (made.component.type, attributes["erev"], attributes["gbase"]) == ("expTwoSynapse", "-10.0mV", "1uS")
    rise, decay = float(attributes["tauRise"].removesuffix("ms")), float(attributes["tauDecay"].removesuffix("ms"))
    peak = math.log(decay / rise) * rise * decay / (decay - rise)
    factor = 1 / (math.exp(-peak / decay) - math.exp(-peak / rise))
    soma = h.Section(name="soma")
    synapse = h.Exp2Syn(soma(0.5))
    synapse.tau1, synapse.tau2, synapse.e = 1.0, 3.0, -10.0
    source = h.NetStim()
    source.start, source.number = 2.0, 1
    wire = h.NetCon(source, synapse)
    wire.weight[0], wire.delay = 0.001, 1.0
    h.dt = 0.005
    h.finitialize(-65)
    for time in (4.0, 4.6, 6.0, 12.0):
        h.continuerun(time)
        since = h.t - 3.0
        expected = 1.0 * 0.001 * factor * (math.exp(-since / decay) - math.exp(-since / rise))
        assert synapse.g == pytest.approx(expected, rel=5e-3)


def test_equal_time_constants_are_kept_apart_as_in_neuron() -> None:
    made, _ = kinetic("nrn:Exp2Syn", {"tau1": 3.0, "tau2": 3.0, "erev": 0.0})
    assert float(made.component.attributes["tauRise"].removesuffix("ms")) == pytest.approx(0.9999 * 3.0)


def test_expsyn_and_file_spellings() -> None:
    made, _ = kinetic("exp2syn", {"tau1": 0.2, "tau2": 8.0, "erev": -70.0, "level_of_detail": "exp2syn", "sign": 1})
    assert made.component.type == "expTwoSynapse"
    made, _ = kinetic("nrn:ExpSyn", {"tau": 2.0, "e": -5.0}, weight_unit="nS")
    assert dict(made.component.attributes) == {"gbase": "1uS", "erev": "-5.0mV", "tauDecay": "2.0ms"}
    assert made.weight_factor == 1e-3
