"""One run of a matrix, as a process sees it: what it is asked, what it leaves.

A folder holds ``task.json`` (asked), a fresh copy of the inputs while it runs, and afterwards ``outcome.json`` and,
where something ran, ``results``: SONATA files and the files of a LEMS simulation, for others to read as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.archive.values import Kind
from pynn_io.errors import ReadError
from pynn_io.graph.columns import empty
from pynn_io.results import Results, read_results
from pynn_io.results.files import holds_results
from pynn_io.results.results import EventTable, QuantityTable

#: Where a report keeps the folders of its runs.
CELLS = "cells"
TASK, OUTCOME, RESULTS, LOG, INPUTS, TABLES = (  # names in a run's folder
    *("task.json", "outcome.json", "results", "log.txt", "inputs", "tables.npz"),
)


@dataclass(frozen=True, slots=True)
class Task:
    """entry: path of the entry point in the copied inputs. task: of a SED-ML document. options: of the backend.

    seed, duration (ms), timestep (ms): instead of the plan's; None for the plan's own. mechanisms: folders of ``.mod``
    files, absolute. allow_exec: scripts may run.
    """

    entry: str
    kind: Kind
    backend: str
    task: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    duration: float | None = None
    timestep: float | None = None
    mechanisms: tuple[str, ...] = ()
    allow_exec: bool = False

    def write(self, folder: Path) -> None:
        """Into a folder that exists."""
        (folder / TASK).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @staticmethod
    def read(folder: Path) -> Task:
        """What `write` left there."""
        stated = json.loads((folder / TASK).read_text(encoding="utf-8"))
        return Task(**{**stated, "kind": Kind(stated["kind"]), "mechanisms": tuple(stated["mechanisms"])})


def write_tables(results: Results, folder: Path) -> list[dict[str, Any]]:
    """The tables of a LEMS simulation as arrays, beside its text files; gives what the arrays do not tell."""
    arrays: dict[str, np.ndarray] = {}
    told: list[dict[str, Any]] = []
    for number, table in enumerate(results.tables):
        is_events = isinstance(table, EventTable)
        arrays[f"times{number}"] = table.times
        arrays[f"values{number}"] = table.ids if isinstance(table, EventTable) else table.data
        columns = [] if isinstance(table, EventTable) else [list(each) for each in table.columns]
        told.append({"name": table.name, "file": table.file, "events": is_events, "columns": columns})
    if arrays:
        np.savez(folder / TABLES, **arrays)  # type: ignore[arg-type]  # of numpy 2: keywords are arrays
    return told


def read_outcome(folder: Path) -> Mapping[str, Any]:
    """What a run left; an empty mapping where it left nothing, or not all of it."""
    try:
        content = json.loads((folder / OUTCOME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return empty()
    return content if isinstance(content, dict) else empty()


def read_run(folder: Path, outcome: Mapping[str, Any]) -> Results:
    """The results that a run left in its folder. Raises ReadError for damaged ones."""
    place, told = folder / RESULTS, outcome.get("tables", ())
    results = read_results(place) if place.is_dir() and holds_results(place) else Results()
    if not told:
        return results
    try:
        with np.load(folder / TABLES, allow_pickle=False) as arrays:
            tables = [_table(each, arrays[f"times{n}"], arrays[f"values{n}"]) for n, each in enumerate(told)]
    except (OSError, ValueError, KeyError) as error:
        raise ReadError(f"what the run left cannot be read: {error}", where=folder / TABLES) from error
    return replace(results, tables=tuple(tables))


def _table(told: Mapping[str, Any], times: np.ndarray, values: np.ndarray) -> QuantityTable | EventTable:
    if told["events"]:
        return EventTable(told["name"], told["file"], values, times)
    return QuantityTable(
        told["name"], told["file"], tuple((each[0], each[1]) for each in told["columns"]), times, values
    )
