# ruff: noqa: E501
"""Morphologies: inherited ends, spheres, orders of segments, groups of every kind, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pynn_io.graph.morphology import Morphology, SomaKind, areas
from pynn_io.graph.segments import GroupNotes, PathParameter
from tests.neuroml_in.documents import cable, load

TREE = """
<segment id="3" name="tip"><parent segment="2"/><distal x="10" y="100" z="0" diameter="1"/></segment>
<segment id="2" name="dend"><parent segment="0" fractionAlong="0.25"/><distal x="10" y="50" z="0" diameter="2"/></segment>
<segment id="0" name="soma"><proximal x="0" y="0" z="0" diameter="20"/><distal x="20" y="8" z="-4" diameter="12"/></segment>
<segment id="7"><parent segment="0" fractionAlong="1"/><proximal x="20" y="8" z="-4" diameter="3"/>
  <distal x="60" y="8" z="-4" diameter="1"/></segment>
"""


def morphology(tmp_path, body: str) -> Morphology:
    document, _ = load(tmp_path, cable(body))
    return document.network.morphologies["pyr"]


def test_parents_come_first_and_ends_are_inherited(tmp_path):
    found = morphology(tmp_path, TREE)
    assert found.id.tolist() == [0, 2, 3, 7]
    assert found.parent.tolist() == [-1, 0, 1, 0]
    assert found.fraction_along.tolist() == [0.0, 0.25, 1.0, 1.0]
    # a quarter of the way along the soma, with its diameter there; then the parent's far end
    assert found.proximal.tolist() == [[0, 0, 0, 20], [5, 2, -1, 18], [10, 50, 0, 2], [20, 8, -4, 3]]
    assert found.distal[2].tolist() == [10, 100, 0, 1]
    assert found.names == {0: "soma", 1: "dend", 2: "tip"}
    assert found.soma_kind is SomaKind.CYLINDERS


@pytest.mark.parametrize("proximal", ['<proximal x="1" y="2" z="3" diameter="10"/>', ""], ids=["stated", "missing"])
def test_a_root_without_length_is_a_sphere(tmp_path, proximal):
    body = (
        f'<segment id="0">{proximal}<distal x="1" y="2" z="3" diameter="10"/></segment>'
        '<segment id="1"><parent segment="0"/><distal x="51" y="2" z="3" diameter="2"/></segment>'
    )
    document, report = load(tmp_path, cable(body))
    found = document.network.morphologies["pyr"]
    assert found.soma_kind is SomaKind.SPHERE and found.spheres == {0: (1.0, 2.0, 3.0)}
    assert areas(found)[0] == pytest.approx(np.pi * 100)  # of a sphere of 10 um
    # the child begins at the sphere's point with its diameter, as NeuroML says
    assert found.proximal[1].tolist() == [1, 2, 3, 10]
    assert ("root-proximal" in report.codes()) == (proximal == "")


GROUPS = """
<segmentGroup id="early"><include segmentGroup="late"/></segmentGroup>
<segmentGroup id="late"><member segment="2"/></segmentGroup>
<segmentGroup id="way"><path><from segment="0"/><to segment="3"/></path></segmentGroup>
<segmentGroup id="up"><path><to segment="2"/></path></segmentGroup>
<segmentGroup id="beyond"><subTree><from segment="2"/></subTree></segmentGroup>
<segmentGroup id="section" neuroLexId="sao864921383"><notes>one</notes>
  <property tag="numberInternalDivisions" value="5"/><property tag="colour" value="red"/>
  <member segment="2"/><member segment="3"/>
  <inhomogeneousParameter id="p1" variable="p" metric="Path Length from root">
    <proximal translationStart="0"/><distal normalizationEnd="1"/></inhomogeneousParameter></segmentGroup>
<segmentGroup id="old"><annotation><property tag="numberInternalDivisions" value="3"/></annotation>
  <member segment="7"/></segmentGroup>
<segmentGroup id="soma_group"><member segment="0"/></segmentGroup>
<segmentGroup id="mine" neuroLexId="GO:0030424"><member segment="7"/></segmentGroup>
<segmentGroup id="dendrite_group"><include segmentGroup="section"/></segmentGroup>
"""


def test_groups(tmp_path):
    document, report = load(tmp_path, cable(TREE + GROUPS))
    found = document.network.morphologies["pyr"]
    ids = {name: found.id[rows].tolist() for name, rows in found.groups.items()}
    assert ids == {
        "early": [2],
        "late": [2],
        "way": [0, 2, 3],
        "up": [0, 2],
        "beyond": [2, 3],
        "section": [2, 3],
        "old": [7],
        "soma_group": [0],
        "mine": [7],
        "dendrite_group": [2, 3],
    }
    assert found.tag.tolist() == [1, 3, 3, 2]
    assert found.notes["section"] == GroupNotes(
        "sao864921383", 5, (), (PathParameter("p1", "p", 0.0, 1.0),), (("colour", "red"),), "one"
    )
    assert found.notes["old"] == GroupNotes(divisions=3)
    assert found.notes["early"].includes == ("late",)
    assert "late" not in found.notes
    assert [issue.examples for issue in report if issue.code == "segment-path"] == [["way"], ["up"], ["beyond"]]


def test_libneuroml_agrees_on_the_members_of_groups(tmp_path):
    loaders = pytest.importorskip("neuroml.loaders")
    from tests.neuroml_in.documents import write

    document, _ = load(tmp_path, cable(TREE + GROUPS))
    ours = document.network.morphologies["pyr"]
    cell = loaders.NeuroMLLoader.load(str(write(tmp_path, cable(TREE + GROUPS), "again.nml"))).cells[0]
    # libNeuroML expands neither paths nor subtrees
    for name in ("early", "late", "section", "old", "soma_group", "mine", "dendrite_group"):
        assert sorted(cell.get_all_segments_in_group(name)) == sorted(ours.id[ours.groups[name]].tolist()), name
    for segment in cell.morphology.segments:
        row = int(np.flatnonzero(ours.id == segment.id)[0])
        near = cell.get_actual_proximal(segment.id)
        assert [near.x, near.y, near.z, near.diameter] == pytest.approx(ours.proximal[row].tolist())
