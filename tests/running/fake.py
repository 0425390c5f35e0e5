"""Backends without a simulator: each does one thing that a real one does only by accident."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from pynn_io.errors import RunError
from pynn_io.registry import Backend
from pynn_io.results import Results, Spikes, Trace

HERE = "tests.running.fake"


class Well:
    """Every cell of the first population fires once, at its own id in ms."""

    def lower(self, network, plan, report):
        population = next(iter(network.populations.values()))
        report.defaulted("fake-default", "plan", "the fake backend fills something in")
        return {"name": population.name, "ids": population.ids(), "duration": plan.duration}

    def build(self, lowered, profile, report, progress):
        progress("building", len(lowered["ids"]), len(lowered["ids"]))
        print("fake simulator, banner", flush=True)
        return {"work": profile.work, "threads": profile.threads, **lowered}

    def run(self, model, progress):
        for step in range(11):
            progress("simulating", step * model["duration"] / 10, model["duration"])

    def collect(self, model, lowered):
        ids = lowered["ids"]
        spikes = Spikes(lowered["name"], ids, ids.astype(float))
        return Results(
            {lowered["name"]: spikes},
            nodes={lowered["name"]: ids},
            duration=lowered["duration"],
            provenance={"timestep": 0.5, "folder": os.getcwd(), "process": os.getpid()},
        )


class Later(Well):
    """The same, 3 ms later."""

    def collect(self, model, lowered):
        results = super().collect(model, lowered)
        spikes = results.spikes[lowered["name"]]
        moved = replace(spikes, times=spikes.times + 3.0)
        return replace(results, spikes={lowered["name"]: moved})


class Silent(Well):
    """Nothing fires."""

    def collect(self, model, lowered):
        none = Spikes(lowered["name"], np.zeros(0, dtype=np.int64), np.zeros(0))
        return replace(super().collect(model, lowered), spikes={lowered["name"]: none})


class Loses(Well):
    """Says while lowering that something is lost; leaves a mark if it is asked to build all the same."""

    def lower(self, network, plan, report):
        report.lost("fake-loss", "population x", "the fake backend has no such thing")
        return super().lower(network, plan, report)

    def build(self, lowered, profile, report, progress):
        Path(os.environ["FAKE_MARK"]).touch()
        return super().build(lowered, profile, report, progress)


class LosesLate(Well):
    """Finds out while building that something is lost; leaves a mark if it is asked to run all the same."""

    def build(self, lowered, profile, report, progress):
        report.lost("fake-late-loss", "population x", "the fake backend's cells have no such thing")
        return super().build(lowered, profile, report, progress)

    def run(self, model, progress):
        Path(os.environ["FAKE_MARK"]).touch()
        super().run(model, progress)


class Raises(Well):
    def run(self, model, progress):
        print("about to fail", flush=True)
        raise ValueError("the membrane has a hole")


class RaisesTyped(Well):
    def build(self, lowered, profile, report, progress):
        raise RunError("no mechanism NaTs", where="cell bio_100", hint="pass --mechanisms")


class NeedsPackage(Well):
    def build(self, lowered, profile, report, progress):
        import surely_not_installed_simulator  # noqa: F401


class Exits(Well):
    """What a simulator does that ends the process itself."""

    def run(self, model, progress):
        print("hoc error: nothing left to do", flush=True)
        os._exit(3)


class Crashes(Well):
    def run(self, model, progress):
        os.write(1, b"assertion failed: membrane\n")
        os.kill(os.getpid(), signal.SIGSEGV)


class Hangs(Well):
    """Runs for an hour; says when it is on its way, and its process id in the file FAKE_MARK."""

    def run(self, model, progress):
        Path(os.environ["FAKE_MARK"]).write_text(str(os.getpid()))
        for step in range(36_000):
            progress("simulating", step * model["duration"] / 36_000, model["duration"])
            time.sleep(0.1)


class Unpicklable(Well):
    def collect(self, model, lowered):
        return Results(provenance={"generator": (number for number in range(3))})


class Chatty(Well):
    """Prints 20 MB, from C as well as from Python."""

    def run(self, model, progress):
        for number in range(200_000):
            print(f"step {number:9} " + "x" * 80)
        sys.stdout.flush()
        os.write(2, b"the last line\n")
        os._exit(1)


class Big(Well):
    """Results of 80 MB."""

    def collect(self, model, lowered):
        times = np.arange(5_000_000, dtype=float)
        return Results({"x": Spikes("x", times.astype(np.int64), times)})


class Records(Well):
    """A recording of 500 kB here, and twice as much in a SONATA report."""

    def collect(self, model, lowered):
        trace = Trace(
            "soma", lowered["name"], "v", "mV", np.random.rand(62_500, 4).astype(np.float16), np.arange(4), 0.0, 0.1
        )
        return replace(super().collect(model, lowered), traces=(trace,))


def backend(kind: type, **more: str) -> Backend:
    return Backend(kind.__name__.lower(), f"Fake {kind.__name__}", f"{HERE}:{kind.__name__}", "executes", **more)


# As entry points of another package name them.
well, later, silent, loses, raises, exits, crashes, hangs, records = map(
    backend, (Well, Later, Silent, Loses, Raises, Exits, Crashes, Hangs, Records)
)
again = replace(well, name="again")
absent = replace(well, name="absent", extra="fake", package="surely_not_installed_simulator")
