"""One small network for every standard cell: sources that excite and inhibit, injected currents, a report of v."""

from __future__ import annotations

import numpy as np

from pynn_io.document import Document
from pynn_io.graph import (
    Column,
    Edges,
    Network,
    PointCell,
    Population,
    Projection,
    SpikeSource,
    Synapse,
    Table,
    text_column,
)
from pynn_io.graph.stimuli import CurrentPulses, SinusoidalCurrent, SpikeTrains, Stimulus
from pynn_io.simulation_plan import Recording, SimulationPlan

CELLS, SOURCES, DURATION, TIMESTEP = 12, 30, 300.0, 0.1

#: model -> (parameters, weight unit, excitatory weight, inhibitory weight, injected current in nA)
STANDARD: dict[str, tuple[dict[str, float], str, float, float, float]] = {
    "IF_curr_exp": ({"i_offset": 0.3, "tau_refrac": 2.0}, "nA", 0.25, -0.2, 0.4),
    "IF_curr_alpha": ({"i_offset": 0.3, "tau_syn_E": 3.0, "tau_syn_I": 5.0}, "nA", 0.25, -0.2, 0.4),
    "IF_curr_delta": ({"i_offset": 0.3, "tau_refrac": 2.0}, "mV", 1.5, -1.0, 0.4),
    "IF_cond_exp": ({"i_offset": 0.3, "tau_refrac": 2.0}, "uS", 0.006, 0.01, 0.4),
    "IF_cond_alpha": ({"i_offset": 0.3, "tau_syn_E": 3.0, "tau_syn_I": 5.0}, "uS", 0.006, 0.01, 0.4),
    "IF_facets_hardware1": ({"tau_syn_E": 5.0, "tau_syn_I": 5.0}, "uS", 0.003, 0.003, 0.1),
    "IF_cond_exp_gsfa_grr": ({"i_offset": 0.5, "tau_refrac": 2.0}, "uS", 0.008, 0.01, 0.4),
    "EIF_cond_exp_isfa_ista": ({"v_spike": -30.0, "v_reset": -60.0, "tau_refrac": 2.0}, "uS", 0.01, 0.01, 0.3),
    "EIF_cond_alpha_isfa_ista": ({"v_spike": -30.0, "v_reset": -60.0, "tau_refrac": 2.0}, "uS", 0.01, 0.01, 0.3),
    "Izhikevich": ({"i_offset": 0.003}, "mV", 1.0, -1.0, 0.004),
    "HH_cond_exp": ({"tau_syn_E": 2.0, "tau_syn_I": 4.0}, "uS", 0.004, 0.006, 0.2),
}


def network(model: str) -> Document:
    """Twelve cells whose weights differ, from 20 exciting and 10 inhibiting sources, one network of known trains."""
    parameters, unit, exciting, inhibiting, current = STANDARD[model]
    cells = Population("cells", CELLS, Table(1, {"cell": text_column(["cell"])}))
    sources = Population("sources", SOURCES, Table(1, {"cell": text_column(["source"])}))
    edges = {name: _projection(name, unit, weight) for name, weight in (("e", exciting), ("i", inhibiting))}
    made = Network(
        model,
        populations={"cells": cells, "sources": sources},
        projections=edges,
        cells={"cell": PointCell(model, parameters), "source": SpikeSource()},
        synapses={"static": Synapse("StaticSynapse")},
    )
    return Document(made, _plan(current))


def _projection(name: str, unit: str, weight: float) -> Projection:
    rows = np.arange(20) if name == "e" else np.arange(20, SOURCES)
    source, target = np.repeat(rows, CELLS), np.tile(np.arange(CELLS), len(rows))
    gain = np.linspace(0.4, 1.6, CELLS)[target]
    columns = {"weight": Column(weight * gain), "delay": Column(1.0 + 0.5 * (source % 3), unit="ms")}
    types = {
        "synapse": text_column(["static"]),
        "weight_unit": text_column([unit]),
        "receptor": text_column(["excitatory" if name == "e" else "inhibitory"]),
    }
    return Projection(
        name,
        "sources",
        "cells",
        Table(1, types),
        Edges(Column(source), Column(target), Table(len(source), columns)),
    )


def _plan(current: float) -> SimulationPlan:
    random = np.random.default_rng(11)
    trains = [np.unique(np.round(random.uniform(1.0, DURATION - 1.0, 60), 1)) for _ in range(SOURCES)]
    ids = np.repeat(np.arange(SOURCES), [len(train) for train in trains])
    pulses = CurrentPulses(np.array([current, -current]), np.array([50.0, 80.0]), np.array([60.0, 20.0]))
    sine = SinusoidalCurrent(current / 2, 20.0, 150.0, 100.0)
    return SimulationPlan(
        "standard",
        duration=DURATION,
        timestep=TIMESTEP,
        stimuli=(
            Stimulus("trains", SpikeTrains("sources", ids, np.concatenate(trains)), {"population": "sources"}),
            Stimulus("pulses", pulses, {"population": "cells"}),
            Stimulus("sine", sine, {"population": "cells", "node_id": [0, 1, 2]}),
        ),
        recordings=(Recording("v", "v", {"population": "cells"}, interval=TIMESTEP),),
    )
