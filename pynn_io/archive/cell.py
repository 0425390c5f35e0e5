"""The process of one run of a matrix: ``python -m pynn_io.archive.cell FOLDER``.

It reads the copied inputs, runs them, and writes what came out. Whatever goes wrong is an outcome, too. It never
fetches or installs anything.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from pynn_io.archive.offline import NETWORK, OPEN
from pynn_io.archive.task import INPUTS, OUTCOME, RESULTS, Task, write_tables
from pynn_io.archive.values import Kind
from pynn_io.errors import FormatError, PlanError, PynnIOError, RunError
from pynn_io.graph.network import Network
from pynn_io.pipeline import read
from pynn_io.registry import find_backend
from pynn_io.report import Report
from pynn_io.results.files import write_results
from pynn_io.results.record import plain
from pynn_io.simulate import choose, simulate
from pynn_io.simulation_plan import SimulationPlan


def main(folder: Path) -> int:
    """Run the task of a folder; 0 where it ran."""
    task, report = Task.read(folder), Report()
    outcome: dict[str, Any] = {"ran": False}
    try:
        outcome.update(_run(task, folder, report), ran=True)
    except PynnIOError as error:
        outcome["error"] = {"kind": type(error).__name__, "text": str(error), "exit_status": error.exit_status}
    except Exception as error:  # noqa: BLE001 - a bug is an outcome as well: the other runs go on
        traceback.print_exc()
        outcome["error"] = {"kind": "bug", "text": f"{type(error).__name__}: {error}", "exit_status": 1}
    outcome["losses"] = report.as_dict()
    outcome["network"] = os.environ.get(NETWORK, OPEN)
    part = folder / f"{OUTCOME}.part"
    part.write_text(json.dumps(plain(outcome), indent=1), encoding="utf-8")
    part.rename(folder / OUTCOME)
    return 0 if outcome["ran"] else 1


def _run(task: Task, folder: Path, report: Report) -> dict[str, Any]:
    if task.kind == Kind.PYNN and not task.allow_exec:
        raise RunError("a script of this archive would have to be executed", hint="--allow-exec permits it")
    asked: dict[str, Any] = {"task": task.task} if task.task else {}
    document = read(folder / INPUTS / task.entry, format=task.kind, report=report, **asked)
    if document.plan is None:
        raise PlanError("this is a network, and says nothing of a simulation", where=task.entry)
    mechanisms = tuple(Path(each) for each in task.mechanisms)
    settings: dict[str, Any] = {
        "seed": task.seed,
        "duration": task.duration,
        "timestep": task.timestep,
        "mechanisms": mechanisms,
    }
    options: dict[str, Any] = dict(task.options)
    own = _own_backend(document.network, document.plan)
    if task.backend == "auto":
        _check_executes(*choose(document.network, document.plan))
    results = simulate(document.network, document.plan, task.backend, report=report, log=_log, **settings, **options)
    write_results(results, folder / RESULTS, report=report)
    asked_for = {name: value for name, value in document.provenance.items() if name == "algorithm"}
    return {
        "provenance": {**results.provenance, **asked_for},
        "level": results.level,
        "own_backend": own,
        "records": task.kind == Kind.SONATA or any(each.enabled for each in document.plan.recordings),
        "tables": write_tables(results, folder),
    }


def _own_backend(network: Network, plan: SimulationPlan) -> str:
    """The backend that is taken where nobody names one: published results are its own, if they are of any here."""
    try:
        return choose(network, plan)[0]
    except FormatError:
        return ""


def _check_executes(backend: str, why: str) -> None:
    """Raises RunError where what an archive states would map a network, or hand it to others: that is for the user."""
    if find_backend(backend).level != "executes":
        raise RunError(
            f"{why}, and {backend} executes nothing here", hint=f"name the backend: --backend {backend}, nest"
        )


def _log(text: str) -> None:
    sys.stderr.write(text)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
