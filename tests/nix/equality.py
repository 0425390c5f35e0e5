"""Equality to the last detail: types, dtypes, order of keys, scalar against array, units, masks. NaN equals NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from pynn_io.graph import Column, Table


def differences(one: Any, two: Any, where: str = "") -> list[str]:
    """Every place in which two values differ."""
    if isinstance(one, Mapping) and isinstance(two, Mapping) and not isinstance(one, Table):
        if list(one) != list(two):
            return [f"{where}: keys {list(one)} became {list(two)}"]
        return [text for key in one for text in differences(one[key], two[key], f"{where}/{key}")]
    if isinstance(one, PurePath) and isinstance(two, PurePath):
        return [] if one.name == two.name else [f"{where}: {one} became {two}"]
    if type(one) is not type(two):
        return [f"{where}: {type(one).__name__} became {type(two).__name__}"]
    if isinstance(one, Table):
        columns = differences(dict(one), dict(two), where) if one.size == two.size else [f"{where}: size"]
        return columns or [text for name in one for text in _rows(one[name], two[name], one.size, f"{where}/{name}")]
    if isinstance(one, Column):
        return _column(one, two, where)
    if is_dataclass(one):
        pairs = ((each.name, getattr(one, each.name), getattr(two, each.name)) for each in fields(one))
        return [text for name, left, right in pairs for text in differences(left, right, f"{where}/{name}")]
    if isinstance(one, list | tuple):
        if len(one) != len(two):
            return [f"{where}: length {len(one)} became {len(two)}"]
        return [text for i in range(len(one)) for text in differences(one[i], two[i], f"{where}[{i}]")]
    return [] if _same(one, two) else [f"{where}: {one!r} became {two!r}"]


def _column(one: Column, two: Column, where: str) -> list[str]:
    """All but the rows, which need the table's size."""
    stated = [(column.is_scalar, column.unit, column.extra, column.is_text) for column in (one, two)]
    if stated[0] != stated[1]:
        return [f"{where}: (scalar, unit, extra, text) {stated[0]} became {stated[1]}"]
    if one.is_scalar:
        return differences(one.value, two.value, where)
    return [] if one.levels == two.levels else [f"{where}: levels {one.levels} became {two.levels}"]


def _rows(one: Column, two: Column, size: int, where: str) -> list[str]:
    return [] if _same(one.read(size), two.read(size)) else [f"{where}: rows differ"]


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, np.ndarray):
        if one.dtype != two.dtype or one.shape != two.shape:
            return False
        hidden = np.ma.getmaskarray(one)
        if not np.array_equal(hidden, np.ma.getmaskarray(two)):
            return False
        left, right = (np.ma.getdata(each)[~hidden] for each in (one, two))
        return np.array_equal(left, right, equal_nan=one.dtype.kind == "f")
    if isinstance(one, float | np.floating):
        return bool(one != one and two != two) or (one == two and math.copysign(1, one) == math.copysign(1, two))
    return bool(one == two)
