"""What reproducing an archive is about, as plain values: entries, expectations, cells of the matrix, and verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pynn_io.errors import PynnIOError
from pynn_io.formats.omv import Observable
from pynn_io.graph.columns import empty
from pynn_io.results import Results


class Verdict(StrEnum):
    """What is said of one entry on one backend."""

    REPRODUCED = "reproduced"
    NO_EXPECTATION = "no expectation"
    CANNOT_RUN = "cannot run"
    TIMED_OUT = "timed out"
    NOT_COMPARABLE = "not comparable"
    INEXACT = "inexact"  # as close as simulators are, and not what the simulator that made it gives
    DIFFERS = "differs"


#: A cell is what the worst of its checks is: a proven difference weighs most.
_WEIGHT = tuple(Verdict)
EXIT_DIFFERS, EXIT_NOT_COMPARABLE = 8, 9


def worst(verdicts: list[Verdict], otherwise: Verdict = Verdict.NO_EXPECTATION) -> Verdict:
    """The verdict over parts; ``otherwise`` where there are none."""
    return max(verdicts, key=_WEIGHT.index, default=otherwise)


def exit_status(verdicts: list[Verdict]) -> int:
    """0 all reproduced (or nothing expected of them), 8 something differs or is inexact, 9 something could not be
    compared."""
    found = worst(verdicts, Verdict.NOT_COMPARABLE)
    if found in (Verdict.DIFFERS, Verdict.INEXACT):
        return EXIT_DIFFERS
    return 0 if found in (Verdict.REPRODUCED, Verdict.NO_EXPECTATION) else EXIT_NOT_COMPARABLE


class Kind(StrEnum):
    """What an entry point is, which decides how it is read."""

    SONATA = "sonata"
    LEMS = "neuroml"
    SEDML = "sedml"
    PYNN = "pynn"
    UNKNOWN = "unknown"  # what an archive says to start with, and nothing here runs


@dataclass(frozen=True, slots=True)
class OmvTest:
    """What one ``.omt`` looks at, for the simulator that it is about."""

    engine: str
    observables: tuple[Observable, ...]
    origin: Path


@dataclass(frozen=True, slots=True)
class Expectation:
    """Something published that a run is compared with.

    kind: ``omv`` (tests), ``results`` (files that `read_results` knows), ``columns`` (a text table with a header),
    ``table`` (a file of a LEMS simulation), or ``report`` (of a SED-ML document, in the ``reports.h5`` of
    BioSimulators). origin: the file or folder. name: for people. part: of the origin (the name of a report or an output
    file). tests: of kind ``omv``. made_by: backend and version of the simulator whose results these are, where that is
    known: it gives them again, to the rounding. null: results of the same with other seeds: the expectation is
    statistical for every other simulator and seed.
    """

    name: str
    kind: str
    origin: Path
    part: str = ""
    tests: tuple[OmvTest, ...] = ()
    made_by: tuple[str, str] | None = None
    null: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """Results that lie in an archive, of which nothing says for sure what they are of: told, and not used.

    name: its path in the archive. holds: what, in words. why: it is not used.
    """

    name: str
    holds: str
    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One simulation that an archive asks for.

    name: unique in the archive; the path of its file in it, with the task of a SED-ML document. path: absolute.
    found: how it was found. backends: those that it says it is for, as users name them; empty where it says nothing.
    mechanisms: folders of the archive with ``.mod`` files for it, absolute. candidates: what may be expected of it,
    where nothing surely is. problem: why it cannot be run, where its files say so before it is tried.
    """

    name: str
    path: Path
    kind: Kind
    found: str
    task: str = ""
    expectations: tuple[Expectation, ...] = ()
    backends: tuple[str, ...] = ()
    mechanisms: tuple[Path, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    problem: PynnIOError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation, compared. numbers: what was measured, by name. tolerance: in words.

    omv: what the rule of OSB Model Validation says, where its files are the expectation. message: why, where the
    verdict is not ``reproduced``. pair: what was published and what was found, null: runs with other seeds that both
    were judged by; for pictures.
    """

    name: str
    verdict: Verdict
    message: str = ""
    tolerance: str = ""
    numbers: Mapping[str, Any] = field(default_factory=empty)
    omv: bool | None = None
    pair: tuple[Results, Results] | None = field(default=None, compare=False)
    null: tuple[Results, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Cell:
    """One entry on one backend: what came out.

    outcome: what the process of the run left (`pynn_io.archive.outcome`). reused: it was kept from an earlier call.
    folder: where its results are. others: where those of the runs with other seeds are.
    """

    entry: Entry
    backend: str
    verdict: Verdict
    checks: tuple[Check, ...]
    outcome: Mapping[str, Any]
    folder: Path
    reused: bool = False
    others: tuple[Path, ...] = ()
