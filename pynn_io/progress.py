"""How long work says how far it is: a function that readers and writers call, and that only a command makes visible."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

#: ``progress(what, done, total)``; called after every block, from one thread. A simulation counts biological ms.
Progress: TypeAlias = Callable[[str, float, float], None]


def quiet(what: str, done: float, total: float) -> None:
    """Nobody is watching."""
