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
    "surroundings": "Ex17 changes the temperature while it runs, which a plan cannot state",
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
