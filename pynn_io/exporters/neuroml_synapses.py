"""Synapses as NeuroML components that compute the same equations, and what their weights mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynn_io.errors import UnitError
from pynn_io.exporters.neuroml_components import Component, quantity, says_unusable
from pynn_io.graph.cells import Cell, PointCell
from pynn_io.graph.synapses import Synapse
from pynn_io.report import Report
from pynn_io.units import convert
from pynn_io.vocabulary import models
from pynn_io.vocabulary.applied import family, synaptic_values
from pynn_io.vocabulary.neuroml import PLASTIC, SHORT_TERM, STATIC, SUPPORT_ROWS, SYNAPSE_ROWS


@dataclass(frozen=True, slots=True)
class SynapseTranslation:
    """A synapse component and what its weights mean.

    weight_factor: weight in NeuroML = stated weight * sign * nsyns * weight_factor.
    """

    component: Component
    weight_factor: float


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
        if says_unusable(model, used, report, where, code="no-neuroml-synapse"):
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
