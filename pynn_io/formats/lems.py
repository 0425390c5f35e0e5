"""LEMS simulation files: what to run of a NeuroML network, for how long, and what to record.

A LEMS file has no schema of its own for this part; the elements are those of NeuroML's core types (``Simulation.xml``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from pynn_io.errors import WriteError
from pynn_io.formats.neuroml_records import Element
from pynn_io.formats.neuroml_xml import attributes_text, quantity

#: Core files that a simulation of a network needs; jNeuroML has them inside.
CORE = ("Cells.xml", "Networks.xml", "PyNN.xml", "Simulation.xml")


@dataclass(frozen=True, slots=True)
class Output:
    """One file of traces. columns: (id, quantity path such as ``pop/0/cell/v``); times and values are in SI units."""

    id: str
    file: str
    columns: Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Events:
    """One file of spikes, a line ``id time`` each. selections: (id, path of the cell). form: or ``TIME_ID``."""

    id: str
    file: str
    selections: Iterable[tuple[str, str]]
    port: str = "spike"
    form: str = "ID_TIME"


@dataclass(frozen=True, slots=True)
class Simulation:
    """length, step: ms. target: id of the network. displays: <Display> elements, as the source had them."""

    id: str
    target: str
    length: float
    step: float
    includes: tuple[str, ...]
    outputs: tuple[Output, ...] = ()
    events: tuple[Events, ...] = ()
    seed: int | None = None
    comment: str = ""
    displays: tuple[Element, ...] = ()


def write_simulation(path: Path, simulation: Simulation) -> None:
    """Write a LEMS file that includes the core types, ``simulation.includes``, and runs it. Raises WriteError."""
    try:
        with path.open("w", encoding="utf-8") as file:
            for line in _lines(simulation):
                file.write(line + "\n")
    except OSError as error:
        raise WriteError(f"cannot write: {error.strerror or error}", where=path) from error


def _lines(simulation: Simulation) -> Iterable[str]:
    yield "<Lems>"
    if simulation.comment:
        yield f"    <!-- {escape(simulation.comment).replace('--', '- -')} -->"
    yield f"    <Target component={quoteattr(simulation.id)}/>"
    for name in (*CORE, *simulation.includes):
        yield f"    <Include file={quoteattr(name)}/>"
    attributes = {
        "id": simulation.id,
        "length": quantity(simulation.length, "ms"),
        "step": quantity(simulation.step, "ms"),
        "target": simulation.target,
    }
    if simulation.seed is not None:
        attributes["seed"] = str(simulation.seed)
    yield f"    <Simulation{attributes_text(attributes)}>"
    for display in simulation.displays:
        yield from _element(display, 2)
    for output in simulation.outputs:
        yield f"        <OutputFile{attributes_text({'id': output.id, 'fileName': output.file})}>"
        for name, path in output.columns:
            yield f"            <OutputColumn{attributes_text({'id': name, 'quantity': path})}/>"
        yield "        </OutputFile>"
    for events in simulation.events:
        head = {"id": events.id, "fileName": events.file, "format": events.form}
        yield f"        <EventOutputFile{attributes_text(head)}>"
        for name, path in events.selections:
            row = {"id": name, "select": path, "eventPort": events.port}
            yield f"            <EventSelection{attributes_text(row)}/>"
        yield "        </EventOutputFile>"
    yield "    </Simulation>"
    yield "</Lems>"


def _element(element: Element, depth: int) -> Iterable[str]:
    start = f"{'    ' * depth}<{element.tag}{attributes_text(element.attributes)}"
    if not element.children:
        yield f"{start}/>"
        return
    yield f"{start}>"
    for child in element.children:
        yield from _element(child, depth + 1)
    yield f"{'    ' * depth}</{element.tag}>"
