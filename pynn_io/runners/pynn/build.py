"""`Lowered` -> populations and projections on a backend module of PyNN (``sim``), whichever it is.

This module imports PyNN when something is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn_io.errors import PynnIOError, RunError
from pynn_io.graph.network import Network
from pynn_io.lowering.pynn import (
    ARRAY,
    Cells,
    Connections,
    CurrentSource,
    LoweredNetwork,
    LoweredPlan,
    Setup,
    SynapseType,
    connections,
    largest_delay,
)
from pynn_io.lowering.pynn.composed import COMPOSED, parts
from pynn_io.lowering.trains import Trains
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.vocabulary.plasticity import STDP, stdp


@dataclass(slots=True, eq=False)
class Built:
    """A network on a backend. populations: by label. plan: the one that was applied, if any."""

    sim: Any
    lowered: LoweredNetwork
    populations: dict[str, Any] = field(default_factory=dict)
    projections: list[Any] = field(default_factory=list)
    connections: int = 0
    plan: LoweredPlan | None = None

    @property
    def is_read(self) -> bool:
        """Whether the backend is the one that scripts are read with: it keeps what is built, and simulates nothing."""
        return getattr(self.sim, "name", "") == "pynn_io"


class errors:
    """What PyNN or the simulator raises, as ours: ``with errors("creating population cortex"): ...``"""

    def __init__(self, doing: str, kind: type[RunError] = RunError, hint: str = "") -> None:
        self._doing, self._kind, self._hint = doing, kind, hint

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, PynnIOError):
            said = str(error).strip() or "no message"
            message = f"PyNN refused while {self._doing}: {type(error).__name__}: {said}"
            raise self._kind(message, hint=self._hint) from error


def set_up(sim: Any, setup: Setup, **more: Any) -> None:
    """``sim.setup`` with a least delay of one step: NEST shifts the spikes of sources where it is left to find one."""
    arguments = {"timestep": setup.timestep, "min_delay": setup.min_delay}
    if setup.max_delay is not None:
        arguments["max_delay"] = setup.max_delay
    with errors("setting up"):
        sim.setup(**{**arguments, **setup.others, **more})
        if setup.others.get("spike_precision") == "on_grid":
            # PyNN takes the least delay from times that NEST then takes to be exact: by the rounding of the difference
            # some spikes would come a step late.
            import nest

            nest.SetDefaults("spike_generator", {"precise_times": False, "allow_offgrid_times": True})


def _one_clock(timestep: float) -> None:
    """PyNN leaves its sources on Brian2 to the default clock, which would let them spike every 0.1 ms only."""
    import brian2

    brian2.defaultclock.dt = timestep * brian2.ms


#: What a backend needs before anything is built on it that PyNN's ``setup`` does not do: a call with the time step, ms.
_FURTHER_SETUP: Mapping[str, Callable[[float], None]] = {"pyNN.brian2": _one_clock}


def allow_delays(sim: Any, network: Network) -> None:
    """Let NEST have the network's delays where they are longer than ``setup`` foresaw; other backends take any.

    Raises RunError where it is too late for that.
    """
    state: Any = getattr(getattr(sim, "simulator", None), "state", None)
    if not hasattr(state, "set_delays"):
        return
    longest = largest_delay(network)
    if sim.get_max_delay() >= longest:
        return
    with errors(f"allowing delays of {longest} ms (give setup a max_delay)"):
        state.set_delays(sim.get_min_delay(), longest)


def build_network(
    sim: Any,
    lowered: LoweredNetwork,
    report: Report,
    progress: Progress,
    trains: Mapping[str, Trains] | None = None,
) -> Built:
    """Populations and projections. trains: spikes of sources by label, where they are known already.

    Raises RunError that lists all classes which ``sim`` does not have, and for what PyNN refuses.
    """
    built = Built(sim, lowered)
    if sim.__name__ in _FURTHER_SETUP:
        _FURTHER_SETUP[sim.__name__](lowered.timestep)
    _refuse_missing(sim, [cells.model for cells in lowered.cells if ":" not in cells.model])
    for number, cells in enumerate(lowered.cells):
        progress("creating cells", number, len(lowered.cells))
        built.populations[cells.label] = _population(sim, cells, (trains or {}).get(cells.label))
    for edges in connections(lowered, report):
        connect(built, edges)
        progress("connecting", built.connections, built.connections)
    return built


def _refuse_missing(sim: Any, models: Iterable[str]) -> None:
    missing = sorted({name for name in models if not hasattr(sim, name)})
    if missing:
        raise RunError(
            f"{sim.__name__} has no {', '.join(missing)}", hint="these cells or synapses are not part of that backend"
        )


# --- cells --------------------------------------------------------------------------------------------------------


def _population(sim: Any, cells: Cells, trains: Trains | None) -> Any:
    with errors(f"creating population {cells.label} of {cells.model}"):
        own: dict[str, Any] = {}
        if cells.model == ARRAY:
            parameters = {"spike_times": spike_times(cells.size, trains)}
        elif cells.model.startswith("nest:"):
            # NEST takes no numpy.bool, which PyNN makes of the others where one parameter differs from cell to cell
            own = {name: value for name, value in cells.parameters.items() if isinstance(value, np.ndarray)}
            parameters = {name: value[0] if name in own else value for name, value in cells.parameters.items()}
        else:
            parameters = dict(cells.parameters)
        values = {name: _value(value) for name, value in parameters.items()}
        kind = point_neuron(sim, values) if cells.model == COMPOSED else cell_class(sim, cells.model)(**values)
        initial = {name: _value(value) for name, value in cells.initial.items()}
        population = sim.Population(cells.size, kind, initial_values=initial, label=cells.label)
        if own:
            population.set(**{name: _value(value) for name, value in own.items()})
        if cells.positions is not None:
            population.positions = cells.positions.T
        return population


def cell_class(sim: Any, model: str) -> Any:
    """The class of a standard cell, or of a native one. Raises RunError for one that the simulator does not know."""
    dialect, colon, name = model.partition(":")
    if not colon:
        return getattr(sim, model)
    if dialect == "nrn":
        return getattr(sim, name)
    with errors(f"looking for the model {name}"):
        return sim.native_cell_type(name)


def point_neuron(sim: Any, parameters: Mapping[str, Any]) -> Any:
    """A cell type put together of a neuron and of receptors. Raises RunError for classes that the backend has not."""
    (neuron, own), receptors = parts(parameters)
    _refuse_missing(sim, [neuron, *(kind for kind, _ in receptors.values())])
    made = {label: getattr(sim, kind)(**values) for label, (kind, values) in receptors.items()}
    return sim.PointNeuron(getattr(sim, neuron)(**own), **made)


def spike_times(size: int, trains: Trains | None) -> Any:
    """One ``Sequence`` a source, empty for the silent ones; itself where there is one: Brian2 takes no list of that."""
    from pyNN.parameters import Sequence

    found = dict(trains.split()) if trains is not None else {}
    silent = np.empty(0)
    made = [Sequence(found.get(row, silent)) for row in range(size)]
    return made[0] if size == 1 else made


def _value(value: Any) -> Any:
    """A list that is one value of a cell, in the class that tells PyNN so."""
    from pyNN.parameters import ArrayParameter

    if isinstance(value, np.ndarray) and value.ndim > 1:
        return [ArrayParameter(row) for row in value]
    if isinstance(value, tuple) or (isinstance(value, list) and value and isinstance(value[0], (int, float))):
        return ArrayParameter(value)
    return value


# --- edges --------------------------------------------------------------------------------------------------------


def connect(built: Built, edges: Connections) -> None:
    """One ``Projection``."""
    from pynn_io.runners.pynn.connector import ConnectColumns

    if not edges.synapse.model.startswith("nest:"):
        _refuse_missing(built.sim, [edges.synapse.model])
    pre, post = built.populations[edges.pre], built.populations[edges.post]
    with errors(f"connecting {edges.label}"):
        projection = built.sim.Projection(
            pre,
            post,
            ConnectColumns(edges),
            synapse_type(built.sim, edges.synapse),
            receptor_type=edges.receptor,
            label=edges.label,
        )
    built.projections.append(projection)
    built.connections += edges.size


def synapse_type(sim: Any, synapse: SynapseType) -> Any:
    """The synapse type; its weights and delays stand in the columns."""
    if synapse.model.startswith("nest:"):
        return sim.native_synapse_type(synapse.model.removeprefix("nest:"))(**synapse.parameters)
    if synapse.model != STDP:
        return getattr(sim, synapse.model)(**synapse.parameters)
    parts = stdp(synapse.parameters)
    _refuse_missing(sim, [parts.timing, parts.weight])
    weight = getattr(sim, parts.weight)(**parts.weight_parameters)
    # PyNN 0.13 drops mu_plus and mu_minus on NEST
    weight.parameter_space.update(**parts.weight_parameters)
    return sim.STDPMechanism(
        timing_dependence=getattr(sim, parts.timing)(**parts.timing_parameters),
        weight_dependence=weight,
        dendritic_delay_fraction=parts.dendritic_delay_fraction,
        weight=parts.some_weight,
    )


# --- the plan -----------------------------------------------------------------------------------------------------


def apply_plan(built: Built, plan: LoweredPlan, *, given: bool = False) -> None:
    """Spikes of sources, drives, currents, recordings. given: the sources have their spikes already."""
    sim = built.sim
    for label, trains in plan.trains.items():
        if not given and label in built.populations:
            population = built.populations[label]
            with errors(f"giving spikes to {label}"):
                population.set(spike_times=spike_times(population.size, trains))
    for cells in plan.drives:
        built.populations[cells.label] = _population(sim, cells, plan.trains[cells.label])
    for edges in plan.drive_connections:
        connect(built, edges)
    for current in plan.currents:
        inject(built, current)
    record(built, plan)
    built.plan = plan


def inject(built: Built, current: CurrentSource) -> None:
    from pyNN.parameters import Sequence

    with errors(f"injecting {current.name}"):
        parameters = {
            name: Sequence(value) if isinstance(value, np.ndarray) else value
            for name, value in current.parameters.items()
        }
        source = getattr(built.sim, current.model)(**parameters)
        population = built.populations[current.cells]
        whole = len(current.targets) == population.size
        source.inject_into(population if whole else population[current.targets])


def record(built: Built, plan: LoweredPlan) -> None:
    """Spikes of all cells; of every population its variables, at the longest interval that serves all its reports."""
    for cells in built.lowered.cells:
        if not cells.is_source:
            with errors(f"recording spikes of {cells.label}"):
                built.populations[cells.label].record("spikes")
    for label, interval in intervals(built.lowered.timestep, plan).items():
        population = built.populations[label]
        for recorder in plan.recorders:
            if recorder.cells == label:
                whole = len(recorder.targets) == population.size
                view = population if whole else population[recorder.targets]
                with errors(f"recording {recorder.report} of {label}"):
                    view.record([name for _, name, _ in recorder.variables], sampling_interval=interval)


def intervals(timestep: float, plan: LoweredPlan) -> dict[str, float]:
    """The sampling interval of every population that is recorded, ms: PyNN has one a population."""
    steps: dict[str, int] = {}
    for recorder in plan.recorders:
        for time in (recorder.interval, recorder.start):
            steps[recorder.cells] = int(np.gcd(steps.get(recorder.cells, 0), round(time / timestep)))
    return {label: round(count * timestep, 9) for label, count in steps.items()}
