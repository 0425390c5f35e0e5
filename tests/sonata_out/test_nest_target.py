"""``export_to_sonata(network, folder, target="NEST")``: NEST's models, parameters and weights, and the same spikes."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pynn_io import Report, export_to_sonata, read
from pynn_io.document import Document
from pynn_io.errors import FormatError, PlanError
from pynn_io.graph import Column, Network, PointCell, Population, Projection, SpikeSource, Synapse
from pynn_io.graph import text_column as text
from pynn_io.graph.stimuli import SinusoidalCurrent
from pynn_io.lowering.nest_models import with_nest_models
from pynn_io.simulate import simulate
from tests.models import edges, table
from tests.runners.standard_networks import STANDARD, together

TIMES = np.linspace(25.0, 36.0, 12)


def varied() -> Document:
    """Cells that differ; short-term plasticity of its own for every target, STDP that inhibits, both signs."""
    document = together(["IF_cond_exp", "IF_curr_exp"], 80.0)
    network, populations = document.network, dict(document.network.populations)
    for name in ("cells_IF_cond_exp", "cells_IF_curr_exp"):
        more = {"parameters:tau_m": Column(TIMES), "parameters:tau_syn_E": Column(TIMES / 6)}
        populations[name] = replace(populations[name], table=populations[name].table.updated(more))
    markram = Synapse("TsodyksMarkramSynapse", {"U": 0.9, "tau_rec": 10.0, "tau_facil": 20.0})
    synapses, projections = {**network.synapses, "markram": markram}, dict(network.projections)
    for name, largest in (("i_IF_cond_exp", 0.05), ("i_IF_curr_exp", 1.0)):
        synapses[f"stdp {name}"] = Synapse("STDPMechanism", {"w_max": largest, "A_plus": 0.05, "tau_minus": 30.0})
    for name, synapse in (
        ("e_IF_cond_exp", "markram"), ("e_IF_curr_exp", "markram"), ("i_IF_cond_exp", "stdp i_IF_cond_exp"),
        ("i_IF_curr_exp", "stdp i_IF_curr_exp"),
    ):  # fmt: skip
        types = projections[name].types.updated({"synapse": text([synapse])})
        columns = projections[name].edges.columns
        stronger = columns["weight"].with_data((4 if synapse == "markram" else 1) * columns["weight"].data)
        made = replace(projections[name].edges, columns=columns.updated({"weight": stronger}))
        projections[name] = replace(projections[name], types=types, edges=made)
    made = replace(network, populations=populations, synapses=synapses, projections=projections)
    return replace(document, network=made)


def test_names_numbers_and_weights_are_nests(tmp_path: Path) -> None:
    report = export_to_sonata(varied(), tmp_path / "out", "NEST")
    written = read(tmp_path / "out").network
    cell = written.cells[written.populations["cells_IF_cond_exp"].cells[0]]
    assert isinstance(cell, PointCell) and cell.model == "nest:iaf_cond_exp"
    assert (cell.parameters["C_m"], cell.parameters["t_ref"], cell.parameters["tau_minus"]) == (1000.0, 2.0, 30.0)
    assert "not-in-nest" not in report.codes()
    (path,) = (tmp_path / "out").rglob("*cells_IF_cond_exp*node_types*.csv")
    (nodes,) = csv.DictReader(path.open(), delimiter=" ")
    assert nodes["model_template"] == "nest:iaf_cond_exp"
    (path,) = (tmp_path / "out").rglob("*cells_IF_cond_exp*nodes*.h5")
    with h5py.File(path) as file:
        np.testing.assert_allclose(file["nodes/cells_IF_cond_exp/0/dynamics_params/g_L"][:], 1000.0 / TIMES, rtol=1e-14)


def standard() -> Document:
    return together(sorted(STANDARD), 80.0)


@pytest.mark.slow
@pytest.mark.parametrize("made", [varied, standard])
def test_nest_gives_the_same_spikes(tmp_path: Path, made: Any) -> None:
    pytest.importorskip("nest", reason="NEST is not installed")
    document = made()
    report = export_to_sonata(document, tmp_path / "out", target="nest")
    assert "current-step" in report.codes()
    again = read(tmp_path / "out")
    models = {cell.model for cell in again.network.cells.values() if isinstance(cell, PointCell)}
    assert models and all(model.startswith("nest:") for model in models)
    # no sines, nor pulses on top of each other, in files; currents of a plan for NEST come a step later
    stimuli = tuple(item for item in document.plan.stimuli if not isinstance(item.what, SinusoidalCurrent))
    plan = replace(document.plan, target_simulator="NEST", stimuli=stimuli)
    before, after = simulate(document.network, plan, "nest"), simulate(again.network, again.plan, "nest")
    for name, spikes in before.spikes.items():
        assert len(spikes.times) > 5
        np.testing.assert_array_equal(after.spikes[name].node_ids, spikes.node_ids)
        np.testing.assert_allclose(after.spikes[name].times, spikes.times, atol=1e-9)
    for one, other in zip(before.traces, after.traces, strict=True):
        np.testing.assert_allclose(other.data, one.data, atol=1e-9)


def test_what_nest_has_not_keeps_its_name() -> None:
    # one synapse onto cells of both kinds
    ends = {"edges": edges([0, 1], [0, 1], weight=[0.5, 0.25])}
    projections = {
        name: Projection(name, "source", name, table(1, synapse=["s"], weight_unit=["uS"]), **ends)
        for name in ("mixed", "gif")
    }
    net = Network(
        populations={name: Population(name, 2, table(1, cell=[name])) for name in ("gif", "mixed", "source")},
        projections=projections,
        cells={"gif": PointCell("GIF_cond_exp"), "mixed": PointCell("IF_cond_exp"), "source": SpikeSource()},
        synapses={"s": Synapse("StaticSynapse")},
    )
    report = Report()
    made = with_nest_models(net, report)
    assert [made.cells[made.populations[name].cells[0]].model for name in ("gif", "mixed")] == [
        "GIF_cond_exp",
        "nest:iaf_cond_exp",
    ]
    (issue,) = [issue for issue in report if issue.code == "not-in-nest"]
    assert (issue.where, issue.count, issue.examples) == ("population gif", 2, ["GIF_cond_exp"])
    assert made.extra["target_simulator"] == "NEST"
    of = {name: made.synapses[item.synapses[0]].model for name, item in made.projections.items()}
    assert of == {"mixed": "nest:static_synapse", "gif": "StaticSynapse"}
    assert made.projections["mixed"].edges.columns.read("weight").tolist() == [500.0, 250.0]


def test_plasticity_that_nest_cannot_have() -> None:
    document = varied()
    network = document.network
    other = Synapse("STDPMechanism", {"tau_minus": 10.0})
    types = network.projections["e_IF_cond_exp"].types.updated({"synapse": text(["other"])})
    projections = {**network.projections, "e_IF_cond_exp": replace(network.projections["e_IF_cond_exp"], types=types)}
    wrong = replace(network, synapses={**network.synapses, "other": other}, projections=projections)
    with pytest.raises(PlanError, match="STDP onto cells_IF_cond_exp has several tau_minus"):
        with_nest_models(wrong, Report())


def test_other_targets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="export_to_sonata has no target 'neuron'") as error:
        export_to_sonata(Network("n"), tmp_path / "out", target="neuron")
    assert '"PyNN" or "NEST"' in str(error.value.hint)
