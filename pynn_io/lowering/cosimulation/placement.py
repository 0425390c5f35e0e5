"""Which populations run where: ``cortex=neuron,thalamus=nest``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pynn_io.errors import FormatError
from pynn_io.graph.network import Network
from pynn_io.lowering.cells import sources

#: Populations that no other entry names.
REST = "*"
_FORM = "the form is cortex=neuron,L4+L5=nest,*=nest"


@dataclass(frozen=True, slots=True)
class Entry:
    """One process: the populations that it runs (`REST` among them: all others), and its backend."""

    populations: tuple[str, ...]
    backend: str

    @property
    def name(self) -> str:
        """As it was written."""
        return "+".join(self.populations) + "=" + self.backend


def is_placement(backend: str) -> bool:
    """Whether what was given as a backend places populations."""
    return "=" in backend


def parse(text: str) -> tuple[Entry, ...]:
    """``POPULATION[+POPULATION...]=BACKEND``, commas between them; each entry is a process of its own.

    Raises FormatError for another form, and for a population that is named twice.
    """
    entries = []
    for part in text.split(","):
        names, equals, backend = (piece.strip() for piece in part.rpartition("="))
        populations = tuple(name.strip() for name in names.split("+"))
        if not equals or not backend or not all(populations):
            raise FormatError(f"{part.strip()!r} does not say which population runs on what", hint=_FORM)
        entries.append(Entry(populations, backend))
    every = [name for entry in entries for name in entry.populations]
    twice = sorted({name for name in every if every.count(name) > 1})
    if twice:
        raise FormatError(f"named twice: {', '.join(twice)}", hint=_FORM)
    return tuple(entries)


def place(network: Network, entries: Sequence[Entry]) -> dict[str, int]:
    """The number of the entry that runs each population, in the network's order; sources run with every one.

    Raises FormatError for populations that no entry places (all of them), that are not there, or are sources, and for
    an entry without any.
    """
    kinds = {name: _kind(name, network) for name in network.populations}
    cells = [name for name, kind in kinds.items() if kind != "sources"]
    named = {name: number for number, entry in enumerate(entries) for name in entry.populations}
    _check_names({name for name in named if name != REST}, kinds)
    home = {name: named.get(name, named.get(REST, -1)) for name in cells}
    missing = [name for name, number in home.items() if number < 0]
    if missing:
        raise FormatError(
            f"no simulator is named for {', '.join(missing)}",
            hint=f"every population needs a place: {missing[0]}=BACKEND, or {REST}=BACKEND for all that are not named",
        )
    for number, entry in enumerate(entries):
        if number not in home.values():
            raise FormatError(f"{entry.name}: there is no population for it", hint=f"populations: {', '.join(cells)}")
    return home


def _check_names(named: set[str], kinds: Mapping[str, str]) -> None:
    cells = ", ".join(name for name, kind in kinds.items() if kind != "sources") or "none"
    for name in sorted(named):
        if name not in kinds:
            raise FormatError(f"there is no population {name!r}", hint=f"populations of cells: {cells}")
        if kinds[name] == "sources":
            raise FormatError(
                f"population {name!r} only emits spikes that are known beforehand; it needs no simulator",
                hint=f"leave it out: every part gets it. Populations of cells: {cells}",
            )
    mixed = [name for name, kind in kinds.items() if kind == "mixed"]
    if mixed:
        raise FormatError(
            f"population {mixed[0]!r} holds cells and sources of spikes, which cannot be told apart where they cross",
            hint="give the sources a population of their own",
        )


def _kind(name: str, network: Network) -> str:
    found = sources(network.populations[name], network)
    if not found.any():
        return "cells"
    return "sources" if found.all() else "mixed"
