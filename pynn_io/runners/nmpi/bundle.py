"""A lowered network and plan as one self-contained script, ``run.py``, with what it was made from beside it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import RunError
from pynn_io.graph.columns import EMPTY
from pynn_io.lowering.pynn import Cells, Connections, CurrentSource, Lowered, SynapseType
from pynn_io.lowering.pynn.words import ARRAY
from pynn_io.lowering.trains import Trains
from pynn_io.runners.pynn.build import intervals
from pynn_io.vocabulary.plasticity import STDP, stdp

SCRIPT, PROVENANCE = "run.py", "provenance.json"
COMMAND = f"{SCRIPT} {{system}}"
_EMPTY = 'DATA = ""\n'
_WIDTH = 118


@dataclass(frozen=True, slots=True)
class Setups:
    """Arguments of ``setup``: of every backend, and further ones by backend."""

    common: Mapping[str, Any]
    systems: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A job. script: the text of ``run.py``. digest: SHA-256 of the data in it, which its results name."""

    script: str
    digest: str
    provenance: Mapping[str, Any]

    def write(self, folder: Path) -> None:
        """``run.py`` and ``provenance.json`` in a folder, which may be new. Raises RunError for what cannot be."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / SCRIPT).write_text(self.script, encoding="utf-8")
            (folder / PROVENANCE).write_text(json.dumps(self.provenance, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise RunError(f"the job cannot be written: {error.strerror or error}", where=folder) from error


def bundle(
    lowered: Lowered,
    edges: Sequence[Connections],
    setup: Setups,
    facts: Mapping[str, Any],
    cores: Mapping[str, int] = EMPTY,
) -> Bundle:
    """The job of a lowered network and plan with its connections.

    facts: more for the provenance. cores: neurons a core of SpiNNaker, by label, where that is not its own choice.
    """
    packed = _Words(lowered, edges, setup, cores).packed()
    digest = hashlib.sha256(packed).hexdigest()
    # Lines, so that editors and reviewers can open the file.
    data = "\n".join(textwrap.wrap(base64.b64encode(packed).decode("ascii"), _WIDTH))
    template = files("pynn_io.runners.nmpi").joinpath("script.py").read_text(encoding="utf-8")
    script = template.replace(_EMPTY, f'DATA = """\n{data}\n"""\n', 1)
    provenance = {"digest": digest, "pynn_io_version": version("pynn_io"), "command": COMMAND, **facts}
    return Bundle(script, digest, provenance)


@dataclass(slots=True, eq=False)
class _Words:
    """What the script reads: JSON, and the arrays that it names."""

    lowered: Lowered
    edges: Sequence[Connections]
    setup: Setups
    cores: Mapping[str, int]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def packed(self) -> bytes:
        """An npz archive."""
        words = np.frombuffer(json.dumps(self._words()).encode("utf-8"), dtype=np.uint8)
        file = io.BytesIO()
        arrays: dict[str, Any] = {"words": words, **self.arrays}
        np.savez_compressed(file, **arrays)
        return file.getvalue()

    def _words(self) -> dict[str, Any]:
        network, plan = self.lowered.network, self.lowered.plan
        cells = (*network.cells, *plan.drives)
        sampled = intervals(network.timestep, plan)
        return {
            "duration": plan.duration,
            "setup": dict(self.setup.common),
            "systems": {name: dict(arguments) for name, arguments in self.setup.systems.items()},
            "cores": dict(self.cores),
            "cells": [self._cells(item, plan.trains.get(item.label)) for item in cells],
            "connections": [self._connections(item) for item in self.edges],
            "currents": [self._current(item) for item in plan.currents],
            "spiking": [item.label for item in network.cells if not item.is_source],
            "recorders": [
                {
                    "cells": item.cells,
                    "targets": self._array(item.targets),
                    "variables": [theirs for _, theirs, _ in item.variables],
                    "interval": sampled[item.cells],
                }
                for item in plan.recorders
            ],
        }

    def _array(self, values: np.ndarray) -> str:
        name = f"a{len(self.arrays)}"
        self.arrays[name] = values
        return name

    def _value(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return {"array": self._array(value)}
        if isinstance(value, tuple | list):
            return list(value)
        return value.item() if isinstance(value, np.generic) else value

    def _values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(value) for name, value in values.items()}

    def _cells(self, cells: Cells, trains: Trains | None) -> dict[str, Any]:
        silent = Trains(np.empty(0, dtype=np.int64), np.empty(0))
        given = (trains or silent) if cells.model == ARRAY else None
        return {
            "label": cells.label,
            "model": cells.model,
            "size": cells.size,
            "parameters": {} if given else self._values(cells.parameters),
            "initial": self._values(cells.initial),
            "trains": [self._array(given.rows), self._array(given.times)] if given else [],
        }

    def _connections(self, edges: Connections) -> dict[str, Any]:
        names = list(edges.columns)
        table = np.column_stack([edges.source, edges.target, *edges.columns.values()])
        return {
            "label": edges.label,
            "pre": edges.pre,
            "post": edges.post,
            "receptor": edges.receptor,
            "columns": names,
            "table": self._array(table),
            **self._synapse(edges.synapse),
        }

    def _synapse(self, synapse: SynapseType) -> dict[str, Any]:
        if synapse.model != STDP:
            return {"model": synapse.model, "parameters": self._values(synapse.parameters)}
        parts = stdp(synapse.parameters)
        return {
            "model": STDP,
            "timing": {"model": parts.timing, "parameters": self._values(parts.timing_parameters)},
            "weight": {"model": parts.weight, "parameters": self._values(parts.weight_parameters)},
            "dendritic_delay_fraction": parts.dendritic_delay_fraction,
            "some_weight": parts.some_weight,
        }

    def _current(self, current: CurrentSource) -> dict[str, Any]:
        return {
            "name": current.name,
            "model": current.model,
            "parameters": self._values(current.parameters),
            "cells": current.cells,
            "targets": self._array(current.targets),
        }
