"""Documents with what they include: what is found where, and what breaks the rules, with class, text and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pynn_io import Report
from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_source import read_source
from pynn_io.formats.neuroml_stream import read_element

HEAD = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="doc">\n'
IAF = '<iafTauCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"/>'


def write(folder: Path, body: str, name: str = "doc.nml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEAD}{body}\n</neuroml>\n")
    return path


def test_every_part_goes_to_its_kind(tmp_path):
    write(tmp_path, f'<notes>not these</notes>\n{IAF}\n<include href="../doc2.nml"/>', "cells/cell.nml")
    write(tmp_path, '<network id="net"><population id="p" component="iaf" size="2"/></network>', "doc2.nml")
    lems = tmp_path / "LEMS_x.xml"
    lems.write_text(
        '<Lems xmlns="http://www.neuroml.org/lems/0.7.4">\n<Target component="sim" reportFile="r.txt"/>\n'
        '<Include file="Cells.xml"/><Include file="Simulation.xml"/>\n<Include file="cells/cell.nml"/>\n'
        '<Include file="doc2.nml"/>\n<Dimension name="odd" m="1"/><Unit symbol="od" dimension="odd"/>\n'
        '<ComponentType name="mine" extends="baseCell"/>\n<mine id="m" colour="red"/>\n'
        '<Component id="s" type="Simulation" length="1ms" step="0.1ms" target="net"/>\n</Lems>\n'
    )
    found = read_source(lems)
    assert [path.name for path in found.files] == ["LEMS_x.xml", "cell.nml", "doc2.nml"]
    assert found.target == "sim" and found.words == []
    assert [each.attributes["id"] for each in found.components] == ["iaf", "m"]
    assert [each.where.rpartition("/")[2] for each in found.components] == ["cell.nml:3", "LEMS_x.xml:8"]
    assert [each.attributes["id"] for each in found.networks] == ["net"]
    assert [each.attributes["name"] for each in (*found.types, *found.dimensions)] == ["mine", "odd"]
    assert [each.attributes["symbol"] for each in found.units] == ["od"]
    assert [each.where for each in found.simulations] == [f"{lems}:9"]


def test_core_files_are_not_looked_for_on_disk(tmp_path):
    (tmp_path / "Cells.xml").write_text("this is not XML")
    assert read_source(write(tmp_path, '<include href="Cells.xml"/>')).components == []


def test_annotations_keep_their_namespaces(tmp_path):
    body = (
        '<network id="n"><annotation><rdf:RDF xmlns:rdf="urn:rdf" rdf:about="a">t<b/>u</rdf:RDF></annotation></network>'
    )
    (inner,) = read_element(write(tmp_path, body)).children[0].children[0].children
    assert inner.tag == "{urn:rdf}RDF" and inner.attributes == {"{urn:rdf}about": "a"}
    assert inner.text == "t" and inner.children[0].tag == "b"


def test_what_the_schema_does_not_know_is_legal_where_the_document_defines_it(tmp_path):
    body = (
        '<ionChannelHH id="ch" conductance="1pS"><gateHHrates id="m" instances="1">'
        '<forwardRate type="mine" level="3 odd"/><reverseRate type="mine"/></gateHHrates><extra/></ionChannelHH>\n'
        '<pulseGenerator id="p" delay="1 blink" duration="1ms" amplitude="1nA"/>\n<iafTauCell id="less"/>\n'
        '<include href="types.xml"/>'
    )
    (tmp_path / "types.xml").write_text(
        '<Lems><ComponentType name="extra"/><ComponentType name="mine"/><ComponentType name="iafTauCell"/>'
        '<Unit symbol="blink" dimension="time" power="-3"/></Lems>'
    )
    assert len(read_source(write(tmp_path, body)).components) == 3


def test_core_types_are_legal_where_the_schema_has_none(tmp_path):
    path = write(tmp_path, '<network id="n"><population id="p" component="x" size="1"/><stdpSynapse id="s"/></network>')
    read_source(path, core=["stdpSynapse"])
    with pytest.raises(ReadError, match="<stdpSynapse> is not allowed in <network>"):
        read_source(path)


CELL = '<cell id="c">\n<morphology id="m">\n{}\n</morphology></cell>'
NET = '<network id="n">\n<population id="p" component="iaf" size="2"/>\n{}\n</network>'
PROJECTION = NET.format(
    '<projection id="c" presynapticPopulation="p" postsynapticPopulation="p" synapse="s">\n{}</projection>'
)
MALFORMED = {
    "unknown element": (
        CELL.format('<segment id="0">\n<middle x="1"/></segment>'),
        "doc.nml:5",
        "<middle> is not allowed in <segment>",
    ),
    "missing attribute": (IAF.replace(' thresh="-55mV"', ""), "doc.nml:2", "<iafTauCell> has no attribute 'thresh'"),
    "wrong dimension": (
        IAF.replace('"-55mV"', '"0.3 mS_per_cm2"'),
        "doc.nml:2",
        "thresh: '0.3 mS_per_cm2' is a conductanceDensity, and a voltage is expected",
    ),
    "unit missing": (IAF.replace("30ms", "30"), "doc.nml:2", "tau: '30' is a bare number, and a time is expected"),
    "unknown unit": (IAF.replace("30ms", "30 blinks"), "doc.nml:2", "tau: '30 blinks' has the unknown unit 'blinks'"),
    "no number": (CELL.format('<segment id="x"/>'), "doc.nml:4", "id: 'x' is not a valid int"),
    "missing include": (f'{IAF}\n<include href="gone.nml"/>', "doc.nml:3", "gone.nml does not exist"),
    "include of nothing": ("<include/>", "doc.nml:2", "<include> names no file"),
    "include elsewhere": ('<include href="https://a.example/b.nml"/>', "doc.nml:2", "is not on this machine"),
    "row without a cell": (
        PROJECTION.format('<connection id="0" preCellId="../p[0]"/>'),
        "doc.nml:5",
        "has no attribute 'postCellId'",
    ),
    "path of nothing": (
        PROJECTION.format('<connection id="0" preCellId="../p[0]" postCellId="p"/>'),
        "doc.nml:5",
        "postCellId of <connection>: 'p' is not the path of a cell",
    ),
    "delay that is a voltage": (
        PROJECTION.format('<connectionWD id="0" preCellId="../p[0]" postCellId="../p[1]" weight="1" delay="1mV"/>'),
        "doc.nml:5",
        "delay of <connectionWD>: ",
    ),
    "fraction": (
        PROJECTION.format('\n<connection id="0" preCellId="../p[0]" postCellId="../p[1]" preFractionAlong="1.5"/>'),
        "doc.nml:6",
        "1.5 is not a fraction along a segment",
    ),
    "row of another list": (
        PROJECTION.format('<input id="0" target="../p[0]"/>'),
        "doc.nml:5",
        "<input> is not allowed in <projection>",
    ),
    "element in a row": (
        PROJECTION.format('<connection id="0" preCellId="../p[0]" postCellId="../p[1]">\n<odd/></connection>'),
        "doc.nml:6",
        "<odd> is not allowed in <connection>",
    ),
    "instance nowhere": (
        '<network id="n"><population id="p" component="iaf">\n<instance id="0"/></population></network>',
        "doc.nml:3",
        "<instance> has no <location>",
    ),
    "missing child": (
        f"{IAF}\n<ionChannelHH id='na'>\n<gateHHrates id='m' instances='3'><forwardRate type='HHExpRate'/>"
        "</gateHHrates></ionChannelHH>",
        "doc.nml:4",
        "<gateHHrates> has no <reverseRate>",
    ),
    "missing one of several": (
        NET.format('<population id="laid" component="iaf">\n<layout/></population>'),
        "doc.nml:5",
        "<layout> has no <random> or <grid> or <unstructured>",
    ),
    "no membrane": (
        '<biophysicalProperties id="b">\n<membraneProperties><initMembPotential value="0mV"/></membraneProperties>'
        "</biophysicalProperties>",
        "doc.nml:3",
        "<membraneProperties> has no <specificCapacitance>",
    ),
    "twice": (
        CELL.format(
            '<segment id="0"><distal x="0" y="0" z="0" diameter="1"/>\n<distal x="1" y="0" z="0" diameter="1"/>'
        ).replace("</morphology>", "</segment></morphology>"),
        "doc.nml:5",
        "<segment> has more than one <distal>",
    ),
    "no network": ('\n<network id="n"/>', "doc.nml:3", "<network> has no <population>"),
    "wrong word": (
        '<population id="p" component="iaf" type="popule"/>'.join(("<network id='n'>\n", "</network>")),
        "doc.nml:3",
        "type: 'popule' is not population or populationList",
    ),
    "wrong gate": (
        "<ionChannel id='na'>\n<gate id='m' type='gateHH' instances='3'/></ionChannel>",
        "doc.nml:3",
        "type: 'gateHH' is not gateHHrates or",
    ),
    "id with a space": (IAF.replace('"iaf"', '"i f"'), "doc.nml:2", "id: 'i f' is not an id"),
    "id of a digit": (NET.format("").replace('"n"', '"1n"'), "doc.nml:2", "id: '1n' is not an id"),
    "reference to no id": (
        NET.format("").replace('"iaf"', '"../iaf"'),
        "doc.nml:3",
        "component: '../iaf' is not an id",
    ),
    "not closed": ("<network>", "doc.nml:3", "not XML: mismatched tag"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_breaks_the_rules_is_named_with_its_line(case, tmp_path):
    body, place, text = MALFORMED[case]
    with pytest.raises(ReadError) as caught:
        read_source(write(tmp_path, body))
    assert caught.value.where == str(tmp_path / place)
    assert text in caught.value.message


def test_what_the_schema_demands_and_cells_do_without_is_reported(tmp_path):
    body = (
        '<biophysicalProperties id="b">\n<membraneProperties><specificCapacitance value="1 uF_per_cm2"/>'
        "</membraneProperties></biophysicalProperties>"
    )
    report = Report()
    read_source(write(tmp_path, body), report)
    told = [(issue.code, str(issue.kind), issue.where, issue.message.partition(",")[0]) for issue in report]
    assert told == [
        ("schema", "DEFAULTED", f"{tmp_path}/doc.nml:3", f"<membraneProperties> has no <{tag}>")
        for tag in ("spikeThresh", "initMembPotential")
    ]


def test_an_attribute_of_the_document_that_is_none(tmp_path):
    path = tmp_path / "doc.nml"
    path.write_text('\n<neuroml id="d" author="me" xmlns:xsi="urn:x" xsi:schemaLocation="a b"/>')
    report = Report()
    read_source(path, report)
    assert [(issue.where, issue.examples) for issue in report] == [(f"{path}:2", ["me"])]


def test_files_that_include_each_other(tmp_path):
    write(tmp_path, '\n<include href="sub/b.nml"/>', "a.nml")
    write(tmp_path, '<include href="../c.nml"/>', "sub/b.nml")
    write(tmp_path, f'{IAF}\n\n<include href="a.nml"/>', "c.nml")
    with pytest.raises(ReadError, match=r"a\.nml -> b\.nml -> c\.nml -> a\.nml") as caught:
        read_source(tmp_path / "a.nml")
    assert caught.value.where == f"{tmp_path}/c.nml:4"


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">\n' for n in range(12))
TEXTS = {
    "entity bomb": (
        f"<!DOCTYPE neuroml [\n{BOMB}]>\n<neuroml id='&e11;'/>",
        ":1",
        "document type definition is not read",
    ),
    "external entity": (
        '\n<!DOCTYPE neuroml [<!ENTITY x SYSTEM "/etc/passwd">]>\n<neuroml><notes>&x;</notes></neuroml>',
        ":2",
        "document type definition is not read",
    ),
    "external definition": (
        '<!DOCTYPE neuroml SYSTEM "evil.dtd">\n<neuroml>&x;</neuroml>',
        ":1",
        "document type definition",
    ),
    "undefined entity": ("<neuroml>\n<notes>&x;</notes></neuroml>", ":2", "not XML: undefined entity"),
    "wrong root": ("\n<sbml/>", ":2", "the root element is <sbml>"),
    "not XML": ("id,x,y\n1,2,3\n", ":1", "not XML"),
    "nothing": ("", ":1", "not XML: no element found"),
    "unknown encoding": ('<?xml version="1.0" encoding="klingon"?><neuroml/>', ":1", "not XML: unknown encoding"),
    "zero bytes": ("<neuroml>\n\0</neuroml>", ":2", "not XML"),
    "too deep": ("<neuroml><annotation>" + "<a>" * 100_000, ":1", "more than 200 elements in one another"),
    "cut off": ("<neuroml>\n<notes>", ":2", "not XML: no element found"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_what_is_not_neuroml(case, tmp_path):
    text, place, message = TEXTS[case]
    path = tmp_path / "x.nml"
    path.write_text(text)
    with pytest.raises(ReadError) as caught:
        read_source(path)
    assert caught.value.where == f"{path}{place}"
    assert message in caught.value.message


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ReadError, match="no such file"):
        read_source(tmp_path / "x.nml")


DATA = Path(__file__).parents[3] / "shared/data/neuroml"
FILES = sorted([*DATA.rglob("*.nml"), *DATA.rglob("*.xml")]) if DATA.is_dir() else []
#: It was moved a folder down from where its includes lead.
MOVED = "LEMS_NML2_Ex5_DetCell_unformatted.xml"


@pytest.mark.skipif(not FILES, reason="needs models of others in ../shared/data/neuroml")
def test_all_models_at_hand_are_read():
    from pynn_io.vocabulary.core import core_types

    for path in FILES:
        if path.name != MOVED:
            assert read_source(path, core=core_types()).files
    assert len(FILES) >= 160
