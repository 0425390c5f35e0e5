"""A LEMS ``<Simulation>`` -> `SimulationPlan`: length, step, seed, what is recorded, and the displays as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_records import Element
from pynn_io.graph.stimuli import Stimulus
from pynn_io.importers.neuroml_context import Context, Take
from pynn_io.simulation_plan.plan import Recording, SimulationPlan

#: What a ``<Simulation>`` is called that names none.
_NAME = "simulation"


@dataclass(frozen=True, slots=True)
class Run:
    """A simulation before its network is known. target: id of the component that is simulated."""

    plan: SimulationPlan
    target: str


def read_simulation(element: Element, context: Context) -> Run:
    """A ``<Simulation>``. Raises ReadError for one without length, step or target, or with a wrong quantity."""
    take = Take(element, context)
    take.text("type")
    name, target = take.text("id", _NAME), take.need("target")
    length, step = take.number("length", "ms"), take.number("step", "ms")
    if length is None or step is None:
        missing = "length" if length is None else "step"
        raise ReadError(f"<Simulation> has no attribute {missing!r}", where=take.where)
    seed = take.integer("seed")
    recordings = [
        *(_quantities(Take(child, context)) for child in take.children("OutputFile")),
        *(part for child in take.children("EventOutputFile") for part in _events(Take(child, context))),
    ]
    displays = tuple(_display(Take(child, context)) for child in take.children("Display"))
    extra: dict[str, Any] = {"displays": displays} if displays else {}
    meta = tuple(dict(Take(child, context).attributes()) for child in take.children("Meta"))
    if meta:
        extra["meta"] = meta
    take.text("report")
    take.rest()
    return Run(
        SimulationPlan(name, duration=length, timestep=step, seed=seed, recordings=tuple(recordings), extra=extra),
        target,
    )


def with_inputs(
    plan: SimulationPlan | None, stimuli: tuple[Stimulus, ...], celsius: float | None
) -> SimulationPlan | None:
    """A plan with the inputs and the temperature of a network; None where there is nothing to say."""
    if plan is None:
        if not stimuli and celsius is None:
            return None
        plan = SimulationPlan()
    return replace(plan, stimuli=stimuli, celsius=celsius)


def without_prefix(plan: SimulationPlan, prefix: str) -> SimulationPlan:
    """A plan whose paths begin in the network. prefix: of what stands around it (``net1/``)."""
    recordings = tuple(
        replace(each, columns=tuple((name, path.removeprefix(prefix)) for name, path in each.columns))
        for each in plan.recordings
    )
    return replace(plan, recordings=recordings)


def _quantities(take: Take) -> Recording:
    """An ``<OutputFile>``: one file, a column a quantity."""
    name, columns = take.text("id"), []
    for child in take.children("OutputColumn"):
        part = Take(child, take.context)
        columns.append((part.text("id"), part.need("quantity")))
        part.rest()
    file = _file(take)
    take.rest()
    return Recording(name or file, "", None, kind="quantities", file=file, columns=tuple(columns))


def _events(take: Take) -> list[Recording]:
    """An ``<EventOutputFile>``: one recording for each event port (nearly always one)."""
    name, file = take.text("id"), _file(take)
    form = take.text("format", "ID_TIME")
    if form not in ("ID_TIME", "TIME_ID"):
        raise ReadError(f"the format of an event file is ID_TIME or TIME_ID, not {form!r}", where=take.where)
    ports: dict[str, list[tuple[str, str]]] = {}
    for child in take.children("EventSelection"):
        part = Take(child, take.context)
        ports.setdefault(part.text("eventPort", "spike"), []).append((part.text("id"), part.need("select")))
        part.rest()
    take.rest()
    return [
        Recording(
            name or file, port, None, kind="events", file=file, columns=tuple(columns), parameters={"format": form}
        )
        for port, columns in (ports or {"spike": []}).items()
    ]


def _file(take: Take) -> str:
    """The name of a file, in a folder where one is stated."""
    folder, name = take.text("path"), take.need("fileName")
    return f"{folder.rstrip('/')}/{name}" if folder else name


def _display(take: Take) -> Mapping[str, Any]:
    """A ``<Display>`` as plain data: its attributes, and its lines."""
    lines = []
    for child in take.children("Line"):
        part = Take(child, take.context)
        lines.append(part.attributes())
        part.rest()
    made = {**take.attributes(), "lines": tuple(lines)}
    take.rest()
    return made
