"""Populations as PyNN's: cells of one model each, standard ones in PyNN's words and native ones as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pynn_io.audit import cell_code
from pynn_io.graph.cells import CableCell, PointCell, SpikeSource
from pynn_io.graph.network import Network, Population
from pynn_io.lowering.cells import Part, parts
from pynn_io.lowering.glif import is_glif, to_glif_psc
from pynn_io.lowering.pynn import composed
from pynn_io.lowering.pynn.composed import COMPOSED
from pynn_io.lowering.pynn.words import ARRAY, DRAWN, Cells, Target
from pynn_io.lowering.standard import as_standard_values, filled, is_unstated, twin
from pynn_io.report import Report
from pynn_io.units import convert
from pynn_io.vocabulary import models

#: Native cells of NEURON that PyNN has, with the unit of their times there.
_INTFIRE = ("nrn:IntFire1", "nrn:IntFire2", "nrn:IntFire4")


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A part in PyNN's words. rows: of the population."""

    rows: np.ndarray
    model: str
    parameters: dict[str, Any]
    initial: dict[str, Any]


def lower_cells(
    network: Network, rows: Mapping[str, np.ndarray], target: Target, report: Report
) -> tuple[tuple[Cells, ...], dict[str, np.ndarray]]:
    """``(cells, mask by population of those that the target has not)``. rows: those that are simulated.

    What is left out is reported (LOST, by `pynn_io.audit.cell_code`). Raises ReadError for a GLIF configuration with
    something missing.
    """
    cells: list[Cells] = []
    left_out = {}
    for name, population in network.populations.items():
        missing = np.zeros(population.size, dtype=bool)
        made: list[_Made] = []
        for part in parts(population, network, rows[name]):
            item = _lower_part(part, target, report)
            if item is None:
                missing[part.rows] = True
            else:
                made.append(item)
        left_out[name] = missing
        cells += _labelled(population, [piece for item in _merged(made) for piece in _alike(item, target)])
    return tuple(cells), left_out


def _lower_part(part: Part, target: Target, report: Report) -> _Made | None:
    where = f"population {part.population}"
    cell = part.cell
    if isinstance(cell, SpikeSource):
        return _source(part, cell, target, report, where)
    made = None
    if isinstance(cell, PointCell):
        dialect = cell.model.partition(":")[0] if ":" in cell.model else ""
        if dialect and dialect == target.native:
            made = _native(part, cell, report, where)
        elif cell.model == COMPOSED:
            made = _composed(part)
        elif twin(cell.model) in models.MODELS and ":" not in twin(cell.model):
            made = _standard(part, cell, report, where)
            initial = {target.states.get((made.model, name), name): value for name, value in made.initial.items()}
            made = replace(made, initial=initial)
    reason = target.lacks.get(made.model, "") if made is not None else ""
    if made is None or reason:
        report.lost(
            cell_code(cell),
            where,
            f"{target.name} does not have {_what(cell)}{f' ({reason})' * bool(reason)}; these cells are left out, with "
            "their synapses.",
            count=part.size,
            examples=[part.cell_name],
        )
        return None
    return made


def _what(cell: Any) -> str:
    if isinstance(cell, CableCell):
        return "cable cells"
    return f"the cell {cell.model}" if isinstance(cell, PointCell) else f"cells of the kind {cell.kind}"


def _source(part: Part, cell: SpikeSource, target: Target, report: Report, where: str) -> _Made:
    """A source whose spikes the plan or the definition state, or draw; with its law where the target keeps it so."""
    if cell.model not in DRAWN or not target.declarative:
        return _Made(part.rows, ARRAY, {}, {})
    stated = {name: value for name, value in part.parameters.items() if not is_unstated(value)}
    values = models.complete(SpikeSource(cell.model, stated), report, where)
    return _Made(part.rows, cell.model, _all_filled(cell.model, values), {})


def _composed(part: Part) -> _Made:
    values = {
        name: np.ma.getdata(value) if isinstance(value, np.ndarray) else value
        for name, value in part.parameters.items()
        if name not in models.NOT_PARAMETERS and not is_unstated(value)
    }
    return _Made(part.rows, COMPOSED, *composed.apart(values))


def _native(part: Part, cell: PointCell, report: Report, where: str) -> _Made | None:
    if is_glif(cell.model, part.parameters):
        return _split(part.rows, "nest:glif_psc", to_glif_psc(cell.model, cell.parameters, where))
    stated = {
        name: value
        for name, value in part.parameters.items()
        if name not in models.NOT_PARAMETERS and not is_unstated(value)
    }
    if cell.model.startswith("nest:"):
        return _split(part.rows, cell.model, _all_filled(cell.model, stated))
    if cell.model not in _INTFIRE:
        return None
    values = _all_filled(cell.model, models.complete(PointCell(cell.model, stated), report, where))
    for item in models.MODELS[cell.model].parameters:
        if item.unit == "s":
            values[item.name] = convert(values[item.name], "s", "ms")
    return _split(part.rows, cell.model, values)


def _standard(part: Part, cell: PointCell, report: Report, where: str) -> _Made:
    """A standard cell, or a native one of NEST as the standard cell with its equations; complete."""
    stated = {name: value for name, value in part.parameters.items() if not is_unstated(value)}
    values = _all_filled(cell.model, models.complete(PointCell(cell.model, stated), report, where))
    potentials = {item.name: item.default for item in models.MODELS[cell.model].states if item.name in ("v", "V_m")}
    values, native_only = as_standard_values(cell.model, {**potentials, **values})
    report.lost(
        "parameter-not-applied",
        where,
        f"{cell.model} runs as {twin(cell.model)}, which cannot say {', '.join(sorted(native_only))}.",
        count=len(native_only),
        examples=sorted(native_only),
    )
    return _split(part.rows, twin(cell.model), values)


def _split(rows: np.ndarray, model: str, values: Mapping[str, Any]) -> _Made:
    """Parameters and initial values apart. NEST's states are variables that a native class knows apart as well."""
    row = models.known(model)
    states = {item.name for item in row.states} if row is not None else {"V_m"}
    return _Made(
        rows,
        model,
        {name: value for name, value in values.items() if name not in states},
        {name: value for name, value in values.items() if name in states},
    )


def _all_filled(model: str, values: Mapping[str, Any]) -> dict[str, Any]:
    row = models.known(model)
    return {name: filled(value, row.parameter(name) if row else None) for name, value in values.items()}


# --- one population a model ---------------------------------------------------------------------------------------


def _merged(made: Sequence[_Made]) -> Iterator[_Made]:
    """Parts of one model that state the same parameters as one, cells in the order of their rows."""
    groups: dict[tuple[Any, ...], list[_Made]] = {}
    for item in made:
        names = (*sorted(item.parameters), None, *sorted(item.initial))
        groups.setdefault((item.model, *names), []).append(item)
    for items in groups.values():
        if len(items) == 1:
            yield items[0]
            continue
        rows = np.concatenate([item.rows for item in items])
        order = np.argsort(rows)
        sizes = [len(item.rows) for item in items]
        yield _Made(
            rows[order],
            items[0].model,
            {name: _joined([item.parameters[name] for item in items], sizes, order) for name in items[0].parameters},
            {name: _joined([item.initial[name] for item in items], sizes, order) for name in items[0].initial},
        )


def _joined(values: Sequence[Any], sizes: Sequence[int], order: np.ndarray) -> Any:
    """One value for all, or a row a cell. A tuple or list is one value."""
    if not any(isinstance(value, np.ndarray) for value in values) and all(value == values[0] for value in values):
        return values[0]
    spread = [
        value if isinstance(value, np.ndarray) else np.broadcast_to(np.asarray(value), (size, *np.shape(value)))
        for value, size in zip(values, sizes, strict=True)
    ]
    return np.concatenate(spread)[order]


def _alike(made: _Made, target: Target) -> Iterator[_Made]:
    """Cells that differ in nothing that the target needs to be alike; initial values may differ."""
    arrays = {name: value for name, value in made.parameters.items() if isinstance(value, np.ndarray)}
    varying = {name: value for name, value in arrays.items() if made.model in target.alike or name in target.shared}
    if not varying:
        yield made
        return
    table = np.column_stack([np.reshape(value, (len(made.rows), -1)) for value in varying.values()])
    _, kinds = np.unique(table, axis=0, return_inverse=True)
    for kind in range(int(kinds.max()) + 1):
        chosen = np.flatnonzero(kinds.reshape(-1) == kind)
        first = {name: value[chosen[0]].item() for name, value in varying.items()}
        parameters, initial = (
            {name: value[chosen] if isinstance(value, np.ndarray) else value for name, value in values.items()}
            for values in (made.parameters, made.initial)
        )
        yield replace(made, rows=made.rows[chosen], parameters={**parameters, **first}, initial=initial)


def _labelled(population: Population, made: Sequence[_Made]) -> Iterator[Cells]:
    """Labels are ``population.Model``, numbered where a model comes again; never the population's own name."""
    ids, positions = population.ids(), _positions(population)
    used: dict[str, int] = {}
    for item in made:
        label = f"{population.name}.{item.model.rpartition(':')[2]}"
        used[label] = used.get(label, 0) + 1
        row = models.known(item.model)
        receptors = row.receptors if row is not None else ("excitatory", "inhibitory")
        weight_unit = row.weight_unit if row is not None else ""
        if item.model == COMPOSED:
            receptors = tuple(composed.receptors(item.parameters))
            weight_unit = composed.weight_unit(item.parameters)
        yield Cells(
            label if used[label] == 1 else f"{label}.{used[label]}",
            population.name,
            item.rows,
            ids[item.rows].astype(np.int64, copy=False),
            item.model,
            item.parameters,
            item.initial,
            None if positions is None else positions[item.rows],
            receptors,
            weight_unit,
        )


def _positions(population: Population) -> np.ndarray | None:
    """float64[size, 3], um; a coordinate that is not stated is 0. None where none is."""
    columns = [population.column(axis) for axis in "xyz"]
    if all(column is None for column in columns):
        return None
    read = [
        np.zeros(population.size)
        if column is None
        else np.ma.filled(np.ma.asarray(column.read(population.size), dtype=np.float64), 0.0)
        for column in columns
    ]
    return np.column_stack(read)
