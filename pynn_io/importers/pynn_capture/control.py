"""``setup()`` and what else controls a simulation: nothing runs, and ``run()`` returns at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyNN import common
from pyNN.common.control import DEFAULT_MAX_DELAY, DEFAULT_MIN_DELAY, DEFAULT_TIMESTEP

from pynn_io.importers.pynn_capture import simulator
from pynn_io.importers.pynn_capture.simulator import Session, state


def setup(
    timestep: float = DEFAULT_TIMESTEP, min_delay: Any = DEFAULT_MIN_DELAY, max_delay: Any = None, **extra_params: Any
) -> int:
    """Begins a new network. The keywords of any backend are taken."""
    if max_delay is not None:
        extra_params["max_delay"] = max_delay
    common.setup(timestep, min_delay, **extra_params)
    state.begin(Session(float(timestep), min_delay, dict(extra_params)))
    longest = extra_params.get("max_delay", DEFAULT_MAX_DELAY)
    state.max_delay = float("inf") if longest == "auto" else longest
    return 0


def end(compatible_output: bool = True) -> None:
    """Nothing is written."""


run, run_until = common.build_run(simulator)
run_for = run
reset = common.build_reset(simulator)
initialize = common.initialize
get_current_time, get_time_step, _, get_max_delay, num_processes, rank = common.build_state_queries(simulator)


def get_min_delay() -> float:
    """The least delay, ms: as stated in ``setup()``, else that of the connections, else the time step."""
    delays = [projection.columns["delay"] for projection in state.session.projections if "delay" in projection.columns]
    if state.min_delay != "auto" or not delays:
        return state.shortest_delay()
    return float(min(np.min(delay) for delay in delays))
