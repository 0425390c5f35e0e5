"""Options for sources of one format: scripts, which are executed, and NIR files, which bear no units."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pynn_io.cli.common import UsageError
from pynn_io.cli.numbers import milliseconds, positive

#: What the options are for, by the format, and the keyword of its reader for each.
_OPTIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "pynn": ("PyNN scripts", {name: name for name in ("script_args", "script_timeout", "script_memory")}),
    "nir": ("NIR files", {"nir_time_unit": "time_unit", "nir_timestep": "timestep"}),
}


def add_script_options(parser: argparse._ActionsContainer) -> None:
    """``--script-args``, ``--script-timeout`` and ``--script-memory``."""
    group = parser.add_argument_group("PyNN scripts, which are executed")
    group.add_argument(
        "--script-args",
        metavar="TEXT",
        help='what the script is called with: "nest --plot"; by default it is told nest where it asks for a backend',
    )
    group.add_argument("--script-timeout", metavar="S", type=positive, help="seconds that it may take (600)")
    group.add_argument("--script-memory", metavar="GB", type=positive, help="memory that it may need (all there is)")


def add_nir_options(parser: argparse._ActionsContainer) -> None:
    """``--nir-time-unit`` and ``--nir-timestep``."""
    group = parser.add_argument_group("NIR files, which bear no units")
    group.add_argument(
        "--nir-time-unit",
        choices=("ms", "s"),
        help="of its times; by default s where all time constants are below 0.5, else ms",
    )
    group.add_argument(
        "--nir-timestep",
        metavar="MS",
        type=milliseconds,
        help="how long a spike is 1 in the simulator that its weights are from; by default spikes are unit impulses",
    )


def reader_options(arguments: argparse.Namespace, source: Path, source_format: str | None) -> dict[str, Any]:
    """The stated ones, as keywords of the reader. Raises UsageError where the source is of another format."""
    found: dict[str, Any] = {}
    for name, (title, keywords) in _OPTIONS.items():
        stated = {option: getattr(arguments, option, None) for option in keywords}
        own = {keywords[option]: value for option, value in stated.items() if value is not None}
        if own and _format(source, source_format) != name:
            option = next(option for option, value in stated.items() if value is not None)
            raise UsageError(f"--{option.replace('_', '-')} is for {title}, and {source} is none")
        found |= own
    return found


def _format(source: Path, source_format: str | None) -> str:
    from pynn_io.detect import detect

    return source_format or detect(source)
