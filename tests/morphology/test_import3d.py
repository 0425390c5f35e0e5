"""Sections, lengths, diameters and areas against NEURON's Import3d, and section order against MorphIO's nrn_order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pynn_io import Report
from pynn_io.graph.morphology import Morphology, SomaKind, areas, path_length, section_diameters, sections
from pynn_io.importers.morphology import morphology_from_file
from tests.morphology.neuron_oracle import data_files, import3d, neuron

HAND_MADE = {
    "single point": "1 1 5 6 7 10 -1\n2 3 5 20 7 1 1\n3 3 5 40 7 0.5 2\n4 4 5 -20 7 1 1\n5 4 5 -60 7 2 4\n",
    "three points": "1 1 0 0 0 10 -1\n2 1 0 -10 0 10 1\n3 1 0 10 0 10 1\n4 3 12 0 0 1 1\n5 3 50 0 0 1 4\n",
    "three points along x": "1 1 0 0 0 10 -1\n2 1 -10 0 0 10 1\n3 1 10 0 0 10 1\n4 3 0 12 0 1 1\n5 3 0 50 0 1 4\n",
    "three frusta": "1 1 0 0 0 10 -1\n2 1 0 -15 0 10 1\n3 1 0 10 0 10 1\n4 3 12 0 0 1 1\n5 3 50 0 0 1 4\n",
    "chain, neurites everywhere": (
        "1 1 0 0 0 5 -1\n2 1 0 10 0 8 1\n3 1 0 20 0 4 2\n4 3 9 0 0 1 1\n5 3 50 0 0 1 4\n"
        "6 3 9 10 0 1 2\n7 3 50 10 0 1 6\n8 4 0 30 0 1 3\n9 4 0 90 0 2 8\n10 2 -9 10 0 1 2\n"
    ),
    "forked soma": (
        "1 1 0 0 0 5 -1\n2 1 0 10 0 8 1\n3 1 5 20 0 4 2\n4 1 -5 20 0 4 2\n5 3 0 12 9 1 2\n6 3 0 12 50 1 5\n"
        "7 3 9 30 0 1 3\n8 3 9 60 0 1 7\n"
    ),
    "one-point neurite": "1 1 0 0 0 10 -1\n2 3 0 20 0 1 1\n3 3 0 40 0 1 2\n4 2 0 -30 0 2 1\n",
    "fork at a first point": (
        "1 1 0 0 0 10 -1\n2 3 0 20 0 1 1\n3 3 0 40 0 1 2\n4 3 20 0 0 1 1\n5 3 40 0 0 1 4\n6 3 40 9 0 1 4\n"
        "7 3 60 9 0 1 6\n"
    ),
    "fork at the second point of the file": (
        "1 1 0 0 0 10 -1\n2 3 20 0 0 1 1\n3 3 40 0 0 1 2\n4 3 40 9 0 1 2\n5 3 60 9 0 1 4\n"
    ),
    "axon on a dendrite": (
        "1 1 0 0 0 10 -1\n2 3 20 0 0 1 1\n3 3 40 0 0 3 2\n4 2 60 0 0 1 3\n5 2 80 9 0 1 4\n6 3 60 -9 0 1 3\n"
        "7 3 80 -9 0 1 6\n"
    ),
    "no soma": (
        "1 3 0 0 0 1 -1\n2 3 10 0 0 2 1\n3 3 20 0 0 1 2\n4 3 30 5 0 1 3\n5 3 30 -5 0 1 3\n6 3 0 10 0 1 1\n"
        "7 3 0 20 0 1 6\n"
    ),
}

#: Their points have no diameters, which Neurolucida writes and NEURON reads, and MorphIO does not.
WITHOUT_DIAMETERS = ("cell_big.asc", "cell_small.asc")


def as_stored(morphology: Morphology) -> Morphology:
    """The same with points as NEURON stores them: binary32."""
    near, far = (a.astype(np.float32).astype(float) for a in (morphology.proximal, morphology.distal))
    return replace(morphology, proximal=near, distal=far)


def compare(path: Path) -> None:
    built = import3d(path)
    morphology = as_stored(morphology_from_file(path))
    derived = sections(morphology)
    np.testing.assert_array_equal(derived.tag, built.tag)
    np.testing.assert_array_equal(derived.parent, built.parent)
    # NEURON lumps neurites inside a soma of several points at 0.5; here they keep their place
    inside = (derived.tag != 1) & (built.tag[built.parent] == 1) & (built.parent >= 0) & (built.parent_fraction == 0.5)
    np.testing.assert_allclose(derived.parent_fraction[~inside], built.parent_fraction[~inside], atol=1e-6)
    # a coordinate of 1000 um has a binary32 rounding of 3e-5 um, which NEURON's "%.8g" may shift once more
    slack = 1e-4 if np.abs(morphology.distal).max() > 300 else 1e-6
    np.testing.assert_allclose(derived.length, built.length, rtol=1e-6, atol=slack)
    # a length error of one rounding is felt in the area as in the length, whatever the diameter
    area = np.bincount(derived.segment_section, areas(morphology))
    np.testing.assert_allclose(area, built.area, rtol=2e-6 + (slack / derived.length).max(), atol=1e-9)
    np.testing.assert_allclose(section_diameters(morphology), built.diameter, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("path", data_files(".swc") or [None], ids=lambda path: path.name if path else "none")
def test_swc_files_as_neuron_builds_them(path: Path | None) -> None:
    if path is None:
        pytest.skip("../shared/data is not there")
    compare(path)


@pytest.mark.parametrize("path", data_files(".asc") or [None], ids=lambda path: path.name if path else "none")
def test_asc_files_as_neuron_builds_them(path: Path | None) -> None:
    if path is None:
        pytest.skip("../shared/data is not there")
    compare(path)


@pytest.mark.parametrize("name", HAND_MADE)
def test_hand_made_trees_as_neuron_builds_them(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cell.swc"
    path.write_text(HAND_MADE[name])
    compare(path)


@st.composite
def trees(draw: st.DrawFn) -> str:
    """A soma of one point with neurites, depth first, as reconstruction tools write them."""
    lines, where = ["1 1 0 0 0 8 -1"], {1: (0, 0, 0)}

    def grow(parent: int, tag: int, depth: int) -> None:
        for _ in range(draw(st.integers(1, 4))):
            number = len(lines) + 1
            step = draw(st.tuples(*[st.integers(-20, 20)] * 3).filter(any))
            where[number] = tuple(a + b for a, b in zip(where[parent], step, strict=True))
            radius = draw(st.integers(1, 12)) / 4
            lines.append(f"{number} {tag} {' '.join(map(str, where[number]))} {radius} {parent}")
            parent = number
        if depth < 3 and draw(st.booleans()):
            for _ in range(2):
                grow(parent, tag, depth + 1)

    for _ in range(draw(st.integers(1, 4))):
        grow(1, draw(st.integers(2, 4)), 0)
    return "\n".join(lines) + "\n"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees())
def test_random_trees_as_neuron_builds_them(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("random") / "cell.swc"
    path.write_text(text)
    compare(path)


@pytest.mark.parametrize(
    "path", [*data_files(".swc"), *data_files(".asc")] or [None], ids=lambda p: p.name if p else "none"
)
def test_section_order_is_morphios_nrn_order(path: Path | None) -> None:
    morphio = pytest.importorskip("morphio")
    if path is None:
        pytest.skip("../shared/data is not there")
    collector = morphio.WarningHandlerCollector()
    if path.name in WITHOUT_DIAMETERS:
        with pytest.raises(morphio.MorphioError, match="floatType"):
            morphio.Morphology(str(path), warning_handler=collector)
        return
    there = morphio.Morphology(str(path), options=morphio.Option.nrn_order, warning_handler=collector)
    morphology = morphology_from_file(path)
    derived = sections(morphology)
    rest = derived.tag != 1
    np.testing.assert_array_equal(derived.tag[rest], [int(kind) for kind in there.section_types])
    ends = morphology.distal[derived.segments[derived.offsets[1:] - 1], :3][rest]
    np.testing.assert_allclose(ends, [section.points[-1] for section in there.sections], rtol=1e-6, atol=1e-4)


def test_path_length_as_neurons_distance(tmp_path: Path) -> None:
    """NEURON measures from soma(0); a neurite that leaves soma(0.5) begins half a soma later."""
    path = tmp_path / "cell.swc"
    path.write_text(HAND_MADE["fork at a first point"])
    h = neuron()
    reader = h.Import3d_SWC_read()
    reader.input(str(path))
    h.Import3d_GUI(reader, 0).instantiate(None)
    built = list(h.allsec())
    far = [h.distance(built[0](0), section(1)) for section in built]
    for section in built:
        h.delete_section(sec=section)
    morphology = morphology_from_file(path)
    derived = sections(morphology)
    ends = derived.segments[derived.offsets[1:] - 1]
    np.testing.assert_allclose(path_length(morphology)[1][ends], far, rtol=1e-6)


def test_an_outline_is_the_stack_of_circles_that_neuron_makes() -> None:
    files = data_files(".asc")
    if not files:
        pytest.skip("../shared/data is not there")
    report = Report()
    morphology = morphology_from_file(files[0], report)
    assert morphology.soma_kind is SomaKind.CONTOUR
    assert [issue.code for issue in report] == ["soma-outline"]
    built = import3d(files[0])
    assert areas(morphology)[morphology.tag == 1].sum() == pytest.approx(built.area[0], rel=1e-6)
