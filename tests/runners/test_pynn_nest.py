"""Every standard cell and synapse through ``pynn:nest``, against our own runner of NEST: two ways to one simulator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pynn_io.document import Document
from pynn_io.graph import Column, PointCell, Synapse, text_column
from pynn_io.graph.stimuli import SpikeTrains, Stimulus, SynapseReplay
from tests.runners.pynn_backends import need, run_cases
from tests.runners.standard_networks import STANDARD, network, plastic_inhibition

#: What PyNN 0.13 cannot make on NEST, and what it makes without recording its potential.
ABSENT, UNRECORDED = "IF_cond_exp_gsfa_grr", "IF_curr_delta"
STDP = {"w_max": 0.5, "A_plus": 0.05, "A_minus": 0.06, "tau_minus": 30.0}
SYNAPSES = {
    "TsodyksMarkramSynapse": {"U": 0.6, "tau_rec": 30.0, "tau_facil": 5.0},
    "SimpleStochasticSynapse": {"p": 0.6},
    "MultiQuantalSynapse": {"U": 0.6, "n": 5, "tau_rec": 30.0, "tau_facil": 10.0},
    "AdditiveWeightDependence": STDP,
    "MultiplicativeWeightDependence": STDP,
    "AdditivePotentiationMultiplicativeDepression": STDP,
    "GutigWeightDependence": {**STDP, "mu_plus": 0.2, "mu_minus": 0.7},
    "nest:tsodyks2_synapse": {"U": 0.6, "tau_rec": 30.0},
}


def with_synapse(document: Document, model: str, **columns: np.ndarray) -> Document:
    """The exciting connections by another synapse, three times as strong."""
    parameters = dict(SYNAPSES[model])
    if model.endswith(("Dependence", "Depression")):
        parameters["weight_dependence"], model = model, "STDPMechanism"
    net = document.network
    exciting = net.projections["e"]
    weight = exciting.edges.columns["weight"]
    stated = {"weight": weight.with_data(3 * weight.data), **{name: Column(value) for name, value in columns.items()}}
    edges = replace(exciting.edges, columns=exciting.edges.columns.updated(stated))
    exciting = replace(exciting, types=exciting.types.updated({"synapse": text_column(["other"])}), edges=edges)
    synapses = {**net.synapses, "other": Synapse(model, parameters)}
    return replace(document, network=replace(net, projections={**net.projections, "e": exciting}, synapses=synapses))


def cases() -> dict[str, Document]:
    found = {model: network(model) for model in STANDARD}
    for model in SYNAPSES:
        for cell in ("IF_cond_exp", "IF_curr_exp"):
            found[f"{model} {cell}"] = with_synapse(network(cell), model)
    many = network("IF_cond_exp")
    size = many.network.projections["e"].size
    found["edge by edge"] = with_synapse(many, "TsodyksMarkramSynapse", **{"parameters:U": np.linspace(0.1, 0.9, size)})
    found["replay"] = replayed(many)
    found["plastic inhibition"] = plastic_inhibition()
    return found


def replayed(document: Document) -> Document:
    """Spikes of three exciting sources once more, onto the synapses of five cells."""
    trains = SpikeTrains("sources", np.array([0, 1, 1, 2, 25]), np.array([20.0, 20.5, 21.0, 22.0, 23.0]))
    stimulus = Stimulus("again", SynapseReplay(trains), {"population": "cells", "node_id": [0, 3, 5, 8, 11]})
    return replace(document, plan=replace(document.plan, stimuli=(*document.plan.stimuli, stimulus)))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    need("nest")
    return run_cases("pyNN.nest", cases(), tmp_path_factory.mktemp("pynn_nest"))


def same(ours: Any, nest: Any, tolerance: float = 0.0) -> int:
    """The number of spikes, which are the same ones; potentials differ by less than ``tolerance`` mV."""
    assert not isinstance(ours, str), ours
    by_pynn, by_nest = ours[0], nest[0]
    one, other = by_pynn.spikes["cells"], by_nest.spikes["cells"]
    assert one.node_ids.tolist() == other.node_ids.tolist()
    assert np.allclose(one.times, other.times, rtol=0, atol=1e-9)
    for trace, reference in zip(by_pynn.traces, by_nest.traces, strict=False):
        assert (trace.start, trace.interval, trace.unit) == (reference.start, reference.interval, reference.unit)
        assert trace.node_ids.tolist() == reference.node_ids.tolist()
        assert np.abs(trace.data - reference.data).max() <= tolerance
    return len(one.times)


@pytest.mark.parametrize("model", sorted(STANDARD.keys() - {ABSENT}))
def test_standard_cells(outcomes: dict[str, Any], model: str) -> None:
    ours, nest = outcomes[model]
    assert same(ours, nest) > 20
    assert len(ours[0].traces) == (0 if model == UNRECORDED else 1)
    assert ("recording" in ours[1]) == (model == UNRECORDED)


def test_a_cell_that_pynn_cannot_make_is_refused_by_name(outcomes: dict[str, Any]) -> None:
    ours, _ = outcomes[ABSENT]
    assert ours.startswith("RunError: pyNN.nest has none of the cells of this network")
    assert f"population cells: pyNN.nest does not have the cell {ABSENT} (PyNN 0.13 asks NEST for" in ours


@pytest.mark.parametrize("cell", ["IF_cond_exp", "IF_curr_exp"])
@pytest.mark.parametrize("model", SYNAPSES)
def test_synapses(outcomes: dict[str, Any], model: str, cell: str) -> None:
    """Random ones too: the same seed, and the same connections in the same order."""
    static = len(outcomes[cell][1][0].spikes["cells"].times)
    count = same(*outcomes[f"{model} {cell}"])
    assert count > 0 and count != static


def test_parameters_of_every_edge(outcomes: dict[str, Any]) -> None:
    assert same(*outcomes["edge by edge"]) != len(
        outcomes["TsodyksMarkramSynapse IF_cond_exp"][1][0].spikes["cells"].times
    )


def test_plastic_inhibition_by_currents(outcomes: dict[str, Any]) -> None:
    """NEST refuses PyNN's default weight of 0 beside a bound below 0."""
    static = len(outcomes["IF_curr_exp"][1][0].spikes["cells"].times)
    assert 0 < same(*outcomes["plastic inhibition"]) != static


def test_a_replay_goes_to_the_synapses_of_some_cells(outcomes: dict[str, Any]) -> None:
    assert same(*outcomes["replay"]) > 20
    differs = np.abs(outcomes["replay"][1][0].traces[0].data - outcomes["IF_cond_exp"][1][0].traces[0].data).max(axis=0)
    assert np.flatnonzero(differs).tolist() == [0, 3, 5, 8, 11]


CURRENT = st.fixed_dictionaries(
    {
        "cm": st.floats(0.1, 2.0), "tau_m": st.floats(5.0, 40.0), "tau_refrac": st.floats(0.1, 5.0),
        "v_thresh": st.floats(-55.0, -45.0), "tau_syn_E": st.floats(0.5, 8.0), "tau_syn_I": st.floats(0.5, 8.0),
    }
)  # fmt: skip
ADAPTIVE = st.fixed_dictionaries(
    {
        "a": st.floats(0.0, 8.0),
        "b": st.floats(0.0, 0.1),
        "tau_w": st.floats(50.0, 300.0),
        "delta_T": st.floats(1.0, 3.0),
        "v_reset": st.floats(-70.0, -55.0),
        "v_spike": st.just(-30.0),
        "tau_refrac": st.floats(0.5, 3.0),
    }
)
RANDOM = {
    "IF_curr_exp": CURRENT,
    "IF_curr_alpha": CURRENT,
    "IF_cond_exp": CURRENT,
    "IF_cond_alpha": CURRENT,
    "EIF_cond_exp_isfa_ista": ADAPTIVE,
    "Izhikevich": st.fixed_dictionaries(
        {"a": st.floats(0.01, 0.1), "b": st.floats(0.15, 0.25), "d": st.floats(1.0, 9.0)}
    ),
    "HH_cond_exp": st.fixed_dictionaries({"gbar_Na": st.floats(15.0, 30.0), "gbar_K": st.floats(4.0, 8.0)}),
}


@pytest.mark.slow
@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(drawn=st.fixed_dictionaries(RANDOM))
def test_random_parameters(tmp_path_factory: pytest.TempPathFactory, drawn: dict[str, dict[str, float]]) -> None:
    """Of all cells, and of one for each cell: translated by PyNN and by us, to the last bit but one or two."""
    need("nest")
    found = {}
    for model, parameters in drawn.items():
        document = network(model)
        cell = PointCell(model, {**document.network.cells["cells"].parameters, **parameters})
        found[model] = replace(
            document, network=replace(document.network, cells={**document.network.cells, "cells": cell})
        )
        name = next(iter(parameters))
        population = document.network.populations["cells"]
        column = Column(np.linspace(0.9, 1.1, population.size) * parameters[name])
        spread = replace(population, table=population.table.updated({f"parameters:{name}": column}))
        populations = {**document.network.populations, "cells": spread}
        found[f"{model} each"] = replace(found[model], network=replace(found[model].network, populations=populations))
    folder: Path = tmp_path_factory.mktemp("random")
    for ours, nest in run_cases("pyNN.nest", found, folder).values():
        same(ours, nest, tolerance=1e-6)
