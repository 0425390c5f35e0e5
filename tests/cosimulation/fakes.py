"""Parts without a simulator: cells that fire every ms, and what goes wrong in a process."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

from pynn_io.lowering import Trains
from pynn_io.lowering.cells import is_proxy
from pynn_io.results import Results, Spikes
from tests.running.fake import Well


class Clock(Well):
    """Every cell fires at every full ms. What was injected comes back in the provenance."""

    lag, backdates = 0, False

    def lower(self, network, plan, report):
        own = {name: item for name, item in network.populations.items() if not is_proxy(item, network)}
        return {"ids": {name: item.ids() for name, item in own.items()}, "duration": plan.duration}

    def build(self, lowered, profile, report, progress):
        return {"work": profile.work, "now": 0.0, "injected": [], **lowered}

    def begin(self, model, outlets):
        model["outlets"] = outlets

    def advance(self, model, until):
        model["before"], model["now"] = model["now"], until

    def new_spikes(self, model):
        times = np.arange(np.floor(model["before"]) + 1, np.floor(model["now"]) + 1)
        return {name: self._each(model["ids"][name], times) for name in model["outlets"]}

    def _each(self, ids, times):
        return Trains(np.repeat(np.arange(len(ids)), len(times)), np.tile(times, len(ids)))

    def inject(self, model, spikes):
        model["injected"] += [
            (model["now"], name, int(row), float(time))
            for name, item in spikes.items()
            for row, time in zip(item.rows, item.times, strict=True)
        ]

    def end(self, model):
        pass

    def collect(self, model, lowered):
        times = np.arange(1.0, model["duration"] + 1)
        spikes = {
            name: Spikes(name, np.tile(ids, len(times)), np.repeat(times, len(ids)))
            for name, ids in model["ids"].items()
        }
        provenance = {"injected": model["injected"], "process": os.getpid()}
        return Results(spikes, nodes=model["ids"], duration=model["duration"], provenance=provenance)


class Lagging(Clock):
    lag = 1


class Backdating(Clock):
    backdates = True


class Losing(Clock):
    def lower(self, network, plan, report):
        report.lost("fake-loss", "population x", "the fake backend has no such thing")
        return super().lower(network, plan, report)


class Silent(Clock):
    """Has no sources, if there are any."""

    def lower(self, network, plan, report):
        if "s" in network.populations:
            report.lost("fake-source", "population s", "the fake backend has no sources", count=4)
        return super().lower(network, plan, report)


class _At(Clock):
    """Does something at 5 ms; its process id is in the file FAKE_MARK."""

    def advance(self, model, until):
        super().advance(model, until)
        if model["before"] < 5.0 <= until:
            Path(os.environ["FAKE_MARK"]).write_text(str(os.getpid()))
            self.act()

    def act(self):
        raise NotImplementedError


class Raising(_At):
    def act(self):
        raise ValueError("the membrane has a hole")


class Crashing(_At):
    def act(self):
        os.write(1, b"assertion failed: membrane\n")
        os.kill(os.getpid(), signal.SIGSEGV)


class Leaving(_At):
    def act(self):
        os._exit(0)


class Hanging(_At):
    def act(self):
        time.sleep(3600)


class NotBuilt(Clock):
    def build(self, lowered, profile, report, progress):
        raise ValueError("no such membrane")


class Flooding(Clock):
    """Sends 16 MB an epoch, far beyond what a pipe holds."""

    def new_spikes(self, model):
        rows = np.zeros(1_000_000, dtype=np.int64)
        return {name: Trains(rows, np.full(len(rows), model["now"])) for name in model["outlets"]}

    def inject(self, model, spikes):
        model["injected"] += [len(item.times) for item in spikes.values()]
