"""NMODL files that are broken, and a reader that is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pynn_io.errors import BackendUnavailable, ReadError
from pynn_io.formats.nmodl import parse_mechanism, read_mechanism
from pynn_io.importers.nmodl_channels import translate

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
