"""Every command and every line of Python that the pages and ``--help`` show: it parses, and what is quick is run."""

from __future__ import annotations

import inspect
import re
import shlex
import shutil
from argparse import ArgumentParser
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import pynn_io

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "fixtures/README.md", *ROOT.glob("docs/*.md"))
)
COMMANDS = ("convert", "run", "show", "compare", "reproduce")
_LINE = re.compile(r"^ *(?:[A-Z_]+=\S+ )*(pynn-\w+ .*)$", re.MULTILINE)
_FENCED = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
_SHOWN = re.compile(r"`(pynn-\w+ [^`]+)`")
#: Lines that are not run here, by a part of them, with where such a thing is run, or why it is not.
ELSEWHERE = {
    "pynn-run simulation_config.json   ": "the fixture was written for PyNN: tests/running chooses backends",
    "neuron": "mechanisms are compiled: tests/runners, tests/cosimulation",
    "--engine": "tests/jneuroml",
    "nmpi:": "tests/nmpi",
    "spinnaker -o": "the network is mapped: tests/hardware",
    "--emulate": "tests/hardware",
    "--board": "it takes a board",
    "--plot run.png": "tests/commands/test_run_command.py",
    "--plot results.png": "tests/commands/test_run_command.py",
    "--allow-exec": "tests/commands and tests/runners execute templates",
    "net.nir": "the fixture's cells are none of NIR's: tests/nir",
    "synfire.py": "a script runs in a process of its own: tests/pynn_in",
    "pynn-reproduce": "tests/commands/test_reproduce_command.py",
    "pynn-compare": "it takes two runs: tests/compare",
    "--validate": "other tools are asked: tests/commands/test_show_command.py",
}
STATUS = {"--strict": 3}


def fenced(page: str) -> Iterator[tuple[str, str]]:
    """Language and text of the page's blocks."""
    yield from _FENCED.findall((ROOT / page).read_text(encoding="utf-8"))


def shown(page: str) -> list[str]:
    """Every command that a page shows in a line of a block."""
    return [line for _, block in fenced(page) for line in _LINE.findall(block)]


def parser_of(command: str) -> ArgumentParser:
    parser: ArgumentParser = import_module(f"pynn_io.cli.{command}")._parser()
    return parser


def parse(line: str) -> None:
    name, *words = shlex.split(line, comments=True)
    parser_of(name.removeprefix("pynn-")).parse_intermixed_args(words)


def test_no_page_is_left_out() -> None:
    with_commands = {page for page in PAGES if shown(page)}
    assert {
        "README.md",
        "docs/guide.md",
        "docs/cosimulation.md",
        "docs/hardware.md",
        "docs/reproduce.md",
    } < with_commands
    assert sum(len(shown(page)) for page in PAGES) > 40


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_is_understood(page: str) -> None:
    for line in shown(page):
        parse(line)


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md"])
def test_options_in_a_sentence_exist(page: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    for line in _SHOWN.findall(text):
        command = line.split()[0].removeprefix("pynn-")
        known = {option for action in parser_of(command)._actions for option in action.option_strings}
        assert set(re.findall(r"(?<!\S)--?[a-z-]+", line)) <= known, line
    known = {option for name in COMMANDS for action in parser_of(name)._actions for option in action.option_strings}
    assert set(re.findall(r"`(--[a-z-]+)[^`]*`", text)) <= known


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_of_help_are_understood(command: str) -> None:
    examples = _LINE.findall(import_module(f"pynn_io.cli.{command}").EXAMPLES)
    assert len(examples) > 5
    for line in examples:
        parse(line.partition(" | ")[0])


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_every_exit_status_of_its_errors(command: str) -> None:
    """1, 2 and 130 are everybody's; the others as the guide has them."""
    text = import_module(f"pynn_io.cli.{command}").EXAMPLES.partition("exit status:")[2]
    assert {"0", "1", "2", "4", "5", "6", "130"} <= set(re.findall(r"^  (\d+) ", text, re.MULTILINE))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with files under the names that the pages use."""
    for name in ("synfire", "neuroml"):
        shutil.copytree(ROOT / "fixtures" / name, tmp_path, dirs_exist_ok=True)
    shutil.copy(ROOT / "fixtures/neuroml/LEMS_pair.xml", tmp_path / "LEMS_sim.xml")
    shutil.copy(ROOT / "fixtures/morphologies/pyramid.asc", tmp_path / "cell.asc")
    shutil.copytree(ROOT / "fixtures/obi_net/components/mod", tmp_path / "mod")
    monkeypatch.chdir(tmp_path)
    return tmp_path


LINES = list(dict.fromkeys(line for page in PAGES for line in shown(page)))
QUICK = [line for line in LINES if not any(part in line for part in ELSEWHERE)]


@pytest.mark.parametrize("part", ELSEWHERE)
def test_what_is_not_run_here_is_on_a_page(part: str) -> None:
    assert any(part in line for line in LINES)


@pytest.mark.parametrize("line", QUICK, ids=[" ".join(line.partition("#")[0].split()) for line in QUICK])
def test_what_a_page_shows_runs(folder, capsys, line: str) -> None:
    if "--plot" in line and find_spec("matplotlib") is None:
        pytest.skip("matplotlib is not installed")
    if "--html" in line and find_spec("plotly") is None:
        pytest.skip("Plotly is not installed")
    name, *words = shlex.split(line, comments=True)
    status = import_module(f"pynn_io.cli.{name.removeprefix('pynn-')}").main(words)
    wanted = next((value for part, value in STATUS.items() if part in line), 0)
    assert status == wanted, capsys.readouterr().err


def test_enough_is_run() -> None:
    assert len(QUICK) >= 12


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_python_of_a_page_runs(folder, page: str) -> None:
    """The blocks about a network; those that run a simulator are run in tests/runners."""
    blocks = [block for language, block in fenced(page) if language == "python" and "network.p" in block]
    assert blocks
    for block in blocks:
        text = block.replace("v1_to_v1", "excitatory_to_excitatory").replace('"v1"', '"excitatory"')
        names = {"network": pynn_io.import_from_sonata("circuit_config.json")}
        exec(compile(text, page, "exec"), names)
    assert page != "README.md" or (folder / "v1_neuroml").is_dir()


def test_calls_are_as_the_page_has_them() -> None:
    """Every argument in the tables of the API is one of the function's."""
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    calls = re.findall(r"^\| `(\w+)\((.*?)\)(?: -> [^`]*)?`", text, re.MULTILINE)
    checked = 0
    for name, arguments in calls:
        if name not in pynn_io.__all__:
            continue
        known = inspect.signature(getattr(pynn_io, name)).parameters
        for argument in re.findall(r"(\w+)(?:=[^,]*)?(?:, |$)", re.sub(r'"[^"]*"', "x", arguments)):
            assert argument in known or argument == "x" or any(one.kind is one.VAR_KEYWORD for one in known.values()), (
                name
            )
            checked += 1
    assert checked > 40
