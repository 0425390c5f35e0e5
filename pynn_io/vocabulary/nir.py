"""What a NIR file can hold: the column of the support tables.

Its primitives say membranes, matrices and delays. What else a cell or a connection states rides along as metadata of
its node, which NIR asks readers not to rely on: only pynn_io reads it, and only where the node still says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

Answer: TypeAlias = tuple[str, str]

EXACT: Answer = ("exact", "")
_NOTED: Answer = ("approximate", "kept as metadata of the node, which only pynn_io reads")
_NO_PLACE: Answer = ("no", "NIR has point cells, matrices of weights and delays, and no place for anything else")
_NO_PLAN: Answer = ("no", "NIR says what a network is, and nothing of a run")
_NO_MODEL: Answer = ("no", "NIR has no primitive with these equations")
_NO_PLASTICITY: Answer = (
    "approximate",
    "its weights are written; that they change is metadata, which only pynn_io reads",
)

_KINDS: Mapping[str, Answer] = MappingProxyType(
    {
        "cell:PointCell": EXACT,
        "cell:SpikeSource": (
            "approximate",
            "an Input of the graph; what it emits is metadata, which only pynn_io reads",
        ),
        "cell:CableCell": ("no", "NIR's neurons have no extent"),
        "cell:UnknownCell": _NO_MODEL,
        "unused": _NOTED,
        "children": _NOTED,
        "kind:chemical": EXACT,
        "kind:electrical": ("no", "NIR has no gap junctions"),
        "kind:graded": ("no", "NIR has no graded synapses"),
        "column": _NOTED,
        **dict.fromkeys(
            ("column:weight", "column:delay", "column:nsyns", "column:receptor", "column:parameters"), EXACT
        ),
        **dict.fromkeys(("column:extra", "column:section_site", "column:weight_function", "node_sets"), _NOTED),
    }
)
#: Rows of what is run, by the first word of their key.
_PLAN = frozenset({"stimulus", "recording", "run"})

_CELLS = frozenset(
    {
        *("IF_curr_exp", "IF_curr_delta", "nest:iaf_psc_exp", "nest:iaf_psc_delta", "nrn:IntFire1"),
        *("neuroml:iafCell", "neuroml:iafRefCell", "neuroml:iafTauCell", "neuroml:iafTauRefCell"),
    }
)
_SOURCES = frozenset({"SpikeSourceArray", "SpikeSourcePoisson"})
#: Synapses that are a weight and a delay, and nothing else.
STATIC = frozenset(
    {
        *("", "static", "StaticSynapse"),
        *("nest:static_synapse", "nest:static_synapse_hom_w", "nest:cont_delay_synapse"),
    }
)
#: Those that have a weight and a delay, and change them. They shape no response: the target cell does.
PLASTIC = frozenset(
    {
        *("TsodyksMarkramSynapse", "SimpleStochasticSynapse", "StochasticTsodyksMarkramSynapse"),
        *("MultiQuantalSynapse", "STDPMechanism", "nest:bernoulli_synapse", "nest:tsodyks_synapse"),
        *("nest:tsodyks2_synapse", "nest:quantal_stp_synapse", "nest:stdp_synapse", "nest:stdp_synapse_hom"),
        *("nest:stdp_triplet_synapse", "nest:vogels_sprekeler_synapse"),
    }
)


def of_kind(key: str, row: str) -> Answer:
    """The answer for a key, for the words before its last ones, or else for the row that covers it."""
    if key.partition(":")[0] in _PLAN:
        return _NO_PLAN
    found = key
    while found and found not in _KINDS:
        found = found.rpartition(":")[0]
    return _KINDS.get(found) or _KINDS.get(row, _NO_PLACE)


def of_model(name: str, *, synapse: bool) -> Answer:
    """The answer for a cell, a source or a synapse."""
    if not synapse:
        return EXACT if name in _CELLS or name in _SOURCES else _NO_MODEL
    if name in STATIC:
        return EXACT
    return _NO_PLASTICITY if name in PLASTIC else _NO_MODEL
