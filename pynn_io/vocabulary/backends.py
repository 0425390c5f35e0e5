"""What each backend makes of every kind of content and of every model: the columns of the support tables that run.

``(level, reason)`` by the keys of `pynn_io.vocabulary.support.ROWS`; one that is not here is exact, and so is whatever
a simulation does not compute with (labels, positions of point cells). A model without a row of its own has that of its
dialect (``nest:``), and a standard model without one is not known to the backend.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

Answer: TypeAlias = tuple[str, str]
Answers: TypeAlias = Mapping[str, Answer]

EXACT: Answer = ("exact", "")


def _no(reason: str, *keys: str) -> dict[str, Answer]:
    return dict.fromkeys(keys, ("no", reason))


def _exact(names: str) -> dict[str, Answer]:
    return dict.fromkeys(names.split(), EXACT)


_OTHER_KIND = "no simulator here knows what such a projection does"
_NO_CABLES = "NEST runs cells without extent"
_NOT_YET = "not translated into NEST's devices yet"

_NEST = {
    **_no(
        _NO_CABLES,
        *("cell:CableCell", "template:hoc", "template", "channel:nmodl:pas", "channel:nmodl", "channel"),
        *("decor:ChannelDensity", "decor:MembraneProperty", "decor:ReversalPotential", "decor:ConcentrationModel"),
        *("decor:Junction", "column:rotation", "column:recenter", "column:section_site", "column:target_sections"),
        "column:distance_range",
    ),
    **_no("the backend has no such cell", "cell:UnknownCell"),
    **_no("gap junctions between NEST's cells are not connected yet", "kind:electrical"),
    **_no(_OTHER_KIND, "kind"),
    **_no(
        _NOT_YET,
        *("stimulus:SynapseReplay", "stimulus:SpontaneousSynapses", "stimulus:ShotNoise", "stimulus:VoltageClamp"),
        *("stimulus:SpontaneousSynapses:rate", "stimulus:VoltageClamp:delayed", "stimulus:PoissonTrains:weight"),
    ),
    **_no("no simulator here has such a stimulus", "stimulus:OtherStimulus"),
}

_NEURON = {
    **_no("its equations are in a language that NEURON does not read", "template", "channel"),
    **_no("the backend has no such cell", "cell:UnknownCell"),
    **_no(_OTHER_KIND, "kind"),
    **_no("no simulator here has such a stimulus", "stimulus:OtherStimulus"),
    **_no(
        "not translated for NEURON yet",
        *("stimulus:SpontaneousSynapses", "stimulus:SpontaneousSynapses:rate", "stimulus:PoissonTrains:weight"),
    ),
}

KINDS: Mapping[str, Answers] = MappingProxyType({"nest": _NEST, "neuron": _NEURON})

#: Standard cells that both backends run, with their synapses.
_STANDARD = (
    "IF_curr_alpha IF_curr_exp IF_curr_delta IF_cond_alpha IF_cond_exp IF_cond_exp_gsfa_grr HH_cond_exp"
    " EIF_cond_exp_isfa_ista EIF_cond_alpha_isfa_ista Izhikevich SpikeSourceArray SpikeSourcePoisson static"
    " StaticSynapse"
)
_NO_MODEL = ("no", "the backend has no model with these equations")

MODELS: Mapping[str, Answers] = MappingProxyType(
    {
        "nest": {
            **_exact(_STANDARD),
            "TsodyksMarkramSynapse": EXACT,
            "nest:": EXACT,
            "nrn:": ("no", "it is a model of NEURON"),
        },
        "neuron": {
            **_exact(_STANDARD),
            "nrn:": EXACT,
            "nest:": ("no", "it is a model of NEST"),
            # What NEST calls a static synapse is any simulator's plain connection.
            "nest:static_synapse": EXACT,
        },
    }
)


def of_kind(key: str, backend: str) -> Answer:
    """The answer for a row of `pynn_io.vocabulary.support.ROWS`."""
    return KINDS[backend].get(key, EXACT)


def of_model(name: str, backend: str) -> Answer:
    """The answer for a cell, source or synapse model; an empty name (a synapse that states none) is exact."""
    if not name:
        return EXACT
    dialect, colon, _ = name.partition(":")
    return MODELS[backend].get(name) or MODELS[backend].get(dialect + colon, _NO_MODEL)
