"""Parts of populations as NEST's models: native ones as they are, PyNN's standard cells translated."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pynn_io.audit import cell_code
from pynn_io.graph.cells import CableCell, PointCell, SpikeSource, UnknownCell
from pynn_io.graph.columns import EMPTY
from pynn_io.graph.network import Population
from pynn_io.lowering import Part
from pynn_io.lowering.glif import is_glif, to_glif_psc
from pynn_io.lowering.nest_cells import native_states, native_values, row_of
from pynn_io.report import Report
from pynn_io.runners.nest.lowered import Nodes
from pynn_io.vocabulary import models, translations

#: What OBI's ``point_neuron`` is (SONATA extension, "point neuron"), and how its attributes are spelled there.
OBI_POINT_MODEL = "aeif_cond_beta_multisynapse"
_OBI_NAMES = (
    *("C_m", "Delta_T", "E_L", "E_rev", "I_e", "V_m", "V_peak", "V_reset", "V_th", "a", "b", "g_L", "t_ref"),
    *("tau_decay", "tau_rise", "tau_w", "w"),
)
#: Synaptic variables of standard cells under NEST's names, by what their weights are.
_SYNAPTIC = {
    "uS": {"gsyn_exc": "g_ex", "gsyn_inh": "g_in"},
    "nA": {"isyn_exc": "I_syn_ex", "isyn_inh": "I_syn_in"},
}


def lower_part(part: Part, population: Population, report: Report, *, precise: bool = False) -> Nodes | None:
    """The nodes of one part; None for sources, and for what NEST has not (LOST, by `cell_code`).

    precise: standard cells are NEST's models with spikes between steps, where it has these (`Translation.precise`).

    Raises ReadError for a GLIF configuration with something missing.
    """
    where = f"population {part.population}"
    cell = part.cell
    if isinstance(cell, SpikeSource):
        return None
    if isinstance(cell, UnknownCell) and cell.kind == "point_neuron":
        return _obi(part, population)
    if isinstance(cell, PointCell) and cell.model.startswith("nest:"):
        return _native(part, cell, where)
    nodes = _standard(part, cell, report, where, precise) if isinstance(cell, PointCell) else None
    if nodes is None:
        report.lost(
            cell_code(cell),
            where,
            f"NEST does not have {_what(cell)}; these cells are left out, with their synapses.",
            count=part.size,
            examples=[part.cell_name],
        )
    return nodes


def _what(cell: Any) -> str:
    if isinstance(cell, CableCell):
        return "cable cells"
    return f"the cell {cell.model}" if isinstance(cell, PointCell) else f"cells of the kind {cell.kind}"


def _native(part: Part, cell: PointCell, where: str) -> Nodes:
    stated = part.parameters
    if is_glif(cell.model, stated):
        own = part.cell.parameters  # type: ignore[union-attr]
        differing = {key: value for key, value in stated.items() if key not in own or value is not own[key]}
        values = {**to_glif_psc(cell.model, own, where), **differing}
        return Nodes(part.population, "glif_psc", part.rows, values, "pA")
    model = cell.model.removeprefix("nest:")
    kept = {name: value for name, value in stated.items() if name not in models.NOT_PARAMETERS and value is not None}
    return Nodes(part.population, model, part.rows, kept, *_synaptic(cell.model), recordables=_recordables(cell.model))


def _synaptic(model: str) -> tuple[str, bool]:
    """``(unit of a weight, whether its sign chooses the synapse)``; empty and False for a model without a row."""
    row = models.known(model)
    return (row.weight_unit, "inhibitory" in row.receptors) if row is not None else ("", False)


def _recordables(model: str) -> Mapping[str, tuple[str, str, int]]:
    """Variables of a native model that its row knows, with their units; ``v`` is what SONATA calls ``V_m``."""
    row = models.known(model)
    states = row.states if row is not None else ()
    known = {item.name: (item.name, item.unit, 0) for item in states}
    return MappingProxyType({"V_m": ("V_m", "mV", 0), "v": ("V_m", "mV", 0), **known})


def _obi(part: Part, population: Population) -> Nodes:
    """Its attributes stand in ``dynamics_params`` or as plain columns, in either case of letters."""
    values: dict[str, Any] = {}
    spelled = {name.lower(): name for name in _OBI_NAMES}
    for name in [*population.types, *population.table]:
        column = population.column(name) if name.lower() in spelled else None
        if column is not None and not column.is_text:
            values[spelled[name.lower()]] = (
                column.value if column.is_scalar else column.read(population.size)[part.rows]
            )
    values |= {spelled.get(name.lower(), name): value for name, value in part.parameters.items()}
    return Nodes(
        part.population, OBI_POINT_MODEL, part.rows, values, "nS", recordables=_recordables("nest:aeif_cond_exp")
    )


# --- standard cells -----------------------------------------------------------------------------------------------


def _standard(part: Part, cell: PointCell, report: Report, where: str, precise: bool) -> Nodes | None:
    row = row_of(cell.model) or translations.ON_NEST_ALONE.get(cell.model)
    if row is None:
        return None
    native = native_values(part, cell, row, report, where)
    model_ = row.native
    if precise and row.precise:
        model_, native = row.precise, {key: value for key, value in native.items() if key not in row.native_only}
    unit_, signed = _synaptic(row.native)
    bare = model_.removeprefix("nest:")
    return Nodes(
        part.population, bare, part.rows, native, unit_, signed, _standard_recordables(row, models.MODELS[cell.model])
    )


def _standard_recordables(row: translations.Translation, model: models.Model) -> Mapping[str, tuple[str, str, int]]:
    """What PyNN calls the variables, and NEST's own names."""
    synaptic = _SYNAPTIC.get(model.weight_unit, {})
    known = {name: (native, model.weight_unit, 3) for name, native in synaptic.items()}
    native = dict(_recordables(row.native))
    return MappingProxyType({**native, **known, **native_states(row, model)} if model.states else EMPTY)
