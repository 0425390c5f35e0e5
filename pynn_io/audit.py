"""The audit: a walk over the graph asking the support tables what a target cannot express, before anything is written.

Strict mode refuses on its findings alone. After writing, `complete` adds those that the writer did not name itself, so
that a writer that forgets something still loses nothing in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pynn_io.document import Document
from pynn_io.errors import LossError
from pynn_io.graph.biophysics import (
    ChannelDensity,
    ChannelPopulation,
    ConcentrationModel,
    InitialConcentration,
    Item,
    Junction,
    MembraneProperty,
    Opaque,
    ReversalPotential,
)
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource, UnknownCell
from pynn_io.graph.dynamics import CHILD_INSTANCE, Component
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.schema import FIELDS, PARAMETER, is_extra
from pynn_io.graph.stimuli import PoissonTrains, SpontaneousSynapses, VoltageClamp, What
from pynn_io.report import Issue, Kind, Report
from pynn_io.simulation_plan.plan import SPIKES, Output, Recording, SimulationPlan
from pynn_io.simulation_plan.sonata_conditions import SEEDS
from pynn_io.vocabulary import backends
from pynn_io.vocabulary.support import support, title

_KINDS = {"no": Kind.LOST, "approximate": Kind.APPROXIMATED}
_CABLE = "cell:CableCell"
_STRUCTURE = {"id", "cell", "synapse", "weight_unit", "group"}
_WORD = re.compile(r"[^\w:.+-]+")


class Fact(NamedTuple):
    """One thing that is in the graph: the support row it falls under, its own name, and where it stands.

    within: the row of the cell or projection that it is a part of.
    """

    key: str
    subject: str
    where: str
    within: str = ""


def audit(document: Document, target: str, report: Report) -> None:
    """Add to ``report`` what ``target`` (``sonata+obi`` ...) cannot express exactly, one issue for a kind and place."""
    for fact in dict.fromkeys(facts(document)):
        level, reason = support(fact.key, target)
        if level in _KINDS and not _goes_with_the_whole(fact, target):
            code = loss_code(fact.key)
            report.add(code, _KINDS[level], fact.where, f"{title(fact.key)}: {reason}", examples=[fact.subject])


def _goes_with_the_whole(fact: Fact, target: str) -> bool:
    """Whether a backend leaves out the cell or projection that the fact is a part of: that is said once, of it."""
    return bool(fact.within) and target in backends.NAMES and support(fact.within, target).level == "no"


def complete(report: Report, audited: Report) -> Report:
    """Add to a writer's ``report`` every audited subject that it does not name; gives the report."""
    named = _words(report)
    for issue in audited:
        forgotten = [example for example in issue.examples if example not in named]
        report.add(issue.code, issue.kind, issue.where, issue.message, count=len(forgotten), examples=forgotten)
    return report


def refuse(target: str, report: Report) -> None:
    """Raise LossError before a run if the report has anything that strict mode does not excuse. target: its title."""
    codes = sorted({issue.code for issue in report.refusals()})
    if codes:
        accepted = ",".join(sorted({*codes, *(report.allowed & report.codes())}))
        raise LossError(
            f"refused, since {target} cannot do all of it: {', '.join(codes)}",
            report,
            hint=f"nothing was run; to run without: --allow {accepted}",
        )


def names(report: Iterable[Issue], subject: str) -> bool:
    """Whether any issue of a report, or of some, names ``subject``, as a word of its place, message or examples."""
    return subject in _words(report)


def _words(report: Iterable[Issue]) -> set[str]:
    words: set[str] = set()
    for issue in report:
        words |= _issue_words(issue)
    return words


def _issue_words(issue: Issue) -> set[str]:
    words = set(issue.examples)
    for text in (issue.where, issue.message, *issue.examples):
        words |= {word.strip(".:,;") for word in _WORD.split(text)}
    return words


def loss_code(key: str) -> str:
    """The loss code of a key of the support tables, which writers and runners use for the same loss.

    ``column:extra`` -> extra-column, ``decor:ConcentrationModel`` -> concentration-model, ``kind:graded`` ->
    projection-kind, ``cell:CableCell`` -> cable-cell.
    """
    head, _, tail = key.partition(":")
    if head == "kind":
        return "projection-kind"
    if head in {"model", "synapse", "channel", "template", "run", "recording"} or not tail:
        return head.replace("_", "-")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_", "-", tail.partition(":")[0]).lower()
    return f"{words}-column" if head == "column" else words


def cell_code(cell: Cell) -> str:
    """The loss code of a cell that a target does not have; of a point cell it is the model that is missing."""
    return loss_code(f"model:{cell.model}" if isinstance(cell, PointCell) else f"cell:{type(cell).__name__}")


def facts(document: Document) -> Iterator[Fact]:
    """Everything in a document that a support row covers, in order, repeats included."""
    network = document.network
    for population in network.populations.values():
        yield from _population(population, network)
    for projection in network.projections.values():
        yield from _projection(projection, network)
    for name in network.component_types:
        yield Fact("component_types", name, "component types")
        if any(step.kind != CHILD_INSTANCE for step in network.component_types[name].structure):
            yield Fact("component_types:structure", name, "component types")
    if (around := network.extra.get("neuroml", {}).get("surroundings")) is not None:
        yield Fact("surroundings", around.id, "network")
    for name in network.node_sets:
        yield Fact("node_sets", name, "node sets")
    if document.plan is not None:
        yield from _plan(document.plan)


def _plan(plan: SimulationPlan) -> Iterator[Fact]:
    for stimulus in plan.stimuli:
        yield Fact(_stimulus_key(stimulus.what), stimulus.name, "plan")
    for recording in plan.recordings:
        yield Fact(_recording_key(recording), recording.name, "plan")
    for key, name in _settings(plan):
        yield Fact(key, name, "plan")


def _stimulus_key(what: What) -> str:
    key = f"stimulus:{type(what).__name__}"
    if isinstance(what, PoissonTrains) and what.weight is not None:
        return f"{key}:weight"
    if isinstance(what, SpontaneousSynapses) and not (what.times and what.silences_others):
        return f"{key}:rate"
    return f"{key}:delayed" if isinstance(what, VoltageClamp) and what.delay else key


def _recording_key(recording: Recording) -> str:
    if recording.kind in {"quantities", "events"}:
        return "recording:lems"
    if recording.compartment_set is not None or recording.kind in {"summation", "synapse", "lfp"}:
        return "recording:obi"
    if recording.kind == SPIKES:
        return "recording:spikes"
    return "recording" if recording.kind == "compartment" else "recording:bmtk"


#: Settings of a run by who reads them in a SONATA configuration: fields of the plan, and what they are called there.
_READERS: Mapping[str, Mapping[str, str]] = {
    "run:obi": {
        "integration_method": "integration_method",
        "spike_location": "spike_location",
        "extracellular_calcium": "extracellular_calcium",
        "randomize_gaba_rise_time": "randomize_gaba_rise_time",
        "node_set": "node_set",
    },
    "run:compartments": {"section_length": "dL"},
    "run:bmtk": {"spike_times": "spike_times"},
    "run:own": {"variable_step": "variable_step", "min_delay": "min_delay"},
    "run": {"start": "tstart"},
}


#: What a plan keeps of a LEMS simulation besides.
_LEMS = frozenset({"displays", "meta"})


def _settings(plan: SimulationPlan) -> Iterator[tuple[str, str]]:
    """What a plan states for the simulator that it was written for, by support row: ``dL``, ``output`` ..."""
    for key, named in _READERS.items():
        yield from ((key, name) for field, name in named.items() if getattr(plan, field) is not None)
    yield from (("run:obi", SEEDS.get(part, part)) for part in plan.seeds)
    yield from (("run:obi", mechanism) for mechanism, _ in plan.mechanism_variables)
    yield from (("run:obi", item.name) for item in plan.modifications)
    yield from (("run:obi", item.name) for item in plan.overrides)
    yield from (("run:obi", name) for name in plan.compartment_sets)
    if plan.output != Output():
        yield "run", "output"
    for name, value in plan.extra.items():
        parts = value if name in {"run", "conditions"} and isinstance(value, Mapping) else [name]
        yield from (("run:lems" if name in _LEMS else "run", part) for part in parts)


def _population(population: Population, network: Network) -> Iterator[Fact]:
    where = f"population {population.name}"
    cable = False
    for name in dict.fromkeys(population.cells):
        cell = network.cells[name]
        kind = f":{cell.kind}" if isinstance(cell, UnknownCell) else ""
        yield Fact(f"cell:{type(cell).__name__}{kind}", name, where)
        if isinstance(cell, PointCell):
            yield Fact(f"model:{cell.model}", cell.model, where)
        if isinstance(cell, PointCell | SpikeSource) and cell.children:
            yield Fact("children", f"{name} children", where)
        if isinstance(cell, CableCell):
            cable = True
            yield from _cable_cell(cell, network, where)
    for column in dict.fromkeys([*population.types, *population.table]):
        if column in _STRUCTURE or (_is_rotation(column) and not cable):
            continue
        within = _CABLE if _is_rotation(column) else ""
        yield Fact(_column_key(column), column.removeprefix(PARAMETER), where, within)


def _cable_cell(cell: CableCell, network: Network, where: str) -> Iterator[Fact]:
    if cell.template is not None:
        yield Fact(f"template:{cell.template.partition(':')[0]}", cell.template, where, _CABLE)
    for name in cell.parameters:
        yield Fact("unused", name, where, _CABLE)
    for item in (entry.item for entry in cell.decor):
        name = _definition(item)
        if isinstance(item, ChannelDensity) or isinstance(network.channels.get(name), Component):
            channel = network.channels[name]
            dialect = channel.dialect if isinstance(channel, Opaque) else "neuroml"
            yield Fact(f"channel:{dialect}:{name}", name, where, _CABLE)
        spoken = isinstance(item, ChannelPopulation | ConcentrationModel)
        spoken = spoken and isinstance(network.channels.get(name), Component)
        yield Fact(f"decor:{type(item).__name__}{':neuroml' if spoken else ''}", _item_name(item), where, _CABLE)


def _definition(item: Item | Junction) -> str:
    """The key of `Network.channels` that an item names; empty where it names none."""
    if isinstance(item, ChannelDensity | ChannelPopulation):
        return item.channel
    return item.mechanism if isinstance(item, ConcentrationModel) else ""


def _item_name(item: Item | Junction) -> str:
    if isinstance(item, ChannelDensity):
        return item.channel
    if isinstance(item, ConcentrationModel):
        return item.mechanism
    if isinstance(item, ReversalPotential | InitialConcentration):
        return item.ion
    return item.kind if isinstance(item, MembraneProperty) else item.name


def _projection(projection: Projection, network: Network) -> Iterator[Fact]:
    where = f"projection {projection.name}"
    kind = f"kind:{projection.kind}"
    yield Fact(kind, projection.kind, where)
    for name in dict.fromkeys(projection.synapses):
        model = network.synapses[name].model
        if model:
            yield Fact(f"synapse:{model}", model, where, kind)
        if network.synapses[name].children:
            yield Fact("children", f"{name} children", where, kind)
    for column in dict.fromkeys([*projection.types, *projection.edges.columns]):
        if column not in _STRUCTURE:
            yield Fact(_column_key(column), column.removeprefix(PARAMETER), where, kind)


def _is_rotation(column: str) -> bool:
    return column.startswith(("rotation_angle_", "orientation_"))


def _column_key(column: str) -> str:
    if _is_rotation(column):
        return "column:rotation"
    if is_extra(column):
        return "column:extra"
    if column.startswith(("afferent_", "efferent_")) and column in FIELDS:
        return "column:section_site"
    return f"column:{column}"
