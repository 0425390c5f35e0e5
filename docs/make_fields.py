"""Print docs/fields.md from the graph's own table of fields."""

from __future__ import annotations

from pathlib import Path

from pynn_io.graph.schema import FIELDS

HEAD = """# Columns

What the columns of the graph are called, their units, and where they may stand: with every cell or edge, or once for
its type. Other columns are kept as extras. Printed by `make docs` from `pynn_io/graph/schema.py`.

| column | unit | kind | stands in | meaning |
|---|---|---|---|---|
"""


def page() -> str:
    rows = [
        f"| `{name}` | {each.unit or '-'} | {each.kind} | {', '.join(each.per).replace('_', ' ')} | {each.meaning} |"
        for name, each in FIELDS.items()
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("fields.md").write_text(page(), encoding="utf-8")
