"""SpiNNaker through sPyNNaker. Without a board the network is mapped onto a virtual one, and nothing is executed.

Mapped means: split onto cores, placed, routed, and its data specifications generated, by sPyNNaker's own code. What a
virtual board records is empty, so no such data is ever returned: the result is a `Mapped`, with the fidelity report.
Options of the profile: ``board`` (host name of a board of 48 chips), ``spalloc`` (URL of a server of boards).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pynn_io.errors import SimulationFailed
from pynn_io.graph.network import Network
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.base import Profile
from pynn_io.runners.spinnaker.config import Board, board_of, configure
from pynn_io.runners.spinnaker.lower import Lowered, lower
from pynn_io.simulation_plan import SimulationPlan

if TYPE_CHECKING:
    from pynn_io.runners.spinnaker.build import Model

__all__ = ["Lowered", "SpinnakerRunner"]


class SpinnakerRunner:
    """The four steps of `pynn_io.runners.base.Runner` on sPyNNaker."""

    def lower(self, network: Network, plan: SimulationPlan, report: Report) -> Lowered:
        return lower(network, plan, report)

    def build(self, lowered: Lowered, profile: Profile, report: Report, progress: Progress) -> Model:
        board: Board = board_of(profile.options)
        # sPyNNaker looks for its settings in the user's home, and writes there what it misses
        configure(board, Path.cwd() if profile.work is None else profile.work)
        from pynn_io.runners.spinnaker.build import build

        return build(lowered, board, report, progress)

    def run(self, model: Model, progress: Progress) -> None:
        from pynn_io.runners.pynn.build import errors

        end = model.lowered.pynn.plan.duration
        what = "mapping" if model.board.is_virtual else "simulating"
        progress(what, 0.0, end)
        with errors(f"{what} on {model.board}", SimulationFailed, model.board.hint):
            model.built.sim.run(end)
        progress(what, end, end)

    def collect(self, model: Model, lowered: Lowered) -> Results:
        from pynn_io.runners.spinnaker.collect import collect

        return collect(model)
