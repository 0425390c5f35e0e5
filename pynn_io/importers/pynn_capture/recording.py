"""Recorders that note what is recorded, and whose data are empty and well formed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import neo
import numpy as np
import quantities as pq
from pyNN import recording

from pynn_io.importers.pynn_capture import simulator
from pynn_io.importers.pynn_capture.simulator import state


class Recorder(recording.Recorder):
    """Of one population. recorded: which cells, by variable. asked: ms between samples; None where none was asked."""

    _simulator = simulator

    def __init__(self, population: Any, file: Any = None) -> None:
        super().__init__(population, file)
        self.asked: float | None = None

    def _record(self, variable: Any, new_ids: Any, sampling_interval: float | None = None) -> None:
        if sampling_interval is not None:
            self.asked = self.sampling_interval = float(sampling_interval)
        if new_ids:
            state.edited(f"recording of {variable.name} of {self.population.label!r} began")

    def _localize_variables(self, variables: Any, locations: Any) -> list[Any]:
        if locations is None:
            return super()._localize_variables(variables, None)
        names = [variables] if isinstance(variables, str) else variables
        places = [locations] if isinstance(locations, str) or not np.iterable(locations) else locations
        return [recording.Variable(location=place, name=name, label=str(place)) for place in places for name in names]

    def _get_current_segment(self, filter_ids: Any = None, variables: Any = "all", clear: bool = False) -> Any:
        """What was asked for, without a spike or a sample."""
        state.session.note("data")
        segment = neo.Segment(
            name=f"segment{state.segment_counter:03d}",
            description=self.population.describe(),
            rec_datetime=datetime.now(),
        )
        end = state.t * pq.ms
        for variable in list(self.recorded):
            if variables != "all" and variable not in variables:
                continue
            cells = sorted(self.filter_recorded(variable, filter_ids))
            if variable.name == "spikes":
                segment.spiketrains.extend([self._train(cell, end) for cell in cells])
            else:
                segment.analogsignals.append(self._signal(variable, cells))
        for item in (*segment.spiketrains, *segment.analogsignals):
            item.segment = segment
        return segment

    def _train(self, cell: Any, end: Any) -> neo.SpikeTrain:
        where = {"source_population": self.population.label, "source_index": self.population.id_to_index(cell)}
        return neo.SpikeTrain(
            [] * pq.ms, t_start=0 * pq.ms, t_stop=end, channel_id=int(cell), source_id=int(cell), **where
        )

    def _signal(self, variable: Any, cells: list[Any]) -> neo.AnalogSignal:
        units = self.population.celltype.units.get(variable.name, "dimensionless")
        rows = np.array([self.population.id_to_index(cell) for cell in cells], dtype=int)
        return neo.AnalogSignal(
            np.empty((0, len(cells))),
            units="dimensionless" if units == "unknown" else units,
            t_start=0 * pq.ms,
            sampling_period=self.sampling_interval * pq.ms,
            name=variable.name if variable.location is None else f"{variable.label}.{variable.name}",
            source_population=self.population.label,
            channel_ids=np.array([int(cell) for cell in cells], dtype=int),
            array_annotations={"channel_index": rows},
        )

    def _local_count(self, variable: Any, filter_ids: Any = None) -> dict[int, int]:
        state.session.note("data")
        return {int(cell): 0 for cell in self.filter_recorded(variable, filter_ids)}

    def write(self, *_: Any, **__: Any) -> None:
        """Writes nothing: results of an earlier run may stand under that name."""
        state.session.note("write_data")

    def _clear_simulator(self) -> None:
        """There is nothing to clear."""

    def _reset(self) -> None:
        """There is nothing to reset."""
