"""New files, names for them, and what the file system refuses as one kind of error."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import h5py

from pynn_io.errors import WriteError

#: Bytes of a made file name without its ending: file systems take 255 with it.
LONGEST_NAME = 200
_ERRNO = re.compile(r"errno = (\d+)")


def reserve(path: Path, size: int) -> None:
    """Make sure that a file of ``size`` bytes can be written at ``path``, where the system can tell; nothing is left.

    For libraries that cannot close an HDF5 file which the disk has no room for: its chunks are in memory until then,
    and HDF5 2 crashes the process at its end if they cannot be written. Raises WriteError, also for a file that exists.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, max(size, 1))
            finally:
                path.unlink(missing_ok=True)


class Closable(Protocol):
    """An open HDF5 file, of h5py or of a library above it."""

    def close(self) -> None: ...


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system says into a WriteError that names the file."""
    try:
        yield
    except OSError as error:
        raise WriteError(f"cannot write: {_reason(error)}", where=path, hint="is the disk full?") from error


@contextmanager
def new_hdf5(path: Path) -> Iterator[h5py.File]:
    """A new HDF5 file, and the folders above it. Raises WriteError for what the file system refuses."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with _hdf5(path, "w-") as file:
        yield file


def more_hdf5(path: Path) -> AbstractContextManager[h5py.File]:
    """A file that `new_hdf5` made, to add to it. Raises WriteError for what the file system refuses."""
    return _hdf5(path, "r+")


@contextmanager
def _hdf5(path: Path, mode: str) -> Iterator[h5py.File]:
    with writing(path):
        file = h5py.File(path, mode)
        try:
            yield file
        finally:
            close(file)


def close(file: Closable) -> None:
    """Closing writes what is left in memory; where that fails, h5py raises a RuntimeError."""
    try:
        file.close()
    except RuntimeError as error:
        raise OSError(_reason(error)) from error


def _reason(error: Exception) -> str:
    """The system's own words; h5py wraps them into several lines."""
    stated = _ERRNO.search(str(error))
    number = int(stated[1]) if stated else getattr(error, "errno", None)
    return os.strerror(number) if number else str(error)


def safe_name(name: str) -> str:
    """A name that is a file name everywhere; a very long one is cut, with a digest of the whole at its end."""
    safe = "".join(char if char.isalnum() or char in "._-+" else "_" for char in name) or "_"
    if len(safe.encode()) <= LONGEST_NAME:
        return safe
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{safe.encode()[: LONGEST_NAME - len(digest) - 1].decode(errors='ignore')}_{digest}"
