"""PyNN's standard cells on NEURON: one point process each, of our own NMODL (``mod/``), that computes what NEST does.

The processes are bound to the time grid as NEST's cells are, so that one plan gives the same spikes on both: current
based cells agree to rounding, the others to the error bound of NEST's solvers. A NEST model that has a standard twin
goes through it. ``mod/*.mod`` say what each computes; a model is a row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from pynn_io.graph.cells import PointCell
from pynn_io.graph.columns import empty
from pynn_io.lowering.standard import twin
from pynn_io.lowering.standard_cells import complete_values
from pynn_io.report import Report
from pynn_io.units import scale_by_power
from pynn_io.vocabulary import models
from pynn_io.vocabulary.applied import STATES


@dataclass(frozen=True, slots=True)
class Row:
    """How a standard cell is one of our point processes.

    powers: ``range variable = parameter * 10**power``, for parameters whose unit differs; the names are the same.
    constants: what makes the process this model. states: state of the model -> range variable of its initial value.
    records: recordable of the model -> range variable. weight_unit: of NetCon's weight; its sign chooses the synapse.
    current_power: nA -> the unit of ``i_stim`` and of current events.
    """

    mechanism: str
    weight_unit: str
    constants: Mapping[str, float] = field(default_factory=empty)
    powers: Mapping[str, int] = field(default_factory=empty)
    states: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"v": "v_init"}))
    records: Mapping[str, str] = field(default_factory=empty)
    current_power: int = 0


_CURRENT = MappingProxyType({"v": "vm", "isyn_exc": "i_e", "isyn_inh": "i_i"})
_CONDUCTANCE = MappingProxyType({"v": "vm", "gsyn_exc": "g_e", "gsyn_inh": "g_i"})
_EXP, _ALPHA = MappingProxyType({"alpha": 0.0}), MappingProxyType({"alpha": 1.0})


def _exponential(shape: Mapping[str, float]) -> Row:
    return Row(
        "PynnIoEIFCond",
        "uS",
        shape,
        powers=MappingProxyType({"a": -3}),
        states=MappingProxyType({"v": "v_init", "w": "w_init"}),
        records=MappingProxyType({**_CONDUCTANCE, "w": "w"}),
    )


ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "IF_curr_exp": Row("PynnIoIFCurr", "nA", _EXP, records=_CURRENT),
        "IF_curr_alpha": Row("PynnIoIFCurr", "nA", _ALPHA, records=_CURRENT),
        "IF_curr_delta": Row("PynnIoIFJump", "mV", records=MappingProxyType({"v": "vm"})),
        "IF_cond_exp": Row("PynnIoIFCond", "uS", _EXP, records=_CONDUCTANCE),
        "IF_cond_alpha": Row("PynnIoIFCond", "uS", _ALPHA, records=_CONDUCTANCE),
        "IF_facets_hardware1": Row("PynnIoIFCond", "uS", _EXP, records=_CONDUCTANCE),
        "IF_cond_exp_gsfa_grr": Row(
            "PynnIoIFCond",
            "uS",
            _EXP,
            powers=MappingProxyType({"q_sfa": -3, "q_rr": -3}),
            records=MappingProxyType({**_CONDUCTANCE, "g_s": "g_s", "g_r": "g_r"}),
        ),
        "EIF_cond_exp_isfa_ista": _exponential(_EXP),
        "EIF_cond_alpha_isfa_ista": _exponential(_ALPHA),
        "Izhikevich": Row(
            "PynnIoIzhikevich",
            "mV",
            powers=MappingProxyType({"i_offset": 3}),
            states=MappingProxyType({"v": "v_init", "u": "u_init"}),
            records=MappingProxyType({"v": "vm", "u": "u"}),
            current_power=3,
        ),
        "HH_cond_exp": Row(
            "PynnIoHHCond",
            "uS",
            states=MappingProxyType({"v": "v_init", "m": "m_init", "h": "h_init", "n": "n_init"}),
            records=MappingProxyType({**_CONDUCTANCE, "m": "m", "h": "h", "n": "n"}),
        ),
    }
)

#: Parameters of NEST's models without a counterpart in PyNN's, which our processes have: range variable by process.
_NATIVE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "PynnIoIFCurr": {"V_min": "v_floor"},
        "PynnIoIFJump": {"V_min": "v_floor", "refractory_input": "refractory_input"},
        "PynnIoIzhikevich": {"V_min": "v_floor", "V_th": "v_thresh"},
        "PynnIoHHCond": {"t_ref": "tau_refrac"},
    }
)
#: NEURON has no infinite parameter; this is below any potential.
_NO_FLOOR = -1e30


def row_of(model: str) -> Row | None:
    """The row of a standard cell, or of the standard twin of one of NEST's; None where there is none."""
    return ROWS.get(twin(model))


def recorded(model: str, variable: str) -> str | None:
    """The range variable behind a recordable (``v``, ``V_m``, ``gsyn_exc``); None where the model has none of it."""
    row = row_of(model)
    return None if row is None else row.records.get(STATES.get(variable, variable))


def ranges(
    cell: PointCell, parameters: Mapping[str, Any], report: Report, where: str, v_init: float | None = None
) -> dict[str, Any]:
    """Range variables of the point process of a cell that `row_of` knows: a number, or an array with one a cell.

    parameters: as the cell's model names them, in the units of its row in `pynn_io.vocabulary`, masked where a cell
    states none. Defaults are filled in
    and reported as `pynn_io.vocabulary.models.complete` does; ``parameter-not-applied`` (LOST) names what the process
    does not have. Initial states are there only where stated.
    Raises KeyError for a model without a row.
    """
    row = row_of(cell.model)
    if row is None:
        raise KeyError(cell.model)
    standard, native = complete_values(cell, parameters, report, where, v_init)
    states = {item.name for item in models.MODELS[twin(cell.model)].states} | {"g_ex", "g_in"}
    found = {name: _scaled(standard[name], row.powers.get(name, 0)) for name in standard.keys() - states}
    found |= {variable: standard[name] for name, variable in row.states.items()}
    for name in sorted(states & standard.keys() - row.states.keys()):
        if np.any(standard[name]):
            report.lost("initial-state", where, f"{cell.model}: {name} starts at 0 on NEURON.", examples=[name])
    known = _NATIVE.get(row.mechanism, {})
    found |= {known[name]: _finite(value) for name, value in native.items() if name in known}
    for name in sorted(native.keys() - known.keys()):
        report.lost("parameter-not-applied", where, f"{cell.model}: {name} has no counterpart on NEURON.")
    return {**dict(sorted(found.items())), **row.constants}


def _scaled(value: Any, power: int) -> Any:
    return scale_by_power(value, power) if power else value


def _finite(value: Any) -> Any:
    return np.maximum(np.asarray(value, dtype=np.float64), _NO_FLOOR) if not isinstance(value, bool) else float(value)
