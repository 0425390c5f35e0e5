"""``pynn:brian2``: what PyNN's backend does with cells that differ, with several connections of a pair, with HH."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.graph import Column
from pynn_io.graph.stimuli import SpikeTrains
from tests.runners.pynn_backends import need, run_cases
from tests.runners.standard_networks import CELLS, network
from tests.runners.test_brian2_stdp import pairs


def shorter(document: Document) -> Document:
    return replace(document, plan=replace(document.plan, duration=60.0))


def different() -> Document:
    """Izhikevich cells of two kinds: PyNN itself takes the parameters of the first one for all."""
    document = shorter(network("Izhikevich"))
    cells = document.network.populations["cells"]
    kinds = cells.table.updated({"parameters:d": Column(np.repeat([2.0, 8.0], CELLS // 2))})
    populations = {**document.network.populations, "cells": replace(cells, table=kinds)}
    return replace(document, network=replace(document.network, populations=populations))


def twice() -> Document:
    """Every exciting connection as two, of a tenth and nine tenths of the weight."""
    document = shorter(network("IF_cond_exp"))
    e = document.network.projections["e"]
    columns = {name: np.tile(column.data, 2) for name, column in e.edges.columns.items()}
    columns["weight"] = np.concatenate([0.1 * e.edges.columns["weight"].data, 0.9 * e.edges.columns["weight"].data])
    ends = {end: Column(np.tile(getattr(e.edges, end).data, 2)) for end in ("source", "target")}
    table = type(e.edges.columns)(2 * e.size, {name: Column(value) for name, value in columns.items()})
    e = replace(e, edges=replace(e.edges, columns=table, **ends))
    return replace(document, network=replace(document.network, projections={**document.network.projections, "e": e}))


def fine() -> Document:
    """Single sources, whose spikes are at odd steps of 0.05 ms and one such step apart, with a plastic synapse."""
    net, plan = pairs({"axonal": {"dendritic_delay_fraction": 0.0}})
    trains = {
        "pre": SpikeTrains("pre", np.zeros(2, dtype=np.int64), np.array([5.05, 5.1])),
        "forcing": SpikeTrains("forcing", np.zeros(2, dtype=np.int64), np.array([9.05, 18.0])),
    }
    stimuli = tuple(replace(one, what=trains[one.name]) for one in plan.stimuli)
    return Document(net, replace(plan, timestep=0.05, duration=20.0, stimuli=stimuli))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    need("brian2", "nest")
    cases = {
        "one": shorter(network("IF_cond_exp")),
        "two": twice(),
        "kinds": different(),
        "HH": shorter(network("HH_cond_exp")),
        "fine": fine(),
    }
    return run_cases("pyNN.brian2", cases, tmp_path_factory.mktemp("brian2"))


def counts(results: Any) -> np.ndarray:
    return results[0].spikes["cells"].counts(np.arange(CELLS))


@pytest.mark.slow
def test_brian2(outcomes: dict[str, Any]) -> None:
    """Against NEST: Brian2 integrates otherwise, so that a cell may spike once more or less."""
    for name in ("one", "two", "kinds"):
        ours, nest = outcomes[name]
        assert counts(ours).sum() > 10 and np.abs(counts(ours) - counts(nest)).max() <= 1, name
        assert ours[0].traces[0].data.shape == nest[0].traces[0].data.shape
    # the later a cell the stronger its weights: alike, the second half would spike more
    first, second = np.split(counts(outcomes["kinds"][0]), 2)
    assert first.sum() > second.sum()
    assert counts(outcomes["two"][0]).tolist() == counts(outcomes["one"][0]).tolist()
    assert "its potential becomes infinite" in outcomes["HH"][0]
    # a step to the synapse's delay of 0.1 ms: PyNN's Brian2 tests thresholds before the spikes of a step arrive
    assert np.round(outcomes["fine"][0][0].spikes["cells"].times, 6).tolist() == [9.2, 18.15]
