"""What sPyNNaker's module has beside PyNN's: hints of how cells are placed, and what is no part of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pyNN import space

from pynn_io.errors import UnsupportedInput
from pynn_io.importers.pynn_capture.simulator import state

#: The backends, by the names under which scripts import them.
NAMES = ("pyNN.spiNNaker", "spynnaker8", "spynnaker7.pyNN", "spynnaker.pyNN")
#: The packages on which sPyNNaker stands, which scripts take placements and exceptions from.
TOOLS = ("pacman", "spinn_front_end_common", "spinn_machine", "spinn_utilities", "spinnman", "data_specification")
WITHOUT_TOOLS = "leave out what places cells on a machine, or install the release of sPyNNaker that the script is for"
#: What it records of every cell.
_OF_ANY_CELL = ("gsyn_exc", "gsyn_inh", "packets-per-timestep", "rewiring")
#: What of a projection is a size there: its receptor alone says whether it inhibits.
_SIZES = ("weight", "w_min", "w_max")


def _hint(name: str) -> Callable[..., None]:
    """A call that changes where cells are placed, and nothing that they compute."""

    def placed(*_: Any, **__: Any) -> None:
        state.session.note(name)

    placed.__name__ = name
    return placed


class _Outside:
    """A part of the module whose names are refused, with what to do instead. idle: those that change no network."""

    def __init__(self, part: str, what: str, remedy: str, idle: dict[str, Any] | None = None) -> None:
        self._part, self._what, self._remedy, self._idle = part, what, remedy, idle or {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self._idle:
            return self._idle[name]
        raise UnsupportedInput(f"{self._part}.{name}: {self._what}", hint=self._remedy)


class _Listener:
    """A connection to a machine at work: spikes that are sent to it never come, whatever it is told to do with them."""

    def __init__(self, *_: Any, **__: Any) -> None:
        state.session.note("SpynnakerLiveSpikesConnection")

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)
        return _hint(f"SpynnakerLiveSpikesConnection.{name}")


def take_hints(call: str, arguments: dict[str, Any]) -> None:
    """Take arguments out that sPyNNaker's ``call`` has beside PyNN's, if the script is for it."""
    hints = _ARGUMENTS[call] & arguments.keys() if is_used() else set()
    for name in sorted(hints):
        state.session.note(f"{call}({name}=...)")
        del arguments[name]


def take_arguments(model: str, values: tuple[Any, ...]) -> dict[str, Any]:
    """Parameters that a model of sPyNNaker takes by position, by name. Raises TypeError where PyNN takes none."""
    names = _POSITIONS.get(model, ()) if is_used() else ()
    if len(values) > len(names):
        raise TypeError(f"{model}() takes its parameters by name, and got {len(values)} without one")
    return dict(zip(names, values, strict=False))


def has_sizes(projection: Any) -> bool:
    """Whether weights of a projection are sizes, which PyNN's other backends want to be negative."""
    return is_used() and projection.receptor_type == "inhibitory" and not projection.post.conductance_based


def signed(name: str, value: Any) -> Any:
    """A parameter of a projection whose weights are sizes, with the sign that PyNN gives to currents that inhibit."""
    if name not in _SIZES:
        return value
    return 0.0 - np.abs(value) if np.ndim(value) else 0.0 - abs(float(value))


def sized(name: str, value: Any) -> Any:
    """The way back of `signed`."""
    return np.abs(value) if name in _SIZES else value


def attribute(name: str) -> Any:
    """A method that sPyNNaker's populations have beside PyNN's, if the script is for it; None else."""
    return _METHODS.get(name) if is_used() else None


def _get_data(*_: Any, **__: Any) -> np.ndarray:
    """float64 (0, 3): rows of cell, time and value, as ``spinnaker_get_data`` has them."""
    state.session.note("data")
    return np.zeros((0, 3))


def _empty(columns: int) -> Callable[..., np.ndarray]:
    """A conversion of data into rows of so many columns, of which there are none."""

    def converted(*_: Any, **__: Any) -> np.ndarray:
        state.session.note("data")
        return np.zeros((0, columns))

    return converted


def _none(*_: Any, **__: Any) -> int:
    """How many spikes there are."""
    state.session.note("data")
    return 0


def part_of(fullname: str) -> str:
    """What a module is called within sPyNNaker's; empty for that itself and for modules of others."""
    for name in NAMES:
        if fullname.startswith(f"{name}."):
            return fullname[len(name) + 1 :]
    return ""


def of_part(part: str, name: str) -> Any:
    """What a script finds in a part of sPyNNaker. Raises UnsupportedInput for what a network has no place for."""
    if name.startswith("__") or name in _MODULES:
        raise AttributeError(name)
    head, tail = part.split(".")[0], part.split(".")[-1]
    if head in ("external_devices", "extra_models"):
        return getattr(OFFERED[head], name)
    if tail == "neo_convertor" and name in _CONVERSIONS:
        return _CONVERSIONS[name]
    if head == "extra_algorithms":
        return _hint(name)
    raise UnsupportedInput(f"{part}.{name}: {_WORKS}", hint=_REMEDY_OF_WORKS)


def refuse(name: str) -> None:
    """Raise UnsupportedInput for what sPyNNaker's module has and no network file can hold."""
    for names, what, remedy in _REFUSED:
        if name in names:
            raise UnsupportedInput(f"{name}: {what}", hint=remedy)


def is_used() -> bool:
    """Whether the script has imported sPyNNaker."""
    return any(backend in NAMES for backend in state.backends)


def recordable(cell_type: Any, variables: Any) -> list[str]:
    """What PyNN records of it. sPyNNaker knows ``"all"``, and conductances of cells that have currents."""
    if variables == "all":
        return list(cell_type.recordable)
    asked = [variables] if isinstance(variables, str) else list(variables)
    absent = [variable for variable in asked if variable in _OF_ANY_CELL and variable not in cell_type.recordable]
    state.session.unrecorded += [f"{variable} of {type(cell_type).__name__}" for variable in absent]
    return [variable for variable in asked if variable not in absent]


def name() -> str:
    """As sPyNNaker's, where PyNN's own backends have none."""
    return "SpiNNaker"


#: Arguments that place cells, that say how the chip computes, or choose what is read back.
_ARGUMENTS: dict[str, set[str]] = {
    "Population": {
        *("additional_parameters", "neurons_per_core", "n_synapse_cores", "splitter", "allow_delay_extensions"),
        *("spikes_per_second", "ring_buffer_sigma", "max_expected_summed_weight", "incoming_spike_buffer_size"),
        *("drop_late_spikes", "seed", "n_colour_bits", "max_rate", "n_steps_per_timestep"),
    },
    "Projection": {"download_synapses", "partition_id"},
    "Connector": {"verbose"},
    "Synapse": {"pad_to_length"},
}
#: Parameters in the order in which its models take them.
_POSITIONS: dict[str, tuple[str, ...]] = {
    "SpikeSourceArray": ("spike_times",),
    "SpikeSourcePoisson": ("rate", "start", "duration"),
}
_METHODS: dict[str, Callable[..., Any]] = {
    **{name: _hint(name) for name in ("set_max_atoms_per_core", "add_placement_constraint", "set_constraint")},
    "spinnaker_get_data": _get_data,
}
#: Modules that scripts import from a package of sPyNNaker's: its import system looks for them once no name is there.
_MODULES = ("neo_convertor", "splitter_components")
#: Of its ``neo_convertor``: rows of cell and time, or of cell, time and value.
_CONVERSIONS: dict[str, Callable[..., Any]] = {
    **{name: _empty(2) for name in ("convert_spikes", "convert_spiketrains")},
    **{name: _empty(3) for name in ("convert_data", "convert_analog_signal")},
    **dict.fromkeys(("count_spikes", "count_spiketrains"), _none),
}
_WORKS = "this is of sPyNNaker's own works, and not of a network"
_REMEDY_OF_WORKS = "leave it out, or use what PyNN itself has"
_LIST = "a FromListConnector takes its connections as a list, and StaticSynapse their weights and delays"
#: Names of its module, what is wrong with them here, and what to do instead.
_REFUSED: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        (
            *("StructuralMechanismStatic", "StructuralMechanismSTDP", "RandomByWeightElimination"),
            *("LastNeuronSelection", "RandomSelection", "DistanceDependentFormation"),
        ),
        "a network file has no connections that come and go while it runs (structural plasticity)",
        "use StaticSynapse, or STDPMechanism, with the connections that there are to begin with",
    ),
    (("KernelConnector",), "sPyNNaker has this connector beyond PyNN's, and it is not known here", _LIST),
    (
        ("ConvolutionConnector", "Convolution", "PoolDenseConnector", "PoolDense"),
        "sPyNNaker computes these connections on the chip, and they are not known here",
        _LIST,
    ),
    (("get_machine",), "there is no machine while a script is read", "leave it out"),
)
OFFERED: dict[str, Any] = {
    "name": name,
    **{item: getattr(space, item) for item in ("Line", "Grid2D", "Grid3D", "Cuboid", "Sphere", "RandomStructure")},
    "distance": space.distance,
    **{
        call: _hint(call)
        for call in ("set_number_of_neurons_per_core", "set_number_of_synapse_cores", "set_allow_delay_extensions")
    },
    "external_devices": _Outside(
        "external_devices",
        "devices, injected and live spikes are of a machine at work, which a network file does not hold",
        "leave it out, or put a SpikeSourceArray in the place of a SpikeInjector",
        {
            **{
                call: _hint(call)
                for call in (
                    *("activate_live_output_for", "add_database_socket_address"),
                    "register_database_notification_request",
                )
            },
            "SpynnakerLiveSpikesConnection": _Listener,
        },
    ),
    "extra_models": _Outside(
        "extra_models",
        "sPyNNaker has this model beyond PyNN's, and it is not known here",
        "use a standard model of PyNN",
    ),
}
