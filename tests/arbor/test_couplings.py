"""Gap junctions of NeuroML on Arbor, against NEURON: two driven cells that are coupled, and one that is not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io.graph import Edges, Projection, Synapse
from pynn_io.graph.columns import Column
from pynn_io.pipeline import read
from pynn_io.simulate import simulate
from tests.models import table

EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "neuroml" / "neuroml2_core" / "LEMSexamples"


@pytest.mark.skipif(shutil.which("cmake") is None, reason="Arbor compiles mechanisms with cmake")
@pytest.mark.slow
@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the models in ../shared/data are not there")
def test_coupled_cells_fire_as_on_neuron():
    pytest.importorskip("arbor")
    pytest.importorskip("neuron")
    document = read(EXAMPLES / "LEMS_NML2_Ex25_MultiComp.xml")
    ends = Edges(Column(np.array([0])), Column(np.array([1])), table(1))
    gap = Projection("gap", "pop0", "pop0", table(1, synapse=["gj"]), ends, kind="electrical")
    synapses = {"gj": Synapse("neuroml:gapJunction", {"conductance": 0.005})}
    network = replace(document.network, projections={"gap": gap}, synapses=synapses)
    found = {name: simulate(network, document.plan, name).spikes["pop0"] for name in ("neuron", "arbor")}
    for cell in range(3):
        expected, times = (np.sort(each.times[each.node_ids == cell]) for each in found.values())
        assert len(times) == len(expected) > 3
        assert np.abs(times - expected).max() < 0.05
