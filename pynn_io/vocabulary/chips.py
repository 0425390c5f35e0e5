"""Capability profiles: what a neuromorphic chip can hold, as data in ``profiles/*.toml``, read without its software.

A profile answers for kinds of content and for models, as the columns of the support tables do, and adds what those
cannot say: rules on numbers (delays, weights, sizes ...), each with a remedy. `pynn_io.lowering.hardware` applies them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple

from pynn_io.graph.columns import empty

#: Profiles by the name of the backend that they are of.
NAMES = ("spinnaker", "brainscales2", "loihi2")

#: Rows of the support tables that only cells with extent have; ``cables`` in a profile.
_CABLES = (
    *("cell:CableCell", "template:hoc", "template", "channel:nmodl:pas", "channel:nmodl", "channel:neuroml", "channel"),
    *("decor:ChannelDensity", "decor:ChannelPopulation", "decor:ChannelPopulation:neuroml", "decor:MembraneProperty"),
    *("decor:ReversalPotential", "decor:ConcentrationModel", "decor:ConcentrationModel:neuroml", "decor:Junction"),
    *("column:rotation", "column:recenter", "column:section_site", "column:target_sections", "column:distance_range"),
)


class Answer(NamedTuple):
    """``level``: exact, approximate or no; ``reason``: why not exact; ``remedy``: what would help, if anything."""

    level: str
    reason: str = ""
    remedy: str = ""


EXACT = Answer("exact")


@dataclass(frozen=True, slots=True)
class Rule:
    """A test of numbers.

    of: the quantity that is tested. test, than: how, and with what: a number, a list, or the name of a limit that
    depends on the network. times: a factor of the limit. names: of parameters, where only some are tested.
    level: ``no`` (the chip cannot hold it), ``approximate`` (it computes something else), ``note`` (it costs more).
    message: with ``{least}``, ``{greatest}``, ``{limit}`` (``{low}``, ``{high}``), ``{name}`` and ``{unit}`` of what
    fails; how many do is told beside it.
    """

    code: str
    of: str
    test: str
    than: Any
    level: str
    message: str
    remedy: str = ""
    names: tuple[str, ...] = ()
    times: float = 1.0


@dataclass(frozen=True, slots=True)
class Resources:
    """Sizes.

    sources: whether those take cores. shared_cores: whether several populations share one. by_model: neurons a core of
    models that differ. split_below: time steps (ms) below which the synapses of cells have as many cores again.
    sdram_per_chip: bytes.
    """

    neurons_per_core: int
    cores_per_chip: int
    chips_per_board: int
    boards: int
    sdram_per_chip: int
    bytes_per_synapse: int
    sources: bool = True
    shared_cores: bool = False
    split_below: float = 0.0
    by_model: Mapping[str, int] = field(default_factory=empty)


@dataclass(frozen=True, slots=True)
class Weights:
    """How weights are stored: ``bits`` below a full scale that all synapses of a receptor of a population share.

    full_scale: ``largest`` weight, or ``expected sum`` of those that arrive in one step, as a power of two, where every
    cell fires at spikes_per_second (Hz) and so many standard deviations are allowed for. conductance_scale: factor of
    conductances. fraction_bits: of the sum.
    """

    bits: int
    full_scale: str
    spikes_per_second: float = 0.0
    deviations: float = 0.0
    conductance_scale: float = 1.0
    fraction_bits: int = 0


@dataclass(frozen=True, slots=True)
class Delays:
    """Steps that a core can hold: ring_buffer_bits less those of its neurons and receptors; stages: cores in a row."""

    ring_buffer_bits: int
    stages: int


@dataclass(frozen=True, slots=True)
class Chip:
    """One profile. grid: whether it computes in steps of the simulation's time step.

    kinds: by rows of `pynn_io.vocabulary.support.ROWS`; one that is not here is exact. models, synapses: by name, by
    dialect (``nest:``), and under the empty name for other standard ones.
    """

    name: str
    title: str
    source: str
    grid: bool
    kinds: Mapping[str, Answer]
    models: Mapping[str, Answer]
    synapses: Mapping[str, Answer]
    rules: tuple[Rule, ...]
    resources: Resources
    weights: Weights
    delays: Delays | None = None

    def of_kind(self, key: str, row: str) -> Answer:
        """The answer for a key of the support tables, or else for the row that covers it."""
        return self.kinds.get(key) or self.kinds.get(row, EXACT)

    def of_model(self, name: str, *, synapse: bool) -> Answer:
        """The answer for a synapse, or a cell or source model; an empty name (a synapse that states none) is exact."""
        if not name:
            return EXACT
        dialect, colon, _ = name.partition(":")
        answers = self.synapses if synapse else self.models
        return answers.get(name) or answers[dialect + colon if colon else ""]


@cache
def chip(name: str) -> Chip:
    """The profile of that name. Raises KeyError for a name that is none of `NAMES`."""
    if name not in NAMES:
        raise KeyError(name)
    stated = tomllib.loads(files("pynn_io.vocabulary").joinpath(f"profiles/{name}.toml").read_text(encoding="utf-8"))
    return Chip(
        name,
        stated["title"],
        stated["source"],
        stated["grid"],
        _answers(stated["content"], "keys"),
        _answers(stated["models"], "names"),
        _answers(stated["synapses"], "names"),
        tuple(Rule(**{**row, "names": tuple(row.get("names", ()))}) for row in stated["rules"]),
        Resources(**stated["resources"]),
        Weights(**stated["weights"]),
        Delays(**stated["delays"]) if "delays" in stated else None,
    )


def _answers(rows: Iterable[Mapping[str, Any]], key: str) -> Mapping[str, Answer]:
    found = {}
    for row in rows:
        answer = Answer(row["level"], row.get("reason", ""), row.get("remedy", ""))
        found.update(dict.fromkeys(_CABLES if row[key] == ["cables"] else row[key], answer))
    return MappingProxyType(found)
