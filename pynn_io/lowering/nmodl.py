"""`Dynamics` as NMODL for NEURON 9: one text for each structure of equations, with its numbers as parameters.

Inside a mechanism everything is in the coherent units of `pynn_io.units` (ms, mV, nA, uS, um, mM); where NEURON wants
others (mA/cm2, S/cm2) one stated factor stands. Currents of NeuroML are positive inwards, NEURON's membrane currents
outwards. A mechanism is called after its type and its structure, so that channels with other numbers share it, and a
compiled one serves any model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pynn_io.graph.columns import empty
from pynn_io.graph.dynamics import Component, Dynamics
from pynn_io.graph.expressions import Expression, parse
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.evaluate import check_fixed
from pynn_io.lowering.nmodl_equations import HOLD, Blocks
from pynn_io.lowering.nmodl_text import Text, text_of
from pynn_io.lowering.systems import pruned, renamed, replaced_everywhere, used
from pynn_io.lowering.types import Types
from pynn_io.units import DIMENSIONS, coherent_power

Texts: TypeAlias = Callable[[Dynamics, Blocks], Text]
#: What stands for a mechanism's own name while its text is made.
NAME = "MECHANISM"
#: 1 nA/um2 in mA/cm2, and 1 mA/cm2 over 1 um2 in nA.
_DENSITY, _TOTAL = 100.0, 0.01
#: The conductance density of NEURON, S/cm2, as a coherent one, uS/um2.
_CONDUCTANCE = 0.01
#: Ions that NEURON knows without being told their valence.
_VALENCE = {"ca": 2, "ca2": 2, "na": None, "k": None}
_INSIDE, _OUTSIDE = {"caConc": "ca", "caConc2": "ca2"}, {"caConcExt": "ca", "caConcExt2": "ca2"}
#: Words for what carries no ion of its own.
NON_SPECIFIC = frozenset({"", "non_specific", "nonspecific", "unspecified"})


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A mechanism of NEURON.

    name: SUFFIX, POINT_PROCESS or ARTIFICIAL_CELL. text: the ``.mod`` file. parameters: what is to be set on each
    instance, in the units of the text. records: variable of the equations -> (variable of the mechanism, what makes it
    SI). random: whether an instance has a generator (``rng``) that wants ids.
    """

    name: str
    text: str
    parameters: Mapping[str, float] = field(default_factory=empty)
    records: Mapping[str, tuple[str, float]] = field(default_factory=empty)
    random: bool = False


def density(component: Component, channel: Component, ion: str, types: Types, text: Texts = text_of) -> Mechanism:
    """A channel density (``channelDensity`` and its kinds) with its channel, which may carry an ion.

    Parameters: ``gmax`` (S/cm2) or ``permeability`` (um/ms), ``erev`` (mV) where it has one, and those of the channel.
    Variables of the channel bear no prefix: ``m_q``. text: writes the dialect of a simulator.
    """
    named = replace(component, texts={**component.texts, "ionChannel": "channel"})
    system = _flat(named, types, {"channel": replace(channel, id="channel")})
    system = _unprefixed(system, "channel_")
    system = _ready(system, ["iDensity", "gDensity", *_shown(system)])
    blocks = Blocks(title=f"{component.type} of a {channel.type}", head=[f"SUFFIX {NAME}"])
    own = _ion_statements(blocks, system, ion, current="i")
    parameters = dict(system.parameters)
    if "condDensity" in parameters:
        parameters["gmax"] = parameters.pop("condDensity") / _CONDUCTANCE
        blocks.assigned["condDensity"] = "uS/um2"
        blocks.initial.insert(0, f"condDensity = {_CONDUCTANCE} * gmax")
        blocks.units["gmax"] = "S/cm2"
    current = f"i{own}" if own else "i"
    blocks.currents = [f"{current} = -{_DENSITY:g} * iDensity"]
    blocks.assigned[current] = "mA/cm2"
    system = replace(system, parameters=parameters)
    return mechanism(component.type, blocks, system, text)


def population(component: Component, channel: Component, ion: str, types: Types) -> Mechanism:
    """Channels that are counted (``channelPopulation`` and ``channelPopulationNernst``), as a density of NEURON.

    Parameters: ``channels`` (1/um2), ``erev`` (mV) where it has one, and those of the channel, of which ``conductance``
    is one channel's. Variables are those of the whole compartment (``i``, nA), of the channel without a prefix.
    """
    named = replace(component, texts={**component.texts, "ionChannel": "channel"})
    system = _flat(named, types, {"channel": replace(channel, id="channel")})
    system = _unprefixed(system, "channel_")
    system = _ready(system, ["i", *_shown(system)])
    blocks = Blocks(title=f"{component.type} of a {channel.type}", head=[f"SUFFIX {NAME}"])
    own = _ion_statements(blocks, system, ion, current="i_out")
    parameters = dict(system.parameters)
    parameters["channels"] = parameters.pop("number")
    blocks.assigned |= {"area": "um2", "number": ""}
    blocks.initial.insert(0, "number = channels * area")
    blocks.units["channels"] = "/um2"
    outwards = f"i{own}" if own else "i_out"
    blocks.currents = [f"{outwards} = -{_DENSITY:g} * i / area"]
    blocks.assigned[outwards] = "mA/cm2"
    return mechanism(component.type, blocks, replace(system, parameters=parameters))


def _ion_statements(blocks: Blocks, system: Dynamics, ion: str, current: str) -> str:
    """The USEION lines of a channel, whose ``current`` it is where no ion's. Gives the ion; empty for none."""
    own = "" if ion.lower() in NON_SPECIFIC else ion
    reads: dict[str, list[str]] = {}
    for variable in system.needs:
        for words, place in ((_INSIDE, "i"), (_OUTSIDE, "o")):
            if variable in words:
                name = f"{words[variable]}{place}"
                reads.setdefault(words[variable], []).append(name)
                blocks.aliases[variable] = name
                blocks.assigned[name] = "mM"
    for name in dict.fromkeys([*([own] if own else []), *reads]):
        read = f" READ {', '.join(reads[name])}" if name in reads else ""
        write = f" WRITE i{name}" if name == own else ""
        valence = _VALENCE.get(name, 1)
        blocks.head.append(f"USEION {name}{read}{write}" + (f" VALENCE {valence}" if valence else ""))
    if not own:
        blocks.head.append(f"NONSPECIFIC_CURRENT {current}")
    return own


def pool(component: Component, ion: str, types: Types) -> Mechanism:
    """A concentration model. Parameters: its own, ``initialConcentration`` and ``initialExtConcentration`` (mM)."""
    system = _ready(_flat(component, types), ["concentration", "extConcentration"])
    starts = ("initialConcentration", "initialExtConcentration")
    system = replace(
        system,
        parameters={**system.parameters, **dict.fromkeys(starts, 0.0)},
        dimensions={**system.dimensions, **dict.fromkeys(starts, "concentration")},
        needs=tuple(name for name in system.needs if name not in starts),
    )
    inside, outside, current = f"{ion}i", f"{ion}o", f"i{ion}"
    valence = _VALENCE.get(ion, 1)
    head = [f"SUFFIX {NAME}", f"USEION {ion} READ {current}, {inside}, {outside} WRITE {inside}, {outside}"]
    head[1] += f" VALENCE {valence}" if valence else ""
    blocks = Blocks(title=f"{component.type}: the concentration of {ion}", head=head)
    blocks.assigned |= {current: "mA/cm2", inside: "mM", outside: "mM", "area": "um2", "surfaceArea": "um2"}
    blocks.always = ["surfaceArea = area"]
    if "iCa" in system.needs:
        blocks.assigned["iCa"] = "nA"
        blocks.always.append(f"iCa = -{_TOTAL} * {current} * area")
    blocks.given = {"iCa", "surfaceArea"}
    blocks.after = [f"{inside} = concentration", f"{outside} = extConcentration"]
    return mechanism(component.type, blocks, system)


def synapse(
    component: Component, types: Types, references: Mapping[str, Component], text: Texts = text_of
) -> Mechanism:
    """A synapse that events set off; the weight of a NetCon is NeuroML's. ``vpeer`` is the other side's potential."""
    system = _flat(component, types, references)
    system = _ready(system, [*_outputs(system), *_shown(system)])
    blocks = Blocks(title=f"{component.type}", head=[f"POINT_PROCESS {NAME}", "NONSPECIFIC_CURRENT i_out"])
    blocks.assigned["i_out"] = "nA"
    blocks.currents = ["i_out = -i"]
    if "vpeer" in system.needs:
        blocks.ranges.append("vpeer")
        blocks.assigned["vpeer"] = "mV"
        blocks.given.add("vpeer")
    if any(event.port == "in" for event in system.events):
        system = replace(system, parameters={k: v for k, v in system.parameters.items() if k != "weight"})
        blocks.weighted = True
    return mechanism(component.type, blocks, system, text)


def current(component: Component, types: Types, references: Mapping[str, Component]) -> Mechanism:
    """An input: a current of time and potential, positive inwards, or a synapse with a source of its own."""
    system = _flat(component, types, references)
    system = _ready(system, [*_outputs(system), *_shown(system)])
    blocks = Blocks(title=component.type, head=[f"POINT_PROCESS {NAME}", "NONSPECIFIC_CURRENT i_out"])
    blocks.assigned["i_out"] = "nA"
    blocks.currents = ["i_out = -i"]
    return mechanism(component.type, blocks, system)


def source(component: Component, types: Types) -> Mechanism:
    """A source of spikes without a membrane."""
    system = _flat(component, types)
    system = _ready(system, _shown(system))
    blocks = Blocks(title=component.type, head=[f"ARTIFICIAL_CELL {NAME}"], artificial=True)
    return mechanism(component.type, blocks, system)


#: Where the capacitance of a cell stands: parameter -> what makes it nF.
_CAPACITANCES = ("C", "cm")


def cell(component: Component, types: Types, references: Mapping[str, Component]) -> Mechanism:
    """A cell without extent as a point process in a section of its own, whose potential is the cell's.

    What is attached adds to the section's current by itself; the section must have the capacitance `capacitance_of`.
    A cell without a state ``v`` has its variables in the mechanism alone; where it has a potential that follows from
    them (``pinskyRinzelCA3Cell``) the section's is held there.
    """
    system = _flat(component, types, references)
    system = _ready(system, _shown(system))
    blocks = Blocks(title=component.type, head=[f"POINT_PROCESS {NAME}", "NONSPECIFIC_CURRENT i_out"])
    blocks.assigned["i_out"] = "nA"
    blocks.cell, blocks.membrane = True, "v" in system.states
    if any(each.name == "v" and each.dimension == "voltage" for each in system.derived):
        blocks.currents = [f"i_out = {HOLD:g} * capacitance * (v - v_)"]
    for name in ("ISyn",):  # what attached inputs of dimensionless cells come to: set from outside
        if name in system.needs:
            blocks.ranges.append(name)
            blocks.assigned[name] = ""
            blocks.given.add(name)
    nothing = {name: parse("0") for name in ("iSyn",) if name in system.needs}
    system = _without(system, nothing)
    parameters = {**system.parameters, "capacitance": capacitance_of(component)}
    system = replace(system, parameters=parameters)
    return mechanism(component.type, blocks, system)


def capacitance_of(component: Component) -> float:
    """nF; 1 for a cell whose potential does not depend on currents."""
    return next((component.parameters[name] for name in _CAPACITANCES if name in component.parameters), 1.0)


def _without(system: Dynamics, nothing: Mapping[str, Expression]) -> Dynamics:
    """The system with some of what comes from outside replaced."""
    made = replaced_everywhere(system, nothing)
    return replace(made, needs=tuple(name for name in system.needs if name not in nothing))


# --- shared -------------------------------------------------------------------------------------------------------


def _flat(component: Component, types: Types, references: Mapping[str, Component] | None = None) -> Dynamics:
    """The equations of a component, whose fixed numbers are numbers."""
    system = flatten(component, types, references or {})
    check_fixed(system)
    return system


def _outputs(system: Dynamics) -> list[str]:
    return [name for name in ("i", "g") if name in system.dimensions]


def _shown(system: Dynamics) -> list[str]:
    """What can be recorded: what the component and its parts expose, as far as the equations need it anyway."""
    wanted = {"fopen", "fcond", "blockFactor", "plasticityFactor", "erev"}
    return [each.name for each in system.derived if each.name.rpartition("_")[2] in wanted] + list(system.gives)


def _unprefixed(system: Dynamics, prefix: str) -> Dynamics:
    """The system with a prefix taken from its names, where no other name is the same then."""
    names = [*system.parameters, *system.constants, *system.states]
    names += [each.name for each in (*system.derived, *system.derived_parameters)]
    taken = {name for name in names if not name.startswith(prefix)} | set(system.needs)
    new = {
        name: name.removeprefix(prefix)
        for name in names
        if name.startswith(prefix) and name.removeprefix(prefix) not in taken
    }
    return renamed(system, new)


def _ready(system: Dynamics, keep: list[str]) -> Dynamics:
    """The equations with what ``keep`` names and nothing idle: numbers put in place may leave plain aliases."""
    return pruned(structural(pruned(system, keep)), keep)


def structural(system: Dynamics) -> Dynamics:
    """Numbers that belong to the structure put in place: constants, and how many gates there are (an exponent)."""
    numbers = dict(system.constants)
    numbers |= {name: value for name, value in system.parameters.items() if name.rpartition("_")[2] == "instances"}
    made = replaced_everywhere(system, {name: parse(_literal(value)) for name, value in numbers.items()})
    needed = used(made)
    kept = {name: value for name, value in system.parameters.items() if name not in numbers and name in needed}
    return replace(made, constants={}, parameters=kept)


def _literal(value: float) -> str:
    return repr(int(value)) if float(value).is_integer() and abs(value) < 1e9 else repr(float(value))


def mechanism(type_: str, blocks: Blocks, system: Dynamics, text: Texts = text_of) -> Mechanism:
    """The mechanism of a system, called after its type and its text."""
    made = text(system, blocks)
    digest = hashlib.sha256(made.text.encode()).hexdigest()[:8]
    name = f"{type_}_{digest}"
    records = {}
    for variable, own in made.records.items():
        dimension = system.dimensions.get(variable, "none")
        power = coherent_power(DIMENSIONS[dimension]) if dimension in DIMENSIONS else 0
        records[variable] = (own, 10.0**power)
    return Mechanism(
        name,
        made.text.replace(NAME, name),
        {made.names.get(key, key): value for key, value in system.parameters.items()},
        records,
        made.random,
    )
