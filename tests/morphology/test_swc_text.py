"""SWC text: what is legal is read, what is not is refused at its line, and numbers are written to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pynn_io import Report
from pynn_io.errors import ReadError, WriteError
from pynn_io.formats.swc import parse_swc, read_swc, write_swc
from pynn_io.graph.morphology import SomaKind
from pynn_io.importers.morphology import morphology_from_file

HEAD = "# a comment\n1 1 0 0 0 5 -1\n"

BROKEN = {
    "repeated id": (HEAD + "2 3 9 0 0 1 1\n2 3 19 0 0 1 1\n", 4, "point 2 is already on line 3"),
    "unknown parent": (HEAD + "2 3 9 0 0 1 7\n", 3, "the parent 7 is not in the file"),
    "unknown parent below all": ("5 1 0 0 0 5 -1\n6 3 9 0 0 1 0\n", 2, "the parent 0 is not in the file"),
    "own parent": (HEAD + "2 3 9 0 0 1 2\n", 3, "its own parent"),
    "cycle": (HEAD + "2 3 9 0 0 1 4\n3 3 9 0 0 1 2\n4 3 9 0 0 1 3\n", 3, "its own ancestor"),
    "six columns": (HEAD + "\n2 3 9 0 0 1\n", 4, "6 columns where SWC has 7"),
    "eight columns": (HEAD + "2 3 9 0 0 1 1 4\n", 3, "8 columns where SWC has 7"),
    "word": (HEAD + "2 3 9 zero 0 1 1\n", 3, "y is 'zero', not a number"),
    "comma for point": (HEAD + "2 3 9,5 0 0 1 1\n", 3, "x is '9,5', not a number"),
    "not a number": (HEAD + "2 3 9 nan 0 1 1\n", 3, "y is nan"),
    "infinite radius": (HEAD + "2 3 9 0 0 inf 1\n", 3, "radius is inf"),
    "broken id": (HEAD + "2.5 3 9 0 0 1 1\n", 3, "id is '2.5', not a whole number"),
    "negative radius": (HEAD + "2 3 9 0 0 -1 1\n", 3, "the radius is -1.0"),
    "negative id": ("-4 1 0 0 0 5 -1\n", 1, "the point's number is -4"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused_at_their_line(name: str, tmp_path: Path) -> None:
    text, line, words = BROKEN[name]
    path = tmp_path / "cell.swc"
    path.write_text(text)
    with pytest.raises(ReadError) as caught:
        morphology_from_file(path, Report())
    assert caught.value.where == f"{path}:{line}"
    assert words in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "# only comments\n\n"])
def test_a_file_without_points_is_refused(text: str) -> None:
    with pytest.raises(ReadError, match="there are no points") as caught:
        parse_swc(text, "cell.swc")
    assert caught.value.where == "cell.swc"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="No such file") as caught:
        read_swc(tmp_path / "gone.swc")
    assert caught.value.where == str(tmp_path / "gone.swc")


def test_spaces_tabs_line_ends_and_whole_floats() -> None:
    record = parse_swc("#a\r\n 1\t1 0 0 0 5 -1\r\n\r\n2.0 3.0 9 1e1 -.5 1 1.0 # tail\r\n", "cell.swc")
    assert record.id.tolist() == [1, 2]
    assert record.id.dtype == record.parent.dtype == record.tag.dtype == np.int64
    assert record.position[1].tolist() == [9.0, 10.0, -0.5]
    assert record.line.tolist() == [2, 4]
    assert record.comments == ("a",)


def test_ids_beyond_53_bits() -> None:
    big = 2**60 + 1
    record = parse_swc(f"{big} 1 0 0 0 5 -1\n{big + 1} 3 9 0 0 1 {big}\n", "cell.swc")
    assert record.id.tolist() == [big, big + 1]
    assert record.parent.tolist() == [-1, big]


def test_a_parent_after_its_child_is_legal(tmp_path: Path) -> None:
    path = tmp_path / "cell.swc"
    path.write_text("4 3 30 0 0 1 3\n3 3 20 0 0 1 2\n2 3 10 0 0 2 1\n1 1 0 0 0 5 -1\n")
    morphology = morphology_from_file(path, Report())
    assert morphology.id.tolist() == [1, 3, 4]
    assert morphology.parent.tolist() == [-1, 0, 1]
    assert morphology.proximal_id.tolist() == [-1, 2, -1]


def test_several_roots_stay_several(tmp_path: Path) -> None:
    path = tmp_path / "cell.swc"
    path.write_text("1 1 0 0 0 5 -1\n2 3 90 0 0 1 -1\n3 3 95 0 0 1 2\n")
    morphology = morphology_from_file(path, Report())
    assert morphology.parent.tolist() == [-1, -1]
    assert morphology.proximal[1].tolist() == [90, 0, 0, 2]


def test_radius_zero_is_reported_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "cell.swc"
    path.write_text("1 1 0 0 0 5 -1\n2 3 9 0 0 0 1\n3 3 19 0 0 1 2\n")
    report = Report()
    morphology_from_file(path, report)
    (issue,) = report
    assert (issue.code, issue.count, issue.examples) == ("zero-radius", 1, ["line 2"])


def test_an_outline_in_swc_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "cell.swc"
    path.write_text("1 1 0 0 0 0 -1\n2 1 5 5 0 0 1\n3 1 0 9 0 0 2\n4 3 9 0 0 1 1\n5 3 19 0 0 1 4\n")
    report = Report()
    morphology_from_file(path, report)
    (issue,) = report
    assert "look like an outline" in issue.message
    assert issue.count == 3


SOMAS = {
    "none": ("1 3 0 0 0 1 -1\n2 3 9 0 0 1 1\n", SomaKind.NONE),
    "sphere": ("1 1 0 0 0 1 -1\n2 3 9 0 0 1 1\n", SomaKind.SPHERE),
    "three": ("1 1 0 0 0 10 -1\n2 1 0 -10 0 10 1\n3 1 0 10 0 10 1\n", SomaKind.THREE_POINT),
    "three, rounded": ("1 1 0 0 0 3.333 -1\n2 1 0 -3.33 0 3.333 1\n3 1 0 3.34 0 3.333 1\n", SomaKind.THREE_POINT),
    "three, 2 % too long": ("1 1 0 0 0 10 -1\n2 1 0 -10.2 0 10 1\n3 1 0 10.2 0 10 1\n", SomaKind.CYLINDERS),
    "three in a row": ("1 1 0 0 0 10 -1\n2 1 0 -10 0 10 1\n3 1 0 10 0 10 2\n", SomaKind.CYLINDERS),
    "two": ("1 1 0 0 0 10 -1\n2 1 0 -10 0 10 1\n", SomaKind.CYLINDERS),
}


@pytest.mark.parametrize("name", SOMAS)
def test_what_the_soma_points_mean(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cell.swc"
    path.write_text(SOMAS[name][0])
    assert morphology_from_file(path, Report()).soma_kind is SOMAS[name][1]


def test_a_sphere_is_a_cylinder_along_y(tmp_path: Path) -> None:
    path = tmp_path / "cell.swc"
    path.write_text("7 1 1 2 3 10 -1\n8 3 20 2 3 1 7\n9 3 40 2 3 0.5 8\n")
    morphology = morphology_from_file(path, Report())
    assert morphology.proximal[0].tolist() == [1, -8, 3, 20]
    assert morphology.distal[0].tolist() == [1, 12, 3, 20]
    # the dendrite begins at its own first point, on the middle of the soma
    assert (morphology.parent[1], morphology.fraction_along[1]) == (0, 0.5)
    assert morphology.proximal[1].tolist() == [20, 2, 3, 2]
    assert (morphology.id[1], morphology.proximal_id[1]) == (9, 8)


def test_numbers_are_written_to_the_last_bit(tmp_path: Path) -> None:
    text = "1 1 0.1 1e-300 -0.0 3.3333333333333335 -1\n2 3 123456789.12345679 2.5 1e+22 0.30000000000000004 1\n"
    record = parse_swc("# one\n#two\n" + text, "cell.swc")
    write_swc(tmp_path / "out.swc", record, [" before"])
    assert (tmp_path / "out.swc").read_text().splitlines()[:3] == ["# before", "# one", "#two"]
    again = read_swc(tmp_path / "out.swc")
    for name in ("id", "tag", "position", "radius", "parent"):
        assert getattr(again, name).tobytes() == getattr(record, name).tobytes()


def test_bytes_that_are_not_utf8_survive_in_comments(tmp_path: Path) -> None:
    (tmp_path / "in.swc").write_bytes(b"# M\xfcller\n1 1 0 0 0 1 -1\n")
    write_swc(tmp_path / "out.swc", read_swc(tmp_path / "in.swc"))
    assert (tmp_path / "out.swc").read_bytes().startswith(b"# M\xfcller\n")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    record = parse_swc("1 1 0 0 0 1 -1\n", "cell.swc")
    with pytest.raises(WriteError) as caught:
        write_swc(tmp_path / "nowhere" / "out.swc", record)
    assert caught.value.where == str(tmp_path / "nowhere" / "out.swc")
