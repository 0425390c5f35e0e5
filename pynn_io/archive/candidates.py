"""Results that lie in an archive where no run would write them: which simulation they are of, if anything says so.

For a simulation of which nothing else is expected, stored results are used only where

- they lie beside it or in a folder that is called after results (`stored.says_results`), and its files bear the names
  under which the simulation would write them;
- or they say themselves that they are of it: the plan of our own files, a Block or Segment of Neo that is called so;
- or they are the only ones in such a folder, and it is the only simulation there;

and where no other results, and no other simulation, have the same claim. Everything else is a candidate: told, with
the reason, and not used (``--expect`` uses it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pynn_io.archive.container import Container
from pynn_io.archive.expectations import lems_files
from pynn_io.archive.stored import Stored, says_results, stored_in
from pynn_io.archive.values import Candidate, Entry, Expectation, Kind
from pynn_io.errors import FormatError, PynnIOError
from pynn_io.formats import sonata_config
from pynn_io.formats.neuroml_source import read_source
from pynn_io.report import Report
from pynn_io.results.columns import header_of, is_of_numbers
from pynn_io.vocabulary.core import core_types


@dataclass(frozen=True, slots=True)
class _Written:
    """What a simulation would write. files: name of a file -> as the simulation states it. columns: that -> the names
    of its columns. plan: what the simulation is called."""

    files: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]
    plan: str

    def part(self, stored: Stored) -> str | None:
        """What the simulation calls what was stored; None where it writes no such thing."""
        named = self.files[stored.files[0]] if self.files.keys() >= {*stored.files} else None
        return named or self.with_columns(stored.columns)

    def with_columns(self, names: tuple[str, ...]) -> str | None:
        """The only file that has columns of all these names."""
        found = [file for file, own in self.columns.items() if names and {*names} <= {*own}]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class _Claim:
    """Stored results that may be those of an entry, and how many others may be these as well."""

    stored: Stored
    rivals: int


def with_candidates(entries: Sequence[Entry], container: Container) -> tuple[Entry, ...]:
    """The entries, those without expectations with what was found for them."""
    lacking = [entry for entry in entries if not entry.expectations and entry.problem is None]
    stored = stored_in(container, entries) if lacking else ()
    if not stored:
        return tuple(entries)
    written = {entry.name: _written(entry) for entry in lacking}
    claims = {entry.name: _claims(entry, written[entry.name], stored, container, entries) for entry in lacking}
    counts = Counter(claim.stored.place for found in claims.values() for claim in found)
    used = {
        name: [claim.stored for claim in found if counts[claim.stored.place] == 1 and not claim.rivals]
        for name, found in claims.items()
    }
    free = [each for each in stored if not any(each in found for found in used.values())]
    return tuple(
        _with(entry, written[entry.name], used[entry.name], _told(free, claims[entry.name], counts))
        if entry.name in written
        else entry
        for entry in entries
    )


def expectation_of(file: Path, entry: Entry) -> Expectation:
    """What a file that the user gives is of the entry.

    Raises FormatError for numbers that may be those of several files of a LEMS simulation.
    """
    header, name = header_of(file), f"given {file.name}"
    if header is not None and header.cells is not None:
        return Expectation(name, "columns", file)
    written = _written(entry)
    if entry.kind != Kind.LEMS or not written.files or not (header or is_of_numbers(file)):
        return Expectation(name, "results", file)
    part = written.files.get(file.name) or written.with_columns(header.names if header else ())
    if part is None and len(written.files) > 1:
        hint = f"call it as the one that it is to be compared with: {', '.join(written.files)}"
        raise FormatError("the simulation writes several files, and none of this name", where=file, hint=hint)
    part = part or next(iter(written.files.values()))
    return Expectation(name, "columns" if header else "table", file, part=part)


def _claims(
    entry: Entry, written: _Written, stored: Sequence[Stored], container: Container, entries: Sequence[Entry]
) -> list[_Claim]:
    """What may be of an entry, by the first of the rules that finds anything."""
    readable = [each for each in stored if not each.problem]
    here = entry.path.resolve().parent
    beside = [each for each in readable if each.folder or (each.place.is_file() and each.place.parent == here)]
    named = [each for each in beside if written.part(each) is not None and _fits(each, entry)]
    if named:
        return [_Claim(each, sum(bool({*each.files} & {*other.files}) for other in named) - 1) for each in named]
    stating = [each for each in readable if written.plan in (each.plan, *each.names)]
    if stating:
        return [_Claim(each, len(stating) - 1) for each in stating]
    return [_Claim(each, 0) for each in readable if _is_alone(each, stored, container, entries, entry)]


def _fits(stored: Stored, entry: Entry) -> bool:
    """Whether a LEMS simulation, and no other one, writes tables of numbers."""
    return (stored.kind in ("text", "columns")) == (entry.kind == Kind.LEMS)


def _is_alone(
    one: Stored, stored: Sequence[Stored], container: Container, entries: Sequence[Entry], entry: Entry
) -> bool:
    """Whether these are the only results in a folder of results, and the entry the only simulation around it."""
    if one.folder is None or one.plan or one.columns or one.kind == "text":
        return False
    top, root = one.folder, container.root.resolve()
    while says_results(top.parent) and top.parent.is_relative_to(root):
        top = top.parent
    inside = [each for each in stored if each.place.is_relative_to(top)]
    return inside == [one] and [each for each in entries if each.path.resolve().is_relative_to(top.parent)] == [entry]


def _with(entry: Entry, written: _Written, used: Sequence[Stored], told: Iterator[Candidate]) -> Entry:
    if not used:
        return replace(entry, candidates=tuple(told))
    expectations = tuple(
        Expectation(
            f"stored {each.name}",
            "table" if each.kind == "text" else each.kind,
            each.place,
            part=(written.part(each) or "") if each.kind in ("text", "columns") else "",
        )
        for each in used
    )
    return replace(entry, expectations=expectations)


def _told(free: Sequence[Stored], claims: Sequence[_Claim], counts: Counter[Path]) -> Iterator[Candidate]:
    claimed = {claim.stored.place: claim for claim in claims}
    for each in free:
        claim = claimed.get(each.place)
        if each.problem:
            why = f"it cannot be read: {each.problem}"
        elif claim is not None and claim.rivals:
            why = f"{claim.rivals + 1} results have the same claim to be those of the simulation"
        elif claim is not None:
            why = f"{counts[each.place]} simulations have the same claim to it"
        elif each.plan:
            why = f"it says that it is of {each.plan}"
        elif each.folder is not None:
            why = f"nothing says what it is of: it, or the simulation, is not alone with {each.folder.name}/"
        else:
            why = "nothing says that it is of this simulation"
        yield Candidate(each.name, each.holds, why)


def _written(entry: Entry) -> _Written:
    try:
        if entry.kind in _WRITTEN:
            return _WRITTEN[entry.kind](entry)
    except PynnIOError:
        pass  # its run says what is wrong with it
    return _Written({}, {}, entry.path.stem)


def _of_lems(entry: Entry) -> _Written:
    stated = lems_files(entry.path)
    names = {PurePosixPath(file).name: file for file in stated}
    simulations = read_source(entry.path, core=core_types()).simulations[:1]
    return _Written(names, stated, next((str(each.attributes.get("id", "")) for each in simulations), ""))


def _of_sonata(entry: Entry) -> _Written:
    config = sonata_config.load(entry.path, Report())
    simulation = config.simulation or {}
    output, reports = simulation.get("output", {}), simulation.get("reports", {})
    stated = [output.get(key) for key in ("spikes_file", "spikes_file_csv")] if isinstance(output, dict) else []
    for name, report in reports.items() if isinstance(reports, dict) else ():
        own = report.get("file_name") if isinstance(report, dict) else None
        stated.append(f"{str(own or name).removesuffix('.h5')}.h5")
    names = [PurePosixPath(each).name for each in stated if isinstance(each, str) and each]
    return _Written({name: name for name in names}, {}, (config.simulation_path or entry.path).stem)


_WRITTEN = {Kind.LEMS: _of_lems, Kind.SONATA: _of_sonata}
