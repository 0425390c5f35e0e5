"""Every problem of a plan at once, each with its key; plans of real circuits pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pynn_io import Network, SimulationPlan, read
from pynn_io.errors import PlanError
from pynn_io.graph import Column, Edges, PointCell, Population, Projection, SpikeSource, Table, text_column
from pynn_io.graph.stimuli import (
    CurrentPulses,
    Hyperpolarizing,
    PoissonTrains,
    SpikeTrains,
    SpontaneousSynapses,
    Stimulus,
    SynapseReplay,
    Targets,
    VoltageClamp,
)
from pynn_io.simulation_plan import ConnectionOverride, Modification, Recording
from pynn_io.simulation_plan.validate import check, short_delays
from tests.models import MODELS
from tests.plan.plans import PLANS, array, document, trains

GOOD = SimulationPlan("p", duration=50.0, timestep=0.1)


def problems(plan: SimulationPlan, network: Network | None = None, **options: bool) -> list[str]:
    """``key: text`` of every problem, by the error that `check` raises."""
    try:
        check(plan, document().network if network is None else network, **options)
    except PlanError as error:
        assert error.exit_status == 4
        if error.problems:
            assert error.where == f"p:{error.problems[0].partition(':')[0]}"
            return list(error.problems)
        return [f"{error.where.removeprefix('p:')}: {error.message}"]
    return []


def stimulus(what: Any, **more: Any) -> SimulationPlan:
    return replace(GOOD, stimuli=(Stimulus("s", what, **{"node_set": "bio", **more}),))


def recording(**more: Any) -> SimulationPlan:
    return replace(GOOD, recordings=(Recording(**{"name": "r", "variable": "v", "node_set": "bio", **more}),))


def spikes(population: str, ids: list[int], times: list[float]) -> SpikeTrains:
    return SpikeTrains(population, np.asarray(ids, dtype=np.int64), array(*times))


STEP = CurrentPulses(array(0.1), array(5), array(20))
SETS = {
    "tips": {"population": "bio", "compartment_set": [[0, 1, 0.25]]},
    "none": {"population": "bio", "compartment_set": []},
}

WRONG: list[tuple[SimulationPlan, str, str]] = [
    (replace(GOOD, duration=None), "duration", "how long to run is not stated"),
    (replace(GOOD, duration=0.0), "duration", "it must be positive, here it is 0.0"),
    (replace(GOOD, timestep=-0.1), "timestep", "it must be positive, here it is -0.1"),
    (replace(GOOD, section_length=0.0), "section_length", "it must be positive"),
    (replace(GOOD, start=50.0), "start", "the run starts at 50.0 ms and ends at 50.0 ms"),
    (replace(GOOD, duration=0.05), "duration", "shorter than one step of 0.1 ms"),
    (replace(GOOD, spike_times="sometimes"), "spike_times", "precise or grid is expected, here it is 'sometimes'"),
    (replace(GOOD, seeds={"minis": -1}), "seeds.minis", "a seed is not negative, here it is -1"),
    (replace(GOOD, node_set="nobody"), "node_set", "there is no node set or population 'nobody'"),
    (replace(GOOD, node_set={"population": "bio", "node_id": [77]}), "node_set", "selects no cell"),
    (
        replace(GOOD, modifications=(Modification("m", "ttx", "nobody"),)),
        "modifications.m.node_set",
        "there is no node set or population 'nobody'",
    ),
    (
        replace(GOOD, modifications=(Modification("m", "compartment_set", None, (), "tips"),)),
        "modifications.m.compartment_set",
        "there is no compartment set 'tips'; known are: none",
    ),
    (replace(GOOD, overrides=(ConnectionOverride("o", "bio", "nobody"),)), "overrides.o.target", "'nobody'"),
    (stimulus(STEP, node_set="nobody"), "inputs.s.node_set", "there is no node set or population 'nobody'"),
    (stimulus(STEP, node_set={"population": "bio", "node_id": 77}), "inputs.s.node_set", "selects no cell"),
    (stimulus(STEP, section="trunk"), "inputs.s.section", "no cell has a section 'trunk'"),
    (stimulus(STEP, section="dend[x]"), "inputs.s.section", "no cell has a section 'dend[x]'"),
    (stimulus(STEP, position=1.5), "inputs.s.position", "a fraction of a section is expected, here it is 1.5"),
    (stimulus(STEP, node_set=None, compartment_set="x"), "inputs.s.compartment_set", "no compartment set 'x'"),
    (
        replace(stimulus(STEP, node_set=None, compartment_set="none"), compartment_sets=SETS),
        "inputs.s.compartment_set",
        "the compartment set 'none' is empty",
    ),
    (stimulus(CurrentPulses(array(1, 1), array(5, -2), array(1, 1))), "inputs.s.delays", "it is negative: -2.0"),
    (stimulus(Hyperpolarizing(0.0, -3.0)), "inputs.s.duration", "it is negative: -3.0"),
    (stimulus(PoissonTrains(-3.0)), "inputs.s.rate", "it is negative: -3.0"),
    (stimulus(VoltageClamp(array(1, 2), array(3))), "inputs.s.levels", "2 levels and 1 durations"),
    (stimulus(SpontaneousSynapses(times=(0.0,))), "inputs.s.times", "events must come after 0 ms"),
    (stimulus(SpontaneousSynapses(1.0, source="nobody")), "inputs.s.source", "'nobody'"),
    (
        stimulus(spikes("src", [0, 1, 1], [1.0, 0.0, -2.5])),
        "inputs.s.times",
        "spikes must come after 0 ms; 2 do not: node 1 at 0.0 ms, node 1 at -2.5 ms",
    ),
    (stimulus(SynapseReplay(spikes("bio", [1], [0.0]))), "inputs.s.trains.times", "node 1 at 0.0 ms"),
    (
        stimulus(spikes("nowhere", [0], [1.0])),
        "inputs.s.population",
        "there is no population 'nowhere'; there are: bio, src",
    ),
    (stimulus(spikes("src", [0, 9], [1.0, 1.0])), "inputs.s.node_ids", "'src' has no node 9"),
    (stimulus(spikes("bio", [0], [1.0])), "inputs.s.population", "'bio' has cells of its own"),
    (recording(node_set="nobody"), "reports.r.node_set", "'nobody'"),
    (recording(sections="soma, trunk"), "reports.r.sections", "no cell has a section 'trunk'"),
    (recording(compartment_set="tips"), "reports.r.compartment_set", "no compartment set 'tips'"),
    (recording(start=-1.0), "reports.r.start", "it is before the run: -1.0 ms"),
    (recording(start=50.0), "reports.r.start", "it starts at 50.0 ms, and the run ends at 50.0 ms"),
    (recording(start=5.0, stop=5.0), "reports.r.stop", "it stops at 5.0 ms, and starts at 5.0 ms"),
    (recording(interval=0.0), "reports.r.interval", "it must be positive, here it is 0.0"),
    (recording(interval=0.05), "reports.r.interval", "0.05 ms is shorter than the time step of 0.1 ms"),
    (recording(interval=0.25), "reports.r.interval", "0.25 ms is no multiple of the time step of 0.1 ms"),
]


@pytest.mark.parametrize(("plan", "key", "text"), WRONG, ids=[f"{row[1]}-{row[2][:24]}" for row in WRONG])
def test_what_is_wrong_names_its_key(plan: SimulationPlan, key: str, text: str) -> None:
    (found,) = problems(plan)
    assert found.startswith(f"{key}: ")
    assert text in found


@pytest.mark.parametrize(
    ("plan", "name"),
    [
        (SimulationPlan(duration=50.0, timestep=-0.1), "(in SONATA: run.dt)"),
        (SimulationPlan(duration=50.0, seed=-1), "(in SONATA: run.random_seed)"),
        (stimulus(CurrentPulses(array(1, 1), array(5, -2), array(1, 1))), "(in SONATA: delay)"),
        (recording(interval=0.0), "(in SONATA: dt)"),
        (recording(start=5.0, stop=5.0), "(in SONATA: end_time)"),
    ],
)
def test_what_is_wrong_is_found_in_the_file(plan: SimulationPlan, name: str) -> None:
    """The plan's names are not those of SONATA's specification."""
    (found,) = problems(plan)
    assert found.endswith(name)


def test_keys_that_are_the_same_in_the_file_are_not_repeated() -> None:
    (found,) = problems(stimulus(Hyperpolarizing(0.0, -3.0)))
    assert found == "inputs.s.duration: it is negative: -3.0"


def test_all_problems_come_at_once() -> None:
    plan = replace(recording(start=-1.0, interval=0.05), timestep=0.1, node_set="nobody", duration=-5.0)
    assert [found.partition(":")[0] for found in problems(plan)] == [
        "duration",
        "node_set",
        "reports.r.start",
        "reports.r.start",
        "reports.r.interval",
    ]


def test_what_is_switched_off_is_not_checked() -> None:
    assert problems(recording(start=-1.0, enabled=False)) == []


def test_a_spike_at_zero_is_for_backends_that_deliver_it() -> None:
    plan = stimulus(spikes("src", [0, 1], [0.0, 3.0]))
    assert problems(plan) != []
    assert problems(plan, spikes_at_zero=True) == []
    with pytest.raises(PlanError) as caught:
        check(plan, document().network)
    assert "begin a time step later" in caught.value.hint
    early = stimulus(spikes("src", [0, 1], [-0.5, 3.0]))
    assert problems(early, spikes_at_zero=True) == [
        "inputs.s.times: spikes must come at 0 ms or later; 1 do not: node 0 at -0.5 ms"
    ]


@pytest.mark.parametrize("interval", [0.1, 0.2, 0.30000000000000004, 1.0, 100.0])
def test_decimal_intervals_are_multiples(interval: float) -> None:
    assert problems(recording(interval=interval)) == []


def test_the_plans_of_the_round_trips_pass() -> None:
    for case, plan in PLANS.items():
        assert problems(replace(plan, name="p")) == [], case


def test_names_of_sections_mean_nothing_to_point_cells() -> None:
    types = Table(1, {"cell": text_column(["c"])})
    net = Network(populations={"bio": Population("bio", 2, types)}, cells={"c": PointCell("IF_cond_exp")})
    assert problems(stimulus(STEP, section="anywhere"), net) == []


def test_trains_for_the_sources_of_a_mixed_population() -> None:
    types = Table(2, {"cell": text_column(["c", "s"])})
    mixed = Population("mixed", 4, types, Column(np.asarray([0, 0, 1, 1])))
    net = Network(populations={"mixed": mixed}, cells={"c": PointCell("IF_cond_exp"), "s": SpikeSource()})
    assert problems(stimulus(spikes("mixed", [2, 3], [1.0, 2.0]), node_set="mixed"), net) == []
    assert problems(stimulus(spikes("mixed", [1, 3], [1.0, 2.0]), node_set="mixed"), net) != []


def with_delays(delays: Any, kind: str = "chemical") -> Network:
    net = document().network
    edges = Edges(
        Column(np.zeros(4, dtype=np.int64)), Column(np.zeros(4, dtype=np.int64)), Table(4, {"delay": Column(delays)})
    )
    types = Table(1, {"synapse": text_column(["syn"])})
    return replace(net, projections={"p": Projection("p", "src", "bio", types, edges, kind=kind)})


def test_short_delays() -> None:
    found = list(short_delays(with_delays(np.asarray([1.0, 0.05, 0.1, np.nan])), 0.1))
    assert found == [("p", "1 delays are shorter than the time step of 0.1 ms, the least is 0.05 ms")]
    negative = np.ma.array([1.0, -0.5, 0.0, -9.0], mask=[False, False, False, True])
    assert list(short_delays(with_delays(negative), 0.1)) == [("p", "2 delays are negative, the least is -0.5 ms")]
    assert list(short_delays(with_delays(np.full(4, 0.1, dtype=np.float32)), 0.1)) == []
    assert list(short_delays(with_delays(np.zeros(4), "electrical"), 0.1)) == []


REAL = {
    "sonata/300_pointneurons/simulation_config.json": False,
    "sonata/bio_14cells/config.simulation.json": False,
    "sonata/point_stdp/config.simulation_virtual.json": False,
    "sonata_obi/snap_data/simulation_config.json": False,
    "sonata_obi/nd_ringtest_allen_v1/simulation_config.json": True,  # it has spikes at 0
}


@pytest.mark.parametrize("name", REAL)
def test_real_plans_pass(name: str, data: Path) -> None:
    found = read(data / name)
    assert found.plan is not None
    check(found.plan, found.network, spikes_at_zero=True)
    if REAL[name]:
        with pytest.raises(PlanError, match=r"node 0 at 0\.0 ms"):
            check(found.plan, found.network)


def test_trains_of_the_helper_are_sorted() -> None:
    assert (np.diff(trains().node_ids) >= 0).all()


def test_targets_by_row_take_the_place_of_a_node_set():
    network = MODELS["neuroml_points"]().network
    what = CurrentPulses(np.array([0.1]), np.array([1.0]), np.array([1.0]))

    def plan(targets):
        return SimulationPlan(duration=10.0, stimuli=(Stimulus("pulse", what, None, targets=targets),))

    check(plan(Targets("iafs", np.array([0, 2, 2]))), network)
    with pytest.raises(PlanError, match="'iafs' has 3 cells, and no row 3"):
        check(plan(Targets("iafs", np.array([3]))), network)
    with pytest.raises(PlanError, match="there is no population 'nobody'"):
        check(plan(Targets("nobody", np.array([0]))), network)


def test_columns_of_quantities_take_the_place_of_a_node_set():
    document = MODELS["neuroml_points"]()
    check(document.plan, document.network)
