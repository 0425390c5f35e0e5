"""The core component types of NeuroML 2.3 in equations of our own writing, one table a subject.

What they compute is NeuroML's (the ComponentTypes of NeuroML2CoreTypes, documented at docs.neuroml.org); a test holds
names, parameters and dimensions against the installed core types and against jNeuroML's numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from pynn_io.graph.dynamics import ComponentType

_SUBJECTS = ("channels", "densities", "synapses", "inputs", "cells", "pynn_cells")


@cache
def core_types() -> Mapping[str, ComponentType]:
    """Every core type by name."""
    found: dict[str, ComponentType] = {}
    for subject in _SUBJECTS:
        for item in import_module(f"{__name__}.{subject}").TYPES:
            found[item.name] = item
    return MappingProxyType(found)
