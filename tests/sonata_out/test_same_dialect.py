"""sonata -> sonata of the same dialect keeps everything: compared file by file with plain h5py and csv."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pynn_io import Report, read
from pynn_io.exporters.sonata import write
from pynn_io.report import Kind
from tests.sonata_out.written import circuit, populations

ALLEN = {
    "sonata/300_intfire/circuit_config.json": "sonata/300_intfire/circuit_config.json",
    "sonata/300_pointneurons/circuit_config.json": "sonata/300_pointneurons/circuit_config.json",
    "sonata/5_cells_iclamp/circuit_config.json": "sonata/5_cells_iclamp/circuit_config.json",
    "sonata/bio_14cells/config.simulation.json": "sonata/bio_14cells/config.circuit.json",
    "sonata/point_120cells/config.simulation.json": "sonata/point_120cells/config.circuit.json",
}
OBI = [
    "sonata_obi/nd_ringtest/circuit_config.json",
    "sonata_obi/nd_usecase3/circuit_config_virtualpop.json",
    "sonata_obi/snap_data/circuit_config.json",
]


def round_trip(source: Path, dest: Path, dialect: str) -> Report:
    report = Report()
    dest.mkdir()
    write(read(source), dest, report, dialect=dialect)
    return report


def same_number(one: object, two: object) -> bool:
    return one == two or (isinstance(one, float) and isinstance(two, float) and one != one and two != two)


def compare(
    before: dict, after: dict, kind: str, *, added: frozenset[str] = frozenset(), keep_types: bool = True
) -> None:
    assert before.keys() == after.keys()
    for name, old in before.items():
        new = after[name]
        assert old["ends"] == new["ends"]
        for key, values in old["ids"].items():
            if not key.endswith(("group_id", "group_index")) and (keep_types or not key.endswith("type_id")):
                np.testing.assert_array_equal(values, new["ids"][key], err_msg=f"{name}/{key}")
        assert set(new["columns"]) - added - {"section_order"} == set(old["columns"]) - added
        for column in set(old["columns"]) & set(new["columns"]):
            pairs = zip(old["columns"][column], new["columns"][column], strict=True)
            assert all(same_number(one, two) for one, two in pairs), f"{kind} {name}/{column}"


def compare_types(before: dict, after: dict) -> None:
    """Every type, by id and by attribute: numbers as numbers, since 2.0 and 2 are the same."""
    for name, old in before.items():
        new = after[name]["types"]
        assert old["types"].keys() == new.keys()
        for number, attributes in old["types"].items():
            assert attributes.keys() == new[number].keys(), (name, number)
            for key, text in attributes.items():
                other = new[number][key]
                assert text == other or float(text) == float(other), (name, number, key)


@pytest.mark.parametrize("source", ALLEN)
def test_allen(data: Path, tmp_path: Path, source: str) -> None:
    report = round_trip(data / source, tmp_path / "out", "allen")
    assert [issue.code for issue in report.of_kind(Kind.LOST, Kind.APPROXIMATED) if issue.code != "stimulus-kept"] == []
    for kind in ("nodes", "edges"):
        before, after = (
            populations(path, kind) for path in (data / ALLEN[source], tmp_path / "out/circuit_config.json")
        )
        compare(before, after, kind)
        compare_types(before, after)
        if kind == "nodes":
            for name, old in before.items():
                for row in range(old["size"]):
                    assert old["ids"]["node_group_id"][row] == after[name]["ids"]["node_group_id"][row]


def test_allen_file_names(data: Path, tmp_path: Path) -> None:
    round_trip(data / "sonata/300_intfire/circuit_config.json", tmp_path / "out", "allen")
    theirs = {path.name for path in (data / "sonata/300_intfire/network").iterdir()}
    assert {path.name for path in (tmp_path / "out/network").iterdir()} == theirs


@pytest.mark.parametrize("source", OBI)
def test_obi(data: Path, tmp_path: Path, source: str) -> None:
    report = round_trip(data / source, tmp_path / "out", "obi")
    assert {issue.code for issue in report.of_kind(Kind.LOST, Kind.APPROXIMATED)} <= {
        "population-property",
        "missing-morphology",
    }
    for kind in ("nodes", "edges"):
        before, after = (populations(path, kind) for path in (data / source, tmp_path / "out/circuit_config.json"))
        compare(before, after, kind, added=frozenset({"model_type", "model_template"}), keep_types=False)
        config, _ = circuit(tmp_path / "out/circuit_config.json")
        old_config, _ = circuit(data / source)
        types = [
            {
                name: properties["type"]
                for entry in each["networks"][kind]
                for name, properties in entry["populations"].items()
            }
            for each in (old_config, config)
        ]
        assert types[0] == types[1]


@pytest.mark.parametrize(
    ("source", "old_folder", "pairs"),
    [
        (
            "sonata/bio_14cells/config.simulation.json",
            "sonata/bio_components",
            {
                "morphologies/Scnn1a_473845048_m.swc": "morphologies/Scnn1a_473845048_m.swc",
                "biophysical_neuron_templates/ctdb/472363762_fit.json": "biophysical_neuron_models/472363762_fit.json",
                "point_neuron_templates/IntFire1_exc_1.json": "point_neuron_models/IntFire1_exc_1.json",
                "synaptic_models/AMPA_ExcToExc.json": "synaptic_models/AMPA_ExcToExc.json",
            },
        ),
        (
            "sonata_obi/nd_usecase3/circuit_config.json",
            "sonata_obi/nd_usecase3/CircuitA/morphologies",
            {"swc/C210401C.swc": "morphologies/C210401C.swc", "asc/C210401C.asc": "morphologies_asc/C210401C.asc"},
        ),
    ],
)
def test_component_files_are_copied_byte_for_byte(
    data: Path, tmp_path: Path, source: str, old_folder: str, pairs: dict[str, str]
) -> None:
    round_trip(data / source, tmp_path / "out", "obi" if "obi" in source else "allen")
    for old, new in pairs.items():
        assert (tmp_path / "out/components" / new).read_bytes() == (data / old_folder / old).read_bytes()


def test_compressed_files_and_stdp_types(data: Path, tmp_path: Path) -> None:
    """point_stdp is gzipped by BMTK and has no circuit config of its own: its edges and types come back whole."""
    folder = data / "sonata/point_stdp"
    round_trip(folder / "config.simulation_virtual.json", tmp_path / "out", "allen")
    stated = tmp_path / "stated.json"
    networks = {
        kind: [
            {
                f"{kind}_file": str(path),
                f"{kind[:-1]}_types_file": str(path).replace(f"{kind}.h5", f"{kind[:-1]}_types.csv"),
            }
            for path in sorted((folder / "network").glob(f"*_{kind}.h5"))
        ]
        for kind in ("nodes", "edges")
    }
    stated.write_text(json.dumps({"networks": networks}))
    for kind in ("nodes", "edges"):
        before, after = (populations(path, kind) for path in (stated, tmp_path / "out/circuit_config.json"))
        compare({name: before[name] for name in after}, after, kind)
        compare_types({name: before[name] for name in after}, after)
        assert after
