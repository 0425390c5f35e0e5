"""What of an archive is found to run, and what is expected of it: real archives, and small ones with one property."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from pynn_io.archive.container import opened
from pynn_io.archive.entries import chosen, find_entries, kind_of
from pynn_io.archive.values import Kind
from pynn_io.errors import FormatError, ReadError, UnsafeArchive
from pynn_io.formats.omex import MANIFEST, Entry, format_of, manifest_text
from pynn_io.report import Report
from tests.archive.hostile import zipped
from tests.commands.circuits import write_circuit, write_simulation
from tests.conftest import ROOT

LEMS = b'<Lems><Target component="s"/><Simulation id="s" length="1ms" step="1ms" target="n"/></Lems>'
SCRIPT = b"import os\nimport pyNN.nest as sim\nos.system('touch executed')\n"


def found_in(source):
    report = Report()
    with opened(source, report) as container:
        return find_entries(container, report), report


def codes(report):
    return [issue.code for issue in report]


def test_a_combine_archive_with_sedml_and_its_results(data):
    (entry,), report = found_in(data / "archives/biosim_hh/Hodgkin-Huxley-cell-Euler.omex")
    assert (entry.name, entry.kind, entry.task) == ("simulation.sedml#task", Kind.SEDML, "task")
    assert [(each.kind, each.part) for each in entry.expectations] == [
        ("report", "simulation.sedml/report"),
        ("report", "simulation.sedml/plot"),
    ]
    assert codes(report) == []


def test_a_repository_with_tests(data):
    (entry,), report = found_in(data / "archives/FitzHugh-Nagumo")
    assert (entry.name, entry.kind) == ("NeuroML2/LEMS_FitzHughNagumo.xml", Kind.LEMS)
    (expectation,) = entry.expectations
    assert expectation.name == "fhn.mep"
    assert {test.engine for test in expectation.tests} == {"jNeuroML", "jNeuroML_NEURON", "jNeuroML_Brian2"}
    assert expectation.tests[0].observables[0].expected[:2] == (2.24, 39.82)
    assert codes(report) == ["test-validates"]


def test_every_test_of_the_core_models_is_found(data):
    folder = data / "neuroml/neuroml2_core"
    entries, report = found_in(folder)
    assert set(codes(report)) == {"test-validates"}
    stated = [yaml.safe_load(path.read_text()) for path in folder.rglob(".*.omt")]
    with_numbers = [each for each in stated if "mep" in each]
    found = [test for entry in entries for each in entry.expectations for test in each.tests]
    assert len(found) == len(with_numbers) > 60
    models = {Path(each["target"].strip()).name for each in stated if "validate" not in each["engine"]}
    assert {entry.path.name for entry in entries} == models
    expecting = {Path(each["target"].strip()).name for each in with_numbers}
    assert {entry.path.name for entry in entries if entry.expectations} == expecting


def test_a_sonata_circuit_with_its_published_output(data):
    (entry,), _ = found_in(data / "sonata/300_intfire")
    assert (entry.name, entry.kind) == ("config.json", Kind.SONATA)
    assert [(each.kind, each.origin) for each in entry.expectations] == [
        ("results", data / "sonata/300_intfire/output")
    ]


def test_a_simulation_config_that_a_joined_one_names_is_not_run_twice(tmp_path):
    write_circuit(tmp_path)
    write_simulation(tmp_path)
    (tmp_path / "config.json").write_text(
        json.dumps({"network": "circuit_config.json", "simulation": "simulation_config.json"})
    )
    entries, _ = found_in(tmp_path)
    assert [entry.name for entry in entries] == ["config.json"]
    assert entries[0].expectations == ()


def test_a_file_alone_is_its_own_entry(tmp_path):
    write_circuit(tmp_path)
    entries, _ = found_in(write_simulation(tmp_path))
    assert [(entry.name, entry.kind) for entry in entries] == [("simulation_config.json", Kind.SONATA)]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.py", SCRIPT, Kind.PYNN),
        ("a.py", b"print('no PyNN here')", None),
        ("LEMS_a.xml", LEMS, Kind.LEMS),
        ("a.xml", b"<neuroml/>", None),
        ("a.xml", SCRIPT, None),
        ("a.sedml", b'<?xml version="1.0"?><sedML/>', Kind.SEDML),
        ("a.json", b'{"networks": {}}', None),
        ("a.json", b'{"networks": {}, "run": {}}', Kind.SONATA),
        ("a.json", b"{broken", None),
        ("a.nml", LEMS, None),
    ],
)
def test_what_a_file_is(tmp_path, name, content, kind):
    path = tmp_path / name
    path.write_bytes(content)
    assert kind_of(path) == kind


@pytest.mark.parametrize(
    ("form", "content", "words"),
    [
        ("a.sedml", SCRIPT, "says that this is sedml, and it is no simulation"),
        ("a.xml", b"\x7fELF", "says that this is neuroml, and it is no simulation"),
        ("a.sedml", LEMS, "says that this is sedml, and it is a neuroml simulation"),
    ],
)
def test_a_manifest_that_lies_about_its_master(tmp_path, form, content, words):
    text = manifest_text([Entry("model.xml", format_of(form), master=True)])
    source = zipped(tmp_path / "a.omex", (MANIFEST, text), ("model.xml", content))
    with pytest.raises(UnsafeArchive, match=words) as caught:
        found_in(source)
    assert caught.value.where == f"{source}:model.xml"
    assert not (tmp_path / "executed").exists()


def test_a_single_file_that_is_broken_has_its_own_error(tmp_path):
    (tmp_path / "plan.json").write_text('{"run": {\n "tstop": 10,}}')
    with pytest.raises(ReadError) as caught:
        found_in(tmp_path / "plan.json")
    assert caught.value.where == f"{tmp_path}/plan.json:2" and "not valid JSON" in str(caught.value)


def test_nothing_to_run(tmp_path):
    (tmp_path / "readme.md").write_text("nothing")
    with pytest.raises(FormatError, match="nothing to run was found") as caught:
        found_in(tmp_path)
    assert "SONATA, LEMS or SED-ML simulation, or a PyNN script" in caught.value.hint


def test_a_broken_test_is_told_and_the_others_are_found(data, tmp_path):
    folder = tmp_path / "fhn"
    shutil.copytree(data / "archives/FitzHugh-Nagumo", folder)
    (folder / "NeuroML2/.test.fhn.jnml.omt").write_text("target: [unclosed")
    (folder / "NeuroML2/.test.other.omt").write_text("target: missing.xml\nengine: jNeuroML\n")
    (entry,), report = found_in(folder)
    assert {test.engine for test in entry.expectations[0].tests} == {"jNeuroML_NEURON", "jNeuroML_Brian2"}
    assert sorted(codes(report)) == ["test-broken", "test-target", "test-validates"]


def test_a_crate_names_its_main_entity(tmp_path):
    write_circuit(tmp_path)
    write_simulation(tmp_path)
    (tmp_path / "LEMS_other.xml").write_bytes(LEMS)
    graph = [
        {"@id": "ro-crate-metadata.json", "about": {"@id": "./"}},
        {"@id": "./", "mainEntity": {"@id": "simulation_config.json"}},
    ]
    (tmp_path / "ro-crate-metadata.json").write_text(json.dumps({"@graph": graph}))
    entries, _ = found_in(tmp_path)
    assert [(entry.name, entry.found) for entry in entries] == [("simulation_config.json", "the archive's own list")]


def test_a_crate_whose_main_entity_is_not_there(tmp_path):
    (tmp_path / "LEMS_other.xml").write_bytes((ROOT / "fixtures/neuroml/LEMS_pair.xml").read_bytes())
    for file in (ROOT / "fixtures/neuroml").glob("*.nml"):
        shutil.copy(file, tmp_path)
    graph = [
        {"@id": "ro-crate-metadata.json", "about": {"@id": "./"}},
        {"@id": "./", "mainEntity": {"@id": "elsewhere.xml"}},
    ]
    (tmp_path / "ro-crate-metadata.json").write_text(json.dumps({"@graph": graph}))
    entries, report = found_in(tmp_path)
    assert [entry.name for entry in entries] == ["LEMS_other.xml"]
    assert codes(report) == ["crate-main-entity"]


def test_broken_metadata_of_a_crate(tmp_path):
    (tmp_path / "ro-crate-metadata.json").write_text('{"@graph": [1]}')
    with pytest.raises(ReadError, match="an object with an '@graph' of objects"):
        found_in(tmp_path)


def test_entries_are_chosen_by_patterns(data):
    report = Report()
    with opened(data / "neuroml/neuroml2_core", report) as container:
        entries = find_entries(container, report)
        names = [entry.name for entry in chosen(entries, ["*Ex0*", "*Ex1_*"], container)]
        assert names == ["LEMSexamples/LEMS_NML2_Ex0_IaF.xml", "LEMSexamples/LEMS_NML2_Ex1_HH.xml"]
        with pytest.raises(FormatError, match="no entry is called Ex99") as caught:
            chosen(entries, ["Ex99"], container)
    assert "LEMSexamples/LEMS_NML2_Ex0_IaF.xml" in caught.value.hint
