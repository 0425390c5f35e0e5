"""What one spike does to each native cell: our component in jLEMS against the native equations, integrated apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pynn_io.exporters.neuroml_components import cell_component
from pynn_io.exporters.neuroml_synapses import synapse_component
from pynn_io.graph.cells import PointCell
from pynn_io.graph.synapses import Synapse
from pynn_io.report import Report
from tests.neuroml_components import lems
from tests.neuroml_components.cases import CASES, DURATION, Case
from tests.neuroml_components.oracle import simulate

#: jLEMS integrates by Euler with this step and acts on an event up to two steps late: it may lag by three steps.
STEP = 0.005
LAG = 3 * STEP
DELAY = 1.0


def setup(name: str, case: Case) -> lems.Setup:
    """The case through the translation under test: one component for each sign, as the projections' writer does it."""
    report = Report()
    cell = PointCell(case.model, case.parameters)
    component = cell_component(f"{name}_cell", cell, report, name)
    assert component is not None
    made = lems.Setup(cell, component)
    for inhibitory in (False, True):
        times = [(t, w) for t, w in case.events() if (w < 0) == inhibitory]
        for number, (time, weight) in enumerate(times):
            synapse = synapse_component(
                f"{name}_syn{int(inhibitory)}{number}",
                Synapse(case.synapse),
                cell,
                weight_unit=case.unit,
                inhibitory=inhibitory,
                receptor=None,
                report=report,
                where=name,
            )
            assert synapse is not None
            made.inputs.append((synapse.component, [time - DELAY], weight * synapse.weight_factor, DELAY))
    assert not report.refusals(), report.to_json()
    return made


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple:
    folder: Path = tmp_path_factory.mktemp("psp")
    setups = {name: setup(name, case) for name, case in CASES.items()}
    t, traces, spikes = lems.run(folder, setups, DURATION, STEP)
    return folder, t, traces, spikes


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_component_computes_the_native_equations(name: str, runs: tuple) -> None:
    _, t, traces, spikes = runs
    case = CASES[name]
    expected_t, expected, expected_spikes = simulate(case.native(), case.events(), DURATION)
    found = np.interp(expected_t, t, traces[name])
    assert len(spikes[name]) == len(expected_spikes) == 0
    near = np.min(np.abs(expected_t[:, None] - np.array([time for time, _ in case.events()])), axis=1) < 0.03
    error, time = np.abs(found - expected)[~near], expected_t[~near]
    steepest = np.abs(np.gradient(expected, expected_t))[~near].max()
    assert expected.max() - expected.min() > 2.0, "the case does not move the cell: it would prove nothing"
    assert error.max() < LAG * steepest + 0.002, f"off by {error.max():.4f} at {time[error.argmax()]:.2f} ms"


@pytest.mark.slow
def test_document_is_valid(runs: tuple) -> None:
    assert "All valid and no warnings" in lems.validate(runs[0])
