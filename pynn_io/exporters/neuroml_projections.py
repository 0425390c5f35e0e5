"""Projections of a NeuroML network: which synapse component a share of the edges has, and where on the cells it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from pynn_io.errors import GraphError, UnitError
from pynn_io.exporters.neuroml_components import Component, quantity
from pynn_io.exporters.neuroml_edges import Deal, Share, pieces
from pynn_io.exporters.neuroml_populations import Part, Split
from pynn_io.exporters.neuroml_synapses import SynapseTranslation, needs_sign_split, synapse_component
from pynn_io.formats.neuroml_records import Connections, Endpoint, Ids, ProjectionRecord
from pynn_io.graph.cells import CableCell
from pynn_io.graph.morphology import Morphology, locate
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.units import convert
from pynn_io.vocabulary.neuroml import STATIC


@dataclass(frozen=True, slots=True)
class Cells:
    """What the populations became: their splits, the endpoint of every part by its name (absent: it is not written),
    and the morphology in whose segments places on a part's cells are given."""

    splits: Mapping[str, Split]
    ends: Mapping[str, Endpoint]
    morphologies: Mapping[str, Morphology]


class _Spread:
    """A parameter over the connections of every edge type. beneath: what stands for those that do not state it."""

    def __init__(self, beneath: np.ndarray) -> None:
        self._beneath = beneath
        self._stated, self._open, self._sum = (np.zeros(len(beneath)) for _ in range(3))
        self._least, self._most = np.full(len(beneath), np.inf), np.full(len(beneath), -np.inf)

    def add(self, kinds: np.ndarray, values: np.ndarray) -> None:
        values = np.broadcast_to(np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan), kinds.shape)
        values = np.where(np.isnan(values), self._beneath[kinds], values)
        known, rows = ~np.isnan(values), len(self._beneath)
        self._stated += np.bincount(kinds[known], minlength=rows)
        self._open += np.bincount(kinds[~known], minlength=rows)
        self._sum += np.bincount(kinds[known], values[known], minlength=rows)
        np.minimum.at(self._least, kinds[known], values[known])
        np.maximum.at(self._most, kinds[known], values[known])

    @property
    def varies(self) -> bool:
        """Whether connections of one type have several values, or some have one and others the default."""
        return bool(((self._stated > 0) & ((self._least < self._most) | (self._open > 0))).any())

    @property
    def mean(self) -> np.ndarray:
        """NaN where no connection has a value; exact where all have the same."""
        mean = np.divide(self._sum, self._stated, out=np.full(len(self._sum), np.nan), where=self._stated > 0)
        return np.where(self._least == self._most, self._least, mean)


class ProjectionWriter:
    """One projection of the graph. `components` is complete after construction; `records` streams."""

    def __init__(
        self,
        projection: Projection,
        network: Network,
        cells: Cells,
        ids: Ids,
        shelf: dict[tuple, str],
        report: Report,
        progress: Progress,
    ) -> None:
        """shelf: ids of the synapse components made so far, by what they are; shared by all projections."""
        self._projection, self._network, self._cells = projection, network, cells
        self._report, self._progress = report, progress
        self._shelf = shelf
        self._where = f"projection {projection.name}"
        self._pre, self._post = cells.splits[projection.pre], cells.splits[projection.post]
        self.electrical = projection.kind == "electrical"
        self.tag = "electricalProjection" if self.electrical else "projection"
        self.components: list[Component] = []
        self._shares: list[tuple[Share, str, str, float]] = []
        self._deal: Deal | None = None
        if projection.kind not in ("chemical", "electrical"):
            report.lost(
                "projection-kind",
                self._where,
                f"NeuroML has no {projection.kind} projections; its connections are left out.",
                count=max(1, projection.size),
                examples=[projection.kind],
            )
            return
        if not projection.size:
            report.lost("empty-projection", self._where, "A projection without connections is not written.")
            return
        self._deal = Deal(projection, network, self._pre, self._post, self._signs(), self._where, report)
        self._own = self._own_parameters()
        self._choose(ids)
        self._say_placement()

    def _signs(self) -> frozenset[int]:
        if self.electrical:
            return frozenset()
        types = len(self._projection.synapses)
        return frozenset(
            post * types + row
            for post, part in enumerate(self._post.parts)
            for row, name in enumerate(self._projection.synapses)
            if needs_sign_split(self._network.synapses[name], part.cell)
        )

    def _own_parameters(self) -> dict[str, np.ndarray]:
        """Parameters that connections state themselves: the mean of each for every edge type, since NeuroML states them
        once a component. NaN where none of a type states it. What a connection leaves open its synapse states."""
        columns = {**self._projection.types, **self._projection.edges.columns}
        names = sorted(name for name, column in columns.items() if name.startswith(PARAMETER) and not column.is_text)
        if not names or self.electrical:
            return {}
        found = {name: _Spread(self._beneath(name.removeprefix(PARAMETER))) for name in names}
        for _, _, block in self._projection.blocks(names):
            kinds = np.broadcast_to(np.asarray(block["type"]), len(block["source"]))
            for name in names:
                found[name].add(kinds, block[name])
        averaged = [name.removeprefix(PARAMETER) for name in names if found[name].varies]
        self._report.approximated(
            "per-connection-parameters",
            self._where,
            f"Connections have parameters of their own ({', '.join(averaged)}); NeuroML states them once a component, "
            "which has their mean.",
            count=self._projection.size if averaged else 0,
            examples=averaged,
        )
        return {name.removeprefix(PARAMETER): found[name].mean for name in names}

    def _beneath(self, parameter: str) -> np.ndarray:
        """float64: a parameter as the synapse of every edge type states it; NaN where it does not."""
        stated = (self._network.synapses[name].parameters.get(parameter) for name in self._projection.synapses)
        return np.array([np.nan if value is None else float(value) for value in stated])

    def _choose(self, ids: Ids) -> None:
        """A component for every share, shared where one serves several, and a name for its NeuroML projection."""
        chosen: dict[tuple, tuple[str, float] | None] = {}
        shares = self._deal.shares if self._deal else ()
        lost = 0
        for share in shares:
            pre, post = self._pre.parts[share.pre], self._post.parts[share.post]
            if pre.name not in self._cells.ends or post.name not in self._cells.ends:
                lost += share.size
                continue
            parameters = tuple(sorted(map(str, getattr(post.cell, "parameters", {}).items())))
            key = (post.cell_name, parameters, share.type_row, share.negative)
            if key not in chosen:
                chosen[key] = self._component(share, post, ids)
            found = chosen[key]
            if found is None:
                lost += share.size
                continue
            name = self._projection.name
            if len(shares) > 1:
                name = f"{name}_{pre.name}_{post.name}_{share.type_row}" + ("_inh" if share.negative else "")
            self._shares.append((share, ids.new(name), *found))
        self._tell(lost)

    def _tell(self, lost: int) -> None:
        """Connections that are left out, and projections that become others."""
        self._report.lost(
            "connections-without-synapse",
            self._where,
            "Connections whose cells or synapses have no NeuroML component are left out.",
            count=lost,
            examples=[self._projection.name],
        )
        if len(self._shares) == 1 and max(len(self._pre.parts), len(self._post.parts)) > 1:
            self._report.expanded(
                "projection-split",
                self._where,
                "The projection is between parts of its populations, which are populations in NeuroML.",
                examples=[self._projection.name, "pre", "post", "source", "target", "weight_unit", "receptor"],
            )
        if len(self._shares) > 1:
            self._report.expanded(
                "projection-split",
                self._where,
                f"The projection becomes {len(self._shares)} NeuroML projections, one for each pair of populations and "
                "synapse.",
                examples=[self._projection.name, *(name for _, name, _, _ in self._shares)],
            )

    def _component(self, share: Share, post: Part, ids: Ids) -> tuple[str, float] | None:
        """Id of the component and factor of the weights, or None (reported)."""
        synapse_name = self._projection.synapses[share.type_row]
        unit = self._type_text("weight_unit", share.type_row) or ""
        if self.electrical:
            return self._gap_junction(synapse_name, unit, ids)
        label = f"{synapse_name}_to_{post.name}" if len(self._post.parts) > 1 else synapse_name
        synapse = self._network.synapses[synapse_name]
        own = {name: float(values[share.type_row]) for name, values in self._own.items()}
        own = {name: value for name, value in own.items() if not np.isnan(value)}
        made: SynapseTranslation | None = synapse_component(
            ids.new(f"{label}_syn" + ("_inh" if share.negative else "")),
            replace(synapse, parameters={**synapse.parameters, **own}) if own else synapse,
            post.cell,
            weight_unit=unit,
            inhibitory=share.negative,
            receptor=self._type_text("receptor", share.type_row),
            report=self._report,
            where=self._where,
        )
        if made is None:
            return None
        self._say_static(self._network.synapses[synapse_name].model)
        return self._same_or_new(made.component), made.weight_factor

    def _say_static(self, model: str) -> None:
        """NeuroML's synapses have no word for a static one but their own type."""
        if model in STATIC - {"", "static"}:
            message = (
                "The name of a synapse without plasticity is not written: components are static unless they say more."
            )
            examples = ["model", model, self._projection.name]
            self._report.expanded("static-synapse", "projections", message, examples=examples)

    def _same_or_new(self, made: Component) -> str:
        """The id of a component that computes the same as this one; simulators compile code for every component."""
        key = (made.type, tuple(made.attributes.items()), made.children, made.definitions)
        if key not in self._shelf:
            self._shelf[key] = made.id
            self.components.append(made)
        return self._shelf[key]

    def _gap_junction(self, name: str, unit: str, ids: Ids) -> tuple[str, float]:
        """A junction of 1 uS, whose weight is the conductance in uS."""
        try:
            factor = float(convert(1.0, unit or "uS", "uS"))
        except UnitError:
            factor = 1.0
        made = Component(ids.new(f"{name}_gap"), "gapJunction", {"conductance": quantity(1.0, "uS")})
        return self._same_or_new(made), factor

    def _type_text(self, column: str, row: int) -> str | None:
        if column not in self._projection.types:
            return None
        value = np.ma.asarray(self._projection.types.values(column)).tolist()[row]
        return None if value is None else str(value)

    def records(self, *, one_kind: bool = False) -> Iterator[ProjectionRecord]:
        """The NeuroML projections, to be written one after the other: each streams from the sorted edges.

        one_kind: of synapse in each, which is so anyway.
        """
        if self._deal is None or not self._shares:
            return
        only = self._deal.shares
        if len(only) == 1:
            yield self._record(*self._shares[0], self._deal.stream())
            return
        with self._deal.sorted(self._progress) as edges:
            for share, name, synapse, factor in self._shares:
                yield self._record(share, name, synapse, factor, pieces(edges, share))

    def _record(
        self, share: Share, name: str, synapse: str, factor: float, blocks: Iterator[Mapping[str, np.ndarray]]
    ) -> ProjectionRecord:
        pre, post = self._pre.parts[share.pre], self._post.parts[share.post]
        columns = {"weight"} if self.electrical else {"weight", "delay"}
        if self._placed(pre, "efferent"):
            columns |= {"pre_segment", "pre_fraction"}
        if self._placed(post, "afferent"):
            columns |= {"post_segment", "post_fraction"}
        connections = (self._connections(block, pre, post, factor, columns) for block in blocks)
        ends = self._cells.ends[pre.name], self._cells.ends[post.name]
        return ProjectionRecord(name, *ends, synapse, share.size, connections, frozenset(columns), self.tag)

    def _connections(
        self, edges: Mapping[str, np.ndarray], pre: Part, post: Part, factor: float, columns: set[str]
    ) -> Connections:
        sites: list[np.ndarray | None] = [None] * 4
        weight = _scaled(edges["weight"], factor)
        if "pre_segment" in columns:
            sites[0], sites[2], _ = self._sites(edges, pre, "efferent")
        if "post_segment" in columns:
            sites[1], sites[3], gone = self._sites(edges, post, "afferent")
            weight = self._without(weight, gone, post)
        delay = None if self.electrical else edges["delay"]
        return Connections(edges["pre"], edges["post"], weight, delay, *sites)

    def _without(self, weight: np.ndarray, gone: np.ndarray, post: Part) -> np.ndarray:
        """The weights, 0 for synapses on sections that a template took away: simulators make none of these."""
        if self.electrical or self._cells.morphologies[post.name].numbers is None or not gone.any():
            return weight
        self._report.approximated(
            "synapse-site",
            self._where,
            "Synapses on sections that the cell's template took away, which no simulator makes, have the weight 0.",
            count=int(gone.sum()),
        )
        return np.where(gone, 0.0, weight)

    def _placed(self, part: Part, side: str) -> bool:
        known = {*self._projection.types, *self._projection.edges.columns}
        return part.name in self._cells.morphologies and f"{side}_section_id" in known

    def _sites(
        self, edges: Mapping[str, np.ndarray], part: Part, side: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Segment ids and fractions along them; the middle of the first segment where no place is stated.

        And which edges (bool) state a section that the cell does not have.
        """
        morphology = self._cells.morphologies[part.name]
        section, at = edges[f"{side}_section_id"], edges[f"{side}_section_pos"]
        stated = np.flatnonzero(section >= 0)
        segment = np.full(len(section), morphology.id[0], dtype=np.int64)
        fraction, gone = np.full(len(section), 0.5), np.zeros(len(section), dtype=bool)
        try:
            rows, along = locate(
                morphology, section[stated], np.clip(at[stated], 0, 1), order=self._projection.section_order
            )
        except GraphError as error:
            self._report.approximated(
                "synapse-site",
                self._where,
                f"Synapses on {part.name} are moved to the soma, since their sections are not those of its morphology: "
                f"{error.message}.",
                count=len(stated),
            )
            return segment, fraction, gone
        found = rows >= 0
        gone[stated[~found]] = True
        segment[stated[found]] = morphology.id[rows[found]]
        fraction[stated[found]] = along[found]
        self._report.approximated(
            "synapse-site",
            self._where,
            "Synapses on a section that this morphology does not have are moved to the soma.",
            count=int((~found).sum()),
        )
        return segment, fraction, gone

    def _say_placement(self) -> None:
        """What becomes of synapses that a simulator places itself."""
        on_cables = any(isinstance(part.cell, CableCell) for part in self._post.parts)
        known = {*self._projection.types, *self._projection.edges.columns}
        if not on_cables or self.electrical:
            return
        rules = [name for name in ("target_sections", "distance_range") if name in known]
        if "afferent_section_id" not in known:
            how = f"by the rule in {' and '.join(rules)}" if rules else "by a rule of their own"
            self._report.approximated(
                "synapse-placement",
                self._where,
                f"The synapses have no given place: simulators place them {how} when they build the network. Here they "
                "are all on the soma.",
                count=self._projection.size,
                examples=rules,
            )
            if "nsyns" in known:
                self._report.approximated(
                    "nsyns",
                    self._where,
                    "An edge of several synapses (nsyns) becomes one connection with their summed weight.",
                    count=self._projection.size,
                    examples=["nsyns"],
                )


def _scaled(values: np.ndarray, factor: float) -> np.ndarray:
    """``values * factor`` with one rounding where the factor is one over a whole number (1000 pA are 1 nA)."""
    inverse = 1 / factor if factor else 0.0
    return values / round(inverse) if abs(inverse) > 1 and abs(inverse - round(inverse)) < 1e-9 else values * factor
