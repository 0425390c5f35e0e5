"""The index of compiled mechanisms, with compilers that only count."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping
from pathlib import Path

from pynn_io.runners.cache import indexed


def compile_slowly(texts: Mapping[str, str], folder: Path, started: object) -> Path:
    """A file with the names of what is in it, after a while in which others come."""
    started.set()
    time.sleep(0.5)
    library = folder / ("-".join(sorted(texts)) + ".so")
    library.write_text(" ".join(sorted(texts)))
    return library


def use(names: str, folder: Path, started: object) -> None:
    indexed(dict.fromkeys(names, ""), folder / "index", lambda texts: compile_slowly(texts, folder, started))


def test_two_processes_at_once_put_no_mechanism_into_two_libraries(tmp_path: Path) -> None:
    """NEURON loads no library that has a mechanism which it has already."""
    context = multiprocessing.get_context("fork")
    started, unused = context.Event(), context.Event()
    first = context.Process(target=use, args=("ab", tmp_path, started))
    first.start()
    assert started.wait(60)
    second = context.Process(target=use, args=("bc", tmp_path, unused))
    second.start()
    for process in (first, second):
        process.join(60)
        assert process.exitcode == 0
    libraries = indexed(dict.fromkeys("abc", ""), tmp_path / "index", lambda texts: tmp_path / "none")
    assert sorted(library.read_text() for library in libraries) == ["a b", "c"]


def test_what_is_there_needs_no_file_that_can_be_written(tmp_path: Path) -> None:
    index = tmp_path / "index"
    (library,) = indexed({"a": ""}, index, lambda texts: _library(tmp_path))
    (tmp_path / "index.lock").unlink()
    assert indexed({"a": ""}, index, lambda texts: tmp_path / "none") == (library,)
    assert not (tmp_path / "index.lock").exists()


def _library(folder: Path) -> Path:
    (folder / "a.so").write_text("a")
    return folder / "a.so"
