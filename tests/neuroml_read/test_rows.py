"""Rows by array operations are the rows that the parser reads one by one, whatever stands between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pynn_io.errors import ReadError
from pynn_io.formats import neuroml_runs, neuroml_stream
from pynn_io.formats.neuroml_records import Element
from pynn_io.formats.neuroml_stream import read_element
from pynn_io.formats.number_text import decimal_floats, whole_numbers

HEAD = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="d">\n<network id="n">\n'
TAIL = "</network>\n</neuroml>\n"


def plain(element: Element) -> object:
    """An element as something that can be compared."""
    rows = element.rows
    columns = None
    if rows is not None:
        numbers = {name: (str(data.dtype), data.tolist()) for name, data in rows.numbers.items()}
        words = {name: found.tolist(rows.size) for name, found in rows.words.items()}
        columns = (rows.size, numbers, words, None if rows.lines is None else rows.lines.tolist())
    children = [plain(child) for child in element.children]
    return element.tag, dict(element.attributes), element.text, element.where, children, columns


def outcome(path: Path, *, fast: bool) -> object:
    try:
        return plain(read_element(path, fast=fast))
    except ReadError as error:
        return error.where


@pytest.fixture
def small(monkeypatch):
    """Runs of two rows count, pieces are short: small documents go the ways of large ones."""
    monkeypatch.setattr(neuroml_runs, "SHORTEST", 2)
    monkeypatch.setattr(neuroml_stream, "PIECE", 300)
    monkeypatch.setattr(neuroml_stream, "_PAUSE", (0, 0))


NO_NUMBERS = ("abc", "1 2", "1_0", ".", "1e", "--1", "1.2.3", "nan")
number = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.sampled_from(["1.", ".5", "+2", "-0", "1e3", "1E-4", "00012"]),
)
regular = st.integers(0, 1200).map(lambda n: f"../p/{n}/iaf")
path = st.one_of(
    regular,
    regular,
    regular,
    st.sampled_from(["../p[3]", "p[4]", "../q/1/iaf", "../p/1/other", "../p/7", "../p/8/iaf/"]),
)
delay = st.one_of(
    *[st.floats(0, 50).map(lambda x: f"{x!r}ms")] * 3, st.sampled_from(["1ms", "2 ms", "0.003s", "4us", "1ms "])
)
#: What breaks the rules, by attribute.
WRONG = [("weight", text) for text in NO_NUMBERS] + [
    *(("delay", text) for text in ("5", "6mV", "ms", "1 2ms")),
    *(("preCellId", text) for text in ("p3", "../p/x/iaf", "7")),
    *(("id", text) for text in ("-1", "1.5", "9999999999999999999", "")),
]
between = st.sampled_from(["\n", "\n", "\n", "\n    ", "\r\n", "", "<!-- <connection id='0'/> -->", "<?x y?>", "\n\n"])


@st.composite
def row(draw, shape, wild):
    values = {
        "id": str(draw(st.integers(0, 10**6))),
        "preCellId": draw(path if wild else regular),
        "postCellId": draw(path if wild else regular),
        "weight": draw(number),
        "delay": draw(delay) if wild else f"{draw(number)}ms",
        "preSegmentId": draw(st.sampled_from(["0", "1", "77"])),
        "postFractionAlong": draw(st.sampled_from(["0.5", "0", "1"])),
        "neuroLexId": draw(st.sampled_from(["a", "b", "a&amp;b", "", "ä"])),
    }
    tag, names, quote, end = shape
    if draw(st.integers(0, 99)) == 99:
        wrong, text = draw(st.sampled_from(WRONG))
        values[wrong] = text
    body = " ".join(f"{name}={quote}{values[name]}{quote}" for name in names)
    return f"<{tag} {body}{end.replace('TAG', tag)}"


WD = ("id", "preCellId", "postCellId", "weight", "delay")
shapes = st.sampled_from(
    [
        ("connectionWD", WD, '"', "/>"),
        ("connectionWD", WD, '"', "/>"),
        ("connectionWD", (*WD, "preSegmentId", "postFractionAlong"), '"', " />"),
        ("connectionWD", (*WD, "neuroLexId"), '"', "></TAG>"),
        ("connectionWD", ("weight", "delay", "postCellId", "preCellId", "id"), "'", "/>"),
        ("connection", ("id", "preCellId", "postCellId"), '"', "/>"),
        ("connection", ("preCellId", "postCellId"), '"', "/>"),
    ]
)


@st.composite
def connections(draw):
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        shape, space, wild = draw(shapes), draw(between), draw(st.integers(0, 3)) == 3
        for _ in range(draw(st.integers(1, 9))):
            parts += [draw(row(shape, wild)), space]
    return "".join(parts)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(connections())
def test_both_ways_give_the_same(small, tmp_path, inside):
    document = f'{HEAD}<projection id="c" synapse="s">{inside}</projection>\n{TAIL}'
    file = tmp_path / "d.nml"
    file.write_bytes(document.encode())
    assert outcome(file, fast=True) == outcome(file, fast=False)


#: Rows of every list, and their columns.
LISTS = {
    "population": (
        '<instance id="{n}">\n  <location x="{n}.5" y="-1" z="1e2"/>\n</instance>\n',
        {"id": lambda n: n, "x": lambda n: n + 0.5, "y": lambda n: -1.0, "z": lambda n: 100.0},
    ),
    "electricalProjection": (
        '<electricalConnection id="{n}" preCell="{n}" preSegment="2" preFractionAlong="0.25" postCell="3" '
        'synapse="g"/>\n',
        {"pre": lambda n: n, "post": lambda n: 3, "pre_segment": lambda n: 2, "pre_fraction": lambda n: 0.25},
    ),
    "continuousProjection": (
        '<continuousConnectionInstanceW id="{n}" preCell="../p/{n}/a" postCell="../p/1/a" preComponent="s" '
        'postComponent="g" weight="{n}"/>\n',
        {"pre": lambda n: n, "post": lambda n: 1, "weight": lambda n: float(n)},
    ),
    "inputList": (
        '<inputW id="{n}" target="../p[{n}]" destination="synapses" segmentId="4" fractionAlong="0.5" weight="2"/>\n',
        {"target": lambda n: n, "segment": lambda n: 4, "fraction": lambda n: 0.5, "weight": lambda n: 2.0},
    ),
    "spikeArray": ('<spike id="{n}" time="{n}.25s"/>\n', {"id": lambda n: n, "time": lambda n: n * 1000 + 250.0}),
}


@pytest.mark.parametrize("tag", LISTS)
def test_columns_of_every_list(tag, tmp_path, monkeypatch):
    """The values, from runs: the parser gets no row."""
    text, columns = LISTS[tag]
    size = 500
    rows = "".join(text.format(n=n) for n in range(size))
    file = tmp_path / "d.nml"
    file.write_text(f'{HEAD}<{tag} id="c">\n{rows}</{tag}>{TAIL}')
    monkeypatch.setattr(neuroml_stream.Listing, "add", None)
    found = read_element(file).children[0].children[0].rows
    assert found is not None and found.size == size
    for name, value in columns.items():
        assert found.numbers[name].tolist() == [value(n) for n in range(size)]
    height = text.count("\n")
    assert found.lines.tolist() == [4 + height * n for n in range(size)]


def test_words_of_rows(tmp_path):
    rows = "".join(
        f'<electricalConnection id="{n}" preCell="{n}" postCell="0" synapse="{"gap" if n % 3 else "other"}"/>\n'
        for n in range(300)
    )
    file = tmp_path / "d.nml"
    file.write_text(f'{HEAD}<electricalProjection id="c">\n{rows}</electricalProjection>{TAIL}')
    found = read_element(file).children[0].children[0].rows
    assert found.words["synapse"].names == ("other", "gap")
    assert found.words["synapse"].codes.tolist() == [int(n % 3 > 0) for n in range(300)]


def test_rows_that_do_not_state_a_column_are_masked(tmp_path):
    plain_rows = "".join(f'<connection id="{n}" preCellId="../p[0]" postCellId="../p[1]"/>\n' for n in range(100))
    weighted = plain_rows.replace("<connection", "<connectionWD").replace("/>", ' weight="0.5" delay="2ms"/>')
    file = tmp_path / "d.nml"
    file.write_text(f'{HEAD}<projection id="c">\n{plain_rows}{weighted}</projection>{TAIL}')
    found = read_element(file).children[0].children[0].rows
    assert found.numbers["weight"].tolist() == [None] * 100 + [0.5] * 100
    assert found.numbers["pre"].tolist() == [0] * 200 and not np.ma.is_masked(found.numbers["pre"])


def test_a_row_outside_its_list_is_an_element(tmp_path):
    """Spikes of a <timedSynapticInput> belong to it."""
    rows = "".join(f'<spike id="{n}" time="{n}ms"/>\n' for n in range(100))
    file = tmp_path / "d.nml"
    file.write_text(f'{HEAD}<timedSynapticInput id="t">\n{rows}</timedSynapticInput>{TAIL}')
    found = read_element(file).children[0].children[0]
    assert found.rows is None and len(found.children) == 100 and found.children[7].attributes["time"] == "7ms"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(number, st.sampled_from(NO_NUMBERS)), min_size=1))
def test_decimal_numbers_are_what_float_makes_of_them(texts):
    found = np.array([text.encode() for text in texts])
    matrix = found.view(np.uint8).reshape(len(found), -1)
    values, fine = decimal_floats(matrix, np.char.str_len(found))
    for text, value, good in zip(texts, values.tolist(), fine.tolist(), strict=True):
        assert good == (text not in NO_NUMBERS)
        assert not good or repr(value) == repr(float(text))


@pytest.mark.parametrize("text", ["0", "7", "007", "999999999999999999"])
def test_whole_numbers(text):
    matrix = np.frombuffer(text.encode(), dtype=np.uint8)[None, :]
    values, fine = whole_numbers(matrix, np.array([len(text)]))
    assert fine.all() and values.tolist() == [int(text)]


@pytest.mark.parametrize("text", ["-1", "1.5", "9999999999999999999", "x"])
def test_what_is_no_whole_number(text):
    matrix = np.frombuffer(text.encode(), dtype=np.uint8)[None, :]
    assert not whole_numbers(matrix, np.array([len(text)]))[1].any()


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_other_encodings_are_the_parsers(encoding, tmp_path):
    rows = "".join(f'<spike id="{n}" time="{n}ms"/>\n' for n in range(100))
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<neuroml><spikeArray id="ä">\n{rows}</spikeArray></neuroml>'
    file = tmp_path / "d.nml"
    file.write_bytes(text.encode(encoding))
    found = read_element(file).children[0]
    assert found.attributes["id"] == "ä" and found.rows.numbers["time"].tolist() == [float(n) for n in range(100)]
