"""What a circuit holds, by plain json, csv and h5py: written apart from the importer and sharing no code with it."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np

MISSING = {"NULL", "NONE", "", "NA"}


def config(path: Path) -> tuple[dict[str, Any], Path]:
    """The circuit part of a configuration, manifest applied, and its folder."""
    content = json.loads(path.read_text())
    for key in ("network",):
        if key in content and "networks" not in content:
            text = apply(content[key], content.get("manifest", {}), path.parent)
            return config((path.parent / text).resolve())
    if "networks" not in content:
        return config(path.parent / "circuit_config.json")
    return walk(content, content.get("manifest", {}), path.parent), path.parent


def apply(text: str, manifest: dict[str, Any], folder: Path) -> str:
    """Text replacement, longest name first, until nothing changes."""
    table = {key.strip("${}"): value for key, value in manifest.items()} | {"configdir": str(folder)}
    before = None
    while text != before:
        before = text
        for name in sorted(table, key=len, reverse=True):
            text = text.replace("${" + name + "}", str(table[name])).replace("$" + name, str(table[name]))
    return text


def walk(value: Any, manifest: dict[str, Any], folder: Path) -> Any:
    if isinstance(value, str):
        return apply(value, manifest, folder)
    if isinstance(value, dict):
        return {key: walk(item, manifest, folder) for key, item in value.items() if key != "manifest"}
    if isinstance(value, list):
        return [walk(item, manifest, folder) for item in value]
    return value


def file(folder: Path, text: str | None) -> Path | None:
    return None if not text else Path(os.path.normpath(folder / text))


def types(path: Path | None, key: str) -> dict[int, dict[str, str]]:
    """Rows of a types file by id; missing values left out."""
    if path is None:
        return {}
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter=" ", skipinitialspace=True))
    return {int(row[key]): {k: v for k, v in row.items() if v not in MISSING and v is not None} for row in rows}


def strings(values: np.ndarray) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


def ids(group: h5py.Group, key: str, size: int) -> list[int]:
    return [int(value) for value in group[key][()]] if key in group else list(range(size))


def attributes(population: h5py.Group, kind: str, size: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """One dict a row with what its group states (and one with its dynamics_params)."""
    numbers = ids(population, f"{kind}_group_id", size) if f"{kind}_group_id" in population else [0] * size
    index = ids(population, f"{kind}_group_index", size)
    plain: list[dict[str, Any]] = [{} for _ in range(size)]
    dynamic: list[dict[str, Any]] = [{} for _ in range(size)]
    for number in set(numbers):
        group = population.get(str(number))
        if group is None:
            continue
        for into, holder in ((plain, group), (dynamic, group.get("dynamics_params"))):
            for name, item in (holder or {}).items():
                if not isinstance(item, h5py.Dataset) or item.shape in (None, ()):
                    continue
                values = item[()]
                if values.dtype == object or values.dtype.kind == "S":
                    values = strings(values)
                library = holder.get("@library")
                if library is not None and name in library:
                    words = strings(library[name][()])
                    values = [words[int(code)] for code in values]
                for row in range(size):
                    if numbers[row] == number:
                        into[row][name] = values[index[row]]
    return plain, dynamic
