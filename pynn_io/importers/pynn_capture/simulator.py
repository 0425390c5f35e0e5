"""The state of the recording backend: what a script has built, and when it first asked for it to be run.

Nothing is simulated. The first `run` freezes what is there (`Session.frozen`): that is the network which a simulation
would have begun with. What a script changes later belongs to no network that a file can hold, and is noted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyNN import common

name = "pynn_io"


class ID(int, common.IDMixin):
    """A cell as PyNN shows it to a script: a number that knows its population."""

    def __init__(self, number: int) -> None:
        common.IDMixin.__init__(self)


@dataclass(slots=True)
class Session:
    """What was built since one ``setup()``, in the order of building.

    runs: ms, those from time 0 on, up to a ``reset()``. resets: how often a script began again at 0 after a run.
    edits: ``(what was changed, at which ms)`` after the first run. unrecorded: ``variable of cell type`` that only the
    script's own backend records. capacities: populations whose ``cm`` was set, and their ``tau_m`` not with it, before
    that. notes: calls that could not do what they do on a
    simulator, by name. frozen: what `freeze` made of it at the first run.
    """

    timestep: float = common.control.DEFAULT_TIMESTEP
    min_delay: Any = common.control.DEFAULT_MIN_DELAY
    options: dict[str, Any] = field(default_factory=dict)
    populations: list[Any] = field(default_factory=list)
    views: list[Any] = field(default_factory=list)
    assemblies: list[Any] = field(default_factory=list)
    projections: list[Any] = field(default_factory=list)
    injections: list[tuple[Any, Any, Any]] = field(default_factory=list)
    files: list[tuple[Any, Any, str]] = field(default_factory=list)
    runs: list[float] = field(default_factory=list)
    resets: int = 0
    edits: list[tuple[str, float]] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    capacities: list[Any] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    frozen: Any = None

    def note(self, call: str) -> None:
        """Count a call that has nothing to give."""
        self.notes[call] = self.notes.get(call, 0) + 1


class State(common.control.BaseState):
    """What PyNN's own classes ask of a backend, and the sessions of a script."""

    def __init__(self) -> None:
        super().__init__()
        self.mpi_rank = 0
        self.num_processes = 1
        self.max_delay: Any = math.inf
        self.sessions: list[Session] = []
        #: Seeds of the random number generators that a script makes.
        self.seeds: list[Any] = []
        #: The backends whose modules a script has imported, in order.
        self.backends: list[str] = []
        #: What the first run of a session makes of it; the process that runs the script sets it.
        self.freeze: Callable[[Session], Any] = lambda session: session
        self.begin(Session())

    @property
    def session(self) -> Session:
        """The one at work."""
        return self.sessions[-1]

    def begin(self, session: Session) -> None:
        """A new network, as ``setup()`` makes it. One that holds nothing yet is replaced."""
        if self.sessions and not self.session.populations:
            self.sessions.pop()
        self.sessions.append(session)
        self.dt = session.timestep
        self.min_delay = session.min_delay
        self.recorders: set[Any] = set()
        self.write_on_end: list[Any] = []
        self.id_counter = 0
        self.segment_counter = -1
        self.reset()

    def reset(self) -> None:
        """Back to time 0, as PyNN's ``reset()`` asks for."""
        if self.sessions and self.session.runs:
            self.session.resets += 1
        self.running = False
        self.t = 0.0
        self.t_start = 0.0
        self.segment_counter += 1

    def run(self, duration: float) -> None:
        self.run_until(self.t + duration)

    def run_until(self, stop: float) -> None:
        """Nothing happens until then. The first time that there is any, the network is frozen: ``run(0)`` only makes
        simulators ready, and what a script changes after it holds from the start."""
        session = self.session
        if session.frozen is None and float(stop) > self.t:
            session.frozen = self.freeze(session)
        if not session.resets:
            session.runs.append(float(stop) - self.t)
        self.t = float(stop)
        self.running = True

    def edited(self, what: str) -> None:
        """Note a change; before the first run it is part of building the network."""
        if self.session.frozen is not None:
            self.session.edits.append((what, self.t))

    def shortest_delay(self) -> float:
        """The delay of a connection that states none, ms."""
        return float(self.dt if self.min_delay == "auto" else self.min_delay)


state = State()
