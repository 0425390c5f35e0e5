"""Quantity paths of LEMS, in both spellings, and what is wrong with them."""

from __future__ import annotations

import numpy as np
import pytest

from pynn_io.errors import PlanError
from pynn_io.graph.cells import CableCell, PointCell
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Network, Population
from pynn_io.graph.segments import Morphology
from pynn_io.lowering.quantities import Quantity, quantity, traces
from pynn_io.results.results import QuantityTable

_POINTS = np.array([[0, 0, 0, 10], [0, 10, 0, 10], [0, 30, 0, 2]], dtype=float)
MORPHOLOGY = Morphology(
    "m",
    id=np.array([0, 7]),
    parent=np.array([-1, 0]),
    fraction_along=np.array([0.0, 1.0]),
    proximal=_POINTS[:2],
    distal=_POINTS[1:],
    tag=np.array([1, 3]),
)


def _population(name: str, cell: str, ids: list[int]) -> Population:
    table = Table(len(ids), {"id": Column(np.array(ids))})
    return Population(name, len(ids), Table(1, {"cell": text_column([cell])}), table=table)


NETWORK = Network(
    populations={"pop": _population("pop", "hh", [0, 5]), "points": _population("points", "iaf", [0, 1, 2])},
    cells={"hh": CableCell("m"), "iaf": PointCell("neuroml:iafCell")},
    morphologies={"m": MORPHOLOGY},
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("points[2]/v", Quantity("points", 2, None, (), "v")),
        ("points/2/iaf/v", Quantity("points", 2, None, (), "v")),
        ("points[1]", Quantity("points", 1, None, (), "")),
        ("../points[1]", Quantity("points", 1, None, (), "")),
        ("pop/5/hh/7/v", Quantity("pop", 1, 7, (), "v")),
        (
            "pop[0]/b/membraneProperties/naChans/na/m/q",
            Quantity("pop", 0, None, ("b", "membraneProperties", "naChans", "na", "m"), "q"),
        ),
        ("pop/5/hh/7/synapses:ampa:0/g", Quantity("pop", 1, 7, ("synapses:ampa:0",), "g")),
    ],
)
def test_paths(path: str, expected: Quantity) -> None:
    assert quantity(path, NETWORK) == expected


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere[0]/v", "there is no population 'nowhere'"),
        ("points[3]/v", "the population 'points' has no cell 3"),
        ("pop/1/hh/v", "the population 'pop' has no cell 1"),
        ("points/1/hh/v", "the cells of 'points' are iaf, not hh"),
        ("pop/0/hh/3/v", "the morphology 'm' has no segment 3"),
        ("points[0]/3/v", "cells without a morphology have no segment 3"),
        ("just text", "is not a path of a quantity"),
    ],
)
def test_wrong_paths(path: str, said: str) -> None:
    with pytest.raises(PlanError) as caught:
        quantity(path, NETWORK, where="of0")
    assert said in str(caught.value)
    assert caught.value.where == "of0"


def test_potentials_become_traces() -> None:
    columns = (("a", "pop/5/hh/7/v"), ("b", "points[2]/v"), ("c", "pop/0/hh/v"), ("d", "pop[0]/x/q"))
    data = np.array([[-0.07, -0.06, -0.05, 0.3], [-0.071, -0.061, -0.051, 0.4]])
    made = traces(QuantityTable("of0", "v.dat", columns, np.array([0.0, 0.1]), data), NETWORK)
    assert [trace.population for trace in made] == ["pop", "points"]
    cable, points = made
    np.testing.assert_allclose(cable.data, [[-70, -50], [-71, -51]])
    assert cable.node_ids.tolist() == [5, 0]
    assert cable.section_ids is not None and cable.section_ids.tolist() == [1, 0]
    assert cable.section_pos is not None and cable.section_pos.tolist() == [0.5, 0.5]
    assert (points.section_ids, points.interval) == (None, pytest.approx(0.1))
