"""Cells with extent, of PyNN's multicompartment interface: they keep their parts, and nothing is built of them."""

from __future__ import annotations

from typing import Any

from pyNN import morphology
from pyNN.parameters import ParameterSpace
from pyNN.standardmodels import cells


class MultiCompartmentNeuron(cells.MultiCompartmentNeuron):
    """A cell of a morphology, channels and receptors. parts: what it was made with, by name, as stated."""

    ion_channels: dict[str, Any] = {}  # noqa: RUF012 - scripts set both on the class, as PyNN documents
    post_synaptic_entities: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, **parameters: Any) -> None:
        self.parts = dict(parameters)
        self.parameter_space = ParameterSpace({})

    @property
    def native_parameters(self) -> ParameterSpace:
        """None that differ from cell to cell."""
        return ParameterSpace({})

    @property
    def receptor_types(self) -> tuple[str, ...]:
        return tuple(self.post_synaptic_entities)

    def get_schema(self) -> dict[str, Any]:
        return {}

    def get_parameter_names(self) -> list[str]:  # type: ignore[override]
        return []

    def has_parameter(self, name: str) -> bool:  # type: ignore[override]
        return False

    def can_record(self, variable: str, location: Any = None) -> bool:
        return True


class soma(morphology.MorphologyFilter):
    """The soma."""


def complete_morphology() -> Any:
    """PyNN's own module, with what only its backends add: selectors given as a label, the soma, another spelling."""

    def labelled(self: Any, label: str) -> Any:
        return morphology.with_label(label)

    for kind in (morphology.NeuriteDistribution, morphology.at_distances, morphology.centre):
        kind.get_with_label_selector = labelled
    morphology.soma, morphology.center = soma, morphology.centre
    return morphology
