"""What the commands share: exit statuses, errors as one clean message, progress bars.

Nothing heavy is imported here before it is used: `pynn-convert --help` must not pay for numpy, h5py, lxml or rich.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
import traceback
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NoReturn

from pynn_io.errors import FormatError, LossError, PynnIOError, WriteError
from pynn_io.progress import Progress, quiet

if TYPE_CHECKING:
    from pathlib import Path

BUG_STATUS = 1
USAGE_STATUS = 2
INTERRUPTED_STATUS = 130  # 128 + SIGINT, as shells have it
BROKEN_PIPE_STATUS = 141  # 128 + SIGPIPE
FILES_LISTED = 12


class UsageError(FormatError):
    """The arguments contradict each other."""


def run(command: str, body: Callable[[], int]) -> int:
    """Run ``body`` and turn whatever it raises into one message on stderr and an exit status."""
    try:
        with stoppable():
            status = body()
            sys.stdout.flush()
            return status
    except BrokenPipeError:
        # Whoever read our output has left (`| head`). Python flushes stdout once more on exit: give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE_STATUS
    except (Stopped, KeyboardInterrupt) as stop:
        say(f"{command}: interrupted")
        return stop.status if isinstance(stop, Stopped) else INTERRUPTED_STATUS
    except Exception as error:  # noqa: BLE001 - the last line of defence: every exception but ours is a bug of ours
        if _signals:  # compiled code turns what a signal raises into errors of its own
            say(f"{command}: interrupted")
            return _signals[-1]
        if isinstance(error, PynnIOError):
            say(error_text(command, error))
            return error.exit_status
        traceback.print_exc()
        say(f"{command}: error: this is a bug in pynn_io ({type(error).__name__}), not in your files.")
        say("  Please report it with the lines above and, if you can, the input that caused it.")
        return BUG_STATUS


def error_text(command: str, error: PynnIOError) -> str:
    """``pynn-convert: error: file:place: what is wrong``, then the remedy and further problems, indented."""
    text = f"{command}: error: {error}"
    if isinstance(error, LossError):
        codes = sorted({issue.code for issue in error.report.refusals()})
        if codes and "--allow" not in text:
            text += f"\n  To accept these losses: --allow {','.join(codes)}"
    return text


def say(text: str = "", stream: IO[str] | None = None) -> None:
    """One message for the human: on stderr unless told otherwise."""
    print(printable(text, keep="\n\t"), file=stream or sys.stderr)


def printable(text: str, *, keep: str = "") -> str:
    """Text of others as a terminal may have it: controls, which could move its cursor or forge lines, and marks that
    turn the direction of writing are escaped, but for those to keep."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if letter in keep or not _acts(letter) else _escaped(letter) for letter in text)


def _acts(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")


class Stopped(BaseException):
    """SIGINT or SIGTERM, on its way up the stack so that half-written files are removed."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise `Stopped`, for certain.

    A handler runs wherever Python happens to be. After a long call into HDF5 that is often a weak reference's callback,
    whose exceptions Python only prints: one Ctrl-C in four was lost there. Such a one is raised again a moment later.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    _signals.clear()
    before = {number: signal.signal(number, _stop) for number in numbers}
    hook, sys.unraisablehook = sys.unraisablehook, _raise_again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


#: Exit statuses of the signals that came.
_signals: list[int] = []


def _stop(number: int, _: object) -> NoReturn:
    _signals.append(128 + number)
    raise Stopped(128 + number)


def _raise_again(lost: sys.UnraisableHookArgs) -> None:
    if not isinstance(lost.exc_value, Stopped) or not hasattr(signal, "setitimer"):
        sys.__unraisablehook__(lost)
        return
    status = lost.exc_value.status

    def again(*_: object) -> NoReturn:
        raise Stopped(status)

    signal.signal(signal.SIGALRM, again)
    signal.setitimer(signal.ITIMER_REAL, 0.002)


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add ``--version`` to a command."""
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: `importlib.metadata` alone takes 20 ms."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print(f"{parser.prog} {version('pynn_io')}")
        raise SystemExit(0)


@contextmanager
def progress_bars(wanted: bool, *, timed: str = "") -> Iterator[Progress]:
    """Bars with counts on stderr when it is a terminal; otherwise nobody is watching.

    timed: work that is counted in ms of biological time, and long enough for an estimate of the time left.
    """
    if not wanted or not sys.stderr.isatty():
        yield quiet
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[amount]}"), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}
        started = time.monotonic()

        def show(what: str, done: float, total: float) -> None:
            nonlocal started
            if what not in tasks:
                for one in bars.tasks:  # a circuit may have hundreds of projections: keep the one at work
                    bars.update(one.id, visible=False)
                tasks[what] = bars.add_task(what, total=total, amount="")
                started = time.monotonic()
            amount = f"{done:,.0f}/{total:,.0f}"
            if what == timed:
                amount += f" ms, {_time_left(time.monotonic() - started, done, total)}"
            bars.update(tasks[what], completed=done, total=total, amount=amount, visible=True)

        yield show


def _time_left(elapsed: float, done: float, total: float) -> str:
    """``0:01:20 left``: as if the rest went as fast as what is done."""
    if done <= 0 or elapsed < 1:
        return "..."
    left = round(elapsed * (total - done) / done)
    return f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02} left"


#: What a dialect of a source is called; ``--to sonata+allen`` and ``--to sonata+obi`` write them.
DIALECTS = {
    "aibs": "allen",
    "aibs-legacy": "allen, older than SONATA 0.1",
    "spec-0.1": "allen, SONATA 0.1",
}


def dialect_text(dialect: str) -> str:
    """``aibs`` -> ``allen``: a dialect in the words that ``--to`` takes."""
    return DIALECTS.get(dialect, dialect)


def size_text(size: int) -> str:
    """``1.4 MB``: bytes in powers of ten."""
    if size < 1000:
        return f"{size} B"
    power = min((len(str(size)) - 1) // 3, 3)
    return f"{size / 1000**power:.1f} {('kB', 'MB', 'GB')[power - 1]}"


def counted(number: int, noun: str) -> str:
    """``1 cell``, ``300 cells``, ``2 morphologies``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("gy") else f"{number:,} {noun}s"


def written_lines(dest: Path, files: Sequence[Path]) -> list[str]:
    """What was written: the files with their sizes, the largest first where there are many."""
    root = dest if dest.is_dir() else dest.parent
    sizes = sorted((-path.stat().st_size, path) for path in files if path.is_file())
    total = -sum(size for size, _ in sizes)
    lines = [f"wrote   {dest}: {counted(len(sizes), 'file')}, {size_text(total)}"]
    lines += [f"        {size_text(-size):>10}  {os.path.relpath(path, root)}" for size, path in sizes[:FILES_LISTED]]
    if len(sizes) > FILES_LISTED:
        rest = -sum(size for size, _ in sizes[FILES_LISTED:])
        lines.append(f"        {size_text(rest):>10}  in {counted(len(sizes) - FILES_LISTED, 'more file')}")
    return lines


def write_file(path: Path, text: str, what: str) -> None:
    """Write a ``what`` for a program to read, whole or not at all. Raises WriteError."""
    staged = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        staged.write_text(text, encoding="utf-8")
        staged.replace(path)
    except OSError as error:
        raise WriteError(f"the {what} cannot be written: {error.strerror or error}", where=path) from error
    finally:
        staged.unlink(missing_ok=True)


def existing_parent(path: Path, option: str) -> None:
    """Refuse, before any work, an output whose folder does not exist."""
    if not path.absolute().parent.is_dir():
        raise UsageError(f"the folder of {option} {path} does not exist", hint="Create it first.")
