"""NMODL files that are broken, and a reader that is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pynn_io.detect import detect
from pynn_io.errors import BackendUnavailable, FormatError, ReadError
from pynn_io.formats.nmodl import parse_mechanism, read_mechanism
from pynn_io.importers.nmodl_channels import translate
from pynn_io.pipeline import read
from pynn_io.report import Report

FILE = Path("x.mod")
MALFORMED = {
    "NEURON { SUFFIX x }\nBREAKPOINT {\n i = = 3\n}\n": "x.mod:3: this is not NMODL: syntax error, unexpected =",
    "NEURON { SUFFIX x }\nBREAKPOINT {\n": "x.mod:3: this is not NMODL: syntax error, unexpected End of file",
    "PARAMETER { a = 1 }\n": "x.mod: this NMODL file names no mechanism\n  NEURON { SUFFIX name } gives it one",
}


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_file_is_refused_with_its_line(text: str) -> None:
    pytest.importorskip("nmodl")
    with pytest.raises(ReadError) as caught:
        parse_mechanism(text, FILE)
    assert str(caught.value) == MALFORMED[text]


NONSENSE = {
    "BREAKPOINT {\n SOLVE q METHOD cnexp\n}\n": "x.mod:2: x: SOLVE q: there is no such block",
    "FUNCTION f(q) { f = q }\nBREAKPOINT { i = f(1, 2) * v }\n": "x.mod:2: x: f is called with 2 arguments and has 1",
}


@pytest.mark.parametrize("text", NONSENSE)
def test_nonsense_is_refused_where_it_is_used(text: str) -> None:
    pytest.importorskip("nmodl")
    with pytest.raises(ReadError) as caught:
        translate(parse_mechanism("NEURON { SUFFIX x NONSPECIFIC_CURRENT i }\n" + text, FILE))
    assert str(caught.value) == NONSENSE[text]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"nothing\.mod: cannot read this mechanism: No such file"):
        read_mechanism(tmp_path / "nothing.mod")


def test_without_the_package_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nmodl", None)
    with pytest.raises(BackendUnavailable) as caught:
        parse_mechanism("NEURON { SUFFIX x }", FILE)
    assert "reading NMODL needs the package 'nmodl'" in str(caught.value)
    assert "pip install 'pynn_io[nmodl]'" in str(caught.value)


GOOD = """NEURON { SUFFIX leak NONSPECIFIC_CURRENT i }
PARAMETER { g = .001 (S/cm2) e = -70 }
BREAKPOINT { i = g*(v - e) }
"""
OTHER = GOOD.replace("leak", "leak2")


def _folder(tmp_path: Path, **texts: str) -> Path:
    pytest.importorskip("nmodl")
    for name, text in texts.items():
        (tmp_path / f"{name}.mod").write_text(text)
    return tmp_path


def test_a_broken_file_in_a_folder_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    """What is no NMODL, what is nonsense, and what has no equations here: each by file and line."""
    broken = "NEURON { SUFFIX x }\nBREAKPOINT {\n i = = 3\n}\n"
    nonsense = "NEURON { SUFFIX y NONSPECIFIC_CURRENT i }\n" + next(iter(NONSENSE))
    closed = "NEURON { SUFFIX z NONSPECIFIC_CURRENT i }\n\nBREAKPOINT {\nVERBATIM\n int a;\nENDVERBATIM\n i = v }\n"
    folder = _folder(tmp_path, a=broken, leak=GOOD, b=nonsense, c=closed, leak2=OTHER)
    report = Report()
    document = read(folder, report=report)
    assert set(document.network.channels) == {"leak", "leak2"}
    assert [(str(issue.where), issue.message) for issue in report] == [
        (f"{folder}/a.mod:3", "this is not NMODL: syntax error, unexpected =; its equations are not read."),
        (f"{folder}/b.mod:2", "y: SOLVE q: there is no such block; its equations are not read."),
        (f"{folder}/c.mod:3", "z: it has VERBATIM; its equations are not read."),
    ]


def test_a_folder_of_which_nothing_is_nmodl_is_an_error(tmp_path: Path) -> None:
    folder = _folder(tmp_path, a="nothing", b="neither")
    with pytest.raises(ReadError, match=r"b\.mod:1: this is not NMODL"):
        read(folder)


def test_a_folder_of_mod_files_is_known_as_one(tmp_path: Path) -> None:
    folder = _folder(tmp_path, leak=GOOD)
    assert detect(folder) == "nmodl"
    (folder / "circuit_config.json").write_text('{"networks": {}}')
    with pytest.raises(FormatError, match="could be any of: sonata, nmodl"):
        detect(folder)


def test_a_folder_of_neither_says_so(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no SONATA configuration in this folder, and no \.mod file"):
        detect(tmp_path)
