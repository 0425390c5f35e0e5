"""Small networks that chips can hold, and what makes each of them one that they cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn_io.graph import Network, PointCell, Population, Projection, SpikeSource, Synapse
from pynn_io.graph.stimuli import SpikeTrains, Stimulus
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.models import edges, table

#: One synaptic time constant and no refractory time to speak of, so that every chip takes it.
CELL = {
    "v_rest": -65.0,
    "cm": 1.0,
    "tau_m": 20.0,
    "tau_refrac": 1.0,
    "v_reset": -65.0,
    "v_thresh": -50.0,
    "i_offset": 0.0,
    "tau_syn_E": 5.0,
    "tau_syn_I": 5.0,
}


def network(
    size: int = 10,
    *,
    cell: PointCell | None = None,
    synapse: Synapse | None = None,
    kind: str = "chemical",
    unit: str = "nA",
    receptor: str = "",
    weight: Any = 0.5,
    delay: Any = 1.0,
    pairs: tuple[list[int], list[int]] = ([0, 0, 1], [0, 1, 2]),
    more: Mapping[str, Projection] | None = None,
) -> Network:
    """A source of two onto ``size`` cells, by three connections unless told otherwise."""
    own = {} if delay is None else {"delay": np.broadcast_to(delay, len(pairs[0])).tolist()}
    ends = edges(*pairs, weight=np.broadcast_to(weight, len(pairs[0])).tolist(), **own)
    types = table(1, synapse=["syn"], weight_unit=[unit], **({"receptor": [receptor]} if receptor else {}))
    return Network(
        "made",
        {
            "in": Population("in", 2, table(1, cell=["source"])),
            "cells": Population("cells", size, table(1, cell=["cell"])),
        },
        {"in_to_cells": Projection("in_to_cells", "in", "cells", types, ends, kind=kind), **(more or {})},
        {"source": SpikeSource(), "cell": cell or PointCell("IF_curr_exp", CELL)},
        {"syn": synapse or Synapse("static")},
    )


def plan(
    *recordings: Recording, spikes: tuple[float, ...] = (1.0, 2.0), timestep: float | None = 1.0, **more: Any
) -> SimulationPlan:
    """100 ms in steps of 1 ms; both sources fire at ``spikes``."""
    ids, times = np.repeat([0, 1], len(spikes)), np.tile(np.asarray(spikes, dtype=float), 2)
    stimulus = Stimulus("trains", SpikeTrains("in", ids, times), "in")
    return SimulationPlan(
        "made",
        **{"duration": 100.0, "timestep": timestep, "stimuli": (stimulus,), "recordings": recordings, **more},
    )


def voltage(name: str = "v", population: str = "cells", **more: Any) -> Recording:
    return Recording(name, more.pop("variable", "v"), {"population": population}, **more)
