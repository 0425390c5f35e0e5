"""The EBRAINS queue in ``pynn-run``: its options, and what is said of a job that was written and not run."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynn_io.cli.common import UsageError
from pynn_io.cli.numbers import as_path

if TYPE_CHECKING:
    from pynn_io.results import Results

_OPTIONS = ("bundle", "submit", "collab", "hardware_config", "job", "job_service", "queue_timeout", "poll")


def queue_arguments(parser: argparse.ArgumentParser) -> None:
    queue = parser.add_argument_group(
        "the EBRAINS queue (nmpi:SpiNNaker, nmpi:BrainScaleS-2)",
        "The access token is read from the environment variable EBRAINS_TOKEN, sent to the job service alone, and "
        "written nowhere. EBRAINS_JOB_SERVICE is the URL of another job service than that of the public client.",
    )
    queue.add_argument(
        "--bundle", metavar="DIR", type=as_path, help="new folder for the job; without --submit nothing runs"
    )
    queue.add_argument("--submit", action="store_true", help="submit the job, wait for it, and fetch its results")
    queue.add_argument("--collab", metavar="ID", help="the collab whose quota the job uses")
    queue.add_argument("--hardware-config", metavar="FILE", type=as_path, help="JSON object that the queue hands on")
    queue.add_argument(
        "--job", metavar="ADDRESS", help="fetch a job of this plan that was submitted before, as /jobs/12"
    )
    queue.add_argument("--job-service", metavar="URL", help="instead of EBRAINS_JOB_SERVICE")
    queue.add_argument("--queue-timeout", metavar="S", type=_seconds, help="seconds to wait for the job (86400)")
    queue.add_argument("--poll", metavar="S", type=_seconds, help="seconds before the job is first asked for (2)")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of s")
    return value


def check_queue(arguments: argparse.Namespace) -> None:
    """Raises UsageError for options of the queue without it, and for some that do not go together."""
    if not arguments.backend.startswith("nmpi:"):
        for option in _OPTIONS:
            if getattr(arguments, option):
                raise UsageError(f"--{option.replace('_', '-')} is for --backend nmpi:PLATFORM")
        return
    if arguments.submit and arguments.job:
        raise UsageError("--job fetches what was submitted before, and --submit submits anew")
    if not (arguments.submit or arguments.job):
        if arguments.bundle is None:
            raise UsageError("--bundle DIR for the job alone, or --submit to have the queue run it")
        for option, value in (("-o", arguments.output), ("--plot", arguments.plot)):
            if value is not None:
                raise UsageError(f"{option} is for results, and without --submit there are none")
    if arguments.submit and not arguments.collab:
        raise UsageError("--submit needs --collab ID: its quota is used")


def only_written(arguments: argparse.Namespace) -> bool:
    """Whether a job is to be written, and no more."""
    return arguments.bundle is not None and not (arguments.submit or arguments.job)


def queue_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Options of a `Profile`; the run has another folder than the command. Raises UsageError for a bad file."""
    config = arguments.hardware_config
    return {
        **{name: getattr(arguments, name) or None for name in _OPTIONS},
        "bundle": None if arguments.bundle is None else str(arguments.bundle.absolute()),
        "hardware_config": None if config is None else _json_object(config),
    }


def _json_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--hardware-config {path}: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"--hardware-config {path}: a JSON object is wanted")
    return found


def job_lines(results: Results) -> list[str]:
    """A job that was written, and that nobody has run."""
    facts = results.provenance
    return [
        f"wrote   a job for {facts['simulator']}; nothing was submitted",
        f"        python {Path(facts['bundle']) / 'run.py'} BACKEND runs it where PyNN and the backend are",
    ]
