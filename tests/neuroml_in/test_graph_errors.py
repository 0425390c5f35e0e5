"""Documents that are broken as networks: class, text and place of the error."""

from __future__ import annotations

import pytest

from pynn_io.errors import GraphError, PynnIOError, ReadError
from tests.neuroml_in.documents import IAF, TWO_POINTS, cable, load, write_lems

EXC = '<expOneSynapse id="exc" gbase="1nS" erev="0mV" tauDecay="3ms"/>'
SEGMENTS = f'{TWO_POINTS}\n<segment id="1"><parent segment="0"/><distal x="50" y="0" z="0" diameter="1"/></segment>'


def network(inside: str) -> str:
    return f'{IAF}\n{EXC}\n{PYR}\n<network id="net">\n{inside}\n</network>'


PYR = cable(SEGMENTS).replace("\n", "")
POPULATIONS = '<population id="a" component="iaf" size="3"/><population id="b" component="pyr" size="2"/>'


def projection(connection: str) -> str:
    head = '<projection id="p" presynapticPopulation="a" postsynapticPopulation="b" synapse="exc">'
    return network(f"{POPULATIONS}\n{head}\n{connection}\n</projection>")


CASES = {
    "population of nothing": (
        network('<population id="a" component="ghost" size="3"/>'),
        GraphError,
        "doc.nml:6: the population 'a' is of 'ghost', which is not defined",
    ),
    "population of a synapse": (
        network('<population id="a" component="exc" size="3"/>'),
        GraphError,
        "doc.nml:6: the population 'a' is of 'exc', which is not a cell",
    ),
    "two populations of one name": (
        network('<population id="a" component="iaf" size="3"/>\n<population id="a" component="iaf" size="1"/>'),
        ReadError,
        "doc.nml:7: two populations are called 'a'",
    ),
    "two instances of one id": (
        network(
            '<population id="a" component="iaf" type="populationList"><instance id="4"><location x="0" y="0" z="0"/>'
            '</instance><instance id="4"><location x="0" y="0" z="0"/></instance></population>'
        ),
        ReadError,
        "doc.nml:6: the population 'a' lists the instance 4 twice",
    ),
    "cell outside its population": (
        projection('<connection id="0" preCellId="../a[3]" postCellId="../b[0]"/>'),
        GraphError,
        "the projection 'p' has 1 connections with cells of 'a' that are not there: 3",
    ),
    "wrong component in a path": (
        projection('<connection id="0" preCellId="../a/0/pyr" postCellId="../b/0/pyr"/>'),
        GraphError,
        "'../a/0/pyr': the cells of 'a' are 'iaf'",
    ),
    "unknown segment": (
        projection('<connection id="0" preCellId="../a[0]" postCellId="../b[0]" postSegmentId="9"/>'),
        GraphError,
        "the projection 'p' is on segments of 'pyr' that are not there: 9",
    ),
    "unknown synapse": (
        projection("").replace('synapse="exc"', 'synapse="ghost"'),
        GraphError,
        "doc.nml:7: the projection 'p' has the synapse 'ghost': not defined",
    ),
    "unknown population": (
        projection("").replace('postsynapticPopulation="b"', 'postsynapticPopulation="c"'),
        GraphError,
        "doc.nml:7: the projection 'p' has the population 'c': not there",
    ),
    "unknown input": (
        network(f'{POPULATIONS}\n<inputList id="i" component="ghost" population="a"/>'),
        GraphError,
        "doc.nml:7: the input 'i' has the component 'ghost': not defined",
    ),
    "input to a cell that is not there": (
        network(f'{POPULATIONS}\n<explicitInput target="a[7]" input="pg"/>').replace(
            "<network", '<pulseGenerator id="pg" delay="0ms" duration="1ms" amplitude="1nA"/><network'
        ),
        GraphError,
        "doc.nml:7: the input 'pg' goes to cells of 'a' that are not there: 7",
    ),
    "unknown channel": (
        cable(SEGMENTS).replace('ionChannel="pas"', 'ionChannel="ghost"'),
        GraphError,
        "doc.nml:2: the cell 'pyr' has the ion channel 'ghost': not defined",
    ),
    "unknown region": (
        cable(SEGMENTS).replace('condDensity="', 'segmentGroup="ghost" condDensity="'),
        GraphError,
        "doc.nml:2: the cell 'pyr' states something for 'ghost', which its morphology does not have",
    ),
    "segment without its parent": (
        cable(SEGMENTS.replace('<parent segment="0"', '<parent segment="5"')),
        GraphError,
        "doc.nml:5: the segment 1 has the parent 5, which is not there",
    ),
    "two roots": (
        cable(SEGMENTS.replace('<parent segment="0"/>', '<proximal x="1" y="1" z="1" diameter="1"/>')),
        GraphError,
        "doc.nml:5: the segments 0 and 1 have no parent: a cell has one root",
    ),
    "no root": (
        cable(SEGMENTS.replace("<proximal", '<parent segment="1"/><proximal', 1)),
        GraphError,
        "doc.nml:3: every segment has a parent: there is no root",
    ),
    "circle of parents": (
        cable(
            f'{SEGMENTS}\n<segment id="2"><parent segment="3"/><distal x="0" y="0" z="0" diameter="1"/></segment>'
            '<segment id="3"><parent segment="2"/><distal x="0" y="0" z="0" diameter="1"/></segment>'
        ),
        GraphError,
        "doc.nml:6: segments are each other's parents: 2 -> 3 -> 2",
    ),
    "two segments of one id": (
        cable(SEGMENTS.replace('segment id="1"', 'segment id="0"')),
        ReadError,
        "doc.nml:5: two segments have the id 0",
    ),
    "groups that include each other": (
        cable(
            f'{SEGMENTS}\n<segmentGroup id="x"><include segmentGroup="y"/></segmentGroup>\n'
            '<segmentGroup id="y"><include segmentGroup="x"/></segmentGroup>'
        ),
        GraphError,
        "doc.nml:7: segment groups include each other: x -> y -> x",
    ),
    "group of a segment that is not there": (
        cable(f'{SEGMENTS}\n<segmentGroup id="x"><member segment="8"/></segmentGroup>'),
        GraphError,
        "doc.nml:6: there is no segment 8",
    ),
    "two components of one id": (f"{IAF}\n{IAF}", ReadError, "doc.nml:3: two components are called 'iaf'"),
    "a potential that is a time": (
        IAF.replace('thresh="-55mV"', 'thresh="-55ms"'),
        ReadError,
        "doc.nml:2: thresh: '-55ms' is a time, and a voltage is expected",
    ),
    "an unknown unit": (
        IAF.replace("-55mV", "-55mX"),
        ReadError,
        "doc.nml:2: thresh: '-55mX' has the unknown unit 'mX'",
    ),
    "a component of no type": ('<mystery id="x" a="1"/>', GraphError, "doc.nml:2: the component type 'mystery' is not"),
    "a gate's rate of no type": (
        '<ionChannelHH id="na">\n<gateHHrates id="m" instances="3">\n<forwardRate type="ghostRate"/>'
        '<reverseRate type="ghostRate"/></gateHHrates>'
        "</ionChannelHH>",
        GraphError,
        "doc.nml:4: the component type 'ghostRate' is not defined",
    ),
    "a reference to nothing": (
        '<poissonFiringSynapse id="x" averageRate="1Hz" synapse="ghost" spikeTarget="./ghost"/>',
        GraphError,
        "doc.nml:2: 'x' has the synapse 'ghost', which is not defined",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_broken_is_said_with_its_place(tmp_path, case):
    body, kind, text = CASES[case]
    with pytest.raises(PynnIOError) as caught:
        load(tmp_path, body)
    assert type(caught.value) is kind
    assert text in str(caught.value)


def test_all_problems_come_at_once(tmp_path):
    inside = '<population id="a" component="one" size="1"/>\n<population id="b" component="two" size="1"/>'
    with pytest.raises(GraphError) as caught:
        load(tmp_path, network(inside))
    assert caught.value.where.endswith("doc.nml:6")
    assert [problem.rpartition("doc.nml:")[2] for problem in caught.value.problems] == [
        "6: the population 'a' is of 'one', which is not defined",
        "7: the population 'b' is of 'two', which is not defined",
    ]


def test_a_simulation_of_no_network(tmp_path):
    from pynn_io import Report
    from pynn_io.importers.neuroml import read

    body = f'<Target component="s"/>\n{IAF}\n<network id="net"><population id="a" component="iaf" size="1"/></network>'
    path = write_lems(tmp_path, f'{body}\n<Simulation id="s" length="1ms" step="0.1ms" target="other"/>')
    with pytest.raises(GraphError, match="the simulation is of 'other', which is not a network") as caught:
        read(path, Report())
    assert caught.value.where.endswith("LEMS_doc.xml:5")
