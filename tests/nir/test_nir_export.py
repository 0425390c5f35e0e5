"""What a written file says, read by nir itself, against numbers by hand; and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.errors import LossError, WriteError
from pynn_io.exporters import nir as exporter
from pynn_io.graph import Column, Edges, PointCell, Synapse, Table
from pynn_io.pipeline import write
from pynn_io.report import Kind, Report
from tests.models import MODELS
from tests.nir.nets import current_based

nir = pytest.importorskip("nir")


def written(document: Document, folder: Path, to: str = "nir", report: Report | None = None) -> nir.NIRGraph:
    """The graph as nir reads it: it infers all types and checks that they fit."""
    path = folder / f"{to}.nir"
    write(document, path, to, report=report)
    return nir.read(path)


def changed_cell(document: Document, **parameters: float) -> Document:
    cell = document.network.cells["exc"]
    cells = {**document.network.cells, "exc": PointCell(cell.model, {**cell.parameters, **parameters})}
    return replace(document, network=replace(document.network, cells=cells))


def codes(report: Report, kind: Kind) -> set[str]:
    return {issue.code for issue in report.of_kind(kind)}


def test_current_based_cells_are_cuba_lif(tmp_path: Path) -> None:
    graph = written(current_based(), tmp_path)
    cells = graph.nodes["exc"]
    assert isinstance(cells, nir.CubaLIF)
    # 15 ms / 0.5 nF = 30 MOhm; 0.1 and 0.3 nA through it are 3 and 9 mV.
    assert cells.tau_mem.tolist() == [15.0] * 3
    assert cells.r.tolist() == [30.0] * 3
    np.testing.assert_allclose(cells.v_leak, [-65.0, -62.0, -56.0], rtol=1e-15)
    assert cells.v_threshold.tolist() == [-52.0] * 3
    assert cells.v_reset.tolist() == [-67.0] * 3
    # An impulse of weight W makes I jump by W w_in / tau_syn = W nA.
    assert cells.tau_syn.tolist() == cells.w_in.tolist() == [3.0] * 3
    assert graph.nodes["drive"].weight.tolist() == [[0.7, 0.0], [1 / 3, 0.0], [0.0, 1.5]]
    assert graph.nodes["drive.delay"].delay.tolist() == [1.0, 1.0]
    assert [node.input_type["input"].tolist() for node in graph.inputs.values()] == [[2]]


def test_each_delay_has_a_matrix(tmp_path: Path) -> None:
    graph = written(current_based(), tmp_path)
    found = {}
    for source, target in graph.edges:
        node = graph.nodes[source]
        if isinstance(node, nir.Delay) and source.startswith("rec_urrent"):
            found[float(node.delay[0])] = graph.nodes[target].weight
            assert ("exc", source) in graph.edges
            assert (target, "exc") in graph.edges
    assert found.keys() == {0.5, 1.5, 2.0}
    assert found[1.5].tolist() == [[0.0, 0.0, -0.5], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    np.testing.assert_allclose(found[2.0], [[0.0, 0.0, 0.0], [0.2 + 0.4, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert found[0.5].tolist() == [[0.0, 0.3, 0.0], [0.0, 0.0, 0.0], [0.0, 0.1, 0.0]]


def test_jumps_of_the_potential_are_charges(tmp_path: Path) -> None:
    graph = written(current_based("IF_curr_delta"), tmp_path)
    cells = graph.nodes["exc"]
    assert isinstance(cells, nir.LIF)
    # 7 mV on 0.5 nF are 3.5 pC, and W R / tau = 3.5 * 30 / 15 = 7 mV.
    assert graph.nodes["drive"].weight[0, 0] == 3.5
    assert (graph.nodes["drive"].weight[0, 0] * cells.r / cells.tau)[0] == 7.0


def test_relative_potentials_count_from_rest(tmp_path: Path) -> None:
    cells = written(current_based(), tmp_path, "nir+relative").nodes["exc"]
    np.testing.assert_allclose(cells.v_leak, [0.0, 3.0, 9.0], atol=1e-14)
    assert cells.v_threshold.tolist() == [13.0] * 3
    assert cells.v_reset.tolist() == [-2.0] * 3


def test_native_cells_of_nest_are_translated(tmp_path: Path) -> None:
    """pA and pF: 20 pA / 100 pF, and 4 ms / 100 pF = 40 MOhm."""
    document = current_based()
    native = {"C_m": 100.0, "tau_m": 4.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -70.0, "t_ref": 0.0}
    cells = {**document.network.cells, "exc": PointCell("nest:iaf_psc_exp", native)}
    drive = document.network.projections["drive"]
    types = drive.types.updated({"weight_unit": Column(0, levels=("pA",)), "weight": Column(20.0)})
    bare = replace(drive, types=types, edges=replace(drive.edges, columns=Table(3)))
    network = replace(document.network, cells=cells, projections={"drive": bare})
    network = replace(network, populations={**network.populations, "exc": _without_offset(document)})
    graph = written(replace(document, network=network), tmp_path)
    assert graph.nodes["exc"].r.tolist() == [40.0] * 3
    assert graph.nodes["exc"].tau_syn.tolist() == [2.0] * 3
    assert graph.nodes["drive"].weight[0, 0] == 0.02


def _without_offset(document: Document):  # type: ignore[no-untyped-def]
    population = document.network.populations["exc"]
    return replace(population, table=population.table.updated({"parameters:i_offset": None}))


def test_two_synaptic_time_constants_are_refused_where_both_are_used(tmp_path: Path) -> None:
    document = changed_cell(current_based(), tau_syn_I=5.0)
    with pytest.raises(WriteError, match="primitive for any of the cells") as caught:
        write(document, tmp_path / "a.nir", "nir")
    assert "tau_syn_E and tau_syn_I differ" in str(caught.value)
    only_excited = replace(
        document, network=replace(document.network, projections={"drive": document.network.projections["drive"]})
    )
    assert written(only_excited, tmp_path).nodes["exc"].tau_syn.tolist() == [3.0] * 3


def test_what_nir_has_no_word_for_is_reported(tmp_path: Path) -> None:
    report = Report()
    written(changed_cell(current_based(), tau_refrac=2.0, v=-60.0), tmp_path, report=report)
    assert {"refractory-period", "initial-state", "spike-source", "extra-column"} <= codes(report, Kind.APPROXIMATED)
    assert codes(report, Kind.LOST) == {"spike-trains"}
    assert codes(report, Kind.EXPANDED) == {"offset-in-leak", "parallel-edges"}
    (issue,) = (issue for issue in report if issue.code == "refractory-period")
    assert issue.count == 3


def test_strict_refuses_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(LossError, match="spike-trains"):
        write(current_based(), tmp_path / "net.nir", "nir", strict=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("model", ["two_types", "standard_models", "cable", "components"])
def test_networks_without_any_such_cell_are_refused_by_name(model: str, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="NIR has no primitive for any of the cells") as caught:
        write(MODELS[model](), tmp_path / "net.nir", "nir")
    names = {"two_types": "iaf_psc_alpha", "standard_models": "IF_cond_exp"}
    assert names.get(model, "CableCell") in caught.value.hint
    assert caught.value.exit_status == 5
    assert list(tmp_path.iterdir()) == []


def test_a_population_of_others_is_left_out_with_its_connections(tmp_path: Path) -> None:
    document, others = current_based(), MODELS["standard_models"]().network
    populations = {**document.network.populations, "cond": replace(others.populations["exc"], name="cond")}
    onto = replace(document.network.projections["drive"], name="onto", post="cond")
    projections = {**document.network.projections, "onto": onto}
    cells = {**others.cells, **document.network.cells}
    cells["cond"] = others.cells["exc"]
    types = populations["cond"].types.updated({"cell": Column(0, levels=("cond",))})
    populations["cond"] = replace(populations["cond"], types=types)
    network = replace(document.network, populations=populations, projections=projections, cells=cells)
    report = Report()
    graph = written(replace(document, network=network), tmp_path, report=report)
    assert "cond" not in graph.nodes
    assert "onto" not in graph.nodes
    lost = {(issue.code, issue.where): issue for issue in report.of_kind(Kind.LOST)}
    assert "IF_cond_exp" in lost["model", "population cond"].message
    assert "cond" in lost["edges-without-cells", "projection onto"].message


def test_plastic_synapses_are_written_with_their_weights(tmp_path: Path) -> None:
    document = current_based()
    synapses = {"static": Synapse("nest:tsodyks_synapse", {"U": 0.5})}
    report = Report()
    graph = written(replace(document, network=replace(document.network, synapses=synapses)), tmp_path, report=report)
    assert graph.nodes["drive"].weight[2, 1] == 1.5
    assert "synapse" in codes(report, Kind.APPROXIMATED)


def test_weights_in_another_dimension_are_an_error(tmp_path: Path) -> None:
    document = current_based()
    drive = document.network.projections["drive"]
    wrong = replace(drive, types=drive.types.updated({"weight_unit": Column(0, levels=("uS",))}))
    network = replace(document.network, projections={"drive": wrong})
    with pytest.raises(WriteError, match="weights are in uS, and the cells of population exc take nA") as caught:
        write(replace(document, network=network), tmp_path / "net.nir", "nir")
    assert caught.value.where == "projection drive"


def test_dense_matrices_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted before anything is written: the drive has 3 x 2 entries, the recurrence 3 of 3 x 3."""
    assert exporter.MOST_ENTRIES == 10_000**2
    monkeypatch.setattr(exporter, "MOST_ENTRIES", 32)
    with pytest.raises(WriteError, match=r"dense: with 3 x 3 .* one for each of its 3 delays.* 33 entries") as caught:
        write(current_based(), tmp_path / "net.nir", "nir")
    assert caught.value.where == "projection rec/urrent"
    assert "round its delays" in caught.value.hint
    monkeypatch.setattr(exporter, "MOST_ENTRIES", 33)
    write(current_based(), tmp_path / "net.nir", "nir")


def test_matrices_are_written_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than fit a block, the last block short, some without entries."""
    from pynn_io.formats import nir as file_format

    monkeypatch.setattr(file_format, "BLOCK", 40)
    random = np.random.default_rng(1)
    size = 23
    document = current_based()
    exc = replace(document.network.populations["exc"], size=size, table=Table(size))
    dense = np.where(random.random((size, size)) < 0.1, random.normal(size=(size, size)), 0.0)
    dense[8:16] = 0.0
    target, source = np.nonzero(dense)
    edges = Edges(Column(source), Column(target), Table(len(source), {"weight": Column(dense[target, source])}))
    types = document.network.projections["rec/urrent"].types
    recurrent = replace(document.network.projections["rec/urrent"], types=types, edges=edges)
    network = replace(document.network, populations={"exc": exc}, projections={"r": recurrent}, node_sets={})
    graph = written(replace(document, network=network, plan=None), tmp_path)
    assert np.array_equal(graph.nodes["rec_urrent"].weight, dense)
