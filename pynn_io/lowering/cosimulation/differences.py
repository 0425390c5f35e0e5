"""What several simulators side by side compute otherwise than one would, by population or projection.

Spikes and potentials are those of one simulator, but where a model depends on more than when spikes arrive: on random
numbers that a simulator draws itself, on which of two simultaneous events comes first, on time that goes by before the
first spike. Each of these is an issue (APPROXIMATED) of the network that has it, and of no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pynn_io.graph.cells import Cell, PointCell
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.cosimulation.crossings import crossings
from pynn_io.lowering.edges import edge_blocks
from pynn_io.report import Report
from pynn_io.vocabulary.models import PRECISE_MODELS
from pynn_io.vocabulary.translations import TRANSLATIONS

#: Models whose random numbers NEST draws while it runs, with the parameter that must not be 0 for it.
_DRAWING: Mapping[str, str] = {
    **dict.fromkeys(("SimpleStochasticSynapse", "MultiQuantalSynapse", "GIF_cond_exp"), ""),
    **dict.fromkeys(("nest:bernoulli_synapse", "nest:quantal_stp_synapse"), ""),
    **dict.fromkeys(("nest:gif_psc_exp", "nest:gif_psc_exp_multisynapse", "nest:gif_pop_psc_exp"), ""),
    **dict.fromkeys(("nest:gif_cond_exp", "nest:gif_cond_exp_multisynapse", "nest:pp_psc_delta"), ""),
    **dict.fromkeys(("nest:ginzburg_neuron", "nest:mcculloch_pitts_neuron", "nest:erfc_neuron"), ""),
    "nest:iaf_psc_exp": "delta",
}
#: Fires in the very moment of an event, by its sign: inhibition that comes first prevents what comes after it.
_BY_ORDER = "nrn:IntFire1"
#: Cells whose spikes lie between the steps: NEURON moves them to none.
_EVENT_DRIVEN = frozenset({"nrn:IntFire1", "nrn:IntFire2", "nrn:IntFire4"})
#: Standard cells that NEST has a model with exact times of.
_PRECISE = frozenset(row.standard for row in TRANSLATIONS if row.precise)
#: Synapses that recover from time 0 on, with their states at rest. (tsodyks2_synapse begins with its first spike.)
_RECOVERING = frozenset({"TsodyksMarkramSynapse", "nest:tsodyks_synapse", "nest:tsodyks_synapse_hom"})
_AT_REST: Mapping[str, float] = {"x": 1.0, "y": 0.0, "u": 0.0}
#: Names of the time constant of facilitation; without one the state ``u`` means nothing.
_FACILITATION = ("tau_facil", "tau_fac")
#: Delays that differ by whole steps let spikes of the steps meet; this part of a step is the rounding of a number.
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Cut:
    """How a network is cut. home: the number of the part that runs each population. timestep: ms.

    backends: the name of each part's. leads: by how much later proxies fire in each (`epochs`), ms.
    precise: whether the plan asks for spikes between the steps.
    """

    home: Mapping[str, int]
    backends: tuple[str, ...]
    leads: tuple[float, ...]
    timestep: float
    precise: bool = False

    def backend(self, population: str) -> str:
        return self.backends[self.home[population]]


def differences(network: Network, cut: Cut, report: Report) -> None:
    """Report ``random-draws``, ``simultaneous-spikes``, ``synapse-start`` and ``off-grid-spikes``; see the module."""
    if len(cut.backends) < 2:
        return
    crossing = crossings(network, cut.home)
    _tell_draws(network, cut, report)
    for name in dict.fromkeys(item.post for item in crossing):
        if cut.backend(name) == "neuron":
            _tell_order(network.populations[name], network, cut, report)
    for item in crossing:
        lead = cut.leads[cut.home[item.post]]
        if lead:
            _tell_start(item, network, lead, report)
            _tell_steps(item, network, cut, report)


def _tell_draws(network: Network, cut: Cut, report: Report) -> None:
    """The simulator's own random numbers: one stream in one process, another in each of several."""
    here = [name for name in cut.home if cut.backend(name) == "nest"]
    found: list[tuple[str, Synapse | Cell]] = [
        (f"population {name}", network.cells[cell]) for name in here for cell in network.populations[name].cells
    ]
    for item in network.projections.values():
        if item.post in here:
            found += [(f"projection {item.name}", network.synapses[name]) for name in item.synapses]
    for where, one in found:
        if isinstance(one, PointCell | Synapse) and _draws(one):
            report.approximated(
                "random-draws",
                where,
                f"{one.model} draws random numbers while it runs: other ones than in a single process, since each "
                "process draws its own, from a seed derived from the plan's.",
                examples=[one.model],
            )


def _draws(one: PointCell | Synapse) -> bool:
    if one.model not in _DRAWING:
        return False
    needed = _DRAWING[one.model]
    return not needed or bool(np.any(one.parameters.get(needed) or 0.0))


def _tell_order(population: Population, network: Network, cut: Cut, report: Report) -> None:
    """Cells that depend on the order of simultaneous events, and that such events can reach from another part."""
    sensitive = np.array([_model(network.cells[name]) == _BY_ORDER for name in population.cells])
    if not sensitive.any():
        return
    concerned = sensitive[population.type_index.read(population.size)]
    count = _cells_where_signs_meet(list(_arrivals(population.name, concerned, network, cut)))
    report.approximated(
        "simultaneous-spikes",
        f"population {population.name}",
        "Excitation and inhibition can reach these cells in the same moment, some of it from another process, and "
        "IntFire1 depends on which comes first. That order is another one than in a single process.",
        count=count,
        examples=[_BY_ORDER],
    )


def _arrivals(name: str, concerned: np.ndarray, network: Network, cut: Cut) -> Iterator[np.ndarray]:
    """Edges onto cells (a mask of rows): float64[n, 4] of row, what the delay leaves of a step, whether it inhibits,
    whether it crosses.
    """
    for item in network.projections.values():
        if item.post != name or item.pre not in cut.home:
            continue
        crosses = float(cut.home[item.pre] != cut.home[name])
        for block in edge_blocks(item, network, Report()):
            here = concerned[block.target] & (block.weight != 0)
            if block.nsyns is not None:
                here &= block.nsyns > 0
            steps = np.nan_to_num(block.delay[here]) / cut.timestep
            rest = np.round(steps % 1.0, _DECIMALS) % 1.0
            inhibits = (block.weight[here] < 0).astype(np.float64)
            yield np.column_stack([block.target[here], rest, inhibits, np.full(len(rest), crosses)])


def _cells_where_signs_meet(found: list[np.ndarray]) -> int:
    """How many cells have edges of both signs whose spikes can meet, one of which crosses (columns of `_arrivals`)."""
    edges = np.concatenate(found)
    edges = edges[np.lexsort((edges[:, 1], edges[:, 0]))]
    starts = np.flatnonzero(np.any(np.diff(edges[:, :2], axis=0, prepend=-1.0) != 0, axis=1))
    if not len(starts):
        return 0
    least, most = (by.reduceat(edges[:, 2], starts) for by in (np.minimum, np.maximum))
    crossing = np.maximum.reduceat(edges[:, 3], starts)
    return len(np.unique(edges[starts, 0][(least < most) & (crossing > 0)]))


def _tell_start(item: Projection, network: Network, lead: float, report: Report) -> None:
    """Synapses that do not begin at rest: a proxy's first spike comes later by the lead."""
    used = [network.synapses[name] for name in item.synapses]
    names = sorted({name for one in used if one.model in _RECOVERING for name in _moving(one, item)})
    report.approximated(
        "synapse-start",
        f"projection {item.name}",
        f"The synapses do not begin at rest ({', '.join(names)}), and spikes that come from another process reach them "
        f"with {lead:g} ms more for recovery before the first spike.",
        count=item.size if names else 0,
    )


def _moving(synapse: Synapse, item: Projection) -> Iterator[str]:
    """The states of a synapse that begin with another value than that at rest."""
    facilitates = any(_differs(name, 0.0, synapse, item) for name in _FACILITATION)
    for name, rest in _AT_REST.items():
        if _differs(name, rest, synapse, item) and (name != "u" or facilitates):
            yield name


def _differs(name: str, value: float, synapse: Synapse, item: Projection) -> bool:
    """Whether a parameter is stated, by edges, their types or the synapse itself, and anywhere not this value."""
    column = f"{PARAMETER}{name}"
    stated = [part[column].read(part.size) for part in (item.types, item.edges.columns) if column in part]
    stated += [synapse.parameters[name]] if synapse.parameters.get(name) is not None else []
    return any(np.any(np.ma.compressed(np.ma.asarray(one)) != value) for one in stated)


def _tell_steps(item: Projection, network: Network, cut: Cut, report: Report) -> None:
    """Spikes between the steps onto cells that take them at the steps."""
    models = {_model(network.cells[name]) for name in network.populations[item.pre].cells} & _EVENT_DRIVEN
    if not models or cut.backend(item.pre) != "neuron" or _precise(item.post, network, cut):
        return
    report.approximated(
        "off-grid-spikes",
        f"projection {item.name}",
        "The cells fire between the steps; cells on the other simulator take each spike at the next step.",
        count=item.size,
        examples=sorted(models),
    )


def _precise(population: str, network: Network, cut: Cut) -> bool:
    """Whether all cells are of NEST's models with exact times, or standard ones that become such."""
    models = {_model(network.cells[name]) for name in network.populations[population].cells}
    return all(model.endswith(PRECISE_MODELS) or (cut.precise and model in _PRECISE) for model in models)


def _model(cell: Cell) -> str:
    return getattr(cell, "model", "")
