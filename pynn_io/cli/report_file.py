"""``--report FILE`` and ``--allow CODE``, as every command that may lose something has them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from pynn_io.cli.common import UsageError, existing_parent, write_file
from pynn_io.errors import WriteError
from pynn_io.report import Report


def add_allow(parser: argparse._ActionsContainer) -> None:
    """Add ``--allow`` to a command; `allowed_codes` reads what it collects."""
    parser.add_argument(
        "--allow",
        metavar="CODE",
        action="append",
        default=[],
        help="accept losses of this code in strict mode; repeat it, or give several with commas",
    )


def allowed_codes(texts: Iterable[str]) -> set[str]:
    """``["a,b", "c"]`` -> a, b, c."""
    return {code.strip() for text in texts for code in text.split(",") if code.strip()}


def check_report_file(path: Path, source: Path, overwrite: bool) -> None:
    """Refuse a report file that cannot be, or that would replace something else than a report: SRC, for one."""
    existing_parent(path, "--report")
    if path.is_dir() or (path.exists() and source.exists() and path.samefile(source)):
        raise UsageError(f"--report {path} would replace {'a folder' if path.is_dir() else 'the source'}")
    if path.exists() and not overwrite and not _is_report(path):
        raise WriteError(
            "exists and is not a report of pynn_io", where=path, hint="Choose another name, or give --overwrite."
        )


def _is_report(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(64).split()
    return head[:2] == [b"{", b'"issues":']


def write_report(report: Report, path: Path) -> None:
    """As JSON, whole or not at all. Raises WriteError."""
    write_file(path, report.to_json(), "report")
