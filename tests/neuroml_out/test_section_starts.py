"""jNeuroML's NEURON export throws where a section's first segment states no proximal point (a NullPointerException)."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from pynn_io.document import Document
from pynn_io.exporters.neuroml import write
from pynn_io.importers.neuroml import read
from pynn_io.report import Report
from tests.models import MODELS
from tests.sonata_out.test_neuroml_as_sonata import NET

NS = "{http://www.neuroml.org/schema/neuroml2}"


def _born(folder: Path) -> Document:
    path = folder / "net.nml"
    path.write_text(NET)
    return read(path, Report())


@pytest.mark.parametrize("source", ["cable", "neuroml"])
def test_the_first_segment_of_a_section_states_where_it_begins(tmp_path: Path, source: str) -> None:
    """Others need not: those that go on where the segment before them ends state nothing."""
    document = MODELS["cable"]() if source == "cable" else _born(tmp_path)
    write(document, tmp_path / "out", Report())
    first, others = [], []
    for path in (tmp_path / "out").glob("*.cell.nml"):
        root = etree.parse(str(path)).getroot()
        stated = {each.get("id"): each.find(f"{NS}proximal") is not None for each in root.iter(f"{NS}segment")}
        for group in root.iter(f"{NS}segmentGroup"):
            if group.get("neuroLexId") == "sao864921383":
                members = [member.get("segment") for member in group.iter(f"{NS}member")]
                first.append(stated[members[0]])
                others += [stated[each] for each in members[1:]]
    assert len(first) > 1 and all(first)
    assert source == "cable" or not all(others)
