"""What NeuroML and LEMS components are in Arbor: mechanisms written for them in its dialect of NMODL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.cells import PointCell
from pynn_io.graph.dynamics import Component
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering import nmodl_arbor
from pynn_io.lowering.cables.components import Generated
from pynn_io.lowering.cables.gaps import junction
from pynn_io.lowering.cables.models import PointModel, SynapseModel
from pynn_io.lowering.component_current import depends_on_time_alone
from pynn_io.lowering.membrane import Spread
from pynn_io.lowering.nmodl import Mechanism
from pynn_io.lowering.types import as_component
from pynn_io.runners.arbor.lowered import Property

#: Parameters of a concentration model that are concentrations at the start, as properties of its ion.
_CONCENTRATIONS = {"initialConcentration": "int_con", "initialExtConcentration": "ext_con"}


def own(spread: Spread) -> dict[str, float]:
    """The parameters of a mechanism; the concentration outside is none: no mechanism of Arbor sets it."""
    return {name: number for name, number in spread.parameters.items() if name != "initialExtConcentration"}


def concentrations(spread: Spread, region: str, ion: str) -> Iterator[Property]:
    """What the concentrations of the ion of a concentration model are at the start; nothing of other mechanisms."""
    for name, kind in _CONCENTRATIONS.items() if ion else ():
        if name in spread.parameters:
            yield Property(region, kind, spread.parameters[name], ion)


@dataclass(slots=True)
class ArborGenerated(Generated):
    """The mechanisms of one network for Arbor, and the sections of its cells. pools: mechanism -> ion that it sets."""

    pools: dict[str, str] = field(default_factory=dict)

    def density(self, component: Component, channel: Component, ion: str) -> Mechanism:
        return nmodl_arbor.density(component, channel, ion, self.types)

    def pool(self, component: Component, ion: str) -> Mechanism:
        made = nmodl_arbor.pool(component, ion, self.types)
        self.pools[made.name] = ion
        return made

    def population(self, component: Component, channel: Component, ion: str) -> Mechanism:
        raise UnsupportedInput(f"channels {channel.id!r} are counted, not spread")

    def synapse(self, name: str, synapse: Synapse) -> SynapseModel:
        """A synapse as a point process; one without a mechanism for a gap junction and what Arbor has no words for."""
        if (coupling := junction(synapse)) is not None:
            return coupling
        try:
            made = self.add(nmodl_arbor.synapse(as_component(name, synapse), self.types, self.named))
        except UnsupportedInput:
            return SynapseModel("")
        return SynapseModel(made.name, made.parameters, made.records)

    def sampled(self, component: Component) -> str:
        """The current of an input that depends on time alone: Arbor is given its values, step by step."""
        return "i" if depends_on_time_alone(component, self.types, self.named) else ""

    def input(self, component: Component) -> Mechanism:
        """Raises UnsupportedInput: what depends on more than time would be a mechanism, and these know no time."""
        raise UnsupportedInput("a mechanism of Arbor knows no time")

    def point(self, name: str, cell: PointCell) -> PointModel:
        """Raises UnsupportedInput: cells without extent are Arbor's own or none."""
        raise UnsupportedInput(f"Arbor has no cell {cell.model!r}")
