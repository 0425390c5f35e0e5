"""SONATA reports: a variable at the elements of a population's nodes over time, as plain arrays. It knows no graph.

Read in every layout met in the wild: ``/report/<population>/{data, mapping/...}`` of SONATA 0.1 (specification, "Frame
oriented node element recordings") with its names (``node_ids``, ``index_pointers``, ``element_ids``) or those of BMTK
and before (``gids``, ``index_pointer``, ``element_id``), and the files of old, which had ``data`` or
``<variable>/data`` beside ``mapping`` at the root. Written so that libsonata and BMTK read the same file: both names of
the index are one dataset, nothing is compressed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pynn_io.errors import ReadError, WriteError
from pynn_io.formats.h5_file import check_links, damage, open_h5
from pynn_io.formats.sonata_spikes import column_of, milliseconds, whole_numbers
from pynn_io.formats.sonata_write import open_dataset, write_dataset
from pynn_io.report import Report

_NODES = ("node_ids", "gids")
_POINTERS = ("index_pointers", "index_pointer")
_ELEMENTS = ("element_ids", "element_id")
_POSITIONS = ("element_pos",)
#: Bytes of data that are converted and written at a time.
_BLOCK_BYTES = 2**24


@dataclass(frozen=True, slots=True, eq=False)
class ElementReport:
    """One population of a report file.

    population: its name; None where the file names none. data: float[time, element], row k at ``start + k * interval``
    (ms) as the file states it. node_ids: int64[element]. element_ids (sections), element_pos: int64 and
    float64[element]; None where the file has none, or says that they mean nothing. section_order: what the section ids
    count, where the file says so. unit, variable: empty where not stated. origin: ``bmtk`` if the layout is BMTK's.
    attributes: texts on the population's group, by name.
    """

    population: str | None
    data: np.ndarray
    node_ids: np.ndarray
    start: float
    interval: float
    element_ids: np.ndarray | None = None
    element_pos: np.ndarray | None = None
    section_order: str = ""
    unit: str = ""
    variable: str = ""
    origin: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


# --- Reading ------------------------------------------------------------------------------------------------------


def is_report(file: h5py.File) -> bool:
    """Whether an HDF5 file is a report, an extracellular one (which `read_reports` only names) included."""
    return "report" in file or "ecp" in file or "mapping" in file or ("data" in file and "channel_id" in file)


def read_reports(path: Path, report: Report) -> list[ElementReport]:
    """All populations of a report file.

    An extracellular report has channels in place of cells: it is reported as not read. Raises ReadError (file and
    place) for a layout nobody writes and for columns that do not fit each other, UnitError for an unknown unit of time.
    """
    with open_h5(path) as file:
        found = [_population(*place, path, report) for place in _places(file, path)]
        channels = [f"/{name}" for name in ("ecp", "channel_id") if name in file]
    for name in channels:
        message = "an extracellular potential, recorded by channel, not by cell: read it with h5py"
        report.not_read("results-extracellular", f"{path}:{name}", message)
    if not found and not channels:
        raise ReadError("there is no report in it", where=path, hint="is this a SONATA report file?")
    return found


def _places(file: h5py.File, path: Path) -> Iterator[tuple[h5py.Dataset, h5py.Group, str | None, str]]:
    """``(data, mapping, population, variable)`` of everything in the file that is recorded by cell."""
    root = file.get("report")
    if isinstance(root, h5py.Group):
        check_links(root, path)
        for name, group in root.items():
            where = f"{path}:/report/{name}"
            if not isinstance(group, h5py.Group):
                raise ReadError("is not a group", where=where, hint="a report has a group for every population")
            stated = group.attrs.get("population")
            population = stated if isinstance(stated, str) else name
            yield _matrix(group.get("data"), f"{where}/data"), _mapping(group, where), population, ""
        return
    if not isinstance(file.get("mapping"), h5py.Group):
        return
    check_links(file, path)
    if "data" in file:
        yield _matrix(file["data"], f"{path}:/data"), file["mapping"], None, ""
    for name, group in file.items():
        if isinstance(group, h5py.Group) and "data" in group:
            yield _matrix(group.get("data"), f"{path}:/{name}/data"), file["mapping"], None, name


def _mapping(group: h5py.Group, where: str) -> h5py.Group:
    mapping = group.get("mapping")
    if not isinstance(mapping, h5py.Group):
        raise ReadError("there is no group 'mapping'", where=where, hint="it tells which column is which cell")
    return mapping


def _matrix(data: Any, where: str) -> h5py.Dataset:
    if not isinstance(data, h5py.Dataset):
        raise ReadError("there is no dataset 'data'", where=where.removesuffix("/data"))
    if data.ndim not in (1, 2) or data.dtype.kind not in "iuf":
        raise ReadError("is not a table of numbers, time by element", where=where)
    return data


def _population(
    data: h5py.Dataset, mapping: h5py.Group, population: str | None, variable: str, path: Path, report: Report
) -> ElementReport:
    place = f"{path}:{mapping.name}"
    # Files of one cell may hold its values as a plain list.
    rows, columns = data.shape if data.ndim == 2 else (data.shape[0], 1)
    start, interval = _time(mapping, rows, place, report)
    pointers = column_of(mapping, _POINTERS, place)
    nodes = _nodes(mapping, pointers, columns, place)
    elements = _per_element(mapping, _ELEMENTS, columns, place)
    positions = _per_element(mapping, _POSITIONS, columns, place)
    if mapping.attrs.get("without_sections", False):
        elements = positions = None
    with damage(f"{path}:{data.name}"):
        values = data[...].reshape(rows, columns)
        stated = {key: _text(data.attrs.get(key, "")) for key in ("units", "variable", "variable_name")}
    if elements is not None:
        elements = whole_numbers(elements, f"{place}/element_ids")
    return ElementReport(
        population=population,
        data=values.astype(np.float64) if values.dtype.kind != "f" else values,
        node_ids=nodes,
        start=start,
        interval=interval,
        element_ids=elements,
        element_pos=None if positions is None else positions.astype(np.float64, copy=False),
        section_order=_text(mapping.attrs.get("section_order", "")),
        unit=stated["units"],
        variable=stated["variable"] or stated["variable_name"] or variable,
        origin="bmtk" if "variable" in data.attrs and "index_pointers" not in mapping else "",
        attributes={key: _text(value) for key, value in mapping.parent.attrs.items()},
    )


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _time(mapping: h5py.Group, rows: int, place: str, report: Report) -> tuple[float, float]:
    """Start and interval. The stated end is only looked at: writers differ on whether it belongs to the samples."""
    time = column_of(mapping, ("time",), place)
    where = f"{place}/time"
    if time.shape[0] != 3:
        raise ReadError(f"has {time.shape[0]} numbers", where=where, hint="it should be: start, stop, interval")
    start, stop, interval = (time[:].astype(np.float64) * milliseconds(time.attrs, ("units", "unit"), where)).tolist()
    if not np.isfinite([start, stop, interval]).all() or interval <= 0:
        raise ReadError(f"start {start}, stop {stop}, interval {interval} are no time axis", where=where)
    expected = (stop - start) / interval
    if abs(rows - expected) > 1.5:
        message = f"{rows} rows where start, stop and interval make {expected:.0f}; the rows are taken, from the start"
        report.approximated("results-report-length", where, message)
    return start, interval


def _nodes(mapping: h5py.Group, pointers: h5py.Dataset, columns: int, place: str) -> np.ndarray:
    """The node of every column: node i has columns ``pointers[i]:pointers[i + 1]``, the last one up to the end."""
    nodes = whole_numbers(column_of(mapping, _NODES, place)[:], f"{place}/node_ids")
    bounds = whole_numbers(pointers[:], f"{place}/index_pointers")
    if len(bounds) not in (len(nodes), len(nodes) + 1):
        raise ReadError(f"{len(bounds)} index pointers for {len(nodes)} nodes", where=place)
    if len(bounds) == len(nodes):
        bounds = np.append(bounds, columns)
    counts = np.diff(bounds)
    if bounds[0] != 0 or bounds[-1] != columns or (counts < 0).any():
        message = f"index pointers do not divide the {columns} columns of the data among the nodes"
        raise ReadError(message, where=f"{place}/{pointers.name.rsplit('/', 1)[-1]}")
    return np.repeat(nodes, counts)


def _per_element(mapping: h5py.Group, names: tuple[str, ...], columns: int, place: str) -> np.ndarray | None:
    if not any(name in mapping for name in names):
        return None
    dataset = column_of(mapping, names, place)
    if dataset.shape[0] != columns:
        message = f"{dataset.shape[0]} entries, and the data has {columns} columns"
        raise ReadError(message, where=f"{place}/{dataset.name.rsplit('/', 1)[-1]}")
    return dataset[:]


# --- Writing ------------------------------------------------------------------------------------------------------


def write_report(group: h5py.Group, record: ElementReport, *, dtype: type[np.floating] = np.float32) -> None:
    """Fill ``group``, which is ``/report/<population>``, so that libsonata, bluepysnap and BMTK read it.

    Columns are put in the order of node ids. The stated end is that of the last interval, ``start + rows * interval``:
    readers leave it out. Where there are no sections, readers that demand them find section 0, and the attribute
    ``without_sections`` of ``mapping`` says so. Raises WriteError for a negative id, and for data that has not one
    column an element.
    """
    ids = np.asarray(record.node_ids)
    if record.data.ndim != 2 or record.data.shape[1] != len(ids):
        where = f"{group.file.filename}:{group.name}"
        raise WriteError(f"data of the shape {record.data.shape} for {len(ids)} elements", where=where)
    for what, values in (("node", ids), ("section", record.element_ids)):
        if values is not None and len(values) and values.min() < 0:
            where = f"{group.file.filename}:{group.name}"
            raise WriteError(f"{what} id {values.min()} is negative", where=where, hint="ids count from 0")
    order = None if (np.diff(ids) >= 0).all() else np.argsort(ids, kind="stable")
    group.attrs.update(record.attributes)
    _write_mapping(group.create_group("mapping"), record, order)
    dataset = open_dataset(group, "data", record.data.shape, np.dtype(dtype))
    dataset.attrs["units"] = record.unit  # libsonata demands it, be it empty
    # BMTK calls it "variable", PyNN "variable_name".
    dataset.attrs["variable"] = dataset.attrs["variable_name"] = record.variable
    step = max(1, _BLOCK_BYTES // (8 * max(1, record.data.shape[1])))
    for begin in range(0, len(record.data) if record.data.size else 0, step):
        block = record.data[begin : begin + step]
        dataset[begin : begin + step] = block if order is None else block[:, order]


def _write_mapping(mapping: h5py.Group, record: ElementReport, order: np.ndarray | None) -> None:
    def ordered(values: np.ndarray) -> np.ndarray:
        return values if order is None else np.asarray(values)[order]

    size = len(record.node_ids)
    nodes, counts = np.unique(record.node_ids, return_counts=True)
    write_dataset(mapping, "node_ids", nodes, dtype=np.uint64).attrs["sorted"] = np.uint8(1)
    bounds = np.concatenate([np.zeros(1, np.uint64), np.cumsum(counts, dtype=np.uint64)])
    mapping["index_pointer"] = write_dataset(mapping, "index_pointers", bounds)
    sections = np.zeros(size) if record.element_ids is None else record.element_ids
    positions = np.zeros(size) if record.element_pos is None else record.element_pos
    write_dataset(mapping, "element_ids", ordered(sections), dtype=np.uint32)
    write_dataset(mapping, "element_pos", ordered(positions), dtype=np.float64)
    if record.element_ids is None:
        mapping.attrs["without_sections"] = True
    if record.section_order:
        mapping.attrs["section_order"] = record.section_order
    stop = record.start + len(record.data) * record.interval
    write_dataset(mapping, "time", np.array([record.start, stop, record.interval]), units="ms")
