"""Mappings as NIX sections: what a Property can hold stays readable by others, everything else survives as JSON.

A Property is a list of numbers, booleans or strings, neither empty nor mixed, with one unit; its ``definition`` says
what it was:

===================  ================================================================================================
``definition``       the value
===================  ================================================================================================
none                 one number, boolean or string
``list``, ``tuple``  of one kind of these, also of length one
``array <f8``        a numpy array of one axis, of that dtype
``scalar <f4``       a numpy scalar of that dtype
``json``             one string, JSON text: None, empty or mixed or nested lists, integers beyond 64 bits, arrays of
                     several axes ... What JSON has no word for is an object with one key: ``{"%float": "nan"}``,
                     ``%bytes`` (base64), ``%path``, ``%tuple``, ``%array`` (dtype, nested list), ``%scalar``, ``%mask``
                     and ``%items`` (pairs of a mapping whose keys are not plain strings)
===================  ================================================================================================

A mapping in a mapping is a section of type `MAPPING`. NIX keeps properties and sections apart, so the order of the keys
is in the property ``%order`` where sections do not come last.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from pynn_io.errors import ReadError, WriteError
from pynn_io.formats.nix import damage, decode_name, encode_name, nix_unit, storable

#: Type of a section that is a mapping's value.
MAPPING = "pynn_io.mapping"
_ORDER = "%order"
_WIDE = 2**63
_PLAIN = (bool, int, float, str)


def write_mapping(section: Any, values: Mapping[str, Any], units: Mapping[str, str] | None = None) -> None:
    """Every value as a property of ``section``, mappings as sections below it.

    units: symbols of `pynn_io.units` for the keys that have one. Raises WriteError for a value of another kind.
    """
    nested = [isinstance(value, Mapping) and all(isinstance(key, str) for key in value) for value in values.values()]
    for (key, value), below in zip(values.items(), nested, strict=True):
        if below:
            write_mapping(section.create_section(encode_name(key), MAPPING), value)
        else:
            write_value(section, key, value, (units or {}).get(key, ""))
    if nested != sorted(nested):
        section.create_property(_ORDER, [encode_name(key) for key in values]).definition = "list"


def write_value(section: Any, key: str, value: Any, unit: str = "") -> None:
    """One value that is no mapping of strings, as a property. Raises WriteError naming the key."""
    try:
        content, definition = _property(value)
    except TypeError as error:
        raise WriteError(f"the value of {key!r} cannot be stored: {error}") from None
    made = section.create_property(encode_name(key), content)
    if definition:
        made.definition = definition
    if unit:
        made.unit = nix_unit(unit)


def read_mapping(section: Any, where: object) -> dict[str, Any]:
    """What `write_mapping` wrote; sections of another type than `MAPPING` are left out. Raises ReadError."""
    place = f"{where}/{section.name}"
    with damage(place):
        found = {entry.name: read_value(entry, place) for entry in section.props}
        for entry in section.sections:
            if entry.type == MAPPING:
                found[entry.name] = read_mapping(entry, place)
    order = found.pop(_ORDER, None)
    if order is not None:
        if not isinstance(order, list) or sorted(map(str, order)) != sorted(found):
            raise ReadError("it must name every key once", where=f"{place}/{_ORDER}")
        found = {name: found[name] for name in order}
    return {decode_name(name): value for name, value in found.items()}


def read_value(entry: Any, where: object) -> Any:
    """The value of one property, as it was written. Raises ReadError."""
    place = f"{where}/{entry.name}"
    with damage(place):
        values = [value.item() if isinstance(value, np.generic) else value for value in entry.values]
        kind, _, dtype = (entry.definition or "").partition(" ")
    try:
        return _KINDS[kind](values, dtype)
    except (KeyError, IndexError, ValueError, TypeError, RecursionError) as error:
        raise ReadError(f"not a value that pynn_io wrote ({kind or 'one value'}): {error}", where=place) from None


_KINDS: Mapping[str, Callable[[list[Any], str], Any]] = {
    "": lambda values, _: values[0],
    "list": lambda values, _: values,
    "tuple": lambda values, _: tuple(values),
    "array": lambda values, dtype: np.asarray(values, dtype=dtype),
    "scalar": lambda values, dtype: np.dtype(dtype).type(values[0]),
    "json": lambda values, _: from_json(values[0]),
}


def _property(value: Any) -> tuple[list[Any] | np.ndarray, str]:
    """The values and the definition of the property that holds ``value``."""
    if type(value) in _PLAIN and _fits(value):
        return [value], ""
    if isinstance(value, np.generic) and value.dtype.kind in "biuf" and _exact(value.dtype) and _fits(value.item()):
        return [value.item()], f"scalar {value.dtype.str}"
    if type(value) in (list, tuple) and value and _uniform(value):
        return list(value), type(value).__name__
    if _is_flat(value):
        return value.tolist(), f"array {value.dtype.str}"
    return [to_json(value)], "json"


def _fits(value: Any) -> bool:
    if isinstance(value, str):
        return storable(value)
    return isinstance(value, float) or -_WIDE <= value < _WIDE


def _uniform(values: list[Any] | tuple[Any, ...]) -> bool:
    kind = type(values[0])
    return kind in _PLAIN and all(type(value) is kind and _fits(value) for value in values)


def _exact(dtype: np.dtype) -> bool:
    """Whether a Python number holds any value of the dtype."""
    return dtype.itemsize <= 8


def _is_flat(value: Any) -> bool:
    if not isinstance(value, np.ndarray) or np.ma.isMaskedArray(value) or value.ndim != 1 or not value.size:
        return False
    wide = value.dtype.kind == "u" and value.dtype.itemsize == 8 and bool((value >= _WIDE).any())
    return value.dtype.kind in "biuf" and _exact(value.dtype) and not wide


# --- JSON ---------------------------------------------------------------------------------------------------------


def to_json(value: Any) -> str:
    """Any value of the kinds above as ASCII JSON text. Raises TypeError for another kind."""
    return json.dumps(_tagged(value), allow_nan=False)


def from_json(text: str) -> Any:
    """What `to_json` was given. Raises ValueError or TypeError for text that it did not write."""
    return json.loads(text, object_hook=_untagged)


def _tagged(value: Any) -> Any:
    if isinstance(value, np.generic) and value.dtype.kind in "biuf" and _exact(value.dtype):
        return {"%scalar": [value.dtype.str, _tagged(value.item())]}
    if isinstance(value, float) and not math.isfinite(value):
        return {"%float": repr(float(value))}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_tagged(item) for item in value]
    if isinstance(value, tuple):
        return {"%tuple": [_tagged(item) for item in value]}
    if isinstance(value, bytes):
        return {"%bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, PurePosixPath):
        return {"%path": str(value)}
    if isinstance(value, Mapping):
        return _tagged_mapping(value)
    if isinstance(value, np.ndarray):
        return _tagged_array(value)
    raise TypeError(f"{type(value).__name__} is no number, string, list or mapping")


def _tagged_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    if all(isinstance(key, str) and not key.startswith("%") for key in value):
        return {key: _tagged(item) for key, item in value.items()}
    return {"%items": [[_tagged(key), _tagged(item)] for key, item in value.items()]}


def _tagged_array(value: np.ndarray) -> dict[str, Any]:
    if value.dtype.kind not in "biufUO" or (value.dtype.kind in "iuf" and not _exact(value.dtype)):
        raise TypeError(f"an array of {value.dtype}")
    if np.ma.isMaskedArray(value):
        return {"%mask": [_tagged_array(np.ma.getdata(value)), _tagged_array(np.ma.getmaskarray(value))]}
    return {"%array": [value.dtype.str, list(value.shape), _tagged(value.ravel().tolist())]}


def _untagged(found: dict[str, Any]) -> Any:
    if len(found) != 1:
        return found
    (tag, content) = next(iter(found.items()))
    return _TAGS[tag](content) if tag.startswith("%") else found


def _array(content: list[Any]) -> np.ndarray:
    dtype, shape, values = content
    made = np.empty(len(values), dtype=dtype)
    made[:] = values
    return made.reshape(shape)


_TAGS: Mapping[str, Callable[[Any], Any]] = {
    "%float": float,
    "%scalar": lambda content: np.dtype(content[0]).type(content[1]),
    "%tuple": tuple,
    "%bytes": lambda content: base64.b64decode(content, validate=True),
    "%path": PurePosixPath,
    "%items": dict,
    "%array": _array,
    "%mask": lambda content: np.ma.array(content[0], mask=content[1]),
}
