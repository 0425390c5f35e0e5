"""The text of a PyNN script, statement by statement, and the arrays that it takes from its data file."""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from pynn_io.lowering.pynn import (
    ARRAY,
    Cells,
    Connections,
    CurrentSource,
    Lowered,
    Recorder,
    SynapseType,
)
from pynn_io.lowering.pynn.composed import COMPOSED, parts
from pynn_io.lowering.trains import Trains
from pynn_io.vocabulary.plasticity import STDP, stdp

_HEAD = '''\
"""{name}: a network for any backend of PyNN.

    python {script} nest            or neuron, brian2, or the whole name of a backend module
    python {script} nest results    writes what was recorded into the folder results, a file a population

Written by pynn_io {version}. Arrays stand in {data}, beside this file. ms, mV, nA, nF, uS.
"""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
from pyNN.parameters import ArrayParameter, Sequence

backend = sys.argv[1] if len(sys.argv) > 1 else "nest"
sim = import_module(backend if "." in backend else f"pyNN.{{backend}}")
data = np.load(Path(__file__).with_name("{data}"))

timestep = {timestep!r}
# The least delay is stated, because NEST is late with the spikes of sources where it has to find one. On NEST cells
# fire on steps, or, as is PyNN's own choice, between them, which are other models ("off_grid").
precision = {precision!r}
own = {{
    "pyNN.nest": {{"spike_precision": precision, "rng_seed": {seed}}},
    "pyNN.neuron": {{"native_rng_baseseed": {seed}}},
}}
sim.setup(timestep=timestep, min_delay=timestep, max_delay={max_delay!r}, **own.get(sim.__name__, {{}}))
nest = getattr(sim, "nest", None)  # NEST itself, where it is the backend
if nest is not None and precision == "on_grid":
    # Spikes of sources are meant to be on steps: as exact times, some would be a step late by rounding.
    nest.SetDefaults("spike_generator", {{"precise_times": False, "allow_offgrid_times": True}})


def trains(name):
    """The spike times of every source; NEST has none before the second step."""
    times = data[f"{{name}}_times"]
    if nest is not None:
        times = np.maximum(times, 2 * timestep)
    return [Sequence(part) for part in np.split(times, data[f"{{name}}_starts"])]


def connect(name, pre, post, synapse, receptor, columns=(), label=None):
    """A projection with the connections of the data: source, target, and parameters of each."""
    table = np.column_stack([data[f"{{name}}_{{column}}"] for column in ("source", "target", *columns)])
    connector = sim.FromListConnector(table, column_names=columns)
    return sim.Projection(pre, post, connector, synapse, receptor_type=receptor, label=label or name)


populations = {{}}
'''
#: What `_HEAD` is followed by where there are cells whose potential PyNN 0.13 cannot find in NEST.
_DELTA = """
if nest is not None and not hasattr(sim.IF_curr_delta, "variable_map"):
    sim.IF_curr_delta.variable_map = {"v": "V_m"}  # what NEST calls it, which PyNN does not know
"""
_TAIL = """
if len(sys.argv) > 2:
    Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
    for label, population in populations.items():
        population.write_data(str(Path(sys.argv[2]) / f"{label}.pkl"))
sim.end()
"""


class Script:
    """A script that grows. data: arrays by the names that the text asks for them.

    records: whether spikes are recorded. runs: whether it ends with a run.
    """

    def __init__(self, name: str, lowered: Lowered, *, records: bool, runs: bool) -> None:
        self.data: dict[str, np.ndarray] = {}
        self._name, self._lowered, self._records, self._runs = name, lowered, records, runs
        self._lines: list[str] = []
        self._names: dict[str, str] = {}
        populations = [item.population for item in lowered.network.cells]
        self._labels = {
            item.label: item.population if populations.count(item.population) == 1 else item.label
            for item in lowered.network.cells
        }

    def text(self, script: str, data: str) -> str:
        """The whole script. script, data: names of the files."""
        setup = self._lowered.setup
        head = _HEAD.format(
            name=self._name.replace('"', "'").replace("\\", "/"),
            script=script,
            data=data,
            version=version("pynn_io"),
            timestep=setup.timestep,
            max_delay=setup.max_delay,
            precision=setup.others["spike_precision"],
            seed=self._lowered.seed,
        )
        tail = f"\nsim.run({self._lowered.plan.duration!r})\n{_TAIL}" if self._runs else ""
        if any(cells.model == "IF_curr_delta" for cells in self._lowered.network.cells):
            head += _DELTA + "\n"
        return head + "\n".join(self._lines) + "\n" + tail

    # --- cells ----------------------------------------------------------------------------------------------------

    def population(self, cells: Cells, trains: Trains | None) -> None:
        """One ``Population``."""
        label = self._labels.get(cells.label, cells.label)
        name = self._variable(cells.label, label)
        if cells.model == ARRAY:
            cell = _call(f"    {_class(cells.model)}", {"spike_times": self._trains(name, cells, trains)})
        elif cells.model == COMPOSED:
            cell = self._composed(name, cells.parameters)
        else:
            cell = _call(f"    {_class(cells.model)}", self._values(cells.parameters, name))
        initial = {key: self._value(value, f"{name}_{key}") for key, value in cells.initial.items()}
        recorded = self._lowered.plan.recorded_sources.get(cells.label)
        kept = "" if cells.is_source and recorded is None else f"populations[{quoted(label)}] = "
        lines = [f"{name} = {kept}sim.Population(", f"    {cells.size},"]
        lines += cell
        if initial:
            values = ", ".join(f"{quoted(key)}: {value}" for key, value in initial.items())
            lines.append(f"    initial_values={{{values}}},")
        lines += [f"    label={quoted(label)},", ")"]
        if cells.positions is not None:
            self.data[f"{name}_positions"] = cells.positions
            lines.append(f'{name}.positions = data["{name}_positions"].T')
        if self._records and recorded is not None:
            lines.append(f'{self._some(cells.label, recorded, f"{name}_recorded")}.record("spikes")')
        elif self._records and not cells.is_source:
            lines.append(f'{name}.record("spikes")')
        self._lines += [*lines, ""]

    def _composed(self, name: str, parameters: Mapping[str, Any]) -> list[str]:
        """``PointNeuron(neuron, label=receptor, ...)``."""
        (neuron, own), receptors = parts(parameters)
        lines = ["    sim.PointNeuron(", f"        {_short(f'sim.{neuron}', self._values(own, name), plain=False)},"]
        for label, (kind, values) in receptors.items():
            receptor = _short(f"sim.{kind}", self._values(values, f"{name}_{label}"), plain=False)
            lines.append(f"        {label}={receptor},")
        return [*lines, "    ),"]

    def _values(self, parameters: Mapping[str, Any], name: str) -> dict[str, str]:
        return {key: self._value(value, f"{name}_{key}") for key, value in parameters.items()}

    def _trains(self, name: str, cells: Cells, trains: Trains | None) -> str:
        rows, times = (np.empty(0, dtype=np.int64), np.empty(0)) if trains is None else (trains.rows, trains.times)
        self.data[f"{name}_times"] = times
        self.data[f"{name}_starts"] = np.searchsorted(rows, np.arange(1, cells.size))
        return f'trains("{name}")'

    def _variable(self, key: str, label: str) -> str:
        """A name of Python for something."""
        name = re.sub(r"\W+", "_", label, flags=re.ASCII).strip("_") or "part"
        name = f"p_{name}" if name[0].isdigit() or keyword.iskeyword(name) or name in _TAKEN else name
        used = set(self._names.values())
        found = name
        while found in used:
            found = f"{name}_{len(used)}"
        self._names[key] = found
        return found

    def _value(self, value: Any, key: str) -> str:
        """A number, a list that is one value of a cell, or an array of the data."""
        if isinstance(value, (tuple, list)):
            return f"ArrayParameter({[float(item) for item in value]!r})"
        if not isinstance(value, np.ndarray):
            return _number(value)
        self.data[key] = value
        return f'data["{key}"]' if value.ndim < 2 else f'[ArrayParameter(row) for row in data["{key}"]]'

    # --- connections ----------------------------------------------------------------------------------------------

    def projection(self, edges: Connections) -> str:
        """One ``Projection``: what is the same for all of its edges stands in the synapse type. Returns its label."""
        label = edges.label.removesuffix("-0") if edges.projection else edges.label
        name = self._variable(f"edges {edges.label}", label)
        shared, columns = {}, []
        self.data |= {f"{name}_source": edges.source, f"{name}_target": edges.target}
        for column, values in edges.columns.items():
            if (values == values[0]).all():
                shared[column] = _number(float(values[0]))
            else:
                columns.append(column)
                self.data[f"{name}_{column}"] = values
        pre, post = self._names[edges.pre], self._names[edges.post]
        lines = [
            "connect(",
            f"    {quoted(name)},",
            f"    {pre},",
            f"    {post},",
            *self._synapse(edges.synapse, name, shared),
        ]
        lines.append(f"    {quoted(edges.receptor)},")
        lines += [f"    [{', '.join(map(quoted, columns))}],"] if columns else []
        if name == label or edges.label != f"{edges.projection}-0":
            label = name
        else:
            lines.append(f"    label={quoted(label)},")
        self._lines += [*lines, ")", ""]
        return label

    def _synapse(self, synapse: SynapseType, name: str, shared: Mapping[str, str]) -> list[str]:
        if synapse.model != STDP:
            own = {key: self._value(value, f"{name}_{key}") for key, value in synapse.parameters.items()}
            return _call(f"    {_synapse_class(synapse.model)}", {**own, **shared})
        parts = stdp(synapse.parameters)
        stated = {
            "timing_dependence": _short(f"sim.{parts.timing}", parts.timing_parameters),
            "weight_dependence": _short(f"sim.{parts.weight}", parts.weight_parameters),
            "dendritic_delay_fraction": repr(parts.dendritic_delay_fraction),
            **({"weight": repr(parts.some_weight)} if parts.some_weight else {}),
        }
        return _call("    sim.STDPMechanism", {**stated, **shared})

    # --- the plan -------------------------------------------------------------------------------------------------

    def plan(self) -> None:
        """Currents and recordings."""
        for number, current in enumerate(self._lowered.plan.currents):
            self._current(number, current)
        for number, recorder in enumerate(self._lowered.plan.recorders):
            self._recorder(number, recorder)

    def _current(self, number: int, current: CurrentSource) -> None:
        values = {}
        for key, value in current.parameters.items():
            text = self._value(value, f"current_{number}_{key}")
            values[key] = f"Sequence({text})" if isinstance(value, np.ndarray) else text
        cells = self._some(current.cells, current.targets, f"current_{number}_cells")
        source = _short(f"sim.{current.model}", values, plain=False)
        self._lines += [f"# {_comment(current.name)}", f"{source}.inject_into({cells})", ""]

    def _recorder(self, number: int, recorder: Recorder) -> None:
        cells = self._some(recorder.cells, recorder.targets, f"report_{number}_cells")
        names = ", ".join(quoted(name) for _, name, _ in recorder.variables)
        text = f"{cells}.record([{names}], sampling_interval={recorder.interval!r})"
        self._lines += [f"# {_comment(recorder.report)}", text, ""]

    def _some(self, label: str, targets: np.ndarray, key: str) -> str:
        """A population, or a view of it."""
        name = self._names[label]
        size = next(item.size for item in self._lowered.network.cells if item.label == label)
        if len(targets) == size:
            return name
        self.data[key] = targets
        return f'{name}[data["{key}"]]'


#: Names that the script has for other things.
_TAKEN = frozenset(
    {"sim", "np", "sys", "data", "own", "nest", "trains", "connect", "backend", "timestep", "precision", "populations"}
)


def _class(model: str) -> str:
    dialect, colon, name = model.partition(":")
    if not colon:
        return f"sim.{model}"
    return f"sim.native_cell_type({quoted(name)})" if dialect == "nest" else f"sim.{name}"


def _synapse_class(model: str) -> str:
    native = model.removeprefix("nest:")
    return f"sim.native_synapse_type({quoted(native)})" if native != model else f"sim.{model}"


def _call(head: str, arguments: Mapping[str, str]) -> list[str]:
    """A call, one argument a line where there are several."""
    if len(arguments) < 3:
        return [f"{head}({', '.join(f'{key}={value}' for key, value in arguments.items())}),"]
    return [f"{head}(", *(f"        {key}={value}," for key, value in arguments.items()), "    ),"]


def _short(head: str, arguments: Mapping[str, Any], *, plain: bool = True) -> str:
    texts = (f"{key}={value!r}" if plain else f"{key}={value}" for key, value in arguments.items())
    return f"{head}({', '.join(texts)})"


def _number(value: Any) -> str:
    """A value as Python has it; its numbers that are not finite have no literal."""
    infinite = isinstance(value, float) and not math.isfinite(value)
    return f'float("{value}")' if infinite else repr(value)


def quoted(text: str) -> str:
    """A string of Python in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    return " ".join(text.split())
