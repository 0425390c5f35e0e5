"""NIX files (G-Node's HDF5 data model, https://nixio.readthedocs.io) through nixio: files, names, units, arrays.

nixio has no masked or coded arrays, refuses some names, and writes whole arrays; here are the conventions that every
NIX file of pynn_io follows. Sections of metadata are in `pynn_io.formats.nix_values`.

- **Names**: ``/``, ``%`` and what else HDF5 or nixio cannot have in a name are percent-encoded (`encode_name`).
- **Units** are spelled as nixio's validator knows them, where it does: ``mS/cm^2`` for ``mS_per_cm2``.
- **Arrays** are columnar: one DataArray a column, with its name as ``label``. Rows without a value have True in the
  array ``<name>%mask``; strings are codes into the array ``<name>%levels``. Neither ending can be part of an encoded
  name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import numpy as np

from pynn_io.errors import ReadError, WriteError
from pynn_io.formats.h5_file import raised_by
from pynn_io.formats.new_file import close, writing
from pynn_io.formats.sonata_rows import Combined, H5Rows, Rows
from pynn_io.optional import needed
from pynn_io.units import UNITS

#: Endings of the arrays that belong to another one.
MASK, LEVELS = "%mask", "%levels"
#: What stands for the empty name: a percent sign of its own never comes from an encoding.
_EMPTY = "%"
_UNSAFE = re.compile(r"[/%\0]")
_DAMAGE = (KeyError, IndexError, AttributeError, RuntimeError, OSError, ValueError, TypeError, OverflowError)
_HINT = "it is truncated, damaged, or not a NIX file that pynn_io wrote"


def nixio() -> ModuleType:
    """The package. Raises BackendUnavailable where it is not installed."""
    return needed("nixio", "NIX files need", "nix")


# --- Files --------------------------------------------------------------------------------------------------------


@contextmanager
def new_nix(path: Path) -> Iterator[Any]:
    """A new `nixio.File`. Raises WriteError if there is such a file, and for what the file system refuses."""
    library = nixio()
    if path.exists():
        raise WriteError("exists already", where=path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = library.File.open(str(path), library.FileMode.Overwrite, auto_update_timestamps=False)
        try:
            yield file
        finally:
            close(file)


@contextmanager
def open_nix(path: Path) -> Iterator[Any]:
    """A `nixio.File` for reading. Raises ReadError for a missing, damaged or foreign file."""
    library = nixio()
    if not path.is_file():
        raise ReadError("no such file", where=path)
    try:
        file = library.File.open(str(path), library.FileMode.ReadOnly)
    except (*_DAMAGE, library.exceptions.InvalidFile) as error:
        raise ReadError(
            f"not a readable NIX file: {error or 'its format is another'}", where=path, hint=_HINT
        ) from None
    try:
        with damage(path):
            yield file
    finally:
        file.close()


@contextmanager
def damage(where: object) -> Iterator[None]:
    """Turn what nixio or h5py raises inside into a ReadError at ``where`` (``file:/section/property``)."""
    try:
        yield
    except _DAMAGE as error:
        if not (raised_by("nixio", error) or raised_by("h5py", error)):
            raise
        raise ReadError(f"not readable as NIX: {str(error).strip(chr(39))}", where=where, hint=_HINT) from error


def child(container: Any, name: str, where: object) -> Any:
    """The entity of that encoded name in a container (``file.sections``, ``block.groups`` ...).

    Raises ReadError, naming the place, where there is none.
    """
    with damage(f"{where}/{name}"):
        if name not in container:
            raise ReadError(f"there is no {name!r}", where=where, hint=_HINT)
        return container[name]


# --- Names and units ----------------------------------------------------------------------------------------------


def encode_name(name: str) -> str:
    """A name as an entity may have it: not empty, no ``/``, no NUL, not only dots, and not what nixio takes for an id.

    Raises WriteError for text that no file can hold (half a surrogate pair).
    """
    if not name:
        return _EMPTY
    if not storable(name.replace("\0", "")):
        raise WriteError(f"the name {name!a} cannot be written to a file")
    safe = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name)
    if _is_uuid(safe) or not safe.strip("."):
        first = safe.encode()[:1].hex().upper()
        safe = f"%{first}{safe[1:]}"
    return safe


def storable(text: str) -> bool:
    """Whether HDF5 can hold a text: no NUL, and no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def decode_name(name: str) -> str:
    """The name that `encode_name` was given."""
    return "" if name == _EMPTY else unquote(name)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def nix_unit(symbol: str) -> str:
    """A symbol of `pynn_io.units` as nixio spells it: ``mS/cm^2``, ``MOhm``, ``Ohm*cm``; anything else unchanged."""
    if symbol not in UNITS or symbol in ("", "1"):
        return symbol
    parts = [re.sub(r"(\d)$", r"^\1", part) for part in symbol.removeprefix("per_").split("_per_")]
    text = "/".join(parts).replace("_", "*").replace("ohm", "Ohm")
    return f"1/{text}" if symbol.startswith("per_") else text


def set_unit(entity: Any, symbol: str) -> None:
    """The unit of a DataArray or a Property. Raises WriteError for one that nixio would change."""
    if not symbol:
        return
    unit = nix_unit(symbol)
    entity.unit = unit
    if entity.unit != unit:
        raise WriteError(f"the unit {symbol!r} of {entity.name!r} cannot be stored: NIX would make it {entity.unit!r}")


_SYMBOLS: Mapping[str, str] = {nix_unit(symbol): symbol for symbol in UNITS}


def symbol_of(unit: str | None) -> str:
    """The symbol of `pynn_io.units` for a unit of a NIX file; one that is none of ours unchanged."""
    return _SYMBOLS.get(unit or "", unit or "")


# --- Arrays -------------------------------------------------------------------------------------------------------


class ArrayWriter:
    """A DataArray of known size that is filled in blocks, and its mask if a block has one.

    group: the nixio Group that lists the array. kind: its NIX type (``sonata.edges``). label: its plain name.
    Raises WriteError for a dtype that NIX has no array of.
    """

    def __init__(
        self,
        block: Any,
        name: str,
        dtype: np.dtype | type | str,
        shape: Sequence[int],
        *,
        kind: str,
        group: Any = None,
        unit: str = "",
        label: str = "",
    ) -> None:
        self._block, self._group, self._name, self._kind = block, group, name, kind
        self._shape = tuple(int(length) for length in shape)
        self._label, self._rows = label, 0
        self._mask: Any = None
        dtype = np.dtype(dtype)
        if dtype.kind not in "biufOUT" or (dtype.itemsize > np.dtype(np.float64).itemsize and dtype.kind in "iuf"):
            raise WriteError(f"the column {label or name!r} holds {dtype}, which a NIX file has no array of")
        self._text = dtype.kind in "OUT"
        self._data = self._array(name, nixio().DataType.String if self._text else dtype, self._shape, unit)

    def _array(self, name: str, dtype: Any, shape: tuple[int, ...], unit: str = "") -> Any:
        array = self._block.create_data_array(name, self._kind, dtype=dtype, shape=shape)
        set_unit(array, unit)
        array.label = self._label or name
        for _ in shape:
            array.append_set_dimension()
        if self._group is not None:
            self._group.data_arrays.append(array)
        return array

    def append(self, rows: np.ndarray) -> None:
        """The next rows; where they are masked, the mask is kept."""
        stop = self._rows + len(rows)
        if stop == self._rows:
            return
        hidden = np.ma.getmaskarray(rows) if np.ma.isMaskedArray(rows) else None
        if hidden is not None and hidden.any():
            if self._mask is None:
                self._mask = self._array(f"{self._name}{MASK}", np.bool_, self._shape)
            self._mask[self._rows : stop] = hidden
        data = np.ma.getdata(rows)
        self._data[self._rows : stop] = self._as_text(data, hidden) if self._text else np.ascontiguousarray(data)
        self._rows = stop

    def _as_text(self, rows: np.ndarray, hidden: np.ndarray | None) -> np.ndarray:
        text = np.asarray(rows if hidden is None else np.where(hidden, "", rows), dtype=object)
        for value in text.ravel():
            _check_text(value, self._label or self._name)
        return text

    def levels(self, levels: Sequence[str]) -> None:
        """The strings that the array's integers stand for."""
        name = f"{self._name}{LEVELS}"
        writer = ArrayWriter(self._block, name, object, (len(levels),), kind=self._kind, group=self._group)
        writer.append(np.asarray(list(levels), dtype=object))


def _check_text(value: Any, name: str) -> None:
    if not isinstance(value, str):
        raise WriteError(f"the column {name!r} holds {value!r} among its strings")
    if not storable(value):
        raise WriteError(f"the column {name!r} holds the text {value[:40]!a}, which no HDF5 file can hold")


def write_array(block: Any, name: str, data: np.ndarray, *, kind: str, **place: Any) -> None:
    """A whole array in one go, masked or not; see `ArrayWriter` for the rest."""
    ArrayWriter(block, name, data.dtype, data.shape, kind=kind, **place).append(data)


def array_rows(path: Path, block: Any, name: str) -> Rows:
    """The rows of a DataArray as a source that holds no handle, masked where its mask says so.

    ``block`` is of an open `nixio.File`, which may be closed afterwards. Raises ReadError.
    """
    rows = _h5_rows(path, block, name)
    if f"{name}{MASK}" not in block.data_arrays:
        return rows
    hidden = _h5_rows(path, block, f"{name}{MASK}")
    if (hidden.size, hidden.trailing, hidden.dtype) != (rows.size, rows.trailing, np.dtype(bool)):
        raise ReadError(f"it must be booleans of the same shape as {name!r}", where=hidden.where)
    return Combined((rows, hidden), rows.dtype, _masked)


def _masked(data: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    return np.ma.array(data, mask=hidden) if hidden.any() else data


def _h5_rows(path: Path, block: Any, name: str) -> H5Rows:
    """Where the NIX data model has the values: ``/data/<block>/data_arrays/<name>/data``."""
    dataset = f"/data/{block.name}/data_arrays/{name}/data"
    with damage(f"{path}:{dataset}"):
        array = child(block.data_arrays, name, f"{path}:/data/{block.name}/data_arrays")
        shape = array.shape
        if not shape:
            raise ReadError("it has no rows", where=f"{path}:{dataset}", hint=_HINT)
        return H5Rows(path, dataset, int(shape[0]), np.dtype(array.dtype), tuple(shape[1:]))


def read_array(path: Path, block: Any, name: str) -> np.ndarray:
    """All rows of a DataArray, masked where its mask says so; strings as objects. Raises ReadError."""
    rows = array_rows(path, block, name)
    with rows.open() as read:
        return read(0, rows.size)


def read_levels(path: Path, block: Any, name: str) -> tuple[str, ...] | None:
    """The strings that an array's integers stand for; None if it is an array of numbers."""
    if f"{name}{LEVELS}" not in block.data_arrays:
        return None
    return tuple(str(level) for level in read_array(path, block, f"{name}{LEVELS}").tolist())
