"""The matrix as plain values: what every other form of the report is made from, and ``report.json`` itself."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

from pynn_io.archive.container import Container
from pynn_io.archive.inputs import sha256
from pynn_io.archive.report.algorithms import algorithms_of
from pynn_io.archive.values import Cell, Check, exit_status, worst
from pynn_io.report import Report
from pynn_io.results.compare.values import plain

FORMAT, VERSION = "pynn_io.reproduction", 1
#: Files in which an archive says which versions it was made with.
_PINS = ("requirements.txt",)
_PIN = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)\s*((?:[<>=!~]=?[^#;\s]+,?\s*)+)")


def record_of(
    container: Container, cells: Sequence[Cell], report: Report, command: Sequence[str], started: datetime
) -> dict[str, Any]:
    """Everything about one call, as JSON has it: archive, matrix, checks, losses, and what it was run with."""
    verdicts = [cell.verdict for cell in cells]
    return {
        "format": FORMAT,
        "version": VERSION,
        "verdict": str(worst(verdicts)),
        "exit_status": exit_status(verdicts),
        "archive": {
            "source": str(container.source),
            "kind": container.kind,
            "files": len(container.files),
            "sha256": sha256(container.source) if container.source.is_file() else None,
            "notes": report.as_dict(),
        },
        "cells": [_cell(cell) for cell in cells],
        "provenance": {
            "command": list(command),
            "started": started.isoformat(timespec="seconds"),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": _machine(),
            "packages": dict(sorted(_packages())),
            "drift": list(drift(container)),
        },
    }


def write_record(record: Mapping[str, Any], path: Path) -> None:
    """``report.json``."""
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _cell(cell: Cell) -> dict[str, Any]:
    outcome = cell.outcome
    return {
        "entry": cell.entry.name,
        "kind": str(cell.entry.kind),
        "found": cell.entry.found,
        "backend": cell.backend,
        "verdict": str(cell.verdict),
        "checks": [_check(check) for check in cell.checks],
        "candidates": [asdict(each) for each in cell.entry.candidates],
        "error": outcome.get("error"),
        "log": outcome.get("log", ""),
        "reused": cell.reused,
        "network": outcome.get("network"),
        "other_seeds": outcome.get("other_seeds", []),
        "folder": cell.folder.name,
        "inputs": outcome.get("inputs", {}),
        "losses": outcome.get("losses", {}),
        "process": outcome.get("process", {}),
        "provenance": outcome.get("provenance", {}),
        "level": outcome.get("level"),
        "algorithm": algorithms_of(outcome.get("provenance", {})),
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "verdict": str(check.verdict),
        "message": check.message,
        "tolerance": check.tolerance,
        "numbers": plain(check.numbers),
        "omv": check.omv,
    }


def _machine() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "python": sys.version.split()[0],
        "libc": " ".join(platform.libc_ver()),
    }


def _packages() -> Iterator[tuple[str, str]]:
    return ((each.metadata["Name"], each.version) for each in distributions() if each.metadata["Name"])


def drift(container: Container) -> Iterator[dict[str, Any]]:
    """Packages that the archive pins, with the version that is installed here, where that is not one of them."""
    for path in (each for each in container.files if each.name in _PINS):
        text = (container.root / path).read_text(encoding="utf-8", errors="replace")
        for line in text.splitlines():
            pin = _PIN.match(line)
            if pin is not None and not _fits(pin[1], pin[2]):
                yield {"file": path.as_posix(), "package": pin[1], "wanted": pin[2].strip(), "here": _installed(pin[1])}


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _fits(package: str, wanted: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    here = _installed(package)
    try:
        return here is not None and SpecifierSet(wanted).contains(here, prereleases=True)
    except InvalidSpecifier:
        return False
