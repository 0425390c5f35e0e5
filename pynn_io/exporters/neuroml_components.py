"""Point cells, spike sources and synapses as NeuroML components that compute the same equations.

The components are values; whoever writes a document turns them into elements, includes the files of ``definitions`` and
says nothing more about them. A model that NeuroML and our own ComponentTypes cannot express gives None, and the report
then says so by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Component:
    """One NeuroML or LEMS component.

    type: NeuroML element name (``IF_curr_alpha``) or the name of one of our ComponentTypes.
    attributes: attribute -> text with its unit.
    definitions: file names in ``pynn_io/vocabulary/lems`` that define ``type``; empty for NeuroML core types.
    """

    id: str
    type: str
    attributes: Mapping[str, str]
    children: tuple[Component, ...] = ()
    definitions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SynapseTranslation:
    """A synapse component and what its weights mean.

    weight_factor: weight in NeuroML = stated weight * sign * nsyns * weight_factor.
    """

    component: Component
    weight_factor: float
