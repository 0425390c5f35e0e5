"""Small networks that a NIR file can hold."""

from __future__ import annotations

import numpy as np

from pynn_io.document import Document
from pynn_io.graph import Network, PointCell, Population, Projection, SpikeSource, Synapse
from pynn_io.graph.stimuli import SpikeTrains, Stimulus
from pynn_io.simulation_plan import SimulationPlan
from tests.models import edges, table

#: ms. Cells without a refractory period on this grid.
TIMESTEP = 0.1


def current_based(model: str = "IF_curr_exp", **parameters: float) -> Document:
    """Two sources onto three cells, recurrent with three delays, parallel edges, an edge without weight, positions."""
    numbers = {"cm": 0.5, "tau_m": 15.0, "v_rest": -65.0, "v_reset": -67.0, "v_thresh": -52.0, "tau_refrac": 0.1}
    synaptic = {"tau_syn_E": 3.0, "tau_syn_I": 3.0} if model == "IF_curr_exp" else {}
    unit, strength = ("nA", 1.0) if model == "IF_curr_exp" else ("mV", 10.0)
    populations = {
        "in": Population("in", 2, table(1, cell=["trains"]), table=table(2, id=[4, 9])),
        "exc": Population(
            "exc",
            3,
            table(1, id=[7], cell=["exc"], ei=["e"]),
            table=table(3, id=[5, 3, 2**40], x=[0.0, 1.5, 2.5], parameters_i_offset=[0.0, 0.1, 0.3]),
        ),
    }
    one = {"synapse": ["static"], "weight_unit": [unit]}
    projections = {
        "drive": Projection(
            "drive",
            "in",
            "exc",
            table(1, **one, delay=[1.0], receptor=["excitatory"]),
            edges([1, 0, 0], [2, 0, 1], weight=[1.5 * strength, 0.7 * strength, strength / 3]),
        ),
        "rec/urrent": Projection(
            "rec/urrent",
            "exc",
            "exc",
            table(1, **one),
            edges(
                [2, 0, 1, 0, 1, 1],
                [0, 1, 2, 1, 2, 0],
                weight=[-0.5 * strength, 0.2 * strength, 0.0, 0.4 * strength, 0.1 * strength, 0.3 * strength],
                delay=[1.5, 2.0, 2.0, 2.0, 0.5, 0.5],
                label=[6, 5, 4, 3, 2, 1],
            ),
        ),
    }
    trains = SpikeTrains("in", np.array([4, 9, 4, 9, 4]), np.array([5.0, 7.0, 12.0, 20.0, 33.3]))
    plan = SimulationPlan("run", duration=100.0, timestep=TIMESTEP, stimuli=(Stimulus("trains", trains, "in"),))
    cells = {"exc": PointCell(model, {**numbers, **synaptic, **parameters}), "trains": SpikeSource()}
    sets = {"first": {"population": "exc", "node_id": [5]}}
    return Document(
        Network(model, populations, projections, cells, {"static": Synapse("static")}, node_sets=sets), plan
    )


def busy(model: str, tau_refrac: float = 0.0) -> Document:
    """Ten sources and thirty cells, each with numbers of its own and many spikes; two delays onto, two within."""
    random = np.random.default_rng(4)
    exponential = model == "IF_curr_exp"
    size, sources = 30, 10
    columns = {
        "cm": random.uniform(0.2, 1.0, size),
        "tau_m": random.uniform(8.0, 25.0, size),
        "v_thresh": random.uniform(-56.0, -50.0, size),
        "v_reset": random.uniform(-70.0, -60.0, size),
        "i_offset": random.uniform(0.0, 0.3, size),
    }
    if exponential:
        columns["tau_syn_E"] = columns["tau_syn_I"] = random.uniform(2.0, 6.0, size)
    unit, strength = ("nA", 0.6) if exponential else ("mV", 5.0)
    parameters = {f"parameters_{name}": values for name, values in columns.items()}
    populations = {
        "in": Population("in", sources, table(1, cell=["trains"])),
        "exc": Population("exc", size, table(1, cell=["exc"]), table=table(size, **parameters)),
    }
    one = {"synapse": ["static"], "weight_unit": [unit]}

    def all_to_all(pre: str, low: float, high: float, delays: list[float]) -> Projection:
        source, target = np.divmod(np.arange(populations[pre].size * size), size)
        weight = strength * random.uniform(low, high, len(source))
        return Projection(
            pre,
            pre,
            "exc",
            table(1, **one),
            edges(source, target, weight=weight, delay=random.choice(delays, len(source))),
        )

    projections = {"in": all_to_all("in", 0.2, 1.0, [0.5, 1.7]), "exc": all_to_all("exc", -0.3, 0.3, [0.1, 2.0])}
    steps, senders = np.divmod(np.unique(random.integers(sources, 1900 * sources, 60)), sources)
    trains = SpikeTrains("in", senders, steps / 10.0)
    plan = SimulationPlan("run", duration=200.0, timestep=TIMESTEP, stimuli=(Stimulus("trains", trains, "in"),))
    cells = {"exc": PointCell(model, {"v_rest": -65.0, "v": -65.0, "tau_refrac": tau_refrac}), "trains": SpikeSource()}
    return Document(Network(model, populations, projections, cells, {"static": Synapse("static")}), plan)
