"""Neurolucida ASC and h5v1: structure by hand, against h5py and MorphIO; broken files are refused with their place."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io import Report
from pynn_io.errors import FormatError, ReadError
from pynn_io.formats.neurolucida import parse_asc
from pynn_io.graph.morphology import SomaKind, section_counts, sections
from pynn_io.importers.morphology import morphology_from_file, read
from tests.morphology.neuron_oracle import import3d

ASC = """; a comment
("CellBody" (Color Red) (CellBody)
  (12 0 0 0) (0 10 0 0) (-11 1 0 0) (0 -9 0 0))
( (Color Blue) (Dendrite)
  (10 0 0 2) ; root
  (20 0 0 2) <( (20 1 0 0.1) )>
  (30 0 0 1)
  (Dot (Color White) (Name "Marker 1") (31 0 0 1))
  (
    (40 5 0 1) (50 5 0 1 S2) Normal
  |
    (40 -5 0 0.5)
    ( (60 -5 0 0.5) | (60 -15 0 0.5) High )
  ) )
( (Axon) (0 -10 0 1) (0 -50 0 1) )
(Thumbnail (Cols 1))
"""


def test_a_file_by_hand(tmp_path: Path) -> None:
    (tmp_path / "cell.asc").write_text(ASC)
    report = Report()
    morphology = morphology_from_file(tmp_path / "cell.asc", report)
    assert morphology.soma_kind is SomaKind.CONTOUR
    assert section_counts(morphology) == {1: 1, 2: 1, 3: 5}
    derived = sections(morphology)
    assert derived.parent.tolist() == [-1, 0, 0, 2, 2, 4, 4]
    assert derived.parent_fraction.tolist() == pytest.approx([0, 0.5, 0.5, 1, 1, 1, 1])
    step = np.hypot(10, 5)
    assert derived.length[1:].tolist() == pytest.approx([40, 20, step + 10, step, 20, np.hypot(20, 10)])
    # a section begins at its parent's end, with its own first diameter
    first = derived.first[4]
    assert morphology.proximal[first].tolist() == [30, 0, 0, 0.5]
    assert {issue.message.partition(":")[0] for issue in report if issue.code == "asc-item"} == {
        "spine",
        "dot",
        "thumbnail",
    }


def test_the_same_file_in_neuron(tmp_path: Path) -> None:
    path = tmp_path / "cell.asc"
    path.write_text(ASC.replace(" <( (20 1 0 0.1) )>", "").partition("(Thumbnail")[0])
    built = import3d(path)
    derived = sections(morphology_from_file(path))
    assert derived.tag.tolist() == built.tag.tolist()
    assert derived.parent.tolist() == built.parent.tolist()
    np.testing.assert_allclose(derived.length, built.length, rtol=1e-6)


def test_a_stack_of_outlines(tmp_path: Path) -> None:
    """Squares of side 20 at z = 0 and 10: NEURON has a circle for each, as wide as the mean of two measures."""
    square = "(10 10 {0} 0) (-10 10 {0} 0) (-10 -10 {0} 0) (10 -10 {0} 0)"
    text = "".join(f'("CellBody" (CellBody) {square.format(z)})\n' for z in (0, 10))
    path = tmp_path / "cell.asc"
    path.write_text(text + "((Dendrite) (30 0 0 1) (60 0 0 1))\n")
    built = import3d(path)
    derived = sections(morphology_from_file(path))
    assert derived.length[0] == pytest.approx(10, rel=1e-6)
    assert derived.length.tolist() == pytest.approx(built.length.tolist(), rel=1e-6)


def test_deep_forks_do_not_exhaust_the_stack() -> None:
    depth = 5000
    record = parse_asc("((Dendrite) (0 0 0 1)" + " ((1 1 1 1)" * depth + ")" * depth + ")", "deep.asc")
    assert len(record.tag) == depth + 1


BROKEN = {
    "never closed": ("((Axon) (0 0 0 1)\n", 1, "never closed"),
    "closed too often": ("((Axon) (0 0 0 1))\n)\n", 2, "closes nothing"),
    "not a list": ("1 1 0 0 0 1 -1\n", 1, "not a Neurolucida ASC file"),
    "two coordinates": ("((Axon)\n (0 0))\n", 2, "fewer than 3"),
    "a word in a point": ("((Axon)\n (0 x 0 1))\n", 2, "'x' stands where a coordinate should"),
    "negative diameter": ("((Axon)\n (0 0 0 1)\n(0 0 0 -1))\n", 3, "negative diameter"),
    "not finite": ("((Axon)\n (nan 0 0 1))\n", 2, "not finite"),
    "point after a fork": ("((Axon)\n (0 0 0 1)\n ((1 0 0 1) | (0 1 0 1))\n (2 0 0 1))\n", 4, "follows a fork"),
    "open string": ('("CellBody (0 0 0 1))\n', 1, "never closed"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_asc_is_refused_at_its_line(name: str) -> None:
    text, line, words = BROKEN[name]
    with pytest.raises(ReadError, match=words) as caught:
        parse_asc(text, "cell.asc")
    assert caught.value.where == f"cell.asc:{line}"


def test_an_asc_without_cells_is_refused() -> None:
    with pytest.raises(ReadError, match="no soma and no neurite"):
        parse_asc("(Thumbnail (Cols 1))", "cell.asc")


def write_h5(group: h5py.Group, *, parent: int = 1) -> None:
    """A soma of one point, a dendrite that forks."""
    points = [
        [0, 0, 0, 20],
        [10, 0, 0, 2],
        [20, 0, 0, 2],
        [20, 0, 0, 1],
        [30, 5, 0, 1],
        [20, 0, 0, 1.5],
        [30, -5, 0, 1],
    ]
    group["points"] = np.array(points, dtype="f4")
    group["structure"] = np.array([[0, 1, -1], [1, 3, 0], [3, 3, parent], [5, 3, 1]], dtype="i4")


def test_h5_by_hand(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "cell.h5", "w") as file:
        write_h5(file)
    morphology = morphology_from_file(tmp_path / "cell.h5", Report())
    assert morphology.soma_kind is SomaKind.SPHERE
    derived = sections(morphology)
    assert derived.parent.tolist() == [-1, 0, 1, 1]
    assert derived.length.tolist() == pytest.approx([20, 10, np.hypot(10, 5), np.hypot(10, 5)])
    assert morphology.proximal[derived.first[2:], 3].tolist() == [1, 1.5]


def test_a_container_holds_many(tmp_path: Path) -> None:
    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:
        for name in ("b", "a"):
            write_h5(file.create_group(name))
    document = read(path, Report())
    assert document.network.populations["many"].cells == ("a", "b")
    assert document.network.morphologies["b"].name == "b"
    with pytest.raises(ReadError, match="no morphology 'c'"):
        morphology_from_file(path, Report(), "c")


def test_broken_h5_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "cell.h5"
    with h5py.File(path, "w") as file:
        write_h5(file, parent=3)
    with pytest.raises(ReadError, match="section 2") as caught:
        morphology_from_file(path)
    assert caught.value.where == f"{path}://structure".replace("//", "/")
    with h5py.File(path, "w") as file:
        file["points"] = np.zeros((3, 4))
    with pytest.raises(ReadError, match="points and structure"):
        morphology_from_file(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ReadError, match="not a readable HDF5 file") as caught:
        morphology_from_file(path)
    assert caught.value.where == str(path)


def test_h5_as_morphio_reads_it(data: Path) -> None:
    morphio = pytest.importorskip("morphio")
    path = data / "sonata_obi" / "snap_data" / "morphologies" / "morph-A.h5"
    there = morphio.Morphology(str(path), options=morphio.Option.nrn_order)
    derived = sections(morphology_from_file(path))
    rest = derived.tag != 1
    assert derived.tag[rest].tolist() == [int(kind) for kind in there.section_types]
    lengths = [np.linalg.norm(np.diff(section.points, axis=0), axis=1).sum() for section in there.sections]
    np.testing.assert_allclose(derived.length[rest], lengths, rtol=1e-6)


def test_another_suffix_is_not_a_morphology(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"\.txt"):
        morphology_from_file(tmp_path / "cell.txt")
