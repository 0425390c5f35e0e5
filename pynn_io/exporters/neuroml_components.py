"""Point cells, spike sources and inputs as NeuroML components that compute the same equations.

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

from pynn_io.formats.neuroml_records import Element
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource
from pynn_io.graph.stimuli import SinusoidalCurrent
from pynn_io.report import Report
from pynn_io.vocabulary import models
from pynn_io.vocabulary.applied import (
    REST,
    STATES,
    applied,
    family,
    in_unit,
    row_for,
    row_named,
    supported,
)
from pynn_io.vocabulary.derived import GIF_TERMS
from pynn_io.vocabulary.neuroml import JUMPS, SUPPORT_ROWS, CellRow


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
        if says_unusable(model, {k: v for k, v in values.items() if k != "spike_times"}, report, where):
            return None
        return _source_component(identifier, model.name, values, report, where)
    if says_unusable(model, values, report, where):
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
    if attributes is not None and row.definitions:
        message = f"{model.name} becomes {row.type}, a component type of ours, whose parameters bear other names."
        report.expanded("own-cell-type", where, message, examples=["model", model.name, *stated, *attributes])
    return None if attributes is None else Component(identifier, row.type, attributes, (), row.definitions)


def recorded_exposure(cell: Cell) -> str:
    """The exposure to record as the cell's state: ``v`` (a voltage), ``m`` for IntFire cells, empty for none."""
    if not isinstance(cell, PointCell):
        return "v" if isinstance(cell, CableCell) else ""
    return row_named(models.known(cell.model).name).records if family(cell) else ""  # type: ignore[union-attr]


def takes_current(cell: Cell) -> bool:
    """Whether a current clamp onto the cell means anything: not onto sources and NEURON's IntFire cells."""
    return recorded_exposure(cell) == "v"


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


def says_unusable(
    model: models.Model, values: Mapping[str, Any], report: Report, where: str, *, code: str = "no-neuroml-cell"
) -> bool:
    """Whether a parameter that takes a number has something else (a text, a list); reported by name.

    One that takes a list has numbers, as many as the component has terms, or fewer.
    """
    for name, value in values.items():
        row = model.parameter(name)
        if row is not None and isinstance(row.default, tuple) and isinstance(value, tuple | list):
            if len(value) > GIF_TERMS:
                what = f"{model.name}: {name} has {len(value)} terms, and the component {GIF_TERMS}."
                report.lost(code, where, what, examples=[name])
                return True
            if all(models.is_number(term) for term in value):
                continue
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
        if not used and value is not None and value != stated.get(REST.get(state.name, ""), state.default):
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


def element_of(component: Component) -> Element:
    """A component, and those in it, as an element."""
    children = tuple(element_of(child) for child in component.children)
    return Element(component.type, {"id": component.id, **component.attributes}, children)
