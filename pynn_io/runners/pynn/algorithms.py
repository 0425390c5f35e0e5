"""How the simulator behind a backend of PyNN integrates its cells, as far as that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pynn_io.runners.algorithms import UNKNOWN, Algorithm
from pynn_io.runners.nest.algorithms import of_model
from pynn_io.runners.neuron.algorithms import of_membranes
from pynn_io.runners.pynn.build import Built


def algorithms(built: Built) -> Iterator[Algorithm]:
    """Of every population of cells; `UNKNOWN` for a backend that is not asked here."""
    step = float(built.lowered.timestep)
    ask = _BACKENDS.get(built.sim.__name__.rpartition(".")[2], _unknown)
    for item in built.lowered.cells:
        if not item.is_source:
            yield from ask(built.populations[item.label], step)


def _of_nest(population: Any, step: float) -> Iterator[Algorithm]:
    name = population.celltype.nest_name
    yield from of_model(name["on_grid"] if isinstance(name, Mapping) else str(name), step)


def _of_neuron(population: Any, step: float) -> Iterator[Algorithm]:
    return of_membranes()


def _of_brian2(population: Any, step: float) -> Iterator[Algorithm]:
    """PyNN names methods, of which Brian2 takes the first that fits the equations; which one that was it only logs."""
    choice = population.brian2_group.method_choice
    names = [choice] if isinstance(choice, str) else list(choice)
    how = names[0] if len(names) == 1 else f"the first that fits of {', '.join(names)}"
    yield Algorithm(type(population.celltype).__name__, f"Brian2's {how}", step=step)


def _unknown(population: Any, step: float) -> Iterator[Algorithm]:
    yield Algorithm(type(population.celltype).__name__, *UNKNOWN)


_BACKENDS: Mapping[str, Callable[[Any, float], Iterator[Algorithm]]] = {
    "nest": _of_nest,
    "neuron": _of_neuron,
    "brian2": _of_brian2,
}
