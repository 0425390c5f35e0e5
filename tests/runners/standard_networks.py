"""One small network for every standard cell: sources that excite and inhibit, injected currents, a report of v."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
    return together([model], DURATION, names=("",))


def plastic_inhibition() -> Document:
    """The inhibiting weights are currents below 0, and change: so their bounds are below 0."""
    document = network("IF_curr_exp")
    net = document.network
    inhibiting = net.projections["i"]
    largest = -3.0 * float(np.abs(inhibiting.edges.columns["weight"].data).max())
    rule = Synapse("STDPMechanism", {"A_plus": 0.1, "A_minus": 0.08, "w_max": largest})
    changed = replace(inhibiting, types=inhibiting.types.updated({"synapse": text_column(["rule"])}))
    projections = {**net.projections, "i": changed}
    return replace(document, network=replace(net, projections=projections, synapses={**net.synapses, "rule": rule}))


def together(models: Sequence[str], duration: float, names: Sequence[str] | None = None) -> Document:
    """The same for several models side by side: populations ``cells_MODEL``, each with sources of its own."""
    populations, projections, cells, stimuli, recordings = {}, {}, {}, [], []
    for model, name in zip(models, names or [f"_{model}" for model in models], strict=True):
        parameters, unit, exciting, inhibiting, current = STANDARD[model]
        of_cells, of_sources = f"cells{name}", f"sources{name}"
        populations[of_cells] = Population(of_cells, CELLS, Table(1, {"cell": text_column([of_cells])}))
        populations[of_sources] = Population(of_sources, SOURCES, Table(1, {"cell": text_column(["source"])}))
        for kind, weight in (("e", exciting), ("i", inhibiting)):
            projections[f"{kind}{name}"] = _projection(kind, name, unit, weight)
        cells[of_cells] = PointCell(model, parameters)
        stimuli += _stimuli(name, current)
        recordings.append(Recording(f"v{name}", "v", {"population": of_cells}, interval=TIMESTEP))
    cells["source"] = SpikeSource()
    static = {"static": Synapse("StaticSynapse")}
    made = Network(models[0], populations=populations, projections=projections, cells=cells, synapses=static)
    plan = SimulationPlan("standard", duration=duration, timestep=TIMESTEP)
    return Document(made, replace(plan, stimuli=tuple(stimuli), recordings=tuple(recordings)))


def _projection(kind: str, name: str, unit: str, weight: float) -> Projection:
    rows = np.arange(20) if kind == "e" else np.arange(20, SOURCES)
    source, target = np.repeat(rows, CELLS), np.tile(np.arange(CELLS), len(rows))
    gain = np.linspace(0.4, 1.6, CELLS)[target]
    columns = {"weight": Column(weight * gain), "delay": Column(1.0 + 0.5 * (source % 3), unit="ms")}
    types = {
        "synapse": text_column(["static"]),
        "weight_unit": text_column([unit]),
        "receptor": text_column(["excitatory" if kind == "e" else "inhibitory"]),
    }
    edges = Edges(Column(source), Column(target), Table(len(source), columns))
    return Projection(f"{kind}{name}", f"sources{name}", f"cells{name}", Table(1, types), edges)


def _stimuli(name: str, current: float) -> tuple[Stimulus, ...]:
    random = np.random.default_rng(11)
    trains = [np.unique(np.round(random.uniform(1.0, DURATION - 1.0, 60), 1)) for _ in range(SOURCES)]
    ids = np.repeat(np.arange(SOURCES), [len(train) for train in trains])
    pulses = CurrentPulses(np.array([current, -current]), np.array([50.0, 80.0]), np.array([60.0, 20.0]))
    sine = SinusoidalCurrent(current / 2, 20.0, 150.0, 100.0)
    cells, sources = f"cells{name}", f"sources{name}"
    return (
        Stimulus(f"trains{name}", SpikeTrains(sources, ids, np.concatenate(trains)), {"population": sources}),
        Stimulus(f"pulses{name}", pulses, {"population": cells}),
        Stimulus(f"sine{name}", sine, {"population": cells, "node_id": [0, 1, 2]}),
    )
