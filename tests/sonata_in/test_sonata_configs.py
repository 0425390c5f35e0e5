"""Configuration files: manifest variables, which file belongs to which, broken JSON."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynn_io.errors import FormatError, ReadError
from pynn_io.formats.sonata_config import find, load, looks_like, read_json
from pynn_io.formats.sonata_manifest import expand_manifest, substitute
from pynn_io.report import Kind, Report

CIRCUIT: dict[str, Any] = {"networks": {"nodes": [], "edges": []}}
RUN: dict[str, Any] = {"run": {"tstop": 1.0}}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_nested_variables_in_both_spellings() -> None:
    manifest = {"$NET": "${BASE}/net", "$BASE": "./b", "$FILE": "$NET/x_${NUMBER}.h5", "$NUMBER": 3}
    table = expand_manifest(manifest, Path("/f/c.json"))
    assert table["NET"] == "./b/net"
    assert table["FILE"] == "./b/net/x_3.h5"
    assert substitute({"a": ["$NET/q", 4]}, table, Path("c.json")) == {"a": ["./b/net/q", 4]}


def test_variables_of_bmtk() -> None:
    table = expand_manifest({"$A": "${configdir}/a", "$W": "${workingdir}"}, Path("/f/c.json"))
    assert table["A"] == "/f/a"
    assert table["W"] == os.getcwd()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", table["datetime"])


def test_a_longer_name_is_not_a_shorter_one_with_a_tail() -> None:
    table = expand_manifest({"$DIR": "a", "$DIR_B": "b"}, Path("c.json"))
    assert substitute("$DIR_B/${DIR}_B", table, Path("c.json")) == "b/a_B"


def test_cycle_is_named() -> None:
    with pytest.raises(ReadError, match=r"c\.json: the manifest is cyclic: \$B -> \$C -> \$B"):
        expand_manifest({"$A": "$B", "$B": "x/$C", "$C": "${B}"}, Path("c.json"))


def test_unknown_variable_is_named() -> None:
    with pytest.raises(ReadError, match=r"c\.json: the variable \$NOPE is not in the manifest"):
        substitute("$NOPE/a", {}, Path("c.json"))


NAMES = st.text("ABCDEFG_", min_size=1, max_size=4)
VALUES = st.text("xyz/.-0", max_size=6)


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=6), st.data())
def test_expansion_is_plain_replacement(table: dict[str, str], data: st.DataObject) -> None:
    """A chain of variables, each built on earlier ones, against its value built up by hand."""
    names = list(table)
    manifest, expected = {}, {}
    for i, name in enumerate(names):
        manifest[f"${name}"], expected[name] = table[name], table[name]
        if i:
            other = data.draw(st.sampled_from(names[:i]))
            manifest[f"${name}"] += "${" + other + "}!"
            expected[name] += expected[other] + "!"
    order = data.draw(st.permutations(list(manifest)))
    got = expand_manifest({key: manifest[key] for key in order}, Path("c.json"))
    assert {name: got[name] for name in names} == expected


@given(st.lists(NAMES, min_size=1, max_size=5, unique=True))
def test_every_ring_is_found(names: list[str]) -> None:
    ring = {f"${name}": f"${{{names[(i + 1) % len(names)]}}}" for i, name in enumerate(names)}
    with pytest.raises(ReadError, match="cyclic"):
        expand_manifest(ring, Path("c.json"))


def test_trailing_comma(tmp_path: Path) -> None:
    path = write(tmp_path / "circuit_config.json", '{\n "networks": {\n  "nodes": [],\n }\n}')
    with pytest.raises(ReadError, match=r"circuit_config\.json:\d+: not valid JSON(.|\n)*comma"):
        load(path, Report())


def test_key_stated_twice_is_reported_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "c.json", '{\n "a": 1,\n "b": 2,\n "a": 3\n}')
    report = Report()
    assert read_json(path, report) == {"a": 3, "b": 2}
    (issue,) = report
    assert (issue.code, issue.kind, issue.where) == ("duplicate-key", Kind.NOT_READ, f"{path}:4")


def test_node_sets_keep_their_dollars(tmp_path: Path) -> None:
    sets = {"s": {"mtype": {"$regex": "^L$A"}}}
    path = write(tmp_path / "circuit_config.json", CIRCUIT | {"node_sets": sets})
    assert load(path, Report()).node_sets[1] == sets


def test_joined(tmp_path: Path) -> None:
    write(tmp_path / "net" / "c.json", CIRCUIT | {"target_simulator": "NEST"})
    write(tmp_path / "sim" / "s.json", RUN)
    path = write(tmp_path / "config.json", {"network": "net/c.json", "simulation": "./sim/s.json"})
    config = load(path, Report())
    assert config.circuit["target_simulator"] == "NEST"
    assert config.simulation == RUN
    assert config.circuit_path == tmp_path / "net" / "c.json"
    assert config.simulation_path == tmp_path / "sim" / "s.json"


def test_all_in_one_is_taken_apart(tmp_path: Path) -> None:
    path = write(
        tmp_path / "c.json", CIRCUIT | RUN | {"components": {"mechanisms_dir": "m"}, "target_simulator": "NEST"}
    )
    config = load(path, Report())
    assert set(config.circuit) == {"networks", "components", "target_simulator"}
    assert set(config.simulation or {}) == {"run", "target_simulator"}


def test_simulation_overrides_components(tmp_path: Path) -> None:
    write(tmp_path / "circuit_config.json", CIRCUIT | {"components": {"a_dir": "a", "b_dir": "b"}})
    (tmp_path / "sim").mkdir()
    run = RUN | {"network": "../circuit_config.json", "components": {"b_dir": "$X"}, "manifest": {"$X": "y"}}
    config = load(write(tmp_path / "sim" / "s.json", run), Report())
    assert config.components == {"a_dir": ("a", "a", tmp_path), "b_dir": ("y", "$X", tmp_path / "sim")}


def test_network_left_out(tmp_path: Path) -> None:
    sim = write(tmp_path / "simulation_config.json", RUN)
    with pytest.raises(ReadError, match=r"simulation_config\.json: the simulation names no circuit(.|\n)*add"):
        load(sim, Report())
    write(tmp_path / "circuit_config.json", CIRCUIT)
    report = Report()
    assert load(sim, report).circuit_path.name == "circuit_config.json"
    assert report.codes() == {"network-absent"}


def test_missing_file_is_named_with_its_key(tmp_path: Path) -> None:
    path = write(tmp_path / "config.json", {"network": "c.json", "simulation": "s.json"})
    with pytest.raises(ReadError, match=r"config\.json: the file .*s\.json named by 'simulation' does not exist"):
        load(path, Report())


def test_relative_path_beside_the_file_before_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pynn_io.formats.sonata_config import resolve_path

    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        write(folder / "both", "x")
    write(here / "only_here", "x")
    monkeypatch.chdir(here)
    assert resolve_path("both", there) == there / "both"
    assert resolve_path("only_here", there) == here / "only_here"
    assert resolve_path("nowhere", there) == there / "nowhere"


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({"c.json": CIRCUIT}, "c.json"),
        ({"c.json": CIRCUIT, "s.json": RUN}, "s.json"),
        ({"c.json": CIRCUIT, "s.json": RUN, "j.json": {"network": "c.json", "simulation": "s.json"}}, "j.json"),
        ({"w.json": CIRCUIT | RUN, "node_sets.json": {"a": ["b"]}}, "w.json"),
        ({"c.json": CIRCUIT, "s.json": RUN, "t.json": RUN}, None),
        ({"c.json": CIRCUIT, "s.json": RUN | {"network": "../other/d.json"}}, None),
        ({"c.json": CIRCUIT, "d.json": CIRCUIT}, None),
        ({"v.json": CIRCUIT | RUN, "w.json": CIRCUIT | RUN}, None),
    ],
)
def test_a_folder_holds_exactly_one(tmp_path: Path, files: dict[str, Any], chosen: str | None) -> None:
    for name, content in files.items():
        write(tmp_path / name, content)
    assert looks_like(tmp_path)
    if chosen:
        assert find(tmp_path) == tmp_path / chosen
        return
    with pytest.raises(FormatError) as caught:
        find(tmp_path)
    assert all(name in str(caught.value) for name in files)


def test_a_folder_with_none(tmp_path: Path) -> None:
    write(tmp_path / "node_sets.json", {"a": {"b": 1}})
    assert not looks_like(tmp_path)
    with pytest.raises(FormatError, match="no SONATA configuration"):
        load(tmp_path, Report())


def test_not_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="not a SONATA configuration"):
        load(write(tmp_path / "x.json", {"a": 1}), Report())
