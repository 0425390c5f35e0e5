"""The streaming XML writer, against lxml, the schema, libNeuroML and jNeuroML."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from pynn_io.errors import WriteError
from pynn_io.formats.float_text import shortest_text
from pynn_io.formats.neuroml_records import (
    Connections,
    DocumentHead,
    Element,
    Endpoint,
    Ids,
    InputRecord,
    NetworkRecord,
    PopulationRecord,
    ProjectionRecord,
    SpikeArray,
    nml_id,
)
from pynn_io.formats.neuroml_xml import number_text, write_document
from pynn_io.formats.text_blocks import float_text, integer_text, lines, text_of
from tests.neuroml_out.nml_tools import jnml_validates, xsd

NS = "{http://www.neuroml.org/schema/neuroml2}"
IAF = Element(
    "iafCell",
    {
        "id": "iaf",
        "leakConductance": "0.01uS",
        "leakReversal": "-60mV",
        "thresh": "-50mV",
        "reset": "-60mV",
        "C": "0.1nF",
    },
)
SYN = Element("expOneSynapse", {"id": "syn", "gbase": "5nS", "erev": "0mV", "tauDecay": "3ms"})
GAP = Element("gapJunction", {"id": "gap", "conductance": "10pS"})
PULSE = Element("pulseGenerator", {"id": "pulse", "delay": "5ms", "duration": "50ms", "amplitude": "0.2nA"})
LISTED = Endpoint("listed", "iaf", 4)
SIZED = Endpoint("sized", "iaf", 3, listed=False)
SOURCE = Endpoint("source", "train", 1, listed=False)


def document() -> tuple[DocumentHead, NetworkRecord]:
    # Given in the wrong order on purpose: the writer puts them in the schema's.
    head = DocumentHead("doc", "a < b & c", (), (SpikeArray("train", np.array([1.0, 2.5, 1e16])), PULSE, GAP, IAF, SYN))
    locations = (np.array([0.1, 1 / 3, -5e-324, 1e300]), np.zeros(4), np.arange(4.0))
    plain = Connections(
        np.array([0, 1, 2, 3, 0]), np.array([2, 1, 0, 1, 1]), np.array([0.1, 1 / 3, -2.5, 1e17, 0]), np.full(5, 1e-5)
    )
    sited = Connections(
        np.array([2]), np.array([3]), 0.5, 1.5, np.array([0]), np.array([7]), np.array([0.5]), np.array([0.1])
    )
    bare = Connections(np.array([0]), np.array([3]))
    gap = Connections(np.array([0]), np.array([2]), np.array([2.0]))
    network = NetworkRecord(
        "net",
        [
            PopulationRecord(LISTED, locations, (("pynn_io_ids", "5-8"),), 'say "hi" & <bye>'),
            PopulationRecord(SIZED),
            PopulationRecord(SOURCE),
        ],
        [
            ProjectionRecord("plain", LISTED, SIZED, "syn", 5, [plain]),
            ProjectionRecord("sited", SIZED, LISTED, "syn", 1, [sited]),
            ProjectionRecord("bare", SOURCE, LISTED, "syn", 1, [bare], frozenset()),
        ],
        [ProjectionRecord("gaps", LISTED, SIZED, "gap", 1, [gap], frozenset({"weight"}), "electricalProjection")],
        [
            InputRecord("in", LISTED, "pulse", np.array([1, 3])),
            InputRecord("in_w", SIZED, "pulse", np.array([2]), np.array([0]), np.array([0.25]), np.array([0.7])),
        ],
        temperature=34.5,
    )
    return head, network


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "doc.net.nml"
    write_document(path, *document())
    return path


def test_schema_and_jneuroml_accept_it(written: Path) -> None:
    xsd().assertValid(etree.parse(str(written)))
    assert "All valid and no warnings" in jnml_validates(written)


def test_every_value_comes_back_exactly(written: Path) -> None:
    root = etree.parse(str(written)).getroot()
    assert root.find(f"{NS}notes").text == "a < b & c"
    network = root.find(f"{NS}network")
    assert network.get("type") == "networkWithTemperature" and network.get("temperature") == "34.5degC"
    population = network.find(f"{NS}population")
    assert population.find(f"{NS}notes").text == 'say "hi" & <bye>'
    assert [float(i[0].get("x")) for i in population.iter(f"{NS}instance")] == [0.1, 1 / 3, -5e-324, 1e300]
    rows = [dict(c.attrib) for c in network.find(f"{NS}projection")]
    assert [r["id"] for r in rows] == list("01234")
    assert [r["preCellId"] for r in rows] == [f"../listed/{i}/iaf" for i in (0, 1, 2, 3, 0)]
    assert [r["postCellId"] for r in rows] == [f"../sized[{i}]" for i in (2, 1, 0, 1, 1)]
    assert [float(r["weight"]) for r in rows] == [0.1, 1 / 3, -2.5, 1e17, 0]
    assert {r["delay"] for r in rows} == {"1e-05ms"}
    sited = network.findall(f"{NS}projection")[1][0]
    assert sited.get("postSegmentId") == "7" and float(sited.get("postFractionAlong")) == 0.1
    bare = network.findall(f"{NS}projection")[2][0]
    assert bare.tag == f"{NS}connection" and bare.get("weight") is None
    gap = network.find(f"{NS}electricalProjection")[0]
    assert gap.tag == f"{NS}electricalConnectionInstanceW" and gap.get("synapse") == "gap"
    weighted = network.findall(f"{NS}inputList")[1][0]
    assert dict(weighted.attrib) == {
        "id": "0", "target": "../sized[2]", "destination": "synapses", "segmentId": "0", "fractionAlong": "0.25",
        "weight": "0.7",
    }  # fmt: skip
    spikes = [s.get("time") for s in root.find(f"{NS}spikeArray")]
    assert spikes == ["1.0ms", "2.5ms", "1e16ms"]  # the schema allows no plus sign in an exponent


def test_float_text_is_the_shortest_exact_text() -> None:
    bits = np.random.default_rng(0).integers(0, 2**63, 20_000, dtype=np.uint64) | (np.uint64(1) << np.uint64(63))
    values = np.concatenate([bits.view(np.float64), -bits.view(np.float64), [0.0, -0.0, 0.1, 1e15, 1e16, 1e22, 5e-324]])
    values = values[np.isfinite(values)]
    text = shortest_text(values)
    assert [text_of(t) for t in text] == [repr(v).replace("e+", "e") for v in values.tolist()]
    powers = np.concatenate([np.ldexp(1.0, np.arange(-1074, 1024)), 10.0 ** np.arange(-320, 309)])
    edges = np.concatenate([powers, np.nextafter(powers, 0), np.round(np.linspace(0, 100, 5001), 3)])
    assert [text_of(t) for t in shortest_text(edges)] == [repr(v).replace("e+", "e") for v in edges.tolist()]
    repeated = np.tile(np.array([0.1, 0.30000000000000004, -7.0]), 5000)  # through the table of distinct values
    assert [text_of(t) for t in float_text(repeated)[:3]] == ["0.1", "0.30000000000000004", "-7.0"]
    assert np.array_equal(np.array([float(text_of(t)) for t in float_text(repeated)]), repeated)


def test_integer_text_and_lines() -> None:
    for values in ([0, 9, 99], [0, 10_000, 9999, 10_001, 99_999_999], [100, 2**62], [-5, 3]):
        assert [int(text_of(t)) for t in integer_text(np.array(values))] == values
    assert lines([b"<", integer_text(np.array([7, 12_003])), b"/>\n"], 2) == b"<7/>\n<12003/>\n"


def test_number_text() -> None:
    assert number_text(1e-7) == "1e-07" and number_text(1e20) == "1e20" and number_text(3) == "3.0"


def test_what_is_not_finite_is_refused(tmp_path: Path) -> None:
    bad = Connections(np.array([0]), np.array([0]), np.array([np.nan]), 1.0)
    network = NetworkRecord("n", [PopulationRecord(SIZED)], [ProjectionRecord("p", SIZED, SIZED, "syn", 1, [bad])])
    with pytest.raises(WriteError, match=r"a weight of 'p' is not a finite number"):
        write_document(tmp_path / "x.nml", DocumentHead("d"), network)


def test_an_element_that_the_schema_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="<myCell> is not an element of NeuroML"):
        write_document(tmp_path / "x.nml", DocumentHead("d", components=(Element("myCell", {"id": "a"}),)))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_write_error() -> None:
    with pytest.raises(WriteError, match="No space left"):
        write_document(Path("/dev/full"), *document())


def test_ids_are_valid_unique_and_the_changed_ones_known() -> None:
    ids = Ids()
    assert [ids.new(name) for name in ("good", "a b", "a-b", "3x", "good", "")] == [
        "good", "a_b", "a_b_2", "_3x", "good_2", "_",
    ]  # fmt: skip
    assert ids.changed["a-b"] == "a_b_2" and ids.changed["3x"] == "_3x" and "a b" in ids.changed
    assert nml_id("Größe") == "Gr_e"


def test_a_million_connections_in_bounded_memory(tmp_path: Path) -> None:
    """The blocks are made as they are asked for, and none is kept: 1 M connections are 40 MB of numbers."""
    rng = np.random.default_rng(1)
    cells, size, blocks = 10_000, 50_000, 20
    end = Endpoint("pop", "iaf", cells, listed=False)
    made = (
        Connections(rng.integers(0, cells, size), rng.integers(0, cells, size), rng.random(size), rng.random(size))
        for _ in range(blocks)
    )
    record = ProjectionRecord("p", end, end, "syn", size * blocks, made)
    network = NetworkRecord("net", [PopulationRecord(end)], [record])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    write_document(tmp_path / "ours.nml", DocumentHead("d"), network)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 60
    with (tmp_path / "ours.nml").open("rb") as file:
        assert sum(b"<connectionWD " in line for line in file) == size * blocks
