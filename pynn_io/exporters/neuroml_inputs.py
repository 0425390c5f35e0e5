"""What a plan puts on a network and takes from it: current pulses as input lists, recordings as LEMS output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import GraphError
from pynn_io.exporters.neuroml_components import (
    Component,
    pulse_component,
    recorded_exposure,
    sine_component,
    takes_current,
)
from pynn_io.exporters.neuroml_definitions import PREFIX, Definitions
from pynn_io.exporters.neuroml_populations import Part, ids_of_part
from pynn_io.exporters.neuroml_projections import Cells
from pynn_io.formats.lems import Events, Output
from pynn_io.formats.neuroml_records import Ids, InputRecord, nml_id
from pynn_io.graph.cells import CableCell, PointCell, SpikeSource
from pynn_io.graph.morphology import locate
from pynn_io.graph.network import Network
from pynn_io.graph.node_sets import resolve
from pynn_io.graph.stimuli import (
    ComponentInput,
    CurrentPulses,
    NodeSet,
    SinusoidalCurrent,
    SpikeTrains,
    Stimulus,
    What,
    kind_of,
)
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.simulation_plan.plan import Recording
from pynn_io.vocabulary.applied import family

#: Traces of more cells than this make a LEMS file that nothing opens; the first are recorded.
TRACES = 1000
#: Kinds of recordings that are a LEMS simulation's own output files.
STATED = ("quantities", "events")
#: Variables that mean the membrane potential.
_POTENTIALS = frozenset({"v", "V_m", "Vm", "voltage"})


@dataclass(frozen=True, slots=True)
class Inputs:
    """Components of the stimuli, and the lists that put them onto cells."""

    components: tuple[Component, ...]
    records: tuple[InputRecord, ...]


def spike_trains(plan: SimulationPlan | None, population: str) -> dict[int, np.ndarray]:
    """Spike times (ms, ascending) by id of one population's cells, of all stimuli together."""
    stimuli = plan.stimuli if plan is not None else ()
    trains = [s.what for s in stimuli if isinstance(s.what, SpikeTrains) and s.what.population == population]
    if not trains:
        return {}
    ids = np.concatenate([train.node_ids for train in trains])
    times = np.concatenate([train.times for train in trains])
    order = np.lexsort((times, ids))
    ids, times = ids[order], times[order]
    found, first = np.unique(ids, return_index=True)
    return dict(zip(found.tolist(), np.split(times, first[1:]), strict=True))


def inputs(
    plan: SimulationPlan,
    network: Network,
    cells: Cells,
    ids: Ids,
    report: Report,
    definitions: Definitions,
    places: Ids | None = None,
) -> Inputs:
    """Input lists of all current pulses, sines and components of a plan; other stimuli are reported by name.

    places: where ids of lists come from, if those of components do not matter to them.
    """
    components: list[Component] = []
    records: list[InputRecord] = []
    for stimulus in plan.stimuli:
        where = f"stimulus {stimulus.name}"
        if isinstance(stimulus.what, ComponentInput | SinusoidalCurrent) or stimulus.targets is not None:
            records += aimed(stimulus, plan, network, cells, definitions, places or ids, report)
        elif isinstance(stimulus.what, CurrentPulses):
            for part, rows in _targets(stimulus.node_set, plan, network, cells, where, report):
                _pulses(stimulus, part, rows, cells, ids, components, records, report)
        elif why := _left_out(stimulus.what, network, cells):
            code = "spike-trains" if isinstance(stimulus.what, SpikeTrains) else "stimulus"
            report.lost(code, where, why, examples=[stimulus.name])
    return Inputs(tuple(components), tuple(records))


def _left_out(what: What, network: Network, cells: Cells) -> str:
    """Why a stimulus is not written; empty for spike trains, which stand with their population."""
    if not isinstance(what, SpikeTrains):
        return f"A stimulus of the kind {kind_of(what)} is not translated yet; it is left out."
    if what.population not in network.populations:
        return f"Spike trains of the population {what.population}, which the network does not have."
    if not all(isinstance(part.cell, SpikeSource) for part in cells.splits[what.population].parts):
        return f"The cells of {what.population} are no spike sources; spikes given for them are left out."
    return ""


def aimed(
    stimulus: Stimulus,
    plan: SimulationPlan,
    network: Network,
    cells: Cells,
    definitions: Definitions,
    places: Ids,
    report: Report,
) -> Iterator[InputRecord]:
    """Input lists of a stimulus that is a component, or that states its targets one by one."""
    where = f"stimulus {stimulus.name}"
    names = _input_components(stimulus, definitions)
    if isinstance(stimulus.what, SinusoidalCurrent) and (stimulus.what.held or stimulus.what.interval):
        message = "NeuroML's sine changes all the time, and not at intervals."
        report.approximated("sine-interval", where, message, examples=[stimulus.name])
    if not names:
        report.lost(
            "stimulus",
            where,
            f"A stimulus of the kind {kind_of(stimulus.what)} is not translated yet; it is left out.",
            examples=[stimulus.name],
        )
        return
    for part, rows, targets in _places(stimulus, plan, network, cells, where, report):
        if isinstance(stimulus.what, SinusoidalCurrent) and family(part.cell) == "jump":
            message = "NeuroML has no sine for cells whose potential jumps; it is left out there."
            report.lost("stimulus", where, message, count=len(rows), examples=[stimulus.name])
            continue
        for name in names:
            label = stimulus.name if not (len(names) > 1) else f"{stimulus.name}_{name}"
            yield InputRecord(places.new(label), cells.ends[part.name], name, rows, *targets)


def _input_components(stimulus: Stimulus, definitions: Definitions) -> list[str]:
    """Ids of the components of a stimulus: a pulse's is that which its source gave it, or the stimulus' own name."""
    what = stimulus.what
    if isinstance(what, ComponentInput):
        return [definitions.input(what.component)]
    if isinstance(what, SinusoidalCurrent):
        return [definitions.standard(sine_component(nml_id(stimulus.name), what), f"input {stimulus.name}")]
    if not isinstance(what, CurrentPulses):
        return []
    steps = zip(what.amplitudes.tolist(), what.delays.tolist(), what.durations.tolist(), strict=True)
    name = definitions.kept("input_components").get(stimulus.name, stimulus.name)
    return [
        definitions.standard(pulse_component(nml_id(name), delay, duration, amplitude), f"input {name}")
        for amplitude, delay, duration in steps
    ]


def _places(
    stimulus: Stimulus, plan: SimulationPlan, network: Network, cells: Cells, where: str, report: Report
) -> Iterator[tuple[Part, np.ndarray, tuple[np.ndarray | None, ...]]]:
    """``(part, instance numbers, (segments, fractions, weights))`` of all that a stimulus goes to."""
    targets = stimulus.targets
    if targets is None:
        for part, rows in _targets(stimulus.node_set, plan, network, cells, where, report):
            yield part, rows, (*_place(stimulus, part, len(rows), cells, where, report), None)
        return
    split = cells.splits[targets.population]
    for number, part in enumerate(split.parts):
        chosen = np.flatnonzero(split.part[targets.rows] == number)
        if part.name not in cells.ends:
            report.lost(
                "stimulus", where, f"The cells of {part.name} are not written.", count=len(chosen),
                examples=[stimulus.name],
            )  # fmt: skip
        elif len(chosen):
            columns = (targets.segment, targets.fraction, targets.weight)
            yield (
                part,
                split.instances(targets.rows[chosen]),
                tuple(None if column is None else column[chosen] for column in columns),
            )


def _targets(
    node_set: NodeSet, plan: SimulationPlan, network: Network, cells: Cells, where: str, report: Report
) -> Iterator[tuple[Part, np.ndarray]]:
    """``(part, instance numbers)`` of the cells in a node set."""
    try:
        found = resolve(node_set, network, {**network.node_sets, **plan.node_sets})
    except GraphError as error:
        report.lost(
            "node-set", where, f"Its cells cannot be found: {error.message}.", examples=[where.split(" ", 1)[1]]
        )
        return
    for population, rows in found.items():
        split = cells.splits[population]
        for number, part in enumerate(split.parts):
            if part.name in cells.ends:
                chosen = rows[split.part[rows] == number]
                if len(chosen):
                    yield part, split.instances(chosen)


def _pulses(
    stimulus: Stimulus,
    part: Part,
    rows: np.ndarray,
    cells: Cells,
    ids: Ids,
    components: list[Component],
    records: list[InputRecord],
    report: Report,
) -> None:
    where = f"stimulus {stimulus.name}"
    what = stimulus.what
    if not isinstance(what, CurrentPulses):
        return
    if not takes_current(part.cell):
        report.lost(
            "current-clamp",
            where,
            f"A current has no effect on the cells of {part.name}; it is left out there.",
            count=len(rows),
            examples=[stimulus.name],
        )
        return
    segment, fraction = _place(stimulus, part, len(rows), cells, where, report)
    many = len(what.amplitudes) > 1
    for number, (amplitude, delay, duration) in enumerate(
        zip(what.amplitudes.tolist(), what.delays.tolist(), what.durations.tolist(), strict=True)
    ):
        label = f"{stimulus.name}_{part.name}" + (f"_{number}" if many else "")
        made = pulse_component(ids.new(f"{label}_pulse"), delay, duration, amplitude, part.cell)
        components.append(made)
        records.append(InputRecord(ids.new(label), cells.ends[part.name], made.id, rows, segment, fraction))


def _place(
    stimulus: Stimulus, part: Part, count: int, cells: Cells, where: str, report: Report
) -> tuple[np.ndarray | None, np.ndarray | None]:
    morphology = cells.morphologies.get(part.name)
    if morphology is None or not isinstance(part.cell, CableCell):
        return None, None
    if stimulus.section not in ("soma", "soma[0]", "0"):
        report.approximated(
            "stimulus-site",
            where,
            f"It aims at the section {stimulus.section!r}; it is written at the soma.",
            count=count,
            examples=[stimulus.name],
        )
    rows, along = locate(morphology, np.zeros(1, dtype=np.int64), np.array([stimulus.position]))
    return np.full(count, morphology.id[rows[0]]), np.full(count, along[0])


def events(cells: Cells, name: str, definitions: Definitions) -> tuple[Events, ...]:
    """One file of spikes for every population of cells; the ids in it are those of the source."""
    files = []
    for population, split in cells.splits.items():
        parts = [part for part in split.parts if part.name in cells.ends and _spikes(part, definitions)]
        if parts:
            rows = [
                (str(number), cells.ends[part.name].path(row))
                for part in parts
                for row, number in zip(
                    split.instances(part.rows).tolist(), ids_of_part(part, split).tolist(), strict=True
                )
            ]
            files.append(Events(f"{nml_id(population)}_spikes", f"{name}.{nml_id(population)}.spikes", rows))
    return tuple(files)


def _spikes(part: Part, definitions: Definitions) -> bool:
    """Whether the part's cells are no sources and emit spikes."""
    model = getattr(part.cell, "model", "")
    if isinstance(part.cell, SpikeSource):
        return False
    return not model.startswith(PREFIX) or definitions.elements.port(model.removeprefix(PREFIX), "spike") is True


def stated_outputs(plan: SimulationPlan) -> tuple[tuple[Output, ...], tuple[Events, ...]]:
    """The output files that a LEMS simulation asked for, as it did."""
    found, events = [], []
    for recording in plan.recordings:
        file = recording.file or f"{nml_id(recording.name)}.dat"
        if recording.kind == "quantities":
            found.append(Output(nml_id(recording.name), file, recording.columns))
        elif recording.kind == "events":
            form = str(recording.parameters.get("format", "ID_TIME"))
            events.append(Events(nml_id(recording.name), file, recording.columns, recording.variable or "spike", form))
    return tuple(found), tuple(events)


def outputs(plan: SimulationPlan, network: Network, cells: Cells, name: str, report: Report) -> tuple[Output, ...]:
    """One file of traces for every recording of a membrane potential; other recordings are reported by name."""
    files: list[Output] = []
    for recording in plan.recordings:
        if not recording.enabled or recording.kind in STATED:
            continue
        where = f"recording {recording.name}"
        if recording.variable not in _POTENTIALS or recording.kind != "compartment":
            report.lost(
                "recording",
                where,
                f"{recording.variable or 'A ' + recording.kind} is not recorded: only membrane potentials are, so far.",
                examples=[recording.name],
            )
            continue
        columns = _columns(recording, plan, network, cells, where, report)
        if columns:
            label = nml_id(recording.name)
            files.append(Output(f"{label}_traces", f"{name}.{label}.dat", columns))
    return tuple(files)


def _middle_of_soma(part: Part, cells: Cells) -> int | None:
    """The segment in the middle of a part's first section, the soma; None for cells without a morphology."""
    morphology = cells.morphologies.get(part.name)
    if morphology is None:
        return None
    rows, _ = locate(morphology, np.zeros(1, dtype=np.int64), np.full(1, 0.5))
    return int(morphology.id[rows[0]])


def _columns(
    recording: Recording, plan: SimulationPlan, network: Network, cells: Cells, where: str, report: Report
) -> list[tuple[str, str]]:
    """Columns and their paths; a cell's state where it has no potential (IntFire's m)."""
    columns: list[tuple[str, str]] = []
    skipped = 0
    for part, rows in _targets(recording.node_set, plan, network, cells, where, report):
        own = isinstance(part.cell, PointCell) and part.cell.model.startswith(PREFIX)
        exposure = "v" if own else recorded_exposure(part.cell)
        if not exposure:
            continue
        split = cells.splits[part.population]
        numbers = dict(zip(split.instances(part.rows).tolist(), ids_of_part(part, split).tolist(), strict=True))
        middle = _middle_of_soma(part, cells)
        for row in rows.tolist():
            if len(columns) >= TRACES:
                skipped += 1
                continue
            end = cells.ends[part.name]
            path = end.path(row) + (f"/{middle}" if end.listed and middle is not None else "")
            columns.append((f"{nml_id(part.population)}_{numbers[row]}", f"{path}/{exposure}"))
    report.lost(
        "recording-too-large",
        where,
        f"A LEMS file that records so many cells cannot be opened; the first {TRACES} are recorded.",
        count=skipped,
        examples=[recording.name],
    )
    return columns
