"""Options for sources that are scripts: what they are called with, how long they may take, how much they may need."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pynn_io.cli.common import UsageError
from pynn_io.cli.numbers import positive

#: Option and the keyword of `pynn_io.importers.pynn_script.read`.
_OPTIONS = ("script_args", "script_timeout", "script_memory")


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


def script_options(arguments: argparse.Namespace, source: Path, source_format: str | None) -> dict[str, Any]:
    """The stated ones, as keywords of the reader. Raises UsageError where the source is no script."""
    stated = {name: getattr(arguments, name) for name in _OPTIONS if getattr(arguments, name) is not None}
    if not stated:
        return {}
    from pynn_io.detect import detect

    if (source_format or detect(source)) != "pynn":
        option = next(iter(stated)).replace("_", "-")
        raise UsageError(f"--{option} is for PyNN scripts, and {source} is none")
    return stated
