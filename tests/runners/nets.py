"""Point networks of our own, made in the graph: the same ones run on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.stimuli import SpikeTrains, Stimulus
from pynn_io.graph.synapses import Synapse
from pynn_io.simulation_plan import Recording, SimulationPlan

#: Milliseconds of the runs, and of their steps.
DURATION, STEP = 500.0, 0.1
SOURCES, EXCITATORY, INHIBITORY = 100, 80, 20


def column(values: Any) -> Column:
    if isinstance(values, list) and values and isinstance(values[0], str):
        return text_column(values)
    return Column(np.asarray(values) if isinstance(values, list) else values)


def table(size: int, **columns: Any) -> Table:
    """``parameters__v`` stands for ``parameters:v``."""
    return Table(size, {name.replace("__", ":"): column(values) for name, values in columns.items()})


def conductance_network() -> tuple[Network, SimulationPlan]:
    """IF_cond_exp: 80 excitatory and 20 inhibitory cells, recurrent, driven by given trains. Weights in uS."""
    cell = PointCell(
        "IF_cond_exp",
        {
            "cm": 0.25, "tau_m": 15.0, "tau_refrac": 2.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0,
            "tau_syn_E": 2.0, "tau_syn_I": 5.0, "e_rev_E": 0.0, "e_rev_I": -75.0, "i_offset": 0.1,
        },
    )  # fmt: skip
    return _network(cell, "uS", (0.006, 0.003, 0.012)), _plan()


def current_network() -> tuple[Network, SimulationPlan]:
    """The same with IF_curr_exp: weights in nA, inhibitory ones negative."""
    cell = PointCell(
        "IF_curr_exp",
        {
            "cm": 0.25, "tau_m": 15.0, "tau_refrac": 2.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0,
            "tau_syn_E": 2.0, "tau_syn_I": 5.0, "i_offset": 0.1,
        },
    )  # fmt: skip
    return _network(cell, "nA", (0.3, 0.15, -0.3)), _plan()


def _network(cell: PointCell, unit: str, weights: tuple[float, float, float]) -> Network:
    """weights: of sources, of excitatory and of inhibitory cells."""
    random = np.random.default_rng(11)
    populations = [
        Population("input", SOURCES, table(1, cell=["source"])),
        Population(
            "exc", EXCITATORY, table(1, cell=["cell"]),
            table=table(EXCITATORY, parameters__v=random.uniform(-65.0, -50.0, EXCITATORY)),
        ),
        Population(
            "inh", INHIBITORY, table(1, cell=["cell"]),
            table=table(INHIBITORY, parameters__tau_m=random.uniform(8.0, 12.0, INHIBITORY)),
        ),
    ]  # fmt: skip
    drive, excite, inhibit = weights
    made = [
        _projection("input", "exc", populations, 800, drive, unit, "excitatory", random),
        _projection("input", "inh", populations, 200, drive, unit, "excitatory", random),
        _projection("exc", "exc", populations, 640, excite, unit, "excitatory", random),
        _projection("exc", "inh", populations, 320, excite, unit, "excitatory", random),
        _projection("inh", "exc", populations, 480, inhibit, unit, "inhibitory", random),
    ]
    return Network(
        populations={item.name: item for item in populations},
        projections={item.name: item for item in made},
        cells={"cell": cell, "source": SpikeSource()},
        synapses={"static": Synapse("StaticSynapse")},
    )


def _projection(
    pre: str, post: str, populations: list[Population], size: int, weight: float, unit: str, receptor: str, random: Any
) -> Projection:
    """Random pairs; weights of +- 20 %, delays of 0.5 to 3 ms on the steps."""
    sizes = {item.name: item.size for item in populations}
    edges = Edges(
        column(random.integers(0, sizes[pre], size)),
        column(random.integers(0, sizes[post], size)),
        table(
            size,
            weight=weight * random.uniform(0.8, 1.2, size),
            delay=np.round(random.integers(5, 30, size) * STEP, 6),
        ),
    )
    types = table(1, synapse=["static"], weight_unit=[unit], receptor=[receptor])
    return Projection(f"{pre}_{post}", pre, post, types, edges)


def _plan() -> SimulationPlan:
    """Trains of 40 Hz on the steps, and the potential of five cells."""
    random = np.random.default_rng(12)
    counts = random.poisson(40.0 * DURATION / 1000.0, SOURCES)
    steps = random.integers(10, int(DURATION / STEP), counts.sum())
    nodes = np.repeat(np.arange(SOURCES), counts)
    order = np.lexsort((steps, nodes))
    trains = SpikeTrains("input", nodes, np.round(steps[order] * STEP, 6))
    recorded = {"population": "exc", "node_id": [0, 1, 2, 3, 4]}
    return SimulationPlan(
        duration=DURATION,
        timestep=STEP,
        stimuli=(Stimulus("trains", trains, "input"),),
        recordings=(Recording("v", "v", recorded),),
        seed=1,
    )
