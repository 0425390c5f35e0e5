"""Types from rows: text of edges and, of circuits without types, parameters of cells and synapses, by hand and h5py."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from pynn_io import Report, convert
from pynn_io.document import Document
from pynn_io.exporters import sonata_regroup
from pynn_io.exporters.sonata import write
from pynn_io.graph import Column, Edges, Network, PointCell, Population, Projection, SpikeSource, Table
from pynn_io.graph.columns import text_column
from pynn_io.graph.stimuli import SpikeTrains, Stimulus
from pynn_io.graph.synapses import Synapse
from pynn_io.report import Kind
from pynn_io.simulation_plan import Output, SimulationPlan
from tests.models import table
from tests.sonata_out.written import populations


def intfire(**edge_columns: Column) -> Network:
    """Three sources onto two cells of NEURON by six edges; two node types, two edge types."""
    cells = {
        "src": SpikeSource(),
        "fast": PointCell("nrn:IntFire1", {"tau": 0.01, "refrac": 0.002}),
        "slow": PointCell("nrn:IntFire1", {"tau": 0.03, "refrac": 0.002}),
    }
    synapses = {"exc": Synapse("", {"sign": 1, "kind": "fast"}), "inh": Synapse("", {"sign": -1, "kind": "fast"})}
    types = table(2, synapse=["exc", "inh"], weight_unit=["1", "1"], weight=[0.5, 0.25], delay=[1.0, 2.0])
    edges = Edges(
        Column(np.array([0, 1, 2, 0, 1, 2])),
        Column(np.array([0, 0, 0, 1, 1, 1])),
        Table(6, {"nsyns": Column(np.array([1, 2, 3, 4, 5, 6])), **edge_columns}),
    )
    index = Column(np.array([0, 1, 0, 1, 0, 1]))
    return Network(
        "intfire",
        {
            "src": Population("src", 3, table(1, cell=["src"])),
            "net": Population("net", 2, table(2, cell=["fast", "slow"]), Column(np.array([1, 0]))),
        },
        {"src_to_net": Projection("src_to_net", "src", "net", types, edges, index)},
        cells,
        synapses,
    )


def through_obi(network: Network, folder: Path, dialect: str) -> tuple[Path, Report]:
    write(Document(network), made(folder / "obi"), Report(), dialect="obi")
    back = convert(folder / "obi", folder / "back", to=f"sonata{dialect}")
    return folder / "back", back.report


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def parameters(folder: Path, kind: str, name: str, place: str) -> list[dict[str, object]]:
    """The parameter file of every row, by its type."""
    found = populations(folder / "circuit_config.json", kind)[name]
    files = [found["types"][int(number)]["dynamics_params"] for number in found["ids"][f"{kind[:-1]}_type_id"]]
    return [json.loads((folder / "components" / place / file).read_text()) for file in files]


def test_parameters_are_files_again_after_obi(tmp_path: Path) -> None:
    for number, dialect in enumerate(("+allen", "")):
        folder, report = through_obi(intfire(), tmp_path / str(number), dialect)
        cells = parameters(folder, "nodes", "net", "point_neuron_models")
        assert cells == [{"tau": 0.03, "refrac": 0.002}, {"tau": 0.01, "refrac": 0.002}]
        edges = parameters(folder, "edges", "src_to_net", "synaptic_models")
        assert edges == [{"sign": sign, "kind": "fast"} for sign in (1, -1, 1, -1, 1, -1)]
        assert "rows-as-types" in report.codes()
        assert all(issue.kind is Kind.EXPANDED for issue in report)


def test_synapse_parameters_are_dynamics_params_in_obi(tmp_path: Path) -> None:
    """Under their own group they stay parameters; as plain columns a reader could not tell."""
    write(Document(intfire()), made(tmp_path / "obi"), Report(), dialect="obi")
    columns = populations(tmp_path / "obi/circuit_config.json", "edges")["src_to_net"]["columns"]
    assert columns["dynamics_params/sign"] == [1, -1, 1, -1, 1, -1]
    assert columns["dynamics_params/kind"] == ["fast"] * 6
    assert "sign" not in columns


def test_text_of_edges_is_in_the_types_csv(tmp_path: Path) -> None:
    """BMTK takes the codes of ``@library`` for values, so text that edges state has no place in their file."""
    for number, dialect in enumerate(("allen", "")):
        rule = text_column(["wmax", "wmax", "gaussianLL", "wmax", None, "wmax"])
        report = Report()
        folder = made(tmp_path / str(number))
        write(Document(intfire(weight_function=rule)), folder, report, dialect=dialect)
        found = populations(folder / "circuit_config.json", "edges")["src_to_net"]
        assert "weight_function" not in found["columns"]
        rows = [found["types"][int(number)] for number in found["ids"]["edge_type_id"]]
        assert [row.get("weight_function") for row in rows] == ["wmax", "wmax", "gaussianLL", "wmax", None, "wmax"]
        assert [float(row["syn_weight"]) for row in rows] == [0.5, 0.25, 0.5, 0.25, 0.5, 0.25]
        assert [issue.count for issue in report if issue.code == "rows-as-types"] == [6]


def test_more_combinations_than_types_can_be(tmp_path: Path, monkeypatch: object) -> None:
    size = sonata_regroup.MOST + 1
    network = intfire()
    projection = network.projections["src_to_net"]
    edges = Edges(
        Column(np.zeros(size, dtype=np.int64)),
        Column(np.zeros(size, dtype=np.int64)),
        Table(size, {"label": text_column([f"edge {number}" for number in range(size)])}),
    )
    types = projection.types.take(np.array([0]))
    changed = replace(projection, types=types, edges=edges, type_index=Column(0))
    report = Report()
    write(Document(replace(network, projections={"p": changed})), made(tmp_path / "o"), report, dialect="allen")
    assert [(i.kind, i.count) for i in report if i.code == "rows-not-as-types"] == [(Kind.APPROXIMATED, size)]
    labels = populations(tmp_path / "o/circuit_config.json", "edges")["src_to_net"]["columns"]["label"]
    assert (labels[0], labels[-1]) == ("edge 0", f"edge {size - 1}")


def test_parameters_of_single_nest_cells_are_reported(tmp_path: Path) -> None:
    """They are written as SONATA has them; pointnet does not read them from there."""
    cells = {"c": PointCell("nest:iaf_psc_alpha", {"C_m": 250.0})}
    population = Population("p", 2, table(1, cell=["c"]), table=table(2, parameters_V_th=[-50.0, -51.0]))
    report = Report()
    write(Document(Network("n", {"p": population}, {}, cells)), made(tmp_path / "out"), report, dialect="allen")
    assert [(i.kind, i.count) for i in report if i.code == "parameters-of-rows"] == [(Kind.APPROXIMATED, 2)]
    columns = populations(tmp_path / "out/circuit_config.json", "nodes")["p"]["columns"]
    assert columns["dynamics_params/V_th"] == [-50.0, -51.0]


def test_models_of_nest_have_a_parameter_file_even_if_it_is_empty(tmp_path: Path) -> None:
    """BMTK's pointnet raises KeyError for a type without dynamics_params."""
    cells = {"c": PointCell("nest:iaf_psc_delta")}
    synapses = {"s": Synapse("nest:static_synapse")}
    types = table(1, synapse=["s"], weight=[1.0], delay=[1.0], weight_unit=["mV"])
    edges = Edges(Column(np.array([0])), Column(np.array([1])), Table(1, {}))
    network = Network(
        "n",
        {"p": Population("p", 2, table(1, cell=["c"]))},
        {"e": Projection("e", "p", "p", types, edges)},
        cells,
        synapses,
    )
    write(Document(network), made(tmp_path / "out"), Report(), dialect="allen")
    assert parameters(tmp_path / "out", "nodes", "p", "point_neuron_models") == [{}, {}]
    assert parameters(tmp_path / "out", "edges", "e", "synaptic_models") == [{}]


# --- the simulation -----------------------------------------------------------------------------------------------


def test_results_stay_in_the_folder(tmp_path: Path) -> None:
    for number, (stated, wanted) in enumerate(
        {"../test/output": "./output", "a/../../b": "./output", "/somewhere": "./output", "a/../b": "a/../b"}.items()
    ):
        folder, report = made(tmp_path / str(number)), Report()
        plan = SimulationPlan(duration=10.0, output=Output(directory=stated))
        write(Document(intfire(), plan), folder, report, dialect="allen")
        assert json.loads((folder / "simulation_config.json").read_text())["output"]["output_dir"] == wanted
        assert ("output-folder" in report.codes()) == (stated != wanted)


def test_trains_that_outlast_the_run_come_back_from_obi(tmp_path: Path) -> None:
    """The window of a replay is as long as its trains, or a reader would have to take it for a cut."""
    trains = SpikeTrains("src", np.array([0, 2]), np.array([5.0, 25.0]))
    plan = SimulationPlan(duration=10.0, timestep=0.1, stimuli=(Stimulus("in", trains, {"population": "src"}),))
    write(Document(intfire(), plan), made(tmp_path / "obi"), Report(), dialect="obi")
    back = convert(tmp_path / "obi", tmp_path / "back", to="sonata+allen")
    assert back.document.plan is not None
    (stimulus,) = back.document.plan.stimuli
    assert isinstance(stimulus.what, SpikeTrains)
    assert stimulus.what.times.tolist() == [5.0, 25.0]
    assert stimulus.what.node_ids.tolist() == [0, 2]
