"""JSON text that gives back what went in: tuples, bytes, NaN, numpy arrays and scalars, paths and records.

What JSON has no word for is an object with one key:

=============  ======================================================================================================
``%float``     ``"nan"``, ``"inf"``, ``"-inf"``
``%tuple``     a list
``%bytes``     base64
``%path``      a path with forward slashes
``%scalar``    dtype and number of a numpy scalar
``%array``     dtype, shape and flat list of values of an array; ``%mask``: the arrays of values and of the mask
``%stored``    the name under which an array is kept elsewhere
``%record``    name and fields of a dataclass or named tuple; name and value of an enumeration
``%items``     pairs of key and value of a mapping whose keys are not strings, or begin with ``%``
=============  ======================================================================================================
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import PurePath, PurePosixPath
from typing import Any

import numpy as np


def _same_path(path: PurePath) -> PurePath:
    return path


@dataclass(frozen=True, slots=True)
class Codec:
    """How values that point out of the text are written and read.

    records: the classes that reading may make, by name; writing takes any dataclass. path: applied to every path.
    names: what a class is called, if not by its own name, which another class may bear.
    store: on writing, the name under which an array is kept elsewhere, or None for one that goes into the text. load:
    on reading, the array of that name.
    """

    records: Mapping[str, type] = field(default_factory=dict)
    names: Mapping[type, str] = field(default_factory=dict)
    path: Callable[[PurePath], PurePath] = _same_path
    store: Callable[[np.ndarray], str | None] | None = None
    load: Callable[[str], np.ndarray] | None = None

    def text(self, value: Any) -> str:
        """Any value of the kinds above as ASCII JSON text. Raises TypeError for another kind."""
        return json.dumps(self._tagged(value), allow_nan=False)

    def value(self, text: str) -> Any:
        """What `text` was given. Raises ValueError, TypeError, KeyError or IndexError for text that it did not make."""
        return json.loads(text, object_hook=self._untagged)

    # --- writing --------------------------------------------------------------------------------------------------

    def _tagged(self, value: Any) -> Any:
        if isinstance(value, Enum):
            return {"%record": [type(value).__name__, value.value]}
        if isinstance(value, np.generic) and value.dtype.kind in "biuf" and is_exact(value.dtype):
            return {"%scalar": [value.dtype.str, self._tagged(value.item())]}
        if isinstance(value, float) and not math.isfinite(value):
            return {"%float": repr(float(value))}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list):
            return [self._tagged(item) for item in value]
        if isinstance(value, tuple):
            return self._tagged_tuple(value)
        if isinstance(value, bytes):
            return {"%bytes": base64.b64encode(value).decode("ascii")}
        if isinstance(value, PurePath):
            return {"%path": self.path(value).as_posix()}
        if isinstance(value, Mapping):
            return self._tagged_mapping(value)
        if isinstance(value, np.ndarray):
            return self._tagged_array(value)
        if is_dataclass(value) and not isinstance(value, type):
            return self._record(value, {entry.name: getattr(value, entry.name) for entry in fields(value)})
        raise TypeError(f"{type(value).__name__} is no number, string, list, mapping or record")

    def _tagged_tuple(self, value: tuple[Any, ...]) -> dict[str, Any]:
        if hasattr(value, "_asdict"):
            return self._record(value, value._asdict())
        return {"%tuple": [self._tagged(item) for item in value]}

    def _record(self, value: Any, stated: Mapping[str, Any]) -> dict[str, Any]:
        called = self.names.get(type(value), type(value).__name__)
        return {"%record": [called, {name: self._tagged(item) for name, item in stated.items()}]}

    def _tagged_mapping(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        if all(isinstance(key, str) and not key.startswith("%") for key in value):
            return {key: self._tagged(item) for key, item in value.items()}
        return {"%items": [[self._tagged(key), self._tagged(item)] for key, item in value.items()]}

    def _tagged_array(self, value: np.ndarray) -> dict[str, Any]:
        stored = self.store(value) if self.store else None
        if stored is not None:
            return {"%stored": stored}
        if value.dtype.kind not in "biufUO" or (value.dtype.kind in "iuf" and not is_exact(value.dtype)):
            raise TypeError(f"an array of {value.dtype}")
        if np.ma.isMaskedArray(value):
            data, mask = np.ma.getdata(value), np.ma.getmaskarray(value)
            return {"%mask": [self._tagged_array(data), self._tagged_array(mask)]}
        return {"%array": [value.dtype.str, list(value.shape), self._tagged(value.ravel().tolist())]}

    # --- reading --------------------------------------------------------------------------------------------------

    def _untagged(self, found: dict[str, Any]) -> Any:
        if len(found) != 1:
            return found
        (tag, content) = next(iter(found.items()))
        if not tag.startswith("%"):
            return found
        if tag == "%record":
            return self._made(*content)
        if tag == "%path":
            return self.path(PurePosixPath(content))
        if tag == "%stored":
            if self.load is None:
                raise ValueError(f"the array {content!r} is not here")
            return self.load(content)
        return _TAGS[tag](content)

    def _made(self, name: str, content: Any) -> Any:
        kind = self.records[name]
        return kind(**content) if isinstance(content, dict) else kind(content)


def is_exact(dtype: np.dtype) -> bool:
    """Whether a Python number holds any value of the dtype."""
    return dtype.itemsize <= 8


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
    "%items": dict,
    "%array": _array,
    "%mask": lambda content: np.ma.array(content[0], mask=content[1]),
}
