"""Potentials of segments that a LEMS file names, on Arbor: at the same places as on NEURON, under the same numbers."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pynn_io.pipeline import read
from pynn_io.report import Report
from pynn_io.runners.arbor import ArborRunner
from pynn_io.simulate import simulate

PAIR = Path(__file__).parents[2] / "fixtures" / "neuroml" / "LEMS_pair.xml"
EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "neuroml" / "neuroml2_core" / "LEMSexamples"


def test_a_segment_is_recorded_where_it_is():
    """The soma, and segment 3 of a dendrite of 70, 80.6 and 73 um: its middle, in the last of seven compartments."""
    document = read(PAIR)
    lowered = ArborRunner().lower(document.network, document.plan, Report())
    recorded = next(item for item in lowered.recordings if item.probe.population == "pyramids")
    first, second, third = 70.0, np.hypot(10, 80), np.sqrt(20**2 + 70**2 + 5**2)
    middle = (first + second + third / 2) / (first + second + third)
    assert recorded.order == "specification"
    assert recorded.section.tolist() == recorded.shown[0].tolist() == [0, 1]
    assert recorded.position.tolist() == recorded.shown[1].tolist() == pytest.approx([0.5, middle])


@pytest.mark.skipif(shutil.which("cmake") is None, reason="Arbor compiles mechanisms with cmake")
@pytest.mark.slow
@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the models in ../shared/data are not there")
def test_potentials_of_segments_are_those_on_neuron():
    """Cells of four segments that fire: columns and places are the same, and so are the peaks, to 0.1 mV."""
    pytest.importorskip("arbor")
    pytest.importorskip("neuron")
    document = read(EXAMPLES / "LEMS_NML2_Ex25_MultiComp.xml")
    traces = {}
    for backend in ("neuron", "arbor"):
        results = simulate(document.network, document.plan, backend, report=Report())
        traces[backend] = {trace.report: trace for trace in results.traces}
    assert traces["neuron"].keys() == traces["arbor"].keys() == {"of0", "of1", "of2"}
    for name, expected in traces["neuron"].items():
        found = traces["arbor"][name]
        assert (found.section_order, found.unit) == (expected.section_order, expected.unit)
        assert found.section_ids.tolist() == expected.section_ids.tolist() == [0, 1, 1, 1]
        assert found.section_pos == pytest.approx(expected.section_pos)
        peaks = expected.data.max(axis=0)
        assert np.ptp(peaks) > 1.0
        assert np.abs(found.data.max(axis=0) - peaks).max() < 0.1
