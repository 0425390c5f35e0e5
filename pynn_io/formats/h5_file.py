"""HDF5 files opened for reading, so that whatever h5py says of a broken one is a ReadError that names the file.

h5py has no error class of its own: damage inside a file surfaces as KeyError, RuntimeError, OSError, ValueError or
TypeError, depending on which structure is hit. Here an error counts as the file's if h5py raised it; the same classes
raised by other code are bugs and pass through.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import h5py

from pynn_io.errors import ReadError

_HINT = "it is truncated, damaged, not HDF5, or open elsewhere"


@contextmanager
def open_h5(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file for reading. Raises ReadError for a missing, truncated or foreign file, and for what h5py finds
    damaged while the file is read."""
    try:
        handle = h5py.File(path, "r")
    except FileNotFoundError:
        raise ReadError("no such file", where=path) from None
    except OSError as error:
        raise ReadError(f"not a readable HDF5 file: {error}", where=path, hint=_HINT) from error
    with handle, damage(path):
        yield handle


@contextmanager
def damage(where: object) -> Iterator[None]:
    """Turn what h5py raises inside into a ReadError at ``where``."""
    try:
        yield
    except (KeyError, RuntimeError, OSError, ValueError, TypeError, OverflowError) as error:
        if not raised_by("h5py", error):
            raise
        raise ReadError(f"not readable as HDF5: {str(error).strip(chr(39))}", where=where, hint=_HINT) from error


def check_links(group: h5py.Group, path: Path) -> None:
    """Raises ReadError, naming the place, for a member that cannot be opened: a link to nowhere, a damaged object."""
    for name in group:
        where = f"{path}:{str(group.name).rstrip('/')}/{name}"  # a damaged name comes as bytes
        with damage(where):
            if group.get(name) is None:
                raise ReadError(
                    "cannot be opened: a link that leads nowhere, or a damaged object",
                    where=where,
                    hint="restore what the link names, or write the file again",
                )


def raised_by(package: str, error: BaseException) -> bool:
    """Whether an error came out of code of that package."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0] == package:
            return True
        trace = trace.tb_next
    return False
