"""Overlay plots of what was published and what was found, as files that a page can hold."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

from pynn_io.archive.values import Check
from pynn_io.results.results import Results
from pynn_io.show.plot_overlay import draw_overlay


def picture_of(check: Check, backend: str) -> str:
    """A ``data:`` URL of a PNG; empty where the check has nothing to draw. Raises BackendUnavailable."""
    if check.pair is None or not any(map(_drawable, check.pair)):
        return ""
    published, found = check.pair
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "overlay.png")
        draw_overlay([("published", published), (backend, found)], path, title=check.name)
        return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def _drawable(results: Results) -> bool:
    return bool(results.spikes or results.traces)
