"""PyNN's standard models as the recording backend has them: every parameter under its own name and in PyNN's units."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, ClassVar

from pyNN import standardmodels
from pyNN.standardmodels import build_translations, cells, ion_channels, receptors, synapses

from pynn_io.errors import UnsupportedInput
from pynn_io.importers.pynn_capture import on_spinnaker
from pynn_io.importers.pynn_capture.simulator import state


def _same(names: Any) -> dict[str, Any]:
    """Translations of parameters into themselves."""
    return build_translations(*((name, name) for name in names))


def _derived(base: type, extra: dict[str, Any] | None = None, bases: tuple[type, ...] = ()) -> type:
    """A class of the same name with translations into itself."""
    members = {"translations": _same(base.default_parameters), "__doc__": base.__doc__}  # type: ignore[attr-defined]
    return type(base.__name__, (*bases, base), {**members, "__module__": __name__, **(extra or {})})


def _check_weights(weights: Any, projection: Any) -> None:
    """PyNN's check of signs, but of weights that are sizes to the backend that the script is for."""
    if not on_spinnaker.has_sizes(projection):
        standardmodels.check_weights(weights, projection)


class Cell:
    """A model that takes its parameters by name, or as sPyNNaker's does."""

    def __init__(self, *values: Any, **parameters: Any) -> None:
        super().__init__(**on_spinnaker.take_arguments(type(self).__name__, values), **parameters)


class Delayed:
    """A synapse that states no delay has the shortest one."""

    presynaptic_type = None
    parameter_checks: ClassVar = {"weight": _check_weights}

    def __init__(self, *arguments: Any, **parameters: Any) -> None:
        on_spinnaker.take_hints("Synapse", parameters)
        super().__init__(*arguments, **parameters)

    def _get_minimum_delay(self) -> float:
        return state.shortest_delay()


def _classes(module: Any, kind: type, skip: tuple[type, ...] = ()) -> list[type]:
    """The models of one kind that a module of PyNN defines."""
    found = (item for item in vars(module).values() if isinstance(item, type) and issubclass(item, kind))
    return [item for item in found if item.__module__ == module.__name__ and item not in skip]


_COMPOSED = (cells.PointNeuron, cells.MultiCompartmentNeuron)


def _receptor(base: type) -> type:
    """A receptor records its conductance or its current."""
    variable = "gsyn" if base.conductance_based else "isyn"  # type: ignore[attr-defined]
    return _derived(base, {"recordable": [variable], "scale_factors": {}})


#: Cells and sources, cell components, receptors, channels, synapses and the rules of plasticity, by name.
MODELS: dict[str, type] = {
    item.__name__: _derived(item, bases=(Cell,)) for item in _classes(cells, standardmodels.StandardCellType, _COMPOSED)
}
MODELS |= {
    item.__name__: _derived(item)
    for item in (
        *_classes(cells, standardmodels.StandardCellTypeComponent),
        *_classes(ion_channels, standardmodels.StandardIonChannelModel),
    )
}
MODELS |= {item.__name__: _receptor(item) for item in _classes(receptors, standardmodels.StandardPostSynapticResponse)}
MODELS |= {
    item.__name__: _derived(item, bases=(Delayed,))
    for item in _classes(synapses, standardmodels.StandardSynapseType, (synapses.STDPMechanism,))
}
MODELS |= {
    item.__name__: _derived(item, {"possible_models": {"captured"}})
    for kind in (standardmodels.STDPTimingDependence, standardmodels.STDPWeightDependence)
    for item in _classes(synapses, kind)
}
#: Short names that backends of PyNN give to receptors.
ALIASES: dict[str, type] = {
    "ExpPSR": MODELS["CondExpPostSynapticResponse"],
    "AlphaPSR": MODELS["CondAlphaPostSynapticResponse"],
    "BetaPSR": MODELS["CondBetaPostSynapticResponse"],
}


class STDPMechanism(Delayed, synapses.STDPMechanism):
    """Spike-timing dependent plasticity, of a rule for times and one for weights."""

    base_translations = _same(("weight", "delay", "dendritic_delay_fraction"))

    def __init__(self, *arguments: Any, backprop_delay: bool = True, **parameters: Any) -> None:
        if not backprop_delay:
            message = "STDPMechanism(backprop_delay=False): PyNN has no synapses that delay neither side's spikes"
            raise UnsupportedInput(message, hint="leave backprop_delay out: spikes of the target are delayed then")
        super().__init__(*arguments, **parameters)

    def _build_translations(self) -> None:
        # PyNN's own adds the rules' names to a mapping that all mechanisms of a script share
        rules = (self.timing_dependence, self.weight_dependence, self.voltage_dependence)
        names = [name for rule in rules if rule for name in rule.default_parameters]
        self.translations = {**self.base_translations, **_same(names)}


class PointNeuron(cells.PointNeuron):
    """A cell put together of a neuron and of named receptors."""

    def translate(self, parameters: Any, copy: bool = True) -> Any:
        """Into itself."""
        return deepcopy(parameters) if copy else parameters

    @property
    def default_parameters(self) -> dict[str, Any]:
        """Of the neuron, and of each receptor as ``receptor.parameter``."""
        found = dict(self.neuron.default_parameters)
        for label, receptor in self.post_synaptic_receptors.items():
            found |= {f"{label}.{name}": value for name, value in receptor.default_parameters.items()}
        return found

    def get_parameter_names(self) -> list[str]:  # type: ignore[override]
        return list(self.default_parameters)

    def has_parameter(self, name: str) -> bool:  # type: ignore[override]
        return name in self.default_parameters

    def get_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = dict(self.neuron.get_schema())
        return schema | {label: receptor.get_schema() for label, receptor in self.post_synaptic_receptors.items()}
