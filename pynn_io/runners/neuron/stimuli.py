"""What is put into cells. Spike trains of sources are no concern of this module: see `LoweredNeuron.trains`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import CurrentPulses, PoissonTrains, SpikeTrains, Stimulus, kind_of
from pynn_io.lowering import targets
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

if TYPE_CHECKING:
    from pynn_io.runners.neuron.lowered import LoweredNeuron
    from pynn_io.runners.neuron.model import Model


@dataclass(frozen=True, slots=True, eq=False)
class Pulses:
    """Current pulses into every cell of ``gids`` (int64): nA and ms, one entry a pulse."""

    name: str
    gids: np.ndarray
    amplitudes: np.ndarray
    delays: np.ndarray
    durations: np.ndarray
    section: str
    position: float


def lower(network: Network, plan: SimulationPlan, first: Mapping[str, int], report: Report) -> tuple[Any, ...]:
    """The stimuli of the plan but the spike trains; those that NEURON is not given are reported LOST by name."""
    lowered = []
    for stimulus in plan.stimuli:
        if isinstance(stimulus.what, SpikeTrains | PoissonTrains):
            continue
        if isinstance(stimulus.what, CurrentPulses):
            lowered.append(_pulses(stimulus, stimulus.what, network, plan, first))
        else:
            message = f"Stimulus {stimulus.name!r} ({kind_of(stimulus.what)}) is not applied on NEURON."
            report.lost("stimulus", f"stimuli/{stimulus.name}", message)
    return tuple(lowered)


def _pulses(
    stimulus: Stimulus, what: CurrentPulses, network: Network, plan: SimulationPlan, first: Mapping[str, int]
) -> Pulses:
    rows = targets(stimulus.node_set, network, plan)
    gids = np.concatenate([np.zeros(0, dtype=np.int64), *(found + first[name] for name, found in rows.items())])
    return Pulses(
        stimulus.name, gids, what.amplitudes, what.delays, what.durations, stimulus.section, stimulus.position
    )


def apply(model: Model, lowered: LoweredNeuron, report: Report) -> None:
    """Make the stimuli of the cells that are on this rank; what NEURON must not forget goes into ``model.keep``."""
    from neuron import h

    for item in lowered.stimuli:
        for gid in item.gids.tolist():
            cell = model.cells.get(gid)
            if cell is None:
                continue
            for amplitude, delay, duration in zip(item.amplitudes, item.delays, item.durations, strict=True):
                clamp = h.IClamp(cell.soma(item.position))
                clamp.amp, clamp.delay, clamp.dur = float(amplitude), float(delay), float(duration)
                model.keep.append(clamp)
