"""What sPyNNaker's module has beside PyNN's: hints of how cells are placed, and what is no part of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.importers.pynn_capture.simulator import state

#: The backends, by the names under which scripts import them.
NAMES = ("pyNN.spiNNaker", "spynnaker8", "spynnaker.pyNN")
#: What it records of every cell.
_OF_ANY_CELL = ("gsyn_exc", "gsyn_inh")


def _hint(name: str) -> Callable[..., None]:
    """A call that changes where cells are placed, and nothing that they compute."""

    def placed(*_: Any, **__: Any) -> None:
        state.session.note(name)

    placed.__name__ = name
    return placed


class _Outside:
    """A part of the module whose every name is refused, with what to do instead."""

    def __init__(self, part: str, what: str, remedy: str) -> None:
        self._part, self._what, self._remedy = part, what, remedy

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnsupportedInput(f"{self._part}.{name}: {self._what}", hint=self._remedy)


def take_hints(call: str, arguments: dict[str, Any]) -> None:
    """Take arguments out that sPyNNaker's ``call`` has beside PyNN's, if the script is for it."""
    hints = _ARGUMENTS[call] & arguments.keys() if is_used() else set()
    for name in sorted(hints):
        state.session.note(f"{call}({name}=...)")
        del arguments[name]


def attribute(name: str) -> Any:
    """A method that sPyNNaker's populations have beside PyNN's, if the script is for it; None else."""
    return _METHODS.get(name) if is_used() else None


def _get_data(*_: Any, **__: Any) -> np.ndarray:
    """float64 (0, 3): rows of cell, time and value, as ``spinnaker_get_data`` has them."""
    state.session.note("data")
    return np.zeros((0, 3))


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


#: Arguments that place cells, or choose what is read back.
_ARGUMENTS: dict[str, set[str]] = {
    "Population": {
        "additional_parameters",
        "neurons_per_core",
        "n_synapse_cores",
        "splitter",
        "allow_delay_extensions",
    },
    "Projection": {"download_synapses", "partition_id"},
}
_METHODS: dict[str, Callable[..., Any]] = {
    **{name: _hint(name) for name in ("set_max_atoms_per_core", "add_placement_constraint", "set_constraint")},
    "spinnaker_get_data": _get_data,
}
OFFERED: dict[str, Any] = {
    "name": name,
    **{
        call: _hint(call)
        for call in ("set_number_of_neurons_per_core", "set_number_of_synapse_cores", "set_allow_delay_extensions")
    },
    "external_devices": _Outside(
        "external_devices",
        "devices, injected and live spikes are of a machine at work, which a network file does not hold",
        "leave it out, or put a SpikeSourceArray in the place of a SpikeInjector",
    ),
    "extra_models": _Outside(
        "extra_models",
        "sPyNNaker has this model beyond PyNN's, and it is not known here",
        "use a standard model of PyNN",
    ),
}
