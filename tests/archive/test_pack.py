"""Archives that reproduce themselves: on another place of the disk, and not after somebody changed them."""

import json
import re
import shutil
import zipfile
from datetime import datetime

import h5py
import pytest

from pynn_io.archive.container import opened
from pynn_io.archive.entries import find_entries
from pynn_io.archive.expected import FILE
from pynn_io.archive.matrix import Options, run_matrix
from pynn_io.archive.pack import pack
from pynn_io.archive.values import Verdict
from pynn_io.errors import FormatError, SimulationFailed, UnsafeArchive, WriteError
from pynn_io.formats.omex import read_manifest
from pynn_io.report import Report
from tests.commands.circuits import tree
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
SYNFIRE = ROOT / "fixtures/synfire/simulation_config.json"
PAIR = ROOT / "fixtures/neuroml/LEMS_pair.xml"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The synfire chain on NEST, packed once."""
    dest = tmp_path_factory.mktemp("packed") / "synfire.omex"
    pack(SYNFIRE, dest, Report(), Options(backends=("nest",)))
    return dest


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A LEMS simulation of two cells on NEURON, packed once: what was packed, and what was reported."""
    report = Report()
    made = pack(PAIR, tmp_path_factory.mktemp("packed") / "pair.omex", report, Options(backends=("neuron",)))
    return made, [issue.code for issue in report]


def cells(source, folder, **options):
    folder.mkdir(exist_ok=True)
    report = Report()
    with opened(source, report) as container:
        return list(run_matrix(container, find_entries(container, report), Options(**options), folder))


def unpacked(source, folder):
    with zipfile.ZipFile(source) as archive:
        archive.extractall(folder)
    return folder


def test_it_reproduces_itself(packed, tmp_path):
    shutil.copy(packed, tmp_path / "elsewhere.omex")
    (cell,) = cells(tmp_path / "elsewhere.omex", tmp_path / "out")
    assert (cell.backend, cell.verdict) == ("nest", Verdict.REPRODUCED)
    (check,) = cell.checks
    assert check.numbers["spikes"]["excitatory"] == [88, 88]
    assert check.numbers["dt_max_ms"] == 0


def test_its_lists(packed, tmp_path):
    root = unpacked(packed, tmp_path / "content")
    listed = {entry.location for entry in read_manifest(root / "manifest.xml")}
    assert listed == {path for path in tree(root) if (root / path).is_file()} - {"manifest.xml"}
    expected = json.loads((root / FILE).read_text())
    assert [entry["entry"] for entry in expected["entries"]] == ["simulation_config.json"]
    graph = {each["@id"]: each for each in json.loads((root / "ro-crate-metadata.json").read_text())["@graph"]}
    assert graph["./"]["mainEntity"] == {"@id": "simulation_config.json"}
    actions = [each for each in graph.values() if each["@type"] == "CreateAction"]
    made = {name for name in listed if name.startswith("expected/")}
    assert [{each["@id"] for each in action["result"]} for action in actions] == [made, made]
    plan, simulator = (graph[action["instrument"]["@id"]] for action in actions)
    assert plan["@id"] == "simulation_config.json"
    assert simulator["softwareVersion"] == expected["entries"][0]["simulator_version"]
    for name, digest in expected["checksums"].items():
        assert graph[name]["sha256"] == digest


def test_rocrate_reads_its_metadata(packed, tmp_path):
    from rocrate.model.computationalworkflow import ComputationalWorkflow
    from rocrate.rocrate import ROCrate

    crate = ROCrate(str(unpacked(packed, tmp_path / "content")))
    assert crate.mainEntity.id == "simulation_config.json"
    assert isinstance(crate.mainEntity, ComputationalWorkflow)


def test_its_metadata_are_a_workflow_run_crate(packed, tmp_path):
    """The MUST rules of Workflow Run Crate 0.5, Process Run Crate 0.5, Workflow RO-Crate 1.0 and RO-Crate 1.1, as
    rocrate-validator 0.13 has them, which wants the network for the words that the metadata refer to."""
    content = json.loads((unpacked(packed, tmp_path / "content") / "ro-crate-metadata.json").read_text())
    assert content["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    graph = {each["@id"]: each for each in content["@graph"]}
    root, about = graph["./"], graph["ro-crate-metadata.json"]
    run = {"https://w3id.org/ro/wfrun/workflow/0.5", "https://w3id.org/ro/wfrun/process/0.5"}
    base = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
    assert {each["@id"] for each in root["conformsTo"]} == {*run, base}
    assert [each["@id"] for each in about["conformsTo"]] == ["https://w3id.org/ro/crate/1.1", base]
    assert {"name", "description", "datePublished", "license", "hasPart"} <= root.keys()
    plan = graph[root["mainEntity"]["@id"]]
    assert {"File", "SoftwareSourceCode", "ComputationalWorkflow"} == {*plan["@type"]}
    assert graph[plan["programmingLanguage"]["@id"]]["@type"] == "ComputerLanguage"
    assert {"@id": plan["@id"]} in root["hasPart"]
    for reference in root["mentions"]:
        action = graph[reference["@id"]]
        assert action["@type"] == "CreateAction" and action["instrument"]["@id"] in graph
        times = [datetime.fromisoformat(action[name]) for name in ("startTime", "endTime")]
        assert times[0] <= times[1]
        assert {each["@id"] for each in (*action["object"], *action["result"])} <= graph.keys()


def test_a_file_that_was_changed_is_found(packed, tmp_path):
    root = unpacked(packed, tmp_path / "content")
    with h5py.File(root / "expected/nest/spikes.h5", "r+") as file:
        (name,) = list(file["spikes"])[:1]
        file[f"spikes/{name}/timestamps"][0] += 0.1
    with pytest.raises(UnsafeArchive, match="is not the file that was packed: its checksum differs"):
        cells(root, tmp_path / "out")
    again = tmp_path / "again.omex"
    with zipfile.ZipFile(again, "w") as archive:
        for path in root.rglob("*"):
            archive.write(path, path.relative_to(root))
    with pytest.raises(UnsafeArchive) as caught:
        cells(again, tmp_path / "out")
    assert caught.value.where == f"{again}:{FILE}"  # not the folder that it was unpacked into


def test_a_file_that_is_missing_is_found(packed, tmp_path):
    root = unpacked(packed, tmp_path / "content")
    (root / "manifest.xml").unlink()
    (root / "node_sets.json").unlink()
    with pytest.raises(UnsafeArchive, match=r"'node_sets\.json' is missing"):
        cells(root, tmp_path / "out")


@pytest.mark.parametrize("change", ["weight", "delay"])
def test_a_planted_difference_is_found(packed, tmp_path, change):
    """One weight by 1 %, one delay by one step: the sums are made to fit, as if somebody had packed it so."""
    root = unpacked(packed, tmp_path / "content")
    edges = root / "network/stimulus_to_excitatory_edges.h5"
    with h5py.File(edges, "r+") as file:
        (population,) = file["edges"]
        group = file[f"edges/{population}/0"]
        column = "syn_weight" if change == "weight" else "delay"
        values = group[column][:]
        values[0] = values[0] * 1.01 if change == "weight" else values[0] + 0.1
        group[column][:] = values
    forget_sums(root)
    (cell,) = cells(root, tmp_path / "out")
    assert cell.verdict == Verdict.DIFFERS
    assert " allowed" in cell.checks[0].message  # the potentials, even where no spike moves


def test_a_channel_density_that_is_5_percent_off_is_found(pair, tmp_path):
    root = unpacked(pair[0].dest, tmp_path / "content")
    cell = root / "pyramid.cell.nml"
    text = cell.read_text()
    found = re.search(r'condDensity="([\d.]+)mS', text)
    cell.write_text(text.replace(found[0], f'condDensity="{float(found[1]) * 1.05:g}mS', 1))
    forget_sums(root)
    (changed,) = cells(root, tmp_path / "out")
    assert changed.verdict == Verdict.DIFFERS


def forget_sums(root):
    path = root / FILE
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "checksums": {}}))


def test_a_lems_model_with_sedml_and_its_tables(pair, tmp_path):
    made, codes = pair
    assert made.backend == "neuron"
    assert "simulation.sedml" in made.files
    assert codes == ["sedml-recording"]  # its event file, for which SED-ML has no word
    (cell,) = cells(made.dest, tmp_path / "out")
    assert cell.verdict == Verdict.REPRODUCED
    assert len(cell.checks) == 4  # results, two OutputFiles, one EventOutputFile


RANDOM = """\
import pyNN.nest as sim

sim.setup(timestep=0.1)
cells = sim.Population(60, sim.IF_curr_exp(tau_m=20.0, cm=0.2, tau_refrac=2.0), label="cells")
drive = sim.Population(60, sim.SpikeSourcePoisson(rate=1500.0), label="drive")
sim.Projection(drive, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight={weight}, delay=1.0))
cells.record("spikes")
sim.run(1500.0)
"""


def test_an_archive_of_several_seeds_expects_their_statistics(tmp_path):
    """Elsewhere one run is enough: another seed is no difference, another weight is one. (That the very run comes out
    again, tests/archive/test_judge.py shows.)"""
    pytest.importorskip("pyNN")
    script = tmp_path / "model" / "network.py"
    script.parent.mkdir()
    script.write_text(RANDOM.format(weight=0.021))
    options = Options(backends=("nest",), seed=5, seeds=5, allow_exec=True)
    pack(script, tmp_path / "random.omex", Report(), options)
    (other,) = cells(tmp_path / "random.omex", tmp_path / "out", allow_exec=True, seed=99)
    assert (other.verdict, other.checks[0].numbers["tier"]) == (Verdict.REPRODUCED, "statistical"), other.checks
    assert "% in the mean rate of 'cells' would have been seen" in other.checks[0].numbers["would_have_been_seen"][0]
    root = unpacked(tmp_path / "random.omex", tmp_path / "content")
    (root / "network.py").write_text(RANDOM.format(weight=0.0225))
    forget_sums(root)
    (changed,) = cells(root, tmp_path / "out", allow_exec=True, seed=99)
    assert (changed.verdict, changed.checks[0].numbers["tier"]) == (Verdict.DIFFERS, "statistical"), changed.checks
    assert "mean rate of cells:" in changed.checks[0].message


def test_what_is_refused(packed, tmp_path):
    with pytest.raises(WriteError, match="exists already"):
        pack(SYNFIRE, packed, Report(), Options(backends=("nest",)))
    with pytest.raises(FormatError, match="no simulation that can be packed"):
        pack(ROOT / "README.md", tmp_path / "a.omex", Report(), Options())
    with pytest.raises(FormatError, match="results of one backend are packed"):
        pack(SYNFIRE, tmp_path / "a.omex", Report(), Options(backends=("nest", "neuron")))
    with pytest.raises(SimulationFailed, match="it did not run"):
        pack(PAIR, tmp_path / "a.omex", Report(), Options(backends=("nest",)))
    assert not (tmp_path / "a.omex").exists()
