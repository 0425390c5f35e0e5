"""Names of the graph from PyNN's labels, which need not be unique, nor fit for a file."""

from __future__ import annotations

import re

from pynn_io.report import Report

#: What no name can be in HDF5, and so in SONATA, NIX and NeuroML's HDF5.
_RESERVED = {"": "unnamed", ".": "_", "..": "__", "@library": "_library"}
_FORBIDDEN = re.compile("[/\0]")


class Names:
    """Hands out names. A label stays as it is if it is new and can be a name in a file; else it is kept beside it."""

    def __init__(self, kind: str, report: Report) -> None:
        self._kind = kind
        self._report = report
        self._taken: set[str] = set()

    def take(self, label: str) -> str:
        """A name that nobody has yet."""
        fit = _RESERVED.get(label, _FORBIDDEN.sub("_", label))
        name, number = fit, 2
        while name in self._taken:
            name, number = f"{fit}_{number}", number + 1
        self._taken.add(name)
        self._report.expanded(
            "renamed",
            f"{self._kind}s",
            f"A {self._kind}'s name is unique, and has no '/': one whose label is not so has another name, and its "
            "label as a column.",
            count=int(name != label),
            examples=[f"{label!r} is {name!r}"],
        )
        return name
