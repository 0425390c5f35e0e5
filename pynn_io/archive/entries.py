"""What of an archive is to be run, and what was published of it: found by what the files say, never guessed in silence.

What an archive that pynn_io packed says of itself comes first; else what its own list calls its master; else the tests
of an Open Source Brain repository; else every simulation that is there. What is asked for and cannot be read stays an
entry, with its problem; other simulations that are there are told.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pynn_io.archive.candidates import expectation_of, with_candidates
from pynn_io.archive.container import Container
from pynn_io.archive.expectations import of_lems, of_sedml, of_sonata, of_tests
from pynn_io.archive.expected import FILE, read_expected
from pynn_io.archive.inputs import inputs_in
from pynn_io.archive.values import Entry, Expectation, Kind
from pynn_io.errors import FormatError, PynnIOError, ReadError, UnsafeArchive, UnsupportedInput
from pynn_io.formats import omv, sonata_config
from pynn_io.formats.sedml import read_sedml
from pynn_io.report import Report

#: Bytes of a file that tell what it is.
_HEAD = 65536
#: Element of a LEMS file that says which simulation to run.
_TARGET = re.compile(rb"<\s*(?:\w+:)?Target[\s>]")
_LEMS = re.compile(rb"<\s*(?:\w+:)?Lems[\s>]", re.IGNORECASE)
_SEDML = re.compile(rb"<\s*(?:\w+:)?sedML[\s/>]")
_PYNN = re.compile(rb"^\s*(?:from|import)\s+pyNN\b", re.MULTILINE)
#: Endings of the formats of a manifest that say what a simulation is.
_STATED = {"sed-ml": Kind.SEDML, "lems+xml": Kind.LEMS, "text/x-python": Kind.PYNN}
#: Engines whose tests only run a schema over files.
_VALIDATORS = frozenset({"jNeuroML_validate", "jNeuroML_validatev1", "pyNeuroML_validate_sbml"})


def find_entries(container: Container, report: Report) -> tuple[Entry, ...]:
    """Every entry of an archive, with its expectations, by name. Simulations that nothing asks for are reported.

    Raises FormatError where there is nothing to run, ReadError where everything is broken, UnsafeArchive for what
    reaches beyond an archive that is a thing of its own.
    """
    for found in (_packed, _masters, _tested, _scanned):
        entries = _sorted(found(container, report), container)
        if entries:
            _refuse_broken(entries)
            if found in (_masters, _tested):
                _tell_others(entries, container, report)
            return with_candidates(entries, container)
    for path in container.masters if container.kind == "file" else ():
        if path.suffix == ".json":  # what was named by hand has its own error
            sonata_config.read_config(container.root / path, Report())
    inside = [path.as_posix() for path in container.files if path.suffix.lower() in (".omex", ".zip")]
    hint = "an archive holds a SONATA, LEMS or SED-ML simulation, or a PyNN script; name its file"
    nested = f"it holds archives, which are reproduced one by one: {', '.join(inside[:5])}"
    raise FormatError("nothing to run was found", where=container.source, hint=nested if inside else hint)


def _refuse_broken(entries: Sequence[Entry]) -> None:
    """Raises the first problem where every entry is broken, which is more than not run here."""
    problems = [entry.problem for entry in entries]
    broken = [each for each in problems if each is not None and not isinstance(each, UnsupportedInput)]
    if len(broken) == len(entries):
        raise broken[0]


def chosen(
    entries: Sequence[Entry], patterns: Sequence[str], container: Container, report: Report
) -> tuple[Entry, ...]:
    """The entries whose names fit one of the patterns (shell's ``*``), all without any; where none fits, simulations of
    the archive that nothing asks for. Raises FormatError for none."""
    if not patterns:
        return tuple(entries)
    found = _fitting(entries, patterns)
    if not found:
        found = with_candidates(_fitting(_sorted(_scanned(container, report), container), patterns), container)
    if not found:
        names = ", ".join(each.name for each in entries)
        raise FormatError(f"no entry is called {', '.join(patterns)}", where=container.source, hint=f"entries: {names}")
    return found


def _fitting(entries: Sequence[Entry], patterns: Sequence[str]) -> tuple[Entry, ...]:
    return tuple(each for each in entries if any(fnmatch.fnmatch(each.name, pattern) for pattern in patterns))


def _sorted(entries: Iterator[Entry], container: Container) -> tuple[Entry, ...]:
    """By name, each with what keeps it from being run, if its files say so."""
    return tuple(sorted((_checked(entry, container) for entry in entries), key=lambda entry: entry.name))


def _checked(entry: Entry, container: Container) -> Entry:
    """Raises UnsafeArchive for an entry that names files outside of a closed archive."""
    if entry.problem is not None or not container.is_closed:
        return entry
    try:
        inputs_in(container, entry.path, entry.kind)
    except UnsafeArchive:
        raise
    except PynnIOError as error:
        return replace(entry, problem=error)
    return entry


def _tell_others(entries: Sequence[Entry], container: Container, report: Report) -> None:
    """Simulations that are there, and of which the archive's list or tests say nothing."""
    asked = {entry.path.resolve() for entry in entries}
    others = [path.as_posix() for path in _simulations(container) if (container.root / path).resolve() not in asked]
    if others:
        message = "Simulations are there that neither its list nor its tests ask for: --entry NAME runs one."
        report.not_read("entry-unasked", container.source, message, count=len(others), examples=others[:5])


def expecting(entries: Sequence[Entry], files: Sequence[Path], container: Container) -> tuple[Entry, ...]:
    """Entries with results that the user gives, by their paths, or by those in the archive.

    Raises FormatError where it is not clear for which entry they are, and for files that are not there.
    """
    if not files:
        return tuple(entries)
    if len(entries) > 1:
        names = ", ".join(each.name for each in entries)
        hint = f"name it with --entry; entries: {names}"
        raise FormatError("results are expected of one entry, and there are several", where=container.source, hint=hint)
    places = [_given(file, container) for file in files]
    return tuple(
        replace(entry, expectations=tuple(expectation_of(place, entry) for place in places), candidates=())
        for entry in entries
    )


def _given(file: Path, container: Container) -> Path:
    """A file that the user names, or one of the archive that he names as the archive does."""
    inside = (container.root / file).resolve()
    if not file.exists() and inside.exists() and inside.is_relative_to(container.root.resolve()):
        return inside
    if not file.exists():
        raise FormatError("there is no such file, nor one of this name in the archive", where=f"--expect {file}")
    return file.resolve()


def kind_of(path: Path) -> Kind | None:
    """What a file is as an entry point; None for what is none. Never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    if path.suffix == ".json":
        return Kind.SONATA if _runs(path) else None
    if path.suffix == ".py":
        return Kind.PYNN if _PYNN.search(head) else None
    if _SEDML.search(head):
        return Kind.SEDML
    return Kind.LEMS if path.suffix == ".xml" and _LEMS.search(head) and _TARGET.search(head) else None


def _runs(path: Path) -> bool:
    """Whether a file is a SONATA configuration with a simulation."""
    try:
        return sonata_config.kind_of(sonata_config.read_config(path, Report()).content) not in ("", "circuit")
    except PynnIOError:
        return "simulation" in path.name  # it says to be one: its entry says what is wrong


def _packed(container: Container, report: Report) -> Iterator[Entry]:
    """What pynn_io packed says of itself."""
    if Path(FILE) in container.files:
        yield from read_expected(container.root)


def _masters(container: Container, report: Report) -> Iterator[Entry]:
    formats = {Path(entry.location): entry.format for entry in container.entries}
    for path in container.masters:
        kind = kind_of(container.root / path)
        _check_format(container, path, kind, formats.get(path, ""))
        found = "the user" if container.kind == "file" else "the archive's own list"
        if kind is None:
            if container.kind != "file":
                yield _unknown(container, path, found)
            continue
        yield from _made(container, path, kind, found, report)


def _unknown(container: Container, path: Path, found: str) -> Entry:
    """Of something that a list says to start with, and that is nothing to run here."""
    problem = UnsupportedInput(
        "the archive's list says to start with this file, and it is no simulation that is run here",
        where=container.place(path),
        hint="--entry NAME runs another simulation of the archive",
    )
    return Entry(path.as_posix(), container.root / path, Kind.UNKNOWN, found, problem=problem)


def _check_format(container: Container, path: Path, kind: Kind | None, stated: str) -> None:
    """Raises UnsafeArchive for a file that a manifest calls a model, and that is something else."""
    expected = next((each for ending, each in _STATED.items() if stated.endswith(ending)), None)
    if expected is not None and kind != expected:
        found = f"a {kind} simulation" if kind else "no simulation"
        where = f"{container.source}:{path.as_posix()}"
        raise UnsafeArchive(f"its manifest says that this is {expected}, and it is {found}", where=where)


def _tested(container: Container, report: Report) -> Iterator[Entry]:
    """An entry for every model that an ``.omt`` runs, with all of its tests; and for every test that is broken."""
    by_target: dict[Path, list[omv.Test]] = {}
    for path in (each for each in container.files if each.suffix == ".omt"):
        try:
            test = omv.read_test(container.root / path, container.within)
        except UnsafeArchive:
            raise
        except PynnIOError as error:  # what it expects is not compared, and must not be passed over
            error.where, error.message = container.told(error.where), container.told(error.message)
            yield Entry(path.as_posix(), container.root / path, Kind.UNKNOWN, "its tests", problem=error)
            continue
        if test.engine in _VALIDATORS:
            message = "The test only judges files by a schema, as `pynn-show --validate` does; nothing is run for it."
            report.not_read("test-validates", container.place(path), message, examples=[test.target])
            continue
        by_target.setdefault((test.path.parent / test.target).resolve(), []).append(test)
    for target, tests in by_target.items():
        yield from _of_tests(container, target, tests, report)


def _of_tests(container: Container, target: Path, tests: list[omv.Test], report: Report) -> Iterator[Entry]:
    kind = kind_of(target)
    root = container.root.resolve()
    if kind not in (Kind.LEMS, Kind.PYNN) or not target.is_relative_to(root):
        for test in tests:
            message = f"The test is about {test.target}, which is no model that is run here."
            report.not_read("test-target", container.told(str(test.path)), message, examples=[test.engine])
        return
    name = target.relative_to(root)
    yield Entry(name.as_posix(), target, kind, "its tests", expectations=of_tests(tests))


def _scanned(container: Container, report: Report) -> Iterator[Entry]:
    for path, kind in _simulations(container).items():
        yield from _made(container, path, kind, "its content", report)


def _simulations(container: Container) -> dict[Path, Kind]:
    """Every file that is a simulation, but for those that another one names as its own."""
    found = {path: kind for path in container.files if (kind := kind_of(container.root / path)) is not None}
    named = _named_by_others(container, [path for path, kind in found.items() if kind == Kind.SONATA])
    named |= _models_of(container, [path for path, kind in found.items() if kind == Kind.SEDML])
    return {path: kind for path, kind in found.items() if path not in named}


def _named_by_others(container: Container, paths: list[Path]) -> set[Path]:
    """Simulation configurations that a joined one in the archive names: both are one simulation."""
    named = set()
    for path in paths:
        try:
            files = sonata_config.load(container.root / path, Report()).files
        except PynnIOError:
            continue  # `_made` says why
        named |= {each.resolve() for each in files} - {(container.root / path).resolve()}
    return {path for path in paths if (container.root / path).resolve() in named}


def _models_of(container: Container, paths: list[Path]) -> set[Path]:
    """LEMS files that a SED-ML document runs."""
    found: set[Path] = set()
    for path in paths:
        try:
            models = read_sedml(container.root / path).models.values()
        except PynnIOError:
            continue  # `_made` says why
        found |= {path.parent / model.source.removeprefix("./") for model in models}
    return found


def _made(container: Container, path: Path, kind: Kind, found: str, report: Report) -> Iterator[Entry]:
    full = container.root / path
    plain = Entry(path.as_posix(), full, kind, found)
    try:
        if kind == Kind.SEDML:
            yield from _of_tasks(container, path, found, report)
        else:
            plain = _checked(plain, container)
            known = kind in _EXPECTATIONS and plain.problem is None
            expected = _EXPECTATIONS[kind](full, container.within) if known else ()
            yield replace(plain, expectations=expected)
    except UnsafeArchive:
        raise
    except PynnIOError as error:
        error.where, error.message = container.told(error.where), container.told(error.message)
        yield replace(plain, problem=error)


def _of_tasks(container: Container, path: Path, found: str, report: Report) -> Iterator[Entry]:
    """An entry for every task of a SED-ML document; those that are not run here with the reason."""
    full = container.root / path
    experiment = read_sedml(full)
    if not (experiment.tasks or experiment.refused):
        raise ReadError("there is no task", where=full)
    for task in experiment.tasks:
        expectations = of_sedml(full, container.root, path, task)
        yield _checked(Entry(f"{path.as_posix()}#{task}", full, Kind.SEDML, found, task, expectations), container)
    for task, why in experiment.refused.items():
        why.where = container.told(why.where)
        yield Entry(f"{path.as_posix()}#{task}", full, Kind.SEDML, found, task, problem=why)
    for why in {id(each): each for each in experiment.unmade.values()}.values():
        if why not in experiment.refused.values():
            report.not_read("sedml-output", container.told(why.where), f"An output is not made here: {why.message}.")


_EXPECTATIONS: dict[Kind, Callable[[Path, Path | None], tuple[Expectation, ...]]] = {
    Kind.SONATA: of_sonata,
    Kind.LEMS: of_lems,
}
