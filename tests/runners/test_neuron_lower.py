"""Lowering for NEURON, without NEURON: numbers worked out by hand, and numpy's own legacy generator."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from pynn_io.errors import PlanError
from pynn_io.graph import CableCell, Column, Edges, Network, PointCell, Population, Projection, SpikeSource, Synapse
from pynn_io.graph.biophysics import (
    ChannelDensity,
    ConcentrationModel,
    MembraneProperty,
    Opaque,
    Paint,
    ReversalPotential,
)
from pynn_io.graph.stimuli import SpikeTrains, Stimulus
from pynn_io.lowering.cables.geometry import compartments, geometry
from pynn_io.lowering.cables.models import CONDUCTANCE, DRAWN, Assign, CableModel, Insert, PointModel
from pynn_io.lowering.cables.placement import bmtk_gids, parse_rule, place, targets
from pynn_io.report import Kind, Report
from pynn_io.runners.neuron.lower import lower
from pynn_io.runners.neuron.lowered import LoweredNeuron
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.models import ball_and_stick, table

PLAN = SimulationPlan(duration=10.0, timestep=0.1, celsius=34.0, v_init=-80.0, section_length=20.0, spike_threshold=-15)
EXP2 = Synapse("nrn:Exp2Syn", {"tau1": 0.1, "tau2": 0.5, "erev": -70.0})
EVENT = Synapse("", {"sign": -1, "level_of_detail": "instantaneous"})


def network(edges: Edges, types: dict, *, processing: tuple = ()) -> Network:
    """Two sources, a point cell and two cable cells (ids 7 and 3); one projection from the sources onto the cells."""
    thick = CableCell(
        "ball_and_stick",
        (
            Paint("all", MembraneProperty("axial_resistivity", 100.0)),
            Paint("soma", ReversalPotential("na", 53.0)),
            Paint("soma", ChannelDensity("NaTs", 980.0, "na")),
            Paint("all", ChannelDensity("pas", 0.05, None, -80.0)),
            Paint("soma", ConcentrationModel("CaDynamics", "ca", {"gamma": 0.001})),
        ),
        processing,
    )
    kinds = table(len(types["synapse"]), **types)
    cells = table(3, id=[5, 7, 3])
    return Network(
        populations={
            "input": Population("input", 2, table(1, cell=["source"])),
            "cortex": Population("cortex", 3, table(2, cell=["quick", "thick"]), Column(np.array([0, 1, 1])), cells),
        },
        projections={
            "on": Projection("on", "input", "cortex", kinds, edges),
        },
        cells={
            "source": SpikeSource(),
            "quick": PointCell("nrn:IntFire1", {"tau": 0.024, "refrac": 0.003, "type": "x"}),
            "thick": thick,
        },
        synapses={"exp2": EXP2, "event": EVENT},
        channels={name: Opaque("nmodl", name) for name in ("NaTs", "pas", "CaDynamics")},
        morphologies={"ball_and_stick": ball_and_stick()},
    )


def edges(source: list[int], target: list[int], **columns: object) -> Edges:
    return Edges(Column(np.array(source)), Column(np.array(target)), table(len(source), **columns))


def with_spikes(plan: SimulationPlan = PLAN, times: tuple[float, ...] = (1.0, 2.5)) -> SimulationPlan:
    trains = SpikeTrains("input", np.array([1] * len(times)), np.array(times))
    return replace(plan, stimuli=(Stimulus("spikes", trains, "input"),))


def blocks(lowered: LoweredNeuron, report: Report, keep: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The synapses of the one projection, as columns."""
    (item,) = lowered.connections
    keep = np.ones(lowered.size, dtype=bool) if keep is None else keep
    found = list(item.blocks(keep, report))
    names = ("source", "target", "model", "weight", "delay", "section", "position", "edge")
    return {name: np.concatenate([getattr(block, name) for block in found]) for name in names}


def test_no_simulator_is_imported() -> None:
    code = "import sys, pynn_io.runners.neuron; sys.exit('neuron' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_cells_and_gids() -> None:
    made = network(edges([0], [0], weight=[1.0]), {"synapse": ["event"], "weight_unit": ["1"]})
    lowered = lower(made, PLAN, Report())
    assert dict(lowered.first) == {"input": 0, "cortex": 2}
    quick = next(group for group in lowered.groups if group.cell == "quick")
    assert quick.gids.tolist() == [2] and quick.rows.tolist() == [0]
    # seconds of the SONATA file are NEURON's ms
    assert isinstance(quick.model, PointModel)
    assert quick.model.mechanism == "IntFire1"
    assert dict(quick.model.parameters) == {"tau": 24.0, "refrac": 3.0}
    thick = next(group for group in lowered.groups if group.cell == "thick")
    assert thick.gids.tolist() == [3, 4]
    assert thick.morphologies == ("ball_and_stick",)
    assert lowered.needs["NaTs"] == ("cortex (thick)",)


def test_the_membrane_in_neurons_words() -> None:
    made = network(edges([0], [0], weight=[1.0]), {"synapse": ["event"], "weight_unit": ["1"]})
    model = next(group.model for group in lower(made, PLAN, Report()).groups if group.cell == "thick")
    assert isinstance(model, CableModel)
    inserts = [paint for paint in model.paints if isinstance(paint, Insert)]
    assert inserts == [Insert("soma", "NaTs"), Insert("all", "pas"), Insert("soma", "CaDynamics")]
    assert [paint for paint in model.paints if isinstance(paint, Assign)] == [
        Assign("all", "", "Ra", 100.0),
        Assign("soma", "", "ena", 53.0, "na"),
        Assign("soma", "NaTs", CONDUCTANCE, 0.98),
        Assign("all", "pas", CONDUCTANCE, 5e-05),
        Assign("all", "pas", "e", -80.0),
        Assign("soma", "CaDynamics", "gamma", 0.001),
    ]


def test_events_onto_a_cell_without_extent() -> None:
    """BMTK: one connection an edge, its weight times the sign and the number of synapses."""
    made = network(
        edges([0, 1], [0, 0], weight=[0.1, 0.2], nsyns=[3, 1]),
        {"synapse": ["event"], "weight_unit": ["1"], "delay": [2.0]},
    )
    found = blocks(lower(made, with_spikes(), Report()), Report())
    np.testing.assert_allclose(found["weight"], [-0.3, -0.2])
    assert found["delay"].tolist() == [2.0, 2.0]
    assert found["section"].tolist() == [-1, -1]
    assert found["source"].tolist() == [0, 1] and found["target"].tolist() == [2, 2]


def test_stated_sections_keep_their_place() -> None:
    """Specification order: soma, axon, basal (three), apical; the cell keeps its axon."""
    made = network(
        edges([0, 0], [1, 2], weight=[0.5, 0.5], afferent_section_id=[5, 1], afferent_section_pos=[0.25, 1.0]),
        {"synapse": ["exp2"], "weight_unit": ["nS"], "delay": [2.0]},
    )
    lowered = lower(made, with_spikes(), Report())
    found = blocks(lowered, Report())
    assert found["section"].tolist() == [5, 1] and found["position"].tolist() == [0.25, 1.0]
    np.testing.assert_allclose(found["weight"], 0.5e-3)  # nS -> uS
    (item,) = lowered.connections
    assert item.models[0].mechanism == "Exp2Syn"
    assert dict(item.models[0].parameters) == {"tau1": 0.1, "tau2": 0.5, "e": -70.0}


def test_sections_are_counted_anew_when_the_axon_is_replaced() -> None:
    """Ids of the file (soma 0, axon 1, basal 2-4, apical 5) on a cell that has soma, basal, apical, two stubs."""
    made = network(
        edges([0, 0, 0], [1, 1, 2], weight=[1.0] * 3, afferent_section_id=[5, 1, 2]),
        {"synapse": ["exp2"], "weight_unit": ["uS"], "delay": [2.0]},
        processing=("aibs_perisomatic",),
    )
    report = Report()
    found = blocks(lower(made, with_spikes(), report), report)
    assert found["section"].tolist() == [4, 1]
    assert found["edge"].tolist() == [0, 2]
    (issue,) = [issue for issue in report if issue.code == "synapse-site"]
    assert issue.kind is Kind.LOST and issue.count == 1


def test_run_time_placement_draws_as_numpys_choice_does() -> None:
    """Every cell's generator is seeded with BMTK's number of it (offset + id), and goes on from edge to edge."""
    rule = {"target_sections": ["['basal', 'apical']"], "distance_range": ["[20.0, 150.0]"]}
    made = network(
        edges([0, 1, 0, 1], [2, 1, 2, 1], weight=[1.0] * 4, nsyns=[3, 2, 4, 1]),
        {"synapse": ["exp2"], "weight_unit": ["uS"], "delay": [2.0], **rule},
    )
    found = blocks(lower(made, with_spikes(), Report()), Report())
    shape = compartments(geometry(ball_and_stick(), ()), 20.0)
    allowed = targets(parse_rule(rule["target_sections"][0], rule["distance_range"][0], ""), shape)
    probability = np.diff(allowed.cumulative, prepend=0.0)
    for row, node_id, numbers in ((1, 7, (2, 1)), (2, 3, (3, 4))):
        random = np.random.RandomState(2 + node_id)  # two inputs come first
        chosen = np.concatenate([random.choice(allowed.index, number, p=probability) for number in numbers])
        here = found["target"] == 2 + row
        assert found["section"][here].tolist() == shape.section[chosen].tolist()
        assert found["position"][here].tolist() == shape.x[chosen].tolist()
    assert found["edge"].tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2, 3]
    np.testing.assert_allclose(found["weight"], 1.0)  # each of the nsyns synapses has the whole weight


def test_cells_of_another_rank_are_left_out_and_change_nothing() -> None:
    types = {
        "synapse": ["exp2"],
        "weight_unit": ["uS"],
        "delay": [2.0],
        "target_sections": ["['basal']"],
        "distance_range": ["[0, 1e20]"],
    }
    made = network(edges([0, 1, 0, 1], [2, 1, 2, 1], weight=[1.0] * 4, nsyns=[3, 2, 4, 1]), types)
    whole = blocks(lower(made, with_spikes(), Report()), Report())
    keep = np.array([False, False, False, True, False])
    part = blocks(lower(made, with_spikes(), Report()), Report(), keep)
    here = whole["target"] == 3
    for name, values in part.items():
        assert values.tolist() == whole[name][here].tolist(), name


def test_a_rule_without_a_place_gives_no_synapse_and_says_so() -> None:
    made = network(
        edges([0], [1], weight=[1.0], nsyns=[3]),
        {
            "synapse": ["exp2"],
            "weight_unit": ["uS"],
            "target_sections": ["['apical']"],
            "distance_range": ["[1000.0, 2000.0]"],
        },
    )
    report = Report()
    (item,) = lower(made, with_spikes(), report).connections
    (block,) = item.blocks(np.ones(5, dtype=bool), report)
    assert len(block.source) == 0
    assert {issue.code for issue in report if issue.kind is Kind.LOST} == {"synapse-site"}


def test_distances_and_compartments_by_hand() -> None:
    """Soma 20 um; the basal branch leaves its middle: 10 + 25 um to the middle of its 50 um, three compartments."""
    shape = compartments(geometry(ball_and_stick(), ()), 20.0)
    assert shape.count.tolist() == [1, 3, 3, 3, 3, 11]
    at = {(section, round(x, 3)): d for section, x, d in zip(shape.section, shape.x, shape.distance, strict=True)}
    assert at[0, 0.5] == 10.0
    assert at[2, 0.5] == pytest.approx(35.0)
    assert at[3, 0.5] == pytest.approx(10 + 50 + 25)  # a branch of 50 um (40, 30) on its end
    assert at[5, 0.5] == pytest.approx(20 + 100)  # from the soma's end


def test_a_replaced_axon_is_two_sections_at_the_end() -> None:
    shape = geometry(ball_and_stick(), ("aibs_perisomatic",))
    assert shape.names[-2:] == ("axon[0]", "axon[1]")
    assert shape.length[-2:].tolist() == [30.0, 30.0] and shape.diameter[-2:].tolist() == [1.0, 1.0]
    assert shape.parent.tolist()[-2:] == [0, 5] and shape.at[-2:].tolist() == [0.5, 1.0]


def test_probabilities_are_lengths_within_the_range() -> None:
    """Three compartments of 50/3 um at 10 um: of 10 .. 30 um, 50/3 um of the first and 10/3 um of the second."""
    shape = compartments(geometry(ball_and_stick(), ()), 20.0)
    allowed = targets(parse_rule("['basal']", "[0.0, 30.0]", ""), shape)
    np.testing.assert_allclose(allowed.cumulative, [5 / 6, 1.0])
    assert place(allowed, np.array([0.0, 0.83, 0.84, 0.999])).tolist() == [
        allowed.index[0],
        allowed.index[0],
        allowed.index[1],
        allowed.index[1],
    ]


def test_bmtks_numbers_leave_gaps_where_ids_do() -> None:
    assert bmtk_gids([np.array([0, 1]), np.array([5, 7, 3]), np.array([0])]).tolist() == [0, 1, 7, 9, 5, 10]


@pytest.mark.parametrize(
    ("sections", "distances", "message"),
    [
        ("['tuft']", None, "names no regions"),
        ("[]", None, "names no regions"),
        ("['soma']", "[0]", "not a list of two numbers"),
        ("['soma']", "near", "not a list of two numbers"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_its_place(sections: str, distances: str | None, message: str) -> None:
    with pytest.raises(PlanError, match=message) as caught:
        parse_rule(sections, distances, "projections/on")
    assert caught.value.where == "projections/on"


def test_trains_are_gids_sorted_by_time() -> None:
    made = network(edges([0], [0], weight=[1.0]), {"synapse": ["event"], "weight_unit": ["1"]})
    trains = lower(made, with_spikes(times=(4.0, 0.5)), Report()).trains
    assert trains.gids.tolist() == [1, 1] and trains.times.tolist() == [0.5, 4.0]
    with pytest.raises(PlanError, match="before the run"):
        lower(made, with_spikes(times=(-1.0,)), Report())


def test_what_the_plan_is_silent_on_is_said() -> None:
    made = network(edges([0], [0], weight=[1.0]), {"synapse": ["event"], "weight_unit": ["1"]})
    report = Report()
    settings = lower(made, SimulationPlan(duration=5.0), report).settings
    assert (settings.timestep, settings.section_length, settings.spike_threshold) == (0.1, 20.0, -15.0)
    said = " ".join(issue.message for issue in report if issue.code == "default-setting")
    assert all(name in said for name in ("timestep", "section_length", "spike_threshold", "celsius", "v_init"))


def points() -> Network:
    """The network of `network`, all of whose cells are points."""
    made = network(edges([0], [0], weight=[1.0]), {"synapse": ["event"], "weight_unit": ["1"]})
    return replace(made, cells={**made.cells, "thick": made.cells["quick"]})


def test_points_have_no_setting_of_cables() -> None:
    report = Report()
    lower(points(), SimulationPlan(duration=5.0), report)
    assert [issue.where for issue in report if issue.code == "default-setting"] == ["plan/timestep"]


def test_points_have_no_sections() -> None:
    asked = replace(PLAN, recordings=(Recording("m", "m", node_set="cortex", sections="multimeter_report"),))
    (probe,) = lower(points(), asked, Report()).recordings
    assert probe.regions == ("soma",)
    made = network(edges([0], [0], weight=[1.0]), {"synapse": ["event"], "weight_unit": ["1"]})
    with pytest.raises(PlanError, match="asks for sections 'multimeter_report'"):
        lower(made, asked, Report())


def test_a_report_of_synapses_says_what_is_not_recorded() -> None:
    asked = Recording("syn", "tau1", "cortex", kind="netcon_report", parameters={"syn_type": "Exp2Syn"})
    report = Report()
    assert lower(points(), replace(PLAN, recordings=(asked,)), report).recordings == ()
    (issue,) = (issue for issue in report if issue.code == "recording")
    assert (issue.kind, issue.where) == (Kind.LOST, "reports.syn")
    assert issue.message == (
        "The report 'syn' of kind 'netcon_report' is left out; not recorded: values of each synapse at every step"
        " (tau1 of Exp2Syn)."
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"duration": None}, "how long"),
        ({"timestep": 0.0}, "time step"),
        ({"duration": -1.0}, "before it starts"),
        ({"integration_method": "heun"}, "integration method"),
    ],
)
def test_plans_that_cannot_run(changes: dict, message: str) -> None:
    made = network(edges([0], [0], weight=[1.0]), {"synapse": ["event"], "weight_unit": ["1"]})
    with pytest.raises(PlanError, match=message):
        lower(made, replace(PLAN, **changes), Report())


def test_a_negative_delay_is_refused_with_its_edge() -> None:
    made = network(
        edges([0, 1], [0, 0], weight=[1.0, 1.0], delay=[1.0, -2.0]), {"synapse": ["event"], "weight_unit": ["1"]}
    )
    with pytest.raises(PlanError, match="edge 1 has the negative delay -2"):
        blocks(lower(made, with_spikes(), Report()), Report())


def test_sources_without_a_spike_need_no_synapses() -> None:
    made = network(edges([0], [0], weight=[1.0]), {"synapse": ["event"], "weight_unit": ["1"]})
    assert lower(made, PLAN, Report()).connections == ()


def test_a_synapse_without_a_mechanism_on_a_cell_with_extent_is_lost() -> None:
    made = network(edges([0], [1], weight=[1.0]), {"synapse": ["event"], "weight_unit": ["1"]})
    report = Report()
    (item,) = lower(made, with_spikes(), report).connections
    assert list(item.blocks(np.ones(5, dtype=bool), report)) == []
    assert "synapse-model" in {issue.code for issue in report if issue.kind is Kind.LOST}


def test_a_cell_that_neuron_does_not_have_is_lost_by_name() -> None:
    made = network(edges([0], [0], weight=[1.0]), {"synapse": ["event"], "weight_unit": ["1"]})
    made = replace(made, cells={**made.cells, "quick": PointCell("nest:glif_psc", {})})
    report = Report()
    lowered = lower(made, PLAN, report)
    (issue,) = [issue for issue in report if issue.code == "model"]
    assert issue.kind is Kind.LOST and "nest:glif_psc" in issue.message
    assert [group.cell for group in lowered.groups] == ["source", "thick"]


def test_cells_of_templates_draw_their_sites_when_they_stand() -> None:
    made = network(
        edges([0, 0], [1, 2], weight=[1.0, 1.0], nsyns=[3, 2]),
        {"synapse": ["exp2"], "weight_unit": ["uS"], "target_sections": ["['basal']"]},
    )
    made = replace(made, cells={**made.cells, "thick": CableCell("ball_and_stick", template="hoc:Closed")})
    report = Report()
    (item,) = lower(made, with_spikes(), report).connections
    (block,) = item.blocks(np.ones(5, dtype=bool), report)
    assert block.section.tolist() == [DRAWN] * 5 and block.edge.tolist() == [0, 0, 0, 1, 1]
    assert item.drawing is not None and "synapse-site" not in report.codes()
