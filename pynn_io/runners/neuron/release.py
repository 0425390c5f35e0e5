"""What synapses get beyond a NetCon: random streams, later weights, miniature and replayed events, assignments.

Called for every block of synapses as it is made (`pynn_io.runners.neuron.build`): `located` before, `finish` after.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.lowering.cables.models import SynapseBlock, SynapseModel
from pynn_io.report import Report
from pynn_io.runners.neuron.changes import changed
from pynn_io.runners.neuron.events import PRESYNAPTIC, REPLAY, SPONTANEOUS, Events
from pynn_io.runners.neuron.mechanisms import variable_of
from pynn_io.runners.neuron.obi_synapses import INHIBITORY, ReleaseBlock
from pynn_io.runners.neuron.overrides import Changes, Overrides

if TYPE_CHECKING:
    from pynn_io.runners.neuron.model import Model

_Block = TypeVar("_Block", bound=SynapseBlock)
#: Offsets of seeds (neurodamus-models: ``AMPANMDAHelper.hoc``, ``GABAABHelper.hoc``).
_CELL, _SYNAPSE, _STREAM, _RISE = 250, 100, 300, 450
#: What only some mechanisms have, and nobody misses.
_OPTIONAL = ("synapseID", "conductance")
#: Mean and variance of the lognormal rise time of GABA-A currents, ms.
_RISE_TIME = (0.2, 0.1)


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """One projection's. first: gids of row 0 of both populations.

    seed_first: neurodamus's number of the first target; stream: what its populations and the seed add to a stream.
    random_rise: draw GABA-A rise times. silenced: spikes of the source cells cross no synapse.
    """

    projection: str
    pre: str
    post: str
    models: tuple[SynapseModel, ...]
    overrides: Overrides
    events: Events
    first: tuple[int, int]
    seed_first: int
    stream: int
    random_rise: bool
    silenced: bool = False

    def located(self, model: Model, block: SynapseBlock, report: Report) -> SynapseBlock:
        """The block as it can be made: sites on sections that are there, parameters that the mechanisms have."""
        if not isinstance(block, ReleaseBlock):
            return block
        position, there = block.position.copy(), np.ones(len(block.target), dtype=bool)
        for row, (target, number) in enumerate(zip(block.target.tolist(), block.section.tolist(), strict=True)):
            sections = model.cells[target].sections
            section = sections[number] if 0 <= number < len(sections) else None
            there[row] = number < 0 or section is not None or not sections
            if section is not None and np.isnan(position[row]):
                position[row] = along(section, int(block.segment[row]), float(block.offset[row]))
        report.lost(
            "synapse-site",
            f"projections/{self.projection}",
            "Synapses lie on sections that a cell does not have once its axon is replaced; they are left out.",
            count=int((~there).sum()),
        )
        block = replace(block, position=position)
        return self._known(block if there.all() else taken(block, there), report)

    def _known(self, block: ReleaseBlock, report: Report) -> ReleaseBlock:
        """Without parameters that a synapse's mechanism does not have; reported, once a mechanism."""
        parameters = {name: values.copy() for name, values in block.parameters.items()}
        for number in np.unique(block.model).tolist():
            mechanism = self.models[number].mechanism
            mine = block.model == number
            lacking = [
                name
                for name, values in parameters.items()
                if np.isfinite(values[mine]).any() and variable_of(mechanism, name) is None
            ]
            for name in lacking:
                parameters[name][mine] = np.nan
            wanted = [name for name in lacking if name not in _OPTIONAL]
            report.lost(
                "unknown-parameter",
                f"projections/{self.projection}",
                f"The mechanism {mechanism} has no such parameters; the values of the edges are not used.",
                count=len(wanted),
                examples=wanted,
            )
        return replace(block, parameters=parameters)

    def finish(self, model: Model, block: SynapseBlock, netcons: list[Any], points: list[Any]) -> None:
        """Everything else of the synapses just made. netcons, points: of this block, in its order."""
        source, target = block.source - self.first[0], block.target - self.first[1]
        changes = block.changes if isinstance(block, ReleaseBlock) else None
        if isinstance(block, ReleaseBlock) and block.number.size:
            self._seed(block, target, points)
        if changes is not None:
            self._configure(changes, points)
            self._schedule(model, block, changes, netcons)
        if self.silenced:
            for netcon in netcons:
                netcon.weight[0] = 0.0
        self._replay(model, block, source, target, points)
        self._mini(model, block, source, target, points)

    def _seed(self, block: ReleaseBlock, target: np.ndarray, points: Sequence[Any]) -> None:
        """A Random123 stream for every synapse whose mechanism takes one, and random rise times."""
        from neuron import h

        cells = (target + self.seed_first + _CELL).tolist()
        for point, cell, number, kind in zip(points, cells, block.number.tolist(), block.model.tolist(), strict=True):
            if hasattr(point, "setRNG"):
                point.setRNG(cell, number + _SYNAPSE, self.stream + _STREAM)
            if self.random_rise and self.models[kind].mechanism == INHIBITORY:
                random = h.Random()
                random.Random123(cell, number + _SYNAPSE, self.stream + _RISE)
                random.lognormal(*_RISE_TIME)
                point.tau_r_GABAA = random.repick()

    def _configure(self, changes: Changes, points: Sequence[Any]) -> None:
        """``synapse_configure``, in the order of the overrides. PlanError for what a synapse does not have."""
        for number, assignments in enumerate(self.overrides.configurations):
            for row in np.flatnonzero(changes.configured[number]).tolist():
                for one in assignments:
                    _assign(points[row], one)

    def _schedule(self, model: Model, block: SynapseBlock, changes: Changes, netcons: Sequence[Any]) -> None:
        """Weights that change while the run goes on."""
        own = block.conductance if isinstance(block, ReleaseBlock) and block.conductance.size else block.weight
        for number, (time, factor) in enumerate(self.overrides.later):
            rows = np.flatnonzero(changes.later[number]).tolist()
            if rows:
                weights = (factor * own).tolist()
                model.later.append((time, [(netcons[row], weights[row]) for row in rows]))

    def _replay(
        self, model: Model, block: SynapseBlock, source: np.ndarray, target: np.ndarray, points: Sequence[Any]
    ) -> None:
        """Connections from the sources that stand for presynaptic cells."""
        from neuron import h

        connect = h.ParallelContext().gid_connect
        for extra in self.events.extras:
            numbers, targets = extra.numbers.get(self.pre), extra.targets.get(self.post)
            if numbers is None or targets is None:
                continue
            for row in np.flatnonzero((numbers[source] >= 0) & targets[target]).tolist():
                netcon = connect(int(numbers[source[row]]), points[row])
                netcon.weight[0], netcon.delay = float(block.weight[row]), float(block.delay[row])
                set_kind(netcon, points[row], extra.kind)
                model.keep.append(netcon)

    def _mini(
        self, model: Model, block: SynapseBlock, source: np.ndarray, target: np.ndarray, points: Sequence[Any]
    ) -> None:
        """Spontaneous events, handed to NEURON's queue when the run begins."""
        from neuron import h

        for number, (rates, windows) in enumerate(self._rates(block, source, target)):
            for rows in by_cell(np.flatnonzero(rates > 0), target):
                seed = (f"{self.projection}/{number}", int(target[rows[0]]), int(block.edge[rows[0]]))
                which, times = self.events.drawn(seed, rates[rows], windows[rows])
                for index in np.unique(which).tolist():
                    row = int(rows[index])
                    netcon = h.NetCon(None, points[row])
                    netcon.weight[0] = float(block.weight[row])
                    set_kind(netcon, points[row], SPONTANEOUS)
                    model.spontaneous.append((netcon, times[which == index]))

    def _rates(
        self, block: SynapseBlock, source: np.ndarray, target: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rates (Hz) and windows (ms) of every kind of spontaneous event at the synapses of a block."""
        whole = np.tile([0.0, self.events.duration], (len(target), 1))
        if isinstance(block, ReleaseBlock) and block.changes is not None:
            minis = self.events.minis.get(self.post)
            own = np.zeros(len(target))
            if minis is not None and block.number.size:
                own = np.where(block.inhibitory, minis[0][target], minis[1][target])
            stated = block.changes.spont_minis
            yield np.where(np.isnan(stated), own, stated), whole
        for item in self.events.rates:
            sources, targets = item.sources.get(self.pre), item.targets.get(self.post)
            if sources is not None and targets is not None:
                window = np.tile([item.start, item.stop], (len(target), 1))
                yield np.where(sources[source] & targets[target], item.rate, 0.0), window


def by_cell(rows: np.ndarray, target: np.ndarray) -> list[np.ndarray]:
    """Rows of a block, those of each target cell together and in their order."""
    if not len(rows):
        return []
    ordered = rows[np.argsort(target[rows], kind="stable")]
    return np.split(ordered, np.flatnonzero(np.diff(target[ordered])) + 1)


def with_overrides(
    blocks: Iterator[SynapseBlock], overrides: Overrides, first: tuple[int, int]
) -> Iterator[SynapseBlock]:
    """Blocks of other synapses with what overrides say of their weights, delays and events."""
    for block in blocks:
        changes = overrides.of(block.source - first[0], block.target - first[1])
        own = {item.name: getattr(block, item.name) for item in fields(SynapseBlock)}
        own["weight"] = block.weight * changes.weight
        own["delay"] = np.where(np.isnan(changes.delay), block.delay, changes.delay)
        yield ReleaseBlock(**own, changes=changes, conductance=block.weight)


def set_kind(netcon: Any, point: Any, kind: int) -> None:
    """Tell a release mechanism what a NetCon carries, if it has a place for that (``nc_type_param``)."""
    from neuron import h

    mechanism = point.hname().partition("[")[0]
    place = int(getattr(h, f"nc_type_param_{mechanism}", 0))
    if place and kind != PRESYNAPTIC:
        netcon.weight[place] = kind


def start(model: Model) -> None:
    """Hand what is to happen to NEURON's queue; called after the initialisation."""
    from neuron import h

    for netcon, times in model.spontaneous:
        for time in times.tolist():
            netcon.event(time)
    for time, weights in model.later:
        h.CVode().event(time, _Setter(weights))


class _Setter:
    """Sets weights when NEURON calls it."""

    def __init__(self, weights: Sequence[tuple[Any, float]]) -> None:
        self._weights = weights

    def __call__(self) -> None:
        for netcon, weight in self._weights:
            netcon.weight[0] = weight


def _assign(point: Any, one: Any) -> None:
    if not hasattr(point, one.variable):
        mechanism = point.hname().partition("[")[0]
        raise PlanError(
            f"an override sets {one.variable}, which synapses of the mechanism {mechanism} do not have",
            where="connection_overrides.synapse_configure",
        )
    setattr(point, one.variable, changed(getattr(point, one.variable), one))


def along(section: Any, segment: int, offset: float) -> float:
    """Fraction along a section of a place ``offset`` um beyond its 3-D point ``segment``."""
    if segment >= section.n3d():
        return 0.5
    return float(np.clip((section.arc3d(segment) + offset) / section.L, 1e-7, 1 - 1e-7))


def taken(block: _Block, rows: np.ndarray) -> _Block:
    """Some synapses of a block. rows: bool."""
    own = {item.name: getattr(block, item.name) for item in fields(block)}
    some = {name: value[rows] for name, value in own.items() if isinstance(value, np.ndarray) and len(value)}
    some["parameters"] = {name: values[rows] for name, values in block.parameters.items()}
    if isinstance(block, ReleaseBlock) and block.changes is not None:
        some["changes"] = Changes(*(getattr(block.changes, item.name)[..., rows] for item in fields(Changes)))
    return replace(block, **some)


__all__ = ["REPLAY", "Release", "along", "by_cell", "set_kind", "start", "taken", "with_overrides"]
