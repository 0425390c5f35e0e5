"""Results as Neo objects and back, and Neo's own NIX layout for small results.

A Block has one Segment, and in it one `SpikeTrainList` over all populations, which holds arrays: Neo makes an object a
train as soon as one train is asked for. Annotations are PyNN's (``source_population``, ``channel_id``,
``source_index``), and ``source_id``, the node id. Facts on cost: Neo 0.14, NixIO: 25 to 33 ms a spike train, written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pynn_io.errors import ReadError, WriteError
from pynn_io.formats.h5_file import raised_by
from pynn_io.formats.new_file import reserve, writing
from pynn_io.formats.nix import nix_unit
from pynn_io.optional import needed
from pynn_io.report import Report
from pynn_io.results.nix import NEO_BLOCK, block_types
from pynn_io.results.record import as_record, parse_record
from pynn_io.results.results import Results, Spikes, Trace, bytes_of, cells_of, sorted_spikes

#: Spike trains and channels of signals that `write` takes by default: half a minute, 25 MB.
LIMIT = 1000
#: Seconds that NixIO takes to write a spike train, and a channel of a signal.
_SECONDS = (0.03, 0.01)
#: Bytes that it needs for one, beside the numbers.
_BYTES = 22_500
#: Units that quantities may parse: its parser would also compute powers of powers.
_UNIT = re.compile(r"(1/)?[A-Za-zµ]+(\^-?\d)?([*/][A-Za-zµ]+(\^-?\d)?)*")
_RECORD = "pynn_io_record"


def _package(name: str) -> ModuleType:
    return needed(name, "Neo objects need", "neo")


# --- To Neo -------------------------------------------------------------------------------------------------------


def to_block(results: Results, *, name: str = "results") -> Any:
    """A `neo.Block` of one Segment.

    Every cell of `Results.nodes` has a spike train, the silent ones an empty one; where the cells of a population are
    not known, those that spiked have. ``channel_id`` is the node id, or, where populations share ids, a running number.
    Signals are AnalogSignals in the trace's unit (without one, and ``unit`` among the annotations, if quantities does
    not know it), with the array annotations ``source_id``, ``channel_index``, and ``section_id`` and ``section_pos``.
    Raises BackendUnavailable without neo.
    """
    neo = _package("neo")
    block = neo.Block(name=name, **_annotations(results))
    segment = neo.Segment(name="segment000")
    block.segments.append(segment)
    segment.block = block
    segment.spiketrains = _spike_trains(neo, results)
    segment.spiketrains.segment = segment
    for trace in results.traces:
        signal = _signal(neo, trace)
        signal.segment = segment
        segment.analogsignals.append(signal)
    return block


def _annotations(results: Results) -> dict[str, Any]:
    """PyNN's ``simulator`` and ``dt``, and everything as JSON text: Neo's NixIO changes nested annotations silently."""
    stated = {"simulator": results.provenance.get("backend"), "dt": results.provenance.get("timestep")}
    simple = {key: value for key, value in stated.items() if isinstance(value, str | int | float)}
    return {**simple, _RECORD: json.dumps(as_record(results))}


def _spike_trains(neo: ModuleType, results: Results) -> Any:
    cells = cells_of(results)
    sizes = [len(ids) for ids in cells.values()]
    all_ids = np.concatenate([np.empty(0, np.int64), *cells.values()])
    distinct = len(np.unique(all_ids)) == len(all_ids)
    channels = all_ids if distinct else np.arange(len(all_ids))
    times, owners = [np.empty(0)], [np.empty(0, np.int64)]
    for (name, ids), first in zip(cells.items(), np.cumsum([0, *sizes]), strict=False):
        spikes = results.spikes.get(name)
        if spikes is not None:
            order = np.argsort(ids)
            times.append(spikes.times)
            owners.append(channels[first + order[np.searchsorted(ids, spikes.node_ids, sorter=order)]])
    spiked = np.concatenate(times)
    return neo.spiketrainlist.SpikeTrainList.from_spike_time_array(
        spiked,
        np.concatenate(owners),
        channels,
        t_stop=_milliseconds(max(results.duration or 0.0, spiked.max(initial=0.0))),
        units="ms",
        t_start=_milliseconds(min(0.0, spiked.min(initial=0.0))),
        source_population=np.repeat(np.array(list(cells), dtype=object), sizes).tolist(),
        source_id=all_ids.tolist(),
        source_index=[index for size in sizes for index in range(size)],
    )


def _milliseconds(value: float) -> Any:
    return _package("quantities").Quantity(value, "ms")


def _signal(neo: ModuleType, trace: Trace) -> Any:
    units = _units(trace.unit)
    arrays = {"channel_index": np.arange(len(trace.node_ids)), "source_id": np.asarray(trace.node_ids)}
    for key, values in (("section_id", trace.section_ids), ("section_pos", trace.section_pos)):
        if values is not None:
            arrays[key] = np.asarray(values)
    return neo.AnalogSignal(
        trace.data,
        units=units or "dimensionless",
        t_start=_milliseconds(trace.start),
        sampling_period=_milliseconds(trace.interval),
        name=trace.variable or trace.report,
        array_annotations=arrays,
        source_population=trace.population,
        report=trace.report,
        variable=trace.variable,
        unit=trace.unit,
        section_order=trace.section_order,
    )


def _units(symbol: str) -> str | None:
    """The unit as quantities spells it; None if it knows no such unit."""
    text = nix_unit(symbol)
    if not _UNIT.fullmatch(text):
        return None
    try:
        _package("quantities").unit_registry[text]
    except (LookupError, TypeError, ValueError, SyntaxError):
        return None
    return text.replace("^", "**")


# --- From Neo -----------------------------------------------------------------------------------------------------


def from_blocks(blocks: Iterable[Any], report: Report, where: object = "Neo objects") -> Results:
    """Results of the first Segment of every Block: those of `to_block`, or PyNN's, which has a Block a population.

    Node ids are ``source_id``, else ``source_index`` (PyNN), else ``channel_id``, else the place in the list. What is
    no spike train and no regularly sampled signal, and further Segments, are reported as not read.
    """
    spikes: dict[str, list[tuple[int, np.ndarray]]] = {}
    traces: list[Trace] = []
    fields: dict[str, Any] = {}
    ends = [0.0]
    names: dict[str, list[str]] = {"blocks": [], "segments": []}
    for block in blocks:
        fields = _fields(block, where) or fields
        _report_rest(block, report, where)
        names["blocks"] += [block.name] if block.name else []
        for segment in block.segments[:1]:
            names["segments"] += [segment.name] if segment.name else []
            for name, node, train in _trains(segment, block.name or "unnamed"):
                spikes.setdefault(name, []).append((node, train.times.rescale("ms").magnitude))
                ends.append(float(train.t_stop.rescale("ms")))
            traces += [_trace(signal, block.name or "unnamed") for signal in segment.analogsignals]
    if not fields:
        known = {name: np.array([node for node, _ in trains]) for name, trains in spikes.items()}
        fields = {"nodes": known, "duration": max(ends) or None, "provenance": {"read_from": str(where), **names}}
    found = {name: _joined(name, trains) for name, trains in spikes.items()}
    silent = {name: sorted_spikes(name, np.empty(0), np.empty(0)) for name in fields["nodes"] if name not in found}
    return Results(spikes={**found, **silent}, traces=tuple(traces), **fields)


def _fields(block: Any, where: object) -> dict[str, Any]:
    text = block.annotations.get(_RECORD)
    return parse_record(text, where) if isinstance(text, str) else {}


def _report_rest(block: Any, report: Report, where: object) -> None:
    place = f"{where}: {block.name}"
    if len(block.segments) > 1:
        message = "further Segments, which are further runs: only the first one is read"
        report.not_read("results-neo-segments", place, message, count=len(block.segments) - 1)
    for kind in ("irregularlysampledsignals", "events", "epochs", "imagesequences"):
        count = sum(len(getattr(segment, kind)) for segment in block.segments[:1])
        report.not_read("results-neo-objects", place, f"{kind} have no place in results", count=count)


def _trains(segment: Any, block_name: str) -> Iterator[tuple[str, int, Any]]:
    for position, train in enumerate(segment.spiketrains):
        stated = train.annotations
        node = next((stated[key] for key in ("source_id", "source_index", "channel_id") if key in stated), position)
        yield str(stated.get("source_population", block_name)), int(node), train


def _joined(name: str, trains: list[tuple[int, np.ndarray]]) -> Spikes:
    ids = np.repeat([node for node, _ in trains], [len(times) for _, times in trains])
    return sorted_spikes(name, ids, np.concatenate([times for _, times in trains]))


def _trace(signal: Any, block_name: str) -> Trace:
    arrays, stated = signal.array_annotations, signal.annotations
    nodes = next((arrays[key] for key in ("source_id", "channel_index") if key in arrays), None)
    variable = stated.get("variable", signal.name or "")
    return Trace(
        report=str(stated.get("report", variable or "signal")),
        population=str(stated.get("source_population", block_name)),
        variable=str(variable),
        unit=str(stated.get("unit", signal.units.dimensionality.string.replace("**", "^"))),
        data=np.asarray(signal.magnitude),
        node_ids=np.arange(signal.shape[1]) if nodes is None else np.asarray(nodes).astype(np.int64),
        start=float(signal.t_start.rescale("ms")),
        interval=float(signal.sampling_period.rescale("ms")),
        section_ids=np.asarray(arrays["section_id"]) if "section_id" in arrays else None,
        section_pos=np.asarray(arrays["section_pos"]) if "section_pos" in arrays else None,
        section_order=str(stated.get("section_order", "specification")),
    )


# --- Neo's NIX layout ---------------------------------------------------------------------------------------------


def is_results_file(path: Path) -> bool:
    """Whether a file is NIX with Neo's blocks."""
    return NEO_BLOCK in block_types(path)


def write(results: Results, path: Path, report: Report, *, limit: int | None = LIMIT) -> None:
    """Neo's NIX layout, for Neo, Elephant and viewers.

    limit: spike trains and channels of signals that are still written; None writes any number. Raises WriteError above
    it, with the time it would take, and BackendUnavailable without neo or nixio.
    """
    trains = sum(len(ids) for ids in cells_of(results).values())
    channels = sum(trace.data.shape[1] for trace in results.traces)
    refuse_large(trains, channels, where=path, limit=limit)
    make = _nix_io()
    reserve(path, bytes_of(results) + _BYTES * (trains + channels))
    io = make(str(path), mode="ow")
    with writing(path):
        try:
            io.write_all_blocks([to_block(results)])
        finally:
            io.close()


def refuse_large(trains: int, channels: int = 0, *, where: object, limit: int | None = LIMIT) -> None:
    """Raises WriteError if that many are more than ``limit``, with the time that Neo would take to write them."""
    if limit is None or trains + channels <= limit:
        return
    seconds = trains * _SECONDS[0] + channels * _SECONDS[1]
    raise WriteError(
        f"{trains} spike trains and {channels} signals would take Neo about {_duration(seconds)} to write",
        where=where,
        hint=f"write the flat NIX layout (--to nix), or select cells; the limit is {limit} of them",
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _nix_io() -> Any:
    _package("nixio")
    return _package("neo.io").NixIO


def read(path: Path, report: Report) -> Results:
    """Results from a file in Neo's NIX layout, by Neo. Raises ReadError for a broken one, BackendUnavailable."""
    if not path.is_file():
        raise ReadError("no such file", where=path)
    reader = _nix_io()
    try:
        io = reader(str(path), mode="ro")
        try:
            return from_blocks(io.read_all_blocks(), report, path)
        finally:
            io.close()
    except (KeyError, IndexError, AttributeError, RuntimeError, OSError, ValueError, TypeError) as error:
        if not any(raised_by(package, error) for package in ("neo", "nixio", "h5py", "quantities")):
            raise
        raise ReadError(f"Neo cannot read it: {error!r}", where=path) from error
