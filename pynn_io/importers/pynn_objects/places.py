"""Where on cable cells PyNN's synapses, electrodes and recordings are: labels and location generators as segments."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.columns import Column
from pynn_io.graph.morphology import GROUP_OF_TAG, Morphology, Tag, position, sections
from pynn_io.graph.synapses import Synapse
from pynn_io.importers.pynn_objects.cables import synapse_onto
from pynn_io.importers.pynn_objects.shapes import selected
from pynn_io.report import Report

_MIDDLE = 0.5


def site_of(stated: Any, shape: Morphology) -> tuple[int, float] | None:
    """``(segment id, fraction along it)`` of a label, or of a generator that gives one place; None for any other.

    A label is the middle of its segment; ``centre`` the middle of the middle one of those that are selected
    (pyNN.neuron, "LocationGenerators").
    """
    if isinstance(stated, str):
        rows = shape.groups.get(stated, np.empty(0, dtype=np.int64))
        return (int(shape.id[rows[0]]), _MIDDLE) if len(rows) == 1 else None
    kind = type(stated).__name__
    if kind == "LabelledLocations" and len(stated.labels) == 1:
        return site_of(stated.labels[0], shape)
    if kind not in ("centre", "at_distances"):
        return None
    try:
        rows = np.flatnonzero(selected(stated.selector, shape))
    except UnsupportedInput:
        return None
    if kind == "centre" and len(rows):
        return int(shape.id[rows[len(rows) // 2]]), _MIDDLE
    if kind == "at_distances" and len(rows) == 1 and len(stated.distances) == 1:
        return int(shape.id[rows[0]]), float(stated.distances[0])
    return None


def shown(stated: Any) -> str:
    """A place as a report names it: a label, or a selector of pyNN.morphology with what it selects and where."""
    if isinstance(stated, str):
        return stated
    parts = [shown(value) for value in getattr(stated, "__dict__", {}).values() if value is not None]
    return f"{type(stated).__name__}({', '.join(parts)})" if hasattr(stated, "__dict__") else str(stated)


def onto_cable(synapse: Synapse, projection: Any, name: str, report: Report) -> Synapse:
    """The synapse that the cell's receptor makes of a static connection; reported where it is none or plastic."""
    made = synapse_onto(projection.post.celltype, str(projection.receptor_type))
    if made is not None and synapse.model == "StaticSynapse":
        return made
    what = synapse.model if synapse.model != "StaticSynapse" else "this receptor"
    report.lost(
        "synapse-on-cable",
        f"projection {name}",
        f"On a cell with extent, {what} is not read: static weights onto exponential conductances are.",
        count=len(projection),
        examples=[projection.receptor_type],
    )
    return made or synapse


def place_columns(projection: Any, shape: Morphology, name: str, report: Report) -> dict[str, Column]:
    """The section of the synapses and the fraction along it; none where PyNN's choice is not one place."""
    stated = getattr(projection, "location", None)
    receptor = projection.post.celltype.parts.get(str(projection.receptor_type), {})
    site = site_of(receptor.get("locations") if stated is None else stated, shape)
    if site is None:
        report.lost(
            "synapse-location",
            f"projection {name}",
            "PyNN's choice of several places on a cell is not read; the synapses are on its root segment.",
            count=len(projection),
            examples=[stated and shown(stated)],
        )
        return {}
    number, _, along = section_of(site, shape)
    return {"afferent_section_id": Column(number), "afferent_section_pos": Column(along, "1")}


def section_of(site: tuple[int, float], shape: Morphology) -> tuple[int, str, float]:
    """``(number of the section, its name as NEURON and SONATA have it (dend[2]), fraction along it)``."""
    row = int(np.flatnonzero(shape.id == site[0])[0])
    numbers, along = position(shape, np.array([row]), np.array([site[1]]))
    number, tags = int(numbers[0]), sections(shape).tag
    tag = int(tags[number])
    name = GROUP_OF_TAG.get(tag, "dend")
    index = int(np.count_nonzero(tags[:number] == tag))
    return number, name if tag == Tag.SOMA else f"{name}[{index}]", float(along[0])
