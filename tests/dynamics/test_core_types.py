"""Our core types against NeuroML's own: the names, the parameters and their dimensions."""

from __future__ import annotations

import pytest

from pynn_io.formats.neuroml_schema import types as schema_types
from pynn_io.lowering.types import Types
from pynn_io.units import DIMENSIONS
from pynn_io.vocabulary.core import core_types
from tests.dynamics import official

TYPES = Types()
_ANNOTATIONS = ("rdf", "dc", "baseAnnotation", "baseBq")


def _inherited(name: str, tag: str) -> dict[str, str]:
    found: dict[str, str] = {}
    while name:
        item = official.elements()[name]
        for child in item.iter(f"{{*}}{tag}"):
            found.setdefault(child.get("name"), child.get("dimension", "none"))
        name = item.get("extends", "")
    return found


@pytest.mark.parametrize("name", sorted(core_types()))
def test_a_type_has_the_parameters_and_exposures_of_neuroml(name: str) -> None:
    if name not in official.elements():
        pytest.fail(f"NeuroML has no type {name}")
    ours = TYPES[name]
    assert ours.parameters == {**_inherited(name, "Parameter"), **_inherited(name, "Property")}
    exposures = _inherited(name, "Exposure")
    if name == "alphaCurrSynapse":
        assert exposures.pop("A") == "current"  # NeuroML says so of a state without a dimension
    assert {key: ours.gives.get(key) for key in exposures} == exposures


def test_every_type_that_computes_is_there() -> None:
    """Whatever has equations in NeuroML has them here, but what the graph has other words for."""
    elsewhere = {
        *("annotation", "property", "cell", "cell2CaPools", "species", "segment", "point3DWithDiam", "notes"),
        *("membraneProperties", "membraneProperties2CaPools", "biophysicalProperties", "biophysicalProperties2CaPools"),
        *("intracellularProperties", "intracellularProperties2CaPools", "specificCapacitance"),
        *("channelDensityNonUniform", "channelDensityNonUniformNernst", "channelDensityNonUniformGHK"),
    }
    computing = {name for name, item in official.elements().items() if item.find("{*}Dynamics") is not None}
    missing = {name for name in computing - core_types().keys() - elsewhere if not name.startswith(_ANNOTATIONS)}
    assert not missing


@pytest.mark.parametrize("name", sorted(core_types()))
def test_every_name_has_a_known_dimension(name: str) -> None:
    item = TYPES[name]
    named = {**item.parameters, **item.needs, **item.gives, **item.states}
    named |= {each.name: each.dimension for each in (*item.derived, *item.derived_parameters)}
    named |= {key: dimension for key, (dimension, _) in item.constants.items()}
    assert {key: value for key, value in named.items() if value not in DIMENSIONS} == {}


def test_the_schema_has_the_same_parameters() -> None:
    """What a document may state of a component is what its type computes with."""
    plain = {"none", "fraction", "float", "int", "=0|1"}
    known = {
        name[0].lower() + name[1:] if name not in core_types() else name: item for name, item in schema_types().items()
    }
    for name, item in known.items():
        if name not in core_types():
            continue
        for attribute, kind in item.attributes.items():
            if attribute in TYPES[name].parameters:
                expected = TYPES[name].parameters[attribute]
                shown = {"pertime": "per_time", "rhoFactor": "rho_factor"}.get(kind, kind)
                shown = "conductance_per_voltage" if kind == "conductancePerVoltage" else shown
                assert shown == expected or (kind in plain and expected == "none"), (name, attribute)
