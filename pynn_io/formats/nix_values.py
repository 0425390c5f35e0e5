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
``json``             one string, `pynn_io.formats.tagged_json`: None, empty, mixed or nested lists, integers beyond
                     64 bits, arrays of several axes, records ...
===================  ================================================================================================

A mapping in a mapping is a section of type `MAPPING`. NIX keeps properties and sections apart, so the order of the keys
is in the property ``%order`` where sections do not come last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pynn_io.errors import ReadError, WriteError
from pynn_io.formats.nix import damage, decode_name, encode_name, set_unit, storable
from pynn_io.formats.tagged_json import Codec, is_exact

#: Type of a section that is a mapping's value.
MAPPING = "pynn_io.mapping"
_ORDER = "%order"
_WIDE = 2**63
_PLAIN = (bool, int, float, str)
_CODEC = Codec()


def write_mapping(
    section: Any, values: Mapping[str, Any], units: Mapping[str, str] | None = None, codec: Codec = _CODEC
) -> None:
    """Every value as a property of ``section``, mappings as sections below it.

    units: symbols of `pynn_io.units` for the keys that have one. codec: for what is neither number nor string.
    Raises WriteError for a value of another kind.
    """
    nested = [isinstance(value, Mapping) and all(isinstance(key, str) for key in value) for value in values.values()]
    for (key, value), below in zip(values.items(), nested, strict=True):
        if below:
            write_mapping(section.create_section(encode_name(key), MAPPING), value, codec=codec)
        else:
            write_value(section, key, value, (units or {}).get(key, ""), codec)
    if nested != sorted(nested):
        section.create_property(_ORDER, [encode_name(key) for key in values]).definition = "list"


def write_value(section: Any, key: str, value: Any, unit: str = "", codec: Codec = _CODEC) -> None:
    """One value that is no mapping of strings, as a property. Raises WriteError naming the key."""
    try:
        content, definition = _property(value, codec)
    except TypeError as error:
        raise WriteError(f"the value of {key!r} cannot be stored: {error}") from None
    made = section.create_property(encode_name(key), content)
    if definition:
        made.definition = definition
    set_unit(made, unit)


def read_mapping(section: Any, where: object, codec: Codec = _CODEC) -> dict[str, Any]:
    """What `write_mapping` wrote; sections of another type than `MAPPING` are left out. Raises ReadError."""
    place = f"{where}/{section.name}"
    with damage(place):
        found = {entry.name: read_value(entry, place, codec) for entry in section.props}
        for entry in section.sections:
            if entry.type == MAPPING:
                found[entry.name] = read_mapping(entry, place, codec)
    order = found.pop(_ORDER, None)
    if order is not None:
        if not isinstance(order, list) or sorted(map(str, order)) != sorted(found):
            raise ReadError("it must name every key once", where=f"{place}/{_ORDER}")
        found = {name: found[name] for name in order}
    return {decode_name(name): value for name, value in found.items()}


def read_value(entry: Any, where: object, codec: Codec = _CODEC) -> Any:
    """The value of one property, as it was written. Raises ReadError."""
    place = f"{where}/{entry.name}"
    with damage(place):
        values = [value.item() if isinstance(value, np.generic) else value for value in entry.values]
        kind, _, dtype = (entry.definition or "").partition(" ")
    try:
        return codec.value(values[0]) if kind == "json" else _KINDS[kind](values, dtype)
    except (KeyError, IndexError, ValueError, TypeError, RecursionError) as error:
        raise ReadError(f"not a value that pynn_io wrote ({kind or 'one value'}): {error}", where=place) from None


_KINDS: Mapping[str, Callable[[list[Any], str], Any]] = {
    "": lambda values, _: values[0],
    "list": lambda values, _: values,
    "tuple": lambda values, _: tuple(values),
    "array": lambda values, dtype: np.asarray(values, dtype=dtype),
    "scalar": lambda values, dtype: np.dtype(dtype).type(values[0]),
}


def _property(value: Any, codec: Codec) -> tuple[list[Any] | np.ndarray, str]:
    """The values and the definition of the property that holds ``value``."""
    if type(value) in _PLAIN and _fits(value):
        return [value], ""
    if isinstance(value, np.generic) and value.dtype.kind in "biuf" and is_exact(value.dtype) and _fits(value.item()):
        return [value.item()], f"scalar {value.dtype.str}"
    if type(value) in (list, tuple) and value and _uniform(value):
        return list(value), type(value).__name__
    if _is_flat(value):
        return value.tolist(), f"array {value.dtype.str}"
    return [codec.text(value)], "json"


def _fits(value: Any) -> bool:
    if isinstance(value, str):
        return storable(value)
    return isinstance(value, float) or -_WIDE <= value < _WIDE


def _uniform(values: list[Any] | tuple[Any, ...]) -> bool:
    kind = type(values[0])
    return kind in _PLAIN and all(type(value) is kind and _fits(value) for value in values)


def _is_flat(value: Any) -> bool:
    if not isinstance(value, np.ndarray) or np.ma.isMaskedArray(value) or value.ndim != 1 or not value.size:
        return False
    wide = value.dtype.kind == "u" and value.dtype.itemsize == 8 and bool((value >= _WIDE).any())
    return value.dtype.kind in "biuf" and is_exact(value.dtype) and not wide
