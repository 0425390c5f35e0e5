"""Projections with what a plan adds to them: release synapses, connection overrides, replay, spontaneous events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from pynn_io.graph.network import Network, Projection
from pynn_io.lowering.cables.models import Connections, SynapseBlock, TemplateModel
from pynn_io.lowering.cables.populations import Cells
from pynn_io.report import Report
from pynn_io.runners.neuron.events import Events
from pynn_io.runners.neuron.obi_synapses import ReleaseStream, models_of, population_number, seed_gids, states_release
from pynn_io.runners.neuron.overrides import Overrides
from pynn_io.runners.neuron.release import Release, with_overrides
from pynn_io.simulation_plan import SimulationPlan

#: Populations in the stream number of a synapse: source times this, plus target (neurodamus-models, helpers).
_SOURCE = 65536


@dataclass(frozen=True, slots=True, eq=False)
class Additions:
    """What a plan adds to projections. virtual: whether each population only emits spikes."""

    network: Network
    plan: SimulationPlan
    first: Mapping[str, int]
    cells: Mapping[str, Cells]
    events: Events
    virtual: Mapping[str, bool]
    timestep: float

    def connections(
        self, projection: Projection, plain: Callable[[Projection], Connections], report: Report
    ) -> Connections:
        """One chemical projection. plain: makes what it is without release synapses and additions."""
        overrides = Overrides(self.network, self.plan, projection)
        first = (self.first[projection.pre], self.first[projection.post])
        if states_release(projection):
            calcium = self.plan.extracellular_calcium
            built = self.cells[projection.post].group >= 0
            stream = ReleaseStream(self.network, projection, overrides, first, built, self.timestep, calcium)
            ends = (projection.pre, projection.post)
            made = Connections(projection.name, "chemical", *ends, models_of(overrides), projection.size, stream.blocks)
            return replace(made, release=self._release(projection, overrides, made))
        made = plain(projection)
        templates = any(isinstance(group.model, TemplateModel) for group in self.cells[projection.post].groups)
        if not (overrides.any or self.events.any or templates):
            return made
        self._name_ignored(projection, overrides, made, report)
        blocks = made.blocks

        def changed(keep: np.ndarray, heard: Report) -> Iterator[SynapseBlock]:
            return with_overrides(blocks(keep, heard), overrides, first)

        return replace(made, blocks=changed, release=self._release(projection, overrides, made))

    def _release(self, projection: Projection, overrides: Overrides, made: Connections) -> Release:
        stream = population_number(projection.pre) * _SOURCE + population_number(projection.post)
        return Release(
            projection.name,
            projection.pre,
            projection.post,
            made.models,
            overrides,
            self.events,
            (self.first[projection.pre], self.first[projection.post]),
            seed_gids(self.network)[projection.post],
            stream + int(self.plan.seeds.get("synapse", 0)),
            bool(self.plan.randomize_gaba_rise_time),
            self.events.silent and not self.virtual[projection.pre],
        )

    def _name_ignored(self, projection: Projection, overrides: Overrides, made: Connections, report: Report) -> None:
        """An override that asks for another mechanism than these synapses already are."""
        have = {model.mechanism for model in made.models}
        for name in set(overrides.mechanisms) - have:
            message = f"An override asks for synapses of kind {name!r}; these stay what they are."
            report.lost("mod-override", f"projections/{projection.name}", message)
