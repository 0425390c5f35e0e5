"""Populations, views and assemblies of the recording backend: parameters and initial values as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyNN import common, errors
from pyNN.parameters import ArrayParameter, LazyArray, ParameterSpace, simplify
from pyNN.standardmodels import StandardCellType

from pynn_io.importers.pynn_capture import native, old_calls, on_spinnaker, simulator
from pynn_io.importers.pynn_capture.recording import Recorder
from pynn_io.importers.pynn_capture.simulator import state


def _flat(values: Any, prefix: str = "") -> dict[str, Any]:
    """The values of an evaluated parameter space; those of a part as ``part.name``."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def _spread(value: Any, size: int) -> np.ndarray:
    """One value a cell; of a list that all cells share, a reference each."""
    if isinstance(value, np.ndarray) and value.shape == (size,):
        return value
    spread = np.empty(size, dtype=object if isinstance(value, ArrayParameter) else np.asarray(value).dtype)
    spread[:] = value
    return spread


def _once(values: np.ndarray) -> Any:
    """One number where all cells have it; lists stay one a cell."""
    return values if values.dtype == object else simplify(values)


def _check_order(spike_times: np.ndarray | None) -> None:
    """Raise InvalidParameterValueError, as PyNN's backends do, for spikes of a source that are not in order.

    PyNN calls a function with the rows of all cells at once. One that takes them for a single row makes one table of
    the times of all, which simulators refuse.
    """
    trains = [] if spike_times is None else spike_times.tolist()
    for times in {id(train): train for train in trains}.values():
        if np.ndim(times.value) > 1:
            raise errors.InvalidParameterValueError(
                "the spike times of a cell are no list of times; a function of the index is called with all of them at "
                "once: lambda i: [Sequence([1.0 + k]) for k in i]"
            )
        if np.any(np.diff(times.value) < 0):
            raise errors.InvalidParameterValueError("Spike times given to SpikeSourceArray must be in increasing order")


class _Cells:
    """What populations and views share. ``_whole``: the population; ``_rows``: the cells' rows in it."""

    _simulator = simulator
    _whole: Any
    _rows: np.ndarray
    label: str

    def __getattr__(self, name: str) -> Any:
        method = on_spinnaker.attribute(name)
        if method is not None:
            return method
        old_calls.refuse_attribute(self, name, old_calls.POPULATION)

    def getSpikes(self, *_: Any, **__: Any) -> Any:
        """What returned an array of ids and times before PyNN 0.8, and is something else there now."""
        raise old_calls.OldCall("getSpikes() is a call of PyNN before 0.8", old_calls.POPULATION["getSpikes"])

    def set(self, *old: Any, **parameters: Any) -> None:
        old_calls.refuse_positional("population.set", old)
        super().set(**parameters)  # type: ignore[misc]

    def initialize(self, *old: Any, **initial_values: Any) -> None:
        """As PyNN's; a view sets those of its population, where PyNN 0.13 raises NotImplementedError."""
        old_calls.refuse_positional("population.initialize", old)
        for variable, value in initial_values.items():
            drawn = LazyArray(value, shape=(len(self._rows),), dtype=float).evaluate(simplify=False)
            whole = self._whole
            if len(self._rows) != whole.size and variable in whole.initial_values:
                values = np.array(whole.initial_values[variable].evaluate(simplify=False))
            else:
                values = np.full(whole.size, np.nan)
            values[self._rows] = drawn
            whole.initial_values[variable] = LazyArray(values, shape=(whole.size,), dtype=float)
            state.edited(f"initial value {variable} of {self.label!r}")

    def _get_parameters(self, *names: str) -> ParameterSpace:
        return self._get_native_parameters(*names)

    def _get_native_parameters(self, *names: str) -> ParameterSpace:
        """Once for all cells where they have the same, as PyNN's backends give it: scripts compare it with a number."""
        for name in names:
            if name not in self._whole.values:
                native.refuse_unknown(self._whole.celltype, name)
        values = {name: _once(self._whole.values[name][self._rows]) for name in names}
        return ParameterSpace(values, shape=(len(self._rows),))

    def _set_parameters(self, parameter_space: ParameterSpace) -> None:
        parameter_space.evaluate(simplify=False)
        given, whole = _flat(parameter_space.as_dict()), self._whole
        if "cm" in given and "tau_m" not in given and state.session.frozen is None:
            state.session.capacities.append(whole)
        for name, value in given.items():
            state.edited(f"{name} of {self.label!r}")
            if name not in whole.values and len(self._rows) != whole.size:
                native.refuse_unknown(whole.celltype, name)
            values = np.array(whole.values.get(name, np.full(whole.size, np.nan)))
            if isinstance(whole.celltype, native.NativeCellType):
                whole.stated = tuple(dict.fromkeys([*whole.stated, name]))
            values[self._rows] = _spread(value, len(self._rows))
            whole.values[name] = values
            _check_order(values if name == "spike_times" else None)

    def _get_view(self, selector: Any, label: str | None = None) -> PopulationView:
        return PopulationView(self, selector, label)

    def record(
        self,
        variables: Any = "spikes",
        to_file: Any = None,
        sampling_interval: Any = None,
        locations: Any = None,
    ) -> None:
        """As PyNN's; no file is written."""
        if to_file is not None and to_file is not True and variables is not None:
            state.session.files.append((self, variables, str(to_file)))
        if variables is not None and on_spinnaker.is_used():
            variables = on_spinnaker.recordable(self._whole.celltype, variables)
        super().record(variables, None, sampling_interval, locations)  # type: ignore[misc]

    def write_data(self, io: Any, *_: Any, **__: Any) -> None:
        """Writes nothing: results of an earlier run may stand under that name."""
        state.session.note("write_data")


class Assembly(common.Assembly):
    """Several populations and views, in order."""

    _simulator = simulator

    def __init__(self, *populations: Any, **label: str) -> None:
        self.named = "label" in label
        super().__init__(*populations, **label)
        state.session.assemblies.append(self)

    @property
    def receptor_types(self) -> list[str]:
        """The receptors that all members have, in the order of the first one's: a projection that names none takes the
        first. PyNN's own order differs from process to process, and with it whether it refuses positive weights."""
        first, *others = (population.celltype.receptor_types for population in self.populations)
        return [name for name in first if all(name in known for known in others)]

    def __getattr__(self, name: str) -> Any:
        old_calls.refuse_attribute(self, name, old_calls.POPULATION)

    def getSpikes(self, *_: Any, **__: Any) -> Any:
        """As of populations."""
        raise old_calls.OldCall("getSpikes() is a call of PyNN before 0.8", old_calls.POPULATION["getSpikes"])

    def set(self, *old: Any, **parameters: Any) -> None:
        old_calls.refuse_positional("assembly.set", old)
        super().set(**parameters)

    def initialize(self, *old: Any, **initial_values: Any) -> None:
        old_calls.refuse_positional("assembly.initialize", old)
        super().initialize(**initial_values)

    def write_data(self, io: Any, *_: Any, **__: Any) -> None:
        """Writes nothing, as of populations."""
        state.session.note("write_data")


class PopulationView(_Cells, common.PopulationView):
    """Some of the cells of a population."""

    _assembly_class = Assembly

    def __init__(self, parent: Any, selector: Any, label: str | None = None) -> None:
        self.named = label is not None
        common.PopulationView.__init__(self, parent, selector, label)
        self._whole = self.grandparent
        self._rows = np.atleast_1d(self.index_in_grandparent(np.arange(self.size)))
        if self.named:
            state.session.views.append(self)

    @property
    def initial_values(self) -> dict[str, Any]:
        """Those of its cells, by variable."""
        found = self._whole.initial_values
        return {
            name: LazyArray(np.asarray(value.evaluate(simplify=False))[self._rows], shape=(self.size,), dtype=float)
            for name, value in found.items()
        }


class Population(_Cells, common.Population):
    """Cells of one type. values: every parameter as an array with a value a cell, in PyNN's units. stated: of a native
    cell, those that the script says; empty of others, which have them all."""

    _recorder_class = Recorder
    _assembly_class = Assembly

    def __init__(
        self,
        size: Any,
        cellclass: Any,
        cellparams: Any = None,
        structure: Any = None,
        initial_values: Any = None,
        label: str | None = None,
        **more: Any,
    ) -> None:
        on_spinnaker.take_hints("Population", more)
        if more:
            raise TypeError(f"Population() got an unexpected keyword argument {next(iter(more))!r}")
        self.values: dict[str, np.ndarray] = {}
        self.stated: tuple[str, ...] = ()
        if isinstance(cellclass, type) and cellparams is None:
            cellparams = {}
        common.Population.__init__(self, size, cellclass, cellparams, structure, initial_values or {}, label)
        state.session.populations.append(self)
        state.edited(f"population {self.label!r} was made")

    def _create_cells(self) -> None:
        numbers = range(state.id_counter, state.id_counter + self.size)
        self.all_cells = np.empty(self.size, dtype=object)
        for row, number in enumerate(numbers):
            self.all_cells[row] = simulator.ID(number)
            self.all_cells[row].parent = self
        state.id_counter += self.size
        self._mask_local = np.ones(self.size, dtype=bool)
        self._whole, self._rows = self, np.arange(self.size)
        if isinstance(self.celltype, StandardCellType):
            space = self.celltype.native_parameters
        else:
            space = self.celltype.translate(self.celltype.parameter_space)
        space.shape = (self.size,)
        space.evaluate(simplify=False)
        self.values = {name: _spread(value, self.size) for name, value in _flat(space.as_dict()).items()}
        self.stated = getattr(self.celltype, "stated", ())
        _check_order(self.values.get("spike_times"))
