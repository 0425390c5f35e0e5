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

SCRIPT = ("synfire", "balanced")
TARGETS = ("sonata", "sonata+obi", "neuroml", "nix")


@cache
def document(name: str) -> Document:
    return read(SCRIPTS / f"{name}.py")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SCRIPT)
def test_what_is_lost_is_named(name: str, target: str, tmp_path: Path) -> None:
    if target == "nix":
        pytest.importorskip("nixio")
    captured = document(name)
    out = tmp_path / ("out.nix" if target == "nix" else "out")
    report = write(captured, out, target)
    again = read(_main_file(out, target), format=target.partition("+")[0], report=report)
    lost = [str(item) for item in diff(captured.network, again.network) if not names(report, item.subject)]
    # NeuroML has no values a cell: the population becomes one a cell, under other names
    if (name, target) != ("balanced", "neuroml"):
        assert lost == []
    assert sum(item.size for item in again.network.projections.values()) == sum(
        item.size for item in captured.network.projections.values()
    )


def _main_file(out: Path, target: str) -> Path:
    """NeuroML is read by its main file."""
    if target != "neuroml":
        return out
    lems = sorted(out.glob("LEMS*.xml"))
    return lems[0] if lems else next(out.glob("*.net.nml"))
