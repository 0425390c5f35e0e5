"""What a script wants to run, from the session that the recording backend kept: a plan without its duration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pynn_io.graph.cells import SpikeSource
from pynn_io.graph.stimuli import (
    CurrentPulses,
    NoiseCurrent,
    SinusoidalCurrent,
    Stimulus,
    What,
)
from pynn_io.importers.pynn_capture.on_nest import (
    spike_times,
    tell_of_capacities,
    tell_of_initial_values,
    tell_of_late_currents,
    tell_of_late_sources,
)
from pynn_io.importers.pynn_capture.simulator import Session
from pynn_io.importers.pynn_objects.composed import standard_variable
from pynn_io.importers.pynn_objects.network import Built
from pynn_io.importers.pynn_objects.places import section_of, shown, site_of
from pynn_io.importers.pynn_objects.sides import components, rows, whole
from pynn_io.importers.pynn_objects.values import plain
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import SPIKES, Recording, SimulationPlan

#: Keywords of ``setup()`` that say how a backend computes, logs or is started, and nothing of the model.
_TECHNICAL = frozenset(
    {
        *("max_delay", "threads", "verbosity", "recording_precision", "rng_type", "t_flush", "debug", "logfile"),
        *(
            "file",
            "filename",
            "loglevel",
            "hardware",
            "quit_on_end",
            "native_rng_baseseed",
            "xml_filename",
            "reference",
            "save_format",
            "label",
            "db_name",
        ),
    }
)
_SEEDS = ("rng_seed", "grng_seed", "rng_seeds", "rng_seeds_seed", "seed")
#: NEURON's ``h.celsius``, degC, and the threshold of its NetCons, mV; PyNN sets neither.
_NEURON_CELSIUS, _NEURON_THRESHOLD = 6.3, 10.0
_TAKEN = frozenset({*_SEEDS, "spike_precision", "use_cvode"})


def plan_of(session: Session, built: Built, name: str, backend: str, report: Report) -> SimulationPlan:
    """The plan of a session as it is now. The duration is known when the script has ended.

    backend: the module that the script has imported, as ``pyNN.nest``; empty for none.
    """
    options = session.options
    unread = sorted(set(options) - _TECHNICAL - _TAKEN)
    report.not_read(
        "setup-option",
        "setup()",
        "A keyword of setup() that only some simulator understands is not read.",
        count=len(unread),
        examples=unread,
    )
    tell_of_late_sources(session, built, backend, report)
    tell_of_capacities(session, built, backend, report)
    tell_of_initial_values(session, built, backend, report)
    tell_of_late_currents(session, backend, report)
    places: dict[str, Any] = {}
    seed = next((options[key] for key in _SEEDS if options.get(key) is not None), None)
    return SimulationPlan(
        name=name,
        timestep=session.timestep,
        min_delay=None if session.min_delay == "auto" else float(session.min_delay),
        seed=None if seed is None else int(np.atleast_1d(seed)[0]),
        spike_times=spike_times(session, built, backend),
        variable_step=True if options.get("use_cvode") else None,
        **_of_cables(session, built, report),
        stimuli=(*built.stimuli, *_currents(session, built, report)),
        recordings=tuple(_recordings(session, built, places, report)),
        compartment_sets=places,
    )


def _of_cables(session: Session, built: Built, report: Report) -> dict[str, Any]:
    """What pyNN.neuron, and it alone, runs cells with extent at: NEURON's own temperature and threshold."""
    if not built.cables:
        return {}
    cells = [item for item in session.populations if built.names[id(item)] in built.cables]
    potentials = np.unique(np.concatenate([np.ravel(item.initial_values["v"].evaluate()) for item in cells]))
    start = {"v_init": float(potentials[0])} if len(potentials) == 1 else {}
    message = "Cells with extent begin at one potential; here it differs from cell to cell."
    report.lost("initial-potential", "initialize()", message, count=int(not start))
    return {"celsius": _NEURON_CELSIUS, "spike_threshold": _NEURON_THRESHOLD, **start}


# --- currents -----------------------------------------------------------------------------------------------------


def _currents(session: Session, built: Built, report: Report) -> Iterator[Stimulus]:
    for number, (source, cells, location) in enumerate(session.injections, start=1):
        kind = type(source).__name__
        stated = {name: plain(value) for name, value in source.values.items()}
        for part, what in _parts(kind, stated, session.timestep):
            label = f"{kind}_{number}{part}"
            if location in (None, "soma"):
                yield Stimulus(label, what, _cells(cells, built.names))
            else:
                yield from _placed(label, what, _pieces(cells, built.names), location, built, report)


def _placed(
    label: str, what: What, pieces: list[tuple[str, np.ndarray, int]], location: Any, built: Built, report: Report
) -> Iterator[Stimulus]:
    """A current into a part of a cable cell that has a label, population by population."""
    for name, chosen, size in pieces:
        site = site_of(location, built.cables[name].shape) if name in built.cables else None
        if site is None:
            message = "A current is read where its place is the label of one segment."
            report.lost("current-location", f"population {name}", message, examples=[f"{label} at {shown(location)}"])
            continue
        _, section, along = section_of(site, built.cables[name].shape)
        called = label if len(pieces) == 1 else f"{label}_{name}"
        yield Stimulus(called, what, node_set(name, chosen, size), section, along)


def _parts(kind: str, stated: Mapping[str, Any], timestep: float) -> Iterator[tuple[str, What]]:
    """``(end of the name, stimulus)``; a sine about an offset is a sine and a pulse.

    All backends of PyNN compute a sine at the beginning of a time step, and hold it through the step, and noise for its
    ``dt``, which is a step at least.
    """
    if kind == "StepCurrentSource":
        times, levels = stated["times"], stated["amplitudes"]
        ends = np.append(times[1:], np.inf)
        yield "", CurrentPulses(levels, times, np.minimum(ends, 1e12) - times)
        return
    start, length = float(stated["start"]), float((stated["stop"] or 1e12) - stated["start"])
    if kind == "DCSource":
        yield "", _pulse(stated["amplitude"], start, length)
    elif kind == "NoisyCurrentSource":
        interval = max(float(stated["dt"]), timestep)
        yield "", NoiseCurrent(stated["mean"], stated["stdev"] ** 2, start, length, interval=interval, held=True)
    else:
        if stated["offset"]:
            yield "_offset", _pulse(stated["offset"], start, length)
        amplitude, frequency, phase = (float(stated[name]) for name in ("amplitude", "frequency", "phase"))
        yield "", SinusoidalCurrent(amplitude, frequency, start, length, timestep, phase, held=True)


def _pulse(amplitude: float, start: float, length: float) -> CurrentPulses:
    return CurrentPulses(*(np.array([float(value)]) for value in (amplitude, start, length)))


def _pieces(cells: Any, names: Mapping[int, str]) -> list[tuple[str, np.ndarray, int]]:
    """``(population, rows, its size)`` of populations, views, assemblies, or single cells."""
    if hasattr(cells, "all_cells"):
        return [(names[id(whole(piece))], rows(piece), whole(piece).size) for piece in components(cells)]
    found: dict[int, list[Any]] = {}
    for cell in cells:
        found.setdefault(id(cell.parent), []).append(cell)
    return [
        (names[key], np.array([int(cell.parent.id_to_index(cell)) for cell in own]), own[0].parent.size)
        for key, own in found.items()
    ]


def _cells(cells: Any, names: Mapping[int, str]) -> Any:
    """The node set of what a current was injected into."""
    sets = [node_set(*piece) for piece in _pieces(cells, names)]
    return sets[0] if len(sets) == 1 else {"$or": sets}


def node_set(name: str, chosen: np.ndarray, size: int) -> Any:
    """Rows of a population as a node set: the population where they are all of it."""
    if len(chosen) == size:
        return {"population": name}
    return {"population": name, "node_id": sorted(set(chosen.tolist()))}


# --- recordings ---------------------------------------------------------------------------------------------------


def _recordings(session: Session, built: Built, places: dict[str, Any], report: Report) -> Iterator[Recording]:
    """Every recorded variable; spikes of cells are in the results of every run, so no recording says so.

    places: gets a compartment set for every place on cells with extent that is not the soma.
    """
    for population in session.populations:
        name = built.names[id(population)]
        for variable, cells in population.recorder.recorded.items():
            if not cells:
                continue
            chosen = np.array(sorted(population.id_to_index(cell) for cell in cells))
            if variable.name == "spikes":
                if isinstance(built.network.cells[name], SpikeSource):
                    yield Recording(f"{name}_spikes", "spikes", node_set(name, chosen, population.size), kind=SPIKES)
                continue
            if variable.location not in (None, "soma"):
                yield from _placed_recording(name, variable, chosen, built, places, report)
                continue
            recorded = standard_variable(population.celltype, variable.name)
            yield Recording(
                f"{name}_{recorded}",
                recorded,
                node_set(name, chosen, population.size),
                interval=population.recorder.asked,
            )


def _placed_recording(
    name: str, variable: Any, chosen: np.ndarray, built: Built, places: dict[str, Any], report: Report
) -> Iterator[Recording]:
    """What is recorded at one place that is not the soma."""
    site = site_of(variable.location, built.cables[name].shape) if name in built.cables else None
    if site is None:
        message = "A recording is read where its place is the label of one segment."
        examples = [f"{variable.name} at {shown(variable.location)}"]
        report.lost("recording-location", f"population {name}", message, examples=examples)
        return
    section, _, along = section_of(site, built.cables[name].shape)
    label = f"{name}_{variable.location}_{variable.name}"
    places[label] = {"population": name, "compartment_set": [[row, section, along] for row in chosen.tolist()]}
    yield Recording(label, variable.name, None, kind="compartment_set", compartment_set=label)


def recorded_spikes(session: Session, built: Built) -> dict[str, Any]:
    """Which cells' spikes a script records: all of a population, or rows of it."""
    found: dict[str, Any] = {}
    for population in session.populations:
        for variable, cells in population.recorder.recorded.items():
            if variable.name == "spikes" and cells:
                chosen = sorted(population.id_to_index(cell) for cell in cells)
                found[built.names[id(population)]] = "all" if len(chosen) == population.size else chosen
    return found


def files_of(session: Session, built: Built) -> list[dict[str, Any]]:
    """The files that a script has its backend write, as stated: cells, variables, name."""
    found = []
    for group, variables, path in session.files:
        names = sorted({built.names[id(whole(piece))] for piece in components(group)})
        stated = [variables] if isinstance(variables, str) else list(variables)
        found.append({"populations": names, "variables": stated, "file": path})
    return found
