"""``pynn-convert --list``: the formats of the registry as text or JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from pynn_io.registry import Format, formats

WIDTH = 100


def listing() -> str:
    """What each format reads and writes, its dialects, and the extra to install."""
    lines = ["Formats (give one to --to or --from as NAME or NAME+DIALECT):", ""]
    for entry in formats().values():
        lines.extend(_lines(entry))
    lines.append("A format with an extra needs: pip install 'pynn_io[EXTRA]'")
    return "\n".join(lines) + "\n"


def _lines(entry: Format) -> Iterator[str]:
    does = " and ".join(word for word, function in (("reads", entry.reader), ("writes", entry.writer)) if function)
    files = f"a {entry.kind}" + (f" ({', '.join(entry.extensions)})" if entry.extensions else "")
    yield f"{entry.name}: {entry.title}"
    yield f"    {does}, {files}" + (f"; extra: {entry.extra}" if entry.extra else "")
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
