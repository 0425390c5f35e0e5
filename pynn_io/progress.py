"""How long work says how far it is: a function that readers and writers call, and that only a command makes visible."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

#: ``progress(what, done, total)``; called after every block, from one thread. A simulation counts biological ms.
Progress: TypeAlias = Callable[[str, float, float], None]


def quiet(what: str, done: float, total: float) -> None:
    """Nobody is watching."""


class Local:
    """A progress function that stays in its process: what is read lazily keeps it, and may be sent to another."""

    __slots__ = ("_progress",)

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __call__(self, what: str, done: float, total: float) -> None:
        self._progress(what, done, total)

    def __reduce__(self) -> tuple[Callable[[], Progress], tuple[()]]:
        return _quiet, ()


def _quiet() -> Progress:
    return quiet
