"""The result of a chip: what was mapped onto it, with the fidelity report, and what it recorded if it ran at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynn_io.graph.network import Network
from pynn_io.results.fidelity import Fidelity, Wires
from pynn_io.results.results import Results

if TYPE_CHECKING:
    from pynn_io.simulation_plan import SimulationPlan

#: The level of a run on another simulator with the numbers that a chip stores.
EMULATED = "emulates"


@dataclass(frozen=True, slots=True, eq=False)
class Mapped(Results):
    """``level`` is ``maps`` or, on a board, ``executes``.

    network, plan: as the chip stores them: weights, delays and input spikes after rounding; one projection for each of
    the chip's, none of the sources' own rates. wires: of each of its projections, connections asked for and stored,
    side by side.
    """

    fidelity: Fidelity | None = None
    network: Network | None = None
    plan: SimulationPlan | None = None
    wires: tuple[tuple[Wires, Wires], ...] = ()
