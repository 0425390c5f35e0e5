"""What NEURON's Import3d makes of a morphology file, as plain arrays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NAMES = {"soma": 1, "axon": 2, "dend": 3, "apic": 4}


def data_files(suffix: str) -> list[Path]:
    """Files of the test data with content, each name once."""
    found = {path.name: path for path in sorted(DATA.rglob(f"*{suffix}")) if path.stat().st_size}
    return [found[name] for name in sorted(found)]


class Built(NamedTuple):
    tag: np.ndarray
    length: np.ndarray
    diameter: np.ndarray
    area: np.ndarray
    parent: np.ndarray
    parent_fraction: np.ndarray


def import3d(path: Path) -> Built:
    """Sections in the order of ``h.allsec`` after Import3d."""
    h = neuron()
    for section in list(h.allsec()):
        h.delete_section(sec=section)
    reader = h.Import3d_SWC_read() if path.suffix == ".swc" else h.Import3d_Neurolucida3()
    reader.quiet = 1
    reader.input(str(path))
    h.Import3d_GUI(reader, 0).instantiate(None)
    built = describe(list(h.allsec()))
    for section in list(h.allsec()):
        h.delete_section(sec=section)
    return built


def describe(sections: list[Any]) -> Built:
    row = {section: number for number, section in enumerate(sections)}
    for section in sections:
        section.nseg = 1
    seats = [section.parentseg() for section in sections]
    return Built(
        np.array([NAMES[section.name().split(".")[-1][:4]] for section in sections]),
        np.array([section.L for section in sections]),
        np.array([section.diam for section in sections]),
        np.array([section(0.5).area() for section in sections]),
        np.array([row[seat.sec] if seat else -1 for seat in seats]),
        np.array([seat.x if seat else 0.0 for seat in seats]),
    )


def neuron() -> Any:
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    h = pytest.importorskip("neuron").h
    h.load_file("stdlib.hoc")
    h.load_file("import3d.hoc")
    return h
