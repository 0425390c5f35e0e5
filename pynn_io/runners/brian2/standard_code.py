"""The rows of standard cells as code of Brian2, and the numbers of cells."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from pynn_io.graph.cells import PointCell
from pynn_io.lowering.standard import twin
from pynn_io.lowering.standard_cells import complete_values
from pynn_io.report import Report
from pynn_io.runners.algorithms import EULER, EXACT, RUNGE_KUTTA_4
from pynn_io.runners.brian2.integration import euler, runge_kutta, words
from pynn_io.runners.brian2.lowered import CellCode
from pynn_io.runners.brian2.standard import NAMES, NO_FLOOR, ROWS, STIMULUS, Row, Values
from pynn_io.units import convert, scale_by_power
from pynn_io.vocabulary import models
from pynn_io.vocabulary.applied import STATES

#: What NEST tells these in.
_NATIVE_UNITS: Mapping[str, str] = MappingProxyType({"g_ex": "nS", "g_in": "nS", "I_syn_ex": "pA", "I_syn_in": "pA"})


#: Words of the texts that are no variables of a cell.
_BUILT_IN = frozenset(
    {"exp", "log", "linoid", "clip", "choose", "int", "and", "t", "dt", "ms", "stride", "not_refractory", STIMULUS}
)
#: Variables of NEST's cells that a recording may ask for, as the standard cell has them.
_NATIVE_RECORDS: Mapping[str, str] = MappingProxyType(
    {"g_ex": "gsyn_exc", "g_in": "gsyn_inh", "I_syn_ex": "isyn_exc", "I_syn_in": "isyn_inh"}
)


def code_of(model: str) -> CellCode:
    """The code of a cell that `row_of` knows. Raises KeyError for another one."""
    row = ROWS[twin(model)]
    steps = ["\n".join(row.begin), *[_part(row)] * max(row.parts, 1), "\n".join(row.end)]
    return CellCode(
        model,
        _equations(row),
        tuple(text for text in steps if text),
        row.threshold,
        row.reset,
        row.resting,
        row.receptors,
        row.unit,
        row.unit != "mV",
        _records(row, twin(model), model),
        EXACT if row.exact else RUNGE_KUTTA_4 if row.parts else EULER,
        max(row.parts, 1),
    )


def _part(row: Row) -> str:
    """What is done once, or for every part of a step."""
    if row.exact:
        return "\n".join(row.exact)
    exact = {line.split()[0] for line in row.halves}
    rates = {
        name: f"int(not_refractory) * ({text})" if name in row.held else text
        for name, text in (row.solved or row.rates).items()
        if name not in exact
    }
    if not row.parts:
        return euler(rates, row.derived)
    return runge_kutta(rates, row.derived, row.parts, start=row.start, halves=row.halves, each=row.each)


def _equations(row: Row) -> str:
    lines = [
        f"d{name}/dt = ({text}) / ms : 1{' (unless refractory)' if name in row.held else ''}"
        for name, text in row.rates.items()
    ]
    lines += [f"{name} = {text} : 1" for name, text in row.derived.items() if not row.solved]
    lines += [f"{name} : 1" for name in row.more]
    return "\n".join([*lines, *(f"{name} : 1 (constant)" for name in _parameters(row))])


def _parameters(row: Row) -> list[str]:
    """The names in a row that are numbers of the cells."""
    texts = [*row.rates.values(), *row.derived.values(), *row.solved.values(), *row.exact]
    texts += [*row.halves, *row.begin, *row.start, *row.each, *row.end]
    used = words("\n".join([*texts, row.threshold, row.reset]))
    used |= {name.removesuffix("_post") for text in row.receptors.values() for name in words(text) if name != "w"}
    used |= {"resting"} if row.resting else set()
    local = {line.split()[0] for line in (*row.begin, *row.start, *row.each)}
    return sorted(used - {*row.rates, *row.derived, *row.more, *local, *_BUILT_IN})


def _records(row: Row, standard: str, model: str) -> dict[str, tuple[str, str, float]]:
    """Recordables under the standard cell's names, and under those of NEST's model in its units."""
    states = {item.name: item.unit for item in models.MODELS[standard].states}
    found = {name: (variable, states[name], 1.0) for name, variable in row.records.items()}
    found["V_m"] = found["v"]
    if model == standard:
        return found
    native = {item.name: item.unit for item in models.MODELS[model].states}
    for native_name, native_unit in {**_NATIVE_UNITS, **native}.items():
        name = _NATIVE_RECORDS.get(native_name, STATES.get(native_name, native_name))
        if name in found:
            variable, unit, _ = found[name]
            same = {native_unit, unit} == {"mV", "mV/ms"} or native_unit == unit
            found[native_name] = (variable, native_unit, 1.0 if same else convert(1.0, unit, native_unit))
    return found


def values_of(
    cell: PointCell, parameters: Values, timestep: float, report: Report, where: str
) -> dict[str, float | np.ndarray]:
    """The variables of a cell that `row_of` knows: a number, or float64 with one a cell.

    parameters: as the cell's model names them, masked where a cell states none. Defaults are reported as
    `pynn_io.vocabulary.models.complete` does, and ``initial-state`` and ``parameter-not-applied`` (LOST) where Brian2's
    cells here have no such thing. Raises KeyError for a model without a row.
    """
    standard, native = complete_values(cell, parameters, report, where)
    row = ROWS[twin(cell.model)]
    states = {item.name for item in models.MODELS[twin(cell.model)].states} | set(_NATIVE_RECORDS)
    for name in sorted(states & standard.keys() - set(row.states)):
        if np.any(standard[name]):
            report.lost("initial-state", where, f"{cell.model}: {name} starts at 0 on Brian2.", examples=[name])
    applied = {row.native[name]: _bounded(value) for name, value in native.items() if name in row.native}
    for name in sorted(native.keys() - row.native.keys()):
        report.lost("parameter-not-applied", where, f"{cell.model}: {name} has no counterpart on Brian2.")
    values = {name: value for name, value in standard.items() if name not in states}
    values = {"v_floor": NO_FLOOR, **values, **applied}
    values |= {name: scale_by_power(values[name], power) for name, power in row.powers.items()}
    values |= row.fixed(values, timestep)
    values |= {name: standard[name] for name in row.states}
    values = {NAMES.get(name, name): value for name, value in values.items()}
    wanted = {*_parameters(row), *row.states}
    return {name: _number(value) for name, value in values.items() if name in wanted}


def _bounded(value: Any) -> Any:
    return np.maximum(np.asarray(value, dtype=np.float64), NO_FLOOR)


def _number(value: Any) -> float | np.ndarray:
    array = np.asarray(value, dtype=np.float64)
    return array if array.ndim else float(array)
