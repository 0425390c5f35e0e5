"""The canonical graph: numpy and the standard library only."""

from pynn_io.graph.biophysics import (
    ChannelDensity,
    ChannelPopulation,
    ConcentrationModel,
    InitialConcentration,
    Junction,
    Law,
    MembraneProperty,
    Opaque,
    Paint,
    Place,
    Profile,
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
from pynn_io.graph.dynamics import Component, ComponentType, Dynamics
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.synapses import Synapse

__all__ = [
    "BLOCK",
    "ArrayChunks",
    "CableCell",
    "Cell",
    "ChannelDensity",
    "ChannelPopulation",
    "ChunkSource",
    "Column",
    "Component",
    "ComponentType",
    "ConcentrationModel",
    "Dynamics",
    "Edges",
    "InitialConcentration",
    "Junction",
    "Law",
    "MembraneProperty",
    "Network",
    "Opaque",
    "Origin",
    "Paint",
    "Place",
    "PointCell",
    "Population",
    "Profile",
    "Projection",
    "ReversalPotential",
    "SpikeSource",
    "Synapse",
    "Table",
    "UnknownCell",
    "text_column",
]
