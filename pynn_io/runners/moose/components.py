"""What NeuroML and LEMS components are in MOOSE: channels as tables, pools, synapses of a rise and a decay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.cells import PointCell
from pynn_io.graph.dynamics import Assignment, Component, Dynamics
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.cables.components import Generated
from pynn_io.lowering.cables.gaps import junction
from pynn_io.lowering.cables.models import PointModel, SynapseModel
from pynn_io.lowering.component_current import depends_on_time_alone
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.evaluate import moment, value
from pynn_io.lowering.nmodl import NON_SPECIFIC, Mechanism
from pynn_io.lowering.systems import pruned, used
from pynn_io.runners.moose.gates import OPEN, tables
from pynn_io.runners.moose.lowered import Channel

_KELVIN = 273.15
#: Laws of a current that MOOSE's channels have: whether the reversal potential follows from concentrations.
_LAWS = {
    "channelDensity": False,
    "channelDensityVShift": False,
    "channelDensityNernst": True,
    "channelDensityNernstCa2": True,
}
#: Concentration that a channel sees -> ion.
READS = MappingProxyType({"caConc": "ca", "caConc2": "ca2"})
_PASSIVE = "ionChannelPassive"
#: 1 S/cm2 in the coherent unit of a density, uS/um2.
_CONDUCTANCE = 0.01
#: The variables of a pool.
INSIDE, OUTSIDE = "concentration", "extConcentration"
_STARTS = MappingProxyType({"initialConcentration": INSIDE, "initialExtConcentration": OUTSIDE})
#: mM per ms and nA in mM per s and A; per ms in per s.
_PER_CURRENT, _PER_SECOND = 1e12, 1e3
_ROUNDING = 1e-6
#: Synapses of NeuroML: rise (empty: none) and decay as their parameters have them; the peak is ``gbase``.
_SYNAPSES = MappingProxyType(
    {
        "expOneSynapse": ("", "tauDecay"),
        "expTwoSynapse": ("tauRise", "tauDecay"),
        "alphaSynapse": ("tau", "tau"),
    }
)
#: What stands for such a synapse in a projection: the mechanism of NEURON with its parameters.
EXP2, EXP = "Exp2Syn", "ExpSyn"
PEAK = "gbase"


@dataclass(slots=True)
class MooseGenerated(Generated):
    """The channels and pools of one network, and the sections of its cells.

    celsius: degC, of the whole run. warm: whether an equation depends on it.
    """

    celsius: float = 6.3
    warm: bool = False
    channels: dict[str, Channel] = field(default_factory=dict)
    pools: dict[str, tuple[Dynamics, str]] = field(default_factory=dict)

    def density(self, component: Component, channel: Component, ion: str) -> Mechanism:
        """Raises UnsupportedInput for what MOOSE has no channel for."""
        shift = component.parameters.get("vShift", 0.0)
        name = f"{channel.id}_{component.type}_{shift:g}_{ion}"
        if name not in self.channels:
            self.channels[name] = self._channel(name, component, channel, ion)
        parameters = {"gmax": component.parameters.get("condDensity", 0.0) / _CONDUCTANCE}
        return Mechanism(name, "", {**parameters, "erev": component.parameters.get("erev", np.nan)})

    def _channel(self, name: str, component: Component, channel: Component, ion: str) -> Channel:
        if component.type not in _LAWS:
            raise UnsupportedInput(f"currents by {component.type} ({channel.id!r}) are not made on MOOSE")
        named = replace(component, texts={**component.texts, "ionChannel": "channel"})
        system = flatten(named, self.types, {"channel": replace(channel, id="channel")})
        system = pruned(system, [OPEN])
        # what the law of the current needs is not needed by the open fraction
        seen = used(system)
        reads = [name for variable, name in READS.items() if variable in seen]
        own = "" if ion.lower() in NON_SPECIFIC else ion
        nernst = "ca2" if component.type.endswith("Ca2") else "ca"
        if channel.type == _PASSIVE:
            return Channel(name, None, own)
        try:
            made = tables(system, self.celsius + _KELVIN)
        except UnsupportedInput as error:
            raise UnsupportedInput(f"the channel {channel.id!r} cannot be one of MOOSE: {error.message}") from error
        of_law = _LAWS[component.type]
        self.warm |= of_law or "temperature" in seen
        return Channel(name, made, nernst if of_law else own, reads[0] if reads else "", of_law)

    def pool(self, component: Component, ion: str) -> Mechanism:
        """Raises UnsupportedInput as `pool_numbers` does."""
        system = pruned(flatten(component, self.types), [INSIDE, OUTSIDE])
        name = f"{component.id}_{ion}"
        self.pools[name] = (system, ion)
        pool_numbers(system, np.ones(1), {})
        return Mechanism(name, "")

    def copied(self, name: str, number: int) -> str:
        """The same: a compartment of MOOSE may have a channel twice."""
        return name

    def population(self, component: Component, channel: Component, ion: str) -> Mechanism:
        raise UnsupportedInput(f"channels {channel.id!r} are counted, not spread")

    def synapse(self, name: str, synapse: Synapse) -> SynapseModel:
        """A synapse of a rise and a decay as NEURON's of the same form; one without a mechanism for a gap junction, and
        for others."""
        if (coupling := junction(synapse)) is not None:
            return coupling
        kind = _SYNAPSES.get(synapse.model.removeprefix("neuroml:"))
        if kind is None or synapse.children:
            return SynapseModel("")
        numbers = {key: float(number) for key, number in synapse.parameters.items() if not isinstance(number, str)}
        rise, decay = kind
        stated = {"tau1": numbers[rise], "tau2": numbers[decay]} if rise else {"tau": numbers[decay]}
        return SynapseModel(EXP2 if rise else EXP, {**stated, "e": numbers["erev"], PEAK: numbers[PEAK]})

    def sampled(self, component: Component) -> str:
        """The current of an input that depends on time alone: MOOSE is given its values, step by step."""
        return "i" if depends_on_time_alone(component, self.types, self.named) else ""

    def input(self, component: Component) -> Mechanism:
        """Raises UnsupportedInput: what depends on more than time would be equations."""
        raise UnsupportedInput("it depends on more than time, and is no current that MOOSE could be given")

    def point(self, name: str, cell: PointCell) -> PointModel:
        """Raises UnsupportedInput: MOOSE's cells here have an extent."""
        raise UnsupportedInput(f"MOOSE has no cell {cell.model!r} here")


def pool_numbers(
    system: Dynamics, area: np.ndarray, parameters: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``B`` (mM/(A s)), basal concentration (mM) and time constant (s) of a pool in compartments of an area (um2).

    float64[k] each. Raises UnsupportedInput where the rate is no line of the concentration and the current.
    """
    states = set(system.states)
    actions = [action for each in system.conditions for action in each.actions]
    if any(not isinstance(each, Assignment) or each.variable not in states for each in actions) or system.regimes:
        raise UnsupportedInput(f"the concentration model {system.name!r} has events that MOOSE has not")

    def rate(inside: float, current: float) -> np.ndarray:
        known = {"surfaceArea": area, "iCa": current, INSIDE: inside, OUTSIDE: 1.0, "v": -65.0, **parameters}
        found = value(system.derivatives[INSIDE], moment(system, known))
        return np.array(np.broadcast_to(found, area.shape), dtype=np.float64)

    if INSIDE not in system.derivatives:
        raise UnsupportedInput(f"the concentration model {system.name!r} states no rate")
    still = rate(0.0, 0.0)
    per_current, decay = rate(0.0, 1.0) - still, still - rate(1.0, 0.0)
    bent = np.abs(rate(0.5, 2.0) - (still + 2 * per_current - 0.5 * decay))
    if (bent > _ROUNDING * (np.abs(still) + np.abs(per_current) + np.abs(decay))).any() or (decay <= 0).any():
        raise UnsupportedInput(f"the rate of {system.name!r} is no line of the concentration and the current")
    return per_current * _PER_CURRENT, still / decay, 1.0 / (decay * _PER_SECOND)
