"""Every kind of report on an OBI circuit, against vectors recorded by hand; sample k is the value at start + k dt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pynn_io.errors import PlanError
from pynn_io.graph.stimuli import CurrentPulses, Stimulus
from pynn_io.report import Report
from pynn_io.results import Results, Trace
from pynn_io.simulation_plan import Recording
from tests.runners.obi_cases import REPLAY, SOMA, STEP, by_hand, network, plan, run

pytestmark = pytest.mark.slow
ONE = {"population": "left", "node_id": [0]}
PULSE = Stimulus(
    "pulse", CurrentPulses(np.array([0.5]), np.array([5.0]), np.array([20.0])), ONE, physical_electrode=True
)
#: Sections of cell 0 in the file's numbers, with their compartments; axon 3 is gone.
NSEG = {0: 1, 1: 3, 2: 3, 4: 1, 5: 1, 6: 3, 7: 3, 8: 5, 9: 3, 10: 5}


def trace(results: Results, name: str) -> Trace:
    return next(item for item in results.traces if item.report == name and item.population == "left")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, dict[str, np.ndarray]]:
    recordings = (
        SOMA,
        Recording("later", "v", ONE, start=5.0, stop=25.0, interval=0.1),
        Recording("all", "v", ONE, sections="all"),
        Recording("centres", "v", ONE, sections="apic", compartments="center"),
        Recording("axon", "v", ONE, sections="axon"),
        Recording("spots", "v", None, compartment_set="spots", kind="compartment_set"),
        Recording("sodium", "ina", ONE),
        Recording("gate", "hh.m", ONE),
        Recording("gate2", "m_hh", ONE),
        Recording("density", "gnabar_hh", ONE, unit="S/cm2"),
        Recording("leak", "pas", ONE, sections="dend"),
        Recording("membrane", "i_membrane", ONE, sections="all", compartments="all"),
        Recording("total", "i_membrane, IClamp", ONE, kind="summation", unit="nA"),
        Recording("each", "i_membrane,IClamp", ONE, sections="all", kind="summation", scaling="none"),
        Recording("leaks", "pas", ONE, kind="summation", scaling="area"),
        Recording("unscaled", "pas", ONE, kind="summation", scaling="none"),
        Recording("received", "ProbAMPANMDA_EMS", ONE, sections="all", kind="summation"),
        Recording("synapses", "ProbAMPANMDA_EMS.g", {"population": "left", "node_id": [1]}, "all", kind="synapse"),
    )
    spots = {"population": "left", "compartment_set": [[0, 0, 0.5], [0, 5, 0.25], [1, 8, 0.75]]}
    what = plan(stimuli=(REPLAY, PULSE), recordings=recordings, compartment_sets={"spots": spots})
    places = [(section, (k + 0.5) / count) for section, count in NSEG.items() for k in range(count)]
    record = [[f"v/{section}/{at:.3f}", "left", 0, section, at, "v"] for section, at in places]
    record += [[f"im/{section}/{at:.3f}", "left", 0, section, at, "i_membrane_"] for section, at in places]
    record += [[f"ip/{section}/{at:.3f}", "left", 0, section, at, "i_pas"] for section, at in places]
    record += [["ina", "left", 0, 0, 0.5, "ina"], ["m", "left", 0, 0, 0.5, "m_hh"]]
    record += [["spot", "left", 1, 8, 0.75, "v"]]
    synapses = [[f"g{k}", name, k, "g"] for name, k in (("left__left__chemical", 0),)]
    pulse = ["left", 0, 0, 0.5, "step", {"amplitude": 0.5, "delay": 5.0, "duration": 20.0}]
    folder = tmp_path_factory.mktemp("reports")
    expected = by_hand(folder, stimuli=[pulse], record=record, record_synapses=synapses, membrane=True)
    return run(what, Report()), expected


def close(found: np.ndarray, expected: np.ndarray, within: float = 1e-6) -> None:
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < within


def test_all_compartments_in_the_order_and_numbers_of_the_file(both: tuple) -> None:
    results, expected = both
    found = trace(results, "all")
    places = [(section, (k + 0.5) / count) for section, count in NSEG.items() for k in range(count)]
    assert found.section_ids is not None and found.section_pos is not None
    assert found.section_ids.tolist() == [section for section, _ in places]
    np.testing.assert_allclose(found.section_pos, [at for _, at in places])
    assert found.section_order == "specification"
    count = len(found.data)
    assert count == 1600  # every step of 40 ms: the end is no sample
    for column, (section, at) in enumerate(places):
        close(found.data[:, column], expected[f"v:v/{section}/{at:.3f}"][:count])


def test_window_and_interval(both: tuple) -> None:
    results, expected = both
    found = trace(results, "later")
    assert (found.start, found.interval, len(found.data)) == (5.0, 0.1, 200)
    close(found.data[:, 0], expected["v:left/0"][200 : 200 + 800 : 4])
    np.testing.assert_allclose(found.times[[0, -1]], [5.0, 24.9])


def test_regions_centres_and_compartment_sets(both: tuple) -> None:
    results, expected = both
    assert trace(results, "axon").section_ids.tolist() == [1, 1, 1, 2, 2, 2]
    centres = trace(results, "centres")
    assert centres.section_ids.tolist() == [8, 9, 10]
    assert centres.section_pos.tolist() == [0.5] * 3
    close(centres.data[:, 1], expected["v:v/9/0.500"][:1600])
    spots = trace(results, "spots")
    assert spots.node_ids.tolist() == [0, 0, 1]
    assert spots.section_ids.tolist() == [0, 5, 8]
    close(spots.data[:, 2], expected["v:spot"][:1600])


def test_variables_of_ions_and_mechanisms(both: tuple) -> None:
    results, expected = both
    close(trace(results, "sodium").data[:, 0], expected["v:ina"][:1600], 1e-9)
    for name in ("gate", "gate2"):
        close(trace(results, name).data[:, 0], expected["v:m"][:1600], 1e-9)
    assert trace(results, "density").data[0, 0] == pytest.approx(0.2)
    assert trace(results, "density").unit == "S/cm2"
    assert trace(results, "leak").section_ids.tolist() == [4, 5, 6, 6, 6, 7, 7, 7]
    close(trace(results, "leak").data[:, 0], expected["v:ip/4/0.500"][:1600], 1e-9)


def test_summations_over_variables_compartments_and_cells(both: tuple) -> None:
    results, expected = both
    names = [key for key in expected if key.startswith("v:im/")]
    membrane = sum(expected[name][:1600] for name in names)
    time = STEP * np.arange(1600)
    clamp = np.where((time > 5.0) & (time <= 25.0), 0.5, 0.0)
    total = trace(results, "total")
    assert total.data.shape == (1600, 1) and total.section_ids.tolist() == [0] and total.unit == "nA"
    # a clamp's current is -i of IClamp: what it injects is not the membrane's; both are seen one step late at its edges
    close(total.data[5:, 0][:100], (membrane - clamp)[5:][:100], 1e-9)
    assert np.abs(total.data[210:990, 0]).max() < 1e-9  # what goes in comes out
    close(trace(results, "membrane").data[:, 0], expected["v:im/0/0.500"][:1600], 1e-9)
    each = trace(results, "each")
    close(each.data.sum(axis=1), total.data[:, 0], 1e-9)


def test_densities_become_currents_by_area_unless_told_not_to(both: tuple) -> None:
    results, expected = both
    names = [key for key in expected if key.startswith("v:ip/")]
    close(trace(results, "unscaled").data[:, 0], sum(expected[name][:1600] for name in names), 1e-9)
    currents = [expected[name][:1600] * expected[f"area:{name[2:]}"] * 0.01 for name in names]  # mA/cm2 um2 -> nA
    close(trace(results, "leaks").data[:, 0], sum(currents), 1e-9)


def test_synaptic_currents_and_conductances(both: tuple) -> None:
    results, expected = both
    assert np.isfinite(trace(results, "received").data).all()
    assert (trace(results, "received").data.min(axis=0) < -1e-3).any()
    synapses = trace(results, "synapses")
    assert synapses.node_ids.tolist() == [1] * synapses.data.shape[1]
    assert (np.abs(synapses.data - expected["v:g0"][:1600, None]).max(axis=0) < 1e-12).any()


def test_synapses_of_several_cells_each_against_its_own_by_hand(tmp_path: Path) -> None:
    """Seven excitatory synapses on three cells, from two projections: every column is one of them, none twice."""
    report = Recording("synapses", "ProbAMPANMDA_EMS.g", "Left", "all", kind="synapse")
    cells = {  # of the edge files: excitatory edges by the cell that they reach
        0: [("left__left__chemical", 5), ("drivers__left__chemical", 0)],
        1: [("left__left__chemical", 0), ("left__left__chemical", 1), ("drivers__left__chemical", 1)],
        2: [("left__left__chemical", 2), ("drivers__left__chemical", 2)],
    }
    record = [[f"{name}/{k}", name, k, "g"] for synapses in cells.values() for name, k in synapses]
    pulse = ["left", 0, 0, 0.5, "step", {"amplitude": 0.5, "delay": 5.0, "duration": 20.0}]
    expected = by_hand(tmp_path, stimuli=[pulse], record_synapses=record)
    found = trace(run(plan(stimuli=(REPLAY, PULSE), recordings=(report,))), "synapses")
    active = 0
    for node, synapses in cells.items():
        columns = found.data[:, found.node_ids == node].T.tolist()
        others = [expected[f"v:{name}/{k}"][:1600].tolist() for name, k in synapses]
        np.testing.assert_allclose(sorted(columns, key=max), sorted(others, key=max), rtol=0, atol=1e-12)
        active += sum(max(other) > 1e-6 for other in others)
    assert active >= 3


def test_an_unknown_variable_names_report_population_and_what_there_is() -> None:
    what = plan(recordings=(Recording("odd", "gbar_NaX", "Left"),), duration=1.0)
    with pytest.raises(PlanError, match=r"(?s)'odd' asks for gbar_NaX.*'left'.*gnabar_hh.*ina"):
        run(what)


def test_compartments_without_the_variable_are_counted() -> None:
    report = Report()
    results = run(plan(recordings=(Recording("na", "ina", ONE, "all"),), duration=1.0), report)
    assert set(results.traces[0].section_ids.tolist()) == {0, 1, 2}
    absent = next(issue for issue in report if issue.code == "recording-absent")
    assert absent.count == sum(count for section, count in NSEG.items() if section > 2)


def test_unknown_kinds_regions_sets_and_windows() -> None:
    from pynn_io.runners.neuron import NeuronRunner

    def lower(recording: Recording, report: Report | None = None) -> None:
        NeuronRunner().lower(network(), plan(recordings=(recording,)), report or Report())

    report = Report()
    lower(Recording("field", "v", "Left", kind="lfp"), report)
    assert any("'field' of kind 'lfp'" in issue.message for issue in report)
    for recording, text in (
        (Recording("where", "v", "Left", sections="spine"), "'where' asks for sections 'spine'"),
        (Recording("when", "v", "Left", start=50.0), "'when' covers nothing of the run"),
        (Recording("which", "v", None, compartment_set="none"), "no compartment set 'none'"),
        (Recording("who", "v", "Drivers"), "'who' holds no cell that is simulated"),
        (Recording("what", "v, ina", "Left"), "'what' must name one variable"),
    ):
        with pytest.raises(PlanError, match=text):
            lower(recording)
    report = Report()
    lower(Recording("odd", "v", "Left", interval=0.06), report)
    assert "report-interval" in report.codes()


def test_places_of_a_cell_stand_together_whatever_their_order_in_the_set() -> None:
    from pynn_io.runners.neuron import NeuronRunner

    spots = {"population": "left", "compartment_set": [[0, 0, 0.5], [2, 3, 0.5], [0, 5, 0.25], [1, 8, 0.75]]}
    what = plan(recordings=(Recording("spots", "v", None, compartment_set="spots"),), compartment_sets={"spots": spots})
    sites = NeuronRunner().lower(network(), what, Report()).recordings[0].sites
    assert sites.node_ids.tolist() == [0, 0, 1, 2]
    assert sites.sections.tolist() == [0, 5, 8, 3]
