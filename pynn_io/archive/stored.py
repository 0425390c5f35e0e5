"""Results that are stored in an archive: which files hold any, what they hold, and what they say they are of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pynn_io.archive.container import Container, files_below
from pynn_io.archive.inputs import inputs_of
from pynn_io.archive.values import Entry, Kind
from pynn_io.errors import PynnIOError
from pynn_io.report import Report
from pynn_io.results import Results, read_results
from pynn_io.results.columns import as_results, header_of, is_of_numbers, read_columns
from pynn_io.results.files import holds_results
from pynn_io.results.sonata import RUN_FILE

#: Words in the name of a folder by which people say that results lie in it.
_WORDS = frozenset(
    {
        *("expected", "expectation", "expectations", "reference", "references", "result", "results"),
        *("output", "outputs", "published", "validation", "baseline", "golden"),
    }
)
_SPLIT = re.compile(r"[^a-z0-9]+")
#: Populations and recordings that are named in words.
_SHOWN = 4
_TEXT, _BINARY = frozenset({".csv", ".dat", ".txt", ".tsv", ".spikes"}), frozenset({".h5", ".nix", ".nwb", ".hdf5"})


@dataclass(frozen=True, slots=True)
class Stored:
    """Something that holds results: a file, or a folder of SONATA's.

    place: absolute. name: its path in the archive. files: names of the files in it. kind: of an expectation, or
    ``text`` for numbers without a header. folder: the nearest folder above whose name says that results lie there, if
    any. plan: the simulation that our own record says it is of. names: of Blocks and Segments in it. columns: their
    names, where they name no cells. holds: what, in words. problem: why it cannot be read.
    """

    place: Path
    name: str
    files: tuple[str, ...]
    kind: str
    folder: Path | None = None
    plan: str = ""
    names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    holds: str = ""
    problem: str = ""


def stored_in(container: Container, entries: Sequence[Entry]) -> tuple[Stored, ...]:
    """All that holds results, without what the entries read, or expect already; in the order of their names."""
    taken = set(_taken(entries))
    files = [path for path in _searched(container, entries) if not ({path, *path.parents} & taken)]
    root = container.root.resolve()
    groups: list[tuple[Path, list[Path]]] = []
    for folder in dict.fromkeys(path.parent for path in files):
        groups += _grouped(folder, [path for path in files if path.parent == folder])
    return tuple(sorted((_described(place, held, root) for place, held in groups), key=lambda each: each.name))


def says_results(folder: Path) -> bool:
    """Whether the name of a folder says that results lie in it: ``expected``, ``reference_output`` ..."""
    return bool(_WORDS & {*_SPLIT.split(folder.name.lower())})


def _searched(container: Container, entries: Sequence[Entry]) -> Iterator[Path]:
    """The archive's files; around a file that is alone, those beside it, and in folders of results there."""
    root = container.root.resolve()
    if container.kind != "file":
        yield from (root / path for path in container.files if path.suffix.lower() in _TEXT | _BINARY)
        return
    for folder in dict.fromkeys(entry.path.resolve().parent for entry in entries):
        for path in sorted(folder.iterdir()):
            if path.is_dir() and says_results(path):
                yield from files_below(path)
            elif path.suffix.lower() in _TEXT | _BINARY:
                yield path


def _taken(entries: Sequence[Entry]) -> Iterator[Path]:
    for entry in entries:
        yield from (expectation.origin.resolve() for expectation in entry.expectations)
        if entry.kind == Kind.PYNN or entry.problem is not None:
            continue  # a script may read all that stands beside it, and says of none that it does
        try:
            inputs = inputs_of(entry.path, entry.kind)
        except PynnIOError:
            continue  # its run says why
        yield from (inputs.base / path for path in inputs.files)


def _grouped(folder: Path, files: Iterable[Path]) -> Iterator[tuple[Path, list[Path]]]:
    """Files of one folder, SONATA's together: they are one run's."""
    held = {path: _kind_of(path) for path in files}
    own = [path for path, kind in held.items() if kind == "results"]
    sonata = [path for path in own if path.suffix.lower() in (".h5", ".hdf5")]
    others = {*folder.glob("*.h5")} - {*sonata}
    if (folder / RUN_FILE).is_file() or (len(sonata) > 1 and not others):
        yield folder, own
        own = []
    yield from ((path, [path]) for path in own)
    yield from ((path, [path]) for path, kind in held.items() if kind in ("columns", "text"))


def _kind_of(path: Path) -> str:
    """What a file holds, by its content; empty for no results."""
    if path.suffix.lower() in _TEXT and header_of(path) is not None:
        return "columns"
    if path.suffix.lower() in _TEXT and is_of_numbers(path):
        return "text"
    return "results" if holds_results(path) else ""


def _described(place: Path, files: Sequence[Path], root: Path) -> Stored:
    above = [each for each in (place, *place.parents) if each.is_dir() and each != root and each.is_relative_to(root)]
    stored = Stored(
        place,
        place.relative_to(root).as_posix(),
        tuple(file.name for file in files),
        "results" if place.is_dir() else _kind_of(place),
        next((each for each in above if says_results(each)), None),
    )
    if stored.kind == "text":
        return replace(stored, holds="numbers, and no line says what they are")
    header = header_of(place) if stored.kind == "columns" else None
    if header is not None and header.cells is None:
        return replace(stored, columns=header.names, holds=f"columns {', '.join(header.names)}")
    try:
        results = read_results(place, report=Report()) if header is None else as_results(read_columns(place), place)
    except PynnIOError as error:
        return replace(stored, holds="results", problem=error.message)
    except MemoryError:  # a few bytes of HDF5 may state arrays of any size
        return replace(stored, holds="results", problem="it needs more memory than there is")
    stated = results.provenance
    names = tuple(str(name) for key in ("blocks", "segments") for name in stated.get(key, ()))
    return replace(stored, plan=str(stated.get("plan") or ""), names=names, holds=_contents(results))


def _contents(results: Results) -> str:
    reports = list(dict.fromkeys(f"{trace.report} of {trace.population}" for trace in results.traces))
    parts = {"spikes of": list(results.spikes), "traces": reports}
    return "; ".join(f"{what} {_few(names)}" for what, names in parts.items() if names) or "nothing"


def _few(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
