"""What a runner is: four steps from a network and a plan to results, of which only the later ones need a simulator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pynn_io.errors import BackendUnavailable
from pynn_io.graph.columns import empty
from pynn_io.graph.network import Network
from pynn_io.lowering import Trains
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.simulation_plan import SimulationPlan


@dataclass(frozen=True, slots=True)
class Profile:
    """How to run, apart from what: nothing here may change a result, but for what a simulator draws itself.

    threads: of one process. processes: MPI ranks. mechanisms: folders of ``.mod`` files, beside those that the network
    names. work: folder for logs and files that the run needs and nobody keeps. options: of one backend, by name
    (``coreneuron``). writer: ``module:function`` of the format that a backend reads its models from, if it does.
    stream: the number of a part of a co-simulation: simulators of one seed then draw from a stream of each part's own.
    """

    threads: int = 1
    processes: int = 1
    mechanisms: tuple[Path, ...] = ()
    work: Path | None = None
    options: Mapping[str, Any] = field(default_factory=empty)
    writer: str = ""
    stream: int = 0


class Runner(Protocol):
    """One backend. ``lower`` is pure and imports no simulator, so that it is tested without one."""

    def lower(self, network: Network, plan: SimulationPlan, report: Report) -> Any:
        """Network and plan in the backend's own words and units: plain data. What it cannot do goes into the report."""

    def build(self, lowered: Any, profile: Profile, report: Report, progress: Progress) -> Any:
        """Make it in the simulator; the first import of it. Raises BackendUnavailable, RunError."""

    def run(self, model: Any, progress: Progress) -> None:
        """Run to the plan's end; ``progress("simulating", ms so far, ms in all)``. Raises SimulationFailed."""

    def collect(self, model: Any, lowered: Any) -> Results:
        """What was recorded, under the populations and ids of the network."""


@runtime_checkable
class DistributedRunner(Runner, Protocol):
    """A runner that works on several MPI ranks, every rank taking all four steps. ``collect`` gathers on rank 0."""

    def join(self) -> tuple[int, int]:
        """Start MPI in this process; its rank and the number of ranks. Called before ``lower``."""

    def leave(self) -> None:
        """Wait for the other ranks and end MPI; may end the process. Called when the outcome has been written."""


class Stepping(Protocol):
    """A run in steps, in place of `Runner.run`: what co-simulation asks for."""

    def begin(self, model: Any, outlets: Sequence[str]) -> None:
        """Make ready to run. outlets: populations whose spikes will be asked for."""

    def advance(self, model: Any, until: float) -> None:
        """Run to a time, ms. Raises SimulationFailed."""

    def new_spikes(self, model: Any) -> Mapping[str, Trains]:
        """The spikes of every outlet that have become known since the last call; in any order, by ROWS."""

    def inject(self, model: Any, spikes: Mapping[str, Trains]) -> None:
        """Let proxies (by population and row) fire up to the next stop; sorted by row, then time (ms).

        Called once at each stop. The times are still to come unless the runner ``backdates``.
        """

    def end(self, model: Any) -> None:
        """Let the recordings of the last steps come in. Called after the plan's end is reached."""


@runtime_checkable
class SteppedRunner(Runner, Stepping, Protocol):
    """A runner that can stop, hand spikes out and take spikes in.

    lag: steps by which it tells of a spike later than its time, at most. backdates: whether proxies may fire at a time
    that is past, as long as their spikes are still to arrive.
    """

    lag: int
    backdates: bool


class InSteps(ABC):
    """The steps of a `SteppedRunner` as functions of a module, which is loaded when the first of them is called."""

    @abstractmethod
    def stepping(self) -> Stepping:
        """The module."""

    def begin(self, model: Any, outlets: Sequence[str]) -> None:
        self.stepping().begin(model, outlets)

    def advance(self, model: Any, until: float) -> None:
        self.stepping().advance(model, until)

    def new_spikes(self, model: Any) -> Mapping[str, Trains]:
        return self.stepping().new_spikes(model)

    def inject(self, model: Any, spikes: Mapping[str, Trains]) -> None:
        self.stepping().inject(model, spikes)

    def end(self, model: Any) -> None:
        self.stepping().end(model)


def stepped(runner: Runner) -> SteppedRunner:
    """The runner. Raises BackendUnavailable for one that runs in one piece."""
    if not isinstance(runner, SteppedRunner):
        raise BackendUnavailable(
            f"{type(runner).__name__} runs in one piece, and cannot exchange spikes while it runs",
            hint="co-simulations are of simulators whose runners can stop: nest, neuron",
        )
    return runner


def join(runner: Runner) -> tuple[int, int]:
    """`DistributedRunner.join`. Raises BackendUnavailable for a runner of one process only."""
    return _distributed(runner).join()


def leave(runner: Runner) -> None:
    """`DistributedRunner.leave`. Raises BackendUnavailable for a runner of one process only."""
    _distributed(runner).leave()


def _distributed(runner: Runner) -> DistributedRunner:
    if not isinstance(runner, DistributedRunner):
        raise BackendUnavailable(f"{type(runner).__name__} runs in one process only", hint="leave --processes out")
    return runner
