"""Files that are kept inside a NIX file, put into a folder: the definitions that name them then work as ever."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.new_file import writing
from pynn_io.formats.nix import array_rows, damage

#: Bytes written at a time.
_PART = 2**24


class Components:
    """Where the files of a NIX file are put.

    folder: by default one of the system's temporary folders, which is gone when the process ends. Nothing is written
    where the file keeps no files.
    """

    def __init__(self, source: Path, folder: Path | None) -> None:
        self._source = source
        self._stated = folder
        self._folder = folder or Path(f"{source}.components")

    def extract(self, block: Any) -> None:
        """Write every file of the block. Raises ReadError for one that was changed or would leave the folder."""
        with damage(f"{self._source}:/data/{block.name}"):
            entries = [(array.name, array.label or "", array.definition or "") for array in block.data_arrays]
        if entries and self._stated is None:
            self._folder = Path(tempfile.mkdtemp(prefix="pynn_io-components-"))
            atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        for name, label, definition in entries:
            self._extract(block, name, self.path(PurePosixPath(label)), definition)

    def _extract(self, block: Any, name: str, path: Path, definition: str) -> None:
        rows = array_rows(self._source, block, name)
        where = f"{self._source}:/data/{block.name}/data_arrays/{name}"
        if rows.dtype != np.uint8:
            raise ReadError(f"a file's bytes are expected, not {rows.dtype}", where=where)
        digest = hashlib.sha256()
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with rows.open() as read, path.open("xb") as file:
                for start in range(0, rows.size, _PART):
                    part = read(start, min(start + _PART, rows.size)).tobytes()
                    digest.update(part)
                    file.write(part)
        if definition != f"sha256:{digest.hexdigest()}":
            raise ReadError("the bytes of this file are not those whose sha256 is stated", where=where)

    def path(self, stored: PurePath) -> Path:
        """Where a file is, or would be. Raises ReadError for a path that leads out of the folder."""
        if stored.is_absolute() or ".." in stored.parts or not stored.parts or "\0" in str(stored):
            raise ReadError(f"the path {str(stored)!r} leads out of the folder of components", where=self._source)
        return self._folder / stored
