"""Results as NWB 2, by pynwb: spikes as the Units table, traces as TimeSeries.

The Units table has a row a cell, silent ones included, with the columns ``population`` and ``node_id``. The processing
module ``simulation`` has a TimeSeries a report and a table ``<name>_elements`` of its columns; what NWB has no field
for is JSON text in ``notes`` of the file and ``comments`` of the TimeSeries. NWB counts in seconds: spike times are
divided by 1000, so they come back to the last digit but one; reports keep their times.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import h5py
import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.h5_file import raised_by
from pynn_io.formats.new_file import safe_name, writing
from pynn_io.optional import needed
from pynn_io.report import Report
from pynn_io.results.record import FORMAT, as_record, parse_record
from pynn_io.results.results import MEANING, Results, Spikes, Trace, cells_of, sorted_spikes

MODULE = "simulation"
#: Population of the units of a file that does not say which they are of.
UNITS = "units"


def _package(name: str) -> ModuleType:
    return needed(name, "NWB files need", "nwb")


def is_results_file(path: Path) -> bool:
    """Whether a file is NWB 2; of NWB 1, the SONATA reader knows what BMTK does."""
    if not h5py.is_hdf5(path):
        return False
    try:
        with h5py.File(path, "r") as file:
            version = file.attrs.get("nwb_version", "")
    except (OSError, RuntimeError, KeyError):
        return False
    return (version.decode() if isinstance(version, bytes) else str(version)).startswith("2")


# --- Writing ------------------------------------------------------------------------------------------------------


def write(results: Results, path: Path, report: Report) -> None:
    """One new file. Raises BackendUnavailable without pynwb, WriteError for what the file system refuses."""
    pynwb = _package("pynwb")
    record = as_record(results)
    file = pynwb.NWBFile(
        session_description="results of a simulation",
        identifier=str(uuid4()),
        session_start_time=_started(results.provenance),
        notes=json.dumps(record),
    )
    if any(len(ids) for ids in cells_of(results).values()):
        file.units = _units(pynwb, results)
    if results.traces:
        module = file.create_processing_module(MODULE, "recorded variables of the simulated cells")
        for number, trace in enumerate(results.traces):
            for part in _series(pynwb, f"report_{number}_{safe_name(trace.report)}", trace):
                module.add(part)
    with writing(path), _system_errors(), pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)


@contextmanager
def _system_errors() -> Iterator[None]:
    """What the file system says: hdmf puts it into an Exception of no class, h5py, when a file closes, into others."""
    try:
        yield
    except Exception as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from error
        if isinstance(error, RuntimeError) and "errno" in str(error):
            raise OSError(str(error)) from error
        raise


def _started(provenance: Mapping[str, Any]) -> datetime:
    """When the run began, where its provenance says so; NWB demands a date."""
    try:
        stated = datetime.fromisoformat(str(provenance.get("date")))
    except ValueError:
        return datetime.now(UTC)
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)


def _units(pynwb: ModuleType, results: Results) -> Any:
    """The Units table, as columns: a call a unit would take a second for every thousand."""
    common = _package("hdmf.common")
    times, total, populations = [np.empty(0)], 0, []
    ends, nodes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for name, ids in cells_of(results).items():
        spikes = results.spikes.get(name, Spikes(name, ids[:0], np.empty(0)))
        order = np.lexsort((spikes.times, spikes.node_ids))
        by_node = np.argsort(ids, kind="stable")
        times.append(spikes.times[order] / 1000)
        ends.append(total + np.cumsum(spikes.counts(ids[by_node])))
        total += len(spikes.times)
        nodes.append(ids[by_node])
        populations += [name] * len(ids)
    data = common.VectorData(name="spike_times", description="s", data=np.concatenate(times))
    index = common.VectorIndex(name="spike_times_index", data=np.concatenate(ends), target=data)
    columns = [
        data,
        index,
        common.VectorData(name="population", description="population of the cell", data=populations),
        common.VectorData(name="node_id", description="its id in the population", data=np.concatenate(nodes)),
    ]
    return pynwb.misc.Units(
        name="units",
        description="simulated cells and their spikes",
        id=common.ElementIdentifiers(name="id", data=np.arange(len(populations))),
        columns=columns,
        colnames=["spike_times", "population", "node_id"],
    )


def _series(pynwb: ModuleType, name: str, trace: Trace) -> Iterator[Any]:
    common = _package("hdmf.common")
    yield pynwb.TimeSeries(
        name=name,
        data=trace.data,
        unit=trace.unit or "unknown",
        starting_time=trace.start / 1000,
        rate=1000 / trace.interval,
        description=f"{trace.variable or trace.report} of cells of {trace.population}",
        comments=json.dumps({"format": FORMAT, **trace.meaning}),
    )
    columns = [("node_id", trace.node_ids), ("section_id", trace.section_ids), ("section_pos", trace.section_pos)]
    yield common.DynamicTable(
        name=f"{name}_elements",
        description=f"the columns of {name}",
        id=common.ElementIdentifiers(name="id", data=np.arange(len(trace.node_ids))),
        columns=[
            common.VectorData(name=column, description=column, data=np.asarray(values))
            for column, values in columns
            if values is not None
        ],
    )


# --- Reading ------------------------------------------------------------------------------------------------------


def read(path: Path, report: Report) -> Results:
    """Units and the time series of `write`; other time series are reported as not read.

    In files of others, a unit's node id is its id, and its population `UNITS`. Raises ReadError for a broken file,
    BackendUnavailable without pynwb.
    """
    if not path.is_file():
        raise ReadError("no such file", where=path)
    pynwb = _package("pynwb")
    try:
        with pynwb.NWBHDF5IO(str(path), "r") as io:
            return _results(io.read(), path, report)
    except (KeyError, IndexError, AttributeError, RuntimeError, OSError, ValueError, TypeError) as error:
        if not any(raised_by(package, error) for package in ("pynwb", "hdmf", "h5py")):
            raise
        raise ReadError(f"pynwb cannot read it: {error}", where=path) from error


def _results(file: Any, path: Path, report: Report) -> Results:
    stated = _stated(file.notes)
    fields = parse_record(file.notes, f"{path}:/general/notes") if stated else {"provenance": {"read_from": str(path)}}
    module = file.processing.get(MODULE)
    parts = dict(module.data_interfaces) if module is not None else {}
    traces = tuple(
        _trace(series, parts.get(f"{name}_elements"), f"{path}:/processing/{MODULE}/{name}")
        for name, series in parts.items()
        if _stated(getattr(series, "comments", None))
    )
    others = [name for name in file.acquisition if hasattr(file.acquisition[name], "rate")]
    message = "time series that do not say which cells they are of"
    report.not_read("results-time-series", f"{path}:/acquisition", message, count=len(others), examples=others)
    return Results(spikes=_spikes(file.units, path), traces=traces, **fields)


def _stated(text: Any) -> dict[str, Any]:
    """The JSON object that `write` left in a text field; empty for what others wrote there."""
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("format") == FORMAT else {}


def _spikes(units: Any, path: Path) -> dict[str, Spikes]:
    if units is None or "spike_times" not in units.colnames:
        return {}
    index = units["spike_times"]
    ends = np.asarray(index.data[:], dtype=np.int64)
    times = np.asarray(index.target.data[:], dtype=np.float64) * 1000
    counts = np.diff(ends, prepend=0)
    if (counts < 0).any() or counts.sum() != len(times):
        raise ReadError("spike_times_index does not divide the spike times among the units", where=f"{path}:/units")
    nodes = np.asarray(units["node_id" if "node_id" in units.colnames else "id"].data[:], dtype=np.int64)
    names = np.asarray(units["population"].data[:] if "population" in units.colnames else [UNITS] * len(nodes))
    owners, nodes = np.repeat(names.astype(str), counts), np.repeat(nodes, counts)
    return {
        name: sorted_spikes(name, nodes[rows], times[rows])
        for name in dict.fromkeys(names.astype(str).tolist())
        for rows in [owners == name]
    }


def _trace(series: Any, table: Any, where: str) -> Trace:
    if table is None:
        raise ReadError("there is no table of its elements", where=where)
    columns = {name: np.asarray(table[name].data[:]) for name in table.colnames}
    data = np.asarray(series.data[:])
    if data.ndim != 2 or any(len(values) != data.shape[1] for values in columns.values()) or "node_id" not in columns:
        raise ReadError("its table of elements does not have a row a column", where=where)
    meaning = _stated(series.comments)
    if not all(field in meaning for field in MEANING):
        raise ReadError(f"its comments do not state all of {', '.join(MEANING)}", where=where)
    return Trace(
        **{field: meaning[field] for field in MEANING},
        data=data,
        node_ids=columns["node_id"].astype(np.int64),
        section_ids=columns.get("section_id"),
        section_pos=columns.get("section_pos"),
    )
