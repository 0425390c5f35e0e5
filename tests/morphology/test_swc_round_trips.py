"""SWC -> graph -> SWC is the identity; what other morphologies lose in SWC is in the report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynn_io import Report
from pynn_io.document import Document
from pynn_io.errors import WriteError
from pynn_io.exporters.swc import write, write_morphology
from pynn_io.formats.swc import read_swc
from pynn_io.graph.morphology import (
    Morphology,
    SomaKind,
    areas,
    replace_axon,
    section_counts,
    sections,
    with_standard_groups,
)
from pynn_io.graph.network import Network
from pynn_io.graph.point_writer import to_points
from pynn_io.graph.points import Points, from_points
from pynn_io.graph.segments import lengths
from pynn_io.importers.morphology import morphology_from_file, read
from pynn_io.pipeline import convert
from tests.models import ball_and_stick
from tests.morphology.neuron_oracle import data_files

NUMBER = st.floats(-1e6, 1e6, allow_subnormal=False)


@st.composite
def point_trees(draw: st.DrawFn) -> Points:
    """Any point tree: gaps in the numbers, several roots, any tags, zero radii, parents after children."""
    size = draw(st.integers(1, 30))
    ids = draw(st.lists(st.integers(0, 2**62), min_size=size, max_size=size, unique=True))
    parents = [-1 if row == 0 else draw(st.integers(-1, row - 1)) for row in range(size)]
    tags = [draw(st.sampled_from([0, 1, 1, 2, 3, 3, 3, 4, 7])) for _ in range(size)]
    places = draw(st.lists(st.tuples(NUMBER, NUMBER, NUMBER), min_size=size, max_size=size))
    radii = draw(st.lists(st.floats(0, 1e4, allow_subnormal=False), min_size=size, max_size=size))
    points = Points(
        np.array(ids, dtype=np.int64),
        np.array(tags, dtype=np.int64),
        np.array(places, dtype=float).reshape(-1, 3),
        np.array(radii, dtype=float),
        np.array([ids[row] if row >= 0 else -1 for row in parents], dtype=np.int64),
    )
    order = draw(st.permutations(range(size)))
    return Points(*(column[list(order)] for column in points))


def by_id(points: Points) -> list[bytes]:
    order = np.argsort(points.id)
    return [np.ascontiguousarray(column[order]).tobytes() for column in points]


@settings(max_examples=400, deadline=None)
@given(point_trees())
def test_any_point_tree_comes_back_to_the_last_bit(points: Points) -> None:
    morphology = from_points("random", points)
    written = to_points(morphology)
    assert by_id(written.points) == by_id(points)
    assert written[1:] == ([], [], [], [], False)


@settings(max_examples=200, deadline=None)
@given(point_trees())
def test_the_graph_of_any_point_tree_is_sound(points: Points) -> None:
    morphology = from_points("random", points)
    assert (morphology.parent < np.arange(morphology.size)).all()
    assert len(set(morphology.id.tolist())) == morphology.size
    everybody = {*morphology.id.tolist(), *morphology.proximal_id.tolist()} - {-1}
    assert everybody == set(points.id.tolist())
    assert not morphology.distal.flags.writeable


@pytest.mark.parametrize("path", data_files(".swc") or [None], ids=lambda path: path.name if path else "none")
def test_files_come_back_whole(path: Path | None, tmp_path: Path) -> None:
    if path is None:
        pytest.skip("../shared/data is not there")
    result = convert(path, tmp_path / "out.swc", to="swc")
    assert [issue.code for issue in result.report if issue.code != "zero-radius"] == []

    def rows(file: Path) -> list[list[float]]:
        lines = [line.split() for line in file.read_text().splitlines() if line.strip() and not line.startswith("#")]
        return sorted([float(word) for word in line] for line in lines)

    assert rows(tmp_path / "out.swc") == rows(path)


def test_three_points_that_are_a_little_off_come_back(tmp_path: Path) -> None:
    text = "4 1 0 0 0 3.333 -1\n5 1 0 -3.33 0 3.334 4\n6 1 0 3.34 0 3.333 4\n7 3 9 0 0 1 4\n8 3 19 0 0 1 7\n"
    (tmp_path / "in.swc").write_text(text)
    convert(tmp_path / "in.swc", tmp_path / "out.swc", to="swc")
    one, two = read_swc(tmp_path / "in.swc"), read_swc(tmp_path / "out.swc")
    assert by_id(Points(one.id, one.tag, one.position, one.radius, one.parent)) == by_id(
        Points(two.id, two.tag, two.position, two.radius, two.parent)
    )


def written(morphology: Morphology, folder: Path) -> tuple[Morphology, Report]:
    report = Report()
    write_morphology(morphology, folder / "out.swc", report)
    return morphology_from_file(folder / "out.swc", Report()), report


def test_a_stick_model_becomes_points_with_its_areas(tmp_path: Path) -> None:
    again, report = written(ball_and_stick(), tmp_path)
    assert areas(again).sum() == pytest.approx(areas(ball_and_stick()).sum())
    assert [(issue.code, issue.kind) for issue in report] == [("swc-split", "EXPANDED"), ("swc-renumbered", "EXPANDED")]
    assert section_counts(again) == section_counts(ball_and_stick())
    np.testing.assert_allclose(sections(again).length, sections(ball_and_stick()).length)
    np.testing.assert_allclose(sections(again).parent_fraction, sections(ball_and_stick()).parent_fraction)


def test_a_gap_is_reported_as_a_piece_of_membrane(tmp_path: Path) -> None:
    whole = ball_and_stick()
    proximal = whole.proximal.copy()
    proximal[3, :3] = [60, 0, 0]  # 10 um beyond the end of its parent
    again, report = written(replace(whole, proximal=proximal), tmp_path)
    (issue,) = [issue for issue in report if issue.code == "swc-gap"]
    assert (issue.kind, issue.count, issue.examples) == ("APPROXIMATED", 1, ["segment 4"])
    assert lengths(again).sum() == pytest.approx(lengths(whole).sum() - 50 + np.hypot(30, 30) + 10)


def test_a_step_in_diameter_is_reported(tmp_path: Path) -> None:
    whole = ball_and_stick()
    proximal = whole.proximal.copy()
    proximal[3, 3] = 1.0
    again, report = written(replace(whole, proximal=proximal), tmp_path)
    (issue,) = [issue for issue in report if issue.code == "swc-diameter-step"]
    assert issue.examples == ["segment 4"]
    stated, in_swc = np.pi * 1.0 * 50, np.pi * 1.5 * np.hypot(50, 0.5)  # a cylinder; a frustum from diameter 2 to 1
    assert areas(again).sum() == pytest.approx(areas(replace(whole, proximal=proximal)).sum() - stated + in_swc)


def test_groups_are_lost_by_name_unless_they_are_the_tags(tmp_path: Path) -> None:
    groups = with_standard_groups(ball_and_stick()).groups | {"tuft": np.array([5])}
    _, report = written(replace(ball_and_stick(), groups=groups), tmp_path)
    assert [issue.examples for issue in report if issue.code == "segment-groups"] == [["tuft"]]


def test_a_stub_of_two_sections_is_one_in_swc(tmp_path: Path) -> None:
    stubbed = replace_axon(ball_and_stick())
    again, report = written(stubbed, tmp_path)
    assert sections(again).size == sections(stubbed).size - 1
    assert [issue.count for issue in report if issue.code == "swc-sections"] == [1]


def test_a_lone_file_is_a_network_of_one_cell(tmp_path: Path) -> None:
    (tmp_path / "cell.swc").write_text("# hello\n1 1 0 0 0 5 -1\n2 3 9 0 0 1 1\n")
    document = read(tmp_path / "cell.swc", Report())
    assert document.network.populations["cell"].size == 1
    assert document.network.populations["cell"].cells == ("cell",)
    assert document.network.cells["cell"].morphology == "cell"
    assert document.network.morphologies["cell"].soma_kind is SomaKind.SPHERE
    report = Report()
    write(document, tmp_path / "out.swc", report)
    assert len(report) == 0
    assert (tmp_path / "out.swc").read_text().splitlines()[0] == "# hello"


def test_names_make_safe_and_different_files(tmp_path: Path) -> None:
    names = ["a/b", "a_b", "../up", "plain"]
    network = Network("net", morphologies={name: ball_and_stick() for name in names})
    report = Report()
    write(Document(network), tmp_path / "out", report)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "_up.swc",
        "a_b.swc",
        "a_b_2.swc",
        "plain.swc",
    ]
    assert sum(issue.code == "file-name" for issue in report) == 3


def test_several_morphologies_do_not_fit_in_one_file(tmp_path: Path) -> None:
    network = Network("net", morphologies={"a": ball_and_stick(), "b": ball_and_stick()})
    with pytest.raises(WriteError, match="2 morphologies"):
        write(Document(network), tmp_path / "out.swc", Report())
    with pytest.raises(WriteError, match="no morphology"):
        write(Document(Network("net")), tmp_path / "out", Report())
