"""Spikes of sources as results: stated or drawn, they are known without a simulator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pynn_io.graph import Column, Network, PointCell, Population, SpikeSource, Table, text_column
from pynn_io.graph.stimuli import PoissonTrains, SpikeTrains, Stimulus
from pynn_io.lowering.own_spikes import with_source_spikes
from pynn_io.report import Report
from pynn_io.results import Results, Spikes
from pynn_io.runners.nest import NestRunner
from pynn_io.simulation_plan import Recording, SimulationPlan

TRAINS = SpikeTrains("in", np.array([7, 8, 7]), np.array([3.0, 1.0, 99.0]))
PLAN = SimulationPlan(
    duration=50.0,
    timestep=0.1,
    stimuli=(Stimulus("given", TRAINS, "in"),),
    recordings=(Recording("s", "spikes", {"population": "in", "node_id": [7, 9]}, kind="spikes"),),
)


def network() -> Network:
    """Three sources with the ids 7, 8 and 9, and a cell."""
    ids = Table(3, {"id": Column(np.array([7, 8, 9]))})
    return Network(
        "n",
        {
            "in": Population("in", 3, Table(1, {"cell": text_column(["s"])}), table=ids),
            "cells": Population("cells", 1, Table(1, {"cell": text_column(["c"])})),
        },
        cells={"s": SpikeSource("SpikeSourceArray"), "c": PointCell("IF_cond_exp")},
    )


def test_the_spikes_of_recorded_sources_until_the_end_of_the_run() -> None:
    cells = Spikes("cells", np.array([0]), np.array([2.0]))
    results = with_source_spikes(Results({"cells": cells}, nodes={"cells": np.array([0])}), network(), PLAN)
    assert results.spikes["cells"] is cells
    assert results.spikes["in"].node_ids.tolist() == [7] and results.spikes["in"].times.tolist() == [3.0]
    assert results.nodes["in"].tolist() == [7, 9]


def test_without_such_a_recording_results_stay_as_they_are() -> None:
    results = Results()
    off = tuple(replace(item, enabled=False) for item in PLAN.recordings)
    assert with_source_spikes(results, network(), replace(PLAN, recordings=off)) is results


def test_random_spikes_are_those_that_the_runner_gives_its_cells() -> None:
    poisson = Stimulus("random", PoissonTrains(400.0), {"population": "in", "node_id": [9]})
    plan = replace(PLAN, stimuli=(poisson,), seed=3)
    (feed,) = NestRunner().lower(network(), plan, Report()).feeds
    found = with_source_spikes(Results(), network(), plan).spikes["in"]
    assert len(found.times) > 5
    assert found.times.tolist() == feed.trains.times.tolist() and set(found.node_ids) == {9}
