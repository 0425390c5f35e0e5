"""`Lowered` -> a network in NEST's kernel: the only module here, with `collect`, that talks to NEST."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn_io.errors import BackendUnavailable, PlanError, RunError
from pynn_io.lowering import Trains
from pynn_io.lowering.feeds import Bombardment, Feed
from pynn_io.lowering.grid import Grid
from pynn_io.lowering.meters import Meter
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.runners.base import Profile
from pynn_io.runners.nest.connect import Connector, Sender, strict
from pynn_io.runners.nest.lowered import LEFT_OUT, CellCurrents, Current, Lowered, Nodes
from pynn_io.runners.nest.stimuli import own_steps
from pynn_io.runners.unplotted import without_plotting

#: What stands for a source: its connections are those of a neuron, plastic ones included.
_SOURCE_MODEL = "spike_train_injector"
#: States that NEST has none of before its first step, and the parameters that they start at.
_STARTS_AT = {"E_sfa": "V_T_star"}


@dataclass(slots=True)
class Group:
    """Nodes in the kernel: ``first`` .. ``first + size - 1``, those of ``nodes.rows`` in this order."""

    nodes: Nodes
    first: int
    collection: Any


@dataclass(slots=True)
class Recorder:
    """A multimeter on the cells of one group. names: NEST's variable for each of the meter's."""

    meter: Meter
    group: Group
    rows: np.ndarray
    device: Any
    names: tuple[str, ...]
    initial: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Outlet:
    """A recorder, in steps, of one population's spikes that are handed out. rows: by number in the kernel."""

    recorder: Any
    rows: np.ndarray


@dataclass(slots=True)
class Model:
    """What `build` made. ids: number in the kernel of every row of a population, 0 where there is no node.

    inlets: the same of injectors that stand for cells of other processes. outlets, steps (done), told (steps whose
    spikes have been handed out): see `stepping`.
    """

    nest: Any
    lowered: Lowered
    groups: list[Group]
    ids: dict[str, np.ndarray]
    spikes: dict[str, Any] = field(default_factory=dict)
    recorders: list[Recorder] = field(default_factory=list)
    connections: int = 0
    inlets: dict[str, np.ndarray] = field(default_factory=dict)
    outlets: dict[str, Outlet] = field(default_factory=dict)
    steps: int = 0
    told: int = 0


def build(lowered: Lowered, profile: Profile, report: Report, progress: Progress) -> Model:
    """Raises BackendUnavailable without NEST, RunError for models, parameters and variables that it does not have."""
    nest = load()
    _reset(nest, lowered, profile)
    _check_models(nest, lowered)
    ids = {name: np.where(rows, LEFT_OUT, 0) for name, rows in lowered.left_out.items()}
    model = Model(nest, lowered, [], ids)
    with errors(nest, "creating cells"):
        for number, nodes in enumerate(lowered.nodes):
            progress("creating cells", number, len(lowered.nodes))
            model.groups.append(_create(nest, nodes, ids[nodes.population]))
    # A wrong name in a report is told before the time is spent on edges.
    with errors(nest, "recording"):
        model.recorders += [item for meter in lowered.meters for item in _meters(model, meter)]
        model.spikes = {name: spike_recorder(model, name) for name in _populations(lowered)}
    with errors(nest, "creating proxies"):
        model.inlets = {name: _inlet(model, name) for name in lowered.inlets}
    _connect(model, report, progress)
    with errors(nest, "stimulating"):
        for item in lowered.bombardments:
            _bombard(model, item)
        for current in lowered.currents:
            _inject(model, current)
    return model


def load() -> Any:
    """The module ``nest``, quiet."""
    try:
        with without_plotting():
            import nest
    except ImportError as error:
        raise BackendUnavailable(f"NEST cannot be imported ({error})", hint="pip install 'pynn_io[nest]'") from error
    nest.verbosity = nest.VerbosityLevel.ERROR
    if _SOURCE_MODEL not in nest.node_models:
        raise BackendUnavailable(
            f"NEST {nest.__version__} has no {_SOURCE_MODEL}", hint="pip install 'nest-simulator>=3.9'"
        )
    return nest


class errors:
    """NEST's errors as ours: ``with errors(nest, "creating cells"): ...``"""

    def __init__(self, nest: Any, doing: str, kind: type[RunError] = RunError) -> None:
        self._nest, self._doing, self._kind = nest, doing, kind

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, self._nest.NESTError):
            raise self._kind(f"NEST refused while {self._doing}: {error}") from error


def _reset(nest: Any, lowered: Lowered, profile: Profile) -> None:
    nest.ResetKernel()
    seed = own_seed(lowered.seed, profile.stream)
    nest.set(resolution=float(lowered.timestep), local_num_threads=int(profile.threads), rng_seed=seed)
    nest.print_time = False


def own_seed(seed: int, stream: int) -> int:
    """NEST's seed (1 .. 2**32 - 1) in one of several processes: the first keeps the plan's, no two draw the same."""
    if not stream:
        return seed
    return int(np.random.SeedSequence(seed, spawn_key=(stream,)).generate_state(1)[0]) or 1


def _check_models(nest: Any, lowered: Lowered) -> None:
    """Every model by name, before anything is made."""
    known = set(nest.node_models)
    for nodes in lowered.nodes:
        if nodes.model not in known:
            raise RunError(
                f"NEST has no neuron model {nodes.model!r}",
                where=f"population {nodes.population}",
                hint=f"alike: {', '.join(_alike(nodes.model, known)) or 'none'}",
            )
    known = set(nest.synapse_models)
    for link in lowered.links:
        for spec in link.specs:
            if spec.model not in known:
                raise RunError(
                    f"NEST has no synapse model {spec.model!r}",
                    where=f"projection {link.projection.name}",
                    hint=f"alike: {', '.join(_alike(spec.model, known)) or 'none'}",
                )


def _alike(name: str, known: Iterable[str]) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(name, sorted(known), 3)


# --- cells --------------------------------------------------------------------------------------------------------


def _create(nest: Any, nodes: Nodes, ids: np.ndarray) -> Group:
    defaults = nest.GetDefaults(nodes.model)
    unknown = sorted(set(nodes.parameters) - set(defaults))
    if unknown:
        raise RunError(
            f"NEST's {nodes.model} has no parameter {', '.join(map(repr, unknown))}",
            where=f"population {nodes.population}",
            hint="correct the name, or take it out of the cell's parameters",
        )
    shared, own = {}, {}
    for name, value in nodes.parameters.items():
        if _is_per_cell(value, nodes.size):
            own[name] = _per_cell(value, defaults[name])
        else:
            shared[name] = strict(value, defaults[name])
    if own:
        # Parameters check one another (V_reset < V_th), so all of a cell's go in at once.
        names = list(own)
        params = [shared | dict(zip(names, row, strict=True)) for row in zip(*own.values(), strict=True)]
        collection = nest.Create(nodes.model, nodes.size, params)
    else:
        collection = nest.Create(_with_defaults(nest, nodes.model, shared), nodes.size)
    first = int(collection[0].global_id)
    ids[nodes.rows] = np.arange(first, first + nodes.size)
    return Group(nodes, first, collection)


def _with_defaults(nest: Any, model: str, values: Mapping[str, Any]) -> str:
    """A copy of the model with these defaults: setting them node by node takes much of the time of a build."""
    if not values:
        return model
    name = f"{model}_{len(nest.node_models)}"
    nest.CopyModel(model, name, dict(values))
    return name


def _is_per_cell(value: Any, size: int) -> bool:
    """An array has one row a cell; a vector that all cells share is a list or a tuple."""
    return isinstance(value, np.ndarray) and value.ndim > 0 and len(value) == size


def _per_cell(value: np.ndarray, default: Any) -> list[Any]:
    filled = np.ma.filled(value, default) if isinstance(value, np.ma.MaskedArray) else value
    return [strict(item, default) for item in filled.tolist()] if filled.ndim < 2 else list(filled.astype(np.float64))


def _populations(lowered: Lowered) -> list[str]:
    return list(dict.fromkeys(nodes.population for nodes in lowered.nodes))


# --- recorders ----------------------------------------------------------------------------------------------------


def spike_recorder(model: Model, population: str, *, in_steps: bool = False) -> Any:
    """A new recorder of all nodes of a population until the end of the run."""
    parameters = {"stop": float(model.lowered.duration), "time_in_steps": in_steps}
    device = model.nest.Create("spike_recorder", params=parameters)
    for group in model.groups:
        if group.nodes.population == population:
            model.nest.Connect(group.collection, device)
    return device


def _meters(model: Model, meter: Meter) -> Iterator[Recorder]:
    for group in model.groups:
        rows = np.intersect1d(meter.rows, group.nodes.rows, assume_unique=True)
        if group.nodes.population == meter.population and len(rows):
            yield _meter(model, meter, group, rows)


def _meter(model: Model, meter: Meter, group: Group, rows: np.ndarray) -> Recorder:
    nest, step = model.nest, model.lowered.timestep
    recordables = nest.GetDefaults(group.nodes.model).get("recordables", ())
    known = {**{name: name for name in recordables}}
    known |= {name: item[0] for name, item in group.nodes.recordables.items() if item[0] in recordables}
    unknown = [name for name in meter.variables if name not in known]
    if unknown:
        raise PlanError(
            f"cells of the model {group.nodes.model} (population {meter.population}) have no variable {unknown[0]!r}",
            where=f"reports.{meter.name}.variable_name",
            hint=f"it can record: {', '.join(sorted(known)) or 'nothing'}",
        )
    names = tuple(known[name] for name in meter.variables)
    first = max(meter.start - step, 0.0)
    params = {
        "record_from": list(dict.fromkeys(names)),
        "interval": float(meter.interval),
        "offset": float(meter.start),
        "start": float(first),
        "stop": float(max(meter.stop - step, first)),
    }
    device = nest.Create("multimeter", params=params)
    targets = nest.NodeCollection(model.ids[meter.population][rows].tolist())
    nest.Connect(device, targets)
    initial = {}
    if meter.start == 0:
        # NEST's first sample is after the first step; the state before it is what the nodes say.
        states = set(nest.GetDefaults(group.nodes.model))
        asked = {name: _STARTS_AT.get(name, name) for name in names if name in states}
        initial = {name: np.atleast_1d(targets.get(at)).astype(np.float64) for name, at in asked.items()}
    return Recorder(meter, group, rows, device, names, initial)


# --- edges and inputs ---------------------------------------------------------------------------------------------


def _connect(model: Model, report: Report, progress: Progress) -> None:
    feeds = [(feed, _feed_ids(model, feed)) for feed in model.lowered.feeds]
    for link in model.lowered.links:
        projection = link.projection
        senders: list[Sender] = [(model.ids[projection.pre], None)]
        senders += [
            (ids, None if feed.targets is None else feed.targets.get(projection.post, False))
            for feed, ids in feeds
            if feed.population == projection.pre
        ]
        if projection.pre in model.inlets:
            senders.append((model.inlets[projection.pre], None))
        connector = Connector(model.nest, link, model.lowered, model.ids[projection.post], report)
        with errors(model.nest, f"connecting projection {projection.name}"):
            model.connections += connector.connect(senders, progress)


def _trains_to_nest(model: Model, trains: Trains) -> Any:
    """An injector for every row with a train; the first number of the nodes."""
    params = [{"spike_times": times, _mode(model): True} for _, times in trains.split()]
    return model.nest.Create(_SOURCE_MODEL, len(params), params)


def _inlet(model: Model, population: str) -> np.ndarray:
    """An injector without spikes for every row."""
    size = model.lowered.network.populations[population].size
    nodes = model.nest.Create(_SOURCE_MODEL, size, {_mode(model): True})
    return np.arange(size) + int(nodes[0].global_id)


def _mode(model: Model) -> str:
    """What makes an injector take times between two steps, for those that it keeps and those that it moves."""
    return "precise_times" if model.lowered.precise else "allow_offgrid_times"


def _feed_ids(model: Model, feed: Feed) -> np.ndarray:
    ids = np.zeros(model.lowered.network.populations[feed.population].size, dtype=np.int64)
    rows = np.unique(feed.trains.rows)
    if len(rows):
        with errors(model.nest, f"giving spikes to {feed.name}"):
            nodes = _trains_to_nest(model, feed.trains)
        ids[rows] = np.arange(len(rows)) + int(nodes[0].global_id)
    return ids


def _bombard(model: Model, item: Bombardment) -> None:
    rows = np.unique(item.trains.rows)
    if not len(rows):
        return
    nodes = _trains_to_nest(model, item.trains)
    spec = {"synapse_model": "static_synapse", "weight": item.weight, "delay": float(model.lowered.timestep)}
    model.nest.Connect(nodes, model.nest.NodeCollection(model.ids[item.population][rows].tolist()), "one_to_one", spec)


def _inject(model: Model, item: Current | CellCurrents) -> None:
    if isinstance(item, Current):
        _put(model, model.ids[item.population][item.rows], item.model, item.parameters)
        return
    grid = Grid(model.lowered.timestep)
    ids = model.lowered.network.populations[item.population].ids()[item.rows].tolist()
    for cell, node in enumerate(model.ids[item.population][item.rows]):
        for generator, parameters in own_steps(item, cell, ids[cell], grid):
            _put(model, np.array([node]), generator, parameters)


def _put(model: Model, nodes: np.ndarray, generator: str, parameters: Mapping[str, Any]) -> None:
    """A generator onto some nodes, with the least delay there is."""
    device = model.nest.Create(generator, 1, dict(parameters))
    delay = {"delay": float(model.lowered.timestep)}
    model.nest.Connect(device, model.nest.NodeCollection(nodes.tolist()), "all_to_all", delay)
