"""From the graph to what a simulator wants, as far as simulators agree: parts of one cell model, used weights, trains.

Steps that more than one target needs. They are pure: columns in, columns out, nothing per edge or cell in Python.
"""

from pynn_io.lowering.cells import Part, parts, rows_of, simulated, sources, targets
from pynn_io.lowering.edges import (
    EdgeBlock,
    UsedWeights,
    edge_blocks,
    effective_weight,
    numbers_of_synapses,
    stated_delays,
)
from pynn_io.lowering.trains import Trains, draw_poisson, poisson_trains, seed_of, trains

__all__ = [
    "EdgeBlock",
    "Part",
    "Trains",
    "UsedWeights",
    "draw_poisson",
    "edge_blocks",
    "effective_weight",
    "numbers_of_synapses",
    "parts",
    "poisson_trains",
    "rows_of",
    "seed_of",
    "simulated",
    "sources",
    "stated_delays",
    "targets",
    "trains",
]
