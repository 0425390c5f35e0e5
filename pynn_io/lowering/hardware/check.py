"""THE checker: what of a network and a plan a chip cannot hold, where, how many, and what would help.

It interprets a capability profile (`pynn_io.vocabulary.chips`) and needs no vendor's package. Kinds of content are
those of the audit, and numbers are tested as columns, in blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pynn_io.audit import Fact, facts, loss_code
from pynn_io.document import Document
from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.network import Network
from pynn_io.lowering.abstract import as_standard, with_node_sets, with_potentials
from pynn_io.lowering.cells import parts, simulated
from pynn_io.lowering.hardware.findings import Check, Finding, Needs, ordered
from pynn_io.lowering.hardware.rules import apply
from pynn_io.lowering.hardware.samples import Subject, has_cell, neurons_of
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.vocabulary import chips
from pynn_io.vocabulary.chips import Answer, Chip
from pynn_io.vocabulary.support import row_of, title

#: ms, where a plan states no step.
DEFAULT_TIMESTEP = 1.0


def check_hardware(network: Network, plan: SimulationPlan, name: str) -> Check:
    """Ask the profile ``name`` (`chips.NAMES`) of a network and a plan. Raises KeyError for another name.

    Cells that are standard ones in other words (NEST's, NeuroML's) are asked for as those.
    """
    chip = chips.chip(name)
    timestep = plan.timestep or DEFAULT_TIMESTEP
    network = as_standard(network, timestep, Report())
    plan = with_potentials(with_node_sets(plan, network), network)
    needs = estimate(network, plan, chip, timestep)
    subject = Subject(_held(network, chip), plan, chip, timestep, needs)
    found = [*_contents(Document(network, plan), chip), *apply(subject)]
    return Check(chip, timestep, ordered(found), needs)


def _held(network: Network, chip: Chip) -> Network:
    """Without projections that begin or end where the chip has none of the cells: of these that is said, and enough."""
    absent = {
        name
        for name, population in network.populations.items()
        if not any(has_cell(network, cell, chip) for cell in population.cells)
    }
    kept = {name: one for name, one in network.projections.items() if not {one.pre, one.post} & absent}
    return replace(network, projections=kept)


def estimate(network: Network, plan: SimulationPlan, chip: Chip, timestep: float) -> Needs:
    """Cores, chips and boards before mapping: cores are filled to the brim, and not shared unless the chip does so."""
    sizes, rows, cores, neurons = chip.resources, simulated(network, plan), 0, sum(neurons_of(network, plan).values())
    for name, population in network.populations.items():
        for part in parts(population, network, rows[name]):
            is_source = isinstance(part.cell, SpikeSource)
            model = part.cell.model if isinstance(part.cell, PointCell | SpikeSource) else ""
            own = -(-part.size // sizes.by_model.get(model, sizes.neurons_per_core))
            if is_source:
                cores += own if sizes.sources else 0
            else:
                cores += 2 * own if timestep < sizes.split_below else own
    cores = -(-neurons // sizes.neurons_per_core) if sizes.shared_cores else cores
    synapses = sum(one.size for one in network.projections.values())
    sdram = synapses * sizes.bytes_per_synapse
    used = max(-(-cores // sizes.cores_per_chip), -(-sdram // sizes.sdram_per_chip) if sizes.sdram_per_chip else 0)
    boards = -(-used // sizes.chips_per_board)
    return Needs(neurons, synapses, cores, used, boards, sdram)


# --- kinds of content -----------------------------------------------------------------------------------------------


def _contents(document: Document, chip: Chip) -> Iterator[Finding]:
    """What the profile says of every kind of content and every model that is there."""
    seen: dict[tuple[str, str, str], Finding] = {}
    for fact in dict.fromkeys(_facts(document)):
        answer = answer_of(fact.key, chip)
        if answer.level == "exact" or (fact.within and answer_of(fact.within, chip).level == "no"):
            continue
        count, total = _count(fact, document.network)
        what = f"{title(fact.key)}: {answer.reason}"
        key = (loss_code(fact.key), fact.where, what)
        known = seen.get(key)
        if known is None:
            seen[key] = Finding(key[0], answer.level, fact.where, what, answer.remedy, count, total, (fact.subject,))
        else:
            seen[key] = replace(known, count=known.count + count, examples=(*known.examples, fact.subject))
    yield from seen.values()


def answer_of(key: str, chip: Chip) -> Answer:
    """What a profile says of a key of the support tables, with the remedy."""
    head, _, name = key.partition(":")
    if head in ("model", "synapse"):
        return chip.of_model(name, synapse=head == "synapse")
    return chip.of_kind(key, row_of(key))


def _facts(document: Document) -> Iterator[Fact]:
    """Those of the audit, and models of sources, which other backends need not have."""
    yield from facts(document)
    for name, population in document.network.populations.items():
        for cell in (document.network.cells[each] for each in population.cells):
            if isinstance(cell, SpikeSource):
                yield Fact(f"model:{cell.model}", cell.model, f"population {name}")


def _count(fact: Fact, network: Network) -> tuple[int, int]:
    """How many cells or connections a fact is about, of how many at its place; 1 of 1 for anything else."""
    kind, _, name = fact.where.partition(" ")
    head = fact.key.partition(":")[0]
    if kind == "population" and head in ("cell", "model"):
        population = network.populations[name]
        wanted = [fact.subject in (cell, getattr(network.cells[cell], "model", "")) for cell in population.cells]
        return _of_types(np.array(wanted), population.type_index.read(population.size))
    if kind == "projection" and head in ("synapse", "kind"):
        projection = network.projections[name]
        if head == "kind":
            return projection.size, projection.size
        wanted = [network.synapses[synapse].model == fact.subject for synapse in projection.synapses]
        return _of_types(np.array(wanted), projection.type_index.read(projection.size))
    return 1, 1


def _of_types(wanted: np.ndarray, index: np.ndarray) -> tuple[int, int]:
    return int(np.count_nonzero(wanted[index])), len(index)
