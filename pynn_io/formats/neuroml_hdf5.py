"""NeuroML networks as HDF5, in libNeuroML's layout and without its losses.

Layout (libNeuroML 0.6, ``exportHdf5``): ``/neuroml/network/{population_*,projection_*,inputList_*}``, one dataset of 2
dimensions a list, named after the list, whose ``column_N`` attributes name the columns; what is not the network stands
as XML in the attribute ``neuroml_top_level``. Where libNeuroML writes float32, this writes float64; ids are kept; and
since HDF5 limits an attribute to 64 KB, larger XML goes into a ``.nml`` beside the file, which the attribute includes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from pynn_io.errors import WriteError
from pynn_io.formats.neuroml_records import (
    Connections,
    DocumentHead,
    InputRecord,
    NetworkRecord,
    PopulationRecord,
    ProjectionRecord,
)
from pynn_io.formats.neuroml_xml import document_text, quantity, write_document
from pynn_io.progress import Progress, quiet

#: The largest XML that is embedded; an HDF5 object header takes 64 KB and holds other attributes, too.
EMBEDDED = 48_000
#: The longest property that is an attribute.
LONGEST = 8_000
#: Rows a chunk of a dataset holds.
CHUNK = 2**16

#: What the readers look for inside group names to tell their kinds apart.
_WORDS = ("population_", "projection_", "inputList_", "input_list_")
_INTEGER = ("id", "pre_cell_id", "post_cell_id", "pre_segment_id", "post_segment_id", "target_cell_id", "segment_id")


def write_network(
    path: Path, head: DocumentHead, network: NetworkRecord, *, single: bool = False, progress: Progress = quiet
) -> tuple[Path, ...]:
    """Write ``path`` (``.net.nml.h5``) and, where the rest of the document is large, a ``.nml`` beside it.

    single: float32 tables, for jNeuroML: it reads any others as zeros (0.14.0, ``Hdf5Utils.parse2Ddataset``) and says
    nothing. Their numbers have 24 bits: ids are exact below 16,777,216. Returns the files written. Raises WriteError.
    """
    written = [path]
    xml = document_text(head)
    if len(xml.encode()) > EMBEDDED:
        beside = path.with_name(path.name.removesuffix(".h5").removesuffix(".nml") + ".components.nml")
        write_document(beside, head)
        xml = document_text(DocumentHead(head.id, includes=(beside.name,)))
        written.append(beside)
    with _writing(path), h5py.File(path, "w") as file:
        root = file.create_group("neuroml")
        _text(root, "id", head.id)
        if head.notes:
            _text(root, "notes", head.notes)
        _text(root, "GENERATED_BY", "pynn_io")
        _text(root, "neuroml_top_level", xml)
        _Tables(root, single, progress).network(network)
    return tuple(written)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """OSError, and the RuntimeError that h5py makes of a full disk, as WriteError."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise WriteError(f"cannot write: {error}", where=path) from error


class _Tables:
    """Writes the lists of one network as groups with a table each."""

    def __init__(self, root: h5py.Group, single: bool, progress: Progress) -> None:
        self._group = root.create_group("network")
        self._single = single
        self._progress = progress

    def network(self, network: NetworkRecord) -> None:
        group = self._group
        _text(group, "id", network.id)
        if network.notes:
            _text(group, "notes", network.notes)
        if network.temperature is not None:
            _text(group, "type", "networkWithTemperature")
            _text(group, "temperature", quantity(network.temperature, "degC"))
        _properties(group, network.properties)
        for population in network.populations:
            self._population(population)
        for projections in (network.projections, network.electrical, network.continuous):
            for projection in projections:
                self._projection(projection)
        for inputs in network.inputs:
            self._inputs(inputs)

    def _population(self, record: PopulationRecord) -> None:
        group = self._new("population_", record.end.population)
        _text(group, "component", record.end.component)
        group.attrs["size"] = np.int64(record.end.size)
        if record.notes:
            _text(group, "notes", record.notes)
        _properties(group, record.properties)
        if record.locations is None:
            return
        _text(group, "type", "populationList")
        columns = ("x", "y", "z") if record.numbers is None else ("id", "x", "y", "z")
        axes = record.locations if record.numbers is None else (record.numbers, *record.locations)
        data = self._table(group, record.end.population, record.end.size, columns)
        for start in range(0, record.end.size, CHUNK):
            rows = slice(start, start + CHUNK)
            block = np.stack([np.asarray(axis[rows], dtype=np.float64) for axis in axes], axis=1)
            data[rows] = _finite(block, record.end.population)

    def _projection(self, record: ProjectionRecord) -> None:
        group = self._new("projection_", record.id)
        _text(group, "type", record.tag)
        _text(group, "presynapticPopulation", record.pre.population)
        _text(group, "postsynapticPopulation", record.post.population)
        if record.tag == "continuousProjection":
            _text(group, "preComponent", record.pre_component)
            _text(group, "postComponent", record.synapse)
        else:
            _text(group, "synapse", record.synapse)
        columns = _columns(record)
        data = self._table(group, record.id, record.size, columns)
        done = 0
        for block in record.blocks:
            stop = done + block.size
            if stop > record.size:
                raise WriteError(f"projection {record.id!r} gives more than its {record.size} connections")
            if block.size:
                data[done:stop] = _finite(_matrix(block, columns, done, data.dtype), record.id)
            done = stop
            self._progress(record.id, done, record.size)
        if done != record.size:
            raise WriteError(f"projection {record.id!r} gives {done} of its {record.size} connections")

    def _inputs(self, record: InputRecord) -> None:
        group = self._new("inputList_", record.id)
        _text(group, "component", record.component)
        _text(group, "population", record.target.population)
        size = len(record.targets)
        group.attrs["size"] = np.int64(size)
        columns: tuple[str, ...] = ("id", "target_cell_id", "segment_id", "fraction_along")
        if record.weight is not None:
            columns += ("weight",)
        data = self._table(group, record.id, size, columns)
        if not size:
            return
        matrix = np.empty(data.shape, dtype=np.float64)
        matrix[:, 0] = np.arange(size)
        matrix[:, 1] = record.targets
        matrix[:, 2] = _or(record.segment, 0)
        matrix[:, 3] = _or(record.fraction, 0.5)
        if record.weight is not None:
            matrix[:, 4] = record.weight
        data[:] = _finite(matrix, record.id)

    def _new(self, prefix: str, name: str) -> h5py.Group:
        group = self._group.create_group(_group_name(prefix, name, self._group))
        _text(group, "id", name)
        return group

    def _table(self, group: h5py.Group, name: str, size: int, columns: tuple[str, ...]) -> h5py.Dataset | np.ndarray:
        """The dataset of a list, int64 where all columns are integers. An empty list gets none: readers take d[0]."""
        integers = all(column in _INTEGER for column in columns)
        dtype = np.dtype("f4" if self._single else "i8" if integers else "f8")
        if not size:
            return np.empty((0, len(columns)), dtype)
        # Many chunks, but never resizable: PyTables would call it an EARRAY, which libNeuroML does not look at.
        data = group.create_dataset(name, (size, len(columns)), dtype, chunks=(min(size, CHUNK), len(columns)))
        for number, column in enumerate(columns):
            _text(data, f"column_{number}", column)
        return data


def _properties(group: h5py.Group, properties: tuple[tuple[str, str], ...]) -> None:
    """As attributes; a long value as a dataset under ``/pynn_io``, since a group takes 64 KB of attributes."""
    for tag, value in properties:
        data = value.encode()
        if len(data) <= LONGEST:
            _text(group, f"property:{tag}", value)
            continue
        place = f"/pynn_io/{group.name.rpartition('/')[2]}/{tag}"
        group.file.create_dataset(place, data=data, dtype=h5py.string_dtype("utf-8", len(data)))


def _columns(record: ProjectionRecord) -> tuple[str, ...]:
    """Column names. ``id`` comes first: libNeuroML's readers ignore one there and misread one elsewhere."""
    names = ["id", "pre_cell_id", "post_cell_id"]
    sites = {"pre_segment", "post_segment", "pre_fraction", "post_fraction"}
    if sites & record.columns or record.tag != "projection":
        names += ["pre_segment_id", "post_segment_id", "pre_fraction_along", "post_fraction_along"]
    if record.tag != "projection":
        names += ["weight"] if "weight" in record.columns else []
    elif {"weight", "delay"} & record.columns:
        names += ["weight", "delay"]
    return tuple(names)


def _matrix(block: Connections, columns: tuple[str, ...], first: int, dtype: np.dtype) -> np.ndarray:
    values = {
        "id": np.arange(first, first + block.size) if block.number is None else block.number,
        "pre_cell_id": block.pre,
        "post_cell_id": block.post,
        "pre_segment_id": _or(block.pre_segment, 0),
        "post_segment_id": _or(block.post_segment, 0),
        "pre_fraction_along": _or(block.pre_fraction, 0.5),
        "post_fraction_along": _or(block.post_fraction, 0.5),
        "weight": _or(block.weight, 1.0),
        "delay": _or(block.delay, 0.0),
    }
    matrix = np.empty((block.size, len(columns)), dtype=dtype)
    for number, name in enumerate(columns):
        matrix[:, number] = np.ma.getdata(values[name])
    return matrix


def _or(value: np.ndarray | float | None, default: float) -> np.ndarray | float:
    return default if value is None else value


def _group_name(prefix: str, name: str, parent: h5py.Group) -> str:
    """The group for a list. Readers search names for the prefixes, so an id that contains one loses its underscore."""
    for word in _WORDS:
        name = name.replace(word, word[:-1])
    candidate, number = prefix + name, 1
    while candidate in parent:
        number += 1
        candidate = f"{prefix}{name}-{number}"
    return candidate


def _text(place: h5py.Group | h5py.Dataset, name: str, text: str) -> None:
    """A fixed-length UTF-8 attribute: PyTables and jHDF5 read no variable-length ones."""
    data = text.encode()
    place.attrs.create(name, data, dtype=h5py.string_dtype("utf-8", max(1, len(data))))


def _finite(block: np.ndarray, what: str) -> np.ndarray:
    if block.dtype.kind == "f" and not np.isfinite(block).all():
        raise WriteError(
            f"a value of {what!r} is not a finite number, which NeuroML cannot state",
            hint="Look for NaN or infinity in the source.",
        )
    return block
