"""Prints docs/support.md, and the head of it in README.md, from the support tables: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

from pynn_io.vocabulary.support import TARGETS, Support, matrix
from pynn_io.vocabulary.unavailable import UNAVAILABLE

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- support: printed by docs/make_support.py -->", "<!-- end of support -->"
#: Rows of the matrix that the README shows.
HEAD = (
    "Point cells",
    "Spike sources (virtual nodes)",
    "Morphologies of cable cells",
    "Channel densities",
    "Ion channels as NMODL mechanisms",
    "HOC cell templates",
    "Positions, ids, weights, delays, per-cell parameters",
    "Synapses at given sections",
    "Rotations of cable cells",
    "Spike trains",
    "Current clamps",
    "Node sets",
)
INTRODUCTION = """\
# What each target can carry

Printed from the tables that the audit uses (`pynn_io/vocabulary/support.py`): what is **no** or **nearly** here is what
a conversion reports as LOST or APPROXIMATED, with the same words. `make docs` prints this page again.
"""
NOT_HERE = """\
## Known, and not to be had here

`--backend` refuses these by name, with the reason (exit status 6).

| | why |
|---|---|"""


class Notes:
    """Reasons, numbered as they come up."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def cell(self, support: Support) -> str:
        word = {"exact": "yes", "approximate": "nearly", "no": "no"}[support.level]
        if not support.reason:
            return word
        if support.reason not in self.reasons:
            self.reasons.append(support.reason)
        return f"{word} ({self.reasons.index(support.reason) + 1})"


def table(rows: list[tuple[str, dict[str, Support]]], notes: Notes) -> list[str]:
    lines = ["| | " + " | ".join(TARGETS) + " |", "|---|" + "---|" * len(TARGETS)]
    for title, cells in rows:
        name = f"`{title}`" if ":" in title and " " not in title else title
        lines.append(f"| {name} | " + " | ".join(notes.cell(cells[target]) for target in TARGETS) + " |")
    return lines


def page() -> str:
    rows, notes = list(matrix()), Notes()
    lines = [*table(rows, notes), ""]
    lines += [f"{n}. {reason}" for n, reason in enumerate(notes.reasons, 1)]
    known = [f"| {title} (`{name}`) | {reason} |" for name, title, reason in UNAVAILABLE]
    return "\n".join([INTRODUCTION, *lines, "", NOT_HERE, *known]) + "\n"


def head() -> str:
    found, notes = dict(matrix()), Notes()
    lines = table([(title, found[title]) for title in HEAD if title in found], notes)
    reasons = "; ".join(f"({n}) {reason}" for n, reason in enumerate(notes.reasons, 1))
    return "\n".join([*lines, "", f"{reasons}."])


def readme(text: str) -> str:
    """The README with the head of the matrix between its two marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{head()}\n{END}{after}"


def main() -> int:
    target = ROOT / "README.md"
    (ROOT / "docs" / "support.md").write_text(page(), encoding="utf-8")
    target.write_text(readme(target.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
