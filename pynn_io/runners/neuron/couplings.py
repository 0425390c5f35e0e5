"""Couplings of NeuroML on built cells: point processes on both cells, each seeing the other's potential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pynn_io.lowering.cables.models import SynapseModel

if TYPE_CHECKING:
    from pynn_io.runners.neuron.lowered import LoweredNeuron
    from pynn_io.runners.neuron.model import Model


def make(model: Model, lowered: LoweredNeuron) -> None:
    """The point processes of this rank's cells, and the potentials that go between cells."""
    from neuron import h

    context = h.ParallelContext()
    for halves in lowered.couplings:
        columns = (halves.gids, halves.section, halves.position, halves.kind, halves.weight, halves.own, halves.other)
        for gid, number, position, kind, weight, own, other in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            cell = model.cells.get(gid)
            if cell is None:
                continue
            segment = cell.sections[number](position)
            context.source_var(segment._ref_v, own, sec=segment.sec)
            synapse = halves.models[kind]
            if synapse is not None:
                process = _process(synapse, segment, weight)
                context.target_var(process, process._ref_vpeer, other)
                model.keep.append(process)
    if lowered.couplings:
        context.setup_transfer()


def _process(synapse: SynapseModel, segment: Any, weight: float) -> Any:
    from neuron import h

    process = getattr(h, synapse.mechanism)(segment)
    for name, value in synapse.parameters.items():
        setattr(process, name, value)
    if hasattr(process, "weight"):
        process.weight = weight
    return process
