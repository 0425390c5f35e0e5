"""Reactions between the states of one channel: where nothing changes, and where LINEAR equations have them start."""

from __future__ import annotations

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.importers.nmodl_forms import Values
from pynn_io.importers.nmodl_system import Equations


def steady_state(equations: Equations, values: Values, **at: float) -> dict[str, float]:
    """Occupancies of the states of a scheme that conserves them, where nothing changes. Raises UnsupportedInput."""
    states = scheme_states(equations)
    matrix = np.zeros((len(states) + 1, len(states)))
    for flow in equations.flows:
        source, target = states.index(flow.left[0][1]), states.index(flow.right[0][1])
        forward, reverse = float(values.of(flow.forward, **at)), float(values.of(flow.reverse, **at))
        for row, sign in ((source, -1.0), (target, 1.0)):
            matrix[row, source] += sign * forward
            matrix[row, target] -= sign * reverse
    matrix[-1] = 1.0
    return _solved(equations, states, matrix, np.append(np.zeros(len(states)), 1.0))


def linear_start(equations: Equations, values: Values, **at: float) -> dict[str, float]:
    """Occupancies that the LINEAR equations of a scheme demand at the start. Raises UnsupportedInput."""
    states = scheme_states(equations)
    none = dict.fromkeys(states, 0.0)
    right = np.array([float(values.of(each, **at, **none)) for each in equations.residuals])
    columns = [
        [float(values.of(each, **at, **{**none, state: 1.0})) for each in equations.residuals] for state in states
    ]
    return _solved(equations, states, np.array(columns).T - right[:, None], -right)


def scheme_states(equations: Equations) -> list[str]:
    return list(dict.fromkeys(name for flow in equations.flows for _, name in (*flow.left, *flow.right)))


def _solved(equations: Equations, states: list[str], matrix: np.ndarray, right: np.ndarray) -> dict[str, float]:
    found, _, rank, _ = np.linalg.lstsq(matrix, right, rcond=1e-15)
    if rank < len(states):
        raise UnsupportedInput(f"{equations.mechanism.name}: its scheme has no single state to start in")
    return dict(zip(states, found.tolist(), strict=True))
