"""What every picture shares: style, matplotlib on use, saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pynn_io.errors import BackendUnavailable, WriteError

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.labelcolor": "#333333",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "legend.frameon": False,
    "svg.fonttype": "none",
}


def import_matplotlib() -> tuple[Any, Any]:
    """matplotlib and its Figure class. Raises BackendUnavailable."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        hint = "pip install 'pynn_io[plot]'"
        raise BackendUnavailable(f"drawing needs the package {error.name!r}", hint=hint) from error
    return matplotlib, Figure


def save(figure: Any, path: Path) -> None:
    """Raises WriteError."""
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise WriteError(f"the picture cannot be written: {error.strerror or error}", where=path) from error


def cut(text: str, length: int) -> str:
    """The text, at most ``length`` characters of it, with an ellipsis as the last where some are left out."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
