"""Clamps as the SONATA guide writes them: one table of electrodes, and one of what each of them does.

``electrode_file``: ``electrode_id node_id population sec_id seg_x``. ``input_file``: ``electrode_id amp delay dur``.
Both are separated by blanks, as SONATA's other tables. BMTK does not read them. Every electrode becomes a stimulus on a
compartment set of one place, since it names a section by its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.sonata_csv import TypesTable, read_types
from pynn_io.graph.stimuli import CurrentPulses, Stimulus, VoltageClamp
from pynn_io.simulation_plan.sonata_context import Context
from pynn_io.simulation_plan.sonata_section import Section

_ID = "electrode_id"


def read_electrodes(name: str, item: Section, context: Context, *, voltage: bool) -> list[Stimulus] | None:
    """One stimulus an electrode, called ``name.electrode_id``; its place goes into ``context.compartment_sets``.

    None for a file of time courses (NWB), of which the guide does not say what is in it. Raises ReadError for a table
    without a column, or with an electrode that the other does not have.
    """
    places, courses = context.file(item, "electrode_file"), context.file(item, "input_file")
    if places is None or courses is None or courses.suffix.lower() in (".nwb", ".h5", ".hdf5"):
        return None
    item.drop(("node_set",))  # the electrodes say where they are
    sites, steps = read_types(places, _ID), read_types(courses, _ID)
    unknown = sorted(set(steps.ids) - set(sites.ids))
    if unknown:
        raise ReadError(f"electrode {unknown[0]} is not in {places.name}", where=courses)
    rows = {electrode: row for row, electrode in enumerate(sites.ids)}
    amplitudes, delays, durations = (_numbers(steps, key, courses) for key in ("amp", "delay", "dur"))
    populations = _populations(sites, context, places)
    nodes, sections, along = (_numbers(sites, key, places) for key in ("node_id", "sec_id", "seg_x"))
    found = []
    for electrode, amplitude, delay, duration in zip(steps.ids, amplitudes, delays, durations, strict=True):
        row, label = rows[electrode], f"{name}.{electrode}"
        place = [int(nodes[row]), int(sections[row]), along[row]]
        context.compartment_sets[label] = {"population": populations[row], "compartment_set": [place]}
        found.append(
            Stimulus(
                label,
                _clamp(amplitude, delay, duration, voltage),
                None,
                compartment_set=label,
                physical_electrode=not voltage,
            )
        )
    return found


def _clamp(amplitude: float, delay: float, duration: float, voltage: bool) -> CurrentPulses | VoltageClamp:
    if voltage:
        return VoltageClamp(np.asarray([amplitude]), np.asarray([duration]), delay)
    return CurrentPulses(np.asarray([amplitude]), np.asarray([delay]), np.asarray([duration]))


def _column(table: TypesTable, key: str, path: Path) -> Sequence[Any]:
    if key not in table.columns:
        raise ReadError(f"there is no column {key!r}", where=f"{path}:1", hint=f"there are: {', '.join(table.columns)}")
    return table.columns[key]


def _numbers(table: TypesTable, key: str, path: Path) -> list[float]:
    values = _column(table, key, path)
    for row, value in enumerate(values):
        if not isinstance(value, int | float):
            raise ReadError(f"{key} is no number: {value!r}", where=f"{path}:{table.lines[row]}")
    return [float(value) for value in values]


def _populations(sites: TypesTable, context: Context, path: Path) -> list[str]:
    """The populations of the electrodes; a circuit of one needs no column of them."""
    known = list(context.network.populations)
    if "population" not in sites.columns and len(known) == 1:
        return known * sites.size
    return [str(value) for value in _column(sites, "population", path)]
