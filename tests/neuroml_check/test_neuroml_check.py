# ruff: noqa: E501
"""The reference check: one good document, and 26 that differ from it by one fault each."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_check import check
from pynn_io.formats.neuroml_hdf5 import write_network
from pynn_io.formats.neuroml_records import (
    Connections,
    Endpoint,
    NetworkRecord,
    PopulationRecord,
    ProjectionRecord,
)
from pynn_io.formats.neuroml_schema import types
from pynn_io.formats.neuroml_xml import write_document
from tests.neuroml_out.nml_tools import data, jnml_validates, xsd
from tests.neuroml_out.test_neuroml_xml_writer import document

GOOD = """<?xml version="1.0" encoding="UTF-8"?>
<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="doc">
    <ionChannel id="pas" type="ionChannelPassive" conductance="10pS"/>
    <expOneSynapse id="syn" gbase="5nS" erev="0mV" tauDecay="3ms"/>
    <cell id="cable">
        <morphology id="m">
            <segment id="0" name="soma"><proximal x="0" y="0" z="0" diameter="10"/><distal x="10" y="0" z="0" diameter="10"/></segment>
            <segment id="1"><parent segment="0" fractionAlong="1"/><distal x="50" y="0" z="0" diameter="1"/></segment>
            <segment id="2"><parent segment="1"/><distal x="90" y="0" z="0" diameter="1"/></segment>
            <segmentGroup id="soma_group" neuroLexId="GO:0043025"><member segment="0"/></segmentGroup>
            <segmentGroup id="dendrite_group"><member segment="1"/><member segment="2"/></segmentGroup>
            <segmentGroup id="both"><include segmentGroup="soma_group"/><include segmentGroup="dendrite_group"/></segmentGroup>
        </morphology>
        <biophysicalProperties id="b">
            <membraneProperties>
                <channelDensity id="pas_all" ionChannel="pas" condDensity="0.1mS_per_cm2" erev="-65mV" segmentGroup="both" ion="non_specific"/>
                <spikeThresh value="-20mV"/>
                <specificCapacitance value="1uF_per_cm2"/>
                <initMembPotential value="-65mV"/>
            </membraneProperties>
            <intracellularProperties>
                <resistivity value="100ohm_cm"/>
            </intracellularProperties>
        </biophysicalProperties>
    </cell>
    <iafCell id="iaf" leakConductance="0.01uS" leakReversal="-60mV" thresh="-50mV" reset="-60mV" C="0.1nF"/>
    <pulseGenerator id="pulse" delay="5ms" duration="50ms" amplitude="0.2nA"/>
    <network id="net">
        <population id="a" component="iaf" size="2" type="populationList">
            <instance id="0"><location x="0" y="0" z="0"/></instance>
            <instance id="1"><location x="1" y="0" z="0"/></instance>
        </population>
        <population id="b" component="cable" size="3"/>
        <projection id="p" presynapticPopulation="a" postsynapticPopulation="b" synapse="syn">
            <connectionWD id="0" preCellId="../a/0/iaf" postCellId="../b[2]" postSegmentId="2" postFractionAlong="0.25" weight="1" delay="1ms"/>
            <connectionWD id="1" preCellId="../a/1/iaf" postCellId="../b[0]" weight="1" delay="1ms"/>
        </projection>
        <inputList id="il" population="a" component="pulse">
            <input id="0" target="../a/1/iaf" destination="synapses"/>
        </inputList>
    </network>
</neuroml>
"""

# what is replaced, by what, what the check must say, at the line that holds this text
BROKEN = {
    "unit-of-another-dimension": ('leakReversal="-60mV"', 'leakReversal="-60nA"', "'-60nA' is not a voltage", "<iafCell"),
    "unknown-unit": ('tauDecay="3ms"', 'tauDecay="3fortnight"', "'3fortnight' is not a time", "<expOne"),
    "fraction-above-one": ('postFractionAlong="0.25"', 'postFractionAlong="1.25"', "'1.25' is not between 0 and 1", "1.25"),
    "id-with-a-space": ('<pulseGenerator id="pulse"', '<pulseGenerator id="the pulse"', "'the pulse' is not an id", "<pulseG"),
    "id-beginning-with-a-digit": ('<network id="net">', '<network id="1net">', "'1net' is not an id", "<network"),
    "no-spike-threshold": ('<spikeThresh value="-20mV"/>', "", "<membraneProperties> lacks its <spikeThresh>", "<membr"),
    "element-order": (
        '<ionChannel id="pas" type="ionChannelPassive" conductance="10pS"/>\n    <expOneSynapse id="syn" gbase="5nS" erev="0mV" tauDecay="3ms"/>',
        '<expOneSynapse id="syn" gbase="5nS" erev="0mV" tauDecay="3ms"/>\n    <ionChannel id="pas" type="ionChannelPassive" conductance="10pS"/>',
        "<ionChannel> stands too late in <neuroml>",
        "<ionChannel ",
    ),
    "segment-id-twice": ('<segment id="2">', '<segment id="1">', "segment id 1 occurs 2 times", 'x="90"'),
    "member-of-missing-segment": ('<member segment="2"/>', '<member segment="7"/>', "has the member 7", "dendrite_group"),
    "unknown-channel": ('ionChannel="pas"', 'ionChannel="hh"', "the ionChannel 'hh', which is defined nowhere", "hh"),
    "unknown-synapse": ('synapse="syn"', 'synapse="ampa"', "the synapse 'ampa', which is defined nowhere", "ampa"),
    "unknown-component": ('component="cable"', 'component="pyr"', "the component 'pyr', which is defined nowhere", "pyr"),
    "unknown-population": ('postsynapticPopulation="b"', 'postsynapticPopulation="c"', "'c', which is not in the network", '"c"'),
    "size-is-not-the-number-of-instances": ('size="2"', 'size="5"', "states the size 5 and lists 2 instances", 'size="5"'),
    "population-id-twice": ('<population id="b"', '<population id="a"', "the id 'a' of an earlier <population>", 'size="3"'),
    "density-on-missing-group": ('segmentGroup="both"', 'segmentGroup="apical"', "the segment group 'apical'", "apical"),
    "two-roots": ('<parent segment="1"/>', '<proximal x="0" y="0" z="0" diameter="1"/>', "segment 2 is a second root", 'id="2"'),
    "no-resistivity": ('<resistivity value="100ohm_cm"/>', "", "states no resistivity", "<biophysicalProperties"),
    "dangling-parent": ('<parent segment="1"/>', '<parent segment="9"/>', "segment 2 has the parent 9", 'x="90"'),
    "cell-out-of-range": ("../b[2]", "../b[3]", "connection 0 of 'p' refers to cell 3 of population 'b'", "../b[3]"),
    "wrong-component-in-path": ("../a/0/iaf", "../a/0/izh", "'../a/0/izh' does not lead to an instance", "izh"),
    "post-segment-missing": ('postSegmentId="2"', 'postSegmentId="12"', "refers to segment 12 of 'cable'", '"12"'),
    "connection-id-twice": ('<connectionWD id="1"', '<connectionWD id="0"', "id 0 of an element of <projection> 'p'", "../a/1/iaf\" p"),
    "root-without-proximal": ('<proximal x="0" y="0" z="0" diameter="10"/>', "", "neither a parent nor a proximal", 'name="soma"'),
    "negative-delay": ('weight="1" delay="1ms"', 'weight="1" delay="-1ms"', "has a negative delay", "../b[2]"),
    "forward-include": (
        '<segmentGroup id="soma_group" neuroLexId="GO:0043025"><member',
        '<segmentGroup id="soma_group" neuroLexId="GO:0043025"><include segmentGroup="dendrite_group"/><member',
        "before that is defined",
        '"soma_group" neuro',
    ),
    "parents-in-a-circle": ('<parent segment="0" fractionAlong="1"/>', '<parent segment="2"/>', "is its own ancestor", 'x="50"'),
    "input-to-missing-cell": ('target="../a/1/iaf"', 'target="../a/2/iaf"', "input 0 of 'il' refers to cell 2", "../a/2/"),
    "missing-include": (
        '<ionChannel id="pas"', '<include href="no.nml"/><ionChannel id="pas"', "'no.nml' does not exist", "no.nml",
    ),
    "not-well-formed": ("</network>", "</net>", "not well-formed XML: mismatched tag", "</net>"),
    "negative-fraction-missing-attribute": (' weight="1" delay="1ms"/>\n        </proj', "/>\n        </proj", "lacks its attribute 'weight'", '../b[0]'),
}  # fmt: skip


def write(folder: Path, text: str) -> Path:
    path = folder / "doc.nml"
    path.write_text(text)
    return path


def test_the_good_document_passes_everything(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    assert check(path) == []
    assert check(path, schema=False) == []
    xsd().assertValid(etree.parse(str(path)))
    assert "All valid and no warnings" in jnml_validates(path)


@pytest.mark.parametrize("fault", BROKEN)
def test_every_fault_is_named_with_its_line(tmp_path: Path, fault: str) -> None:
    old, new, message, place = BROKEN[fault]
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    path = write(tmp_path, text)
    found = check(path, schema=False)  # our own check alone, without the XSD
    assert [p for p in found if message in p.message], found
    line = next(p.line for p in found if message in p.message)
    assert place in text.splitlines()[line - 1], (line, text.splitlines()[line - 1])
    assert str(found[0]).startswith(f"{path}:")
    # One fault, few problems: what is gone or misspelt is missed wherever it is referred to.
    assert len(found) <= 4, found


def test_what_the_schema_finds_is_not_told_twice(tmp_path: Path) -> None:
    pytest.importorskip("neuroml")
    path = write(tmp_path, GOOD.replace('tauDecay="3ms"', 'tauDecay="3fortnight"'))
    assert len(check(path)) == 1


def test_our_table_of_the_schema_is_the_schema() -> None:
    neuroml = pytest.importorskip("neuroml")
    path = Path(neuroml.__file__).parent / "nml" / "NeuroML_v2.3.1.xsd"
    if not path.exists():
        pytest.skip("this libNeuroML has no 2.3.1 schema")
    ns = "{http://www.w3.org/2001/XMLSchema}"
    root = etree.parse(str(path)).getroot()
    seen = 0
    for element in root.findall(f"{ns}complexType"):
        kind = types().get(element.get("name"))
        if kind is None:
            continue
        extension = element.find(f"{ns}complexContent/{ns}extension")
        body = element if extension is None else extension
        for attribute in body.findall(f"{ns}attribute"):
            seen += 1
            assert attribute.get("name") in kind.attributes
            assert (attribute.get("name") in kind.required) == (attribute.get("use") == "required")
        particles = [p for sequence in ("sequence", "choice") for p in body.findall(f"{ns}{sequence}/{ns}element")]
        places = [kind.children[p.get("name")].place for p in particles]
        assert places == sorted(places)
        for particle in particles:
            child = kind.children[particle.get("name")]
            assert child.many == (particle.get("maxOccurs") == "unbounded")
    assert seen > 300


def test_our_writers_documents_pass(tmp_path: Path) -> None:
    path = tmp_path / "doc.net.nml"
    head, network = document()
    write_document(path, head, network)
    # The writer's test document aims at segment 7 of a point cell, to have a segment id in it.
    assert [p.message for p in check(path)] == [
        "connection 0 of 'sited' refers to segment 7 of 'iaf', which is not there"
    ]


def test_includes_are_followed(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "iaf.cell.nml").write_text(
        '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="c"><include href="../doc.nml"/>'
        '<iafCell id="iaf" leakConductance="0.01uS" leakReversal="-60mV" thresh="-50mV" reset="-60mV" C="0.1nF"/></neuroml>'
    )
    text = re.sub(r"    <iafCell.*/>\n", "", GOOD)
    path = write(tmp_path, text)
    assert "'iaf', which is defined nowhere" in check(path)[0].message
    text = text.replace('<ionChannel id="pas"', '<include href="cells/iaf.cell.nml"/><ionChannel id="pas"')
    assert check(write(tmp_path, text)) == []
    own = (
        '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="t">'
        '<ComponentType name="mine" extends="baseCell"/><baseCell id="iaf" type="mine"/></neuroml>'
    )
    (tmp_path / "cells" / "iaf.cell.xml").write_text(own)
    assert check(write(tmp_path, text.replace("iaf.cell.nml", "iaf.cell.xml"))) == []


OWN_TYPE = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="own">
    {definition}
    <concentrationModel id="pool" type="ownPool" ion="ca" decay="3ms"/>
</neuroml>"""


def test_an_included_file_with_types_of_its_own_is_lems(tmp_path: Path) -> None:
    """jNeuroML reads includes leniently; the schema knows no concentrationModel, so only a LEMS file may have one."""
    text = GOOD.replace("<ionChannel ", '<include href="own.nml"/>\n    <ionChannel ', 1)
    path = write(tmp_path, text)
    (tmp_path / "own.nml").write_text(OWN_TYPE.format(definition='<ComponentType name="ownPool"/>'))
    assert check(path) == []
    (tmp_path / "own.nml").write_text(OWN_TYPE.format(definition=""))
    assert [(Path(p.file).name, p.line, p.message) for p in check(path)] == [
        ("own.nml", 3, "<concentrationModel> is not allowed in <neuroml>")
    ]


def test_a_missing_file() -> None:
    with pytest.raises(ReadError, match="no such file"):
        check(Path("nowhere.nml"))


def test_many_problems_are_counted(tmp_path: Path) -> None:
    end = Endpoint("a", "iaf", 5, listed=False)
    rows = np.arange(3000)
    head, _ = document()
    network = NetworkRecord(
        "n",
        [PopulationRecord(end)],
        [ProjectionRecord("p", end, end, "syn", 3000, [Connections(rows, rows % 5, 1.0, 1.0)])],
    )
    write_document(tmp_path / "x.nml", head, network)
    found = check(tmp_path / "x.nml")
    assert len(found) == 11 and "2985 more of the same in 'p'" in found[-1].message


def test_hdf5_networks(tmp_path: Path) -> None:
    head, _ = document()
    end = Endpoint("a", "iaf", 5, listed=False)

    def problems(pre: int = 0, delay: float = 1.0, synapse: str = "syn") -> list[str]:
        block = Connections(np.array([0, pre]), np.array([4, 4]), 1.0, delay)
        network = NetworkRecord("n", [PopulationRecord(end)], [ProjectionRecord("p", end, end, synapse, 2, [block])])
        write_network(tmp_path / "x.net.nml.h5", head, network)
        return [p.message for p in check(tmp_path / "x.net.nml.h5")]

    assert problems() == []
    assert problems(pre=5) == ["connection 1 of 'p' refers to cell 5 of population 'a', which is not there"]
    assert len(problems(delay=-1)) == 2
    assert "'nothing', which is defined nowhere" in problems(synapse="nothing")[0]
    (tmp_path / "text.h5").write_text("no")
    assert "cannot be read as HDF5" in check(tmp_path / "text.h5")[0].message


def test_published_models_pass() -> None:
    """The specification's own examples: whatever is found in them must be known to be wrong in them."""
    folder = data("neuroml/neuroml2_core")
    found = {str(p.relative_to(folder)): check(p, schema=False) for p in sorted(folder.rglob("*.nml"))}
    assert len(found) > 10
    wrong = {name: [str(p) for p in problems] for name, problems in found.items() if problems}
    unfinished = "examples/temp/NML2_PyNNCells.nml"
    assert not xsd().validate(etree.parse(str(folder / unfinished)))
    assert len(wrong.pop(unfinished)) == 4  # two in the wrong order, two <synapticConnectionWD>
    assert not wrong, json.dumps(wrong, indent=1)


@pytest.mark.slow
def test_many_connections_pass(tmp_path: Path) -> None:
    n, cells = 300_000, 10_000
    rng = np.random.default_rng(0)
    end = Endpoint("a", "iaf", cells, listed=False)
    block = Connections(rng.integers(0, cells, n), rng.integers(0, cells, n), rng.random(n), 1.5)
    head, _ = document()
    network = NetworkRecord("n", [PopulationRecord(end)], [ProjectionRecord("p", end, end, "syn", n, [block])])
    write_document(tmp_path / "x.nml", head, network)
    assert check(tmp_path / "x.nml", schema=False) == []
