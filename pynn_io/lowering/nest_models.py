"""A network of PyNN's standard models under the names of NEST's: cells, synapses, and weights in NEST's units.

NEST's cells have no receptor to name: the sign of a weight chooses it, of conductances too. What PyNN's synapses take
from the cells that they act on stands with each of NEST's, and the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pynn_io.document import Document
from pynn_io.errors import PlanError
from pynn_io.graph.cells import Cell, PointCell, SpikeSource
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.stimuli import PoissonTrains, SpikeTrains, SpontaneousSynapses, SynapseReplay
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.cells import parts
from pynn_io.lowering.nest_cells import native_values, row_of
from pynn_io.lowering.plasticity import mechanism, nest_stdp
from pynn_io.lowering.receptors import INHIBITORY, used_weights
from pynn_io.report import Report
from pynn_io.vocabulary import models
from pynn_io.vocabulary.plasticity import NEST_SYNAPSES, STDP

_NEST = "NEST"
_MARKRAM = "TsodyksMarkramSynapse"
#: Inputs that are no currents.
_SPIKES = (SpikeTrains, PoissonTrains, SynapseReplay, SpontaneousSynapses)


@dataclass(frozen=True, slots=True)
class _Target:
    """A population whose cells are NEST's now. unit: of weights onto them. values: of every row, by NEST's names."""

    unit: str
    values: Mapping[str, np.ndarray]


@dataclass(slots=True)
class _Names:
    """Definitions by name. One name for equal ones; another, with what it is of, where they differ."""

    found: dict[str, Any] = field(default_factory=dict)

    def add(self, wanted: str, of: str, made: Any) -> str:
        """The name that a definition gets."""
        while self.found.setdefault(wanted, made) != made:
            wanted = f"{wanted}_{of}"
        return wanted


def for_nest(document: Document, report: Report) -> Document:
    """The document with `with_nest_models`, for NEST, where currents that a plan states come one step later."""
    plan = None if document.plan is None else replace(document.plan, target_simulator=_NEST)
    for stimulus in () if plan is None else plan.stimuli:
        if isinstance(stimulus.what, _SPIKES):
            continue
        message = "In a simulation for NEST a current comes one step later, as NEST's own do."
        report.approximated("current-step", f"inputs.{stimulus.name}", message, examples=[stimulus.name])
    return replace(document, network=with_nest_models(document.network, report), plan=plan)


def with_nest_models(network: Network, report: Report) -> Network:
    """The network, its standard cells and synapses as NEST's; its simulator is NEST from now on.

    A population with a cell that NEST has not stays as it is, with the synapses onto it (``not-in-nest``,
    APPROXIMATED). Raises PlanError for plasticity and weights that NEST cannot have.
    """
    cells, synapses = _Names(), _Names()
    times = _times_of_depression(network)
    populations, targets = {}, {}
    for name, population in network.populations.items():
        made = _population(population, network, times.get(name), cells, report)
        if made is None:
            kept = [cells.add(cell, name, network.cells[cell]) for cell in population.cells]
            populations[name] = replace(population, types=population.types.updated({"cell": text_column(kept)}))
        else:
            populations[name], targets[name] = made
    projections = {
        name: _projection(projection, network, targets.get(projection.post), synapses, report)
        for name, projection in network.projections.items()
    }
    return replace(
        network,
        populations=populations,
        projections=projections,
        cells=cells.found,
        synapses=synapses.found,
        extra={**network.extra, "target_simulator": _NEST},
    )


def _times_of_depression(network: Network) -> dict[str, float]:
    """``tau_minus`` of STDP by the population that it is onto: NEST has it in the cells."""
    found: dict[str, float] = {}
    for name, projection in network.projections.items():
        for synapse in (network.synapses[item] for item in projection.synapses):
            if synapse.model != STDP:
                continue
            where = f"projection {name}"
            time = mechanism(synapse.parameters, where).timing_parameters.get("tau_minus")
            if time is not None and found.setdefault(projection.post, float(time)) != time:
                message = f"STDP onto {projection.post} has several tau_minus; NEST's cells have one"
                raise PlanError(message, where=where)
    return found


# --- cells --------------------------------------------------------------------------------------------------------


def _population(
    population: Population, network: Network, tau_minus: float | None, cells: _Names, report: Report
) -> tuple[Population, _Target] | None:
    where = f"population {population.name}"
    used = [network.cells[name] for name in population.cells]
    rows = [row_of(cell.model) if isinstance(cell, PointCell) else None for cell in used]
    units = {models.MODELS[row.native].weight_unit for row in rows if row is not None}
    if None in rows or len(units) != 1:
        _say_kept(used, where, population.size, report)
        return None
    names, scalars = list(population.cells), {}
    values: dict[str, np.ndarray] = {}
    for part in parts(population, network):
        row, cell = rows[part.type_row], used[part.type_row]
        native = native_values(part, cell, row, report, where)  # type: ignore[arg-type]
        if tau_minus is not None:
            native["tau_minus"] = tau_minus
        scalars[part.type_row] = native
        for key, value in native.items():
            values.setdefault(key, np.full(population.size, np.nan))[part.rows] = value
    varying = {key for native in scalars.values() for key, value in native.items() if isinstance(value, np.ndarray)}
    for number, native in scalars.items():
        stated = {key: value for key, value in native.items() if key not in varying and not np.isinf(value)}
        made = PointCell(rows[number].native, stated)  # type: ignore[union-attr]
        names[number] = cells.add(names[number], population.name, made)
    own = {f"{PARAMETER}{key}": Column(np.ma.masked_invalid(values[key])) for key in sorted(varying)}
    gone = {key: None for key in (*population.types, *population.table) if key.startswith(PARAMETER)}
    types = population.types.updated({**gone, "cell": text_column(names)})
    table = population.table.updated({**gone, **own})
    return replace(population, types=types, table=table), _Target(units.pop(), values)


def _say_kept(used: Sequence[Cell], where: str, size: int, report: Report) -> None:
    """Cells that keep their names, but sources and NEST's own."""
    kept = sorted({cell.model for cell in used if isinstance(cell, PointCell) and ":" not in cell.model})
    if kept and not all(isinstance(cell, SpikeSource) for cell in used):
        message = f"NEST has no model, or none beside these others, for {', '.join(kept)}: these names stay."
        report.approximated("not-in-nest", where, message, count=size, examples=kept)


# --- synapses -----------------------------------------------------------------------------------------------------


def _projection(
    projection: Projection, network: Network, target: _Target | None, synapses: _Names, report: Report
) -> Projection:
    if target is None or projection.kind != "chemical":
        kept = [synapses.add(name, projection.name, network.synapses[name]) for name in projection.synapses]
        return replace(projection, types=projection.types.updated({"synapse": text_column(kept)}))
    index = np.asarray(projection.type_index.read(projection.size))
    types, columns = dict(projection.types), dict(projection.edges.columns)
    inhibits = _inhibits(projection, types.pop("receptor", None), index)
    columns.pop("receptor", None)
    scaled = _scaled(projection, target.unit, inhibits, index)
    for table, column in zip((types, columns), scaled, strict=True):
        table.pop("weight", None)
        table |= {} if column is None else {"weight": column}
    names = []
    for row, name in enumerate(projection.synapses):
        mine = inhibits[index == row]
        made, renames, copied = _synapse(projection, row, network.synapses[name], target, bool(mine.any()), report)
        names.append(synapses.add(name, projection.name, made))
        for table in (types, columns):
            _rename(table, renames)
        if copied:
            columns[f"{PARAMETER}tau_psc"] = Column(_of_targets(projection, target, inhibits))
    types["synapse"] = text_column(names)
    types["weight_unit"] = text_column([target.unit] * len(names))
    edges = replace(projection.edges, columns=Table(projection.size, columns))
    return replace(projection, types=Table(len(names), types), edges=edges)


def _inhibits(projection: Projection, of_types: Column | None, index: np.ndarray) -> np.ndarray:
    """Whether an edge acts on the inhibitory receptor, bool[edges]."""
    count = projection.types.size
    stated = np.zeros(count, dtype=bool) if of_types is None else _is_inhibitory(of_types, count)
    found = np.broadcast_to(stated[index], (projection.size,))
    own = projection.edges.columns.get("receptor")
    if own is None or own.levels is None:
        return found
    values = np.ma.asarray(own.values(projection.size))
    return np.where(np.ma.getmaskarray(values), found, np.ma.filled(values, "") == INHIBITORY)


def _is_inhibitory(column: Column, size: int) -> np.ndarray:
    return np.array([value == INHIBITORY for value in np.ma.filled(np.ma.asarray(column.values(size)), "").tolist()])


def _scaled(
    projection: Projection, native: str, inhibits: np.ndarray, index: np.ndarray
) -> tuple[Column | None, Column | None]:
    """``(of types, of edges)``: weights in NEST's unit and sign, of edges where these state a weight or a receptor."""
    types, own = projection.types, projection.edges.columns
    units = [str(unit or "") for unit in types.values("weight_unit").tolist()] if "weight_unit" in types else None
    units = units or [""] * types.size
    if "weight" not in types and "weight" not in own:
        return None, None
    if "weight" not in own and "receptor" not in own:
        acts = np.zeros(types.size, dtype=bool)
        acts[index] = inhibits
        return _used(types.read("weight"), np.arange(types.size), units, native, acts), None
    seen = [rows["weight"] for _, _, rows in projection.blocks(["weight"])] or [np.zeros(0)]
    return None, _used(np.ma.concatenate(seen), np.broadcast_to(index, (projection.size,)), units, native, inhibits)


def _used(weight: np.ndarray, rows: np.ndarray, units: Sequence[str], native: str, inhibits: np.ndarray) -> Column:
    made = np.ma.array(weight, dtype=np.float64, copy=True)
    for row, unit in enumerate(units):
        mine = rows == row
        made[mine] = used_weights(unit, native, made[mine], inhibits[mine])
    return Column(made if np.ma.is_masked(made) else np.ma.getdata(made))


def _synapse(
    projection: Projection, row: int, synapse: Synapse, target: _Target, inhibits: bool, report: Report
) -> tuple[Synapse, Mapping[str, str], bool]:
    """NEST's synapse, its parameters that bear another name, and whether ``tau_psc`` is to be copied from the cells."""
    where = f"projection {projection.name}"
    if synapse.model not in NEST_SYNAPSES:
        if not synapse.model.startswith("nest:"):
            message = f"NEST has no synapse {synapse.model}: the name stays."
            report.approximated("not-in-nest", where, message, count=projection.size, examples=[synapse.model])
        return synapse, {}, False
    model, renames = NEST_SYNAPSES[synapse.model]
    stated: Mapping[str, Any] = synapse.parameters
    if synapse.model == STDP:
        unit = str(projection.types.values("weight_unit")[row]) if "weight_unit" in projection.types else ""
        stated = nest_stdp(stated, unit, target.unit, where, negative=inhibits)
    kept = {renames.get(name, name): value for name, value in stated.items() if name not in models.NOT_PARAMETERS}
    copied = synapse.model == _MARKRAM and kept.get("tau_psc") is None
    return Synapse(f"nest:{model}", {k: v for k, v in kept.items() if v is not None}), renames, copied


def _rename(table: dict[str, Column], renames: Mapping[str, str]) -> None:
    for old, new in renames.items():
        if f"{PARAMETER}{old}" in table:
            table[f"{PARAMETER}{new}"] = table.pop(f"{PARAMETER}{old}")


def _of_targets(projection: Projection, target: _Target, inhibits: np.ndarray) -> np.ndarray:
    """The synaptic time constant of the cell that an edge acts on, ms."""
    post = np.asarray(projection.edges.target.read(projection.size))
    return np.where(inhibits, target.values["tau_syn_in"][post], target.values["tau_syn_ex"][post])
