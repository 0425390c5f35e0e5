"""Axon replacement against BMTK's own functions on NEURON cells: ``hobj.all`` is what Allen section ids index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pynn_io.errors import GraphError
from pynn_io.graph.morphology import (
    AXON_REPLACED,
    SPECIFICATION,
    apply_processing,
    areas,
    remap_sections,
    replace_axon,
    section_diameters,
    sections,
)
from pynn_io.importers.morphology import morphology_from_file
from tests.models import ball_and_stick
from tests.morphology.neuron_oracle import data_files, describe, neuron

FILES = [path for path in data_files(".swc") if path.name.endswith("_m.swc")]
each_file = pytest.mark.parametrize("path", FILES or [None], ids=lambda path: path.name if path else "none")


class PrincipalAxes:
    """What BMTK needs of scikit-learn's PCA, from the covariance matrix, so that the test runs without that package."""

    def __init__(self, n_components: int) -> None:
        self.components_ = np.zeros((n_components, 3))

    def fit(self, points: np.ndarray) -> None:
        self.components_ = np.linalg.eigh(np.cov(points.T))[1].T[::-1].copy()


def bmtk_cell(path: Path | None, fix: str) -> tuple[list[Any], Any]:
    """``hobj.all`` after a ``fix_axon_*`` of BMTK, and the cell, which must be kept alive."""
    if path is None:
        pytest.skip("../shared/data is not there")
    pytest.importorskip("bmtk")
    from bmtk.simulator.bionet.default_setters import cell_models

    h = neuron()
    for section in list(h.allsec()):
        h.delete_section(sec=section)
    if not hasattr(h, "Biophys1"):
        h.load_file(str(Path(cell_models.__file__).parents[1] / "default_templates" / "Biophys1.hoc"))
    if not hasattr(cell_models, "PCA"):
        cell_models.PCA = PrincipalAxes
    cell = h.Biophys1(str(path))
    getattr(cell_models, fix)(cell)
    return list(cell.all), cell


PROCESSING = {
    "fix_axon_peri": "aibs_perisomatic",
    "fix_axon_allactive": "aibs_allactive",
    "fix_axon_perisomatic_directed": "aibs_perisomatic_directed",
    "fix_axon_allactive_directed": "aibs_allactive_directed",
}


@each_file
@pytest.mark.parametrize("fix", PROCESSING)
def test_sections_after_processing_are_those_of_bmtk(path: Path | None, fix: str) -> None:
    there, _cell = bmtk_cell(path, fix)
    built = describe(there)
    ours, unknown = apply_processing(morphology_from_file(path), [PROCESSING[fix], "extracellular"])
    assert unknown == []
    derived = sections(ours, AXON_REPLACED)
    np.testing.assert_array_equal(derived.tag, built.tag)
    np.testing.assert_array_equal(derived.parent, built.parent)
    np.testing.assert_allclose(derived.parent_fraction, built.parent_fraction)
    np.testing.assert_allclose(derived.length, built.length, rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(section_diameters(ours, derived), built.diameter, rtol=5e-6)
    area = np.bincount(derived.segment_section, areas(ours))
    np.testing.assert_allclose(area, built.area, rtol=5e-5)
    if fix.endswith("directed"):
        stub = np.flatnonzero(ours.tag == 2)
        ends = [[s.x3d(1), s.y3d(1), s.z3d(1)] for s in there[-2:]]
        np.testing.assert_allclose(ours.distal[stub, :3], ends, atol=1e-3)


@each_file
def test_remapped_ids_are_the_same_sections(path: Path | None) -> None:
    """A section that BMTK's ``hobj.all`` has under an id has the geometry of the file's section of the other id."""
    there, _cell = bmtk_cell(path, "fix_axon_peri")
    built = describe(there)
    whole = morphology_from_file(path)
    ids = np.arange(len(there))
    to = remap_sections(whole, ids, source=AXON_REPLACED, target=SPECIFICATION)
    np.testing.assert_array_equal(np.ma.getmaskarray(to), built.tag == 2)
    kept = to.compressed()
    derived = sections(whole)
    np.testing.assert_array_equal(derived.tag[kept], built.tag[:-2])
    np.testing.assert_allclose(derived.length[kept], built.length[:-2], rtol=1e-6, atol=1e-4)
    back = remap_sections(whole, kept, source=SPECIFICATION, target=AXON_REPLACED)
    np.testing.assert_array_equal(back, ids[:-2])


def test_names_that_are_not_known_come_back() -> None:
    whole = ball_and_stick()
    same, unknown = apply_processing(whole, ("fullaxon", "axon_bbpv6", "extracellular"))
    assert same is whole
    assert unknown == ["axon_bbpv6"]


def test_a_stub_needs_a_soma_and_an_axon_where_it_copies_one() -> None:
    whole = ball_and_stick()
    without = replace_axon(whole)
    assert (without.tag == 2).sum() == 2
    bare = whole.__class__(
        "bare",
        *(getattr(whole, n)[:1] for n in ("id", "parent", "fraction_along")),
        whole.proximal[:1],
        whole.distal[:1],
        whole.tag[:1],
    )
    with pytest.raises(GraphError, match="'bare' has no axon"):
        apply_processing(bare, ("aibs_allactive",))
    neurite = whole.__class__(
        "neurite",
        *(getattr(whole, n)[:1] for n in ("id", "parent", "fraction_along")),
        whole.proximal[:1],
        whole.distal[:1],
        whole.tag[2:3],
    )
    with pytest.raises(GraphError, match="'neurite' has no soma"):
        apply_processing(neurite, ("aibs_perisomatic",))


def test_where_the_stub_is_and_how_thick() -> None:
    stubbed = replace_axon(ball_and_stick(), lengths=(30, 20), diameters=(2, 1.5), at=1.0)
    assert stubbed.id[-2:].tolist() == [7, 8]
    assert stubbed.parent[-2:].tolist() == [0, stubbed.size - 2]
    assert stubbed.fraction_along[-2:].tolist() == [1, 1]
    assert stubbed.proximal[-2:].tolist() == [[0, 10, 0, 2], [0, -20, 0, 1.5]]
    assert stubbed.distal[-2:].tolist() == [[0, -20, 0, 2], [0, -40, 0, 1.5]]
