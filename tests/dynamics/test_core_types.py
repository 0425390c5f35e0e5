"""Our core types against NeuroML's own: the names, the parameters and their dimensions."""

from __future__ import annotations

import pytest

from pynn_io.formats.neuroml_schema import types as schema_types
from pynn_io.lowering.types import Types
from pynn_io.units import DIMENSIONS
from pynn_io.vocabulary.core import core_types
from tests.dynamics import official

TYPES = Types()


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


#: What is left out on purpose: words about a model, and what the graph has words of its own for.
ELSEWHERE = {
    *("annotation", "baseAnnotation_without_ns", "notes", "property"),
    *("include", "orcid_id", "cell", "cell2CaPools"),
    *("biophysicalProperties", "biophysicalProperties2CaPools", "membraneProperties", "membraneProperties2CaPools"),
    *("intracellularProperties", "intracellularProperties2CaPools", "initMembPotential", "spikeThresh"),
    *("specificCapacitance", "resistivity", "channelDensityNonUniform", "channelDensityNonUniformGHK"),
    *("channelDensityNonUniformNernst", "variableParameter", "inhomogeneousValue", "inhomogeneousParameter"),
    *("species", "morphology", "segment", "segmentGroup"),
    *("proximal", "distal", "proximalDetails", "distalDetails"),
    *("point3DWithDiam", "parent", "member", "path"),
    *("subTree", "from", "to"),
}
#: Namespaces of annotations.
PREFIXES = ("baseBq", "bqbiol_", "bqmodel_", "collex_", "dc_", "dcterms_", "foaf_", "prism_", "rdf_", "rdfs_", "scoro_")


def test_what_is_left_out_is_listed() -> None:
    left = official.elements().keys() - core_types().keys()
    assert {name for name in left if not name.startswith(PREFIXES)} == ELSEWHERE


@pytest.mark.parametrize("name", sorted(core_types()))
def test_a_type_has_the_roles_and_states_of_neuroml(name: str) -> None:
    ours, theirs = TYPES[name], Types(official.types())[name]
    words = ("notes", "annotation", "property")
    for part in ("child", "children", "references", "attachments"):
        expected = {key: value for key, value in getattr(theirs, part).items() if value not in words}
        assert getattr(ours, part) == expected
    assert {key: ours.needs.get(key) for key in theirs.needs} == theirs.needs
    assert set(ours.texts) >= set(theirs.texts)
    as_function = {"i", "I"} & theirs.states.keys() if "delay" in ours.parameters else set()
    assert set(ours.states) == theirs.states.keys() - as_function - {"Sisat"}
    assert ours.extends == theirs.extends


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
