"""Compiled mechanisms of all simulators: a folder of the user, an index of what it holds, and how a build ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

#: Environment variable that moves the cache.
CACHE_VARIABLE = "PYNN_IO_CACHE"


def cache_folder() -> Path:
    """Where compiled mechanisms are kept: $PYNN_IO_CACHE, else the user's cache folder of this platform."""
    stated = os.environ.get(CACHE_VARIABLE)
    if stated:
        return Path(stated).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "pynn_io"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pynn_io"


def indexed(texts: Mapping[str, str], index: Path, compiled: Callable[[Mapping[str, str]], Path]) -> tuple[Path, ...]:
    """Libraries that hold generated mechanisms (name -> text), every one in one of them; those not there are compiled.

    A name changes with its text, so that a mechanism is compiled once for all models: where some are missing they
    become a library of their own, and an index says which holds what. One process at a time does so: two libraries with
    the same mechanism in them cannot both be loaded.
    """
    found = {name: _entry(index / name) for name in texts}
    if None in found.values():
        with _alone(index):
            found = {name: _entry(index / name) for name in texts}
            missing = {name: text for name, text in texts.items() if found[name] is None}
            if missing:
                found |= dict.fromkeys(missing, _indexed_now(missing, index, compiled))
    return tuple(dict.fromkeys(library for library in found.values() if library is not None))


def _indexed_now(missing: Mapping[str, str], index: Path, compiled: Callable[[Mapping[str, str]], Path]) -> Path:
    library = compiled(missing)
    index.mkdir(parents=True, exist_ok=True)
    for name in missing:
        entry = index / name
        staged = entry.with_name(f"{name}.{os.getpid()}.part")
        staged.write_text(str(library), encoding="utf-8")
        staged.replace(entry)
    return library


@contextmanager
def _alone(index: Path) -> Iterator[None]:
    """While others that would add to this index wait. The system ends the wait with the process, however that ends.

    Where no file can be made there is nothing to wait for: to compile will fail, and say why.
    """
    import fcntl

    with ExitStack() as stack:
        with suppress(OSError):
            index.parent.mkdir(parents=True, exist_ok=True)
            fcntl.flock(stack.enter_context(index.with_name(f"{index.name}.lock").open("w")), fcntl.LOCK_EX)
        yield


def _entry(entry: Path) -> Path | None:
    """The library that an entry of the index names, if it is still there."""
    try:
        library = Path(entry.read_text(encoding="utf-8"))
    except OSError:
        return None
    return library if library.is_file() else None


@contextmanager
def ended_by_exception() -> Iterator[None]:
    """SIGTERM, which an interrupted run sends, as an exception: the process would end and leave what it builds."""

    def end(number: int, _: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():  # where Python sets no handlers
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
