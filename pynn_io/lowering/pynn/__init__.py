"""A network and a plan in PyNN's words, for every backend of PyNN: pure, and without PyNN.

`lower` gives a `Lowered`; its edges are made on demand by `connections`. A network alone, which a plan is applied to
later, is `lower_network` and `lower_plan`. `target_of` says what the backends have.
"""

from pynn_io.lowering.pynn.edges import connections, largest_delay
from pynn_io.lowering.pynn.lower import lower, lower_network, lower_setup
from pynn_io.lowering.pynn.plan import lower_plan
from pynn_io.lowering.pynn.targets import MODULES, UNRECORDED, target_of
from pynn_io.lowering.pynn.words import (
    ARRAY,
    POISSON,
    Cells,
    Connections,
    CurrentSource,
    Lowered,
    LoweredNetwork,
    LoweredPlan,
    Recorder,
    Setup,
    SynapseType,
    Target,
)

__all__ = [
    "ARRAY",
    "MODULES",
    "POISSON",
    "UNRECORDED",
    "Cells",
    "Connections",
    "CurrentSource",
    "Lowered",
    "LoweredNetwork",
    "LoweredPlan",
    "Recorder",
    "Setup",
    "SynapseType",
    "Target",
    "connections",
    "largest_delay",
    "lower",
    "lower_network",
    "lower_plan",
    "lower_setup",
    "target_of",
]
