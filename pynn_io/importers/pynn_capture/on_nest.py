"""What ``pyNN.nest`` makes of a script and no other backend does: spikes between steps, late sources, other values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn_io.graph.cells import PointCell
from pynn_io.graph.stimuli import SpikeTrains
from pynn_io.importers.pynn_capture.simulator import Session
from pynn_io.importers.pynn_objects.network import Built
from pynn_io.importers.pynn_objects.values import plain
from pynn_io.report import Report
from pynn_io.vocabulary.translations import Pair, of_standard

#: The name of the backend among those that a script imports.
NEST = "pyNN.nest"
#: State variables that PyNN has in nA or uS, and NEST in pA or nS.
_SCALED = ("w", "gsyn_exc", "gsyn_inh", "isyn_exc", "isyn_inh")
_INITIAL = {
    NEST: "takes the numbers of initial currents and conductances for pA and nS",
    "pyNN.neuron": "lets currents and conductances begin at 0",
}
_PRECISION = {"on_grid": "grid", "off_grid": "precise"}


def spike_times(session: Session, built: Built, backend: str) -> str | None:
    """`SimulationPlan.spike_times`: what ``setup()`` says, else PyNN's default where it matters, else None.

    ``pyNN.nest`` documents ``spike_precision="off_grid"`` as its default. That chooses other models of NEST for some
    cells, and keeps the times of sources; where there are no such cells, and no times between steps, a script means
    nothing by it.
    """
    stated = session.options.get("spike_precision")
    if stated is not None:
        return _PRECISION.get(stated)
    if backend != NEST:
        return None
    models = {cell.model for cell in built.network.cells.values() if isinstance(cell, PointCell)}
    rows = (of_standard(model) for model in models)
    matters = any(row is not None and row.precise for row in rows) or not _on_steps(built, session.timestep)
    return "precise" if matters else None


def _on_steps(built: Built, timestep: float) -> bool:
    """Whether all spikes of sources are at multiples of the time step."""
    trains = [stimulus.what.times for stimulus in built.stimuli if isinstance(stimulus.what, SpikeTrains)]
    return all(np.allclose(times, np.rint(times / timestep) * timestep, rtol=0, atol=1e-9) for times in trains)


def tell_of_late_sources(session: Session, built: Built, backend: str, report: Report) -> None:
    """Report by how much ``pyNN.nest`` is late with given spike times; here they are as stated (DEFAULTED).

    Measured with PyNN 0.13: a train is moved to earlier times by the least delay that NEST has when the source is made,
    a time step, and comes back by the least one of the connections (its issue 536).
    """
    trains = [stimulus for stimulus in built.stimuli if isinstance(stimulus.what, SpikeTrains)]
    delays = [projection.columns["delay"] for projection in session.projections if "delay" in projection.columns]
    if backend != NEST or session.min_delay != "auto" or not delays:
        return
    late = round(float(min(np.min(delay) for delay in delays)) - session.timestep, 9)
    report.defaulted(
        "late-sources",
        "setup()",
        f"min_delay is left to PyNN, whose NEST is then {late:g} ms late with the spikes of sources; here they are at "
        "the times that the script states. setup(min_delay=timestep) makes both the same.",
        count=len(trains) if late > 0 else 0,
    )


def tell_of_capacities(session: Session, built: Built, backend: str, report: Report) -> None:
    """Report cells whose ``cm`` was set after they were made (DEFAULTED).

    Measured with PyNN 0.13: its NEST leaves the leak conductance as it was, so that ``tau_m`` changes too where the
    model has that conductance. Other backends leave ``tau_m``, and a cell that is made with its ``cm`` has it too.
    """
    names = dict.fromkeys(built.names[id(population)] for population in session.capacities)
    rows = {name: of_standard(getattr(built.network.cells[name], "model", "")) for name in names}
    leaky = [name for name, row in rows.items() if row and any(isinstance(rule, Pair) for rule in row.rules)]
    report.defaulted(
        "capacity-set",
        "set()",
        "On pyNN.nest, set(cm=...) changes tau_m in proportion; here, as on PyNN's other backends, tau_m stays. "
        "set(cm=..., tau_m=...) makes both the same.",
        count=len(leaky) if backend == NEST else 0,
        examples=leaky,
    )


def tell_of_initial_values(session: Session, built: Built, backend: str, report: Report) -> None:
    """Report initial currents and conductances where PyNN 0.13 does not begin with them (DEFAULTED)."""
    found = [
        f"{variable} of {built.names[id(population)]}"
        for population in session.populations
        for variable, value in population.initial_values.items()
        if variable in _SCALED and np.any(np.asarray(value.evaluate(simplify=False)) != 0)
    ]
    report.defaulted(
        "initial-current",
        "initialize()",
        f"{backend} {_INITIAL.get(backend, '')}; here initial currents and conductances are as stated, in nA and uS.",
        count=len(found) if backend in _INITIAL else 0,
        examples=found,
    )


def tell_of_late_currents(session: Session, backend: str, report: Report) -> None:
    """Report currents from the very beginning that ``pyNN.nest`` has later (DEFAULTED).

    Measured with PyNN 0.13: it starts NEST's generators earlier by the least delay, which brings their current, and
    those that would start at 0 ms or before act from the step after that delay; of a sine, the whole course is later.
    Where that delay is a time step, others than sines are as on NEST without PyNN.
    """
    least = session.timestep if session.min_delay == "auto" else float(session.min_delay)
    late = 0
    for source, _, _ in session.injections:
        sine, first = type(source).__name__ == "ACSource", _start(source.values)
        alike = least <= session.timestep and (first > 0 or not sine)
        late += first < least + session.timestep / 2 and not alike
    report.defaulted(
        "late-injection",
        "inputs",
        f"pyNN.nest is up to {least:g} ms late with currents that start at {least:g} ms or before; here they are as "
        "stated.",
        count=late if backend == NEST else 0,
    )


def _start(values: Mapping[str, Any]) -> float:
    """When a current source begins, ms."""
    if "times" in values:
        return float(np.min(plain(values["times"]), initial=np.inf))
    return float(values["start"])
