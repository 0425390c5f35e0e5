"""Every error that pynn_io raises on purpose, and the exit status each gives a command.

An error says what is wrong, where (``file:line`` or ``file:/hdf5/path``) and, as far as it can, what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynn_io.report import Report


class PynnIOError(Exception):
    """Base class. ``where`` is the place (``file:line`` or ``file:/hdf5/path``), ``hint`` the remedy."""

    exit_status = 1

    def __init__(self, message: str, *, where: object = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = str(where)
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  {self.hint}" if self.hint else text


class FormatError(PynnIOError):
    """The format is unknown, ambiguous or cannot be detected."""

    exit_status = 2


class ReadError(PynnIOError):
    """The input breaks the rules of its own format, or a file it names is missing."""

    exit_status = 4


class UnsupportedInput(ReadError):
    """The input is legal in its format, but pynn_io does not import it."""


class UnsafeArchive(ReadError):
    """An archive holds what no honest one does: paths that lead out of it, links, bombs. Nothing of it was unpacked."""


class BadValues(ReadError):
    """The file is well formed and its numbers cannot be used: spike times that are not finite."""


class _ManyProblems(PynnIOError):
    """Carries all problems in ``problems``, not the first."""

    exit_status = 4

    def __init__(self, message: str, *, problems: Sequence[str] = (), where: object = "", hint: str = "") -> None:
        super().__init__(message, where=where, hint=hint)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n  ".join([super().__str__(), *self.problems])


class GraphError(_ManyProblems):
    """References or ranges of a network are broken. ``problems`` carries all of them, not the first."""


class WriteError(PynnIOError):
    """The output cannot be written."""

    exit_status = 5


class LossError(WriteError):
    """Strict mode refused to write because something would be lost. ``report`` says what."""

    exit_status = 3

    def __init__(self, message: str, report: Report, *, where: object = "", hint: str = "") -> None:
        super().__init__(message, where=where, hint=hint)
        self.report = report


class PlanError(_ManyProblems):
    """A simulation plan is wrong or incomplete. ``where`` names the offending key, ``problems`` all of several."""


class UnitError(PynnIOError, ValueError):
    """A quantity cannot be parsed, or its unit has the wrong dimension."""

    exit_status = 4


class RunError(PynnIOError):
    """A simulation could not be run."""

    exit_status = 7


class MissingPart(RunError):
    """A mechanism, a template or a morphology that cells need is in none of the folders that were looked in."""


class BackendUnavailable(RunError):
    """The backend, or a package that a format needs, is not installed here."""

    exit_status = 6


class NotExecuted(RunError):
    """A network was mapped onto a chip and nothing was executed, so that there are no results."""


class JobRejected(RunError):
    """A queue of jobs did not take the job, or does not know it: no valid token, no quota, an unknown platform."""


class ServiceLost(RunError):
    """A service cannot be reached, broke off, or answers what is none of its answers. What runs there may go on."""


class JobNotFinished(RunError):
    """A job had not ended when the time to wait for it was up. It goes on there."""


class BadJobData(RunError):
    """What a job left behind is missing, damaged, or of another job."""


class SimulationFailed(RunError):
    """The simulator failed, crashed or was killed. ``log``: the tail of what it said, ``folder``: its files."""

    def __init__(self, message: str, *, log: str = "", folder: object = "", where: object = "", hint: str = "") -> None:
        super().__init__(message, where=where, hint=hint)
        self.log = log
        self.folder = str(folder)

    def __str__(self) -> str:
        tail = [f"| {line}" for line in self.log.rstrip().splitlines()]
        return "\n  ".join([super().__str__(), *tail, *([f"files of the run: {self.folder}"] if self.folder else [])])
