"""Projections of the recording backend: connections as columns, never an object an edge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from pyNN import common
from pyNN.space import Space

from pynn_io.importers.pynn_capture import old_calls, on_spinnaker, simulator
from pynn_io.importers.pynn_capture.models import MODELS
from pynn_io.importers.pynn_capture.simulator import state

_ENDS = ("presynaptic_index", "postsynaptic_index")


class Connection(common.Connection):
    """One connection as a script sees it when it asks for one: a place in the columns of its projection."""

    def __init__(self, projection: Projection, number: int) -> None:
        object.__setattr__(self, "_projection", projection)
        object.__setattr__(self, "_number", number)

    def __getattr__(self, name: str) -> Any:
        values = self._projection.named(name)
        return values[self._number] if np.ndim(values) else values

    def __setattr__(self, name: str, value: Any) -> None:
        projection = self._projection
        values = np.array(np.broadcast_to(projection.named(name), len(projection)))
        values[self._number] = value
        projection.columns[name] = projection._given(name, values)
        state.edited(f"{name} of a connection of {projection.label!r}")

    def as_tuple(self, *names: str) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in names)


class Projection(common.Projection):
    """pre_rows, post_rows: int64, indices into the two sides. columns: each parameter, a number or an array.

    Weights have PyNN's sign; a script for sPyNNaker, to which some are sizes, gives and gets sizes.
    location: the connector's choice of places on the target cells, None where it has none.
    """

    _simulator = simulator
    _static_synapse_class = MODELS["StaticSynapse"]

    def __init__(
        self,
        presynaptic_population: Any,
        postsynaptic_population: Any,
        connector: Any = None,
        synapse_type: Any = None,
        source: Any = None,
        receptor_type: Any = None,
        space: Any = None,
        label: str | None = None,
        **old: Any,
    ) -> None:
        old_calls.refuse_arguments("Projection", old, old_calls.PROJECTION_ARGUMENTS)
        on_spinnaker.take_hints("Projection", old)
        if old:
            raise TypeError(f"Projection() got an unexpected keyword argument {next(iter(old))!r}")
        super().__init__(
            presynaptic_population,
            postsynaptic_population,
            connector,
            synapse_type,
            source,
            receptor_type,
            Space() if space is None else space,
            label,
        )
        self.location = getattr(connector, "location_selector", None)
        self._blocks: list[tuple[np.ndarray, int, dict[str, Any]]] = []
        connector.connect(self)
        self.pre_rows, self.post_rows, self.columns = _joined(self._blocks)
        self._simplify(getattr(connector, "column_names", None) or ())
        self._has_sizes = on_spinnaker.has_sizes(self)
        self.columns = {name: self._given(name, value) for name, value in self.columns.items()}
        self._blocks = []
        state.session.projections.append(self)
        state.edited(f"projection {self.label!r} was made")

    def _given(self, name: str, value: Any) -> Any:
        """A parameter as it is kept, of one that the script gives."""
        return on_spinnaker.signed(name, value) if self._has_sizes else value

    def _simplify(self, listed: Sequence[str]) -> None:
        """What the synapse type states once is one number, though connectors may spread it. listed: their columns."""
        space = self.synapse_type.parameter_space
        for name, value in self.columns.items():
            once = name in space.keys() and space[name].is_homogeneous and name not in listed  # noqa: SIM118
            if once and np.ndim(value) and len(value) and (value == value[0]).all():
                self.columns[name] = float(value[0])

    def _convergent_connect(
        self, presynaptic_indices: Any, postsynaptic_index: Any, location_selector: Any = None, **parameters: Any
    ) -> None:
        """Connectors call this once for every target cell, with the indices of its sources."""
        self._blocks.append((np.asarray(presynaptic_indices, dtype=np.int64), int(postsynaptic_index), parameters))

    def __len__(self) -> int:
        return len(self.pre_rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [Connection(self, number) for number in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return Connection(self, int(index) % len(self))

    @property
    def connections(self) -> Iterator[Connection]:
        """Every connection; made as they are asked for."""
        return (Connection(self, number) for number in range(len(self)))

    def named(self, name: str) -> Any:
        """A column, or the index of either end, by PyNN's name (``weights`` means ``weight``)."""
        ends = dict(zip(_ENDS, (self.pre_rows, self.post_rows), strict=True))
        for known in (name, name.removesuffix("s")):
            if known in ends:
                return ends[known]
            if known in self.columns:
                return on_spinnaker.sized(known, self.columns[known]) if self._has_sizes else self.columns[known]
        raise AttributeError(f"connections of {self.label!r} have no {name!r}")

    def save(self, attribute_names: Any, file: Any, *arguments: Any, **named: Any) -> None:
        """As PyNN's, before the first run: scripts read such files again. Later it writes nothing: what a run made of
        the weights may stand under that name."""
        if state.session.frozen is not None:
            state.session.note("Projection.save")
            return
        super().save(attribute_names, file, *arguments, **named)

    def get(self, attribute_names: Any, format: Any, *arguments: Any, **named: Any) -> Any:
        """As PyNN's, with the weights as they are at the start."""
        if state.session.frozen is not None and hasattr(self.synapse_type, "timing_dependence"):
            state.session.note("plastic-weights")
        return super().get(attribute_names, format, *arguments, **named)

    def _get_attributes_as_list(self, names: Any) -> list[tuple[Any, ...]]:
        columns = [np.broadcast_to(self.named(name), len(self)).tolist() for name in names]
        return list(zip(*columns, strict=True))

    def _get_attributes_as_arrays(self, names: Any, multiple_synapses: str = "sum") -> list[np.ndarray]:
        merge = {"sum": np.add, "min": np.minimum, "max": np.maximum}.get(multiple_synapses)
        found = []
        for name in names:
            values = np.broadcast_to(self.named(name), len(self)).astype(float)
            matrix = np.full(self.shape, np.nan)
            ends = (self.pre_rows, self.post_rows)
            if merge is None:
                order = slice(None, None, -1 if multiple_synapses == "first" else 1)
                matrix[ends[0][order], ends[1][order]] = values[order]
            else:
                matrix[ends] = {"sum": 0.0, "min": np.inf, "max": -np.inf}[multiple_synapses]
                merge.at(matrix, ends, values)
            found.append(matrix)
        return found

    def _set_attributes(self, parameter_space: Any) -> None:
        for name, value in parameter_space.items():
            if value.is_homogeneous:
                self.columns[name] = self._given(name, value.evaluate(simplify=True))
            else:
                matrix = np.broadcast_to(value.evaluate(simplify=False), self.shape)
                self.columns[name] = self._given(name, matrix[self.pre_rows, self.post_rows])
            state.edited(f"{name} of {self.label!r}")

    def _set_initial_value_array(self, variable: str, initial_value: Any) -> None:
        """States of synapses, by the simulator's names, stand beside their parameters."""
        values = np.asarray(initial_value.evaluate(simplify=True), dtype=np.float64)
        self.columns[variable] = values if values.ndim else float(values)
        state.edited(f"initial value {variable} of {self.label!r}")


def _joined(blocks: list[tuple[np.ndarray, int, dict[str, Any]]]) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """All blocks as columns, in their order. A parameter that is one number everywhere stays one."""
    if not blocks:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), {}
    lengths = [len(sources) for sources, _, _ in blocks]
    source = np.concatenate([sources for sources, _, _ in blocks])
    target = np.repeat(np.array([row for _, row, _ in blocks], dtype=np.int64), lengths)
    columns: dict[str, Any] = {}
    for name in blocks[0][2]:
        values = [parameters[name] for _, _, parameters in blocks]
        scalars = {float(value) for value in values if np.ndim(value) == 0}
        if len(scalars) == 1 and all(np.ndim(value) == 0 for value in values):
            columns[name] = scalars.pop()
        else:
            pairs = zip(values, lengths, strict=True)
            columns[name] = np.concatenate([np.broadcast_to(value, length) for value, length in pairs])
    return source, target, columns
