"""What a cell is: a point cell, a source of spikes, or a cable cell (morphology + decor).

A model name without a prefix is one of PyNN's standard models (``IF_cond_exp``); with one it is native and stays itself
(``nest:iaf_psc_alpha``, ``nrn:IntFire1``). A model ``neuroml:TYPE`` is a component of a NeuroML or LEMS type, core or
one of `Network.component_types`: ``parameters`` are in coherent units (`pynn_io.graph.dynamics`), with texts and
references as strings, and ``children`` what stands in it. Other parameters hold what the source states, in the units
of the model's row in `pynn_io.vocabulary`; defaults are filled in by lowering, never here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pynn_io.graph.biophysics import Paint, Place
from pynn_io.graph.columns import empty
from pynn_io.graph.dynamics import Component


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a definition came from: names and files that a writer of the same format keeps, without meaning elsewhere.

    names: e.g. ``{"dynamics_params": "IntFire1_exc_1.json", "model_template": "nrn:IntFire1"}``
    files: absolute paths of the component files behind those names, by the same keys.
    Whoever changes a definition drops its origin.
    """

    names: Mapping[str, str] = field(default_factory=empty)
    files: Mapping[str, Path] = field(default_factory=empty)


@dataclass(frozen=True, slots=True)
class PointCell:
    """A cell without extent. ``model``: standard name, or ``dialect:name`` for a native model."""

    model: str
    parameters: Mapping[str, Any] = field(default_factory=empty)
    origin: Origin | None = field(default=None, compare=False)
    children: tuple[tuple[str, Component], ...] = ()


@dataclass(frozen=True, slots=True)
class SpikeSource:
    """A cell that only emits spikes. A SONATA virtual node is a SpikeSourceArray whose times the plan states."""

    model: str = "SpikeSourceArray"
    parameters: Mapping[str, Any] = field(default_factory=empty)
    origin: Origin | None = field(default=None, compare=False)
    children: tuple[tuple[str, Component], ...] = ()


@dataclass(frozen=True, slots=True)
class CableCell:
    """A cell with extent: a morphology by name, and what is painted and placed on it.

    morphology: key of `Network.morphologies`; None where the population's ``morphology`` column names one per cell.
    decor: what is on the membrane, in the order of the source (a later statement overrides an earlier one).
    processing: names of the changes that a loader makes to the morphology before the decor applies, in order
        (SONATA ``model_processing``, e.g. ``("aibs_perisomatic",)``).
    template: ``dialect:name`` of a cell template that only its own simulator can build (``hoc:cADpyr_L2TPC``); what it
        puts on the membrane is then not known here, and ``decor`` is empty.
    parameters: values handed to the template or read beside it.
    """

    morphology: str | None = None
    decor: tuple[Paint | Place, ...] = ()
    processing: tuple[str, ...] = ()
    template: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=empty)
    origin: Origin | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class UnknownCell:
    """A cell whose kind no importer knows (e.g. an astrocyte, a rate population): kept by name, reported by audits."""

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=empty)
    origin: Origin | None = field(default=None, compare=False)


Cell: TypeAlias = PointCell | SpikeSource | CableCell | UnknownCell
