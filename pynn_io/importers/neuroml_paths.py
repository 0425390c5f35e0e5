"""Paths of cells, as elements outside of lists state them."""

from __future__ import annotations

import re

from pynn_io.errors import ReadError

_PATH = re.compile(r"(?:\.\./)*([A-Za-z_]\w*)(?:\[(\d+)\]|/(\d+)(?:/(\w+))?)/?\Z")


def cell_path(text: str, where: str) -> tuple[str, int, str]:
    """Population, instance id and component (empty where not named) of a path to a cell. Raises ReadError."""
    match = _PATH.match(text)
    if match is None:
        raise ReadError(f"{text!r} is not the path of a cell, such as ../pop/0/cell or ../pop[0]", where=where)
    return match[1], int(match[2] or match[3]), match[4] or ""
