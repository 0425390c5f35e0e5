"""Sections as compartments of MOOSE: between any two membranes there is the resistance that NEURON has there."""

from __future__ import annotations

import numpy as np
import pytest

from pynn_io.lowering.segment_shape import Geometry, areas, axial
from pynn_io.runners.moose.circuit import Circuit, circuit

RESISTIVITY = 100.0


def sections(*rows: tuple[int, float, float, float, float]) -> Geometry:
    """Straight sections: parent, where on it, length, and the diameters at both ends (um)."""
    points = [point for _, _, length, near, far in rows for point in ((0, 0, 0, near), (length, 0, 0, far))]
    parent, at, length = (np.array([row[k] for row in rows]) for k in (0, 1, 2))
    offsets = 2 * np.arange(len(rows) + 1)
    names = tuple(f"dend[{k}]" for k in range(len(rows)))
    whole = np.full(len(rows), np.nan)
    tag = np.full(len(rows), 3)
    return Geometry("segments", names, tag, parent, at, np.array(points, dtype=float), offsets, length, whole)


def resistances(edges: list[tuple[int, int, float]], size: int, wanted: np.ndarray) -> np.ndarray:
    """Between every two of some nodes of a network of resistors, ohm."""
    laplacian = np.zeros((size, size))
    for one, other, resistance in edges:
        laplacian[[one, other], [one, other]] += 1 / resistance
        laplacian[[one, other], [other, one]] -= 1 / resistance
    inverse = np.linalg.pinv(laplacian)[np.ix_(wanted, wanted)]
    own = np.diag(inverse)
    return own[:, None] + own[None, :] - 2 * inverse


def of_moose(made: Circuit) -> np.ndarray:
    """As ``HSolve`` couples compartments: half of each lies before and half behind; children begin at the far end."""
    size = len(made.parent)
    edges = []
    for node, (parent, resistance) in enumerate(zip(made.parent.tolist(), made.resistance.tolist(), strict=True)):
        edges.append((node, size + node, resistance / 2))
        if parent >= 0:
            edges.append((node, size + parent, resistance / 2))
    return resistances(edges, 2 * size, made.node)


def of_neuron(geometry: Geometry, count: np.ndarray) -> np.ndarray:
    """Centres of compartments and ends of sections as nodes, joined by halves of frusta by the textbook's formula."""
    first = np.cumsum(count) - count
    ends, edges = int(count.sum()), []

    def end(section: int, far: bool) -> int:
        if far or geometry.parent[section] < 0:
            return ends + 2 * section + far
        parent, at = int(geometry.parent[section]), geometry.at[section]
        if at in (0.0, 1.0):
            return end(parent, at == 1.0)
        return int(first[parent] + min(int(at * count[parent]), count[parent] - 1))

    for section in range(geometry.size):
        (x0, *_, d0), (x1, *_, d1) = geometry.points[2 * section : 2 * section + 2]
        borders = np.linspace(0, 1, 2 * count[section] + 1)
        d = d0 + (d1 - d0) * borders
        halves = 1e4 * RESISTIVITY * 4 / np.pi * np.diff(borders) * (x1 - x0) / (d[:-1] * d[1:])
        nodes = [end(section, False)]
        for k in range(count[section]):
            nodes += [int(first[section]) + k, ends + 2 * geometry.size + int(first[section]) + k]
        nodes[-1] = end(section, True)
        edges += list(zip(nodes, nodes[1:], halves.tolist(), strict=False))
    return resistances(edges, 2 * ends + 2 * geometry.size, np.arange(ends))


TREES = {
    "one compartment": (sections((-1, 0.0, 20.0, 20.0, 20.0)), [1]),
    "a cylinder": (sections((-1, 0.0, 100.0, 2.0, 2.0)), [5]),
    "a cone": (sections((-1, 0.0, 100.0, 4.0, 1.0)), [5]),
    "the other way round": (sections((-1, 0.0, 100.0, 1.0, 4.0)), [5]),
    "a fork at the end": (
        sections((-1, 0.0, 20.0, 10.0, 8.0), (0, 1.0, 90.0, 2.0, 1.0), (0, 1.0, 70.0, 3.0, 3.0)),
        [1, 3, 2],
    ),
    "forks everywhere": (
        sections(
            (-1, 0.0, 60.0, 10.0, 6.0),
            (0, 0.5, 90.0, 2.0, 1.0),
            (0, 0.0, 70.0, 1.0, 3.0),
            (0, 1.0, 50.0, 2.0, 2.0),
            (1, 0.0, 40.0, 1.5, 1.0),
            (3, 0.4, 30.0, 1.0, 1.2),
            (3, 1.0, 30.0, 1.0, 0.5),
        ),
        [3, 3, 2, 3, 1, 2, 2],
    ),
}


@pytest.mark.parametrize("name", TREES)
def test_resistances_between_membranes(name):
    geometry, numbers = TREES[name]
    count = np.array(numbers)
    made = circuit(geometry, count, np.full(geometry.size, RESISTIVITY))
    assert (made.parent < np.arange(len(made.parent))).all()
    expected = of_neuron(geometry, count)
    np.testing.assert_allclose(of_moose(made), expected, rtol=1e-5, atol=1e-3)


def test_a_cylinder_needs_nothing_beside_its_compartments():
    geometry, _ = TREES["a cylinder"]
    made = circuit(geometry, np.array([5]), np.array([RESISTIVITY]))
    assert made.node.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(made.resistance, 1e4 * RESISTIVITY * 20 / np.pi)
    np.testing.assert_allclose(made.area, np.pi * 2 * 20)


def test_halves_of_a_frustum():
    """From 4 to 2 um over 10 um, the first half: the integral of dx over the cross-section."""
    geometry = sections((-1, 0.0, 10.0, 4.0, 2.0))
    first, second = axial(geometry, 0, 1)[0]
    assert first == pytest.approx(4 / np.pi * 5 / (4 * 3))
    assert second == pytest.approx(4 / np.pi * 5 / (3 * 2))
    assert areas(geometry, 0, 1)[0] == pytest.approx(np.pi * (2 + 1) * np.hypot(10, 1))


def test_a_section_without_points_is_a_cylinder():
    """As the stubs that replace an axon are."""
    empty, ends = np.zeros((0, 4)), np.zeros(2, dtype=np.int64)
    stub = Geometry(
        "axon_replaced",
        ("axon[0]",),
        np.array([2]),
        np.array([-1]),
        np.zeros(1),
        empty,
        ends,
        *np.array([[30.0], [1.0]]),
    )
    assert areas(stub, 0, 3).tolist() == pytest.approx([np.pi * 10] * 3)
    assert axial(stub, 0, 3).ravel().tolist() == pytest.approx([5 * 4 / np.pi] * 6)
