"""What NeuroML and LEMS components are in NEURON: mechanisms written for them, and the cells that these make."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from pynn_io.errors import RunError
from pynn_io.graph.biophysics import ChannelDensity, ChannelPopulation
from pynn_io.graph.cells import CableCell, PointCell
from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Network
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering import nmodl
from pynn_io.lowering.cables.models import PointModel, SynapseModel
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.evaluate import starting_values
from pynn_io.lowering.membrane import Mechanisms
from pynn_io.lowering.nmodl import Mechanism
from pynn_io.lowering.segment_shape import SegmentShape, segment_shape
from pynn_io.lowering.types import as_component

SCHEME = "neuroml:"
#: Suffix of the types whose currents have no dimension, which cells add up themselves.
_DIMENSIONLESS = "DL"


@dataclass(slots=True)
class Generated(Mechanisms):
    """The mechanisms of one network, and the sections of its cells.

    section_length: um, of compartments where a segment group states no number of them. driven: populations that inputs
    which are components act on. attached: cells that synapses or inputs of NeuroML act on; our own point process of a
    standard cell takes none.
    """

    section_length: float | None = None
    driven: frozenset[str] = frozenset()
    shapes: dict[str, SegmentShape] = field(default_factory=dict)
    attached: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        super(Generated, self).__post_init__()  # slots: the class in super() alone is not the one that dataclass made
        self.attached = self._attached()

    def _attached(self) -> frozenset[str]:
        found = {name for population in self.driven for name in self.network.populations[population].cells}
        found = {name for name in found if getattr(self.network.cells[name], "model", "") in self.types}
        for projection in self.network.projections.values():
            if any(self.network.synapses[name].model.startswith(SCHEME) for name in projection.synapses):
                found.update(self.network.populations[projection.post].cells)
        return frozenset(found)

    def shape(self, morphology: str) -> SegmentShape:
        """The sections of a cell of segments, by the name of its morphology."""
        if morphology not in self.shapes:
            self.shapes[morphology] = segment_shape(self.network.morphologies[morphology], self.section_length)
        return self.shapes[morphology]

    def middle(self, morphology: str, row: int) -> tuple[int, float]:
        """Section and position of the middle of a segment, in the order of `shape`."""
        section, at = self.shape(morphology).place(np.array([row]), np.array([0.5]))
        return int(section[0]), float(at[0])

    def synapse(self, name: str, synapse: Synapse) -> SynapseModel:
        """A synapse component as a point process."""
        made = self.add(nmodl.synapse(as_component(name, synapse), self.types, self.named))
        return SynapseModel(made.name, made.parameters, made.records)

    def input(self, component: Component) -> Mechanism:
        """An input component as a point process."""
        return self.add(nmodl.current(component, self.types, self.named))

    def sampled(self, component: Component) -> str:
        """The variable of an input that is worked out beforehand: currents without dimension; empty for any other."""
        return "I" if component.type.endswith(_DIMENSIONLESS) else ""

    def point(self, name: str, cell: PointCell) -> PointModel:
        """An abstract cell as a point process in a section of its own."""
        component = as_component(name, with_pynn_parameters(cell))
        made = self.add(nmodl.cell(component, self.types, self.named))
        start = starting_values(flatten(component, self.types, self.named), {})
        potential = start.get("v")
        return PointModel(
            made.name,
            made.parameters,
            capacitance=nmodl.capacitance_of(component),
            potential=None if potential is None else float(potential),
            variables=made.records,
        )


def with_pynn_parameters(cell: PointCell) -> PointCell:
    """A standard cell of PyNN as NeuroML's component of that name, whose initial potential is a parameter."""
    if cell.model.startswith(SCHEME):
        return cell
    numbers = dict(cell.parameters)
    if "v" in numbers:
        numbers["v_init"] = numbers.pop("v")
    return replace(cell, model=f"{SCHEME}{cell.model}", parameters=numbers)


def refuse_mixtures(network: Network) -> None:
    """RunError for a cable cell with channels in equations beside others that are names, which NEURON is not given.

    So are the cells of a circuit that was read with ``mechanisms`` or ``allow_exec``, for writing it as NeuroML.
    """
    for name, cell in network.cells.items():
        if not isinstance(cell, CableCell) or cell.template or is_of_components(cell, network):
            continue
        named = [p.item.channel for p in cell.decor if isinstance(p.item, ChannelDensity | ChannelPopulation)]
        equations = sorted({each for each in named if isinstance(network.channels.get(each), Component)})
        if equations:
            shown = ", ".join(equations[:3])
            raise RunError(
                f"some channels of this cell are equations ({shown} ...), others names for a simulator",
                where=f"cells/{name}",
                hint="a circuit read with mechanisms or allow_exec is for writing: convert it to NeuroML and run that, "
                "or run the circuit as it is, whose mechanisms and templates NEURON loads itself",
            )


def is_of_components(cell: CableCell, network: Network) -> bool:
    """Whether a cable cell is NeuroML's: it has segment groups of its own, or channels that are components."""
    if cell.template or cell.processing or cell.morphology is None:
        return False
    if any(isinstance(item, Component) for item in network.channels.values()):
        named = [p.item.channel for p in cell.decor if isinstance(p.item, ChannelDensity | ChannelPopulation)]
        if named:
            return all(isinstance(network.channels.get(name), Component) for name in named)
    return "neuroml" in network.extra
