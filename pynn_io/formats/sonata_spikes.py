"""Spike trains and current time series in the files that SONATA configurations name, as flat arrays.

HDF5 in every layout met in the wild (``/spikes/<population>/{timestamps,node_ids}`` of SONATA 0.1, ``gids`` and
``timestamps`` at the root of ``/spikes`` before it), text as BMTK writes it and as it did, and the NWB 1.0 subset that
BMTK reads. What a population is called in the network, and whether its ids exist, is for the caller to check.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pynn_io.errors import BadValues, ReadError, UnitError
from pynn_io.formats.h5_file import check_links, open_h5

_MILLISECONDS = {
    "ms": 1.0,
    "millisecond": 1.0,
    "milliseconds": 1.0,
    "s": 1000.0,
    "sec": 1000.0,
    "second": 1000.0,
    "seconds": 1000.0,
    "us": 1e-3,
    "microsecond": 1e-3,
    "microseconds": 1e-3,
}
_ID_NAMES = ("node_ids", "gids", "node_id", "gid")
_TIME_NAMES = ("timestamps", "timestamp", "times", "time", "spike_times")
#: Words of a header by which a text file is one of spikes.
SPIKE_COLUMNS = frozenset((*_TIME_NAMES, "spike-times"))


@dataclass(frozen=True, slots=True, eq=False)
class Spikes:
    """The spikes of one population; sorted by node then time, if `read_spikes` gives them.

    population: its name; None where the file names none. node_ids: int64[n]. times: float64[n], ms. sorting: the
    order the file claims to be in (``by_id``, ``by_time``, ``none``), as it was; as_claimed: whether it was in it.
    """

    population: str | None
    node_ids: np.ndarray
    times: np.ndarray
    sorting: str | None = None
    as_claimed: bool = True


def read_spikes(path: Path, *, kind: str | None = None, trial: str | None = None) -> list[Spikes]:
    """All spikes of a file, one record a population, sorted by node then time.

    kind: ``h5``, ``csv`` or ``nwb``; by the file's ending, and its first bytes, where None. trial: which group of an
    NWB file.
    Raises ReadError (file and place) for a layout nobody writes and UnitError for an unknown unit of time.
    """
    return [_by_node(spikes) for spikes in read_unsorted(path, kind=kind, trial=trial)]


def read_unsorted(path: Path, *, kind: str | None = None, trial: str | None = None) -> list[Spikes]:
    """`read_spikes`, in the order of the file."""
    path = Path(path)
    kind = kind or _kind(path)
    if kind == "csv":
        return _read_csv(path)
    with open_h5(path) as file:
        return _read_nwb(file, path, trial) if kind == "nwb" else _read_h5(file, path)


def _kind(path: Path) -> str:
    if path.suffix.lower() == ".nwb":
        return "nwb"
    try:
        with path.open("rb") as file:
            return "h5" if file.read(8) == b"\x89HDF\r\n\x1a\n" else "csv"
    except OSError as error:
        raise ReadError(f"cannot be read: {error.strerror or error}", where=path) from None


# --- HDF5 ---------------------------------------------------------------------------------------------------------


def _read_h5(file: h5py.File, path: Path) -> list[Spikes]:
    root = file.get("spikes")
    if not isinstance(root, h5py.Group):
        raise ReadError("there is no group /spikes", where=path, hint="is this a SONATA spike file?")
    check_links(root, path)
    groups = [item for item in root.values() if isinstance(item, h5py.Group)]
    if groups:
        return [_population(group, _name(group), path) for group in groups]
    return [_population(root, None, path)] if len(root) else []


def _name(group: h5py.Group) -> str:
    """The population; pynn_io states a name that HDF5 cannot have in an attribute."""
    stated = group.attrs.get("population")
    return stated if isinstance(stated, str) else group.name.rsplit("/", 1)[-1]


def _population(group: h5py.Group, name: str | None, path: Path) -> Spikes:
    where = f"{path}:{group.name}"
    ids = column_of(group, _ID_NAMES, where)
    times = column_of(group, _TIME_NAMES, where)
    if ids.shape != times.shape:
        raise ReadError(f"{ids.shape[0]} node ids and {times.shape[0]} times", where=where)
    values = times[:].astype(np.float64, copy=False) * milliseconds(
        times.attrs, ("units", "unit"), f"{path}:{times.name}"
    )
    sorting = _sorting(group, times, ids)
    return _spikes(name, whole_numbers(ids[:], f"{path}:{ids.name}"), values, where, sorting)


def column_of(group: h5py.Group, names: Sequence[str], where: str) -> h5py.Dataset:
    """The list of numbers under the first of ``names`` that the group has. Raises ReadError with the place."""
    for name in names:
        found = group.get(name)
        if isinstance(found, h5py.Dataset):
            if found.ndim != 1 or found.dtype.kind not in "iuf":
                raise ReadError(f"{name} is not a list of numbers", where=f"{where}/{name}")
            return found
    raise ReadError(f"there is no dataset {names[0]!r}", where=where, hint=f"known names: {', '.join(names)}")


def milliseconds(attributes: Mapping[str, Any], keys: Sequence[str], where: str) -> float:
    """What turns the stated unit of time into ms; ms where none is stated."""
    stated = next((attributes[key] for key in keys if key in attributes), "ms")
    text = stated.decode() if isinstance(stated, bytes) else str(stated)
    try:
        return _MILLISECONDS[text.strip().lower()]
    except KeyError:
        raise UnitError(f"unknown unit of time {text!r}", where=where, hint="known: ms, s, us") from None


def _sorting(*objects: Any) -> str | None:
    """The ``sorting`` attribute: a string, or an HDF5 enumeration; on the group, or (older) on a dataset."""
    for item in objects:
        if "sorting" not in item.attrs:
            continue
        value = item.attrs["sorting"]
        names = h5py.check_enum_dtype(item.attrs.get_id("sorting").dtype)
        if names:
            return next((name for name, number in names.items() if number == value), str(value))
        return value.decode() if isinstance(value, bytes) else str(value)
    return None


def whole_numbers(values: np.ndarray, where: str) -> np.ndarray:
    """Ids as int64, whatever they are stored as. Raises ReadError for fractions and what does not fit."""
    if values.dtype.kind == "f" and not ((values == np.floor(values)) & (np.abs(values) < 2.0**63)).all():
        raise ReadError("node ids are not whole numbers", where=where)
    if values.dtype == np.uint64 and len(values) and values.max() > np.iinfo(np.int64).max:
        raise ReadError("a node id does not fit 63 bits", where=where)
    return values.astype(np.int64, copy=False)


def _spikes(
    population: str | None, ids: np.ndarray, times: np.ndarray, where: object, sorting: str | None = None
) -> Spikes:
    if not np.isfinite(times).all():
        raise BadValues("a spike time is not a finite number", where=where)
    return Spikes(population, ids, times, sorting, _as_claimed(sorting, ids, times))


def _as_claimed(sorting: str | None, ids: np.ndarray, times: np.ndarray) -> bool:
    column = {"by_time": times, "by_id": ids}.get(sorting or "")
    return column is None or bool(np.all(np.diff(column) >= 0))


def _by_node(spikes: Spikes) -> Spikes:
    """By node, then time. The order is looked at, since files claim orders that they do not have."""
    ids, times = spikes.node_ids, spikes.times
    step = np.diff(ids)
    if np.all((step > 0) | ((step == 0) & (np.diff(times) >= 0))):
        return spikes
    order = np.lexsort((times, ids))
    return replace(spikes, node_ids=ids[order], times=times[order])


# --- NWB ----------------------------------------------------------------------------------------------------------


def _read_nwb(file: h5py.File, path: Path, trial: str | None) -> list[Spikes]:
    """``/processing/<trial>/spike_train/<node id>/data``: the NWB 1.0 files of BMTK. They name no population."""
    processing = file.get("processing")
    trials = list(processing) if isinstance(processing, h5py.Group) else []
    if trial is None and len(trials) == 1:
        trial = trials[0]
    if trial is None or trial not in trials:
        known = ", ".join(trials) or "none"
        raise ReadError(f"trial {trial!r} is not in /processing", where=path, hint=f"trials in the file: {known}")
    trains = processing[trial].get("spike_train")
    if not isinstance(trains, h5py.Group):
        raise ReadError("there is no group spike_train", where=f"{path}:/processing/{trial}")
    ids, times = [np.empty(0, np.int64)], [np.empty(0)]
    for name, train in trains.items():
        where = f"{path}:{train.name}"
        if not (name.isascii() and name.isdigit() and len(name) < 19):
            raise ReadError(f"the group {name!r} is not named after a node id", where=where)
        data = column_of(train, ("data",), where)
        times.append(data[:].astype(np.float64, copy=False) * milliseconds(data.attrs, ("unit", "units"), where))
        ids.append(np.full(data.shape[0], int(name), dtype=np.int64))
    return [_spikes(None, np.concatenate(ids), np.concatenate(times), path)]


# --- Text ---------------------------------------------------------------------------------------------------------


def _read_csv(path: Path) -> list[Spikes]:
    """Rows of time, population and node id by their header; without one, time and id, or time, population and id.

    The oldest BMTK files have a row a node: its ``gid`` and ``spike-times``, separated by commas.
    """
    text = _text(path)
    first = text.split("\n", 1)[0].strip()
    if not first:
        return []
    if re.match(r"gid\s+spike[-_]times", first):
        return [_node_rows(text, path)]
    separator = "," if "," in first else None
    names = [name.strip(' "') for name in first.split(separator)]
    header = any(re.match(r"[A-Za-z_]", name) for name in (names[0], names[-1]))
    if not header:
        layouts = {2: ["timestamps", "node_ids"], 3: ["timestamps", "population", "node_ids"]}
        if len(names) not in layouts:
            raise ReadError(f"{len(names)} columns and no header", where=f"{path}:1", hint="name them in a header")
        names = layouts[len(names)]
    time = _column(names, _TIME_NAMES, path)
    node = _column(names, _ID_NAMES, path)
    order = [(time, ("time", np.float64)), (node, ("node", np.int64))]
    rows = _load(text, path, separator, header, [n for n, _ in order], np.dtype([kind for _, kind in order]))
    if "population" not in names:
        return [_spikes(None, rows["node"], rows["time"], path)]
    populations = _load(text, path, separator, header, [names.index("population")], np.dtype(str))
    return [
        _spikes(str(name), rows["node"][chosen], rows["time"][chosen], path)
        for name in np.unique(populations)
        for chosen in [populations == name]
    ]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"cannot be read as text: {error}", where=path) from None


def _column(names: list[str], known: Sequence[str], path: Path) -> int:
    for name in known:
        if name in names:
            return names.index(name)
    hint = f"the header names {', '.join(names)}; known names: {', '.join(known)}"
    raise ReadError(f"there is no column {known[0]!r}", where=f"{path}:1", hint=hint)


def _load(
    text: str, path: Path, separator: str | None, header: bool, columns: list[int], dtype: np.dtype
) -> np.ndarray:
    """Columns of a text table in one call into C. Raises ReadError with the line."""
    body = text.partition("\n")[2] if header else text
    if not body.strip():
        return np.empty(0, dtype=dtype)
    # loadtxt warns of empty lines
    lines = io.StringIO(re.sub(r"\n\s*\n", "\n", body.rstrip()))
    try:
        return np.loadtxt(
            lines, dtype=dtype, delimiter=separator, usecols=columns, ndmin=1, quotechar='"', comments=None
        )
    except ValueError as error:
        line = _broken_line(text, separator, header, columns, dtype)
        message = str(error).split(";")[0]
        raise ReadError(f"the table is broken: {message}", where=f"{path}{line}") from None


def _broken_line(text: str, separator: str | None, header: bool, columns: list[int], dtype: np.dtype) -> str:
    """``:7`` for the first line that does not parse; looked for only after the fast way has failed."""
    kinds: list[Any] = [dtype[n].type for n in range(len(columns))] if dtype.names else [str]
    for number, line in enumerate(text.split("\n"), 1):
        if (header and number == 1) or not line.strip():
            continue
        try:
            entries = line.split(separator)
            for column, kind in zip(columns, kinds, strict=True):
                kind(entries[column].strip(' "'))
        except (ValueError, IndexError):
            return f":{number}"
    return ""


def _node_rows(text: str, path: Path) -> Spikes:
    rows = [line.split(None, 1) for line in text.splitlines()[1:] if line.strip()]
    try:
        counts = [row[1].count(",") + 1 if len(row) > 1 else 0 for row in rows]
        ids = (
            np.repeat(np.asarray([row[0] for row in rows]).astype(np.int64), counts) if rows else np.empty(0, np.int64)
        )
        joined = ",".join(row[1] for row in rows if len(row) > 1)
        times = np.asarray(joined.split(",")).astype(np.float64) if joined else np.empty(0)
    except (ValueError, OverflowError) as error:
        raise ReadError(f"a row is not a node id and its spike times: {error}", where=path) from None
    return _spikes(None, ids, times, path)


def read_amplitudes(
    path: Path, *, separator: str = " ", time_column: str = "timestamps", amplitude_column: str = "amps"
) -> tuple[np.ndarray, np.ndarray]:
    """A current as a function of time: times (ms, ascending) and amplitudes (in the unit that the configuration means).

    Raises ReadError for a missing column, fewer than two rows, or times that do not ascend.
    """
    path = Path(path)
    text = _text(path)
    first = text.split("\n", 1)[0].strip()
    split = None if separator.isspace() else separator
    names = [name.strip(' "') for name in first.split(split)]
    columns = [_column(names, (time_column,), path), _column(names, (amplitude_column,), path)]
    rows = _load(text, path, split, True, columns, np.dtype([("time", np.float64), ("amplitude", np.float64)]))
    times, amplitudes = np.ascontiguousarray(rows["time"]), np.ascontiguousarray(rows["amplitude"])
    if len(times) < 2:
        raise ReadError("a current needs two rows or more", where=path)
    if not np.isfinite(amplitudes).all() or not (np.diff(times) > 0).all():
        raise ReadError("times must ascend and amplitudes be finite", where=path)
    return times, amplitudes
