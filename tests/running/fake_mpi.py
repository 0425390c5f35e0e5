"""A runner on NEURON's MPI that simulates nothing: every rank says who it is."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np

from pynn_io.results import Results, Spikes
from tests.running.fake import Well


class Ranks(Well):
    def join(self):
        from neuron import h

        h.nrnmpi_init()
        self.context = h.ParallelContext()
        return int(self.context.id()), int(self.context.nhost())

    def leave(self):
        from neuron import h

        h.ParallelContext().barrier()
        h.quit()

    def build(self, lowered, profile, report, progress):
        return {**lowered, "rank": int(self.context.id())}

    def collect(self, model, lowered):
        ids = np.array(sorted(int(rank) for rank in self.context.py_allgather(model["rank"])))
        return Results({"ranks": Spikes("ranks", ids, ids.astype(float))})


class OneRaises(Ranks):
    """The second rank fails while the first waits for it."""

    def run(self, model, progress):
        if model["rank"] == 1:
            raise ValueError("only here")
        self.context.barrier()


class OneCrashes(OneRaises):
    def run(self, model, progress):
        if model["rank"] == 1:
            os.write(2, b"assertion failed on one rank\n")
            os.kill(os.getpid(), signal.SIGSEGV)
        self.context.barrier()


class Waits(Ranks):
    """Every rank writes its process id and waits for good."""

    def run(self, model, progress):
        Path(os.environ["FAKE_MARK"] + str(model["rank"])).write_text(str(os.getpid()))
        signal.pause()


class Alone(Ranks):
    """MPI that does not start: every process takes itself for the only one."""

    def join(self):
        return 0, 1
