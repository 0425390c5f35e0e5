"""Networks on Brian2 against NEST: circuits of files, plastic synapses; and its engines against each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io import read
from pynn_io.graph import Synapse
from pynn_io.graph.stimuli import PoissonTrains, Stimulus
from pynn_io.results import Results
from pynn_io.simulate import simulate
from tests.runners.standard_networks import together

pytest.importorskip("brian2", reason="Brian2 is not installed")


def spikes(results: Results, name: str) -> list[tuple[int, float]]:
    found = results.spikes[name]
    return sorted(zip(found.node_ids.tolist(), np.round(found.times, 6).tolist(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "population", "duration", "count"),
    [
        ("300_pointneurons/simulation_config.json", "internal", 100.0, 500),
        ("point_stdp/config.simulation_virtual.json", "targets", 400.0, 15),
    ],
)
def test_circuits_have_the_spikes_of_nest(
    data: Path, config: str, population: str, duration: float, count: int
) -> None:
    """300 cells with 20 000 synapses, and two with ``stdp_synapse``, whose weights decide about potentials."""
    pytest.importorskip("nest", reason="NEST is not installed")
    document = read(data / "sonata" / config, format="sonata")
    assert document.plan is not None
    plan = replace(document.plan, duration=duration)
    nest = simulate(document.network, plan, "nest")
    brian2 = simulate(document.network, plan, "brian2", engine="numpy")
    assert len(spikes(nest, population)) >= count
    assert spikes(brian2, population) == spikes(nest, population)
    for theirs, ours in zip(nest.traces, brian2.traces, strict=True):
        assert np.abs(theirs.data - ours.data).max() < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("plastic", [True, False])
def test_depression_and_poisson_trains_are_those_of_nest(plastic: bool) -> None:
    """``TsodyksMarkramSynapse``; and static synapses from trains drawn by us, several spikes in a step among them."""
    pytest.importorskip("nest", reason="NEST is not installed")
    document = together(["IF_curr_exp"], 40.0, names=("",))
    network, plan = document.network, document.plan
    if plastic:
        synapse = Synapse("TsodyksMarkramSynapse", {"U": 0.4, "tau_rec": 200.0, "tau_facil": 50.0})
        network = replace(network, synapses={"static": synapse})
    else:
        noise = Stimulus("noise", PoissonTrains(400.0, seed=3), {"population": "sources"})
        plan = replace(plan, stimuli=(*plan.stimuli, noise), seed=3)
    nest, brian2 = simulate(network, plan, "nest"), simulate(network, plan, "brian2", engine="numpy")
    assert np.ptp(nest.traces[0].data) > 1.0
    assert np.abs(nest.traces[0].data - brian2.traces[0].data).max() < 1e-9


@pytest.mark.slow
def test_one_program_of_the_whole_run_gives_the_same() -> None:
    document = together(["IF_curr_exp"], 60.0)
    found = [
        simulate(document.network, document.plan, "brian2", engine=engine) for engine in ("numpy", "cpp_standalone")
    ]
    assert len(spikes(found[0], "cells_IF_curr_exp")) > 20
    assert spikes(found[0], "cells_IF_curr_exp") == spikes(found[1], "cells_IF_curr_exp")
    assert np.abs(found[0].traces[0].data - found[1].traces[0].data).max() < 1e-9
    assert found[1].provenance["engine"] == "cpp_standalone"
