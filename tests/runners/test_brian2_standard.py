"""The same plan on NEST and on Brian2: every standard cell, its synapses, its currents and its recorded potential.

NEST's models are the oracle; they share no code with our equations. Current-based cells are stepped exactly by both,
Izhikevich's by the same step forward; NEST solves the others to 1e-3 of its measure a step, Brian2's statements by
Runge-Kutta of fourth order.
"""

from __future__ import annotations

import numpy as np
import pytest

from pynn_io.report import Kind, Report
from pynn_io.results import Results
from tests.runners.standard_networks import CELLS, STANDARD, together

pytest.importorskip("nest", reason="NEST is not installed")
pytest.importorskip("brian2", reason="Brian2 is not installed")

#: Largest difference of the recorded potential, mV, and what was measured.
LINEAR = {
    "IF_curr_exp": 1e-9,  # 4e-13
    "IF_curr_alpha": 1e-9,  # 4e-13
    "IF_curr_delta": 1e-9,  # 3e-13
    "Izhikevich": 1e-6,  # 1.5e-9
    "IF_cond_exp": 1e-6,  # 1.8e-9
    "IF_cond_alpha": 1e-4,  # 1.3e-5
    "IF_facets_hardware1": 1e-3,  # 4.3e-5
    "IF_cond_exp_gsfa_grr": 1e-5,  # 1.1e-7
}
#: On the upstroke, which takes a part of a step.
STEEP = {"EIF_cond_exp_isfa_ista": 2.0, "EIF_cond_alpha_isfa_ista": 2.0, "HH_cond_exp": 5.0}


def test_every_standard_cell_is_tried() -> None:
    assert {*LINEAR, *STEEP} == set(STANDARD)


@pytest.mark.slow
@pytest.mark.parametrize(("bounds", "duration"), [(LINEAR, 100.0), (STEEP, 60.0)], ids=["linear", "steep"])
def test_nest_and_brian2_agree(bounds: dict[str, float], duration: float) -> None:
    document = together(list(bounds), duration)
    found = []
    for backend, options in (("nest", {}), ("brian2", {"engine": "numpy"})):
        report = Report()
        found.append(document.plan.run(document.network, backend=backend, report=report, **options))
        assert report.of_kind(Kind.LOST, Kind.APPROXIMATED, Kind.NOT_READ) == []
    nest, brian2 = found
    for model, bound in bounds.items():
        counts = [np.bincount(one.spikes[f"cells_{model}"].node_ids, minlength=CELLS) for one in found]
        assert counts[0].sum() > 15, model  # a silent network would agree about anything
        assert counts[0].tolist() == counts[1].tolist(), model
        times = [_by_cell(one, f"cells_{model}") for one in found]
        assert np.abs(times[0] - times[1]).max() < 1e-6, model
        theirs, ours = (_trace(one, f"v_{model}") for one in (nest, brian2))
        assert theirs.shape == ours.shape
        assert np.abs(theirs - ours).max() < bound, model


def _by_cell(results: Results, name: str) -> np.ndarray:
    spikes = results.spikes[name]
    return spikes.times[np.lexsort((spikes.times, spikes.node_ids))]


def _trace(results: Results, name: str) -> np.ndarray:
    (trace,) = (one for one in results.traces if one.report == name)
    assert (trace.unit, trace.start) == ("mV", 0.0)
    return trace.data[:, np.argsort(trace.node_ids)]
