"""Values that PyNN gives, as numbers and arrays: its array parameters unpacked, what is the same everywhere once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """A parameter of one cell: a number, a text, or the array of an ``ArrayParameter`` (float64)."""
    inner = getattr(value, "value", value)
    if isinstance(inner, (np.ndarray, list, tuple)):
        return np.asarray(inner, dtype=np.float64)
    return inner.item() if isinstance(inner, np.generic) else inner


def ragged(values: Any, size: int) -> list[np.ndarray]:
    """One array a cell, from what ``population.get`` gives for a parameter that is a list."""
    if not isinstance(values, np.ndarray) or values.dtype != object:
        return [np.ravel(plain(values))] * size
    return [np.ravel(plain(value)) for value in values]


def column_of(values: Any, size: int) -> Any:
    """One parameter of ``size`` cells: a scalar or tuple where all have the same, else an array with a row a cell.

    None for lists of different lengths, which no column can hold.
    """
    if isinstance(values, str):
        return values
    array = np.asarray(values)
    if array.dtype == object and array.size:
        rows = [plain(value) for value in array.reshape(-1).tolist()]
        if not isinstance(rows[0], np.ndarray):
            return _same(np.asarray(rows), size)
        if len({len(row) for row in rows}) > 1:
            return None
        array = np.stack(rows)
    return _same(array, size)


def _same(array: np.ndarray, size: int) -> Any:
    if array.ndim == 0:
        return plain(array[()])
    if len(array) and (array == array[0]).all():
        return tuple(array[0].tolist()) if array.ndim > 1 else plain(array[0])
    return np.array(array[:size])


def simple(value: Any) -> bool:
    """Whether an annotation can be a column of one value."""
    return isinstance(value, (str, bool, int, float, np.generic))


def unpacked(space: Any, size: int) -> dict[str, Any]:
    """A parameter space of PyNN, evaluated for ``size`` cells without drawing anything twice from it."""
    from copy import deepcopy

    own = deepcopy(space)
    own.shape = (size,)
    own.evaluate(simplify=True)
    return flat(own.as_dict())


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values as ``part.name``."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found
