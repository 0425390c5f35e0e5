"""``pynn:brian2``: what PyNN's backend does with cells that differ, with several connections of a pair, with HH."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.graph import Column
from tests.runners.pynn_backends import need, run_cases
from tests.runners.standard_networks import CELLS, network


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


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    need("brian2", "nest")
    cases = {
        "one": shorter(network("IF_cond_exp")),
        "two": twice(),
        "kinds": different(),
        "HH": shorter(network("HH_cond_exp")),
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
