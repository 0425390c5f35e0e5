"""NIR's published equations (docstrings of ``nir.ir.neuron`` 1.0.8), integrated by themselves: nothing of pynn_io.

Between spikes the equations are linear, so each step is exact. Spikes are unit impulses: an event of weight W makes I
jump by ``W w_in / tau_syn`` (CubaLIF) or v by ``W R / tau`` (LIF). Events lie on the grid of the steps.
"""

from __future__ import annotations

import nir
import numpy as np


def spikes(
    graph: nir.NIRGraph, trains: dict[str, list[list[float]]], start: float, dt: float, duration: float
) -> dict[str, np.ndarray]:
    """``(neuron, time)`` rows by node; trains: spike times by neuron of each Input; start: v at 0, which NIR leaves
    open. All nodes are of one dimension."""
    steps = round(duration / dt)
    neurons = {name: node for name, node in graph.nodes.items() if isinstance(node, nir.LIF | nir.CubaLIF)}
    fired = {name: np.zeros((steps + 1, len(node.r)), bool) for name, node in neurons.items()}
    for name, times in trains.items():
        fired[name] = np.zeros((steps + 1, len(times)), bool)
        for neuron, own in enumerate(times):
            fired[name][np.rint(np.asarray(own) / dt).astype(int), neuron] = True
    before = {name: [source for source, target in graph.edges if target == name] for name in graph.nodes}

    def arriving(name: str, step: int) -> np.ndarray:
        """The impulses that leave a node at a step."""
        node = graph.nodes[name]
        if name in fired:
            return fired[name][step].astype(float) if step >= 0 else np.zeros(fired[name].shape[1])
        if isinstance(node, nir.Delay):
            late = np.rint(node.delay / dt).astype(int)
            return sum(np.array([arriving(each, step - d)[i] for i, d in enumerate(late)]) for each in before[name])
        return node.weight @ sum(arriving(each, step) for each in before[name])

    v = {name: np.full(len(node.r), start) for name, node in neurons.items()}
    current = {name: np.zeros(len(node.r)) for name, node in neurons.items()}
    return _run(neurons, before, arriving, fired, v, current, dt, steps)


def _run(neurons, before, arriving, fired, v, current, dt, steps):  # type: ignore[no-untyped-def]
    for step in range(1, steps + 1):
        for name, node in neurons.items():
            tau = node.tau if isinstance(node, nir.LIF) else node.tau_mem
            leak = np.exp(-dt / tau)
            v[name] = node.v_leak + (v[name] - node.v_leak) * leak
            if isinstance(node, nir.CubaLIF):
                decay = np.exp(-dt / node.tau_syn)
                v[name] += node.r * current[name] * node.tau_syn / (node.tau_syn - tau) * (decay - leak)
                current[name] = current[name] * decay
        for name, node in neurons.items():
            impulse = sum((arriving(each, step) for each in before[name]), np.zeros(len(node.r)))
            if isinstance(node, nir.CubaLIF):
                current[name] += impulse * node.w_in / node.tau_syn
            else:
                v[name] += impulse * node.r / node.tau
        for name, node in neurons.items():
            fired[name][step] = v[name] > node.v_threshold
            v[name] = np.where(fired[name][step], node.v_reset, v[name])
    return {name: np.column_stack(np.nonzero(fired[name])[::-1]) * [1, dt] for name in neurons}
