"""Scripts written for a test, and the same script on a real backend of PyNN, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from pynn_io import Document, Report, read
from tests.conftest import ROOT

SCRIPTS = ROOT / "fixtures" / "pynn"
_ORIGINAL = Path(__file__).with_name("original.py")


def captured(text: str, folder: Path, **options: object) -> tuple[Document, Report]:
    """The document and the report of a script of this text."""
    script = folder / "script.py"
    script.write_text(text)
    report = Report()
    return read(script, report=report, **options), report


def on_pynn(script: Path, backend: str, folder: Path, *arguments: str) -> dict[str, np.ndarray]:
    """What a script gives on a real backend.

    ``spikes/LABEL``: (row, ms) of a population; ``trace/LABEL/VARIABLE``: samples from time 0 on, by time and cell;
    ``edges/NUMBER``: (pre, post, weight, delay) of the nth projection.
    """
    out = folder / f"{backend}.npz"
    command = [sys.executable, str(_ORIGINAL), backend, str(out), str(script), *(arguments or (backend,))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=500)
    assert out.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    with np.load(out) as file:
        return dict(file)
