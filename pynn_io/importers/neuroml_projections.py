"""Projections of a NeuroML network -> `Projection`: chemical, electrical and graded, with places on cells, by columns.

PyNN's synapses onto PyNN's cells that have the same time constant (and reversal potential) are those cells' own
receptors: such a projection has the synapse ``static`` and a weight in uS or nA, as one of PyNN's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from pynn_io.graph.cells import CableCell, PointCell
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Edges, Projection
from pynn_io.graph.schema import unit_of
from pynn_io.graph.synapses import Synapse
from pynn_io.importers.neuroml_cells import Definitions
from pynn_io.importers.neuroml_context import Context
from pynn_io.importers.neuroml_populations import Instances

#: The segment and the fraction along it that stand where nothing is said (NeuroML: root segment, middle).
_MIDDLE = 0.5
#: PyNN synapse -> the cells whose receptors are of its kind, the unit of its weight, and cell parameters to compare.
_RECEPTORS: Mapping[str, tuple[frozenset[str], str]] = {
    "expCondSynapse": (frozenset({"IF_cond_exp", "EIF_cond_exp_isfa_ista", "HH_cond_exp"}), "uS"),
    "alphaCondSynapse": (frozenset({"IF_cond_alpha", "EIF_cond_alpha_isfa_ista"}), "uS"),
    "expCurrSynapse": (frozenset({"IF_curr_exp"}), "nA"),
    "alphaCurrSynapse": (frozenset({"IF_curr_alpha"}), "nA"),
}
#: Name of the synapse that canonical projections have.
_STATIC = "static"


@dataclass(frozen=True, slots=True, eq=False)
class Connections:
    """The connections of one projection as columns, n of them, before they are checked.

    pre, post: int64[n] instance ids. The others are arrays, or None where no connection states one; a masked row does
    not state it. delay: ms. synapse, pre_synapse: int64[n] into ``synapses`` and ``pre_synapses``. where: of a row.
    """

    pre: np.ndarray
    post: np.ndarray
    synapses: tuple[str, ...]
    id: np.ndarray | None = None
    synapse: np.ndarray | None = None
    pre_synapse: np.ndarray | None = None
    pre_synapses: tuple[str, ...] = ()
    weight: np.ndarray | None = None
    delay: np.ndarray | None = None
    pre_segment: np.ndarray | None = None
    post_segment: np.ndarray | None = None
    pre_fraction: np.ndarray | None = None
    post_fraction: np.ndarray | None = None
    where: Callable[[int], str] | None = None


@dataclass(frozen=True, slots=True)
class Projections:
    """Makes projections between the populations of a network.

    used: components that are synapses as they are. static: canonical synapses, and the component each stands for.
    """

    populations: Mapping[str, Instances]
    definitions: Definitions
    context: Context
    used: set[str] = field(default_factory=set)
    static: dict[str, tuple[str, Synapse]] = field(default_factory=dict)

    def make(self, name: str, kind: str, pre: str, post: str, where: str, found: Connections) -> Projection | None:
        """One projection; None (and a problem of the context) where it names a population that is not there."""
        sides = [self._side(name, population, where) for population in (pre, post)]
        if sides[0] is None or sides[1] is None:
            return None
        for synapse in (*found.synapses, *found.pre_synapses):
            if synapse not in self.definitions.synapses:
                self.context.problem(where, f"the projection {name!r} has the synapse {synapse!r}: not defined")
                return None
        source = self._rows(name, sides[0], found.pre, where, found)
        target = self._rows(name, sides[1], found.post, where, found)
        types, index = self._types(found)
        columns = self._columns(name, sides[0], sides[1], where, found)
        types = self._static(sides[1], kind, found, types, columns)
        size = len(source)
        table = Table(size, {key: Column(data, unit_of(key)) for key, data in columns.items()})
        return Projection(name, pre, post, types, Edges(Column(source), Column(target), table), index, kind)

    def _side(self, name: str, population: str, where: str) -> Instances | None:
        found = self.populations.get(population)
        if found is None:
            self.context.problem(where, f"the projection {name!r} has the population {population!r}: not there")
        return found

    def _rows(self, name: str, side: Instances, ids: np.ndarray, where: str, found: Connections) -> np.ndarray:
        rows, unknown = side.rows(ids)
        if unknown.any():
            some = ", ".join(map(str, np.unique(ids[unknown])[:5].tolist()))
            self.context.problem(
                where if found.where is None else found.where(int(np.flatnonzero(unknown)[0])),
                f"the projection {name!r} has {int(unknown.sum())} connections with cells of {side.name!r} that are "
                f"not there: {some}",
            )
            return np.where(unknown, 0, rows)
        return rows

    def _types(self, found: Connections) -> tuple[Table, Column]:
        """A row for every pair of synapses that occurs, in the order of their first connections."""
        zeros = np.zeros(len(found.pre), dtype=np.int64)
        post = zeros if found.synapse is None else found.synapse
        pre = zeros if found.pre_synapse is None else found.pre_synapse
        pairs, first, index = np.unique(np.stack([pre, post], axis=1), axis=0, return_index=True, return_inverse=True)
        if not len(pairs):
            pairs, first = np.zeros((1, 2), dtype=np.int64), np.zeros(1, dtype=np.int64)
        order = np.argsort(first, kind="stable")
        pairs, index = pairs[order], np.argsort(order)[index.reshape(-1)]
        columns = {"synapse": text_column([found.synapses[row] for row in pairs[:, 1]])}
        if found.pre_synapses:
            columns["pre_synapse"] = text_column([found.pre_synapses[row] for row in pairs[:, 0]])
        columns["weight_unit"] = text_column([self._unit(found.synapses[row]) for row in pairs[:, 1]])
        return Table(len(pairs), columns), Column(0) if len(pairs) == 1 else Column(index)

    def _unit(self, synapse: str) -> str:
        """A weight is a factor, except for PyNN's synapses, which have nothing for it to multiply but their unit."""
        row = _RECEPTORS.get(self.definitions.synapses[synapse].model.removeprefix("neuroml:"))
        return "1" if row is None else row[1]

    def _columns(
        self, name: str, pre: Instances, post: Instances, where: str, found: Connections
    ) -> dict[str, np.ndarray]:
        size = len(found.pre)
        columns: dict[str, np.ndarray | None] = {
            "id": None if found.id is None or np.array_equal(found.id, np.arange(size)) else found.id,
            "weight": found.weight,
            "delay": found.delay,
        }
        for side, instances, segment, along in (
            ("efferent", pre, found.pre_segment, found.pre_fraction),
            ("afferent", post, found.post_segment, found.post_fraction),
        ):
            if not isinstance(self.definitions.cells.get(instances.component), CableCell):
                segment, along = self._point_sites(segment, along)
            if segment is None and along is None:
                continue
            segment = np.zeros(size, dtype=np.int64) if segment is None else segment
            columns[f"{side}_segment_id"] = segment
            columns[f"{side}_segment_fraction"] = np.full(size, _MIDDLE) if along is None else along
            self._segments(name, instances, segment, where)
        return {key: data for key, data in columns.items() if data is not None}

    def _point_sites(
        self, segment: np.ndarray | None, along: np.ndarray | None
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Places on cells without extent: segment 0 says nothing; another one is kept as it stands."""
        if segment is not None and (segment != 0).any():
            return segment, along
        if along is not None and not (along == _MIDDLE).all():
            return segment, along
        return None, None

    def _segments(self, name: str, side: Instances, segment: np.ndarray, where: str) -> None:
        cell = self.definitions.cells.get(side.component)
        if not isinstance(cell, CableCell) or cell.morphology not in self.definitions.morphologies:
            return
        known = self.definitions.morphologies[cell.morphology].id
        unknown = np.setdiff1d(segment, known)
        if len(unknown):
            some = ", ".join(map(str, unknown[:5].tolist()))
            message = f"the projection {name!r} is on segments of {side.component!r} that are not there: {some}"
            self.context.problem(where, message)

    # --- PyNN's own receptors ---------------------------------------------------------------------------------------

    def _static(
        self, post: Instances, kind: str, found: Connections, types: Table, columns: dict[str, np.ndarray]
    ) -> Table:
        """The types of a projection onto the receptors of PyNN's cells; as they are where it is none."""
        names = types.values("synapse").tolist()
        negative = found.weight is not None and len(found.weight) > 0 and bool((found.weight < 0).all())
        matched = [self._receptor(name, post, negative) for name in names] if kind == "chemical" else [None]
        if any(match is None for match in matched):
            self.used.update(found.synapses, found.pre_synapses)
            return types
        keys = [self._static_key(name) for name in names]
        stated: dict[str, Column] = {
            "synapse": text_column(keys),
            "weight_unit": text_column([match[1] for match in matched if match]),
            "receptor": text_column([match[0] for match in matched if match]),
        }
        # A connection that states neither has weight 1 and no delay; a synapse of PyNN's would take other defaults.
        for key, value in (("weight", 1.0), ("delay", 0.0)):
            if key not in columns or np.ma.is_masked(columns[key]):
                stated[key] = Column(np.full(types.size, value), unit_of(key))
        return Table(types.size, stated)

    def _static_key(self, name: str) -> str:
        """The name of the canonical synapse that stands for a component here."""
        key = f"{name}_{_STATIC}"
        while key in self.definitions.synapses:
            key += "_"
        self.static.setdefault(key, (name, Synapse(_STATIC, children=self.definitions.synapses[name].children)))
        return key

    def all_synapses(self, named: Collection[str]) -> dict[str, Synapse]:
        """What the network comes to have: a component that only stands for receptors is not there any more.

        named: synapses that other components name.
        """
        replaced = {name for name, _ in self.static.values()} - self.used - set(named)
        own = {name: synapse for name, synapse in self.definitions.synapses.items() if name not in replaced}
        return own | {key: synapse for key, (_, synapse) in self.static.items()}

    def _receptor(self, name: str, post: Instances, negative: bool) -> tuple[str, str] | None:
        """Which receptor of the target a synapse is, and the unit of its weight.

        negative: whether all weights are, as those onto PyNN's inhibitory currents: it decides where both receptors are
        alike.
        """
        synapse, cell = self.definitions.synapses[name], self.definitions.cells.get(post.component)
        row = _RECEPTORS.get(synapse.model.removeprefix("neuroml:"))
        if row is None or not isinstance(cell, PointCell) or cell.model not in row[0]:
            return None
        receptors = (("excitatory", "E"), ("inhibitory", "I"))
        for receptor, letter in reversed(receptors) if negative else receptors:
            if cell.parameters.get(f"tau_syn_{letter}") != synapse.parameters.get("tau_syn"):
                continue
            if row[1] == "uS" and cell.parameters.get(f"e_rev_{letter}") != synapse.parameters.get("e_rev"):
                continue
            return receptor, row[1]
        return None
