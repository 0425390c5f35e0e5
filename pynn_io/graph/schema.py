"""The one table of fields: what a column of the graph is called, its unit, its dtype, and what it means.

It drives validation, the documentation and the ``units`` attributes of written files. A column that is not here is an
extra column (``Column.extra``). Parameters of models are not here: their rows are in `pynn_io.vocabulary`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Field(NamedTuple):
    """One field. ``kind``: ``int``, ``float``, ``text`` or ``bool``; ``per``: the tables it may stand in."""

    unit: str
    kind: str
    per: tuple[str, ...]
    required: bool
    meaning: str


#: Per-cell parameters that override a cell's own stand in population tables under this prefix.
PARAMETER = "parameters:"

_CELL = ("population", "population_types")
_EDGE = ("projection", "projection_types")


def _place(side: str, word: str) -> dict[str, Field]:
    def field(unit: str, kind: str, meaning: str) -> Field:
        return Field(unit, kind, ("projection",), False, f"{word} site: {meaning}")

    return {
        f"{side}_section_id": field("", "int", "section number, in the projection's section order"),
        f"{side}_section_pos": field("1", "float", "fraction along the section, 0 at its start"),
        f"{side}_section_type": field("", "int", "type of the section (1 soma, 2 axon, 3 basal, 4 apical)"),
        f"{side}_segment_id": field("", "int", "segment: of the section (SONATA) or of the cell (NeuroML)"),
        f"{side}_segment_offset": field("um", "float", "distance from the start of the segment"),
        f"{side}_segment_fraction": field("1", "float", "fraction along the segment of the cell (NeuroML)"),
        f"{side}_swc_id": field("", "int", "SWC point number nearest to the site"),
        f"{side}_swc_pos": field("1", "float", "fraction along the SWC point's segment"),
        f"{side}_center_x": field("um", "float", "x on the cell's axis"),
        f"{side}_center_y": field("um", "float", "y on the cell's axis"),
        f"{side}_center_z": field("um", "float", "z on the cell's axis"),
        f"{side}_surface_x": field("um", "float", "x on the cell's surface"),
        f"{side}_surface_y": field("um", "float", "y on the cell's surface"),
        f"{side}_surface_z": field("um", "float", "z on the cell's surface"),
        f"{side}_junction_id": field("", "int", "number that pairs the two halves of a gap junction"),
    }


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "id": Field("", "int", (*_CELL, *_EDGE), False, "identifier in the source; rows are numbered apart from it"),
        "cell": Field("", "text", ("population_types",), True, "name of the cell definition"),
        "synapse": Field("", "text", ("projection_types",), True, "name of the synapse definition"),
        "pre_synapse": Field("", "text", ("projection_types",), False, "component on the presynaptic side (graded)"),
        "weight_unit": Field("", "text", ("projection_types",), False, "unit of the weight: uS, nA, pA, nS, mV or 1"),
        "receptor": Field("", "text", _EDGE, False, "receptor on the target: excitatory, inhibitory, a name or number"),
        "group": Field("", "int", ("population", "projection"), False, "attribute group in the source file"),
        "x": Field("um", "float", _CELL, False, "position of the soma"),
        "y": Field("um", "float", _CELL, False, "position of the soma"),
        "z": Field("um", "float", _CELL, False, "position of the soma"),
        "orientation_w": Field("1", "float", _CELL, False, "rotation quaternion, scalar part"),
        "orientation_x": Field("1", "float", _CELL, False, "rotation quaternion"),
        "orientation_y": Field("1", "float", _CELL, False, "rotation quaternion"),
        "orientation_z": Field("1", "float", _CELL, False, "rotation quaternion"),
        "rotation_angle_xaxis": Field("rad", "float", _CELL, False, "Euler angle, applied third (extrinsic z, y, x)"),
        "rotation_angle_yaxis": Field("rad", "float", _CELL, False, "Euler angle, applied second"),
        "rotation_angle_zaxis": Field("rad", "float", _CELL, False, "Euler angle, applied first"),
        "recenter": Field("", "int", _CELL, False, "0: keep the morphology's own origin"),
        "morphology": Field("", "text", _CELL, False, "name of the cell's own morphology"),
        "weight": Field("", "float", _EDGE, False, "strength as stated, in the type's weight_unit"),
        "delay": Field("ms", "float", _EDGE, False, "from the spike to its effect"),
        "nsyns": Field("", "int", _EDGE, False, "number of synapses that one edge stands for"),
        "weight_function": Field("", "text", _EDGE, False, "named rule that turns the stated weight into the used one"),
        "weight_sigma": Field("", "float", _EDGE, False, "width parameter of the weight function"),
        "target_sections": Field("", "text", _EDGE, False, "where synapses are placed at run time: list of regions"),
        "distance_range": Field("um", "text", _EDGE, False, "where synapses are placed at run time: path distance"),
        **_place("afferent", "postsynaptic"),
        **_place("efferent", "presynaptic"),
    }
)


def unit_of(name: str) -> str:
    """The unit of a schema field; the empty string for extras."""
    field = FIELDS.get(name)
    return field.unit if field else ""


def is_extra(name: str) -> bool:
    """Whether a column of this name is outside the schema."""
    return name not in FIELDS and not name.startswith(PARAMETER)
