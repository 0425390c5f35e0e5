"""What pynn-brainscales takes and refuses, as far as its source says (July 2026); it cannot be installed here.

A test puts it in the place of ``pynn_brainscales.brainscales2``. It runs nothing: each cell spikes once, at 0.01 ms of
the chip.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

RANGES = {
    "v_rest": (50, 160),
    "v_reset": (50, 160),
    "v_thresh": (50, 220),
    "tau_m": (0.5, 60),
    "tau_syn_E": (0.3, 30),
    "tau_syn_I": (0.3, 30),
    "tau_refrac": (0.04, 32),
}
made: dict[str, Any] = {}


def setup() -> None:
    made.update(populations=[], projections=[], duration=None)


class CalibHXNeuronCuba:
    def __init__(self, **parameters: Any) -> None:
        if parameters.keys() != RANGES.keys():
            raise AttributeError(parameters)
        for name, (low, high) in RANGES.items():
            values = np.asarray(parameters[name])
            if (values < low).any() or (values > high).any():
                raise ValueError(f"{name} {values}")
        self.parameters = parameters


class SpikeSourceArray:
    def __init__(self, spike_times: Any) -> None:
        self.parameters = {"spike_times": [np.asarray(times.value) for times in spike_times]}


class StaticSynapse:
    pass


cells = SimpleNamespace(CalibHXNeuronCuba=CalibHXNeuronCuba, SpikeSourceArray=SpikeSourceArray)
synapses = SimpleNamespace(StaticSynapse=StaticSynapse)


class Population:
    def __init__(self, size: int, kind: Any, label: str) -> None:
        self.size, self.kind, self.label = size, kind, label
        made["populations"].append(self)

    def record(self, variables: Any) -> None:
        self.recorded = variables

    def get_data(self) -> Any:
        import neo
        import quantities

        trains = [
            neo.SpikeTrain([0.01] * quantities.ms, t_stop=made["duration"] * quantities.ms, source_index=number)
            for number in range(self.size)
        ]
        return SimpleNamespace(segments=[SimpleNamespace(spiketrains=trains, analogsignals=[])])


class FromListConnector:
    def __init__(self, table: Any, column_names: list[str]) -> None:
        if column_names != ["weight"]:
            raise ValueError("Setting weights and delays: the delay must be 0")
        self.table = table


class Projection:
    def __init__(self, pre: Any, post: Any, connector: Any, synapse: Any, receptor_type: str, label: str) -> None:
        weights = connector.table[:, 2]
        wrong = weights > 0 if receptor_type == "inhibitory" else weights < 0
        if wrong.any() or not np.array_equal(weights, np.rint(weights)):
            raise ValueError(weights)
        self.pre, self.post, self.table, self.receptor = pre, post, connector.table, receptor_type
        made["projections"].append(self)


def run(duration: float) -> None:
    made["duration"] = duration


def end() -> None:
    return None
