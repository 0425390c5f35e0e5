"""A NeuroML HDF5 network as the same tables as an XML one, for checking."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from pynn_io.formats.neuroml_check_records import Document, Listing, Node, Problem, Side
from pynn_io.formats.neuroml_tables import read_document

_KINDS = (("population_", "population"), ("projection_", ""), ("inputList_", "inputList"), ("input_list_", "inputList"))
_DEFAULTS = {"segment_id": 0.0, "fraction_along": 0.5}


def read_network(path: Path) -> Document:
    """The network of a ``.nml.h5`` and its embedded XML. Content that cannot be read becomes a problem."""
    document = Document(str(path))
    try:
        with h5py.File(path, "r") as file:
            if "neuroml" not in file:
                document.problems.append(Problem(str(path), 0, "has no /neuroml group"))
                return document
            root = file["neuroml"]
            top = _text(root.attrs.get("neuroml_top_level", ""))
            if top:
                document = read_document(top.encode(), f"{path}:/neuroml@neuroml_top_level")
                document.file = str(path)
            if "network" in root:
                _network(root["network"], document)
    except OSError as error:
        document.problems.append(Problem(str(path), 0, f"cannot be read as HDF5: {error}"))
    return document


def _network(group: h5py.Group, document: Document) -> None:
    document.networks.append(Node("network", {"id": _text(group.attrs.get("id", ""))}, 0))
    lists: list[Listing] = []
    for name in group:
        tag = next((tag for prefix, tag in _KINDS if name.startswith(prefix)), None)
        if tag is not None and isinstance(group[name], h5py.Group):
            lists.append(_listing(group[name], tag, document))
    lists.sort(key=lambda listing: listing.node.tag != "population")
    document.lists[len(document.networks) - 1] = lists


def _listing(group: h5py.Group, tag: str, document: Document) -> Listing:
    attributes = {name: _text(value) for name, value in group.attrs.items()}
    tag = tag or attributes.get("type", "projection")
    tables = [item for item in group.values() if isinstance(item, h5py.Dataset)]
    node = Node(tag, attributes, 0)
    columns = {}
    size = 0
    if tables:
        table = tables[0]
        size = len(table)
        names = {_text(table.attrs[key]): int(key[7:]) for key in table.attrs if key.startswith("column_")}
        if table.ndim != 2 or any(number >= table.shape[1] for number in names.values()):
            document.problems.append(Problem(document.file, 0, f"{table.name}: its column_N attributes do not fit it"))
            names = {}
        columns = {name: table[:, number] for name, number in names.items()}
        wrong = [name for name, values in columns.items() if not np.isfinite(values).all()]
        if wrong:
            document.problems.append(Problem(document.file, 0, f"{table.name}: {wrong[0]} is not finite everywhere"))
    ids = columns.get("id", np.arange(size)).astype(np.int64)
    listing = Listing(node, ids, np.zeros(size, dtype=np.int64))
    if tag == "inputList":
        listing.sides = (_side(columns, size, "target_cell_id", ""),)
    elif tag != "population":
        listing.sides = tuple(_side(columns, size, f"{end}_cell_id", f"{end}_") for end in ("pre", "post"))
        listing.delays = columns.get("delay", np.zeros(size))
    return listing


def _side(columns: dict[str, np.ndarray], size: int, cell: str, prefix: str) -> Side:
    def column(name: str) -> np.ndarray:
        return columns.get(prefix + name, np.full(size, _DEFAULTS[name]))

    cells = columns.get(cell, np.full(size, -1)).astype(np.int64)
    return Side(cells, column("segment_id").astype(np.int64), column("fraction_along"))


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray) and value.size == 1:
        return _text(value.reshape(-1)[0])
    return str(value)
