"""`Lowered` -> a network of Brian2's objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.lowering.meters import Meter
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.runners.base import Profile
from pynn_io.runners.brian2.connect import SOURCES, Bundle, Bundles, Key, joined
from pynn_io.runners.brian2.engine import errors, load
from pynn_io.runners.brian2.functions import functions
from pynn_io.runners.brian2.lowered import Cells, Lowered, SynapseCode
from pynn_io.runners.brian2.standard import STIMULUS

#: The order of a step. Spikes arrive before thresholds are tested, for cells whose potential an event makes jump.
SCHEDULE = ("start", "groups", "synapses", "thresholds", "resets", "end")


@dataclass(slots=True)
class Recorder:
    """A monitor of some cells of one group. columns: places in the monitor; rows: of the population, in this order."""

    meter: Meter
    group: int
    rows: np.ndarray
    monitor: Any
    every: int
    first: int


@dataclass(slots=True)
class Model:
    """What `build` made. spikes: a monitor by group."""

    brian: Any
    engine: str
    lowered: Lowered
    groups: list[Any] = field(default_factory=list)
    spikes: list[Any] = field(default_factory=list)
    recorders: list[Recorder] = field(default_factory=list)
    network: Any = None
    connections: int = 0


def build(lowered: Lowered, profile: Profile, report: Report, progress: Progress) -> Model:
    """Raises BackendUnavailable without Brian2, RunError for what it refuses, PlanError for a wrong recording."""
    brian, engine = load(profile)
    brian.start_scope()
    brian.defaultclock.dt = lowered.timestep * brian.ms
    brian.seed(lowered.seed % 2**32)
    model = Model(brian, engine, lowered)
    with errors("creating cells"):
        for number, cells in enumerate(lowered.cells):
            progress("creating cells", number, len(lowered.cells))
            model.groups.append(_group(brian, number, cells, lowered.timestep))
        model.spikes = [brian.SpikeMonitor(group) for group in model.groups]
    for meter in lowered.meters:
        model.recorders += _recorders(model, meter)
    bundles = Bundles(lowered, report)
    bundles.add_all(progress)
    with errors("connecting"):
        objects = list(_connected(model, bundles))
    monitors = [recorder.monitor for recorder in model.recorders]
    model.network = brian.Network(*model.groups, *model.spikes, *monitors, *objects)
    model.network.schedule = list(SCHEDULE)
    return model


def _group(brian: Any, number: int, cells: Cells, timestep: float) -> Any:
    """One ``NeuronGroup``, whose step is the statements of its code."""
    code = cells.code
    driven = cells.currents.any()
    current = "currents(t, course) : 1 (constant over dt)\ncourse : integer (constant)" if driven else ""
    equations = (
        f"{code.equations}\n{STIMULUS} = {current}" if driven else f"{code.equations}\n{STIMULUS} : 1 (constant)"
    )
    namespace = {**functions(brian), "ms": brian.ms}
    if driven:
        namespace["currents"] = brian.TimedArray(cells.currents, dt=timestep * brian.ms)

    def advance(*_: object, **__: object) -> str:
        return code.advance[0]

    group = brian.NeuronGroup(
        cells.size,
        equations,
        threshold=code.threshold,
        reset=code.reset or None,
        refractory="resting * ms" if code.resting else False,
        method=advance,
        namespace=namespace,
        name=f"cells_{number}",
    )
    for order, text in enumerate(code.advance[1:], 1):
        group.run_regularly(text, when="groups", order=order)
    for name, value in cells.values.items():
        setattr(group, name, value)
    if driven:
        group.course = cells.course
    return group


# --- synapses -----------------------------------------------------------------------------------------------------


def _connected(model: Model, bundles: Bundles) -> Iterator[Any]:
    """The sources, and every bundle of synapses."""
    brian, sources = model.brian, model.lowered.sources
    spikes = None
    if sources.size:
        times = sources.step * model.lowered.timestep * brian.ms
        # Before the slot of synapses: a spike at step n is a spike at this time, as one that a cell tells.
        spikes = brian.SpikeGeneratorGroup(sources.size, sources.index, times, when="start", name="sources")
        yield spikes
    for number, (key, bundle) in enumerate(bundles.found.items()):
        source = spikes if key.source == SOURCES else model.groups[key.source]
        yield _synapses(model, number, key, bundle, source)
        model.connections += bundle.size


def _synapses(model: Model, number: int, key: Key, bundle: Bundle, source: Any) -> Any:
    """One ``Synapses``. What a spike does happens one step later than the slot in which it is looked for."""
    brian, code, cells = model.brian, key.code, model.lowered.cells[key.target]
    sent = cells.code.receptors[key.receptor].replace("{w}", f"({code.sent})")
    arrives = "\n".join(text for text in (code.before, sent, code.after) if text)
    returns = {name: text for name, text in (("post", code.post), ("trace", code.trace)) if text}
    made = brian.Synapses(
        source,
        model.groups[key.target],
        code.equations,
        on_pre=arrives,
        on_post=returns or None,
        namespace={**functions(brian), "ms": brian.ms},
        name=f"synapses_{number}",
    )
    values = dict(joined(bundle))
    made.connect(i=values.pop("source"), j=values.pop("target"))
    steps = values.pop("steps")
    dt = model.lowered.timestep
    made.pre.delay = (steps - 1) * dt * brian.ms
    if returns:
        values |= _returning(brian, made, code, steps, dt)
    for name, own in values.items():
        setattr(made, name, own)
    if "last" in made.variables:
        # As if the spike before the first had come at time 0, as in NEST.
        made.last = (steps - 1) * dt
    return made


def _returning(brian: Any, made: Any, code: SynapseCode, steps: np.ndarray, dt: float) -> dict[str, np.ndarray]:
    """Delays (steps) of spikes of the target back to its synapses; what the synapses need to know of them.

    A spike that arrives is worked on at the end of its delay, not before the dendrite: one that comes back is worked on
    as much later than it comes. It takes a step at least; where that is too much, it is old when it is worked on, and
    comes before what arrives in this step.
    """
    exact = 2 * code.dendritic * steps
    back = np.maximum(np.ceil(exact - 1e-9), 1)
    late = (back > exact + 1e-9).any()
    for name, order in (("post", -2), ("trace", -1 if late else 1)):
        if getattr(code, name):
            pathway = getattr(made, name)
            pathway.delay = (back - 1) * dt * brian.ms
            pathway.order = order
    return {"lag": (back - exact) * dt} if "lag" in made.variables else {}


# --- recorders ----------------------------------------------------------------------------------------------------


def _recorders(model: Model, meter: Meter) -> Iterator[Recorder]:
    lowered, brian = model.lowered, model.brian
    group, number = lowered.group[meter.population][meter.rows], lowered.number[meter.population][meter.rows]
    first, every = round(meter.start / lowered.timestep), round(meter.interval / lowered.timestep)
    apart = int(np.gcd(first, every))
    for own in np.unique(group[group >= 0]).tolist():
        records = lowered.cells[own].code.records
        unknown = [name for name in meter.variables if name not in records]
        if unknown:
            raise PlanError(
                f"cells of the model {lowered.cells[own].code.name} (population {meter.population}) have no variable "
                f"{unknown[0]!r}",
                where=f"reports.{meter.name}.variable_name",
                hint=f"it can record: {', '.join(sorted(records)) or 'nothing'}",
            )
        variables = sorted({records[name][0] for name in meter.variables})
        interval = apart * lowered.timestep * brian.ms
        here = number[group == own]
        monitor = brian.StateMonitor(model.groups[own], variables, record=here, dt=interval, when="start")
        yield Recorder(meter, own, meter.rows[group == own], monitor, every // apart, first // apart)
