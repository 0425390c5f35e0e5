"""Placement rules on cells of hoc templates, and delays below the step: distances by hand, numpy's own generator."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest

from pynn_io.graph import CableCell, Column, Edges, Network, PointCell, Population, Projection, SpikeSource, Synapse
from pynn_io.graph.stimuli import SpikeTrains, Stimulus
from pynn_io.simulation_plan import SimulationPlan
from tests.models import table

pytest.importorskip("neuron", reason="NEURON is not installed")

#: The list ``all`` has the apical section before the basal ones, which is not how sections are numbered.
TEMPLATE = """\
begintemplate Branched
  public soma, apic, dend, myelin, all
  create soma[1], apic[1], dend[2], myelin[1]
  objref all
  proc init() {
    soma[0] { L = 20  nseg = 1 }
    apic[0] { L = 60  nseg = 3 }
    dend[0] { L = 100  nseg = 5 }
    dend[1] { L = 50  nseg = 1 }
    myelin[0] { L = 30  nseg = 1 }
    connect apic[0](0), soma[0](1)
    connect dend[0](0), soma[0](0.5)
    connect dend[1](0), dend[0](1)
    connect myelin[0](0), soma[0](0)
    all = new SectionList()
    soma[0] all.append()
    apic[0] all.append()
    dend[0] all.append()
    dend[1] all.append()
    myelin[0] all.append()
  }
endtemplate Branched
"""
#: Section, middle, length and path distance of the middle from the soma's start (um), in the order of ``all``.
COMPARTMENTS = [
    ("soma[0]", 0.5, 20.0, 10.0),
    *(("apic[0]", (k + 0.5) / 3, 20.0, 30.0 + 20 * k) for k in range(3)),
    *(("dend[0]", (k + 0.5) / 5, 20.0, 20.0 + 20 * k) for k in range(5)),
    ("dend[1]", 0.5, 50.0, 135.0),
]
PLAN = SimulationPlan(
    duration=10.0,
    timestep=0.1,
    celsius=34.0,
    v_init=-65.0,
    section_length=20.0,
    spike_threshold=-15.0,
    stimuli=(Stimulus("spikes", SpikeTrains("input", np.array([0, 1]), np.array([1.0, 2.0])), "input"),),
)


def network(folder: Path, edges: Edges, kinds: list[int], types: dict[str, list[Any]]) -> Network:
    """Two sources onto an artificial cell (id 5) and two cells of the template (ids 7 and 3)."""
    (folder / "Branched.hoc").write_text(TEMPLATE)
    size = len(types["synapse"])
    cells = Population(
        "cortex", 3, table(2, cell=["quick", "branched"]), Column(np.array([0, 1, 1])), table(3, id=[5, 7, 3])
    )
    settings = {
        "config": str(folder / "circuit_config.json"),
        "components": {"biophysical_neuron_models_dir": "."},
        "nodes": {"cortex": {}},
    }
    return Network(
        populations={"input": Population("input", 2, table(1, cell=["source"])), "cortex": cells},
        projections={"on": Projection("on", "input", "cortex", table(size, **types), edges, Column(np.array(kinds)))},
        cells={
            "source": SpikeSource(),
            "quick": PointCell("nrn:IntFire1", {"tau": 0.024, "refrac": 0.003}),
            "branched": CableCell("", template="hoc:Branched"),
        },
        synapses={"exp2": Synapse("nrn:Exp2Syn", {"tau1": 0.1, "tau2": 0.5, "erev": -70.0}), "event": Synapse("")},
        extra={"sonata": settings},
    )


def edges(source: list[int], target: list[int], **columns: object) -> Edges:
    return Edges(Column(np.array(source)), Column(np.array(target)), table(len(source), **columns))


def built(folder: Path, made: Network, plan: SimulationPlan = PLAN) -> dict[str, Any]:
    """Synapses and issues, from a process of its own."""
    path = folder / "case.pickle"
    path.write_bytes(cloudpickle.dumps((made, plan)))
    child = Path(__file__).with_name("template_build.py")
    done = subprocess.run([sys.executable, child, path], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def chances(arrays: tuple[str, ...], near: float, far: float) -> tuple[np.ndarray, np.ndarray]:
    """Compartments in a range and their probabilities: the length of each that lies in it."""
    shares = np.array(
        [
            max(0.0, min(far, at + length / 2) - max(near, at - length / 2)) if name[:4] in arrays else 0.0
            for name, _, length, at in COMPARTMENTS
        ]
    )
    index = np.flatnonzero(shares)
    return index, shares[index] / shares[index].sum()


def test_sites_on_template_cells_are_those_that_numpys_choice_draws(tmp_path: Path) -> None:
    """BMTK's seed (offset + id); rules alternate on a cell, and one without any place draws no number."""
    kinds = {
        "synapse": ["exp2"] * 3,
        "weight_unit": ["uS"] * 3,
        "delay": [2.0] * 3,
        "target_sections": ["['basal']", "['apical', 'somatic']", "['axonal']"],
        "distance_range": ["[20.0, 150.0]", "[0.0, 45.0]", "[0.0, 1e20]"],
    }
    numbers = {(2, 0): 6, (1, 1): 4, (2, 2): 5, (2, 1): 7, (1, 0): 3}
    targets, rows = ([pair[k] for pair in numbers] for k in (0, 1))
    ends = edges([0, 1, 0, 1, 0], targets, weight=[1.0] * 5, nsyns=list(numbers.values()))
    made = network(tmp_path, ends, rows, kinds)
    found = built(tmp_path, made)
    assert [issue for issue in found["issues"] if issue[0] == "synapse-site"] == [["synapse-site", "LOST", 1]]
    rules = {0: chances(("dend",), 20.0, 150.0), 1: chances(("apic", "soma"), 0.0, 45.0)}
    for row, node_id in ((1, 7), (2, 3)):
        random = np.random.RandomState(2 + node_id)  # two sources come first
        expected = []
        for (target, kind), number in numbers.items():
            if target == row and kind in rules:
                index, probability = rules[kind]
                expected += [COMPARTMENTS[k][:2] for k in random.choice(index, number, p=probability)]
        here = [(name, x) for gid, name, x, _ in found["synapses"] if gid == 2 + row]
        assert [name for name, _ in here] == [name for name, _ in expected]
        np.testing.assert_allclose([x for _, x in here], [x for _, x in expected], rtol=0, atol=1e-12)
    assert len(found["synapses"]) == 20


@pytest.mark.parametrize(("delay", "variable", "count"), [(0.03, False, 2), (0.03, True, 0), (0.0, False, 0)])
def test_delays_below_the_step(tmp_path: Path, delay: float, variable: bool, count: int) -> None:
    """Three edges end on cells that NEURON steps, one after a step of single precision; artificial cells keep times."""
    kinds = {"synapse": ["exp2", "event"], "weight_unit": ["uS", "1"]}
    delays = [delay, delay, float(np.float32(0.1)) - 1e-9]
    ends = edges([0, 1, 0, 1], [1, 2, 2, 0], weight=[0.1] * 4, delay=[*delays, delay])
    made = network(tmp_path, ends, [0, 0, 0, 1], kinds)
    found = built(tmp_path, made, replace(PLAN, variable_step=variable))
    said = [issue for issue in found["issues"] if issue[0] == "short-delay"]
    assert said == ([["short-delay", "APPROXIMATED", count]] if count else [])
    assert sorted(made[3] for made in found["synapses"])[:3] == [delay] * 3
