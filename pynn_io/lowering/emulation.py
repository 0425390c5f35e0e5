"""A network with the numbers that a chip stores, so that another simulator can run it: an approximation of the chip.

Cells, currents and recordings are those that were asked for; weights, delays and input spikes are the chip's. What the
chip computes otherwise (fixed point, its own integration of the equations) stays different.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pynn_io.graph.cells import SpikeSource
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.stimuli import PoissonTrains, SpikeTrains, Stimulus
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.pynn import Cells, Connections, Lowered, Recorder
from pynn_io.lowering.trains import Trains
from pynn_io.results.fidelity import Wires
from pynn_io.simulation_plan import Recording, SimulationPlan

#: What only spikes of sources are: they stand in the new plan as trains.
_SPIKES = (SpikeTrains, PoissonTrains)
_UNITS = {"pA": "nA", "nS": "uS"}


def stored_network(lowered: Lowered, asked: Sequence[Connections], given: Sequence[Wires]) -> Network:
    """The network with one projection for each of the chip's. given: sizes of weights, places in their cells."""
    network = lowered.network.network
    cells = {item.label: item for item in (*lowered.network.cells, *lowered.plan.drives)}
    sources = {name: SpikeSource() for name, cell in network.cells.items() if isinstance(cell, SpikeSource)}
    drives = {item.label: _drive(item) for item in lowered.plan.drives}
    synapses: dict[str, Synapse] = {}
    projections = {}
    for edges, wires in zip(asked, given, strict=True):
        synapse = Synapse(edges.synapse.model, dict(edges.synapse.parameters))
        synapses[edges.label] = synapse
        projections[edges.label] = _projection(edges, wires, cells[edges.pre], cells[edges.post])
    return replace(
        network,
        populations={**network.populations, **drives},
        projections=projections,
        cells={**network.cells, **sources, **({_DRIVE: SpikeSource()} if drives else {})},
        synapses=synapses,
    )


#: The cell of sources that only a plan has.
_DRIVE = "spikes of the plan"


def _drive(cells: Cells) -> Population:
    return Population(cells.label, cells.size, Table(1, {"cell": text_column([_DRIVE])}))


def _projection(edges: Connections, wires: Wires, pre: Cells, post: Cells) -> Projection:
    unit = _UNITS.get(post.weight_unit, post.weight_unit)
    sign = -1.0 if edges.receptor == "inhibitory" and unit != "uS" else 1.0
    types = Table(
        1,
        {
            "synapse": text_column([edges.label]),
            "weight_unit": text_column([unit]),
            "receptor": text_column([edges.receptor]),
        },
    )
    columns = Table(wires.size, {"weight": Column(sign * wires.weight, unit), "delay": Column(wires.delay, "ms")})
    ends = Edges(Column(pre.rows[wires.source]), Column(post.rows[wires.target]), columns)
    return Projection(edges.label, pre.population or pre.label, post.population, types, ends)


def stored_plan(lowered: Lowered, plan: SimulationPlan, trains: Mapping[str, Trains]) -> SimulationPlan:
    """The plan with the input spikes that the chip sends, in place of trains, rates and drawn ones."""
    cells = {item.label: item for item in (*lowered.network.cells, *lowered.plan.drives)}
    stimuli = [one for one in plan.stimuli if not isinstance(one.what, _SPIKES)]
    for label, item in trains.items():
        name = cells[label].population or label
        what = SpikeTrains(name, cells[label].ids[item.rows], item.times)
        stimuli.append(Stimulus(f"{label} as stored", what, {"population": name}))
    return replace(
        plan,
        timestep=lowered.setup.timestep,
        duration=lowered.plan.duration,
        stimuli=tuple(stimuli),
        recordings=tuple(_recorded(plan.recordings, lowered.plan.recorders)),
        target_simulator=None,
        spike_times="grid",
    )


def _recorded(recordings: Iterable[Recording], recorders: Sequence[Recorder]) -> Iterator[Recording]:
    """What the chip records of what was asked for; the rest has been reported lost, and is none of the results."""
    for item in recordings:
        kept = {name: None for one in recorders if one.report == item.name for name, _, _ in one.variables}
        if kept:
            yield replace(item, variable=",".join(kept))
