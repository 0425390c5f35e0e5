"""What a NeuroML document is made of, as values that the XML and the HDF5 writer share.

Bulk data (locations, connections, inputs, spike times) are arrays; everything else is a small `Element`. Quantities in
arrays are in ms and um; ids of instances, connections and inputs are their row numbers, as jNeuroML demands (its NEURON
export uses an instance id as an index).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from pynn_io.errors import WriteError
from pynn_io.formats.neuroml_rows import Rows
from pynn_io.formats.neuroml_schema import types

_NOT_ID = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Element:
    """One XML element. Attribute values are text with their unit; ``text`` is written escaped.

    where: ``file:line`` of one that was read, for errors.
    rows: of one that was read and is a long list (a population, a projection ...), its members, which then are no
        children.
    markup: well-formed XML that is written as it stands, after the children (annotations).
    """

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: tuple[Element, ...] = ()
    text: str = ""
    where: str = field(default="", compare=False)
    markup: str = ""
    rows: Rows | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class SpikeArray:
    """A <spikeArray>: ``times`` in ms, ascending."""

    id: str
    times: np.ndarray
    tag: str = "spikeArray"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A population as a path needs it: its id and the id of its component; ``size`` cells.

    listed: whether its instances are listed (``type="populationList"``). jLEMS finds an instance of a list only as
    ``../pop/3/component`` and one of a mere size only as ``../pop[3]``.
    """

    population: str
    component: str
    size: int
    listed: bool = True

    def path(self, instance: str | int) -> str:
        """The path of one instance from the network: ``pop/3/component`` or ``pop[3]``."""
        if self.listed:
            return f"{self.population}/{instance}/{self.component}"
        return f"{self.population}[{instance}]"


@dataclass(frozen=True, slots=True, eq=False)
class PopulationRecord:
    """A <population>. locations: three float arrays (um) where ``end.listed``, else None.

    properties are (tag, value) pairs; a tag should hold no colon, at which libNeuroML's HDF5 reader cuts it.
    numbers: ids of the instances, int64, where they are not 0 .. size-1. extra: further children of the element, in
    their order (<layout>, <annotation>), and attributes (``neuroLexId``).
    """

    end: Endpoint
    locations: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    properties: tuple[tuple[str, str], ...] = ()
    notes: str = ""
    numbers: np.ndarray | None = None
    extra: tuple[Element, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Connections:
    """A block of connections; ``pre`` and ``post`` are instance ids (int64).

    weight, delay (ms): arrays or one number; both None writes a <connection> without them. Segments and fractions along
    them: arrays, or None where they are the schema's defaults (segment 0, middle). kind: int64, which of the
    projection's ``kinds`` each connection is; None where there is one. number: ids; None: numbered from 0.
    """

    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray | float | None = None
    delay: np.ndarray | float | None = None
    pre_segment: np.ndarray | None = None
    post_segment: np.ndarray | None = None
    pre_fraction: np.ndarray | None = None
    post_fraction: np.ndarray | None = None
    kind: np.ndarray | None = None
    number: np.ndarray | None = None

    @property
    def size(self) -> int:
        return len(self.pre)


@dataclass(frozen=True, slots=True, eq=False)
class ProjectionRecord:
    """A <projection>, <electricalProjection> or <continuousProjection> of ``size`` connections, yielded in ``blocks``.

    synapse: its component; of a continuous projection, the one on the postsynaptic side, ``pre_component`` being on the
    other. columns: which fields of `Connections` the blocks state besides pre and post; the same in every block.
    kinds: (pre_component, synapse) of each kind of connection where there are several, which a chemical projection
    cannot have. tag: of the element.
    """

    id: str
    pre: Endpoint
    post: Endpoint
    synapse: str
    size: int
    blocks: Iterable[Connections]
    columns: frozenset[str] = frozenset({"weight", "delay"})
    tag: str = "projection"
    pre_component: str = ""
    kinds: tuple[tuple[str, str], ...] = ()

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(component before, component after) of every kind."""
        return self.kinds or ((self.pre_component, self.synapse),)


@dataclass(frozen=True, slots=True, eq=False)
class InputRecord:
    """An <inputList>. targets: instance ids; segment, fraction: arrays or None; weight writes <inputW>."""

    id: str
    target: Endpoint
    component: str
    targets: np.ndarray
    segment: np.ndarray | None = None
    fraction: np.ndarray | None = None
    weight: np.ndarray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class NetworkRecord:
    """A <network>. temperature: degC, or None. The iterables are consumed once, in this order.

    extra, after: further children before the populations (<annotation>, <space>, <region>) and right behind them
    (<cellSet>), in the schema's order. single: connections without a projection around them (<synapticConnection>).
    attributes: further ones (``neuroLexId``). within: a component of an own type that the network is a child of.
    """

    id: str
    populations: Iterable[PopulationRecord]
    projections: Iterable[ProjectionRecord] = ()
    electrical: Iterable[ProjectionRecord] = ()
    inputs: Iterable[InputRecord] = ()
    temperature: float | None = None
    notes: str = ""
    properties: tuple[tuple[str, str], ...] = ()
    continuous: Iterable[ProjectionRecord] = ()
    extra: tuple[Element, ...] = ()
    after: tuple[Element, ...] = ()
    single: Iterable[ProjectionRecord] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    within: Element | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DocumentHead:
    """Everything of a document but its network. includes: paths relative to the document, forward slashes.

    lems: whether elements that the schema does not have may stand in it, after the others (files of own components).
    before: notes' followers: properties and annotations of the document.
    """

    id: str
    notes: str = ""
    includes: tuple[str, ...] = ()
    components: tuple[Element | SpikeArray, ...] = ()
    lems: bool = False
    before: tuple[Element, ...] = ()

    def ordered(self) -> Iterator[Element | SpikeArray]:
        """The components in the schema's order; WriteError for an element that the schema does not have."""
        rank = types()["NeuroMLDocument"].children
        unknown = sorted({item.tag for item in self.components if item.tag not in rank})
        if unknown and not self.lems:
            raise WriteError(
                f"<{unknown[0]}> is not an element of NeuroML 2.3.1",
                where=self.id,
                hint="A component of an own ComponentType belongs into an included LEMS file.",
            )
        last = len(rank)
        return iter(sorted(self.components, key=lambda item: rank[item.tag].place if item.tag in rank else last))


class Ids:
    """Valid, unique NeuroML ids (``[A-Za-z_][A-Za-z0-9_]*``) for names of any kind.

    `changed` maps every name that could not stay to the id it got.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self.changed: dict[str, str] = {}

    def new(self, name: str) -> str:
        """An id for ``name``, not given before: invalid characters become underscores, a number makes it unique."""
        base = nml_id(name)
        candidate, number = base, 1
        while candidate in self._taken:
            number += 1
            candidate = f"{base}_{number}"
        self._taken.add(candidate)
        if candidate != name:
            self.changed[name] = candidate
        return candidate

    def reserve(self, names: Iterable[str]) -> None:
        """Keep names that a document brings: `new` gives none of them."""
        self._taken.update(names)


def nml_id(name: str) -> str:
    """``name`` with every run of characters that an NmlId may not have replaced by one underscore."""
    text = _NOT_ID.sub("_", name)
    return text if text and not text[0].isdigit() else f"_{text}"
