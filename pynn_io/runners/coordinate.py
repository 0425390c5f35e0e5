"""Runs the parts of a co-simulation as child processes and carries spikes between them: the parent's side.

`pynn_io.runners.exchange` is the other side, `pynn_io.runners.launch` what a run of one process takes.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NoReturn

from pynn_io.errors import PynnIOError, RunError, SimulationFailed
from pynn_io.lowering.cosimulation.epochs import Epochs
from pynn_io.report import Report
from pynn_io.runners.exchange import Exchange, Message
from pynn_io.runners.job import Job, Outcome
from pynn_io.runners.launch import FULL_DISK, POLL, Listener, Voice, outcomes, started, tail


@dataclass(frozen=True, slots=True)
class Turn:
    """A part to run.

    name: for messages. lead: how much later than their cells its proxies fire, ms. inlets, outlets: populations whose
    spikes it is sent, and that it sends.
    """

    name: str
    job: Job
    lead: float
    inlets: tuple[str, ...]
    outlets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Child:
    turn: Turn
    folder: Path
    process: subprocess.Popen[bytes]
    line: Connection
    voice: Voice
    listener: Listener

    def outcome(self) -> Outcome:
        """What it handed back after it ended. Raises its error, with its name."""
        try:
            return outcomes(self.folder, 1, self.process.returncode)[0]
        except PynnIOError as error:
            error.where = f"{self.turn.name}: {error.where}" if error.where else self.turn.name
            raise


def run_parts(
    turns: Sequence[Turn],
    epochs: Epochs,
    folder: Path,
    listener: Listener,
    *,
    shared: Collection[str] = (),
    timeout: float | None = None,
) -> tuple[Outcome, ...]:
    """Run all parts side by side to the end; gives what each handed back. folder: holds one of each part's own.

    shared: places of reports that several parts have, and each tells of.

    Raises the typed error of the first part that fails, and SimulationFailed after ``timeout`` seconds; no process is
    left behind.
    """
    with ExitStack() as stack:
        children = _started(turns, epochs, folder, _Reports(len(turns), listener, shared), stack)
        watch = _Watch(children, timeout)
        for until in epochs.stops()[:-1].tolist():
            _exchange(children, watch)
            listener.progress("simulating", until, epochs.duration)
        while any(child.process.poll() is None for child in children):
            watch.look()
            time.sleep(POLL)
        watch.look(last=True)
        found = tuple(child.outcome() for child in children)
        listener.progress("simulating", epochs.duration, epochs.duration)
        return found


def _started(
    turns: Sequence[Turn], epochs: Epochs, folder: Path, said: _Reports, stack: ExitStack
) -> tuple[_Child, ...]:
    children = []
    for number, turn in enumerate(turns):
        own = folder / str(number)
        try:
            own.mkdir(exist_ok=True)
        except OSError as error:
            raise RunError(f"the run cannot be prepared: {error}", where=own, hint=FULL_DISK) from error
        line, other = Pipe()
        stack.enter_context(line)
        with other:
            exchange = Exchange(other.fileno(), epochs, turn.lead, turn.outlets)
            job = replace(turn.job, exchange=exchange, profile=replace(turn.job.profile, work=own))
            process = stack.enter_context(started(job, own))
        children.append(_Child(turn, own, process, line, Voice(own), said.listener(turn.name)))
    return tuple(children)


def _exchange(children: Sequence[_Child], watch: _Watch) -> None:
    """The spikes of one epoch: hear every part, then send each what it is waiting for."""
    spikes: Message = {}
    silent = list(children)
    while silent:
        ready = wait([child.line for child in silent], POLL)
        for child in [child for child in silent if child.line in ready]:
            spikes |= watch.heard(child)
            silent.remove(child)
        watch.look()
    for child in children:
        watch.send(child, {name: spikes[name] for name in child.turn.inlets})


class _Watch:
    """Over all parts: what they say is passed on, and one that ends too early ends the run."""

    def __init__(self, children: Sequence[_Child], timeout: float | None) -> None:
        self._children, self._timeout, self._began, self._last = children, timeout, time.monotonic(), 0.0

    def look(self, *, last: bool = False) -> None:
        """Now and then, and a last time when all have ended, so that nothing that they said stays unheard.

        Raises SimulationFailed when the time is over, and the error of a part that failed.
        """
        now = time.monotonic()
        if now - self._last < POLL and not last:
            return
        self._last = now
        for child in self._children:
            child.voice.forward(child.listener)
            if child.process.poll():
                child.outcome()
        if self._timeout is not None and now - self._began > self._timeout:
            folder = self._children[0].folder
            raise SimulationFailed(f"stopped after {self._timeout:g} s", log=tail(folder), folder=folder.parent)

    def heard(self, child: _Child) -> Message:
        """The spikes that a part has sent. Raises its error if it has ended instead."""
        message: Message | None = None
        with suppress(EOFError, ConnectionError):
            message = child.line.recv()
        if message is None:
            self._raise(child)
        return message

    def send(self, child: _Child, message: Message) -> None:
        """Raises the part's error if it has ended instead of waiting."""
        sent = False
        with suppress(ConnectionError):
            child.line.send(message)
            sent = True
        if not sent:
            self._raise(child)

    def _raise(self, child: _Child) -> NoReturn:
        """The error of a part that has left, however it put it."""
        child.process.wait()
        child.voice.forward(child.listener)
        child.outcome()
        raise SimulationFailed("it ended before the others", where=child.turn.name, folder=child.folder)


class _Reports:
    """What the parts' lowering cannot honour, told as one when all have said it."""

    def __init__(self, count: int, listener: Listener, shared: Collection[str]) -> None:
        self._missing, self._listener, self._shared = count, listener, shared
        self._found: Report | None = None

    def listener(self, name: str) -> Listener:
        """For one part: its progress goes by its name."""

        def progress(what: str, done: float, total: float) -> None:
            self._listener.progress(f"{what} ({name})", done, total)

        return Listener(progress, self._listener.log, self._lowered)

    def _lowered(self, report: Report) -> None:
        self._found = (self._found or Report(report.allowed)).include(report, self._shared)
        self._missing -= 1
        if not self._missing and self._listener.lowered is not None:
            self._listener.lowered(self._found)
