"""The child process of a capture: ``python -m pynn_io.importers.pynn_capture.worker FOLDER``.

It runs the script that the job in the folder names, as ``python SCRIPT ARGUMENTS`` would, with the recording backend in
the place of every backend of PyNN, and leaves what was built, or why it failed, in the folder.
"""

from __future__ import annotations

import os
import resource
import runpy
import sys
import threading
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from pynn_io.document import Document
from pynn_io.errors import PynnIOError, UnsupportedInput
from pynn_io.importers.pynn_capture import modules, old_calls, on_spinnaker
from pynn_io.importers.pynn_capture.plan import files_of, plan_of, recorded_spikes
from pynn_io.importers.pynn_capture.simulator import Session, state
from pynn_io.importers.pynn_exchange import Failure, Job, Outcome, read_job, write_outcome
from pynn_io.importers.pynn_objects.network import Objects, build
from pynn_io.report import Report

_USAGE = 'say what it is called with: --script-args "nest --option"'
_EMPTY = "Nothing is simulated while a script is read: it asked for results, and was given empty ones."


def main() -> int:
    """Run the script of the job. The outcome, good or bad, is a file."""
    folder = Path(sys.argv[1])
    job = read_job(folder)
    threading.Thread(target=_end_with_the_parent, args=(job.lifeline,), daemon=True).start()
    report = Report()
    used = modules.install()
    state.freeze = lambda session: _frozen(session, job, used, report)
    if job.memory is not None:
        resource.setrlimit(resource.RLIMIT_AS, (job.memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    failure = _run(job)
    try:
        outcome = _outcome(job, failure, used, report)
    except PynnIOError as error:  # of a script that never runs: what it built is looked at only here
        outcome = Outcome(None, report.as_dict(), _refusal(error, job.script))
    write_outcome(outcome, folder)
    sys.stdout.flush()
    sys.stderr.flush()
    return 0


def _run(job: Job) -> Failure | None:
    """The script, until its end or the exception that ends it."""
    sys.argv = [job.script, *job.arguments]
    sys.path.insert(0, str(Path(job.script).resolve().parent))
    try:
        runpy.run_path(job.script, run_name="__main__")
    except SystemExit as stop:
        if stop.code in (None, 0):
            return None
        said = f": {stop.code}" if isinstance(stop.code, str) else f" with status {stop.code}"
        return Failure(f"the script ended itself{said}", _place(stop, job.script), _USAGE)
    except old_calls.OldCall as error:
        return Failure(str(error), _place(error, job.script), error.hint, unsupported=True)
    except PynnIOError as error:  # what was built by the first run is not to be read
        return _refusal(error, _place(error, job.script))
    except MemoryError as error:
        limit = "" if job.memory is None else f" than the limit of {job.memory / 1e9:g} GB"
        hint = "--script-memory GB sets another limit"
        return Failure(f"the script needs more memory{limit}", _place(error, job.script), hint)
    except Exception as error:  # noqa: BLE001 - whatever a script raises is told as a value
        traceback.print_exc()
        said = str(error) or "it says no more"
        return Failure(
            f"the script failed: {type(error).__name__}: {said}", _place(error, job.script), _hint(error, job)
        )
    return None


def _hint(error: Exception, job: Job) -> str:
    """What may help with an exception of a script."""
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] in on_spinnaker.TOOLS:
        return on_spinnaker.WITHOUT_TOOLS
    if _misses_arguments(error) and not job.arguments:
        return _USAGE
    folder = os.path.dirname(os.path.realpath(job.script))
    if isinstance(error, FileNotFoundError) and folder != os.path.realpath(os.getcwd()):
        return f"a script runs in the current folder, as with python; its own is {os.path.dirname(job.script)}"
    return ""


def _misses_arguments(error: Exception) -> bool:
    """Whether a script without arguments ends in it: too short a list, or its own name taken for a backend's."""
    if isinstance(error, ModuleNotFoundError):
        return (error.name or "").startswith("pyNN.")
    return str(error) == "list index out of range" or (isinstance(error, SyntaxError) and error.filename == "<string>")


def _refusal(error: PynnIOError, place: str) -> Failure:
    """An error of ours as a value."""
    return Failure(error.message, error.where or place, error.hint, isinstance(error, UnsupportedInput))


def _place(error: BaseException, script: str) -> str:
    """``file:line`` in the script: where the exception passed it last, or what is no Python."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if os.path.realpath(frame.filename) == os.path.realpath(script)]
    return f"{script}:{own[-1].lineno}" if own else script


def _frozen(session: Session, job: Job, used: list[str], report: Report) -> Document:
    """The document of a session as it is now."""
    objects = Objects(session.populations, session.projections, session.views, session.assemblies)
    built = build(objects, report, job.name)
    plan = plan_of(session, built, job.name, next(iter(used), ""), report)
    notes: dict[str, Any] = {"spikes_recorded": recorded_spikes(session, built), "files": files_of(session, built)}
    return Document(built.network, plan, {key: value for key, value in notes.items() if value})


def _outcome(job: Job, failure: Failure | None, used: list[str], report: Report) -> Outcome:
    """The document of the first network that was run, or of the last one where none was."""
    ran = [session for session in state.sessions if session.frozen is not None]
    session = ran[0] if ran else state.session
    asked = any(one.notes.get("data") for one in state.sessions)
    if failure is not None and not (ran and asked and not failure.unsupported):
        return Outcome(None, report.as_dict(), failure)
    if not session.populations:
        return Outcome(None, report.as_dict(), Failure("the script builds no population", job.script, ""))
    document: Document = session.frozen or _frozen(session, job, used, report)
    if failure is not None:
        report.not_read(
            "script-stopped",
            failure.where,
            "The script stopped on the empty results that it was given; what it had built by its first run is read.",
            examples=[failure.message],
        )
    _tell(session, len(ran), report)
    duration = round(sum(session.runs), 9) if session.runs else None
    plan = document.plan and replace(document.plan, duration=duration)
    seeds = [seed for seed in state.seeds if seed is not None]
    origin = {"dialect": (used or [""])[0].removeprefix("pyNN."), **({"seeds": seeds} if seeds else {})}
    return Outcome(replace(document, plan=plan, provenance={**document.provenance, **origin}), report.as_dict(), None)


def _tell(session: Session, ran: int, report: Report) -> None:
    """What a script did that no file holds."""
    report.lost(
        "edited-between-runs",
        "run()",
        "A file holds one network; what the script changes after its first run is not in it.",
        count=len(session.edits),
        examples=[f"{what}, at {time:g} ms" for what, time in session.edits],
    )
    report.not_read(
        "further-network",
        "setup()",
        "The script builds and runs several networks, one after another; the first is read.",
        count=max(ran - 1, 0),
    )
    report.not_read(
        "repeated-run",
        "reset()",
        "The script goes back to 0 ms and runs again; the plan is that of its first run.",
        count=session.resets,
    )
    report.not_read(
        "recording",
        "record()",
        "sPyNNaker records this of cells that have no such variable in PyNN; it is left out.",
        count=len(session.unrecorded),
        examples=session.unrecorded,
    )
    message = "What the script makes by NEST's own calls, without PyNN, is left out."
    report.not_read("without-pynn", "NEST", message, count=_made_in_nest())
    for name, count in session.notes.items():
        if name == "NativeRNG":
            message = "What a simulator's own generator would draw is drawn by NumPy's: other numbers, alike in law."
            report.approximated("native-rng", "NativeRNG()", message, count=count)
        elif name == "load_mechanisms":
            message = "A folder of .mod files is not read with a script; --mechanisms DIR names it for other formats."
            report.not_read("mechanisms", "load_mechanisms()", message, count=count)
        elif name == "plastic-weights":
            message = "Weights that change in a run are given to the script as they are before it."
            report.defaulted("plastic-weights", "Projection.get()", message, count=count)
        elif name == "data":
            report.defaulted("empty-results", "run()", _EMPTY, count=count)
        else:
            message = f"{name} does nothing while a script is read."
            report.defaulted("call-without-effect", "run()", message, count=count, examples=[name])


def _made_in_nest() -> int:
    """Nodes that are in NEST, if the script has loaded it: none is of the recording."""
    nest = sys.modules.get("nest")
    return 0 if nest is None else int(nest.network_size)


def _end_with_the_parent(lifeline: int) -> None:
    """The other end of this pipe closes when the parent ends, even if it was killed."""
    if lifeline >= 0 and not os.read(lifeline, 1):
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
