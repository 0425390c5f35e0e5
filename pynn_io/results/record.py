"""What results hold beside spikes and traces, as plain values for JSON: duration, level, the cells, provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.results.results import Results

FORMAT, VERSION = "pynn_io.results", 1
#: More cells than this in a file are taken for damage, before memory is asked for them.
_MOST_CELLS = 10**9


def as_record(results: Results, **more: Any) -> dict[str, Any]:
    """The plain values, and ``more``; cells as ranges of ids, ``[first, last]``, both included."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "duration": results.duration,
        "level": results.level,
        "nodes": {name: _ranges(np.asarray(ids, dtype=np.int64)) for name, ids in results.nodes.items()},
        "provenance": plain(results.provenance),
        **more,
    }


def parse_record(text: str | bytes, where: object) -> dict[str, Any]:
    """Fields of `Results` from the JSON text of `as_record`. Raises ReadError for anything else."""
    return _parsed(text, where)[0]


def read_record(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Fields of `Results` from a file, and the ``files`` that it lists. Raises ReadError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ReadError(f"cannot be read: {error.strerror or error}", where=path) from None
    fields, record = _parsed(text, path)
    files = record.get("files", [])
    if not (isinstance(files, list) and all(isinstance(name, str) for name in files)):
        raise ReadError("'files' is not a list of names", where=path)
    return fields, files


def _parsed(text: str | bytes, where: object) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        record = json.loads(text)
        if record["format"] != FORMAT or record["version"] != VERSION:
            raise ReadError(f"is not {FORMAT} {VERSION}", where=where)
        duration = record["duration"]
        fields = {
            "duration": None if duration is None else float(duration),
            "level": str(record["level"]),
            "nodes": {name: _ids(np.array(ranges, dtype=np.int64)) for name, ranges in record["nodes"].items()},
            "provenance": dict(record["provenance"]),
        }
        return fields, record
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ReadError(f"is not the record of a run: {error!r}", where=where) from None


def plain(value: Any) -> Any:
    """A value as JSON has it: arrays as lists, paths and what JSON has no word for as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _ranges(ids: np.ndarray) -> list[list[int]]:
    starts = np.flatnonzero(np.diff(ids, prepend=ids[:1] - 2) != 1)
    ends = np.append(starts[1:], len(ids))[: len(starts)] - 1
    return np.stack([ids[starts], ids[ends]], axis=1).tolist()


def _ids(ranges: np.ndarray) -> np.ndarray:
    if not ranges.size:
        return np.empty(0, dtype=np.int64)
    first, last = ranges.reshape(-1, 2).T
    sizes = last - first + 1
    if (sizes < 1).any() or sizes.astype(float).sum() > _MOST_CELLS:
        raise ValueError("ranges of node ids are broken")
    ends = np.cumsum(sizes)
    return np.arange(ends[-1]) + np.repeat(first - (ends - sizes), sizes)
