"""Sections, places on them and section numbers in both orders, against numbers worked out by hand and each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynn_io.errors import GraphError
from pynn_io.graph.morphology import (
    AXON_REPLACED,
    SPECIFICATION,
    LazyMorphologies,
    Morphology,
    areas,
    lengths,
    locate,
    path_length,
    position,
    remap_sections,
    replace_axon,
    section_counts,
    sections,
    with_standard_groups,
)
from pynn_io.graph.points import Points, from_points
from tests.models import ball_and_stick
from tests.morphology.test_swc_round_trips import point_trees

#: soma; apical of 2 + fork; basal; axon of 3 points and a fork; tag 6; in an order that is not that of the types
TREE = """
1 1 0 0 0 10 -1
2 4 20 0 0 1 1
3 4 30 0 0 1 2
4 4 40 0 0 1 3
5 4 60 0 0 1 4
6 4 40 30 0 1 4
7 3 -20 0 0 1 1
8 3 -30 0 0 1 7
9 2 0 -20 0 1 1
10 2 0 -30 0 1 9
11 2 0 -40 0 1 10
12 2 9 -40 0 1 11
13 2 -9 -40 0 1 11
14 6 0 0 20 1 1
15 6 0 0 25 1 14
"""


def tree() -> Morphology:
    rows = np.array([[float(word) for word in line.split()] for line in TREE.strip().splitlines()])
    ids, tags, parents = (rows[:, column].astype(np.int64) for column in (0, 1, 6))
    return from_points("tree", Points(ids, tags, rows[:, 2:5], rows[:, 5], parents))


def test_order_parents_and_lengths() -> None:
    derived = sections(tree())
    assert derived.tag.tolist() == [1, 2, 2, 2, 3, 4, 4, 4, 6]
    assert derived.parent.tolist() == [-1, 0, 1, 1, 0, 0, 5, 5, 0]
    assert derived.parent_fraction.tolist() == [0, 0.5, 1, 1, 0.5, 0.5, 1, 1, 0.5]
    assert derived.length.tolist() == [20, 20, 9, 9, 10, 20, 20, 30, 5]
    assert [tree().id[derived.rows(section)].tolist() for section in (1, 5, 7)] == [[10, 11], [3, 4], [6]]
    assert section_counts(tree()) == {1: 1, 2: 3, 3: 1, 4: 3, 6: 1}


def test_the_axon_is_last_in_the_other_order() -> None:
    assert sections(tree(), AXON_REPLACED).tag.tolist() == [1, 3, 4, 4, 4, 6, 2, 2, 2]
    with pytest.raises(GraphError, match="no section order 'sideways'"):
        sections(tree(), "sideways")


def test_section_numbers_after_the_axon_was_replaced() -> None:
    to = remap_sections(tree(), np.arange(9), source=SPECIFICATION, target=AXON_REPLACED)
    assert to.tolist() == [0, None, None, None, 1, 2, 3, 4, 5]
    back = remap_sections(tree(), np.arange(8), source=AXON_REPLACED, target=SPECIFICATION)
    assert back.tolist() == [0, 4, 5, 6, 7, 8, None, None]
    masked = remap_sections(
        tree(), np.ma.array([1, 99], mask=[False, True]), source=AXON_REPLACED, target=SPECIFICATION
    )
    assert masked.tolist() == [4, None]
    with pytest.raises(GraphError, match="8 sections") as caught:
        remap_sections(tree(), np.array([3, 8, -1]), source=AXON_REPLACED, target=SPECIFICATION)
    assert caught.value.problems == ("8 (row 1)", "-1 (row 2)")


def test_places_by_hand() -> None:
    rows, fraction = locate(tree(), np.array([5, 5, 5, 5, 7]), np.array([0.25, 0.5, 0.75, 1.0, 0.5]))
    assert tree().id[rows].tolist() == [3, 3, 4, 4, 6]
    assert fraction.tolist() == [0.5, 1.0, 0.5, 1.0, 0.5]


def test_places_in_the_other_order() -> None:
    rows, fraction = locate(tree(), np.array([1, 5, 6, 7]), np.full(4, 0.5), order=AXON_REPLACED)
    assert tree().tag[rows[:2]].tolist() == [3, 6]
    assert rows[2:].tolist() == [-1, -1]
    assert np.isnan(fraction[2:]).all()
    stubbed = replace_axon(tree())
    rows, fraction = locate(stubbed, np.array([1, 5, 6, 7]), np.full(4, 0.5), order=AXON_REPLACED)
    assert stubbed.tag[rows].tolist() == [3, 6, 2, 2]
    assert rows[2:].tolist() == [stubbed.size - 2, stubbed.size - 1]


@pytest.mark.parametrize(("section", "place"), [(9, 0.5), (-1, 0.5), (0, 1.1), (0, -0.1), (0, np.nan)])
def test_places_outside_are_refused(section: int, place: float) -> None:
    with pytest.raises(GraphError, match="morphology 'tree'"):
        locate(tree(), np.array([0, section]), np.array([0.5, place]))


@settings(max_examples=200, deadline=None)
@given(point_trees(), st.sampled_from([SPECIFICATION, AXON_REPLACED]))
def test_sections_partition_the_segments(points: Points, order: str) -> None:
    morphology = from_points("random", points)
    derived = sections(morphology, order)
    assert sorted(derived.segments.tolist()) == list(range(morphology.size))
    assert derived.offsets[-1] == morphology.size
    assert derived.length.sum() == pytest.approx(lengths(morphology).sum())
    for section in range(derived.size):
        rows = derived.rows(section)
        assert (derived.segment_section[rows] == section).all()
        assert (morphology.tag[rows] == derived.tag[section]).all()
        assert (morphology.parent[rows[1:]] == rows[:-1]).all()
        assert rows[0] == derived.first[section]
        above = morphology.parent[rows[0]]
        assert derived.parent[section] == (derived.segment_section[above] if above >= 0 else -1)


@settings(max_examples=200, deadline=None)
@given(point_trees(), st.data())
def test_places_on_sections_and_segments_are_each_others_inverse(points: Points, data: st.DataObject) -> None:
    morphology = from_points("random", points)
    derived = sections(morphology)
    ids = np.array(data.draw(st.lists(st.integers(0, derived.size - 1), min_size=1, max_size=9)))
    at = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(ids), max_size=len(ids))))
    rows, fraction = locate(morphology, ids, at)
    assert (derived.segment_section[rows] == ids).all()
    again, back = position(morphology, rows, fraction)
    assert (again == ids).all()
    long = derived.length[ids] > 1e-6 * lengths(morphology).sum()
    np.testing.assert_allclose(back[long], at[long], atol=1e-6)


def test_areas_and_path_lengths_by_hand() -> None:
    # frustum of length 50, diameters 2 and 1: pi (r1 + r2) sqrt(L^2 + (r1 - r2)^2)
    assert areas(ball_and_stick())[3] == pytest.approx(np.pi * 1.5 * np.sqrt(50**2 + 0.25))
    assert areas(ball_and_stick())[0] == pytest.approx(np.pi * 20 * 20)
    near, far = path_length(ball_and_stick())
    assert near.tolist() == [0, 0, 10, 60, 60, 20]
    assert far.tolist() == [20, 50, 60, 110, 110, 220]


def test_standard_groups() -> None:
    groups = with_standard_groups(ball_and_stick()).groups
    assert {name: rows.tolist() for name, rows in groups.items()} == {
        "all": [0, 1, 2, 3, 4, 5],
        "soma": [0],
        "axon": [1],
        "dend": [2, 3, 4],
        "apic": [5],
    }


def test_morphologies_are_read_once_and_only_when_asked_for(tmp_path: Path) -> None:
    here = tmp_path / "here.swc"
    here.touch()
    asked: list[str] = []

    def load(path: Path, name: str) -> Morphology:
        asked.append(f"{path.name}:{name}")
        return ball_and_stick()

    lazy = LazyMorphologies({"a": here, "b": tmp_path / "gone.swc"}, load)
    assert (list(lazy), len(lazy), "a" in lazy, "c" in lazy) == (["a", "b"], 2, True, False)
    assert lazy.missing() == ("b",)
    assert lazy.path("b") == tmp_path / "gone.swc"
    assert asked == []
    assert lazy["a"] is lazy["a"]
    assert asked == ["here.swc:a"]
    with pytest.raises(KeyError):
        lazy["c"]
