"""Inputs that are components of NeuroML or LEMS, as currents of time alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import ComponentInput
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.evaluate import course
from pynn_io.lowering.grid import Grid
from pynn_io.lowering.types import Types, components_of, types_of


def component_current(
    what: ComponentInput, network: Network, grid: Grid, *, dimensionless: bool = False
) -> np.ndarray | None:
    """Its current in the middle of every step of the run (nA); None for one that depends on more than time.

    dimensionless: whether it may be the pure number ``I`` of NeuroML's abstract cells instead.
    """
    times = (np.arange(grid.nearest(grid.end)) + 0.5) * grid.step
    system = flatten(what.component, types_of(network), components_of(network))
    variable = "I" if dimensionless and "I" in system.gives else "i"
    try:
        return np.array(course(system, variable, times))
    except UnsupportedInput:
        return None


def depends_on_time_alone(component: Component, types: Types, named: Mapping[str, Component]) -> bool:
    """Whether the current of an input can be told beforehand, value by value."""
    try:
        course(flatten(component, types, named), "i", np.zeros(1))
    except UnsupportedInput:
        return False
    return True
