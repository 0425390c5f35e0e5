"""Populations of PyNN: cell types, parameters, initial values, positions, annotations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn_io.graph.cells import CableCell, PointCell, SpikeSource
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Population
from pynn_io.graph.schema import PARAMETER, is_extra, unit_of
from pynn_io.graph.stimuli import SpikeTrains
from pynn_io.importers.pynn_objects.cables import Cable, cable_of, is_cable
from pynn_io.importers.pynn_objects.composed import standard_model, standard_values
from pynn_io.importers.pynn_objects.values import column_of, plain, ragged, simple, unpacked
from pynn_io.report import Report
from pynn_io.vocabulary import models

#: What backends of PyNN raise where they cannot give back what a cell type was made with.
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError)
_SPIKES = "spike_times"


def model_of(celltype: Any) -> str:
    """The model of a cell type: a standard cell's own name, ``nest:`` and ``nrn:`` before that of a native one."""
    for place, dialect in (("native", ""), ("nest_model", "nest:")):
        if getattr(celltype, place, None):
            return f"{dialect}{getattr(celltype, place)}"
    mechanism = getattr(celltype, "extra_parameters", {}).get("mechanism_name")
    return f"nrn:{mechanism}" if mechanism else standard_model(celltype) or type(celltype).__name__


def label_column(label: str, name: str) -> dict[str, Column]:
    """A label that is not the name it got."""
    return {} if label == name else {"label": text_column([label], extra=True)}


class Cells:
    """One population as the graph has it. trains: spikes of a source that states them. cable: of a cell with extent."""

    def __init__(self, population: Any, name: str, report: Report) -> None:
        self._source, self._name, self._report = population, name, report
        self._size = int(population.size)
        self._model = model_of(population.celltype)
        self._row = models.known(self._model)
        self._parameters: dict[str, Any] = {}
        self._columns: dict[str, Column] = {}
        self.trains: SpikeTrains | None = None
        self.cable: Cable | None = None
        self._tell_class()
        if is_cable(population.celltype):
            self.cable = cable_of(population, name, report)
        else:
            self._read()

    def _tell_class(self) -> None:
        """Report a cell that a class of the script's own builds in NEURON (``native-class``)."""
        celltype = self._source.celltype
        own = isinstance(getattr(celltype, "model", None), type) and not hasattr(celltype, "translations")
        self._report.lost(
            "native-class",
            f"population {self._name}",
            "The cell is a class of Python, which builds it in NEURON: its name and parameters are kept, and nothing "
            "of what it builds.",
            count=self._size if own and ":" not in self._model else 0,
            examples=[self._model],
        )

    @property
    def cell(self) -> PointCell | SpikeSource | CableCell:
        """The definition; what differs from cell to cell is in `population`."""
        if self.cable is not None:
            return self.cable.cell
        source = self._row.kind == "source" if self._row is not None else not self._source.celltype.injectable
        return (SpikeSource if source else PointCell)(self._model, self._parameters)

    @property
    def population(self) -> Population:
        """Positions, parameters and initial values that differ, and annotations as columns."""
        types = {"cell": text_column([self._name])} | label_column(str(self._source.label), self._name)
        columns = dict(self._columns)
        for label, value in dict(getattr(self._source, "annotations", {})).items():
            self._annotate(label, value, types, columns)
        for axis, values in zip("xyz", self._positions(), strict=False):
            columns[axis] = Column(column_of(values, self._size), unit_of(axis))
        return Population(self._name, self._size, Table(1, types), table=Table(self._size, columns))

    def _positions(self) -> np.ndarray:
        """float64[3, n], um; PyNN makes them when they are first asked for, and none for a grid that does not fit."""
        try:
            return np.asarray(self._source.positions, dtype=np.float64)
        except Exception as error:  # noqa: BLE001 - PyNN raises Exception itself
            self._report.lost(
                "no-positions",
                f"population {self._name}",
                "The structure gives no positions for this number of cells.",
                count=self._size,
                examples=[error],
            )
            return np.empty((0, self._size))

    def _annotate(self, label: str, value: Any, types: dict[str, Column], columns: dict[str, Column]) -> None:
        taken = not is_extra(label) or label in columns
        if simple(value) and not taken:
            types[label] = text_column([value], extra=True) if isinstance(value, str) else Column(value, extra=True)
        elif isinstance(value, (list, np.ndarray)) and np.shape(value) == (self._size,) and not taken:
            array = np.asarray(value)
            text = array.dtype.kind in "UOS"
            columns[label] = text_column(array, extra=True) if text else Column(np.array(array), extra=True)
        else:
            self._report.not_read(
                "annotation",
                f"population {self._name}",
                "An annotation is kept if it is a number, a text, or an array with one of them a cell.",
                examples=[label],
            )

    def _read(self) -> None:
        values = self._values()
        spikes = values.pop(_SPIKES, None)
        if spikes is not None:
            self.trains = _trains(self._name, ragged(spikes, self._size))
        values = standard_values(self._source.celltype, values)
        for label, value in {**values, **self._initial()}.items():
            self._state(label, column_of(value, self._size))

    def _values(self) -> dict[str, Any]:
        celltype = self._source.celltype
        names = list(getattr(self._source, "stated", None) or celltype.get_parameter_names())
        if not names:
            return {}
        try:
            if _asks_cell_by_cell(self._source):
                return _of_nest(self._source)
            return dict(zip(names, self._source.get(names, simplify=False), strict=True))
        except _UNREADABLE as error:
            self._report.approximated(
                "unreadable-parameter",
                f"population {self._name}",
                f"This backend of PyNN cannot give back the parameters of {self._model}; they are those that the cell "
                "type was made with, and changes by set() are not seen.",
                examples=[f"{type(error).__name__}: {error}"],
            )
            return unpacked(celltype.parameter_space, self._size)

    def _initial(self) -> dict[str, Any]:
        """Initial values that are not the model's own."""
        found: dict[str, Any] = {}
        usual: Mapping[str, Any] = self._source.celltype.default_initial_values
        for variable, value in self._source.initial_values.items():
            if hasattr(value.base_value, "lazily_evaluate"):
                self._report.lost(
                    "random-initial-value",
                    f"population {self._name}",
                    "PyNN keeps the distribution of an initial value and not what was drawn from it.",
                    count=self._size,
                    examples=[variable],
                )
                continue
            numbers = np.asarray(value.evaluate(simplify=False), dtype=np.float64)
            known = self._row.parameter(variable) if self._row is not None else None
            own = usual.get(variable) if known is None else known.default
            if not (numbers == own).all():
                found[variable] = numbers
        return found

    def _state(self, label: str, value: Any) -> None:
        if value is None:
            self._report.lost(
                "ragged-parameter",
                f"population {self._name}",
                "A parameter that is a list has other lengths in other cells, which no column can hold.",
                examples=[label],
            )
            return
        value = _scaled(self._model, label, value)
        if isinstance(value, np.ndarray):
            self._columns[PARAMETER + label] = Column(value)
        else:
            self._parameters[label] = value


def _asks_cell_by_cell(population: Any) -> bool:
    """Whether PyNN's ``get`` asks NEST for every parameter of every cell by itself."""
    celltype = population.celltype
    return (
        type(population).__module__.startswith("pyNN.nest")
        and hasattr(celltype, "reverse_translate")
        and not getattr(celltype, "uses_parrot", False)
        and not hasattr(celltype, "post_synaptic_receptors")
    )


def _of_nest(population: Any) -> dict[str, Any]:
    """All parameters with one question to NEST; PyNN's own cell type translates them back."""
    from pyNN.parameters import ParameterSpace

    celltype = population.celltype
    native = celltype.get_native_names()
    stated = population.node_collection.get()  # of given names, NEST asks for one after the other
    arrays = {name: np.atleast_1d(np.asarray(stated[name], dtype=np.float64)) for name in native}
    space = celltype.reverse_translate(ParameterSpace(arrays, shape=(population.size,)))
    space.evaluate(simplify=False)
    return dict(space.as_dict())


def _scaled(model: str, label: str, value: Any) -> Any:
    """PyNN states the times of NEURON's IntFire1 in ms, files of SONATA (and so the vocabulary) in seconds."""
    if model == "nrn:IntFire1" and label in ("tau", "refrac"):
        return np.asarray(value) / 1000.0 if np.ndim(value) else plain(value) / 1000.0
    return value


def _trains(name: str, times: list[np.ndarray]) -> SpikeTrains | None:
    counts = [len(row) for row in times]
    if not sum(counts):
        return None
    rows = np.repeat(np.arange(len(times), dtype=np.int64), counts)
    values = np.concatenate(times)
    return SpikeTrains(name, rows, values[np.lexsort((values, rows))])
