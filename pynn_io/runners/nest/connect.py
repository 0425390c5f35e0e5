"""Edges into NEST's kernel, in array blocks grouped by synapse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from pynn_io.errors import PlanError, RunError
from pynn_io.lowering import EdgeBlock, edge_blocks
from pynn_io.lowering.connecting import Connecting
from pynn_io.lowering.receptors import used_weights
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.runners.nest.lowered import LEFT_OUT, Link, Lowered, Spec
from pynn_io.runners.nest.synapses import receptors

#: What spikes come from: node numbers by row, and a mask of the target rows (None: all).
Sender: TypeAlias = tuple[np.ndarray, Any]


def strict(value: Any, default: Any) -> Any:
    """The value as the Python type that PyNEST wants, which is that of the default: it takes no numpy scalars."""
    if isinstance(default, np.ndarray):
        return np.atleast_1d(np.asarray(value, dtype=default.dtype))
    return type(default)(value) if isinstance(default, (bool, int, float, str)) else value


class Connector:
    """Connects one projection. Node numbers: 0 for a row that is not there, `LEFT_OUT` for a cell NEST has not."""

    def __init__(self, nest: Any, link: Link, lowered: Lowered, post: np.ndarray, report: Report) -> None:
        self._nest, self._link, self._post, self._report = nest, link, post, report
        self._network = lowered.network
        self._where = f"projection {link.projection.name}"
        self._account = Connecting("NEST", self._where, lowered.timestep)
        self._models = [self._model(spec) for spec in link.specs]

    def _model(self, spec: Spec) -> str:
        """The synapse model; with parameters that all edges share, a copy of it that has them."""
        defaults = self._nest.GetDefaults(spec.model)
        names = [*(name for name, _ in (*spec.parameters, *spec.of_target)), *(name for _, name in spec.columns)]
        unknown = sorted(set(names) - set(defaults))
        if unknown:
            raise RunError(
                f"NEST's {spec.model} has no parameter {', '.join(map(repr, unknown))}",
                where=self._where,
                hint="correct the name, or take it out of the synapse's parameters",
            )
        if not spec.parameters:
            return spec.model
        name = f"{spec.model}_{len(self._nest.synapse_models)}"
        values = {key: strict(value, defaults[key]) for key, value in spec.parameters}
        if "Wmax" in values:
            # NEST refuses a bound whose sign is not that of the weight, be it one that no edge has.
            values["weight"] = values["Wmax"]
        self._nest.CopyModel(spec.model, name, values)
        return name

    def connect(self, senders: Sequence[Sender], progress: Progress) -> int:
        """All edges whose ends are there; how many. Raises PlanError for a delay that NEST cannot have."""
        projection, made = self._link.projection, 0
        for block in edge_blocks(projection, self._network, self._report, self._link.names):
            post = self._post[block.target]
            for ids, mask in senders:
                made += self._connect(block, ids[block.source], post, mask)
            progress(f"connecting {projection.name}", block.stop, projection.size)
        self._account.tell(self._report)
        return made

    def _connect(self, block: EdgeBlock, pre: np.ndarray, post: np.ndarray, mask: Any) -> int:
        here = (pre > 0) & (post > 0)
        if mask is not None:
            here &= mask[block.target] if isinstance(mask, np.ndarray) else mask
        else:
            self._account.left_out += int(np.count_nonzero((pre == LEFT_OUT) | ((post == LEFT_OUT) & (pre != 0))))
        if block.nsyns is not None:
            here &= block.nsyns > 0
        made = 0
        for number, chosen in self._by_spec(block, here):
            self._one(block, number, chosen, pre, post)
            made += block.size if isinstance(chosen, slice) else len(chosen)
        return made

    def _by_spec(self, block: EdgeBlock, here: np.ndarray) -> Iterator[tuple[int, Any]]:
        """``(number of the spec, its edges)``; a slice where those are all."""
        if len(self._link.specs) == 1:
            if here.all():
                yield 0, slice(None)
            elif here.any():
                yield 0, np.flatnonzero(here)
            return
        spec = self._link.spec_of[block.type, self._link.group[block.target]]
        for number in np.unique(spec[here]).tolist():
            yield number, np.flatnonzero(here & (spec == number))

    def _one(self, block: EdgeBlock, number: int, chosen: Any, pre: np.ndarray, post: np.ndarray) -> None:
        """One call of NEST: edges of one synapse model."""
        spec = self._link.specs[number]
        stated = block.columns.get("receptor")
        ports, inhibitory = receptors(self._link, spec, None if stated is None else stated[chosen], self._where)
        if spec.named is not None:
            ports = self._port(*spec.named)
        weight = used_weights(spec.unit, spec.native, block.weight[chosen], inhibitory)
        nsyns = None if block.nsyns is None else block.nsyns[chosen]
        delay = self._account.filled(block.delay[chosen])
        self._account.steps(delay)  # NEST itself moves delays to a step
        syn: dict[str, Any] = {
            "synapse_model": self._models[number],
            "weight": self._account.multiplied(weight, nsyns, plastic=spec.plastic),
            "delay": delay,
        }
        if np.any(ports):
            syn["receptor_type"] = ports
        for column, name in spec.columns:
            if column in block.columns:
                syn[name] = self._values(spec, column, name, block.columns[column][chosen])
        for name, parameter in spec.of_target:
            syn[name] = self._link.of_target[parameter][block.target[chosen]]
        self._nest.Connect(pre[chosen], post[chosen], "one_to_one", syn)

    def _port(self, receptor: str, model: str) -> int:
        """The port of a receptor by NEST's name; a model without names takes what excites at its only one.

        Raises PlanError for what the model does not have.
        """
        known = self._nest.GetDefaults(model).get("receptor_types", {})
        if receptor in known:
            return int(known[receptor])
        if not known and receptor == "excitatory":
            return 0
        has = ", ".join(map(str, known)) or "excitatory"
        raise PlanError(f"{receptor!r} is no receptor of the model {model}", where=self._where, hint=f"it has: {has}")

    def _values(self, spec: Spec, column: str, name: str, values: np.ndarray) -> np.ndarray:
        """A parameter by edge; the model's own where it is not stated."""
        if not np.ma.isMaskedArray(values):
            return np.asarray(values, dtype=np.float64)
        default = dict(spec.parameters).get(name, self._nest.GetDefaults(spec.model)[name])
        return np.ma.filled(values.astype(np.float64), default)
