"""The simulation plan: frozen, and free of any simulator.

What the source does not state is None, and stays so until a backend lowers the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from pynn_io.graph.columns import empty
from pynn_io.graph.stimuli import NodeSet, Stimulus

if TYPE_CHECKING:
    from pynn_io.graph.network import Network


#: The kind of a recording that is spikes.
SPIKES = "spikes"


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded variable: ``variable`` as the source names it (``v``, ``V_m``, ``cai``), from which cells, where.

    kind: ``compartment`` (a value of each recorded place), ``summation`` (their sum a cell), ``synapse``, ``spikes``
        (of sources; those of all cells are in every run's results), or another name of the source's, which a backend
        without it reports.
    sections: ``soma``, ``axon``, ``dend``, ``apic`` or ``all``. compartments: ``center`` (of every section) or ``all``.
    compartment_set: name of an OBI compartment set that takes the place of node set and sections.
    start, stop, interval: ms; None where the source is silent (0, the run's end, its time step). ``stop`` is excluded.
    unit, scaling, file: as stated.
    columns: (name, quantity path) of each column of a LEMS ``<OutputFile>`` (kind ``quantities``: ``pop/0/cell/v``),
        or (id, path) of each ``<EventSelection>`` (kind ``events``; ``variable`` is the event port). They take the
        place of node set, sections and compartments.
    """

    name: str
    variable: str
    node_set: NodeSet
    sections: str = "soma"
    start: float | None = None
    stop: float | None = None
    interval: float | None = None
    enabled: bool = True
    parameters: Mapping[str, Any] = field(default_factory=empty)
    kind: str = "compartment"
    compartments: str | None = None
    compartment_set: str | None = None
    unit: str | None = None
    scaling: str | None = None
    file: str | None = None
    columns: tuple[tuple[str, str], ...] = ()


class Assignment(NamedTuple):
    """One assignment of a parsed snippet of HOC or Python; the snippet itself is never executed.

    target: what it is an attribute of: a section (``apic[10]``) or section list (``apical``), ``%s`` for the object
    that the snippet is applied to (a section, a synapse), or empty. operator: ``=``, ``+=``, ``-=``, ``*=`` or ``/=``.
    """

    target: str
    variable: str
    value: float
    operator: str = "="


@dataclass(frozen=True, slots=True)
class Modification:
    """A change to some cells before the run (OBI ``conditions.modifications``).

    kind: ``ttx``, ``configure_all_sections``, ``section_list``, ``section`` or ``compartment_set``.
    assignments: targets are ``%s`` (every section), names of section lists, sections (``apic[10]``), or empty (every
        compartment of the set), by ``kind``. A section that lacks a variable is passed over; with
        ``configure_all_sections`` it must have all of them.
    compartment_set: takes the place of ``node_set``, which is None then.
    """

    name: str
    kind: str
    node_set: NodeSet
    assignments: tuple[Assignment, ...] = ()
    compartment_set: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionOverride:
    """A change to the synapses between two node sets (OBI ``connection_overrides``); later ones override earlier ones.

    weight: factor. delay: ms at which it takes effect (None: from the start). synapse_delay: replaces the edges' delay.
    spont_minis: Hz. mod_override: another synapse mechanism. configure: the parsed ``synapse_configure``; its targets
    are ``%s`` (every synapse) or empty (a global variable of NEURON, ``tau_d_NMDA_ProbAMPANMDA_EMS``).
    parameters: what else is stated (``neuromodulation_dtc`` ...).
    """

    name: str
    source: NodeSet
    target: NodeSet
    weight: float | None = None
    delay: float | None = None
    synapse_delay: float | None = None
    spont_minis: float | None = None
    mod_override: str | None = None
    configure: tuple[Assignment, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=empty)


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go: names of files as stated, and None or empty where nothing is.

    directory: relative to ``base``, the folder of the configuration that was read, which is no part of the plan.
    spikes_sort_order: ``by_time``, ``by_id`` or ``none``. parameters: what else is stated
    (``overwrite_output_dir`` ...).
    """

    directory: str | None = None
    spikes_file: str | None = None
    spikes_file_csv: str | None = None
    spikes_sort_order: str | None = None
    log_file: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=empty)
    base: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SimulationPlan:
    """What to run.

    start, duration, timestep: ms (duration is the end of the run, SONATA's ``tstop``). spike_threshold, v_init: mV.
    celsius: degC. section_length: longest compartment, um (``dL``). spike_location: ``soma`` or ``AIS``.
    spike_times: what a spike between two steps means: ``precise`` (an input is at its time, and on NEST the standard
        cells that can fire there), ``grid`` (an input is at the next step); None leaves it to the backend, which says
        so in the provenance of its results.
    variable_step: an adaptive integrator instead of ``timestep``. integration_method: as the source names it.
    seed: of everything random. seeds: those of parts of it, which override it: ``stimulus``, ``ionchannel``, ``minis``,
        ``synapse``.
    node_set: cells that are simulated; None for all of them.
    mechanism_variables: (mechanism, variable) -> value, global variables of NMODL mechanisms.
    node_sets: those of the simulation, which add to and override the circuit's. compartment_sets: by name, as their
    file states them. extra: what else the source states, kept for a writer of the same format.
    """

    name: str = "simulation"
    duration: float | None = None
    timestep: float | None = None
    spike_threshold: float | None = None
    celsius: float | None = None
    v_init: float | None = None
    seed: int | None = None
    stimuli: tuple[Stimulus, ...] = ()
    recordings: tuple[Recording, ...] = ()
    node_sets: Mapping[str, Any] = field(default_factory=empty)
    target_simulator: str | None = None
    extra: Mapping[str, Any] = field(default_factory=empty)
    start: float | None = None
    section_length: float | None = None
    spike_location: str | None = None
    spike_times: str | None = None
    variable_step: bool | None = None
    integration_method: str | None = None
    min_delay: float | None = None
    extracellular_calcium: float | None = None
    randomize_gaba_rise_time: bool | None = None
    seeds: Mapping[str, int] = field(default_factory=empty)
    node_set: NodeSet | None = None
    modifications: tuple[Modification, ...] = ()
    overrides: tuple[ConnectionOverride, ...] = ()
    mechanism_variables: Mapping[tuple[str, str], float] = field(default_factory=empty)
    compartment_sets: Mapping[str, Any] = field(default_factory=empty)
    output: Output = field(default_factory=Output)

    def run(self, network: Network, backend: str = "auto", **options: Any) -> Any:
        """Run the plan on a network; gives `pynn_io.results.Results`. See `pynn_io.simulate.simulate` for options."""
        return import_module("pynn_io.simulate").simulate(network, self, backend, **options)

    def setup(self, sim: Any, **arguments: Any) -> None:
        """Set up ``sim``, a backend module of PyNN or `pynn_io.backend`; see `pynn_io.pynn_calls.setup`."""
        import_module("pynn_io.pynn_calls").setup(self, sim, **arguments)

    def execute(self, net: Any, **options: Any) -> Any:
        """Run the plan on what ``import_from_sonata(..., sim)`` gave, and write its output; gives the Results.

        See `pynn_io.pynn_calls.execute`.
        """
        return import_module("pynn_io.pynn_calls").execute(self, net, **options)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], network: Network | None = None) -> SimulationPlan:
        """The plan of a simulation configuration that has been read as JSON; see `pynn_io.pynn_calls.from_config`."""
        plan: SimulationPlan = import_module("pynn_io.pynn_calls").from_config(config, network)
        return plan

    def to_json(self) -> str:
        """The plan as JSON, whole: see `pynn_io.simulation_plan.json_form`."""
        text: str = import_module("pynn_io.simulation_plan.json_form").to_json(self)
        return text

    @staticmethod
    def from_json(text: str) -> SimulationPlan:
        """The plan of a JSON text. Raises ReadError, or PlanError with the place of what is wrong."""
        plan: SimulationPlan = import_module("pynn_io.simulation_plan.json_form").from_json(text)
        return plan
