"""PyNN's standard cells as NEST's models: numbers of a part of a population under NEST's names, in NEST's units."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn_io.graph.cells import PointCell
from pynn_io.lowering.cells import Part
from pynn_io.lowering.standard import completed
from pynn_io.report import Report
from pynn_io.units import UNITS, scale_by_power, unit
from pynn_io.vocabulary import models, translations
from pynn_io.vocabulary.applied import REST, STATES
from pynn_io.vocabulary.derived import DERIVED

#: The standard cell that this one is with some of its values fixed.
_SPECIAL_CASES = {"IF_facets_hardware1": "IF_cond_exp"}

#: States that NEST lets nobody set.
_COMPUTED = frozenset({"i_eta", "v_t"})


def row_of(model: str) -> translations.Translation | None:
    """How NEST says a standard cell; None where it has no such model."""
    return translations.of_standard(_SPECIAL_CASES.get(model, model))


def native_values(
    part: Part, cell: PointCell, row: translations.Translation, report: Report, where: str
) -> dict[str, Any]:
    """Parameters and initial states of a part: numbers, or arrays with one a cell. Complete: defaults are filled in.

    Reports as `pynn_io.lowering.standard.completed`, and what NEST's model cannot say (``unsaid-parameter``, LOST).
    """
    model = models.MODELS[cell.model]
    values = completed(part, cell, report, where)
    for name in sorted(_COMPUTED & values.keys()):
        if np.all(values[name] == values.get(REST.get(name, ""), 0.0)):
            continue  # what the cell starts from without a spike
        report.lost("initial-state", where, f"{cell.model}: NEST computes {name} from the cell's spikes alone.")
    states = {item.name: values.pop(item.name, item.default) for item in model.states}
    if cell.model in _SPECIAL_CASES:
        fixed = {**values, **DERIVED[cell.model](values)}
        values = {item.name: fixed[item.name] for item in models.MODELS[row.standard].parameters}
    native, unsaid = translations.to_native(row, values)
    report.lost(
        "unsaid-parameter",
        where,
        f"{row.native} cannot say {', '.join(sorted(unsaid))} of {cell.model}.",
        count=len(unsaid),
    )
    names = native_states(row, model)
    for name, value in states.items():
        # A synaptic state at rest is NEST's own, and some of its models do not let it be set.
        if name in names.keys() - _COMPUTED and (
            np.ndim(value) or value != 0 or not name.startswith(("gsyn", "isyn", "g_"))
        ):
            native_name, _, power = names[name]
            native[native_name] = scale_by_power(value, power)
    return native


def native_states(row: translations.Translation, model: models.Model) -> dict[str, tuple[str, str, int]]:
    """State of the standard cell -> (NEST's name, unit, power of ten to NEST's unit)."""
    found = {}
    for item in models.MODELS[row.native].states:
        name = STATES.get(item.name, item.name)
        twin = next((state for state in model.states if state.name == name), None)
        if twin is not None:
            found[name] = (item.name, twin.unit, _power(twin.unit, item.unit))
    return found


def _power(source: str, target: str) -> int:
    """The power of ten between two units; 0 where they are none of ours (mV/ms for the same thing)."""
    if source not in UNITS or target not in UNITS or unit(source).dimension != unit(target).dimension:
        return 0
    return unit(source).power - unit(target).power
