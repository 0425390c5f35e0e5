"""Point cells, spike sources and synapses as NeuroML components that compute the same equations.

The components are values; whoever writes a document turns them into elements (`pynn_io.vocabulary.neuroml` and
docs/neuroml_own_types.md say where) and copies the files of ``definitions``. A model that neither NeuroML nor our own
ComponentTypes express gives None, and the report then says so by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from pynn_io.errors import UnitError
from pynn_io.formats.neuroml_records import Element
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource
from pynn_io.graph.stimuli import SinusoidalCurrent
from pynn_io.graph.synapses import Synapse
from pynn_io.report import Report
from pynn_io.units import convert
from pynn_io.vocabulary import models
from pynn_io.vocabulary.applied import STATES, applied, family, in_unit, row_for, row_named, supported, synaptic_values
from pynn_io.vocabulary.neuroml import JUMPS, PLASTIC, SHORT_TERM, STATIC, SUPPORT_ROWS, SYNAPSE_ROWS, CellRow


@dataclass(frozen=True, slots=True)
class Component:
    """One NeuroML or LEMS component.

    type: NeuroML element name (``IF_curr_alpha``) or the name of one of our ComponentTypes.
    attributes: attribute -> text with its unit.
    definitions: file names in ``pynn_io/vocabulary/lems`` that define ``type``; empty for NeuroML core types.
    """

    id: str
    type: str
    attributes: Mapping[str, str]
    children: tuple[Component, ...] = ()
    definitions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SynapseTranslation:
    """A synapse component and what its weights mean.

    weight_factor: weight in NeuroML = stated weight * sign * nsyns * weight_factor.
    """

    component: Component
    weight_factor: float


def quantity(value: float, unit: str = "") -> str:
    """A number with a unit as the schema allows it: no ``+`` in the exponent, no spaces."""
    return f"{float(value)!r}{unit}".replace("e+", "e")


def cell_component(
    identifier: str, cell: PointCell | SpikeSource, report: Report, where: str, *, v_init: float | None = None
) -> Component | None:
    """The component that computes the cell's equations; None if there is none (the report says so).

    v_init: initial membrane potential, mV; None takes what the cell states, else the model's own initial value.
    """
    model = models.known(cell.model)
    if model is None or not supported(model.name):
        reason = "no component with its equations is known" if model is None else SUPPORT_ROWS[model.name][1]
        report.lost("no-neuroml-cell", where, f"{cell.model} has no NeuroML component: {reason}.")
        return None
    values = models.complete(cell, report, where)
    if model.kind == "source":
        if _says_unusable(model, {k: v for k, v in values.items() if k != "spike_times"}, report, where):
            return None
        return _source_component(identifier, model.name, values, report, where)
    if _says_unusable(model, values, report, where):
        return None
    stated = dict(values)
    values = {state.name: state.default for state in model.states} | values
    if v_init is not None and model.weight_unit != "1":
        values["v" if model.parameter("v") else "V_m"] = stated["V_m"] = stated["v"] = v_init
    values, leftovers = applied(model.name, values)
    row = row_for(model.name, values)
    _report_initial_state(model, row, stated, report, where)
    for name, value in leftovers.items():
        report.lost("parameter-without-place", where, f"{model.name}: {name}={value} has no place in {row.type}.")
    attributes = _attributes(row, model.name, values, report, where)
    return None if attributes is None else Component(identifier, row.type, attributes, (), row.definitions)


def recorded_exposure(cell: Cell) -> str:
    """The exposure to record as the cell's state: ``v`` (a voltage), ``m`` for IntFire cells, empty for none."""
    if not isinstance(cell, PointCell):
        return "v" if isinstance(cell, CableCell) else ""
    return row_named(models.known(cell.model).name).records if family(cell) else ""  # type: ignore[union-attr]


def takes_current(cell: Cell) -> bool:
    """Whether a current clamp onto the cell means anything: not onto sources and NEURON's IntFire cells."""
    return recorded_exposure(cell) == "v"


def needs_sign_split(synapse: Synapse, target: Cell) -> bool:
    """Whether positive and negative weights of one projection need two components.

    NEST sends a negative weight to the inhibitory port: another reversal potential, or another time constant.
    """
    kind = family(target)
    model = models.known(synapse.model)
    if model is not None and model.weight_unit:
        return False
    if kind.startswith("conductance"):
        return True
    if not kind.startswith("current"):
        return False
    times = synaptic_values(target)
    return times["tau_syn_E"] != times["tau_syn_I"]


def synapse_component(
    identifier: str,
    synapse: Synapse,
    target: Cell,
    *,
    weight_unit: str,
    inhibitory: bool,
    receptor: str | None,
    report: Report,
    where: str,
) -> SynapseTranslation | None:
    """The component of a synapse onto a cell, and the factor of its weights; None if there is none (reported).

    inhibitory: the (signed) weights of this part are negative. receptor: as the projection states it; a name decides,
    otherwise the sign of the weights does.
    """
    model = models.known(synapse.model)
    kind = family(target)
    name = model.name if model is not None else synapse.model
    problem = _refusal(name, model, kind)
    if problem:
        report.lost("no-neuroml-synapse", where, f"Synapses {name or '(no model named)'}: {problem}.")
        return None
    if model is not None:
        named = {item.name for item in model.parameters}
        stated = {model.aliases.get(key, key): value for key, value in synapse.parameters.items()}
        used = {key: value for key, value in stated.items() if key in named and value is not None}
        if _says_unusable(model, used, report, where, code="no-neuroml-synapse"):
            return None
    if model is not None and model.weight_unit:
        component, base = _conductance_synapse(identifier, synapse, report, where), "uS"
    else:
        component, base = _cell_synapse(identifier, name, synapse, target, inhibitory, receptor, report, where)
    if component is None:
        return None
    factor = _weight_factor(weight_unit or _default_unit(target, base, report, where), base, report, where)
    if factor is None:
        return None
    return SynapseTranslation(component, -factor if inhibitory and kind.startswith("conductance") else factor)


def spike_array_component(identifier: str, times: Iterable[float]) -> Component:
    """A ``spikeArray`` that fires at ``times`` (ms)."""
    spikes = (Component(str(index), "spike", {"time": quantity(time, "ms")}) for index, time in enumerate(times))
    return Component(identifier, "spikeArray", {}, tuple(spikes))


def pulse_component(
    identifier: str, delay: float, duration: float, amplitude: float, target: Cell | None = None
) -> Component:
    """A current step of ``amplitude`` nA from ``delay`` for ``duration`` (ms).

    target: the cell it goes to; cells whose potential jumps need our own type of pulse (`pynn_io.vocabulary.neuroml`).
    """
    attributes = {
        "delay": quantity(delay, "ms"),
        "duration": quantity(duration, "ms"),
        "amplitude": quantity(amplitude, "nA"),
    }
    if target is not None and family(target) == "jump":
        return Component(identifier, "pynnIoJumpPulse", attributes, (), (JUMPS,))
    return Component(identifier, "pulseGenerator", attributes)


def sine_component(identifier: str, what: SinusoidalCurrent) -> Component:
    """A sine within a window."""
    attributes = {
        "phase": quantity(math.radians(what.phase), ""),
        "delay": quantity(what.delay, "ms"),
        "duration": quantity(what.duration, "ms"),
        "amplitude": quantity(what.amplitude, "nA"),
        "period": quantity(1000.0 / what.frequency, "ms"),
    }
    return Component(identifier, "sineGenerator", attributes)


# -- cells


def _says_unusable(
    model: models.Model, values: Mapping[str, Any], report: Report, where: str, *, code: str = "no-neuroml-cell"
) -> bool:
    """Whether a parameter that takes a number has something else (a text, a list); reported by name."""
    for name, value in values.items():
        if not isinstance(value, Real) or math.isnan(value):
            report.lost(code, where, f"{model.name}: {name} is {value!r}, which is not a number.")
            return True
    return False


def _report_initial_state(
    model: models.Model, row: CellRow, stated: Mapping[str, Any], report: Report, where: str
) -> None:
    """Says which initial values are the model's own, the source stating none, and which stated ones have no place."""
    wanted = {STATES.get(attribute.source, attribute.source) for attribute in row.attributes}
    filled = []
    for state in model.states:
        used, value = STATES.get(state.name, state.name) in wanted, stated.get(state.name)
        if used and value is None:
            filled.append(f"{state.name}={state.default} {state.unit}".removesuffix(" 1"))
        if not used and value is not None and value != state.default:
            report.lost("initial-state", where, f"{model.name}: it cannot start with {state.name}={value} in NeuroML.")
    if filled and model.weight_unit != "1":  # NEURON's IntFire cells cannot start but at rest: nothing to say
        what = f"{model.name} does not state its initial {', '.join(filled)}; the model's own initial values stand."
        report.defaulted("default-initial-state", where, what)


def _attributes(
    row: CellRow, name: str, values: Mapping[str, Any], report: Report, where: str
) -> dict[str, str] | None:
    """Attribute texts; None (reported) where a value is missing or is not a number."""
    attributes = {}
    for item in row.attributes:
        value = values.get(item.source, item.default)
        if isinstance(value, bool):
            value = float(value)
        if not models.is_number(value):
            report.lost("no-neuroml-cell", where, f"{name}: {item.source} is {value!r}, which is not a number.")
            return None
        attributes[item.name] = quantity(in_unit(item, value, name), item.unit)
    return attributes


def _source_component(
    identifier: str, name: str, values: Mapping[str, Any], report: Report, where: str
) -> Component | None:
    """Spike sources. A Poisson source is not random in the same way from run to run: its seed is the simulator's."""
    if name in {"SpikeSourceArray", "nest:spike_generator"}:
        return spike_array_component(identifier, values["spike_times"])
    if SUPPORT_ROWS[name][0] == "approximate":
        report.approximated("approximate-source", where, f"{name}: {SUPPORT_ROWS[name][1]}.")
    if name == "SpikeSourcePoissonRefractory":
        attributes = {
            "averageRate": quantity(values["rate"], "Hz"),
            "minimumISI": quantity(values["tau_refrac"], "ms"),
        }
        return Component(identifier, "spikeGeneratorRefPoisson", attributes)
    start = values["start"] + values.get("origin", 0.0)
    duration = values["duration"] if "duration" in values else values["stop"] - values["start"]
    attributes = {
        "start": quantity(start, "ms"),
        "duration": quantity(min(duration, 1e10), "ms"),
        "rate": quantity(values["rate"], "Hz"),
    }
    return Component(identifier, "SpikeSourcePoisson", attributes)


# -- synapses


def _refusal(name: str, model: models.Model | None, kind: str) -> str:
    """Why there is no component; empty if there is one."""
    if not kind:
        return "the target cell has no NeuroML component that takes synapses"
    if model is None and name:
        return "no component with their equations is known"
    if name and SUPPORT_ROWS[name][0] == "no":
        return SUPPORT_ROWS[name][1]
    kinetic = model is not None and model.weight_unit == "uS" and model.dialect == "nrn"
    if kind == "cable" and not kinetic:
        return (
            "onto a cell with a morphology they need kinetics (time constants, reversal potential), which none states"
        )
    if kinetic and not (kind == "cable" or kind.startswith(("current", "conductance"))):
        return "a conductance has no effect on a cell whose potential only jumps"
    if kind in {"intfire2", "intfire4"} and not (name in STATIC or name in PLASTIC):
        return "short-term plasticity in front of this cell has no component"
    return "" if kinetic or name in STATIC | PLASTIC | set(_SHORT_TERM) else "they are no event-driven synapses"


def _conductance_synapse(identifier: str, synapse: Synapse, report: Report, where: str) -> Component:
    """NEURON's ExpSyn and Exp2Syn: conductances of 1 uS a unit weight."""
    values = models.complete(synapse, report, where)
    attributes = {"gbase": "1uS", "erev": quantity(values["e"], "mV")}
    if "tau" in values:
        return Component(identifier, "expOneSynapse", attributes | {"tauDecay": quantity(values["tau"], "ms")})
    # NEURON's exp2syn.mod keeps the two apart in the same way; equal ones would divide zero by zero.
    decay = values["tau2"]
    rise = min(max(values["tau1"], 1e-9 * decay), 0.9999 * decay)
    return Component(
        identifier,
        "expTwoSynapse",
        attributes | {"tauRise": quantity(rise, "ms"), "tauDecay": quantity(decay, "ms")},
    )


def _cell_synapse(
    identifier: str,
    name: str,
    synapse: Synapse,
    target: Cell,
    inhibitory: bool,
    receptor: str | None,
    report: Report,
    where: str,
) -> tuple[Component, str]:
    """A synapse whose response is a property of the target cell, and the unit of its weight."""
    row = SYNAPSE_ROWS[family(target)]
    port = receptor if receptor in {"excitatory", "inhibitory"} else "inhibitory" if inhibitory else "excitatory"
    side = "I" if port == "inhibitory" else "E"
    values = synaptic_values(target)
    stated = models.complete(synapse, report, where) if name in models.MODELS else {}
    if name in PLASTIC:
        report.approximated("plasticity-frozen", where, f"{name}: {SUPPORT_ROWS[name][1]}.")
    if name in _SHORT_TERM:
        attributes = _short_term(name, stated, values.get(f"tau_syn_{side}", 1.0))
        if "jump" not in row.short_term.lower():
            attributes["tauSyn"] = quantity(values[f"tau_syn_{side}"], "ms")
        if "Cond" in row.short_term:
            attributes["erev"] = quantity(values[f"e_rev_{side}"], "mV")
        return Component(identifier, row.short_term, attributes, (), (SHORT_TERM,)), row.base
    attributes = {}
    if row.type.endswith(("CurrSynapse", "CondSynapse")):
        attributes["tau_syn"] = quantity(values[f"tau_syn_{side}"])
    if row.type.endswith("CondSynapse"):
        attributes["e_rev"] = quantity(values[f"e_rev_{side}"])
    for own in ("taus", "taue", "taui1", "taui2"):
        if own in values:
            attributes[own] = quantity(values[own], "ms")
    if "ai1" in values:
        attributes["ai1"] = quantity(values["ai1"], "per_ms")
    return Component(identifier, row.type, attributes, (), row.definitions), row.base


#: Short-term plasticity: model -> (name of its facilitation time, whether released resources wait in y).
_SHORT_TERM = {
    "TsodyksMarkramSynapse": ("tau_facil", True),
    "nest:tsodyks_synapse": ("tau_fac", True),
    "nest:tsodyks2_synapse": ("tau_fac", False),
}


def _short_term(name: str, values: Mapping[str, Any], tau_syn: float) -> dict[str, str]:
    """Attributes of the Tsodyks-Markram types. PyNN takes the time constant of y from the cell's synapse."""
    facil, waits = _SHORT_TERM[name]
    states = {state.name: values.get(state.name, state.default) for state in models.MODELS[name].states}
    tau_fac = values[facil]
    return {
        "U": quantity(values["U"]),
        "tauRec": quantity(values["tau_rec"], "ms"),
        "tauFac": quantity(tau_fac if tau_fac > 0 else 1.0, "ms"),
        "facilitates": quantity(tau_fac > 0),
        "tauPsc": quantity(values.get("tau_psc", tau_syn), "ms"),
        "waits": quantity(waits),
        "x0": quantity(states["x"]),
        "y0": quantity(states.get("y", 0.0)),
        "u0": quantity(states["u"]),
    }


def _default_unit(target: Cell, base: str, report: Report, where: str) -> str:
    """The unit of a weight that states none: the target model's own."""
    model = models.known(target.model) if isinstance(target, PointCell) else None
    unit = model.weight_unit if model is not None and model.weight_unit else base
    report.defaulted("default-weight-unit", where, f"The weights have no unit; they are taken to be in {unit}.")
    return unit


def _weight_factor(stated: str, base: str, report: Report, where: str) -> float | None:
    """From the stated unit to the component's; None (reported) where the two are not of one kind."""
    if stated in {"", "1"} and base == "1":
        return 1.0
    try:
        return convert(1.0, stated, base)
    except UnitError:
        what = f"Weights in {stated or '1'} mean nothing to a synapse that counts in {base}; it is not written."
        report.lost("weight-unit-mismatch", where, what)
        return None


def element_of(component: Component) -> Element:
    """A component, and those in it, as an element."""
    children = tuple(element_of(child) for child in component.children)
    return Element(component.type, {"id": component.id, **component.attributes}, children)
