"""The canonical graph: numpy and the standard library only."""

from pynn_io.graph.biophysics import (
    ChannelDensity,
    ConcentrationModel,
    Junction,
    MembraneProperty,
    Opaque,
    Paint,
    Place,
    ReversalPotential,
)
from pynn_io.graph.cells import (
    CableCell,
    Cell,
    Origin,
    PointCell,
    SpikeSource,
    UnknownCell,
)
from pynn_io.graph.columns import (
    BLOCK,
    ArrayChunks,
    ChunkSource,
    Column,
    Table,
    text_column,
)
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.synapses import Synapse

__all__ = [
    "BLOCK",
    "ArrayChunks",
    "CableCell",
    "Cell",
    "ChannelDensity",
    "ChunkSource",
    "Column",
    "ConcentrationModel",
    "Edges",
    "Junction",
    "MembraneProperty",
    "Network",
    "Opaque",
    "Origin",
    "Paint",
    "Place",
    "PointCell",
    "Population",
    "Projection",
    "ReversalPotential",
    "SpikeSource",
    "Synapse",
    "Table",
    "UnknownCell",
    "text_column",
]
