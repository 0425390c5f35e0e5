"""Network and plan -> `Lowered`, without Brian2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from pynn_io.audit import cell_code
from pynn_io.errors import PlanError, UnsupportedInput
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource
from pynn_io.graph.network import Network
from pynn_io.lowering import Part, feeds, parts, simulated
from pynn_io.lowering.abstract import with_node_sets, with_potentials
from pynn_io.lowering.grid import Grid, last_step
from pynn_io.lowering.meters import lower_recordings
from pynn_io.lowering.refusal import ON_NEURON, nothing_left
from pynn_io.lowering.trains import DEFAULT_SEED
from pynn_io.report import Report
from pynn_io.runners.brian2.components import SCHEME, Components
from pynn_io.runners.brian2.lowered import Bombardment, CellCode, Cells, Lowered
from pynn_io.runners.brian2.sources import Layers
from pynn_io.runners.brian2.standard import row_of
from pynn_io.runners.brian2.standard_code import code_of, values_of
from pynn_io.runners.brian2.stimuli import Injection, lower_currents, table
from pynn_io.runners.brian2.synapses import lower_projection
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.units import convert
from pynn_io.vocabulary import models

#: Brian2's own time step, ms.
DEFAULT_TIMESTEP = 0.1


def lower(network: Network, plan: SimulationPlan, report: Report) -> Lowered:
    """Raises PlanError for what makes no sense (no end, a step of 0 ...), RunError where nothing is left to run."""
    step = _timestep(plan, report)
    plan = with_potentials(with_node_sets(plan, network), network)
    grid = Grid(step, last_step(plan, Grid(step), "Brian2", report))
    made = _Groups(network, plan, step, report)
    injections = lower_currents(network, plan, made.present, grid, report)
    cells = tuple(made.cells(injections, grid))
    layers = Layers(network, grid)
    for feed in feeds.feeds(network, plan, "Brian2", report):
        layers.add(feed)
    bombarding = tuple(_bombardments(network, plan, made, layers, report))
    _report_conditions(plan, report)
    links = []
    for projection in network.projections.values():
        groups = np.unique(made.group[projection.post])
        onto = {int(number): cells[number] for number in groups if number >= 0}
        links.append(lower_projection(projection, network, onto, report))
    return Lowered(
        network=network,
        duration=grid.end,
        timestep=step,
        seed=DEFAULT_SEED if plan.seed is None else plan.seed,
        cells=cells,
        group=made.group,
        number=made.number,
        left_out=made.left_out,
        sources=layers.sources(),
        bombardments=bombarding,
        links=tuple(link for link in links if link is not None),
        meters=lower_recordings(network, plan, made.present, grid, grid.end, report),
        notes={"spike_times": "grid", "initial_potential": "of the cells"},
    )


def _timestep(plan: SimulationPlan, report: Report) -> float:
    if plan.timestep is None:
        message = f"The time step is not stated; Brian2's {DEFAULT_TIMESTEP} ms is taken."
        report.defaulted("default-timestep", "run.dt", message)
        return DEFAULT_TIMESTEP
    if not plan.timestep > 0:
        raise PlanError(f"Brian2 cannot step by {plan.timestep} ms", where="run.dt", hint="a step is positive")
    return plan.timestep


@dataclass(slots=True)
class _Gathered:
    """The cells of one code, until all are known."""

    code: CellCode
    values: list[tuple[int, Mapping[str, float | np.ndarray]]] = field(default_factory=list)
    members: list[tuple[str, np.ndarray]] = field(default_factory=list)
    size: int = 0


class _Groups:
    """The cells that Brian2 has, gathered by their code; what it has not is reported and left out."""

    def __init__(self, network: Network, plan: SimulationPlan, timestep: float, report: Report) -> None:
        self._network, self._timestep, self._report = network, timestep, report
        self._groups: dict[str, _Gathered] = {}
        self._components = Components(network)
        sizes = {name: item.size for name, item in network.populations.items()}
        self.group = {name: np.full(size, -1, dtype=np.int64) for name, size in sizes.items()}
        self.number = {name: np.zeros(size, dtype=np.int64) for name, size in sizes.items()}
        self.left_out = {name: np.zeros(size, dtype=bool) for name, size in sizes.items()}
        refused: set[str] = set()
        for name, rows in simulated(network, plan).items():
            for part in parts(network.populations[name], network, rows):
                if not isinstance(part.cell, SpikeSource) and not self._add(part):
                    self.left_out[name][part.rows] = True
                    refused.add(cell_code(part.cell))
        if not self._groups and refused:
            raise nothing_left("Brian2", (issue.message for issue in report if issue.code in refused), ON_NEURON)

    @property
    def present(self) -> dict[str, np.ndarray]:
        """Whether the cell runs, by population and row."""
        return {name: groups >= 0 for name, groups in self.group.items()}

    def _add(self, part: Part) -> bool:
        where = f"population {part.population}"
        try:
            made = self._code_and_values(part, where)
        except UnsupportedInput as error:
            made, why = None, f" ({error.message})"
        else:
            why = ""
        if made is None:
            message = f"Brian2 does not have {_what(part.cell)}{why}; these cells are left out, with their synapses."
            self._report.lost(cell_code(part.cell), where, message, count=part.size, examples=[part.cell_name])
            return False
        code, values = made
        gathered = self._groups.setdefault(code.name, _Gathered(code))
        self.group[part.population][part.rows] = list(self._groups).index(code.name)
        self.number[part.population][part.rows] = gathered.size + np.arange(part.size)
        gathered.values.append((part.size, values))
        gathered.members.append((part.population, part.rows))
        gathered.size += part.size
        return True

    def _code_and_values(self, part: Part, where: str) -> tuple[CellCode, Mapping[str, float | np.ndarray]] | None:
        """What the cells of a part are; None where Brian2 has nothing for them. Raises UnsupportedInput."""
        cell = part.cell
        if isinstance(cell, PointCell) and cell.model.startswith(SCHEME):
            made = self._components.cell(part.cell_name, cell)
            return made.code, made.values(part.parameters)
        if isinstance(cell, PointCell) and row_of(cell.model) is not None:
            return code_of(cell.model), values_of(cell, part.parameters, self._timestep, self._report, where)
        return None

    def cells(self, injections: tuple[Injection, ...], grid: Grid) -> Iterator[Cells]:
        """The groups, in the order in which their first cells came."""
        steps = grid.nearest(grid.end)
        tables = {name: table(injections, name, len(own), steps) for name, own in self.group.items()}
        for gathered in self._groups.values():
            names = gathered.values[0][1]
            values = {name: _joined([(size, own[name]) for size, own in gathered.values]) for name in names}
            course: list[np.ndarray] = []
            columns: list[np.ndarray] = []
            for population, rows in gathered.members:
                own, courses = tables[population]
                course.append(own[rows] + len(columns))
                columns += courses
            used, course_of = np.unique(np.concatenate(course), return_inverse=True)
            currents = _until_silent(np.stack([columns[number] for number in used.tolist()], axis=1))
            members = tuple(gathered.members)
            yield Cells(gathered.code, values, members, course_of.astype(np.int64), currents)


def _joined(values: list[tuple[int, float | np.ndarray]]) -> float | np.ndarray:
    """One number where all parts have the same, else one a cell."""
    if all(np.ndim(value) == 0 and value == values[0][1] for _, value in values):
        return values[0][1]
    return np.concatenate([np.broadcast_to(np.asarray(value, dtype=np.float64), size) for size, value in values])


def _until_silent(currents: np.ndarray) -> np.ndarray:
    """``steps x columns`` without the silence at the end but for one step, which stands for it."""
    sounding = np.flatnonzero(currents.any(axis=1))
    return currents[: (int(sounding[-1]) + 2 if len(sounding) else 1)]


def _what(cell: Cell) -> str:
    if isinstance(cell, CableCell):
        return "cable cells"
    return f"the cell {cell.model}" if isinstance(cell, PointCell) else "cells of that kind"


def _bombardments(
    network: Network, plan: SimulationPlan, made: _Groups, layers: Layers, report: Report
) -> Iterator[Bombardment]:
    """Poisson trains with a weight, each straight onto its cell."""
    for one in feeds.bombardments(network, plan, report):
        source, row = layers.straight(one)
        group, number = made.group[one.population][row], made.number[one.population][row]
        for chosen in np.unique(group[group >= 0]).tolist():
            mine = group == chosen
            yield Bombardment(chosen, source[mine], number[mine], _weight(one, network))


def _weight(one: feeds.Bombardment, network: Network) -> float:
    """In the unit of the standard cell: that of the stated one is the model's own."""
    cell = network.cells[network.populations[one.population].cells[0]]
    row = models.known(getattr(cell, "model", ""))
    standard = row_of(row.name) if row is not None else None
    if row is None or standard is None or not row.weight_unit:
        return one.weight
    return float(convert(one.weight, row.weight_unit, standard.unit))


def _report_conditions(plan: SimulationPlan, report: Report) -> None:
    """Conditions that a simulation of points without temperature does not use."""
    changes = [("modification", item.name) for item in plan.modifications]
    changes += [("connection override", item.name) for item in plan.overrides]
    for kind, name in changes:
        report.lost(f"{kind.replace(' ', '-')}-not-supported", f"{kind} {name}", f"Brian2's runner has no {kind}s.")
