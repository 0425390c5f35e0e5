"""`LoweredMoose` -> objects of MOOSE: the first import of it.

Every cell has an ``HSolve`` of its own (two, where it is in two pieces), which takes its compartments over when it is
told of them: so it comes last.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn_io.errors import BackendUnavailable, RunError
from pynn_io.lowering.signals import levels
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.runners.base import Profile
from pynn_io.runners.moose.circuit import BARE
from pynn_io.runners.moose.gates import CONCENTRATIONS, POTENTIALS, Gate, Tables
from pynn_io.runners.moose.lowered import Cable, Channel, LoweredMoose, Placed, Pool
from pynn_io.runners.moose.wiring import Wiring, wire

#: How MOOSE is installed: its wheel asks for packages (Qt, VPython, pyNeuroML ...) that nothing here needs.
INSTALL = "pip install --no-deps pymoose"
_SECOND, _VOLT, _MICRO, _NANO = 1e-3, 1e-3, 1e-6, 1e-9
#: F: MOOSE ignores a smaller capacitance, with a warning.
_LEAST = 4e-17
#: ohm, of a compartment that nothing leaks out of.
_CLOSED = 1e15
_KELVIN = 273.15
_TICKS = 32
_GATES = "XYZ"
_VALENCE = 2
#: Of a time step, by which events come before their step begins, so that rounding never lets them come after it.
_EARLY = 1e-3


@dataclass(slots=True, eq=False)
class Built:
    """A cell: its compartments by node; by ion and compartment its pools, and the concentrations outside (mM).

    watched: whether any of its channels sees a pool.
    """

    nodes: list[Any]
    pools: dict[tuple[str, int], Any] = field(default_factory=dict)
    outside: dict[tuple[str, int], float] = field(default_factory=dict)
    watched: bool = False


@dataclass(slots=True, eq=False)
class Model:
    """Objects that stand. spikes: by gid, the table of a cell's spikes. samples: of every report, its tables in order.

    starts: pools that begin elsewhere than at their basal concentration: that, and where they begin (mM).
    """

    lowered: LoweredMoose
    moose: Any
    cells: dict[int, Built] = field(default_factory=dict)
    spikes: dict[int, Any] = field(default_factory=dict)
    samples: list[list[Any]] = field(default_factory=list)
    starts: list[tuple[Any, float, float]] = field(default_factory=list)
    connections: int = 0
    synapses: int = 0


def load() -> Any:
    """The module ``moose``. Raises BackendUnavailable without it, and for another package of that name."""
    try:
        import moose
    except ImportError as error:
        raise BackendUnavailable(f"MOOSE cannot be imported ({error})", hint=INSTALL) from error
    if not hasattr(moose, "HSolve"):
        raise BackendUnavailable("the installed package 'moose' is not the simulator", hint=INSTALL)
    return moose


@contextmanager
def errors(doing: str, kind: type[RunError] = RunError) -> Iterator[None]:
    """MOOSE's errors as ours."""
    try:
        yield
    except RuntimeError as error:
        raise kind(f"MOOSE refused while {doing}: {error}") from error


def build(lowered: LoweredMoose, profile: Profile, report: Report, progress: Progress) -> Model:
    """Raises BackendUnavailable without MOOSE, RunError with its message for what it refuses."""
    model = Model(lowered, load())
    progress("connecting", 0, 1)
    wiring = wire(lowered, report)
    model.connections, model.synapses = len(wiring.source), len(wiring.begins)
    with errors("building"):
        _Builder(model).build(wiring, progress)
    return model


@dataclass(slots=True, eq=False)
class _Builder:
    model: Model
    prototypes: dict[str, Any] = field(default_factory=dict)
    sources: dict[int, Any] = field(default_factory=dict)

    def build(self, wiring: Wiring, progress: Progress) -> None:
        moose, lowered = self.model.moose, self.model.lowered
        for path in ("/library", "/network", "/sources", "/inputs", "/tables"):
            moose.Neutral(path)
        gids = np.flatnonzero(lowered.cable >= 0).tolist()
        for done, gid in enumerate(gids):
            progress("creating cells", done, len(gids))
            self._cell(gid, lowered.cables[lowered.cable[gid]])
        self._sources()
        self._connect(wiring)
        self._couple()
        self._inject()
        self._record()
        step = lowered.settings.timestep * _SECOND
        for tick in range(_TICKS):
            moose.setClock(tick, step)
        for gid in gids:
            self._solve(gid, lowered.cables[lowered.cable[gid]], step)

    # --- cells ----------------------------------------------------------------------------------------------------

    def _cell(self, gid: int, cable: Cable) -> None:
        moose = self.model.moose
        path = f"/network/{gid}"
        moose.Neutral(path)
        built = self.model.cells[gid] = Built(_compartments(moose, path, cable))
        by_node = [built.nodes[node] for node in cable.circuit.node.tolist()]
        for pool in cable.pools:
            self._pools(built, by_node, pool)
        for number, placed in enumerate(cable.channels):
            self._channels(built, by_node, placed, number)
        if built.pools and not built.watched:
            self._silent(by_node, built)
        at = by_node[_place(cable, *cable.spikes_at)]
        detector = moose.SpikeGen(f"{path}/spikes")
        detector.threshold, detector.edgeTriggered, detector.refractT = cable.threshold * _VOLT, True, 0.0
        moose.connect(at, "VmOut", detector, "Vm")
        table = self.model.spikes[gid] = moose.Table(f"/tables/spikes{gid}")
        moose.connect(detector, "spikeOut", table, "input")
        self.sources[gid] = (detector, "spikeOut")

    def _pools(self, built: Built, by_node: list[Any], pool: Pool) -> None:
        columns = (pool.compartments, pool.b, pool.basal, pool.tau, pool.start, pool.outside)
        for place, b, basal, tau, start, outside in zip(*(column.tolist() for column in columns), strict=True):
            made = self.model.moose.CaConc(f"{by_node[place].path}/{pool.ion}")
            made.B, made.CaBasal, made.tau, made.Ca, made.floor = b, basal, tau, start, 0.0
            built.pools[pool.ion, place], built.outside[pool.ion, place] = made, outside
            if start != basal:
                self.model.starts.append((made, basal, start))

    def _channels(self, built: Built, by_node: list[Any], placed: Placed, number: int) -> None:
        moose, channel = self.model.moose, placed.channel
        prototype = self._prototype(channel)
        columns = (placed.compartments, placed.conductance, placed.reversal)
        for place, conductance, reversal in zip(*(column.tolist() for column in columns), strict=True):
            if conductance == 0:
                continue
            node = by_node[place]
            made = moose.element(moose.copy(prototype, node, f"channel{number}"))
            made.Gbar = conductance
            moose.connect(node, "channel", made, "channel")
            pool = built.pools.get((channel.ion, place))
            if pool is not None:
                moose.connect(made, "IkOut", pool, "current")
            if channel.reads:
                moose.connect(built.pools[channel.reads, place], "concOut", made, "concen")
                built.watched = True
            if channel.nernst:
                moose.connect(self._nernst(node, built, channel.ion, place), "Eout", made, "setEk")
            else:
                made.Ek = reversal

    def _silent(self, by_node: list[Any], built: Built) -> None:
        """A channel that never conducts and sees a pool: without one ``HSolve`` complains of an empty table, at every
        step."""
        still = Gate(np.zeros(len(CONCENTRATIONS)), np.ones(len(CONCENTRATIONS)), 1.0, of_ion=True)
        (ion, place), pool = next(iter(built.pools.items()))
        prototype = self._prototype(Channel("", Tables(0.0, (still,)), "", ion))
        made = self.model.moose.element(self.model.moose.copy(prototype, by_node[place], "silent"))
        made.Gbar = 0.0
        self.model.moose.connect(by_node[place], "channel", made, "channel")
        self.model.moose.connect(pool, "concOut", made, "concen")

    def _nernst(self, node: Any, built: Built, ion: str, place: int) -> Any:
        """The reversal potential of an ion in a compartment."""
        moose, path = self.model.moose, f"{node.path}/nernst_{ion}"
        if moose.exists(path):
            return moose.element(path)
        made = moose.Nernst(path)
        made.Temperature = self.model.lowered.settings.celsius + _KELVIN
        made.valence = _VALENCE
        pool = built.pools[ion, place]
        made.Cin, made.Cout = pool.Ca, built.outside[ion, place]
        moose.connect(pool, "concOut", made, "ci")
        return made

    def _prototype(self, channel: Channel) -> Any:
        """The channel whose gates all of its kind share."""
        if channel.name not in self.prototypes:
            made = self.model.moose.HHChannel(f"/library/channel{len(self.prototypes)}")
            if channel.tables is not None:
                _gates(self.model.moose, made, channel.tables.gates)
            self.prototypes[channel.name] = made
        return self.prototypes[channel.name]

    def _solve(self, gid: int, cable: Cable, step: float) -> None:
        """Hand a cell over to its solver, which reads its pools' ``B`` from their geometry: it is told again."""
        moose, built = self.model.moose, self.model.cells[gid]
        factors = [(pool, pool.B) for pool in built.pools.values()]
        for number in np.flatnonzero(cable.circuit.parent < 0).tolist():
            solver = moose.HSolve(f"/network/{gid}/solver{number}")
            solver.dt = step
            solver.target = built.nodes[number].path
        for pool, factor in factors:
            pool.B = factor

    # --- events ---------------------------------------------------------------------------------------------------

    def _sources(self) -> None:
        """Sources of spikes: one table of times each."""
        trains = self.model.lowered.trains
        begins = np.flatnonzero(np.diff(trains.rows, prepend=-1))
        for begin, end in _ranges(begins, len(trains.rows)):
            gid = int(trains.rows[begin])
            made = self.model.moose.TimeTable(f"/sources/{gid}")
            made.vector = (trains.times[begin:end] * _SECOND).tolist()
            self.sources[gid] = (made, "eventOut")

    def _connect(self, wiring: Wiring) -> None:
        moose, lowered = self.model.moose, self.model.lowered
        # an event counts from the step that begins at its time on: MOOSE takes it in at the end of that
        later = lowered.settings.timestep * _SECOND * (1 - _EARLY)
        for number, (begin, end) in enumerate(_ranges(wiring.begins, len(wiring.source))):
            gid = int(wiring.target[begin])
            node = self.model.cells[gid].nodes[lowered.cables[lowered.cable[gid]].circuit.node[wiring.place[begin]]]
            kind = wiring.kinds[wiring.kind[begin]]
            synapse = moose.SynChan(f"{node.path}/synapse{number}")
            synapse.tau1, synapse.tau2, synapse.Ek, synapse.Gbar = kind.decay, kind.rise, kind.reversal, 1.0
            moose.connect(node, "channel", synapse, "channel")
            handler = moose.SimpleSynHandler(f"{synapse.path}/events")
            handler.synapse.num = end - begin
            moose.connect(handler, "activationOut", synapse, "activation")
            for row in range(begin, end):
                event = handler.synapse[row - begin]
                event.weight, event.delay = float(wiring.weight[row]), float(wiring.delay[row]) + later
                source = self.sources.get(int(wiring.source[row]))
                if source is not None:
                    moose.connect(*source, event, "addSpike")

    def _couple(self) -> None:
        """Gap junctions, both halves of each in one object."""
        moose, gaps = self.model.moose, self.model.lowered.gaps
        order = np.argsort(gaps.own, kind="stable")
        other = order[np.searchsorted(gaps.own[order], gaps.other)] if len(order) else order
        for number in np.flatnonzero(np.arange(len(other)) < other).tolist():
            made = moose.GapJunction(f"/network/gap{number}")
            made.Gk = float(gaps.conductance[number]) * _MICRO
            for channel, half in (("channel1", number), ("channel2", int(other[number]))):
                node = self._node(int(gaps.gids[half]), gaps.section[half], gaps.position[half])
                moose.connect(made, channel, node, "channel")

    # --- inputs and reports ---------------------------------------------------------------------------------------

    def _inject(self) -> None:
        moose, lowered = self.model.moose, self.model.lowered
        step = lowered.settings.timestep
        steps = max(round(lowered.settings.duration / step), 1)
        made: dict[bytes, Any] = {}
        for item in lowered.injections:
            for place, gid in enumerate(item.gids.tolist()):
                begins, values = levels(item.course(place), step)
                if not len(begins):
                    continue
                course = np.zeros(steps + 1)
                index = np.searchsorted(begins, np.arange(steps), side="right") - 1
                # value k is that at the end of step k
                course[1:] = np.where(index >= 0, values[np.maximum(index, 0)], 0.0) * _NANO
                key = course.tobytes()
                if key not in made:
                    made[key] = moose.StimulusTable(f"/inputs/{len(made)}")
                    made[key].startTime, made[key].stopTime = 0.0, steps * step * _SECOND
                    made[key].vector = course
                node = self._node(gid, item.section[place], item.position[place])
                moose.connect(made[key], "output", node, "injectMsg")

    def _record(self) -> None:
        moose, lowered = self.model.moose, self.model.lowered
        for number, item in enumerate(lowered.recordings):
            tables = []
            for row, gid in enumerate(item.gids.tolist()):
                table = moose.Table(f"/tables/{number}_{row}")
                if item.variable.kind == "v":
                    node = self._node(gid, item.section[row], item.position[row])
                    moose.connect(table, "requestOut", node, "getVm")
                else:
                    place = _place(lowered.cables[lowered.cable[gid]], item.section[row], item.position[row])
                    moose.connect(table, "requestOut", self.model.cells[gid].pools[item.variable.ion, place], "getCa")
                tables.append(table)
            self.model.samples.append(tables)

    def _node(self, gid: int, section: Any, position: Any) -> Any:
        cable = self.model.lowered.cables[self.model.lowered.cable[gid]]
        return self.model.cells[gid].nodes[cable.circuit.node[_place(cable, section, position)]]


def _ranges(begins: np.ndarray, size: int) -> Iterator[tuple[int, int]]:
    """The parts of ``size`` rows that begin there, one after another."""
    return zip(begins.tolist(), np.append(begins, size)[1:].tolist(), strict=True)


def _place(cable: Cable, section: Any, position: Any) -> int:
    return int(cable.compartment(np.array([section]), np.array([position]))[0])


def _compartments(moose: Any, path: str, cable: Cable) -> list[Any]:
    """All compartments of a cell, parents before children."""
    circuit = cable.circuit
    nodes: list[Any] = []
    own = np.full(len(circuit.parent), -1, dtype=np.int64)
    own[circuit.node] = np.arange(len(circuit.node))
    columns = (own, circuit.parent, circuit.resistance)
    for number, (place, parent, resistance) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        made = moose.Compartment(f"{path}/n{number}")
        bare = place < 0
        leak = 0.0 if bare else float(cable.leak[place])
        made.Cm = capacitance = BARE if bare else float(cable.capacitance[place])
        made.Rm = 1.0 / leak if leak > 0 else _CLOSED
        made.Em = 0.0 if bare else float(cable.rest[place])
        made.Ra = resistance
        if capacitance < _LEAST or made.Ra != resistance:
            raise RunError(f"MOOSE takes no compartment of {capacitance:g} F and {resistance:g} ohm", where=cable.where)
        made.initVm = float(cable.initial[max(place, 0)])
        if parent >= 0:
            moose.connect(nodes[parent], "axial", made, "raxial")
        nodes.append(made)
    return nodes


def _gates(moose: Any, channel: Any, gates: tuple[Gate, ...]) -> None:
    """Give a channel its gates: that of a concentration is Z, where MOOSE looks for one."""
    ordered = sorted(gates, key=lambda gate: gate.of_ion)
    letters = [*_GATES[: len(ordered) - 1], "Z"] if ordered and ordered[-1].of_ion else list(_GATES[: len(ordered)])
    instant = 0
    for letter, gate in zip(letters, ordered, strict=True):
        setattr(channel, f"{letter}power", gate.power)
        grid = CONCENTRATIONS if gate.of_ion else POTENTIALS * _VOLT
        made = moose.element(f"{channel.path}/gate{letter}")
        made.min, made.max, made.divs = float(grid[0]), float(grid[-1]), len(grid) - 1
        made.tableA, made.tableB, made.useInterpolation = gate.a, gate.b, True
        instant |= gate.instant << _GATES.index(letter)
    channel.instant = instant
    channel.useConcentration = bool(ordered) and ordered[-1].of_ion
