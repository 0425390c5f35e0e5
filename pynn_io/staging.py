"""How output is written whole or not at all: into a hidden folder beside the target, then moved into place.

Whatever goes wrong, nothing half-written stands under the target's name.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pynn_io.errors import WriteError

#: Staging folders are hidden siblings of the target with this ending; one that remains is a killed run's.
STAGING = ".pynn_io-part"


def refuse_existing(target: Path, overwrite: bool) -> None:
    """Raises WriteError for a target that exists, unless it is to be overwritten or is an empty folder."""
    if target.exists() and not overwrite and not (target.is_dir() and not any(target.iterdir())):
        raise WriteError("exists already", where=target, hint="choose another target, or pass --overwrite")


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """A hidden folder beside the target, on the same file system, that is gone afterwards."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=STAGING, dir=target.parent))
        stage.chmod(0o777 & ~_umask())
    except OSError as error:
        raise WriteError(f"cannot write here: {error.strerror or error}", where=target.parent) from error
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def filling(stage: Path, target: Path) -> Iterator[None]:
    """What goes wrong while a staging folder is filled, told of the target: users do not know the staging folder."""
    try:
        yield
    except WriteError as error:
        error.where = error.where.replace(str(stage), str(target))
        raise
    except OSError as error:
        hint = "is the disk full, or the folder read-only?"
        raise WriteError(f"cannot write: {error}", where=target, hint=hint) from error


def move(stage: Path, target: Path) -> tuple[Path, ...]:
    """Put the staged files under the target: one rename for a new folder, file by file into an existing one."""
    files = [path.relative_to(stage) for path in sorted(stage.rglob("*")) if path.is_file()]
    try:
        if not target.exists():
            stage.rename(target)
        else:
            for file in files:
                (target / file).parent.mkdir(parents=True, exist_ok=True)
                os.replace(stage / file, target / file)
    except OSError as error:
        raise WriteError(f"cannot move the result into place: {error}", where=target) from error
    return tuple(target / file for file in files)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
