"""Every model of ../shared/data/neuroml is read whole: what is not read is listed here, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from pynn_io import Report
from pynn_io.errors import GraphError, ReadError
from pynn_io.graph.validate import problems
from pynn_io.importers.neuroml import read
from pynn_io.report import Kind

DATA = Path(__file__).parents[3] / "shared" / "data" / "neuroml"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no models in ../shared/data/neuroml")

#: code -> why this is not in the graph.
JUSTIFIED = {
    "network": "a document may define several networks, and one is simulated",
    "population-size": "Ex26 says size 3 and lists 9 instances",
}
BROKEN = {
    "LEMS_m_in_b_out.xml": (GraphError, "LEMS_m_in_b_out.xml:35: '../pyramidal_soma/0/pyr_soma_m_out_b_in'"),
    "LEMS_NML2_Ex5_DetCell_unformatted.xml": (ReadError, "NML2_SingleCompHHCell.nml"),
}


def files() -> list[Path]:
    return sorted(path for path in DATA.rglob("*") if path.suffix in (".nml", ".xml"))


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(DATA)))
def test_it_is_read_whole(path: Path) -> None:
    report = Report()
    if path.name in BROKEN:
        kind, text = BROKEN[path.name]
        with pytest.raises(kind) as caught:
            read(path, report)
        assert text in str(caught.value)
        return
    document = read(path, report)
    left = {issue.code: str(issue.where) for issue in report.of_kind(Kind.NOT_READ) if issue.code not in JUSTIFIED}
    assert left == {}
    assert problems(document.network) == []


@pytest.mark.parametrize(
    "name",
    [
        "allen_472450023/CellTypesDatabase/models/NeuroML2/Cell_472450023.cell.nml",
        "neuroml2_core/examples/NML2_FullCell.nml",
        "neuroml2_core/examples/NML2_MultiCompCellNetwork.nml",
    ],
)
def test_libneuroml_agrees_on_segments_and_groups(name: str) -> None:
    loaders = pytest.importorskip("neuroml.loaders")
    network = read(DATA / name, Report()).network
    (theirs,) = [cell for cell in loaders.NeuroMLLoader.load(str(DATA / name)).cells if cell.morphology is not None][:1]
    ours = network.morphologies[theirs.id]
    assert sorted(ours.id.tolist()) == sorted(segment.id for segment in theirs.morphology.segments)
    assert list(ours.groups) == [group.id for group in theirs.morphology.segment_groups]
    for group in theirs.morphology.segment_groups:
        if group.paths or group.sub_trees:
            continue  # libNeuroML does not expand them
        assert sorted(ours.id[ours.groups[group.id]].tolist()) == sorted(theirs.get_all_segments_in_group(group.id))
    for segment in theirs.morphology.segments[::50]:
        row = ours.id.tolist().index(segment.id)
        if row in ours.spheres:
            continue
        near, far = theirs.get_actual_proximal(segment.id), segment.distal
        assert ours.proximal[row].tolist() == pytest.approx([near.x, near.y, near.z, near.diameter])
        assert ours.distal[row].tolist() == [far.x, far.y, far.z, far.diameter]
