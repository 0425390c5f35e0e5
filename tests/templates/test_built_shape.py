"""Built cells as segments and decor, against numbers by hand; no simulator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.errors import GraphError
from pynn_io.graph.biophysics import ChannelDensity, Law, MembraneProperty, ReversalPotential
from pynn_io.graph.cells import CableCell
from pynn_io.graph.morphology import Tag, locate, take_segments
from pynn_io.graph.network import Network
from pynn_io.lowering.built_cells import BuiltCell, graph_cell, tags
from pynn_io.lowering.segment_shape import Geometry, segment_shape
from pynn_io.pipeline import read, write

NAN = np.nan


def cell(**changes: object) -> BuiltCell:
    """A soma of 20 um, a dendrite of two pieces (30 + 10 um) in 4 compartments, and an axon without points on it.

    The circuit counts soma, a section that is gone, the axon, the dendrite.
    """
    points = np.array([[0, 0, 0, 20], [20, 0, 0, 20], [20, 0, 0, 2], [50, 0, 0, 2], [50, 10, 0, 2]], dtype=float)
    geometry = Geometry(
        "template",
        ("soma[0]", "dend[0]", "axon[0]"),
        np.array([Tag.SOMA, Tag.DENDRITE, Tag.AXON]),
        np.array([-1, 0, 1]),
        np.array([0.0, 1.0, 0.75]),
        points,
        np.array([0, 2, 5, 5]),
        np.array([20.0, 40.0, 30.0]),
        np.full(3, NAN),
    )
    values = {
        "numbers": np.array([0, -1, 2, 1]),
        "lists": {"somatic": np.array([0])},
        "count": np.array([1, 4, 3]),
        "resistivity": np.array([100.0, 100.0, 150.0]),
        "diameter": np.array([20.0, 2, 2, 2, 2, 1, 1, 0.5]),
        "capacitance": np.ones(8),
    }
    return BuiltCell(geometry, **{**values, **changes})  # type: ignore[arg-type]


def test_a_section_is_not_cut_where_its_compartments_are_alike() -> None:
    morphology, _ = graph_cell(cell(), "made")
    assert morphology.tag.tolist() == [1, 3, 3, 2, 2]
    assert morphology.proximal[1].tolist() == [20, 0, 0, 2] and morphology.distal[2].tolist() == [50, 10, 0, 2]
    # 0.75 of 40 um is the corner at 30 um: the beginning of the second piece, not the end of the first
    assert (morphology.parent.tolist(), morphology.fraction_along.tolist()) == ([-1, 0, 1, 2, 3], [0, 1, 1, 0, 1])
    shape = segment_shape(morphology)
    assert shape.geometry.names == ("soma_0", "dend_0", "axon_0_0", "axon_0_1")
    assert shape.count.tolist() == [1, 4, 2, 1] and shape.geometry.at.tolist() == [0.0, 1.0, 0.75, 1.0]
    assert shape.geometry.length.tolist() == [20, 40, 20, 10]


def test_sections_without_points_are_cylinders_from_diameter_to_diameter() -> None:
    """Each a section of its own: between two points at one place NEURON would put the membrane of a ring."""
    morphology, _ = graph_cell(cell(), "made")
    assert morphology.proximal[3:, 3].tolist() == morphology.distal[3:, 3].tolist() == [1, 0.5]
    assert morphology.proximal[3, :3].tolist() == [50, 0, 0]  # where it begins on the dendrite
    assert np.linalg.norm(morphology.distal[3, :3] - morphology.proximal[3, :3]) == pytest.approx(20)


def test_points_that_do_not_give_the_diameters_are_not_used() -> None:
    thick = np.array([20.0, 3, 3, 3, 3, 1, 1, 1])
    morphology, _ = graph_cell(cell(diameter=thick), "made")
    assert morphology.proximal[1, 3] == 3
    assert segment_shape(morphology).geometry.length.tolist() == pytest.approx([20, 40, 30])
    assert locate(morphology, np.array([3]), np.array([0.875]))[0].tolist() == [1]


def test_points_give_mean_diameters_of_tapers_and_steps() -> None:
    points = np.array([[0, 0, 0, 4], [10, 0, 0, 2], [10, 0, 0, 6], [20, 0, 0, 6]], dtype=float)
    at = (np.array([1]), np.array([-1]), np.zeros(1))
    one = Geometry("template", ("soma[0]",), *at, points, np.array([0, 4]), np.array([20.0]), np.full(1, NAN))
    made = BuiltCell(
        one, np.array([0]), {}, np.array([4]), np.array([100.0]), np.array([3.5, 2.5, 6, 6]), np.array([1.0, 2, 2, 2])
    )
    morphology, _ = graph_cell(made, "made")
    assert morphology.distal[:, :1].ravel().tolist() == [5, 10, 20]  # cut at the first compartment's end
    assert morphology.distal[:, 3].tolist() == [3, 2, 6] and morphology.proximal[2, 3] == 6


def test_values_that_differ_along_a_section_have_segments_of_their_own() -> None:
    here = np.array([True] * 5 + [False] * 3)
    gbar = np.array([0.1, 0.2, 0.2, 0.3, 0.3, NAN, NAN, NAN])
    ek = np.array([-80.0, -80, -80, -80, -90, NAN, NAN, NAN])
    made = cell(mechanisms={"K": here}, parameters={"K": {"gbar": gbar}}, reversals={"k": ek})
    morphology, decor = graph_cell(made, "made")
    shape = segment_shape(morphology)
    found = {}
    for paint in decor:
        if isinstance(paint.item, ChannelDensity):
            for row in morphology.groups.get(paint.region, np.flatnonzero(morphology.tag == Tag.SOMA)).tolist():
                found[row] = paint.item.parameters["gbar"]
    assert [found[row] for row in shape.rows_at(1).tolist()] == [0.2, 0.2, 0.3, 0.3] and found[0] == 0.1
    potentials = {p.region: p.item.value for p in decor if isinstance(p.item, ReversalPotential)}
    assert potentials["soma"] == -80 and sorted(potentials.values()) == [-90, -80, -80, -80]
    assert all(p.item.law is Law.OHMIC for p in decor if isinstance(p.item, ChannelDensity))


def test_equal_values_are_one_statement_a_region() -> None:
    here = np.ones(8, dtype=bool)
    made = cell(mechanisms={"pas": here}, parameters={"pas": {"g": np.full(8, 1e-4), "e": np.full(8, -70.0)}})
    _, decor = graph_cell(made, "made")
    passive = [(p.region, p.item.density, p.item.reversal) for p in decor if isinstance(p.item, ChannelDensity)]
    assert passive == [("soma", 0.1, -70.0), ("axon", 0.1, -70.0), ("dend", 0.1, -70.0)]
    resistivity = {
        p.region: p.item.value
        for p in decor
        if isinstance(p.item, MembraneProperty) and p.item.kind == "axial_resistivity"
    }
    assert resistivity == {"soma": 100.0, "dend": 100.0, "axon": 150.0}


def test_calcium_that_moves_is_said() -> None:
    here = np.array([True] + [False] * 7)
    made = cell(mechanisms={"Ca": here}, moving={"ca": here})
    _, decor = graph_cell(made, "made")
    (density,) = (p.item for p in decor if isinstance(p.item, ChannelDensity))
    assert density.law is Law.NERNST


def test_places_are_found_by_the_numbers_of_the_circuit() -> None:
    morphology, _ = graph_cell(cell(), "made")
    rows, along = locate(morphology, np.array([0, 1, 2, 3]), np.array([0.5, 0.5, 1.0, 0.875]))
    assert rows.tolist() == [0, -1, 4, 2] and np.isnan(along[1])
    assert along[[0, 2, 3]].tolist() == [0.5, 1.0, 0.5]
    with pytest.raises(GraphError, match="sections from 0"):
        locate(morphology, np.array([-1]), np.array([0.5]))
    part = take_segments(morphology, morphology.tag != Tag.AXON)
    assert locate(part, np.array([2, 3]), np.array([0.5, 0.875]))[0].tolist() == [-1, 2]


def test_nix_keeps_the_numbers(tmp_path: Path) -> None:
    pytest.importorskip("nixio")
    morphology, decor = graph_cell(cell(), "made")
    network = Network("one", cells={"made": CableCell("made", decor)}, morphologies={"made": morphology})
    write(Document(network), tmp_path / "one.nix", "nix")
    again = read(tmp_path / "one.nix").network.morphologies["made"]
    assert again.numbers is not None and again.numbers.tolist() == [0, 3, 3, 2, 2]


def test_tags_are_those_of_arrays_then_of_lists() -> None:
    lists = {"axonal": np.array([1, 2]), "apical": np.array([3])}
    assert tags(["soma[0]", "myelin[0]", "extra[0]", "trunk[1]", "odd[0]"], lists).tolist() == [1, 2, 2, 4, 0]


def test_lists_that_are_no_region_are_groups() -> None:
    made = cell(lists={"somatic": np.array([0]), "myelinated": np.array([0, 2])})
    morphology, _ = graph_cell(made, "made")
    assert morphology.groups["myelinated"].tolist() == [0, 3, 4] and "somatic" not in morphology.groups
    assert replace(morphology, name="other").numbers is morphology.numbers
