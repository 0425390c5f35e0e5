"""What is said where a simulator has none of a network's cells: empty results would look like silent ones."""

from __future__ import annotations

from collections.abc import Iterable

from pynn_io.errors import RunError

ON_NEURON = "Cable cells and nrn: models run with --backend neuron."
ELSEWHERE = "Another backend may have them: pynn-run --list names all."


def nothing_left(title: str, messages: Iterable[str], elsewhere: str) -> RunError:
    """The error. messages: what was reported of the cells that are left out."""
    message = f"{title} has none of the cells of this network: nothing is left to run"
    return RunError(message, hint=" ".join([*sorted(set(messages)), elsewhere]))
