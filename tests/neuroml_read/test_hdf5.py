"""Networks in HDF5, made here by plain h5py in libNeuroML's layout: columns, words, and what is broken."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io import Report
from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_source import read_source
from tests.damaged import read_damaged

TOP = (
    '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="doc">\n<notes>words</notes>\n'
    '<iafTauCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"/>\n</neuroml>'
)
NET = "neuroml/network"


def table(group: h5py.Group, data: np.ndarray, *columns: str) -> None:
    made = group.create_dataset(group.attrs["id"], data=data)
    for number, name in enumerate(columns):
        made.attrs[f"column_{number}"] = name


def write(path: Path, dtype: str = "f4") -> h5py.File:
    file = h5py.File(path, "w")
    root = file.create_group("neuroml")
    root.attrs.update({"id": "doc", "notes": "None", "GENERATED_BY": "somebody", "neuroml_top_level": TOP})
    net = root.create_group("network")
    net.attrs.update({"id": "net", "notes": "a net", "temperature": "32degC"})
    pop = net.create_group("population_p")
    pop.attrs.update({"id": "p", "component": "iaf", "size": 3, "type": "populationList", "property:color": "1 0 0"})
    table(pop, np.array([[0.5, 1, 2], [3, 4, 5], [6, 7, 8]], dtype), "x", "y", "z")
    net.create_group("population_q").attrs.update({"id": "q", "component": "iaf", "size": 4})
    ends = {"presynapticPopulation": "p", "postsynapticPopulation": "p"}
    chemical = net.create_group("projection_c")
    chemical.attrs.update({"id": "c", "type": "projection", "synapse": "syn", **ends})
    table(chemical, np.array([[2, 1, 0.5, 3], [0, 2, 1, 1]], dtype), "pre_cell_id", "post_cell_id", "weight", "delay")
    graded = net.create_group("projection_g")
    pair = {"preComponent": "silent", "postComponent": "graded"}
    graded.attrs.update({"id": "g", "type": "continuousProjection", **pair, **ends})
    sites = ("pre_segment_id", "post_segment_id", "pre_fraction_along", "post_fraction_along")
    table(graded, np.array([[7, 0, 1, 0, 4, 0.5, 0.25]], dtype), "id", "pre_cell_id", "post_cell_id", *sites)
    inputs = net.create_group("inputList_i")
    inputs.attrs.update({"id": "i", "component": "pg", "population": "p"})
    columns = ("id", "target_cell_id", "segment_id", "fraction_along")
    table(inputs, np.array([[0, 2, 0, 0.5]], dtype), *columns)
    return file


def test_lists_are_columns(tmp_path):
    path = tmp_path / "net.nml.h5"
    write(path).close()
    report = Report()
    found = read_source(path, report)
    assert list(report) == [] and found.id == "doc"
    assert [each.text for each in found.words] == ["words"]
    assert [each.tag for each in found.components] == ["iafTauCell"]
    (net,) = found.networks
    assert net.attributes == {"id": "net", "temperature": "32degC"} and net.children[0].text == "a net"
    lists = {each.attributes["id"]: each for each in net.children[1:]}
    assert {name: each.tag for name, each in lists.items()} == {
        "p": "population",
        "q": "population",
        "c": "projection",
        "g": "continuousProjection",
        "i": "inputList",
    }
    assert lists["p"].rows.numbers["x"].tolist() == [0.5, 3.0, 6.0] and lists["q"].rows is None
    assert lists["p"].children[0].attributes == {"tag": "color", "value": "1 0 0"}
    columns = {name: data.tolist() for name, data in lists["c"].rows.numbers.items()}
    assert columns == {"pre": [2, 0], "post": [1, 2], "weight": [0.5, 1.0], "delay": [3.0, 1.0]}
    graded = lists["g"].rows
    assert graded.numbers["id"].tolist() == [7] and graded.numbers["post_segment"].tolist() == [4]
    assert graded.words["pre_component"].names == ("silent",) and graded.words["post_component"].names == ("graded",)
    assert lists["i"].rows.numbers["target"].tolist() == [2]
    assert lists["c"].where == f"{path}:/neuroml/network/projection_c"


def test_an_included_network(tmp_path):
    write(tmp_path / "net.nml.h5").close()
    main = tmp_path / "main.nml"
    main.write_text('<neuroml id="m">\n<include href="net.nml.h5"/></neuroml>')
    assert [net.attributes["id"] for net in read_source(main).networks] == ["net"]


def test_ids_that_float32_does_not_have_are_reported(tmp_path):
    path = tmp_path / "net.nml.h5"
    with write(path) as file:
        del file[f"{NET}/projection_c/c"]
        ends = np.array([[2**24 + 2, 1], [3, 4]], "f4")
        table(file[f"{NET}/projection_c"], ends, "pre_cell_id", "post_cell_id")
    report = Report()
    read_source(path, report)
    (issue,) = report
    assert (issue.code, issue.count, issue.where) == ("float32-ids", 1, f"{path}:/{NET}/projection_c/c")


def replace_table(name: str, data: np.ndarray, *columns: str):
    def change(net: h5py.Group) -> None:
        group = net[name]
        del group[group.attrs["id"]]
        table(group, data, *columns)

    return change


PAIR = ("pre_cell_id", "post_cell_id")
BROKEN = {
    "half a cell": (
        replace_table("projection_c", np.array([[0, 1], [0.5, 1]]), *PAIR),
        "row 1 of the column pre_cell_id is 0.5",
    ),
    "negative cell": (
        replace_table("projection_c", np.array([[0, -1]]), *PAIR),
        "row 0 of the column post_cell_id is -1",
    ),
    "no number": (replace_table("projection_c", np.array([[0, np.nan]]), *PAIR), "is nan, not a whole number"),
    "no place": (
        replace_table("population_p", np.array([[0, 0, np.inf]]), "x", "y", "z"),
        "the column z is not finite",
    ),
    "no column": (replace_table("projection_c", np.array([[0, 1]]), "pre_cell_id"), "has no column for post"),
    "two of one name": (
        replace_table("projection_c", np.array([[0, 1]]), "weight", "weight"),
        "has two columns 'weight'",
    ),
    "column outside": (
        replace_table("projection_c", np.array([[0]]), *PAIR),
        "column_1 names a column that is not there",
    ),
    "flat": (replace_table("projection_c", np.array([0, 1]), *PAIR), "is not a table of numbers"),
    "no name": (lambda net: net["population_p"].attrs.update({"component": "i f"}), "component: 'i f' is not an id"),
    "no population": (
        lambda net: [net.__delitem__(f"population_{name}") for name in "pq"],
        "<network> has no <population>",
    ),
    "kind": (lambda net: net["projection_c"].attrs.update({"type": "magic"}), "type 'magic' is none of"),
    "no id": (lambda net: net["projection_c"].attrs.pop("id"), "has no attribute 'id'"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_table_is_named_by_its_place(case, tmp_path):
    change, text = BROKEN[case]
    path = tmp_path / "net.nml.h5"
    with write(path, "f8") as file:
        change(file[NET])
    with pytest.raises(ReadError) as caught:
        read_source(path)
    assert caught.value.where.startswith(f"{path}:/{NET}") and text in caught.value.message


def test_embedded_xml_that_is_none(tmp_path):
    path = tmp_path / "net.nml.h5"
    with write(path) as file:
        file["neuroml"].attrs["neuroml_top_level"] = "<neuroml>\n<oops>"
    with pytest.raises(ReadError, match="not XML") as caught:
        read_source(path)
    assert caught.value.where == f"{path}:/neuroml@neuroml_top_level:2"


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_off(part, tmp_path):
    path = tmp_path / "net.nml.h5"
    write(path).close()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(ReadError, match="not a readable HDF5 file") as caught:
        read_source(path)
    assert caught.value.where == str(path)


def test_names_and_texts_that_are_not_utf8(tmp_path):
    path = tmp_path / "net.nml.h5"
    with write(path) as file:
        file[NET].create_group(b"population_\xff")
    with pytest.raises(ReadError, match="is not text in UTF-8"):
        read_source(path)
    with write(path) as file:
        file[NET].attrs.create("id", b"\xff", dtype=h5py.string_dtype("utf-8", 1))
    with pytest.raises(ReadError, match="is not text in UTF-8") as caught:
        read_source(path)
    assert caught.value.where == f"{path}:/{NET}@id"


def test_hdf5_of_something_else(tmp_path):
    path = tmp_path / "x.h5"
    h5py.File(path, "w").close()
    with pytest.raises(ReadError, match="has no group /neuroml"):
        read_source(path)


#: Components that the networks of these tests name.
NAMED = (
    '<expOneSynapse id="syn" gbase="1nS" erev="0mV" tauDecay="2ms"/><silentSynapse id="silent"/>'
    '<gradedSynapse id="graded" conductance="5pS" delta="5mV" Vth="-55mV" k="0.025per_ms" erev="0mV"/>'
    '<pulseGenerator id="pg" delay="5ms" duration="50ms" amplitude="0.2nA"/></neuroml>'
)


@pytest.mark.parametrize("seed", [1, 3])
def test_damaged_bytes(seed, tmp_path):
    """Whatever bytes are flipped, the error is ours; with these seeds HDF5 itself gets through (h5py 3.16)."""
    path = tmp_path / "net.nml.h5"
    with write(path) as file:
        file["neuroml"].attrs["neuroml_top_level"] = TOP.replace("</neuroml>", NAMED)
    read_damaged(Path(__file__).with_name("read_damaged.py"), path, seed)
