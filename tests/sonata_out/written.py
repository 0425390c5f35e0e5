"""What a circuit folder holds, by plain json, csv and h5py; shares no code with pynn_io."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

MISSING = {"NULL", "NONE", ""}


def circuit(path: Path) -> tuple[dict[str, Any], Path]:
    """A circuit configuration with its manifest applied, and its folder."""
    raw = json.loads(path.read_text())
    manifest = raw.pop("manifest", {})
    text = json.dumps(raw)
    for _ in range(len(manifest) + 1):
        for name in sorted(manifest, key=len, reverse=True):
            text = text.replace(name, manifest[name])
    return json.loads(text), path.parent


def entries(path: Path, kind: str) -> list[tuple[Path, Path | None]]:
    """``(h5 file, types csv or None)`` of every entry that is enabled."""
    config, folder = circuit(path)
    found = []
    for entry in config["networks"].get(kind, []):
        if entry.get("enabled", True):
            types = entry.get(f"{kind[:-1]}_types_file")
            found.append((folder / entry[f"{kind}_file"], folder / types if types else None))
    return found


def types(path: Path) -> dict[int, dict[str, str]]:
    """A types CSV by id; what is missing is left out."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file, delimiter=" ", skipinitialspace=True))
    header, body = [name for name in rows[0] if name], rows[1:]
    key = next(name for name in header if name.endswith("_type_id"))
    table = {}
    for row in body:
        cells = dict(zip(header, row, strict=False))
        if cells:
            table[int(cells[key])] = {name: text for name, text in cells.items() if text not in MISSING}
    return table


def populations(path: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Every population of a circuit: its structural datasets, and every attribute in the order of its rows.

    An attribute is gathered over the groups by hand; a row of a group without it holds None.
    """
    found = {}
    for file, csv_path in entries(path, kind):
        with h5py.File(file) as h5:
            for name, group in h5[kind].items():
                found[name] = population(group, kind[:-1]) | {"types": types(csv_path) if csv_path else {}}
    return found


def population(group: h5py.Group, kind: str) -> dict[str, Any]:
    ids = {key: item[:] for key, item in group.items() if isinstance(item, h5py.Dataset)}
    size = len(next(iter(ids.values())))
    number = ids.get(f"{kind}_group_id", np.zeros(size, dtype=int))
    index = ids.get(f"{kind}_group_index", np.arange(size))
    columns: dict[str, list[Any]] = {}
    for which in {int(value) for value in number}:
        holder = group[str(which)]
        for name, values in datasets(holder):
            column = columns.setdefault(name, [None] * size)
            for row in np.flatnonzero(number == which).tolist():
                column[row] = values[int(index[row])]
    ends = {key: str(group[key].attrs["node_population"]) for key in ids if "node_population" in group[key].attrs}
    return {"ids": ids, "columns": columns, "size": size, "ends": ends}


def datasets(holder: h5py.Group) -> list[tuple[str, list[Any]]]:
    """Attributes of one group and of its ``dynamics_params``, text and ``@library`` codes as strings."""
    found = []
    for prefix, inside in (("", holder), ("dynamics_params/", holder.get("dynamics_params", {}))):
        library = inside.get("@library", {})
        for name, item in inside.items():
            if not isinstance(item, h5py.Dataset):
                continue
            values = item.asstr()[:].tolist() if h5py.check_string_dtype(item.dtype) else item[:].tolist()
            if name in library:
                levels = library[name].asstr()[:].tolist()
                values = [levels[code] for code in values]
            found.append((prefix + name, values))
    return found
