"""A simulation plan as JSON, whole, and back.

``{"pynn_io": "simulation plan", "version": 1, "plan": {...}}``: an object for each dataclass, its fields by their names
(those that hold their default are left out); a stimulus says in ``type`` which class it is. Arrays are lists, numbers
that JSON does not have are the texts ``inf``, ``-inf`` and ``nan``; ``mechanism_variables`` is an object of objects.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any, get_args, get_type_hints

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.formats.strict_json import parse_json
from pynn_io.graph import stimuli
from pynn_io.graph.stimuli import Relative
from pynn_io.simulation_plan.plan import (
    Assignment,
    ConnectionOverride,
    Modification,
    Output,
    Recording,
    SimulationPlan,
)

FORMAT, VERSION = "simulation plan", 1
_STIMULI = {kind.__name__: kind for kind in get_args(stimuli.What)}
_TYPE = "type"
_NOT_IN_JSON = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
#: What the entries of a field are, by its name.
_ENTRIES: Mapping[str, type] = {
    "stimuli": stimuli.Stimulus,
    "recordings": Recording,
    "modifications": Modification,
    "overrides": ConnectionOverride,
    "assignments": Assignment,
    "configure": Assignment,
}


def to_json(plan: SimulationPlan) -> str:
    """The plan as JSON text. Raises PlanError for a value in ``extra`` or in a node set that JSON cannot hold."""
    content = {"pynn_io": FORMAT, "version": VERSION, "plan": _fields_of(plan, "plan")}
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def from_json(text: str, where: object = "plan") -> SimulationPlan:
    """The plan of a JSON text that `to_json` made.

    where: a file name, for messages. Raises ReadError for what is no JSON, and PlanError with ``where:path.to.key`` for
    another format or version, an unknown key, a missing one, and a value of the wrong kind.
    """
    content = parse_json(text, str(where))
    if not isinstance(content, Mapping) or content.get("pynn_io") != FORMAT:
        raise PlanError(f"not a {FORMAT} of pynn_io", where=where)
    if content.get("version") != VERSION:
        raise PlanError(
            f"version {content.get('version')!r} of the format is unknown",
            where=f"{where}:version",
            hint=f"this pynn_io reads version {VERSION}",
        )
    for key in content:
        if key not in ("pynn_io", "version", "plan"):
            raise PlanError("this key is unknown", where=f"{where}:{key}")
    plan: SimulationPlan = _object(SimulationPlan, content.get("plan"), f"{where}:plan")
    return plan


# --- to JSON -------------------------------------------------------------------------------------------------------


def _fields_of(item: Any, place: str) -> dict[str, Any]:
    """The fields of a dataclass that do not hold their default; what does not count in comparisons is no part of it."""
    found = {}
    for field in fields(item):
        value = getattr(item, field.name)
        if field.compare and not _is_default(field, value):
            found[field.name] = _written(field.name, value, f"{place}.{field.name}")
    return found


def _is_default(field: Field[Any], value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return False
    if field.default is not MISSING:
        return type(value) is type(field.default) and value == field.default
    return field.default_factory is not MISSING and value == field.default_factory()


def _written(name: str, value: Any, place: str) -> Any:
    if name == "mechanism_variables":
        nested: dict[str, dict[str, float]] = {}
        for (mechanism, variable), number in value.items():
            nested.setdefault(mechanism, {})[variable] = number
        return _plain(nested, place)
    if name == "what":
        return {_TYPE: type(value).__name__, **_fields_of(value, place)}
    if name in _ENTRIES:
        return [
            _plain(entry._asdict(), place) if isinstance(entry, Assignment) else _fields_of(entry, f"{place}[{number}]")
            for number, entry in enumerate(value)
        ]
    return _fields_of(value, place) if is_dataclass(value) else _plain(value, place)


def _plain(value: Any, place: str) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist(), place)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise PlanError(f"JSON has no keys like {key!r}", where=place)
        return {key: _plain(item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, place) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise PlanError(f"JSON has no place for {value!r}", where=place)


# --- from JSON -----------------------------------------------------------------------------------------------------


def _object(kind: type, content: Any, place: str) -> Any:
    """A dataclass, or an `Assignment`, of an object."""
    if not isinstance(content, Mapping):
        raise PlanError(f"an object is expected, here it is {_short(content)}", where=place)
    hints = get_type_hints(kind)
    for key in content:
        if key not in hints:
            raise PlanError("this key is unknown", where=f"{place}.{key}")
    values = {key: _read(key, hints[key], value, f"{place}.{key}") for key, value in content.items()}
    needed = kind._field_defaults if kind is Assignment else _optional(kind)  # type: ignore[attr-defined]
    for name in hints:
        if name not in values and name not in needed:
            raise PlanError("this key is missing", where=f"{place}.{name}")
    return kind(**values)


def _optional(kind: type) -> set[str]:
    return {f.name for f in fields(kind) if f.default is not MISSING or f.default_factory is not MISSING}


def _read(name: str, hint: Any, value: Any, place: str) -> Any:
    if name == "what":
        return _stimulus(value, place)
    if name in _ENTRIES:
        entries = _list(value, place)
        return tuple(_object(_ENTRIES[name], entry, f"{place}[{number}]") for number, entry in enumerate(entries))
    if hint is Output:
        return _object(Output, value, place)
    if name == "mechanism_variables":
        return {
            (mechanism, variable): _number(number, f"{place}.{mechanism}.{variable}")
            for mechanism, variables in _mapping(value, place).items()
            for variable, number in _mapping(variables, f"{place}.{mechanism}").items()
        }
    if hint is np.ndarray:
        return _array(name, value, place)
    return _scalar(hint, value, place)


def _stimulus(content: Any, place: str) -> Any:
    named = _mapping(content, place)
    kind = _STIMULI.get(str(named.get(_TYPE)))
    if kind is None:
        raise PlanError(
            f"there is no stimulus of type {named.get(_TYPE)!r}", where=f"{place}.{_TYPE}", hint=", ".join(_STIMULI)
        )
    return _object(kind, {key: value for key, value in named.items() if key != _TYPE}, place)


def _scalar(hint: Any, value: Any, place: str) -> Any:
    """A value by the annotation of its field: ``float | None``, ``tuple[float, ...]``, ``Mapping[str, int]`` ..."""
    if hint is Any:
        return value
    kinds = get_args(hint) if type(None) in get_args(hint) else (hint,)
    if value is None and type(None) in kinds:
        return None
    kind = next(each for each in kinds if each is not type(None))
    if kind is Any:
        return value
    origin = getattr(kind, "__origin__", kind)
    if origin is tuple:
        return tuple(_number(entry, place) for entry in _list(value, place))
    if origin is stimuli.SpikeTrains:
        return _object(kind, value, place)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict(_mapping(value, place))
    if kind is Relative:
        return _relative(value, place)
    if kind is float:
        return _number(value, place)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise PlanError(f"{kind.__name__} is expected, here it is {_short(value)}", where=place)
    return value


def _relative(value: Any, place: str) -> Relative:
    try:
        return Relative(value)
    except ValueError:
        known = ", ".join(repr(str(each)) for each in Relative)
        raise PlanError(f"{_short(value)} is none of {known}", where=place) from None


def _array(name: str, value: Any, place: str) -> np.ndarray:
    numbers = [_number(entry, place) for entry in _list(value, place)]
    if name != "node_ids":
        return np.asarray(numbers, dtype=np.float64)
    if not all(isinstance(entry, int) for entry in value):
        raise PlanError("node ids are whole numbers", where=place)
    return np.asarray(value, dtype=np.int64)


def _number(value: Any, place: str) -> float:
    if isinstance(value, str) and value in _NOT_IN_JSON:
        return _NOT_IN_JSON[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PlanError(f"a number is expected, here it is {_short(value)}", where=place)
    return float(value)


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise PlanError(f"a list is expected, here it is {_short(value)}", where=place)
    return value


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PlanError(f"an object is expected, here it is {_short(value)}", where=place)
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
