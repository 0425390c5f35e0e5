"""Results as SONATA: a folder with a spikes file, one file a report, and ``run.json`` for what SONATA has no place for.

`read` takes such folders and files whoever wrote them, in every layout of `formats.sonata_spikes` and
`formats.sonata_reports`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import h5py
import numpy as np

from pynn_io.errors import ReadError, WriteError
from pynn_io.formats.h5_file import open_h5
from pynn_io.formats.new_file import safe_name
from pynn_io.formats.nix import encode_name
from pynn_io.formats.sonata_reports import ElementReport, is_report, read_reports, write_report
from pynn_io.formats.sonata_spikes import SPIKE_COLUMNS, read_unsorted
from pynn_io.formats.sonata_write import forbidden_name, hdf5_file, write_json, write_spikes, write_spikes_csv
from pynn_io.graph.columns import EMPTY
from pynn_io.report import Report
from pynn_io.results.record import FORMAT, as_record, read_record
from pynn_io.results.results import Results, Spikes, Trace, sorted_spikes

#: What SONATA has no place for, beside the files; it lists them, too.
RUN_FILE = "run.json"
#: The population of a file that names none.
UNNAMED = "unnamed"
#: Names of the orders of a spikes file: the specification's, and Allen's ``time`` and ``id``.
SORT_ORDERS = {"none": "none", "by_id": "by_id", "by_time": "by_time", "id": "by_id", "time": "by_time"}
DTYPES: Mapping[str, type[np.floating]] = {"float32": np.float32, "float64": np.float64}
_TEXT = (".csv", ".dat", ".txt")
_NUMBER = re.compile(r"\d+(\.\d*)?([eE][-+]?\d+)?$")
_HDF5 = b"\x89HDF\r\n\x1a\n"


# --- Reading ------------------------------------------------------------------------------------------------------


def read(
    source: Path,
    report: Report,
    *,
    population: str = UNNAMED,
    report_times: str = "stated",
    spikes_file: str | None = None,
) -> Results:
    """Spikes and reports of a folder, or of one file; of a folder, those that its ``run.json`` lists, or else all.

    population: what to call the population of a file that names none. report_times: ``stated``, or ``bmtk`` to move the
    reports of BMTK's bionet, which are one step early (row k holds the value at ``start + (k + 1) * interval``), to
    where they belong; what was done is in the provenance. spikes_file: the only file of the folder that spikes are read
    from. Raises ReadError, UnitError.
    """
    if report_times not in ("stated", "bmtk"):
        raise ReadError(f"report_times {report_times!r} is unknown", hint="known: stated, bmtk")
    reader = _Reader(report, population, report_times == "bmtk")
    fields: dict[str, Any] = {}
    if source.name == RUN_FILE and not source.is_dir():
        source = source.parent
    if spikes_file is not None:
        reader.spikes_of(source / spikes_file)
    if (source / RUN_FILE).is_file():
        fields, files = read_record(source / RUN_FILE)
        for name in files:
            reader.file(source / _inside(name))
    elif source.is_dir():
        reader.folder(source)
    else:
        reader.file(source)
    fields.setdefault("provenance", {"read_from": str(source), "report_times": reader.report_times})
    return Results(spikes=reader.spikes, traces=tuple(reader.traces), **fields)


def is_results_file(path: Path) -> bool:
    """Whether a file holds SONATA spikes (HDF5, CSV, NWB 1) or reports, by its content, or lists those that do."""
    if path.name == RUN_FILE:
        return FORMAT.encode() in _head(path)
    head = _head(path)
    if not head.startswith(_HDF5):
        return path.suffix.lower() in _TEXT and _is_spike_row(head.split(b"\n", 1)[0])
    with open_h5(path) as handle:
        return "spikes" in handle or is_report(handle) or _is_nwb1(handle)


def _is_spike_row(line: bytes) -> bool:
    """The first row of a text file of spikes: its header, or, in files without one, a time."""
    words = re.split(r"[\s,]+", line.decode("utf-8-sig", errors="replace").replace('"', ""))
    return bool(SPIKE_COLUMNS.intersection(words)) or (len(words) in (2, 3) and _NUMBER.match(words[0]) is not None)


def _is_nwb1(file: h5py.File) -> bool:
    """The subset of NWB 1 that BMTK reads and wrote: spike trains below ``/processing``."""
    processing = file.get("processing")
    return isinstance(processing, h5py.Group) and any(
        isinstance(trial, h5py.Group) and "spike_train" in trial for trial in processing.values()
    )


class _Reader:
    """Gathers the files of one run."""

    def __init__(self, report: Report, population: str, shift: bool) -> None:
        self.spikes: dict[str, Spikes] = {}
        self.traces: list[Trace] = []
        self.report_times: dict[str, str] = {}
        self._report, self._unnamed, self._shift = report, population, shift
        self._only: Path | None = None

    def spikes_of(self, path: Path) -> None:
        """Take the spikes from this file, and from no other."""
        self._only = path
        self._take_spikes(path)

    def folder(self, folder: Path) -> None:
        """Every file of results in it. Text is a copy of what an HDF5 file has, and read only where there is none."""
        for path in sorted(folder.glob("*.h5")):
            if is_results_file(path):
                self.file(path)
            else:
                self._report.not_read("results-other-file", path, "holds neither spikes nor a report")
        if self.spikes or self._only:
            return
        for path in (path for ending in ("*.nwb", "*.csv") for path in sorted(folder.glob(ending))):
            if not self.spikes and is_results_file(path):
                self.file(path)

    def file(self, path: Path) -> None:
        if path.suffix.lower() != ".nwb" and _head(path).startswith(_HDF5):
            with open_h5(path) as handle:
                spikes, reports = "spikes" in handle, is_report(handle)
            if not (spikes or reports):
                hint = "results are /spikes or /report, or what preceded them"
                raise ReadError("holds neither spikes nor a report", where=path, hint=hint)
        else:
            spikes, reports = True, False
        if spikes and self._only is None:
            self._take_spikes(path)
        if reports:
            self.traces += [self._trace(record, path) for record in read_reports(path, self._report)]

    def _take_spikes(self, path: Path) -> None:
        for found in read_unsorted(path):
            name = self._name(found.population, path)
            if name in self.spikes:
                raise ReadError(f"population {name!r} has spikes in another file of the folder, too", where=path)
            if not found.as_claimed:
                message = f"population {name!r} is said to be sorted {found.sorting} and is not: sorted anew"
                self._report.approximated("results-unsorted", path, message)
            self.spikes[name] = sorted_spikes(name, found.node_ids, found.times)

    def _name(self, population: str | None, path: Path) -> str:
        if population is None:
            message = f"the file names no population; it is called {self._unnamed!r}"
            self._report.defaulted("results-population", path, message)
            return self._unnamed
        return population

    def _trace(self, record: ElementReport, path: Path) -> Trace:
        name = record.attributes.get("report", path.stem)
        bmtk = record.origin == "bmtk"
        return Trace(
            report=name,
            population=self._name(record.population, path),
            variable=record.variable,
            unit=record.unit,
            data=record.data,
            node_ids=record.node_ids,
            start=self._start(record, name, path),
            interval=record.interval,
            section_ids=record.element_ids,
            section_pos=record.element_pos,
            # BMTK counts sections after it has replaced the axon.
            section_order=record.section_order or ("axon_replaced" if bmtk else "specification"),
        )

    def _start(self, record: ElementReport, name: str, path: Path) -> float:
        """BMTK's bionet says 0 and means one interval later; its pointnet says what it means, one interval."""
        if record.origin != "bmtk" or record.start != 0:
            self.report_times[name] = "as stated"
            return record.start
        if self._shift:
            self.report_times[name] = "one interval later than stated"
            return record.start + record.interval
        self.report_times[name] = "as stated; if BMTK's bionet wrote it, one interval early"
        message = "if BMTK's bionet wrote it, it is one interval early; taken as stated (report_times='bmtk' moves it)"
        self._report.approximated("results-early-report", path, message)
        return record.start


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError as error:
        raise ReadError(f"cannot be read: {error.strerror or error}", where=path) from None


# --- Writing ------------------------------------------------------------------------------------------------------


def write(
    results: Results,
    folder: Path,
    report: Report,
    *,
    spikes_file: str = "spikes.h5",
    spikes_csv: str | None = None,
    spikes_sort_order: str = "by_time",
    report_files: Mapping[str, str] = EMPTY,
    dtype: str = "float32",
) -> None:
    """A folder that libsonata, bluepysnap, BMTK and `read` read.

    spikes_file, spikes_csv, report_files (by name of the report): file names within the folder; a report is in
    ``<name>.h5`` unless told. spikes_sort_order: ``none``, ``by_id`` or ``by_time``. dtype: of reports; the
    specification has ``float32``, ``float64`` keeps every digit.
    Raises WriteError for an unknown order or dtype and for what the file system refuses.
    """
    order = _choice("spikes_sort_order", SORT_ORDERS, spikes_sort_order)
    kind = _choice("dtype", DTYPES, dtype)
    spikes = _in_order(results, order)
    with hdf5_file(folder / _inside(spikes_file)) as file:
        file.require_group("spikes")
        for name, (ids, times) in spikes.items():
            group = write_spikes(file, _key(name, report), ids, times, order)
            group.attrs["population"] = name
    if spikes_csv:
        write_spikes_csv(folder / _inside(spikes_csv), spikes)
    files = [_inside(spikes_file), *_write_reports(results.traces, folder, report, report_files, kind)]
    write_json(folder / RUN_FILE, as_record(results, files=[path.as_posix() for path in files]))


def _choice(option: str, known: Mapping[str, Any], value: str) -> Any:
    if value not in known:
        raise WriteError(f"{option} {value!r} is unknown", hint=f"known: {', '.join(known)}")
    return known[value]


def _inside(name: str) -> Path:
    """A file name of a configuration, below the output folder: of one that leads elsewhere, its last part."""
    path = PurePath(name)
    return Path(path.name if path.is_absolute() or ".." in path.parts else path)


def _key(population: str, report: Report) -> str:
    """The name of a population's group: its own, unless HDF5 cannot have it; the attribute ``population`` keeps it."""
    if not forbidden_name(population):
        return population
    key = encode_name(population)
    message = f"SONATA cannot have the population {population!r}: it is called {key!r} in the files"
    report.approximated("results-population-name", population, message)
    return key


def _in_order(results: Results, order: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """``(node ids, times)`` of every population, silent ones included."""
    empty = np.empty(0, dtype=np.int64), np.empty(0)
    found = dict.fromkeys(results.nodes, empty)
    for name, spikes in results.spikes.items():
        if len(spikes.node_ids) and spikes.node_ids.min() < 0:
            raise WriteError(f"population {name!r} has the node id {spikes.node_ids.min()}", hint="ids count from 0")
        if order == "by_time":
            spikes = sorted_spikes(name, spikes.node_ids, spikes.times)
        found[name] = spikes.node_ids, spikes.times
        if order == "by_id":
            rows = np.lexsort((spikes.times, spikes.node_ids))
            found[name] = spikes.node_ids[rows], spikes.times[rows]
    return found


def _write_reports(
    traces: tuple[Trace, ...], folder: Path, report: Report, names: Mapping[str, str], dtype: type[np.floating]
) -> list[Path]:
    """One file a report; further variables of the same cells, which it has no place for, get files of their own."""
    files: dict[Path, list[Trace]] = {}
    for trace in traces:
        path = _inside(names.get(trace.report, f"{safe_name(trace.report)}.h5"))
        number = 1
        wanted = path
        while any(other.population == trace.population for other in files.get(wanted, ())):
            ending = safe_name(trace.variable or "more") + (str(number) if number > 1 else "")
            wanted, number = path.with_name(f"{path.stem}_{ending}{path.suffix}"), number + 1
        files.setdefault(wanted, []).append(trace)
    for path, together in files.items():
        with hdf5_file(folder / path) as file:
            for trace in together:
                group = file.require_group("report").create_group(_key(trace.population, report))
                write_report(group, _element_report(trace), dtype=dtype)
    return list(files)


def _element_report(trace: Trace) -> ElementReport:
    return ElementReport(
        population=trace.population,
        data=trace.data,
        node_ids=trace.node_ids,
        start=trace.start,
        interval=trace.interval,
        element_ids=trace.section_ids,
        element_pos=trace.section_pos,
        section_order=trace.section_order,
        unit=trace.unit,
        variable=trace.variable,
        attributes={"report": trace.report, "population": trace.population},
    )
