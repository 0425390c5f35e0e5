"""What ``pyNN.nest`` makes of times and no other backend does: spikes between steps, and sources that are late."""

from __future__ import annotations

import numpy as np

from pynn_io.graph.cells import PointCell
from pynn_io.graph.stimuli import SpikeTrains
from pynn_io.importers.pynn_capture.simulator import Session
from pynn_io.importers.pynn_objects.network import Built
from pynn_io.report import Report
from pynn_io.vocabulary.translations import Pair, of_standard

#: The name of the backend among those that a script imports.
NEST = "pyNN.nest"
#: State variables that PyNN has in nA or uS, and NEST in pA or nS.
_SCALED = ("w", "gsyn_exc", "gsyn_inh", "isyn_exc", "isyn_inh")
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
    """Report initial currents and conductances (DEFAULTED): PyNN 0.13 hands their numbers to NEST as they are."""
    found = [
        f"{variable} of {built.names[id(population)]}"
        for population in session.populations
        for variable, value in population.initial_values.items()
        if variable in _SCALED and np.any(np.asarray(value.evaluate(simplify=False)) != 0)
    ]
    report.defaulted(
        "initial-value-unit",
        "initialize()",
        "pyNN.nest takes the numbers of initial currents and conductances for pA and nS; here they are in PyNN's nA "
        "and uS, as on its other backends.",
        count=len(found) if backend == NEST else 0,
        examples=found,
    )
