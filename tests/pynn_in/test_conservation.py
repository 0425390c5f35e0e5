"""Captured networks through the other formats: what does not come back is named in the report."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from pynn_io import Document, read, write
from pynn_io.audit import names
from pynn_io.graph.compare import diff
from tests.pynn_in.scripts import SCRIPTS

pytest.importorskip("pyNN")
pytestmark = pytest.mark.slow

#: NeuroML has no values a cell: ``balanced`` becomes a population a cell there, under other names.
CASES = (
    ("synfire", "sonata"),
    ("synfire", "neuroml"),
    ("balanced", "sonata"),
    ("balanced", "sonata+obi"),
    ("balanced", "nix"),
    ("synfire", "pynn"),
    ("balanced", "pynn"),
)


@cache
def document(name: str) -> Document:
    return read(SCRIPTS / f"{name}.py")


@pytest.mark.parametrize(("name", "target"), CASES)
def test_what_is_lost_is_named(name: str, target: str, tmp_path: Path) -> None:
    if target == "nix":
        pytest.importorskip("nixio")
    captured = document(name)
    out = tmp_path / ("out.nix" if target == "nix" else "out")
    report = write(captured, out, target)
    again = read(main_file(out, target), format=target.partition("+")[0], report=report)
    lost = [str(item) for item in diff(captured.network, again.network) if not names(report, item.subject)]
    assert lost == []
    assert sum(item.size for item in again.network.projections.values()) == sum(
        item.size for item in captured.network.projections.values()
    )


def main_file(out: Path, target: str) -> Path:
    """NeuroML is read by its main file."""
    if target != "neuroml":
        return out
    lems = sorted(out.glob("LEMS*.xml"))
    return lems[0] if lems else next(out.glob("*.net.nml"))
