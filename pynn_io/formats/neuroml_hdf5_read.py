"""Networks in NeuroML's HDF5, as libNeuroML and `neuroml_hdf5` write it, as the same records that XML gives.

``/neuroml`` has the rest of the document as XML in an attribute; ``/neuroml/network`` has a group for each list, whose
table has its columns named by attributes ``column_N``. Ids may be absent: rows then are numbered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.h5_file import check_links, damage, open_h5
from pynn_io.formats.neuroml_records import Element
from pynn_io.formats.neuroml_rows import Rows, Words
from pynn_io.formats.neuroml_stream import Watch, parse_element
from pynn_io.report import Report

#: What group names begin with, and what their lists are; projections say it themselves.
_KINDS = (
    ("population_", "population"),
    ("projection_", "projection"),
    ("inputList_", "inputList"),
    ("input_list_", "inputList"),
)
_PROJECTIONS = ("projection", "electricalProjection", "continuousProjection")
#: Column of a table -> that of the records, and whether it holds whole numbers.
_COLUMNS = {
    "id": ("id", True),
    **{axis: (axis, False) for axis in "xyz"},
    "pre_cell_id": ("pre", True),
    "post_cell_id": ("post", True),
    "pre_segment_id": ("pre_segment", True),
    "post_segment_id": ("post_segment", True),
    "pre_fraction_along": ("pre_fraction", False),
    "post_fraction_along": ("post_fraction", False),
    "weight": ("weight", False),
    "delay": ("delay", False),
    "target_cell_id": ("target", True),
    "segment_id": ("segment", True),
    "fraction_along": ("fraction", False),
}
_NEEDED = {"population": ("x", "y", "z"), "inputList": ("target",), **dict.fromkeys(_PROJECTIONS, ("pre", "post"))}
#: What a list stands in.
_PARENTS = ["neuroml", "network"]
_PAIR = {"preComponent": "pre_component", "postComponent": "post_component"}
#: From here on, float32 does not have every whole number.
_SINGLE = 2**24
#: Attributes that say how the file is made, not what the network is.
_PLUMBING = frozenset({"TITLE", "CLASS", "VERSION", "PYTABLES_FORMAT_VERSION", "FILTERS", "GENERATED_BY"})
_PROPERTY = "property:"
_NOTES = "notes"
_SURROGATE = re.compile("[\ud800-\udfff]")
#: What libNeuroML writes for no notes, as text or pickled.
_NOTHING = ("", "None", "N.")
#: Where `neuroml_hdf5` puts properties that are too long for an attribute.
_LONG = "/pynn_io"


def read_hdf5(path: Path, report: Report | None, *, watch: Watch) -> Element:
    """The document as its root element. Raises ReadError with ``file:/path`` of a group or table."""
    with open_h5(path) as file:
        if not isinstance(file.get("neuroml"), h5py.Group):
            raise ReadError("has no group /neuroml", where=path, hint="is this a network in NeuroML's HDF5?")
        return _Reader(path, report, watch).document(file["neuroml"])


class _Reader:
    def __init__(self, path: Path, report: Report | None, watch: Watch) -> None:
        self.path, self.report, self.watch = path, report, watch

    def document(self, group: h5py.Group) -> Element:
        stated = self._attributes(group)
        xml = stated.pop("neuroml_top_level", "")
        top = Element("neuroml")
        if xml:
            top = parse_element(xml.encode(), f"{self.path}:/neuroml@neuroml_top_level", watch=self.watch)
        else:
            self.watch(top.tag, stated, [], self._where(group))
        words = () if any(child.tag == _NOTES for child in top.children) else self._words(stated, group)
        stated.pop(_NOTES, None)
        network = (self._network(group["network"]),) if isinstance(group.get("network"), h5py.Group) else ()
        return Element("neuroml", {**top.attributes, **stated}, (*words, *top.children, *network), "", str(self.path))

    def _network(self, group: h5py.Group) -> Element:
        check_links(group, self.path)
        stated = self._attributes(group)
        children = self._words(stated, group)
        self.watch("network", stated, _PARENTS[:1], self._where(group))
        lists = []
        for name in self._names(group, group):
            tag = next((tag for prefix, tag in _KINDS if name.startswith(prefix)), "")
            if tag:
                lists.append(self._list(group[name], tag))
            elif self.report is not None:
                self.report.not_read("element", f"{self.path}:{group[name].name}", "This group has no place here.")
        return Element("network", stated, (*children, *lists), "", self._where(group))

    def _list(self, group: h5py.Group, tag: str) -> Element:
        where = self._where(group)
        if not isinstance(group, h5py.Group):
            raise ReadError("is not a group", where=where)
        check_links(group, self.path)
        stated = self._attributes(group)
        if tag == "projection":
            tag = stated.pop("type", tag)
            if tag not in _PROJECTIONS:
                raise ReadError(f"type {tag!r} is none of {', '.join(_PROJECTIONS)}", where=where)
        children = self._words(stated, group)
        if tag == "inputList":
            stated.pop("size", None)
        self.watch(tag, stated, _PARENTS, where)
        rows = None
        tables = [member for member in group.values() if isinstance(member, h5py.Dataset)]
        if len(tables) > 1:
            raise ReadError("has several tables, of which one must be the list", where=where)
        if tables:
            rows = self._rows(tables[0], tag)
            # One pair of components for all connections stands at their group.
            words = {column: Words((stated.pop(name),)) for name, column in _PAIR.items() if name in stated}
            rows = replace(rows, words=words)
        if "id" not in stated:
            raise ReadError("has no attribute 'id'", where=where)
        return Element(tag, stated, children, "", where, rows=rows)

    def _rows(self, table: h5py.Dataset, tag: str) -> Rows:
        where = self._where(table)
        if table.ndim != 2 or table.dtype.kind not in "iuf":
            raise ReadError("is not a table of numbers", where=where)
        names = self._columns(table, where)
        with damage(where):
            data = table[()]
        numbers: dict[str, np.ndarray] = {}
        for name, place in names.items():
            if name not in _COLUMNS:
                if self.report is not None:
                    self.report.not_read("attribute", where, "A column has no place here.", examples=[name])
                continue
            column, whole = _COLUMNS[name]
            numbers[column] = (
                self._whole(data[:, place], name, where) if whole else self._float(data[:, place], name, where)
            )
        for column in _NEEDED[tag]:
            if column not in numbers:
                raise ReadError(f"has no column for {column}; it has {', '.join(names) or 'none'}", where=where)
        return Rows(len(data), numbers)

    def _columns(self, table: h5py.Dataset, where: str) -> dict[str, int]:
        """Column names and their places. Raises ReadError where they do not fit the table."""
        found: dict[str, int] = {}
        for key in self._names(table.attrs, table):
            number = key.removeprefix("column_")
            if number == key:
                continue
            if not number.isdecimal() or int(number) >= table.shape[1]:
                raise ReadError(f"{key} names a column that is not there", where=where)
            name = self._text(table.attrs[key], f"{where}@{key}")
            if name in found:
                raise ReadError(f"has two columns {name!r}", where=where)
            found[name] = int(number)
        return found

    def _float(self, values: np.ndarray, name: str, where: str) -> np.ndarray:
        made = np.ascontiguousarray(values, dtype=np.float64)
        if not np.isfinite(made).all():
            raise ReadError(f"the column {name} is not finite everywhere", where=where)
        return made

    def _whole(self, values: np.ndarray, name: str, where: str) -> np.ndarray:
        if values.dtype.kind != "f":
            made = values.astype(np.int64)
            wrong = made < 0
        else:
            made_float = np.ascontiguousarray(values)
            wrong = ~((made_float >= 0) & (made_float < 2.0**63) & (np.floor(made_float) == made_float))
            made = np.where(wrong, 0, made_float).astype(np.int64)
            if values.dtype.itemsize <= 4 and len(made) and int(made.max()) >= _SINGLE and self.report is not None:
                self.report.approximated(
                    "float32-ids",
                    where,
                    f"{name} is stored as float32, which does not have every whole number from {_SINGLE} on: such ids "
                    "may be of other cells.",
                    count=int((made >= _SINGLE).sum()),
                )
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ReadError(f"row {row} of the column {name} is {values[row]}, not a whole number", where=where)
        return made

    # --- attributes -------------------------------------------------------------------------------------------------

    def _attributes(self, group: h5py.Group) -> dict[str, str]:
        """All attributes of a group that say something, as text."""
        with damage(self._where(group)):
            stated = {name: group.attrs[name] for name in self._names(group.attrs, group) if name not in _PLUMBING}
        return {name: self._text(value, f"{self._where(group)}@{name}") for name, value in stated.items()}

    def _words(self, stated: dict[str, str], group: h5py.Group) -> tuple[Element, ...]:
        """Notes and properties, taken out of the attributes, as XML has them."""
        where = self._where(group)
        made = []
        notes = stated.pop(_NOTES, "")
        if notes not in _NOTHING:
            made.append(Element(_NOTES, text=notes, where=where))
        for name in [name for name in stated if name.startswith(_PROPERTY)]:
            content = {"tag": name.removeprefix(_PROPERTY), "value": stated.pop(name)}
            made.append(Element("property", content, where=where))
        long = group.file.get(f"{_LONG}/{group.name.rpartition('/')[2]}")
        if isinstance(long, h5py.Group):
            for name, value in long.items():
                content = {"tag": name, "value": self._text(value[()], self._where(value))}
                made.append(Element("property", content, where=where))
        return tuple(made)

    def _names(self, members: Iterable[str | bytes], owner: h5py.Group | h5py.Dataset) -> list[str]:
        """Names of members or attributes. Raises ReadError for one that is no text."""
        names = []
        for name in members:
            if isinstance(name, bytes):  # how h5py gives what is not UTF-8
                raise ReadError(f"the name {name!r} is not text in UTF-8", where=self._where(owner))
            names.append(name)
        return names

    def _where(self, item: h5py.Group | h5py.Dataset) -> str:
        return f"{self.path}:{item.name}"

    def _text(self, value: Any, where: str) -> str:
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.reshape(-1)[0]
        if isinstance(value, bytes):
            try:
                return value.decode().rstrip("\0")
            except UnicodeDecodeError:
                raise ReadError("is not text in UTF-8", where=where) from None
        if isinstance(value, str | int | float | np.number):
            text = str(value)
            if not _SURROGATE.search(text):  # how h5py gives bytes that are not UTF-8
                return text
            raise ReadError("is not text in UTF-8", where=where)
        raise ReadError("is neither a text nor a number", where=where)
