"""Overlay plots of what was published and what was found, as pictures that a page can hold."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pynn_io.archive.values import Check
from pynn_io.results.results import Results
from pynn_io.show.plot_histograms import draw_histograms
from pynn_io.show.plot_overlay import draw_overlay


@dataclass(frozen=True, slots=True)
class Picture:
    """url: ``data:`` of a PNG. what: is drawn, in words. part: of a page's width, per cent, so that the letters of all
    pictures have one size."""

    url: str
    what: str
    part: int = 100


def pictures_of(check: Check, backend: str) -> Iterator[Picture]:
    """Rasters and traces of a check, and the distributions where there are enough spikes for any.

    Raises BackendUnavailable without matplotlib.
    """
    if check.pair is None or not any(map(_drawable, check.pair)):
        return
    published, found = check.pair
    runs = [("published", published), (backend, found)]
    with tempfile.TemporaryDirectory() as folder:
        overlay, histograms = Path(folder, "overlay.png"), Path(folder, "histograms.png")
        draw_overlay(runs, overlay)
        yield Picture(_url(overlay), _contents(check.pair))
        if draw_histograms(runs, histograms, null=check.null):
            yield Picture(_url(histograms), "distributions", 100 * _width(histograms) // _width(overlay))


def _url(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def _width(png: Path) -> int:
    """Pixels: the first number of the IHDR chunk, which comes first."""
    return int.from_bytes(png.read_bytes()[16:20], "big")


def _drawable(results: Results) -> bool:
    return bool(results.spikes or results.traces)


def _contents(pair: tuple[Results, Results]) -> str:
    found = {"spikes": any(each.spikes for each in pair), "traces": any(each.traces for each in pair)}
    return " and ".join(name for name, held in found.items() if held)
