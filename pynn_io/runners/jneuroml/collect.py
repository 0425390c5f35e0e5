"""What jNeuroML wrote, under the populations and ids of the network that was exported.

The exporter names what it adds itself: ``POPULATION_spikes`` with the ids of the source, ``RECORDING_traces`` with
columns ``POPULATION_ID``. What a LEMS simulation asked for stands under its own names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from lxml import etree

from pynn_io.formats.neuroml_records import nml_id
from pynn_io.graph.cells import CableCell
from pynn_io.graph.network import Network
from pynn_io.lowering import simulated, sources
from pynn_io.lowering.quantities import quantity, traces
from pynn_io.lowering.surroundings import surroundings
from pynn_io.results import Results
from pynn_io.results.lems import read_events, read_quantities
from pynn_io.results.results import EventTable, QuantityTable, Spikes, Trace, sorted_spikes
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.simulation_plan.plan import Recording

#: What an exposure is in the graph: its unit, and how many of it are one SI unit.
_UNITS = {"v": ("mV", 1000.0)}


def collect(lems: Path, network: Network, plan: SimulationPlan, provenance: Mapping[str, Any]) -> Results:
    """Raises ReadError for a file that jNeuroML did not write, or not as it should be."""
    files = _Files(lems, network, plan)
    rows = simulated(network, plan)
    nodes = {
        name: population.ids()[~sources(population, network)]
        for name, population in network.populations.items()
        if len(rows[name])
    }
    return Results(
        spikes=dict(files.spikes()),
        traces=tuple(files.traces()),
        nodes={name: ids for name, ids in nodes.items() if len(ids)},
        duration=plan.duration,
        provenance=dict(provenance),
        tables=files.tables(),
    )


def _sampled(recording: Recording, times: np.ndarray) -> np.ndarray:
    """The rows of a file with every step that a recording asks for: from its start on, its stop excluded."""
    start = recording.start or 0.0
    stop = recording.stop if recording.stop is not None else float("inf")
    step = times[1] - times[0] if len(times) > 1 else 1.0
    wanted = np.flatnonzero((times >= start - step / 2) & (times < min(stop, times[-1]) - step / 2))
    every = round(recording.interval / step) if recording.interval else 1
    return wanted[:: max(every, 1)]


class _Files:
    """The output files of an exported LEMS file, as they are, and as what they were asked for."""

    def __init__(self, lems: Path, network: Network, plan: SimulationPlan) -> None:
        self._folder, self._network = lems.parent, network
        self._root = etree.parse(lems).getroot()
        # of what stands around the network, paths begin outside of it
        self._outside = f"{nml_id(network.name)}/" if surroundings(network) is not None else ""
        self._populations = {nml_id(name): name for name in network.populations}
        self._recordings = {nml_id(recording.name): recording for recording in plan.recordings}

    def tables(self) -> tuple[QuantityTable | EventTable, ...]:
        """What the plan itself asked for as files, under the names it gave them."""
        found: list[QuantityTable | EventTable] = []
        outputs: list[tuple[Any, Any]] = [*self._outputs(), *self._events()]
        for element, table in outputs:
            recording = self._recordings.get(element.get("id", ""))
            if recording is not None and recording.kind in ("quantities", "events"):
                found.append(replace(table, name=recording.name, file=recording.file or table.file))
        return tuple(found)

    def traces(self) -> Iterator[Trace]:
        for element, table in self._outputs():
            name = element.get("id", "")
            recording = self._recordings.get(name)
            if recording is not None and recording.kind == "quantities":
                yield from traces(replace(table, name=recording.name), self._network)
                continue
            recording = self._recordings.get(name.removesuffix("_traces"))
            if recording is not None:
                yield from self._recorded(table, recording)

    def _recorded(self, table: QuantityTable, recording: Recording) -> Iterator[Trace]:
        """A recording of cells: columns ``POPULATION_ID``, one variable."""
        owners = [name.rpartition("_") for name, _ in table.columns]
        for population in dict.fromkeys(owner for owner, _, _ in owners):
            numbers = [number for number, owner in enumerate(owners) if owner[0] == population]
            variable = table.columns[numbers[0]][1].rpartition("/")[2]
            unit, factor = _UNITS.get(variable, ("", 1.0))
            rows = _sampled(recording, table.times)
            times = table.times[rows]
            name = self._populations.get(population, population)
            sections, along = self._places(name, len(numbers))
            yield Trace(
                report=recording.name,
                population=name,
                variable=recording.variable if unit else variable,
                unit=unit,
                data=table.data[rows][:, numbers] * factor,
                node_ids=np.array([int(owners[number][2]) for number in numbers], dtype=np.int64),
                start=float(times[0]) if len(times) else 0.0,
                interval=float((times[-1] - times[0]) / (len(times) - 1)) if len(times) > 1 else 0.0,
                section_ids=sections,
                section_pos=along,
            )

    def _places(self, population: str, count: int) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
        """Where a cell with extent is recorded whose path names no segment: in the middle of its first section."""
        known = self._network.populations.get(population)
        if known is None or not any(isinstance(self._network.cells[name], CableCell) for name in known.cells):
            return None, None
        return np.zeros(count, dtype=np.int64), np.full(count, 0.5)

    def spikes(self) -> Iterator[tuple[str, Spikes]]:
        """Every population whose events were written: by the exporter's own file, else by the plan's selections."""
        found: dict[str, Spikes] = {}
        chosen: dict[str, dict[int, np.ndarray]] = {}
        for element, table in self._events():
            label = element.get("id", "")
            name = self._populations.get(label.removesuffix("_spikes"))
            if name is not None and label.endswith("_spikes"):
                found[name] = sorted_spikes(name, table.ids, table.times)
                continue
            for selection in element.iter("EventSelection"):
                what = quantity(selection.get("select").removeprefix(self._outside), self._network)
                times = table.times[table.ids.astype(str) == selection.get("id")]
                chosen.setdefault(what.population, {}).setdefault(what.row, times)  # one cell's events count once
        yield from found.items()
        for name in chosen.keys() - found.keys():
            ids = self._network.populations[name].ids()
            cells = [np.full(len(times), ids[row]) for row, times in chosen[name].items()]
            yield name, sorted_spikes(name, np.concatenate(cells), np.concatenate([*chosen[name].values()]))

    def _outputs(self) -> Iterator[tuple[Any, QuantityTable]]:
        for element in self._root.iter("OutputFile"):
            stated = ((each.get("id"), each.get("quantity")) for each in element.iter("OutputColumn"))
            columns = tuple((name, path.removeprefix(self._outside)) for name, path in stated)
            file = element.get("fileName")
            yield element, read_quantities(self._folder / file, element.get("id"), file, columns)

    def _events(self) -> Iterator[tuple[Any, EventTable]]:
        for element in self._root.iter("EventOutputFile"):
            file, time_first = element.get("fileName"), element.get("format") == "TIME_ID"
            yield element, read_events(self._folder / file, element.get("id"), file, time_first=time_first)
