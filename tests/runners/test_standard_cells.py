"""The same plan on NEST and on NEURON: every standard cell, its synapses and its recorded potential.

NEST's models are the oracle of our processes on NEURON, which share no code with them. Tolerances: NEST integrates
current-based cells exactly, conductance-based ones to 1e-3 mV a step, Izhikevich's by the same Euler step as we do.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.report import Kind, Report
from pynn_io.results import Results
from tests.runners.standard_networks import CELLS, STANDARD, TIMESTEP, network

pytest.importorskip("nest", reason="NEST is not installed")
pytest.importorskip("neuron", reason="NEURON is not installed")

#: Largest difference of a spike time (ms) and of the recorded potential (mV); None where the potential jumps at events,
#: so that the sample at an event's time is the one before it on NEURON and the one after it on NEST.
TOLERANCES: dict[str, tuple[float, float | None]] = {
    "IF_curr_exp": (1e-6, 1e-9),
    "IF_curr_alpha": (1e-6, 1e-9),
    "IF_curr_delta": (1e-5, None),
    "IF_cond_exp": (1e-6, 1e-3),
    "IF_cond_alpha": (1e-6, 1e-3),
    "IF_facets_hardware1": (1e-6, 1e-3),
    "IF_cond_exp_gsfa_grr": (1e-6, 1e-3),
    "EIF_cond_exp_isfa_ista": (1e-6, 0.5),
    "EIF_cond_alpha_isfa_ista": (1e-6, 0.5),
    "Izhikevich": (1e-5, None),
    "HH_cond_exp": (TIMESTEP + 1e-6, 10.0),  # on the upstroke, which NEST resolves to 1e-3 of its error measure
}


def run(model: str, backend: str) -> Results:
    document = network(model)
    report = Report()
    results = document.plan.run(document.network, backend=backend, report=report)
    assert report.of_kind(Kind.LOST, Kind.APPROXIMATED, Kind.NOT_READ) == []
    return results


@pytest.mark.parametrize("model", ["IF_curr_exp", "IF_curr_delta", "IF_cond_exp", "EIF_cond_exp_isfa_ista"])
def test_a_rest_between_two_steps_ends_with_the_later_one_on_both(model: str) -> None:
    document = network(model)
    cell = document.network.cells["cells"]
    rest = {**cell.parameters, "tau_refrac": 4.2 * TIMESTEP}
    cells = {**document.network.cells, "cells": replace(cell, parameters=rest)}
    changed = replace(document.network, cells=cells)
    nest, neuron = (document.plan.run(changed, backend=backend) for backend in ("nest", "neuron"))
    times = [by_cell(one) for one in (nest, neuron)]
    assert len(times[0]) == len(times[1]) > 50
    assert np.abs(times[0] - times[1]).max() <= 1e-5


@pytest.mark.parametrize("model", STANDARD)
def test_nest_and_neuron_agree(model: str) -> None:
    time_bound, potential_bound = TOLERANCES[model]
    nest, neuron = run(model, "nest"), run(model, "neuron")
    counts = [np.bincount(one.spikes["cells"].node_ids, minlength=CELLS) for one in (nest, neuron)]
    assert counts[0].sum() > 50  # a silent network would agree about anything
    assert counts[0].tolist() == counts[1].tolist()
    times = [by_cell(one) for one in (nest, neuron)]
    assert np.abs(times[0] - times[1]).max() <= time_bound
    traces = [one.traces[0] for one in (nest, neuron)]
    assert [trace.unit for trace in traces] == ["mV", "mV"]
    data = [trace.data[:, np.argsort(trace.node_ids)] for trace in traces]
    assert traces[0].start == traces[1].start
    assert data[0].shape == data[1].shape
    if potential_bound is not None:
        assert np.abs(data[0] - data[1]).max() <= potential_bound


def by_cell(results: Results) -> np.ndarray:
    spikes = results.spikes["cells"]
    return spikes.times[np.lexsort((spikes.times, spikes.node_ids))]


def test_parameters_and_currents_of_single_cells() -> None:
    """Cells of one type with values of their own are made together, and each gets its own."""
    document = network("IF_curr_exp")
    population = document.network.populations["cells"]
    from pynn_io.graph import Column

    resting = np.linspace(-70.0, -60.0, CELLS)
    table = population.table.updated({"parameters:v_rest": Column(resting, unit="mV")})
    changed = replace(document.network, populations={**document.network.populations})
    changed = replace(
        changed, populations={**changed.populations, "cells": replace(population, table=table)}, projections={}
    )
    plan = replace(document.plan, stimuli=(), duration=400.0)
    final = {}
    for backend in ("nest", "neuron"):
        trace = plan.run(changed, backend=backend).traces[0]
        final[backend] = trace.data[-1, np.argsort(trace.node_ids)]
    expected = resting + 0.3 * 20.0  # i_offset tau_m / cm, mV
    assert np.abs(final["neuron"] - expected).max() < 1e-6
    assert np.abs(final["nest"] - expected).max() < 1e-6
