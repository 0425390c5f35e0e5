"""Currents, conductances and voltages of a plan as drives: a time course and the places that it is put at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import OtherStimulus, PoissonTrains, Stimulus, code_of, kind_of
from pynn_io.lowering.cables.sites import Sites, sites_of_compartments, sites_of_set
from pynn_io.lowering.processes import Process
from pynn_io.lowering.signals import Shape, Signal, amplitudes, random_of, sample, seeds_of, signal_of
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan


@dataclass(frozen=True, slots=True, eq=False)
class Drive:
    """One stimulus on cells of one population. offset, gain: float64[n], of every site (nA, uS, mV or a factor).

    membrane: the current counts among the membrane's, and something records that. seeds: of the run, of stimuli.
    """

    name: str
    sites: Sites
    signal: Signal
    offset: np.ndarray
    gain: np.ndarray
    membrane: bool
    seeds: tuple[int, int] = (0, 0)

    def course(self, site: int) -> Shape:
        """The time course at one site: nA, uS or mV."""
        random = None
        if isinstance(self.signal.shape, Process):
            sites = self.sites
            where = (sites.population, int(sites.node_ids[site]))
            random = random_of(self.signal.shape, self.name, self.seeds, *where)
        return sample(self.signal, float(self.offset[site]), float(self.gain[site]), random)


def lower(network: Network, plan: SimulationPlan, first: Mapping[str, int], report: Report) -> tuple[Drive, ...]:
    """The drives of all stimuli that are no spikes, in the plan's order.

    Reports what no simulator here can apply (LOST, by `code_of` its stimulus) and a stimulus on no cell. Raises
    PlanError for impossible numbers and for a missing column (``threshold_current`` ...), naming input and population.
    """
    return tuple(drive for stimulus in plan.stimuli for drive in _drives(stimulus, network, plan, first, report))


def _drives(
    stimulus: Stimulus, network: Network, plan: SimulationPlan, first: Mapping[str, int], report: Report
) -> Iterator[Drive]:
    where = f"inputs.{stimulus.name}"
    if isinstance(stimulus.what, OtherStimulus):
        kind = kind_of(stimulus.what)
        message = f"The input {stimulus.name!r} of kind {kind!r} is not one that can be applied; it is left out."
        report.lost(code_of(stimulus.what), where, message)
        return
    if isinstance(stimulus.what, PoissonTrains) and stimulus.what.weight is not None:
        message = f"The Poisson input {stimulus.name!r} has a weight; there is no synapse for it, and it is left out."
        report.lost(code_of(stimulus.what), where, message)
        return
    try:
        signal = signal_of(stimulus.what, plan.duration)
    except ValueError as exc:
        raise PlanError(f"the input {stimulus.name!r} cannot be applied: {exc}", where=where) from exc
    if signal is None:
        return
    membrane = not stimulus.physical_electrode and signal.kind != "voltage" and _sees_membrane_currents(plan)
    seeds = seeds_of(signal, plan, report, where)
    for sites in _sites(stimulus, network, plan, first, where):
        offset, gain = amplitudes(signal, network.populations[sites.population], sites.rows, where)
        yield Drive(stimulus.name, sites, signal, offset, gain, membrane, seeds)


def _sites(
    stimulus: Stimulus, network: Network, plan: SimulationPlan, first: Mapping[str, int], where: str
) -> list[Sites]:
    if stimulus.compartment_set is not None:
        return [sites_of_compartments(stimulus.compartment_set, network, plan, first, where)]
    try:
        section, position, within = stimulus.section, stimulus.position, stimulus.distance_range
        sites = sites_of_set(stimulus.node_set, network, plan, first, section=section, position=position, within=within)
        return list(sites)
    except PlanError as exc:
        raise PlanError(exc.message, where=where, hint=exc.hint) from exc


def _sees_membrane_currents(plan: SimulationPlan) -> bool:
    return any(item.enabled and "i_membrane" in item.variable for item in plan.recordings)
