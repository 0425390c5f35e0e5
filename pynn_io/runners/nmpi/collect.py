"""What a job's script wrote, as `Results` under the populations and ids of the network."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import BadJobData, NotExecuted
from pynn_io.lowering.pynn import Cells, LoweredPlan, Recorder
from pynn_io.results import Results, Spikes, Trace
from pynn_io.results.results import sorted_spikes
from pynn_io.runners.nmpi import script

EXECUTES, MAPS = "executes", "maps"
_BROKEN = (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile)


class Output:
    """The two files of a job. Raises BadJobData for what is damaged, or of another job; NotExecuted after a mapping."""

    def __init__(self, folder: Path, digest: str) -> None:
        self._where = folder / script.PROVENANCE
        self.provenance = self._provenance()
        if self.provenance.get("digest") != digest:
            raise BadJobData(
                "these are results of another job",
                where=self._where,
                hint="the plan, its network, or pynn_io has changed since the job was submitted",
            )
        level = self.provenance.get("level")
        if level == MAPS:
            system = self.provenance.get("system")
            raise NotExecuted(
                f"{system} mapped the network, and did not execute it: it has a virtual board",
                where=self._where,
                hint="there are no results; the queue's own machines execute",
            )
        if level != EXECUTES:
            raise BadJobData(f"the level of the job is {level!r}", where=self._where)
        self._arrays = self._read(folder / script.RESULTS)

    def _provenance(self) -> dict[str, Any]:
        try:
            found = json.loads(self._where.read_text(encoding="utf-8"))
        except (ValueError, OSError, RecursionError) as error:
            raise BadJobData(f"not readable: {error}", where=self._where) from error
        if not isinstance(found, dict):
            raise BadJobData("no JSON object", where=self._where)
        return found

    def _read(self, path: Path) -> dict[str, np.ndarray]:
        if not path.exists():
            raise BadJobData("the job says that it was executed, and left no results", where=path)
        try:
            with np.load(path, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except _BROKEN as error:
            raise BadJobData(f"not readable: {error}", where=path) from error

    def array(self, name: str, kind: str) -> np.ndarray:
        """An array of a kind of numbers (``iu``, ``f``)."""
        found = self._arrays.get(name)
        if found is None or found.dtype.kind not in kind:
            raise BadJobData(f"the results have no usable {name!r}", where=self._where)
        return found

    def spikes(self, label: str, size: int) -> tuple[np.ndarray, np.ndarray]:
        """``(places, times)`` of one group of cells."""
        labels = self.provenance.get("spikes")
        if not isinstance(labels, list) or label not in labels:
            raise BadJobData(f"the job recorded nothing of {label}", where=self._where)
        number = labels.index(label)
        places, times = self.array(f"places_{number}", "iu"), self.array(f"times_{number}", "f")
        if places.shape != times.shape or ((places < 0) | (places >= size)).any() or not np.isfinite(times).all():
            raise BadJobData(f"the spikes of {label} are of cells that it has not, or at no time", where=self._where)
        return places, times

    def signal(self, label: str, variable: str) -> tuple[float, np.ndarray, np.ndarray]:
        """``(period in ms, time x channel, cell of each channel)`` of a variable that was recorded."""
        stated = self.provenance.get("signals")
        for item in stated if isinstance(stated, list) else []:
            if isinstance(item, Mapping) and (item.get("cells"), item.get("variable")) == (label, variable):
                name, period = str(item.get("array")), item.get("period")
                data, cells = self.array(name, "f"), self.array(f"{name}_cells", "iu")
                if isinstance(period, int | float) and period > 0 and data.ndim == 2 and data.shape[1] == len(cells):
                    return float(period), data, cells
        raise BadJobData(f"the job left no usable {variable} of {label}", where=self._where)


def collect(output: Output, cells: Mapping[str, Cells], plan: LoweredPlan) -> Results:
    """cells: those that are no sources, by label."""
    ids, times = dict[str, list[np.ndarray]](), dict[str, list[np.ndarray]]()
    for label, item in cells.items():
        places, when = output.spikes(label, item.size)
        kept = when <= plan.duration + 1e-9
        ids.setdefault(item.population, []).append(item.ids[places[kept]])
        times.setdefault(item.population, []).append(when[kept])
    spikes: dict[str, Spikes] = {
        name: sorted_spikes(name, np.concatenate(ids[name]), np.concatenate(times[name])) for name in ids
    }
    facts = {key: value for key, value in output.provenance.items() if key not in ("spikes", "signals", "level")}
    return Results(
        spikes=spikes,
        traces=tuple(_traces(output, cells, plan)),
        nodes={name: _nodes(name, cells) for name in ids},
        duration=plan.duration,
        level=EXECUTES,
        provenance={"job": facts},
    )


def _nodes(population: str, cells: Mapping[str, Cells]) -> np.ndarray:
    """Ids of the cells of a population that ran, in the order of their rows."""
    mine = [item for item in cells.values() if item.population == population]
    order = np.argsort(np.concatenate([item.rows for item in mine]))
    return np.concatenate([item.ids for item in mine])[order]


def _traces(output: Output, cells: Mapping[str, Cells], plan: LoweredPlan) -> Iterator[Trace]:
    groups: dict[tuple[str, str], list[Recorder]] = {}
    for recorder in plan.recorders:
        groups.setdefault((recorder.report, cells[recorder.cells].population), []).append(recorder)
    for (report, population), recorders in groups.items():
        first = recorders[0]
        for number, (name, _, unit) in enumerate(first.variables):
            data = np.concatenate([_samples(output, item, number) for item in recorders], axis=1)
            rows = np.concatenate([cells[item.cells].rows[item.targets] for item in recorders])
            nodes = np.concatenate([cells[item.cells].ids[item.targets] for item in recorders])
            order = np.argsort(rows)
            columns = np.ascontiguousarray(data[:, order])
            yield Trace(report, population, name, unit, columns, nodes[order], first.start, first.interval)


def _samples(output: Output, recorder: Recorder, number: int) -> np.ndarray:
    """``time x cell`` of one variable, from the report's start to before its end."""
    period, data, channels = output.signal(recorder.cells, recorder.variables[number][1])
    place = {int(cell): column for column, cell in enumerate(channels)}
    missing = [int(cell) for cell in recorder.targets if int(cell) not in place]
    if missing:
        raise BadJobData(f"the job recorded nothing of cells {missing[:5]} of {recorder.cells}")
    first, every, last = (round(time / period) for time in (recorder.start, recorder.interval, recorder.stop))
    return data[first:last:every, [place[int(cell)] for cell in recorder.targets]]
