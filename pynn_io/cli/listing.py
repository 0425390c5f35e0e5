"""``pynn-convert --list`` and ``pynn-run --list``: the formats and backends of the registry as text or JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from pynn_io.registry import Backend, Format, backends, formats
from pynn_io.vocabulary import chips

WIDTH = 100


def listing() -> str:
    """What each format reads and writes, its dialects, and the extra to install."""
    lines = ["Formats (give one to --to or --from as NAME or NAME+DIALECT):", ""]
    for entry in formats().values():
        lines.extend(_lines(entry))
    if any(entry.extra for entry in formats().values()):
        lines.append("A format with an extra needs: pip install 'pynn_io[EXTRA]'")
    else:
        lines.append("None of them needs more than pynn_io itself.")
    lines.append("To draw (pynn-show --plot): pip install 'pynn_io[plot]'. For the verdicts of others (--validate):")
    lines.append("pip install 'pynn_io[sonata-check]' (libsonata, bluepysnap), 'pynn_io[neuroml]' (jNeuroML).")
    return "\n".join(lines) + "\n"


def _lines(entry: Format) -> Iterator[str]:
    files = ", ".join(entry.extensions) or "a file"
    does = [f"reads {files}"] if entry.reader else []
    does += [f"writes a {entry.kind}"] if entry.writer else []
    yield f"{entry.name}: {entry.title}"
    yield f"    {', '.join(does)}" + (f"; extra: {entry.extra}" if entry.extra else "")
    if entry.dialects:
        width = max(map(len, entry.dialects)) + 1
        for name, description in entry.dialects.items():
            head = f"    {'+' + name:<{width}}  "
            yield from textwrap.wrap(description, WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
    yield ""


def listing_json() -> str:
    """The same as a JSON object by format name."""
    return json.dumps({name: _record(entry) for name, entry in formats().items()}, indent=2) + "\n"


def _record(entry: Format) -> dict[str, object]:
    return {
        "title": entry.title,
        "reads": entry.reader is not None,
        "writes": entry.writer is not None,
        "kind": entry.kind,
        "extensions": list(entry.extensions),
        "dialects": dict(entry.dialects),
        "extra": entry.extra,
    }


def backend_listing() -> str:
    """Each backend, whether it is installed, what it does, and what to install."""
    lines = ["Backends (give one to --backend):", ""]
    for row in backends().values():
        lines += [f"{row.name}: {row.title} {row.version()}".rstrip(), f"    {_state(row)}"]
        options = ", ".join("--" + name.replace("_", "-") for name in row.options)
        lines += [f"    options: {options}"] if options else []
        lines += [f"    one process: {row.one_process}"] if row.one_process else []
        lines += ["    profile: --check says what it can hold"] if row.name in chips.NAMES else []
        lines.append("")
    lines.append("auto: the one that the plan was written for, or that the cells belong to.")
    lines.append("To run on several processes: pip install 'pynn_io[mpi]', or an Open MPI of the system.")
    return "\n".join(lines) + "\n"


def _state(row: Backend) -> str:
    if row.runner is None:
        return f"{row.level}: {row.reason}"
    state = "installed" if row.is_installed() else "not installed"
    return f"{row.level}; {state}" + (f"; {'extra: ' * bool(row.extra)}{row.remedy}" if row.remedy else "")


def backend_listing_json() -> str:
    """The same as a JSON object by backend name."""
    return json.dumps({name: _backend_record(row) for name, row in backends().items()}, indent=2) + "\n"


def _backend_record(row: Backend) -> dict[str, object]:
    return {
        "title": row.title,
        "level": row.level,
        "installed": row.runner is not None and row.is_installed(),
        "version": row.version(),
        "extra": row.extra,
        "install": row.remedy,
        "reason": row.reason,
        "options": list(row.options),
        "several_processes": not row.one_process,
    }
