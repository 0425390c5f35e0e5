"""Every simulation configuration of the real circuits gives a plan; numbers against the raw JSON and h5py."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io.formats import sonata_config
from pynn_io.graph import CableCell, Column, Network, PointCell, Population, SpikeSource, Table, text_column
from pynn_io.graph.stimuli import CurrentPulses, OtherStimulus, SpikeTrains
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.simulation_plan.sonata import read_plan
from tests.conftest import DATA

_KINDS = {"virtual": SpikeSource(), "biophysical": CableCell(), "point_neuron": PointCell("nest:any")}


def _simulations() -> list[str]:
    """The files with a ``run``, whatever they are called."""
    found = []
    for path in sorted(DATA.glob("sonata*/**/*.json")):
        try:
            content = json.loads(path.read_text())
        except ValueError:
            continue
        if isinstance(content, dict) and "run" in content:
            found.append(str(path.relative_to(DATA)))
    return found


def _model_types(row: dict[str, str], types: dict[int, str]) -> dict[int, str]:
    with Path(row["node_types_file"]).open() as file:
        lines = list(csv.reader(file, delimiter=" ", skipinitialspace=True))
    for line in lines[1:]:
        entry = dict(zip(lines[0], line, strict=False))
        types[int(entry["node_type_id"])] = entry.get("model_type", "biophysical").replace("_process", "_neuron")
    return types


def _network(circuit: sonata_config.ConfigFile) -> Network:
    """Populations with ids and kinds of cells only, by plain h5py and csv."""
    populations: dict[str, Population] = {}
    for row in circuit.content["networks"]["nodes"]:
        nodes = {
            key: value if key == "populations" else str(circuit.path_of(value)) for key, value in row.items() if value
        }
        types: dict[int, str] = {}
        if "node_types_file" in nodes and Path(nodes["node_types_file"]).is_file():
            _model_types(nodes, types)
        if not Path(nodes["nodes_file"]).is_file():
            continue
        with h5py.File(nodes["nodes_file"]) as file:
            for name, group in file["nodes"].items():
                if "node_type_id" not in group:  # an empty population of a format test
                    continue
                kind = (row.get("populations") or {}).get(name, {}).get("type", "biophysical")
                own = [types.get(number, kind) for number in group["node_type_id"][:].tolist()]
                known = [value if value in _KINDS else "biophysical" for value in own]
                cells = sorted(set(known))
                ids = group["node_id"][:].astype(np.int64) if "node_id" in group else np.arange(len(own))
                populations[name] = Population(
                    name,
                    len(own),
                    Table(len(cells), {"cell": text_column(cells)}),
                    Column(np.asarray([cells.index(value) for value in known])),
                    Table(len(own), {"id": Column(ids)}),
                )
    return Network(populations=populations, cells=_KINDS)


def _plan(path: Path, report: Report) -> tuple[SimulationPlan, dict]:
    config = sonata_config.read_config(path, report)
    circuit = next(
        (
            candidate
            for name in (config.content.get("network"), "circuit_config.json", "config.circuit.json")
            if name and (candidate := config.path_of(name)).is_file()
        ),
        path,
    )
    source = sonata_config.read_config(circuit, report)
    network = _network(source) if "networks" in source.content else Network()
    own = source.content.get("node_sets_file")
    if own and source.path_of(own).is_file():
        sets = json.loads(source.path_of(own).read_text())
        network = Network(populations=network.populations, cells=network.cells, node_sets=sets)
    plan = read_plan(config.content, where=path, base=path.parent, network=network, report=report)
    return plan, dict(config.content)


@pytest.mark.parametrize("name", _simulations())
def test_every_real_simulation_config_reads(name: str, data: Path) -> None:
    report = Report()
    plan, raw = _plan(data / name, report)
    assert plan.duration == raw["run"].get("tstop", raw["run"].get("duration"))
    assert plan.timestep == raw["run"].get("dt")
    assert plan.v_init == raw.get("conditions", {}).get("v_init")
    assert {stimulus.name.partition(".")[0] for stimulus in plan.stimuli} == set(raw.get("inputs", {}))
    assert [record.name for record in plan.recordings] == list(raw.get("reports", {}))
    assert "unknown-simulation-key" not in report.codes()
    assert "unknown-input-key" not in report.codes()
    for stimulus in plan.stimuli:  # what no reader takes is kept whole
        if isinstance(stimulus.what, OtherStimulus):
            assert dict(stimulus.what.parameters) == raw["inputs"][stimulus.name]


def test_there_are_real_configs_to_read(data: Path) -> None:
    assert len(_simulations()) > 25


def test_spikes_of_300_pointneurons_are_those_of_the_file(data: Path) -> None:
    plan, _ = _plan(data / "sonata/300_pointneurons/simulation_config.json", Report())
    trains = plan.stimuli[0].what
    assert isinstance(trains, SpikeTrains)
    assert trains.population == "external"
    with h5py.File(data / "sonata/300_pointneurons/inputs/external_spike_trains.h5") as file:
        pairs = sorted(zip(file["spikes/gids"][:].tolist(), file["spikes/timestamps"][:].tolist(), strict=True))
    assert list(zip(trains.node_ids.tolist(), trains.times.tolist(), strict=True)) == pairs


def test_amplitudes_are_na_in_neuron_and_pa_in_nest(data: Path) -> None:
    neuron, _ = _plan(data / "sonata/5_cells_iclamp/simulation_config.json", Report())
    nest, _ = _plan(data / "sonata/sim_tests/intfire/one_cell_iclamp_nest/input/simulation_config.json", Report())
    assert [stimulus.what.amplitudes.tolist() for stimulus in neuron.stimuli] == [[0.15], [0.175], [0.2]]
    assert nest.stimuli[0].what.amplitudes.tolist() == [0.19]  # 190 pA
    assert nest.stimuli[0].what.delays.tolist() == [100.0]


def test_the_same_current_inline_as_lists_and_as_csv(data: Path) -> None:
    folder = data / "sonata/bio_advanced_stimuli"
    plans = [_plan(folder / f"config.simulation_iclamp{kind}.json", Report())[0] for kind in ("", ".aslist")]
    steps = [
        np.column_stack(
            [
                np.concatenate([getattr(stimulus.what, field) for stimulus in plan.stimuli])
                for field in ("amplitudes", "delays", "durations")
            ]
        ).tolist()
        for plan in plans
    ]
    assert steps[0] == steps[1] == [[0.15, 500, 500], [0.175, 1500, 500], [0.2, 2500, 500]]
    csv_plan, _ = _plan(folder / "config.simulation_iclamp.csv.json", Report())
    pulses = csv_plan.stimuli[0].what
    assert isinstance(pulses, CurrentPulses)
    assert pulses.amplitudes.tolist() == [0.15, 0.175, 0.2]
    assert pulses.delays.tolist() == [800, 1800, 2800]
    assert pulses.durations.tolist() == [500, 500, 500]


def test_a_missing_input_file_is_named_and_the_rest_reads(data: Path) -> None:
    report = Report()
    plan, _ = _plan(data / "sonata/point_120cells/config.simulation_perturbations.json", report)
    (issue,) = [issue for issue in report if issue.code == "missing-input"]
    assert "thalamus_spikes.csv" in issue.message
    assert issue.where.endswith("config.simulation_perturbations.json:inputs.LGN_spikes.input_file")
    assert [type(stimulus.what) for stimulus in plan.stimuli] == [OtherStimulus, CurrentPulses, CurrentPulses]
    assert plan.stimuli[2].what.amplitudes.tolist() == [-0.23]


def test_the_importer_gives_the_same_plan_as_the_bare_network(data: Path) -> None:
    from pynn_io.importers.sonata import read

    path = data / "sonata/bio_14cells/config.simulation.json"
    imported = read(path, Report()).plan
    bare, _ = _plan(path, Report())
    assert imported is not None
    for ours, theirs in zip(imported.stimuli, bare.stimuli, strict=True):
        assert (ours.name, ours.node_set, ours.what.population) == (
            theirs.name,
            theirs.node_set,
            theirs.what.population,
        )
        assert np.array_equal(ours.what.times, theirs.what.times)
        assert np.array_equal(ours.what.node_ids, theirs.what.node_ids)
