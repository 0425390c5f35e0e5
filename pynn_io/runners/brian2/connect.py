"""Edges as arrays of synapses, gathered by what they connect and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from pynn_io.lowering import EdgeBlock, edge_blocks
from pynn_io.lowering.connecting import Connecting
from pynn_io.lowering.receptors import INHIBITORY, inhibitory_edges, used_weights
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.runners.brian2.lowered import Link, Lowered, Spec, SynapseCode

#: The group of spike sources; groups of cells have numbers from 0 on.
SOURCES = -1


class Key(NamedTuple):
    """What the synapses of one ``Synapses`` have in common."""

    source: int
    target: int
    code: SynapseCode
    receptor: str


@dataclass(slots=True)
class Bundle:
    """The synapses of a key, block by block: numbers in the groups, and values by variable (steps for the delay)."""

    source: list[np.ndarray] = field(default_factory=list)
    target: list[np.ndarray] = field(default_factory=list)
    steps: list[np.ndarray] = field(default_factory=list)
    values: dict[str, list[np.ndarray]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(map(len, self.source))

    def add(self, source: np.ndarray, target: np.ndarray, steps: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
        """More synapses, with the same variables as those before."""
        self.source.append(source)
        self.target.append(target)
        self.steps.append(steps)
        for name, own in values.items():
            self.values.setdefault(name, []).append(own)


class Bundles:
    """All synapses of a network, by key."""

    def __init__(self, lowered: Lowered, report: Report) -> None:
        self._lowered, self._report = lowered, report
        self.found: dict[Key, Bundle] = {}

    def add_all(self, progress: Progress) -> None:
        """The edges of all projections, and the trains onto cells. Raises PlanError for a negative delay."""
        for link in self._lowered.links:
            _Stream(self, link, self._lowered, self._report).add(progress)
        for item in self._lowered.bombardments:
            weight = np.full(len(item.source), item.weight)
            unsigned = np.zeros(len(weight), dtype=bool)
            here = np.ones(len(weight), dtype=np.int64)
            self.put(SOURCES, item.group, Spec(SynapseCode("static")), item.source, item.target, here, weight, unsigned)

    def put(
        self,
        source: int,
        target: int,
        spec: Spec,
        pre: np.ndarray,
        post: np.ndarray,
        steps: np.ndarray,
        weight: np.ndarray,
        inhibitory: np.ndarray,
        columns: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Synapses of one type between two groups, apart by the receptor that they act on."""
        code = self._lowered.cells[target].code
        used = used_weights(spec.unit, code.unit, weight, inhibitory)
        apart: dict[str, np.ndarray | slice]
        # A weight of 0 may grow.
        below = (used < 0) | ((used == 0) & inhibitory)
        apart = {"excitatory": ~below, INHIBITORY: below} if code.signed else {"excitatory": slice(None)}
        apart = {spec.receptor: slice(None)} if spec.receptor else apart
        own = {name: np.full(len(used), value) for name, value in spec.parameters.items()} | dict(columns or {})
        for receptor, chosen in apart.items():
            strength = used[chosen]
            # A conductance is positive; NEST's sign says where it acts.
            strength = np.abs(strength) if code.unit == "uS" else strength
            if len(strength):
                bundle = self.found.setdefault(Key(source, target, spec.code, receptor), Bundle())
                values = {"weight": strength, **{name: value[chosen] for name, value in own.items()}}
                down = (receptor == INHIBITORY) | (strength < 0) | inhibitory[chosen]
                _give_sign(values, down & (code.unit != "uS"))
                bundle.add(pre[chosen], post[chosen], steps[chosen], values)


def _give_sign(values: dict[str, np.ndarray], down: np.ndarray) -> None:
    """Bounds of weights get the sign of the weights, whatever theirs was. down: the weight is negative, or grows so."""
    if "Wmax" in values:
        bound = np.abs(values["Wmax"])
        values["Wmax"] = np.where(down, -bound, bound)
    if "most" in values:  # Vogels' rule, whose amplitude is a weight as well
        least, most = np.abs(values["least"]), np.abs(values["most"])
        values["least"], values["most"] = np.where(down, -most, least), np.where(down, -least, most)
        values["eta"] = np.where(down, -values["eta"], values["eta"])


class _Stream:
    """The edges of one projection."""

    def __init__(self, bundles: Bundles, link: Link, lowered: Lowered, report: Report) -> None:
        self._bundles, self._link, self._lowered, self._report = bundles, link, lowered, report
        self._where = f"projection {link.projection.name}"
        self._account = Connecting("Brian2", self._where, lowered.timestep)
        self._hastened = self._coincident = 0

    def add(self, progress: Progress) -> None:
        """Every edge whose ends are there."""
        link, lowered = self._link, self._lowered
        projection = link.projection
        for block in edge_blocks(projection, lowered.network, self._report, link.names):
            group, number = lowered.group[projection.pre], lowered.number[projection.pre]
            self._missing(block)
            for own in np.unique(group[block.source]).tolist():
                if own >= 0:
                    self._from(block, own, np.where(group == own, number, -1), None)
            for feed in lowered.sources.feeds:
                if feed.population == projection.pre:
                    mask = None if feed.targets is None else feed.targets.get(projection.post)
                    if feed.targets is None or mask is not None:
                        self._from(block, SOURCES, feed.number, mask, further=feed.further)
            progress(f"connecting {projection.name}", block.stop, projection.size)
        self._tell()

    def _missing(self, block: EdgeBlock) -> None:
        """Count the edges from or to cells that Brian2 does not have."""
        left_out, projection = self._lowered.left_out, self._link.projection
        gone = left_out[projection.pre][block.source] | left_out[projection.post][block.target]
        self._account.left_out += int(np.count_nonzero(gone))

    def _from(
        self, block: EdgeBlock, source: int, numbers: np.ndarray, mask: np.ndarray | None, *, further: bool = False
    ) -> None:
        """The edges of a block that come from one group; numbers: in it, by row, -1 for none."""
        post = self._lowered.group[self._link.projection.post][block.target]
        here = (numbers[block.source] >= 0) & (post >= 0)
        if mask is not None:
            here &= mask[block.target]
        if block.nsyns is not None:
            here &= block.nsyns > 0
        for kind, target in {*zip(block.type[here].tolist(), post[here].tolist(), strict=True)}:
            chosen = np.flatnonzero(here & (block.type == kind) & (post == target))
            spec = self._link.specs[kind, target]
            self._coincident += len(chosen) if further and spec.plastic else 0
            self._put(block, source, target, spec, numbers, chosen)

    def _put(
        self, block: EdgeBlock, source: int, target: int, spec: Spec, numbers: np.ndarray, chosen: np.ndarray
    ) -> None:
        nsyns = None if block.nsyns is None else block.nsyns[chosen]
        weight = self._account.multiplied(block.weight[chosen], nsyns, plastic=spec.plastic)
        own = {
            name: np.ma.filled(np.ma.asarray(block.columns[column][chosen], dtype=np.float64), spec.parameters[name])
            for column, name in spec.columns.items()
            if column in block.columns
        }
        projection = self._link.projection
        inhibitory = inhibitory_edges(projection, self._link.inhibitory, block, chosen)
        post = self._lowered.number[projection.post][block.target[chosen]]
        pre = numbers[block.source[chosen]]
        self._bundles.put(source, target, spec, pre, post, self._steps(block.delay[chosen]), weight, inhibitory, own)

    def _steps(self, delay: np.ndarray) -> np.ndarray:
        """Delays in steps, 1 at least; the default where not stated."""
        if self._link.immediate:
            # NeuroML's connections may have no delay: here a step.
            at_once = np.isnan(delay) | (delay == 0)
            self._hastened += int(np.count_nonzero(at_once))
            delay = np.where(at_once, self._lowered.timestep, delay)
        return self._account.steps(self._account.filled(delay))

    def _tell(self) -> None:
        self._account.tell(self._report)
        message = f"Its connections have no delay; a spike arrives one step of {self._lowered.timestep} ms later here."
        self._report.approximated("no-delay", self._where, message, count=self._hastened)
        message = (
            "Trains with several spikes in a step go to plastic synapses: the later ones are a synapse's of their own."
        )
        self._report.approximated("coincident-spikes", self._where, message, count=self._coincident)


def joined(bundle: Bundle) -> Iterator[tuple[str, np.ndarray]]:
    """``source``, ``target``, ``steps`` and the variables of a bundle, whole."""
    yield "source", np.concatenate(bundle.source)
    yield "target", np.concatenate(bundle.target)
    yield "steps", np.concatenate(bundle.steps)
    for name, own in bundle.values.items():
        yield name, np.concatenate(own)
