"""What a script finds in the module of a backend, by name."""

from __future__ import annotations

from typing import Any

import pyNN.network
import pyNN.parameters
import pyNN.random
import pyNN.recording
import pyNN.space
from pyNN import common, errors, random, space
from pyNN.standardmodels import StandardCellType

from pynn_io.importers.pynn_capture import (
    compartments,
    control,
    electrodes,
    native,
    populations,
    projections,
    simulator,
)
from pynn_io.importers.pynn_capture.connectors import CONNECTORS
from pynn_io.importers.pynn_capture.models import ALIASES, MODELS, PointNeuron, STDPMechanism

_STANDARD_CELLS = sorted(label for label, item in MODELS.items() if issubclass(item, StandardCellType))
_CONTROL = (
    *("setup", "end", "run", "run_until", "run_for", "reset", "initialize", "get_current_time", "get_time_step"),
    *("get_min_delay", "get_max_delay", "num_processes", "rank"),
)
record = common.build_record(simulator)


class NativeRNG(random.NumpyRNG):
    """A simulator's own generator; its numbers are drawn by NumPy here."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(seed)
        simulator.state.session.note("NativeRNG")


def record_v(source: Any, filename: str) -> None:
    """Record the membrane potential."""
    record("v", source, filename)


def record_gsyn(source: Any, filename: str) -> None:
    """Record the synaptic conductances."""
    record(["gsyn_exc", "gsyn_inh"], source, filename)


def load_mechanisms(path: str, *_: Any, **__: Any) -> None:
    """Nothing is compiled; the report says where the folder is to be named."""
    simulator.state.session.note("load_mechanisms")


def list_standard_models() -> list[str]:
    """The names of all standard cells and sources."""
    return list(_STANDARD_CELLS)


#: Names and what they are.
OFFERED: dict[str, Any] = {
    **CONNECTORS,
    **MODELS,
    **ALIASES,
    **native.INTEGRATORS,
    **{name: getattr(control, name) for name in _CONTROL},
    **{item.__name__: item for item in (PointNeuron, STDPMechanism)},
    **{name: getattr(native, name) for name in ("NativeCellType", "NativeSynapseType")},
    **{name: getattr(native, name) for name in ("native_cell_type", "native_synapse_type")},
    **{name: getattr(electrodes, name) for name in ("DCSource", "ACSource", "StepCurrentSource", "NoisyCurrentSource")},
    **{name: getattr(populations, name) for name in ("Population", "PopulationView", "Assembly")},
    "Projection": projections.Projection,
    "Network": pyNN.network.Network,
    "Space": pyNN.space.Space,
    "IonicSpecies": pyNN.parameters.IonicSpecies,
    "Sequence": pyNN.parameters.Sequence,
    **{name: getattr(pyNN.random, name) for name in ("NumpyRNG", "GSLRNG", "RandomDistribution")},
    "NativeRNG": NativeRNG,
    "MultiCompartmentNeuron": compartments.MultiCompartmentNeuron,
    "morphology": compartments.complete_morphology(),
    "get_io": pyNN.recording.get_io,
    "errors": errors,
    "random": random,
    "space": space,
    "simulator": simulator,
    "name": simulator.name,
    "create": common.build_create(populations.Population),
    "connect": common.build_connect(
        projections.Projection, CONNECTORS["FixedProbabilityConnector"], MODELS["StaticSynapse"]
    ),
    "set": common.set,
    "record": record,
    "record_v": record_v,
    "record_gsyn": record_gsyn,
    "list_standard_models": list_standard_models,
    "load_mechanisms": load_mechanisms,
}
