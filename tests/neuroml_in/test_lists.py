"""Long lists come as columns: the same network as from elements, and broken references at the line of their row."""

from __future__ import annotations

import resource

import numpy as np
import pytest

from pynn_io import Report
from pynn_io.errors import GraphError, ReadError
from pynn_io.formats.neuroml_records import Element
from pynn_io.formats.neuroml_rows import Rows, Words
from pynn_io.importers.neuroml_cells import read_definitions
from pynn_io.importers.neuroml_components import Components, Kinds
from pynn_io.importers.neuroml_context import Context
from pynn_io.importers.neuroml_network import Net, read_network

CELL = Element("iafCell", {"id": "iaf", "C": "1nF"}, where="n.nml:1")
SYNAPSES = [Element("gapJunction", {"id": name, "conductance": "1nS"}, where="n.nml:2") for name in ("one", "two")]
PULSE = Element("pulseGenerator", {"id": "pg", "delay": "0ms", "duration": "1ms", "amplitude": "1nA"}, where="n.nml:3")


def net(*children: Element) -> Net:
    context = Context(Report())
    components = Components(context, Kinds({}))
    definitions = read_definitions([CELL, *SYNAPSES, PULSE], components)
    found = read_network(Element("network", {"id": "net"}, children, where="n.nml:4"), components, definitions)
    context.check()
    return found


def population(size: int, ids: np.ndarray | None = None) -> Element:
    place = np.arange(size, dtype=float)
    numbers = {"id": np.arange(size) if ids is None else ids, "x": place, "y": place * 2, "z": place * 0}
    attributes = {"id": "p", "component": "iaf", "type": "populationList"}
    return Element("population", attributes, where="n.nml:5", rows=Rows(size, numbers, {}, np.arange(size) + 6))


def projection(rows: Rows, tag: str = "projection", **more: str) -> Element:
    attributes = {"id": "c", "presynapticPopulation": "p", "postsynapticPopulation": "p", **more}
    return Element(tag, attributes, where="n.nml:100", rows=rows)


def test_columns_become_columns():
    weight = np.ma.array([0.5, 0.0, 2.0], mask=[False, True, False])
    words = {"pre_population": Words(("p",)), "pre_type": Words(("iaf",)), "post_population": Words(("p",))}
    numbers = {"id": np.arange(3), "pre": np.array([9, 4, 9]), "post": np.array([4, 4, 9]), "weight": weight}
    found = net(population(2, np.array([9, 4])), projection(Rows(3, numbers, words), synapse="one"))
    one = found.projections["c"]
    assert one.edges.source.read(3).tolist() == [0, 1, 0] and one.edges.target.read(3).tolist() == [1, 1, 0]
    assert one.edges.columns.read("weight").tolist() == [0.5, None, 2.0]
    assert one.synapses == ("one",) and one.type_index.value == 0
    assert found.populations["p"].table.read("y").tolist() == [0.0, 2.0]


def test_synapses_of_rows_become_types():
    words = {"synapse": Words(("two", "one"), np.array([1, 0, 1]))}
    numbers = {"pre": np.array([0, 1, 0]), "post": np.array([1, 0, 1])}
    found = net(population(2), projection(Rows(3, numbers, words), "electricalProjection"))
    assert found.projections["c"].synapses == ("one", "two")
    assert found.projections["c"].type_index.read(3).tolist() == [0, 1, 0]


def test_targets_of_rows():
    rows = Rows(2, {"id": np.arange(2), "target": np.array([1, 0]), "weight": np.ma.array([2.0, 0], mask=[0, 1])})
    listed = Element("inputList", {"id": "i", "component": "pg", "population": "p"}, where="n.nml:9", rows=rows)
    (stimulus,) = net(population(2), listed).stimuli
    assert stimulus.targets.rows.tolist() == [1, 0] and stimulus.targets.weight.tolist() == [2.0, 1.0]


BROKEN = {
    "cell": (
        {"pre": np.array([0, 0]), "post": np.array([1, 7])},
        {},
        GraphError,
        "n.nml:102: the projection 'c' has 1",
    ),
    "population": (
        {"pre": np.array([0, 0]), "post": np.array([1, 1])},
        {"post_population": Words(("p", "q"), np.array([0, 1]))},
        GraphError,
        "n.nml:102: '../q[1]' is not in the population 'p'",
    ),
    "component": (
        {"pre": np.array([0, 0]), "post": np.array([1, 1])},
        {"pre_population": Words(("p",)), "pre_type": Words(("hh",))},
        GraphError,
        "n.nml:101: '../p/0/hh': the cells of 'p' are 'iaf'",
    ),
    "nothing": ({"pre": np.array([0, 0])}, {}, ReadError, "n.nml:101: a row of the list does not state 'post'"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_row_is_named_by_its_line(case):
    numbers, words, kind, text = BROKEN[case]
    rows = Rows(2, numbers, words, np.array([101, 102]))
    with pytest.raises(kind) as caught:
        net(population(2), projection(rows, synapse="one"))
    assert text in str(caught.value)


def test_a_million_connections_stay_columns():
    """What is made of them is no more than their columns: no object a connection."""
    size = 1_000_000
    random = np.random.default_rng(1)
    numbers = {
        "id": np.arange(size),
        "pre": random.integers(0, 10_000, size),
        "post": random.integers(0, 10_000, size),
        "weight": random.random(size),
        "delay": random.random(size),
    }
    words = {
        f"{side}_{what}": Words((name,))
        for side in ("pre", "post")
        for what, name in (("population", "p"), ("type", "iaf"))
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = net(population(10_000), projection(Rows(size, numbers, words, np.arange(size)), synapse="one"))
    assert found.projections["c"].size == size
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120_000  # kB
