"""What is typed wrong, at every command: one message, with the place and the remedy; the status; nothing written."""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from pathlib import Path

import pytest

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
COMMANDS = ("convert", "run", "show", "compare", "reproduce")
#: What a command needs besides its source.
MORE = {"convert": ["out", "--to", "neuroml"], "run": ["-b", "nest", "-o", "out"], "reproduce": ["-o", "out"]}


@pytest.fixture
def circuit(tmp_path, monkeypatch):
    """The current folder, with the synfire chain in ``net``."""
    shutil.copytree(FIXTURES / "synfire", tmp_path / "net")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(command, argv, capsys):
    """Exit status and message of a command that wrote nothing at all."""
    before = sorted(Path.cwd().rglob("*"))
    try:
        status = import_module(f"pynn_io.cli.{command}").main([str(one) for one in argv])
    except SystemExit as error:  # argparse
        status = error.code
    said = capsys.readouterr()
    assert said.out == "" and "Traceback" not in said.err and "a bug in pynn_io" not in said.err
    assert said.err.count("error:") == 1
    assert sorted(Path.cwd().rglob("*")) == before
    return status, said.err


def argv_of(command, source):
    return [source, source] if command == "compare" else [source, *MORE.get(command, [])]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("", 2, "the path is empty"),
        ("nowhere.json", 4, "nowhere.json: no such file or folder\n  check the path"),
        ("net/circuit_config.json/x", 4, "no such file or folder"),
        ("loop.json", 4, "loop.json: cannot be read: Too many levels of symbolic links\n  check the path, and who"),
        ("x" * 300, 4, "cannot be read: File name too long"),
        ("pipe", 4, "neither a file nor a folder"),
    ],
)
def test_paths_that_lead_to_nothing(circuit, capsys, command, source, status, said):
    Path("loop.json").symlink_to("loop.json")
    os.mkfifo("pipe")
    found, message = refused(command, argv_of(command, source), capsys)
    assert found == status and said in message


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "reproduce"])
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b"", "a.json: the file is empty\n  write it again"),
        ("a.json", b'{"networks": {},\n}', "a.json:2: not valid JSON: "),
        ("a.json", b'{"networks":\n NaN}', "a.json:2: not valid JSON: NaN is no number\n  write a number, or null"),
        ("a.json", b"[1, 2]", "a.json: a configuration must be a JSON object\n  a circuit or simulation"),
        ("a.json", b'{"networks": "\xe9"}', "a.json: not UTF-8 text: byte 14 is 0xe9\n  save it as UTF-8"),
        ("a.nml", b"\x00\x01", "a.nml:1: not XML: "),
        ("a.nml", b"", "a.nml:1: not XML: no element found\n  mend this line"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "a.h5: not a readable HDF5 file"),
        ("a.swc", b"\x8b\x07\xff", "a.swc:1: 1 columns where SWC has 7"),
    ],
)
def test_files_that_are_not_what_they_are_called(circuit, capsys, command, name, content, said):
    Path(name).write_bytes(content)
    status, message = refused(command, argv_of(command, name), capsys)
    assert status == 4 and said in message, message


PLAN, CIRCUIT = "net/simulation_config.json", "net/circuit_config.json"


@pytest.mark.parametrize(
    ("command", "argv", "status", "said"),
    [
        ("run", [PLAN, "--timestep", "-0.1"], 2, "--timestep: -0.1 is not a positive number of ms"),
        ("run", [PLAN, "--timestep", "x"], 2, "--timestep: 'x' is not a number of ms"),
        ("run", [PLAN, "--seed", "1.5"], 2, "--seed: '1.5' is not a whole number"),
        ("run", [PLAN, "-o", ""], 2, "the path is empty"),
        ("run", [PLAN, "-b", "nestt"], 2, "unknown backend 'nestt'\n  known backends: auto, "),
        ("run", [PLAN, "--check"], 2, "--check asks one chip\n  name it: --backend spinnaker"),
        ("run", [PLAN], 2, "written for PyNN, which is no backend here"),
        ("run", [PLAN, "-b", "nest", "-o", "net"], 5, "net: exists already\n  choose another target"),
        ("run", [PLAN, "-b", "nest", "-o", f"{PLAN}/x"], 5, "cannot write here"),
        ("convert", [CIRCUIT, f"{PLAN}/x", "--to", "neuroml"], 5, f"{PLAN}: cannot write here: File exists"),
        ("convert", [CIRCUIT, "net", "--to", "neuroml"], 5, "net: exists already"),
        ("convert", [CIRCUIT, "out", "--to", "neurml"], 2, "unknown format 'neurml'"),
        ("show", [CIRCUIT, "--plot", "a.bmp"], 2, "--plot a.bmp: not one of .png, .svg, .pdf"),
        ("compare", [CIRCUIT, CIRCUIT, "--population", "v1"], 2, "--population is for results, and"),
        ("compare", [CIRCUIT, CIRCUIT, "--tolerance", "x"], 2, "--tolerance: 'x' is not a number"),
        ("compare", [CIRCUIT, CIRCUIT, "--null", "x"], 2, "--null is for results"),
        ("reproduce", [PLAN, "-b", "nestt"], 2, "unknown backend 'nestt'"),
        ("reproduce", ["--pack", "nowhere.json", "-o", "a.omex"], 4, "nowhere.json: no such file or folder"),
    ],
)  # fmt: skip
def test_options(circuit, capsys, command, argv, status, said):
    found, message = refused(command, argv, capsys)
    assert found == status and said in message, message
