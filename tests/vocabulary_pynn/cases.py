"""Cells and synapses with random numbers, as a network of ours and as cases for `by_hand`, and both run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from hypothesis import strategies as st

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
from pynn_io.graph.stimuli import SpikeTrains, Stimulus
from pynn_io.results import Results
from pynn_io.simulation_plan import Recording, SimulationPlan
from pynn_io.vocabulary.models import MODELS

#: A step that is a binary fraction: at 0.1 ms, PyNN's sources on NEST are a step late for some times (4.4 ms), since
#: they take a step from them first.
CELLS, DURATION, TIMESTEP = 3, 100.0, 0.125
#: Parameters that are lists.
SHARED = {
    "GIF_cond_exp": {"tau_eta": (8.0, 90.0), "tau_gamma": (4.0, 60.0), "a_eta": (0.1, 0.02), "a_gamma": (2.0, 0.5)}
}
_IF = {
    "v_rest": (-70.0, -62.0),
    "cm": (0.2, 1.5),
    "tau_m": (8.0, 30.0),
    "tau_refrac": (0.5, 4.0),
    "v_reset": (-75.0, -60.0),
    "v_thresh": (-55.0, -48.0),
    "i_offset": (0.0, 0.5),
}
_TAU = {"tau_syn_E": (1.0, 6.0), "tau_syn_I": (2.0, 9.0)}
_REVERSAL = {"e_rev_E": (-10.0, 10.0), "e_rev_I": (-85.0, -72.0)}
_EIF = {
    **{name: _IF[name] for name in ("cm", "tau_m", "tau_refrac")},
    "v_rest": (-72.0, -66.0),
    "v_reset": (-68.0, -58.0),
    "v_spike": (-40.0, -30.0),
    "v_thresh": (-52.0, -48.0),
    "i_offset": (0.2, 0.8),
    "a": (0.0, 6.0),
    "b": (0.01, 0.1),
    "delta_T": (1.0, 3.0),
    "tau_w": (50.0, 200.0),
}
#: model -> (range of every parameter, unit of weights, ranges of exciting and inhibiting weights).
CELL_RANGES: dict[str, tuple[dict[str, tuple[float, float]], str, tuple[float, float], tuple[float, float]]] = {
    "IF_curr_exp": ({**_IF, **_TAU}, "nA", (0.5, 3.0), (-2.0, -0.2)),
    "IF_curr_alpha": ({**_IF, **_TAU}, "nA", (0.5, 3.0), (-2.0, -0.2)),
    "IF_curr_delta": (_IF, "mV", (2.0, 9.0), (-6.0, -1.0)),
    "IF_cond_exp": ({**_IF, **_TAU, **_REVERSAL}, "uS", (0.01, 0.08), (0.01, 0.08)),
    "IF_cond_alpha": ({**_IF, **_TAU, **_REVERSAL}, "uS", (0.01, 0.08), (0.01, 0.08)),
    "IF_cond_exp_gsfa_grr": (
        {**_IF, **_TAU, **_REVERSAL, "q_sfa": (5.0, 30.0), "tau_sfa": (50.0, 150.0), "q_rr": (500.0, 3000.0)},
        "uS",
        (0.01, 0.08),
        (0.01, 0.08),
    ),
    "IF_facets_hardware1": (
        {
            "g_leak": (15.0, 60.0),
            **_TAU,
            "v_reset": (-82.0, -75.0),
            "v_rest": (-70.0, -64.0),
            "e_rev_I": (-82.0, -76.0),
        },
        "uS",
        (0.005, 0.05),
        (0.005, 0.05),
    ),
    "HH_cond_exp": ({**_TAU, "i_offset": (0.1, 0.6), "gbar_Na": (15.0, 25.0)}, "uS", (0.005, 0.03), (0.005, 0.03)),
    "EIF_cond_exp_isfa_ista": ({**_EIF, **_TAU, **_REVERSAL}, "uS", (0.01, 0.05), (0.01, 0.05)),
    "EIF_cond_alpha_isfa_ista": ({**_EIF, **_TAU, **_REVERSAL}, "uS", (0.01, 0.05), (0.01, 0.05)),
    # so steep that chance decides nothing
    "GIF_cond_exp": (
        {
            **{name: own for name, own in _IF.items() if name != "v_thresh"},
            **_TAU,
            **_REVERSAL,
            "v_t_star": (-52.0, -46.0),
            "delta_v": (0.0005, 0.001),
        },
        "uS",
        (0.01, 0.08),
        (0.01, 0.08),
    ),
    "Izhikevich": (
        {"a": (0.02, 0.1), "b": (0.2, 0.25), "c": (-65.0, -55.0), "d": (2.0, 8.0), "i_offset": (0.002, 0.01)},
        "mV",
        (2.0, 8.0),
        (-6.0, -1.0),
    ),
}
#: Synapse -> range of every parameter; onto IF_curr_exp, whose potential shows what arrives. Those that draw are at
#: the end where they draw nothing: every spike passes, and every quantum is there.
SYNAPSE_RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "StaticSynapse": {},
    "TsodyksMarkramSynapse": {"U": (0.1, 0.8), "tau_rec": (50.0, 500.0), "tau_facil": (0.0, 300.0)},
    "SimpleStochasticSynapse": {"p": (1.0, 1.0)},
    "MultiQuantalSynapse": {"U": (1.0, 1.0), "tau_rec": (1e-4, 1e-3), "tau_facil": (0.0, 0.0)},
}
#: What a synapse starts with.
STATES = {"MultiQuantalSynapse": {"u": 1.0}}
_TIMES = {"tau_plus": (10.0, 40.0), "tau_minus": (10.0, 40.0), "A_plus": (0.01, 0.2), "A_minus": (0.01, 0.2)}
#: Weight dependence of STDP -> exponents that PyNN can hand to every simulator (those of Guetig's rule are 0.5 on NEST
#: whatever a script says); onto IF_cond_exp, which spikes.
STDP_RULES: dict[str, dict[str, float]] = {
    "AdditiveWeightDependence": {},
    "MultiplicativeWeightDependence": {},
    "AdditivePotentiationMultiplicativeDepression": {},
    "GutigWeightDependence": {"mu_plus": 0.5, "mu_minus": 0.5},
}


@dataclass(frozen=True)
class Case:
    """One population. parameters: by name, a value a cell. weights: exciting and inhibiting, a value a cell."""

    model: str
    parameters: Mapping[str, list[float]]
    unit: str
    weights: tuple[list[float], list[float]]
    delays: tuple[float, float]
    times: tuple[list[float], list[float]]
    synapse: str = "StaticSynapse"
    synaptic: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shared(self) -> dict[str, tuple[float, ...]]:
        """Parameters that are lists, the same for all cells."""
        return SHARED.get(self.model, {})

    @property
    def graph_synapse(self) -> Synapse:
        """The synapse as the graph has it."""
        if self.synapse != "STDPMechanism":
            return Synapse(self.synapse, {**self.synaptic, **STATES.get(self.synapse, {})})
        rule = {"timing_dependence": "SpikePairRule", "weight_dependence": self.synaptic["weight_dependence"]}
        return Synapse(self.synapse, {**rule, **self.synaptic["timing"], **self.synaptic["weight"]})

    @property
    def alike(self) -> Case:
        """With the first cell's parameters for all, as PyNN's Brian2 backend demands."""
        return replace(self, parameters={name: own[:1] * CELLS for name, own in self.parameters.items()})

    @property
    def initial(self) -> dict[str, float]:
        """The states that both start with: the vocabulary's own, and NEST's where PyNN cannot set it there."""
        states = {item.name: item.default for item in MODELS[self.model].states if item.name in ("v", "u", "w")}
        found = {name: float(value) for name, value in states.items() if isinstance(value, int | float)}
        return found | ({"v": -70.0} if self.model == "IF_curr_delta" else {})

    def in_pynn(self, early: float) -> dict[str, Any]:
        """For `by_hand`: PyNN's weights onto cells whose potential jumps are mV too, and currents of Izhikevich nA."""
        return {
            "model": self.model,
            "parameters": dict(self.parameters),
            "shared": self.shared,
            "initial": self.initial,
            "weights": list(self.weights),
            "delays": [delay - early for delay in self.delays],
            "times": list(self.times),
            "interval": TIMESTEP,
            "synapse": {
                "kind": self.synapse,
                "parameters": dict(self.synaptic),
                "states": STATES.get(self.synapse, {}),
            },
        }


class Numbers(Protocol):
    """Where the numbers of a case come from."""

    def integer(self, low: int, high: int) -> int:
        """One from ``low`` to ``high``."""

    def several(self, low: int, high: int, fewest: int, most: int) -> list[int]:
        """Different ones, so many."""


@dataclass(frozen=True)
class Drawn:
    """By hypothesis, which also takes constants of the modules that are loaded: not the same ones in every run."""

    draw: st.DrawFn

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def several(self, low: int, high: int, fewest: int, most: int) -> list[int]:
        return self.draw(st.lists(st.integers(low, high), min_size=fewest, max_size=most, unique=True))


@dataclass(frozen=True)
class Seeded:
    """By numpy, the same in every run."""

    random: np.random.Generator

    def integer(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high + 1))

    def several(self, low: int, high: int, fewest: int, most: int) -> list[int]:
        size = self.integer(fewest, most)
        return (low + self.random.choice(high + 1 - low, size, replace=False)).tolist()


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Case]:
    """As `case_of_each`, by hypothesis."""
    return case_of_each(Drawn(draw))


def case_of_each(numbers: Numbers) -> dict[str, Case]:
    """A case for every model, and for every synapse, by name."""
    found = {}
    for model, (ranges, unit, exciting, inhibiting) in CELL_RANGES.items():
        own = {name: _values(numbers, *ends) for name, ends in ranges.items()}
        found[model] = _case(numbers, model, own, unit, exciting, inhibiting)
    for synapse, ranges in SYNAPSE_RANGES.items():
        _, unit, exciting, inhibiting = CELL_RANGES["IF_curr_exp"]
        stated = {name: _values(numbers, *ends)[0] for name, ends in ranges.items()}
        made = _case(numbers, "IF_curr_exp", {"v_thresh": [0.0] * CELLS}, unit, exciting, inhibiting)
        found[synapse] = replace(made, synapse=synapse, synaptic=stated)
    for rule, exponents in STDP_RULES.items():
        own, unit, exciting, inhibiting = CELL_RANGES["IF_cond_exp"]
        chosen = {name: _values(numbers, *ends) for name, ends in own.items()}
        timing = {name: _values(numbers, *ends)[0] for name, ends in _TIMES.items()}
        made = _case(numbers, "IF_cond_exp", chosen, unit, exciting, inhibiting)
        stated = {"timing": timing, "weight_dependence": rule, "weight": {"w_min": 0.0, "w_max": 0.1, **exponents}}
        found[rule] = replace(made, synapse="STDPMechanism", synaptic=stated)
    return found


def _case(
    numbers: Numbers,
    model: str,
    parameters: dict[str, list[float]],
    unit: str,
    exciting: tuple[float, float],
    inhibiting: tuple[float, float],
) -> Case:
    weights = _values(numbers, *exciting), _values(numbers, *inhibiting)
    delays = numbers.integer(2, 40) * TIMESTEP, numbers.integer(2, 40) * TIMESTEP
    return Case(model, parameters, unit, weights, delays, (_train(numbers), _train(numbers)))


def _values(numbers: Numbers, low: float, high: float) -> list[float]:
    """A value a cell."""
    return [round(low + (high - low) * numbers.integer(0, 1000) / 1000, 6) for _ in range(CELLS)]


def _train(numbers: Numbers) -> list[float]:
    """ms, on steps."""
    return [step * TIMESTEP for step in sorted(numbers.several(8, int(DURATION / TIMESTEP) - 40, 6, 25))]


# --- ours ---------------------------------------------------------------------------------------------------------


def document(chosen: Mapping[str, Case], timestep: float = TIMESTEP) -> Document:
    """The cases side by side."""
    populations, projections, cells, synapses, stimuli, recordings = {}, {}, {}, {}, [], []
    cells["source"] = SpikeSource()
    for name, case in chosen.items():
        table = {f"parameters:{key}": Column(np.array(own)) for key, own in case.parameters.items()}
        populations[name] = Population(name, CELLS, Table(1, {"cell": text_column([name])}), table=Table(CELLS, table))
        cells[name] = PointCell(case.model, {**case.initial, **case.shared})
        synapses[name] = case.graph_synapse
        recordings.append(Recording(name, "v", {"population": name}, interval=TIMESTEP))
        for side, receptor in enumerate(("excitatory", "inhibitory")):
            of = f"{receptor}_{name}"
            populations[of] = Population(of, 1, Table(1, {"cell": text_column(["source"])}))
            projections[of] = _projection(of, name, receptor, case, side)
            times = np.array(case.times[side])
            stimuli.append(Stimulus(of, SpikeTrains(of, np.zeros(len(times), dtype=int), times), {"population": of}))
    plan = SimulationPlan("cases", duration=DURATION, timestep=timestep, seed=1)
    network = Network("cases", populations=populations, projections=projections, cells=cells, synapses=synapses)
    return Document(network, replace(plan, stimuli=tuple(stimuli), recordings=tuple(recordings)))


def _projection(of: str, onto: str, receptor: str, case: Case, side: int) -> Projection:
    types = {"synapse": [onto], "weight_unit": [case.unit], "receptor": [receptor]}
    columns = {"weight": Column(np.array(case.weights[side])), "delay": Column(case.delays[side], unit="ms")}
    edges = Edges(Column(np.zeros(CELLS, dtype=int)), Column(np.arange(CELLS)), Table(CELLS, columns))
    return Projection(of, of, onto, Table(1, {key: text_column(own) for key, own in types.items()}), edges)


@dataclass(frozen=True)
class Outcome:
    """v: samples x cells, mV, from 0 ms on. i, t: spikes, by cell, then time (ms). error: instead of these."""

    v: np.ndarray | None = None
    i: np.ndarray | None = None
    t: np.ndarray | None = None
    error: str = ""


def run_ours(
    chosen: Mapping[str, Case], backend: str, timestep: float = TIMESTEP, **options: Any
) -> dict[str, Outcome]:
    """Our lowering."""
    made = document(chosen, timestep)
    results: Results = made.plan.run(made.network, backend=backend, **options)
    return {name: _of_results(results, name) for name in chosen}


def _of_results(results: Results, name: str) -> Outcome:
    found = [one for one in results.traces if one.report == name]
    if not found or name not in results.spikes:
        return Outcome(error="left out here, and reported")
    (trace,) = found
    spikes = results.spikes[name]
    order = np.lexsort((spikes.times, spikes.node_ids))
    return Outcome(trace.data[:, np.argsort(trace.node_ids)], spikes.node_ids[order], spikes.times[order])


def run_pynn(
    chosen: Mapping[str, Case], backend: str, folder: Path, timestep: float = TIMESTEP, early: float = 0.0
) -> dict[str, Outcome]:
    """PyNN by hand, in a process of its own. early: by how much its delays are shorter, ms."""
    wanted = list(chosen)
    stated = {
        "timestep": timestep,
        "duration": DURATION,
        "cases": {name: chosen[name].in_pynn(early) for name in wanted},
    }
    source, out = folder / f"cases_{backend}.json", folder / f"{backend}.npz"
    source.write_text(json.dumps(stated))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    script = Path(__file__).with_name("by_hand.py")
    command = [sys.executable, str(script), backend, str(source), str(out)]
    done = subprocess.run(
        command, env={**os.environ, "PATH": path}, cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    data = np.load(out)
    found = {}
    for name in wanted:
        if f"{name}/error" in data:
            found[name] = Outcome(error=str(data[f"{name}/error"]))
        else:
            found[name] = Outcome(data[f"{name}/v"], data[f"{name}/i"], data[f"{name}/t"])
    return found
