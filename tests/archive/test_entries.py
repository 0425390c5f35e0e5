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
    assert codes(report) == ["test-validates", "entry-unasked"]
    (others,) = (issue.examples for issue in report if issue.code == "entry-unasked")
    assert others == ["NeuroML2/LEMS_FHNMulti.xml"]


def test_every_test_of_the_core_models_is_found(data):
    folder = data / "neuroml/neuroml2_core"
    entries, report = found_in(folder)
    assert set(codes(report)) <= {"test-validates", "entry-unasked"}
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


def test_a_broken_test_is_an_entry_with_its_problem_and_the_others_are_found(data, tmp_path):
    """What it expects is not compared: a pipeline must not take that for a pass."""
    folder = tmp_path / "fhn"
    shutil.copytree(data / "archives/FitzHugh-Nagumo", folder)
    (folder / "NeuroML2/.test.fhn.jnml.omt").write_text("target: [unclosed")
    (folder / "NeuroML2/.test.other.omt").write_text("target: missing.xml\nengine: jNeuroML\n")
    (broken, entry), report = found_in(folder)
    assert (broken.name, broken.found) == ("NeuroML2/.test.fhn.jnml.omt", "its tests")
    assert "not valid YAML" in str(broken.problem)
    assert {test.engine for test in entry.expectations[0].tests} == {"jNeuroML_NEURON", "jNeuroML_Brian2"}
    assert sorted(codes(report)) == ["entry-unasked", "test-target", "test-validates"]


def test_a_repository_of_which_every_test_is_broken_is_not_run_without_them(tmp_path):
    (tmp_path / "LEMS_x.xml").write_bytes(LEMS)
    (tmp_path / ".test.omt").write_text('target: !!python/object/apply:os.system ["true"]\nengine: jNeuroML\n')
    with pytest.raises(ReadError, match="could not determine a constructor for the tag"):
        found_in(tmp_path)


def test_expectations_outside_of_a_closed_archive_are_not_opened(tmp_path):
    """An archive may name any file of the machine as what it expects."""
    secret = tmp_path / "secret.dat"
    secret.write_text("0 1\n")
    text = LEMS.decode().replace("/></Lems>", f'><OutputFile id="o" fileName="{secret}"/></Simulation></Lems>')
    source = zipped(tmp_path / "a.zip", ("model.xml", text.encode()))
    (entry,), _ = found_in(source)
    assert entry.expectations == ()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/model.xml").write_text(text)
    (entry,), _ = found_in(tmp_path / "folder")  # the user's own, which may reach beyond itself
    assert [each.origin for each in entry.expectations] == [secret]
    test = f"target: model.xml\nengine: jNeuroML\nmep: {secret}\n"
    source = zipped(tmp_path / "b.zip", ("model.xml", text.encode()), (".test.omt", test.encode()))
    with pytest.raises(UnsafeArchive, match="it names a file outside of the archive"):
        found_in(source)


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
    (entry,), report = found_in(tmp_path)
    assert entry.name == "elsewhere.xml" and "no simulation that is run here" in str(entry.problem)
    assert [(issue.code, issue.examples) for issue in report] == [("entry-unasked", ["LEMS_other.xml"])]
    graph[1]["mainEntity"] = {"@id": "https://example.org/workflow"}
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
        names = [entry.name for entry in chosen(entries, ["*Ex0*", "*Ex1_*"], container, Report())]
        assert names == ["LEMSexamples/LEMS_NML2_Ex0_IaF.xml", "LEMSexamples/LEMS_NML2_Ex1_HH.xml"]
        with pytest.raises(FormatError, match="no entry is called Ex99") as caught:
            chosen(entries, ["Ex99"], container, Report())
    assert "LEMSexamples/LEMS_NML2_Ex0_IaF.xml" in caught.value.hint


SEDML_TEXT = """<?xml version="1.0" encoding="UTF-8"?>
<sedML xmlns="http://sed-ml.org/sed-ml/level1/version3" level="1" version="3">
<listOfModels><model id="m" language="urn:sedml:language:lems" source="model.xml"/></listOfModels>
<listOfSimulations><uniformTimeCourse id="s" initialTime="0" outputStartTime="0" outputEndTime="0.001"
 numberOfPoints="10">
<algorithm kisaoID="KISAO:0000030"/></uniformTimeCourse></listOfSimulations>
<listOfTasks><task id="t" modelReference="m" simulationReference="s"/></listOfTasks></sedML>"""
BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>'


def omex(path, master, **files):
    """An archive of a SED-ML document and a model, with other content where it is given."""
    content = {"master.sedml": SEDML_TEXT.encode(), "model.xml": LEMS, **files}
    listed = [Entry(name, format_of(name), master=name == master) for name in content]
    return zipped(path, (MANIFEST, manifest_text(listed)), *content.items())


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"master.sedml": SEDML_TEXT.replace("<listOfModels>", "&x;<listOfModels>").encode()}, "not well-formed"),
        ({"master.sedml": BOMB.replace(b"<a>", b"<sedML>").replace(b"</a>", b"</sedML>")}, "document type definition"),
        (
            {"model.xml": BOMB.replace(b"<a>", b"<Lems><Target/>").replace(b"</a>", b"</Lems>")},
            "document type definition",
        ),
        ({"master.sedml": SEDML_TEXT.replace("</sedML>", "").encode()}, "not well-formed"),
    ],
    ids=["entity", "bomb", "bomb in the model", "cut"],
)
def test_a_broken_master_is_an_error_and_nothing_else_is_run_in_its_place(tmp_path, files, words):
    source = omex(tmp_path / "a.omex", "master.sedml", **files)
    with pytest.raises(ReadError, match=words) as caught:
        found_in(source)
    assert caught.value.where.startswith(f"{source}:{next(iter(files))}")


def test_a_task_that_is_not_run_is_an_entry_with_the_reason(tmp_path):
    text = SEDML_TEXT.replace(
        "</listOfSimulations>",
        '<steadyState id="y"><algorithm kisaoID="KISAO:0000407"/></steadyState></listOfSimulations>',
    ).replace("</listOfTasks>", '<task id="u" modelReference="m" simulationReference="y"/></listOfTasks>')
    entries, report = found_in(omex(tmp_path / "a.omex", "master.sedml", **{"master.sedml": text.encode()}))
    assert [(entry.name, entry.problem is None) for entry in entries] == [
        ("master.sedml#t", True),
        ("master.sedml#u", False),
    ]
    assert "only uniform time courses are run" in str(entries[1].problem)
    assert codes(report) == []


@pytest.mark.parametrize("place", ["/etc/hostname", "../../../../../../etc/hostname"])
def test_files_outside_of_a_closed_archive_are_not_even_opened(tmp_path, place):
    for text, name in (
        (SEDML_TEXT.replace('source="model.xml"', f'source="{place}"'), "master.sedml"),
        (LEMS.decode().replace("<Target", f'<Include file="{place}"/><Target'), "model.xml"),
        (f'{{"run": {{"tstop": 1, "dt": 0.1}}, "network": "{place}"}}', "simulation_config.json"),
    ):
        source = omex(tmp_path / f"{name}.omex", name, **{name: text.encode()})
        with pytest.raises(UnsafeArchive, match="it names a file outside of the archive") as caught:
            found_in(source)
        assert caught.value.where.startswith(f"{source}:{name}")


def test_a_master_that_nothing_here_runs_is_told_and_can_be_passed_over(tmp_path):
    source = omex(tmp_path / "a.omex", "paper.pdf", **{"paper.pdf": b"%PDF"})
    report = Report()
    with opened(source, report) as container:
        (entry,) = find_entries(container, report)
        assert "no simulation that is run here" in str(entry.problem)
        assert [list(issue.examples) for issue in report] == [["master.sedml"]], "model.xml is the document's"
        (other,) = chosen([entry], ["master*"], container, report)
        assert (other.name, other.problem) == ("master.sedml#t", None)


def test_archives_in_an_archive_are_named(tmp_path):
    with pytest.raises(FormatError) as caught:
        found_in(zipped(tmp_path / "a.zip", ("in/b.omex", b""), ("c.txt", b"")))
    assert caught.value.hint == "it holds archives, which are reproduced one by one: in/b.omex"


def test_files_that_a_crate_lists_and_lacks(tmp_path):
    """Names are URIs: a space is %20 in them."""
    (tmp_path / "a model.xml").write_bytes(LEMS)
    listed = [{"@id": "a%20model.xml", "@type": "File"}, {"@id": "gone.csv", "@type": ["File", "Dataset"]},
              {"@id": "https://example.org/x.csv", "@type": "File"}]  # fmt: skip
    for main, lacks in (("a%20model.xml", False), ("gone.csv", True)):
        about = {"@id": "ro-crate-metadata.json", "about": {"@id": "./"}}
        graph = [about, {"@id": "./", "mainEntity": {"@id": main}}, *listed]
        (tmp_path / "ro-crate-metadata.json").write_text(json.dumps({"@graph": graph}))
        if lacks:
            with pytest.raises(ReadError, match=r"its main entity 'gone\.csv' is not there"):
                found_in(tmp_path)
        else:
            (entry,), report = found_in(tmp_path)
            assert entry.name == "a model.xml"
            assert [(issue.code, issue.examples) for issue in report] == [("crate-lacking", ["gone.csv"])]
