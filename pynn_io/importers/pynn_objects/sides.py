"""Populations, views and assemblies as the cells that they are: rows of populations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a projection. names: of its populations. part, row: int64, for every index into the side."""

    names: tuple[str, ...]
    part: np.ndarray
    row: np.ndarray


def components(group: Any) -> list[Any]:
    """The populations and views of an assembly; a population or a view itself."""
    return list(group.populations) if hasattr(group, "populations") else [group]


def whole(group: Any) -> Any:
    """The population that a view is of; a population itself."""
    return group.grandparent if hasattr(group, "grandparent") else group


def rows(group: Any) -> np.ndarray:
    """The rows of a population or view in its population, int64."""
    everything = np.arange(group.size, dtype=np.int64)
    if not hasattr(group, "grandparent"):
        return everything
    return np.atleast_1d(np.asarray(group.index_in_grandparent(everything), dtype=np.int64))


def side_of(group: Any, names: Mapping[int, str]) -> Side:
    """The cells of a side in PyNN's order. names: of populations, by ``id()`` of the object."""
    pieces = components(group)
    labels = [names[id(whole(piece))] for piece in pieces]
    unique = tuple(dict.fromkeys(labels))
    part = [np.full(piece.size, unique.index(label)) for piece, label in zip(pieces, labels, strict=True)]
    return Side(unique, np.concatenate(part), np.concatenate([rows(piece) for piece in pieces]))


def node_sets(views: Sequence[Any], assemblies: Sequence[Any], names: Mapping[int, str]) -> dict[str, Any]:
    """Views and assemblies that have a label of their own as named sets of cells."""
    found: dict[str, Any] = {}
    for view in views:
        if not _automatic(view):
            found[_free(view.label, found)] = _set_of(view, names)
    for assembly in assemblies:
        pieces = components(assembly)
        sets = [_set_of(piece, names) for piece in pieces]
        label = _free(assembly.label, found)
        if len(sets) == 1:
            found[label] = sets[0]
            continue
        parts = [f"{label}:{names[id(whole(piece))]}" for piece in pieces]
        members = dict(zip(_numbered(parts), sets, strict=True))
        found |= members
        found[label] = list(members)
    return found


def _automatic(view: Any) -> bool:
    """Whether PyNN made the label of a view up."""
    return not getattr(view, "named", True) or str(view.label).startswith("view of ")


def _set_of(group: Any, names: Mapping[int, str]) -> dict[str, Any]:
    name = names[id(whole(group))]
    if not hasattr(group, "grandparent"):
        return {"population": name}
    return {"population": name, "node_id": rows(group).tolist()}


def _free(label: str, taken: Mapping[str, Any]) -> str:
    return _numbered([*taken, label])[-1]


def _numbered(labels: list[str]) -> list[str]:
    """The labels, with numbers behind those that repeat."""
    found: list[str] = []
    for label in labels:
        name, number = label, 2
        while name in found:
            name, number = f"{label}_{number}", number + 1
        found.append(name)
    return found
