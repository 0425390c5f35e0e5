"""JSON, CSV and SWC text beyond what the formats allow: a ReadError with file and line, not a guess and not a crash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pynn_io.detect import detect
from pynn_io.errors import PynnIOError, ReadError
from pynn_io.formats.allen_cell import parse_nml
from pynn_io.formats.sonata_csv import parse_types
from pynn_io.formats.strict_json import parse_json
from pynn_io.formats.swc import read_swc
from pynn_io.importers.sonata import read
from pynn_io.pipeline import read as read_any
from pynn_io.report import Report
from tests.sonata_in.tiny_circuits import circuit

FILE = Path("params.json")


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ('{"a": 1,\n "b": NaN}', "params.json:2", "NaN is no number"),
        ('{"a": 1,\n\n "b": -Infinity}', "params.json:3", "-Infinity is no number"),
        ('{"a": 1e999}', "params.json:1", "1e999 is too large"),
        ('{"a":\n' + "9" * 5000 + "}", "params.json:2", "is too large"),
        ('{"a": [1, 2,]}', "params.json:1", "not valid JSON"),
        ("[" * 100_000 + "]" * 100_000, "params.json", "nested too deeply"),
        ('{"a": "x\\u0000y"}', "params.json", "character that no name or file can have"),
        ('{"\\ud800": 1}', "params.json", "character that no name or file can have"),
    ],
)
def test_json_that_is_refused(text: str, where: str, words: str) -> None:
    with pytest.raises(ReadError, match=words) as caught:
        parse_json(text, FILE)
    assert caught.value.where == where


def test_json_numbers_keep_their_value() -> None:
    text = f'{{"a": {2**63 - 1}, "b": {-(2**63)}, "c": {2**64}, "d": 0.1, "e": "\\u00e9\\ud83d\\ude00"}}'
    content = parse_json(text, FILE)
    assert content == {"a": 2**63 - 1, "b": -(2**63), "c": 2.0**64, "d": 0.1, "e": "é😀"}
    assert isinstance(content["c"], float)


def test_a_deeply_nested_configuration_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "circuit_config.json"
    path.write_text('{"networks": ' + '{"a":' * 100_000 + "1" + "}" * 100_001)
    assert detect(path) == "sonata"
    for source in (path, tmp_path):
        with pytest.raises(ReadError, match="nested too deeply") as caught:
            read_any(source)
        assert caught.value.where == str(path)


@pytest.mark.parametrize("value", [["a"], {"a": 1}, 3, True])
@pytest.mark.parametrize("key", ["network", "simulation"])
def test_a_path_that_is_no_text(key: str, value: Any, tmp_path: Path) -> None:
    import json

    path = tmp_path / "config.json"
    path.write_text(json.dumps({"network": "c.json", "simulation": "s.json"} | {key: value}))
    with pytest.raises(PynnIOError) as caught:
        read(path, Report())
    assert str(path) in str(caught.value)
    assert caught.value.exit_status == 4


def test_a_path_that_the_system_refuses_is_one_that_is_not_there(tmp_path: Path) -> None:
    entry = {"nodes_file": "x" * 5000, "node_types_file": None}
    with pytest.raises(ReadError, match="does not exist") as caught:
        read(circuit(tmp_path, networks={"nodes": [entry]}), Report())
    assert caught.value.where == str(tmp_path / "circuit_config.json")


@pytest.mark.parametrize("value", ["folder", 3, ["folder"]])
def test_alternate_morphologies_that_are_no_object(value: Any, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="'alternate_morphologies' must be an object") as caught:
        read(circuit(tmp_path, components={"alternate_morphologies": value}), Report())
    assert caught.value.where == str(tmp_path / "circuit_config.json")


def test_nul_in_a_types_file() -> None:
    with pytest.raises(ReadError, match="NUL") as caught:
        parse_types("node_type_id a\n1 2\n2 \0\n", Path("types.csv"), "node_type_id")
    assert caught.value.where == "types.csv:3"


@pytest.mark.parametrize("cell", ["1_000", "٣", "9" * 5000])
def test_what_only_python_takes_for_a_number_is_text(cell: str) -> None:
    table = parse_types(f"node_type_id a\n1 {cell}\n", Path("types.csv"), "node_type_id")
    assert table.columns["a"] == [cell]
    with pytest.raises(ReadError, match="must be an integer") as caught:
        parse_types(f"node_type_id a\n{cell} 1\n", Path("types.csv"), "node_type_id")
    assert caught.value.where == "types.csv:2"


@pytest.mark.parametrize(("line", "what"), [("1_0 1 0 0 0 1 -1", "id"), ("1 1 1_0 0 0 1 -1", "x")])
def test_underscores_in_swc_numbers(line: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "a.swc").write_text(f"# cell\n{line}\n")
    with pytest.raises(ReadError, match=f"{what} is '1_0', not a number") as caught:
        read_swc(tmp_path / "a.swc")
    assert caught.value.where == f"{tmp_path / 'a.swc'}:2"


SNIPPET = """<?xml version="1.0"?>
{dtd}
<neuroml><biophysicalProperties><membraneProperties>
<specificCapacitance segmentGroup="soma" value="1 uF_per_cm2"/>
{content}
</membraneProperties></biophysicalProperties></neuroml>
"""
LAUGHS = "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))


@pytest.mark.parametrize(
    ("dtd", "content", "words"),
    [
        ('<!DOCTYPE n [<!ENTITY x SYSTEM "{secret}">]>', "&x;", "the entity &x; stands for content elsewhere"),
        ('<!DOCTYPE n [<!ENTITY x "<species/>">]>', "&x;", "the entity &x; stands for content elsewhere"),
        (f'<!DOCTYPE n [<!ENTITY a "aaaaaaaaaa">{LAUGHS}]>', '<notes t="&j;"/>', "not well-formed XML"),
        ("", "<a>" * 5000 + "</a>" * 5000, "not well-formed XML"),
    ],
)
def test_xml_that_fetches_or_grows(dtd: str, content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("the secret")
    text = SNIPPET.format(dtd=dtd.replace("{secret}", (tmp_path / "secret.txt").as_uri()), content=content)
    with pytest.raises(ReadError, match=words) as caught:
        parse_nml(text.encode(), "cell.nml")
    assert caught.value.where.startswith("cell.nml:")
    assert "the secret" not in str(caught.value)


def test_the_snippet_without_entities_is_read() -> None:
    (capacitance,) = parse_nml(SNIPPET.format(dtd="", content="").encode(), "cell.nml").items
    assert capacitance.value == 1.0


def test_a_pipe_in_place_of_a_cell_template(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "cell.nml")
    (tmp_path / "node_types.csv").write_text(
        "node_type_id model_type model_template\n100 biophysical nml:cell.nml\n101 virtual NULL\n"
    )
    with pytest.raises(ReadError, match="not a regular file") as caught:
        read(circuit(tmp_path, components={"biophysical_neuron_models_dir": "."}), Report())
    assert str(tmp_path / "cell.nml") in str(caught.value)


def test_a_pipe_is_no_circuit(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(ReadError, match="neither a file nor a folder") as caught:
        detect(tmp_path / "pipe.json")
    assert caught.value.where == str(tmp_path / "pipe.json")
