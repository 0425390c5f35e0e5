"""Which target can express what: the tables behind the audit, strict mode and the matrix in the documentation.

A row is a kind of content; the most specific key counts (``channel:nmodl:pas`` before ``channel:nmodl``). A level is
``exact``, ``approximate`` or ``no``, and what is not exact says why, in words that end up in a user's report.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pynn_io.vocabulary import backends, models, nir

#: Every target that a row must answer for: formats, then backends.
TARGETS = (
    *("sonata", "sonata+allen", "sonata+obi", "neuroml", "neuroml+hdf5", "swc", "nix", "nmodl", "nir", "nir+relative"),
    "pynn",
    *backends.NAMES,
)


class Support(NamedTuple):
    """``level``: exact, approximate or no; ``reason``: why not exact."""

    level: str
    reason: str = ""


class Row(NamedTuple):
    """One kind of content: what it is called in the matrix, and what each family of targets makes of it."""

    title: str
    sonata: Support
    allen: Support
    obi: Support
    neuroml: Support
    swc: Support
    #: A NIX file keeps the graph itself, whatever is in it.
    nix: Support = Support("exact")


EXACT = Support("exact")
NOT_A_MORPHOLOGY = Support("no", "an SWC file holds one morphology and nothing else")


def _no(reason: str) -> Support:
    return Support("no", reason)


def _nearly(reason: str) -> Support:
    return Support("approximate", reason)


def _row(title: str, *, neuroml: Support = EXACT, obi: Support = EXACT, sonata: Support = EXACT) -> Row:
    return Row(title, sonata, EXACT, obi, neuroml, NOT_A_MORPHOLOGY)


_NO_ROTATION = _no("NeuroML places a cell by its position and has no rotation")
_NO_PLACEMENT = _nearly("synapses are placed when a simulation is built, by a rule that this target does not have")
_COLUMN_ONLY = _nearly("kept as a column that no tool of this dialect reads")
_OWN_SIMULATOR = _no(
    "its equations are in a file of the simulator's own language; --mechanisms DIR has those of .mod files translated"
)

_NOT_YET = _no("not translated yet")
_IN_MECHANISMS = _nearly("in mechanisms for simulators, and as NeuroML beside the circuit, which only pynn_io reads")
_NO_CHILDREN = _nearly("in mechanisms for simulators, and as NeuroML beside the circuit, which only pynn_io reads")
_AS_HOC = _nearly("NMODL mechanisms and hoc templates for simulators; the NeuroML beside them only pynn_io reads")
_AS_MECHANISM = _nearly("a synapse of NEURON or NEST, or an NMODL mechanism; the NeuroML beside it only pynn_io reads")
_NO_MECHANISM = _nearly("Exp2Syn where it is the same; OBI has no name for others, which only pynn_io reads")
_OWN_TEMPLATE = _nearly("one of NEST's models, or a hoc template; the NeuroML beside it only pynn_io reads")
_SOMA_ONLY = _nearly("potentials at the soma become membrane reports; other quantities are kept, for pynn_io only")
_KEPT_INPUT = _nearly("kept as NeuroML beside the circuit, which only pynn_io reads")
_ALONE = _no("in SONATA a network stands alone: it is written as if it did")
_NOT_BUILT = _no("SONATA states cells and connections, and no rules that build them")
_NOT_IN_BMTK = _nearly("only pynn_io reads it, since BMTK has no such input and runs without it")
_NO_START = _no("it states the concentration of an ion together with a model of it, and here is none")
_CELLS_ALONE = _no("a run of it gives the spikes of cells, and none of sources")
_NO_SETTINGS = _no("LEMS states the length and the step of a simulation, and no simulator's own settings")
_NOT_A_TRACE = _no("LEMS writes potentials of cells, and nothing else yet")


def _bmtk_and_obi(title: str, *, allen: Support = EXACT, obi: Support = EXACT, neuroml: Support = _NOT_YET) -> Row:
    """What stands in a simulation configuration; the dialect of both worlds has BMTK's form of it."""
    return Row(title, allen, allen, obi, neuroml, NOT_A_MORPHOLOGY)


#: Stimuli besides spike trains, steps of current and what nobody knows: the OBI extension has most, BMTK few.
_STIMULI = {
    "PoissonTrains": _bmtk_and_obi(
        "Poisson spike trains", allen=_NOT_IN_BMTK, obi=_no("the OBI dialect's Poisson input needs a weight")
    ),
    "PoissonTrains:weight": _bmtk_and_obi("Poisson spike trains onto cells, with a weight", allen=_NOT_IN_BMTK),
    "SynapseReplay": _bmtk_and_obi(
        "Spikes replayed onto some synapses of their nodes",
        allen=_nearly("only pynn_io reads it, since in BMTK spikes of a population reach all its synapses"),
    ),
    "SpontaneousSynapses": _bmtk_and_obi(
        "Synapses that fire at given times while all others are silent",
        obi=_no("in the OBI dialect synapses fire on their own at a rate only, stated by a connection override"),
    ),
    "SpontaneousSynapses:rate": _bmtk_and_obi(
        "Synapses that fire on their own at a rate",
        allen=_no("BMTK's syn_activity has times, and silences all other synapses"),
        obi=_no("in the OBI dialect this is stated by a connection override"),
    ),
    "CurrentRamp": _bmtk_and_obi("Currents that rise or fall linearly", allen=_NOT_IN_BMTK),
    "Hyperpolarizing": _bmtk_and_obi("Holding currents", allen=_NOT_IN_BMTK),
    "Subthreshold": _bmtk_and_obi("Subthreshold currents", allen=_NOT_IN_BMTK),
    "SinusoidalCurrent": _bmtk_and_obi("Sinusoidal currents", allen=_NOT_IN_BMTK, neuroml=EXACT),
    "NoiseCurrent": _bmtk_and_obi("Noise currents", allen=_NOT_IN_BMTK),
    "OrnsteinUhlenbeck": _bmtk_and_obi("Ornstein-Uhlenbeck currents and conductances", allen=_NOT_IN_BMTK),
    "ShotNoise": _bmtk_and_obi("Shot noise currents and conductances", allen=_NOT_IN_BMTK),
    "VoltageClamp": _bmtk_and_obi("Voltage clamps"),
    "VoltageClamp:delayed": _bmtk_and_obi(
        "Voltage clamps that start later",
        obi=_no("the OBI dialect's seclamp starts with the run: libsonata refuses one with a delay"),
    ),
}

ROWS: dict[str, Row] = {
    "cell:PointCell": _row("Point cells"),
    "cell:SpikeSource": _row("Spike sources (virtual nodes)"),
    # What is on the membrane has rows of its own, below.
    "cell:CableCell": Row("Morphologies of cable cells", EXACT, EXACT, EXACT, EXACT, EXACT),
    "cell:UnknownCell": _row("Cells of a kind that no importer knows", neuroml=_no("NeuroML has no such cell")),
    "unused": _row(
        "Values that stand beside a cell's description, and that its loader does not use",
        neuroml=_no("NeuroML would use them, so they are left out"),
    ),
    "template:hoc": _row(
        "HOC cell templates",
        neuroml=_no(
            "what the template puts on the membrane is known only to NEURON; the morphology is written, and with "
            "--allow-exec what NEURON builds"
        ),
    ),
    "template": _row("Other cell templates", neuroml=_OWN_SIMULATOR),
    "channel:nmodl:pas": _row("The passive channel"),
    "channel:nmodl": _row("Ion channels as NMODL mechanisms", neuroml=_OWN_SIMULATOR),
    "channel:neuroml": _bmtk_and_obi(
        "Ion channels and concentrations as NeuroML or LEMS components",
        allen=_AS_HOC,
        obi=_AS_HOC,
        neuroml=EXACT,
    ),
    "component_types": _bmtk_and_obi(
        "Component types of one's own (LEMS)", allen=_IN_MECHANISMS, obi=_IN_MECHANISMS, neuroml=EXACT
    ),
    "component_types:structure": _bmtk_and_obi(
        "What component types of one's own build (LEMS Structure: MultiInstantiate, EventConnection, Tunnel ...)",
        allen=_NOT_BUILT,
        obi=_NOT_BUILT,
        neuroml=EXACT,
    ),
    "children": _bmtk_and_obi(
        "Components in cells and synapses (plasticity, block, notes ...)",
        allen=_NO_CHILDREN,
        obi=_NO_CHILDREN,
        neuroml=EXACT,
    ),
    "surroundings": _bmtk_and_obi(
        "A component around the network, which may change its temperature (LEMS)",
        allen=_ALONE,
        obi=_ALONE,
        neuroml=EXACT,
    ),
    "channel": _row("Ion channels in other languages", neuroml=_OWN_SIMULATOR),
    "decor:ChannelDensity": _row("Channel densities"),
    "decor:ChannelPopulation": _row("Counted channels of NMODL mechanisms", neuroml=_OWN_SIMULATOR),
    "decor:ChannelPopulation:neuroml": _row("Channels that are counted, not spread"),
    "decor:MembraneProperty": _row("Capacitance, resistivity, initial potential, threshold"),
    "decor:ReversalPotential": _row("Reversal potentials of ions"),
    "decor:InitialConcentration": Row(
        "Concentrations of ions at the start, for mechanisms that stay names",
        _NO_START,
        _NO_START,
        _NO_START,
        _NO_START,
        NOT_A_MORPHOLOGY,
    ),
    "decor:ConcentrationModel": _row("Concentration models as NMODL mechanisms", neuroml=_OWN_SIMULATOR),
    "decor:ConcentrationModel:neuroml": _row("Concentrations of ions at the start"),
    "decor:Junction": _row("Gap junction sites"),
    "kind:chemical": _row("Chemical projections"),
    "kind:electrical": _row("Gap junctions"),
    "kind:graded": _row("Graded synapses (continuous projections)"),
    "kind": _row("Other projections (neuromodulatory, glial ...)", neuroml=_no("NeuroML has no such projection")),
    "column:rotation": _row("Rotations of cable cells", neuroml=_NO_ROTATION),
    "column:recenter": _row("recenter", neuroml=_no("NeuroML has no such instruction"), obi=_COLUMN_ONLY),
    "column:section_site": _row("Synapses at given sections"),
    "column:target_sections": _row("Placement rules", neuroml=_NO_PLACEMENT, obi=_COLUMN_ONLY),
    "column:distance_range": _row("Placement rules", neuroml=_NO_PLACEMENT, obi=_COLUMN_ONLY),
    "column:weight_function": _row("Weight functions", obi=_COLUMN_ONLY),
    "column:nsyns": _row("Several synapses an edge (nsyns)", obi=_COLUMN_ONLY),
    "column:extra": _row(
        "Labels and other columns that no model uses", neuroml=_no("NeuroML has no place for free columns")
    ),
    "column": _row("Positions, ids, weights, delays, per-cell parameters"),
    "node_sets": _row("Node sets", neuroml=_no("NeuroML has no named sets of cells")),
    "stimulus:SpikeTrains": _row("Spike trains"),
    "stimulus:CurrentPulses": _row("Current clamps"),
    **{f"stimulus:{name}": row for name, row in _STIMULI.items()},
    "stimulus:ComponentInput": _bmtk_and_obi(
        "Inputs that are NeuroML or LEMS components",
        allen=_KEPT_INPUT,
        obi=_KEPT_INPUT,
        neuroml=EXACT,
    ),
    "stimulus:OtherStimulus": _row("Other stimuli", neuroml=_no("not translated yet")),
    "recording": _row("Recordings"),
    "recording:obi": _bmtk_and_obi(
        "Recordings that sum, of synapses, of compartment sets, of field potentials (OBI)",
        allen=_no("BMTK has no such report"),
        neuroml=_NOT_A_TRACE,
    ),
    "recording:bmtk": _bmtk_and_obi(
        "Recordings of BMTK's other modules (extracellular, netcon_report, weight_recorder ...)",
        obi=_no("the OBI dialect has no such report"),
        neuroml=_NOT_A_TRACE,
    ),
    "recording:spikes": _bmtk_and_obi("Recordings of the spikes of sources", allen=_CELLS_ALONE, obi=_CELLS_ALONE),
    "recording:lems": _bmtk_and_obi(
        "Files of quantities and events (LEMS)",
        allen=_SOMA_ONLY,
        obi=_SOMA_ONLY,
        neuroml=EXACT,
    ),
    "run:lems": _row("Displays and other words of a LEMS simulation"),
    "run": _row("Settings of a simulator (nsteps_block, output ...)", neuroml=_NO_SETTINGS),
    "run:obi": _bmtk_and_obi(
        "Conditions, modifications, connection overrides, seeds of parts, a node set to run (OBI)",
        allen=_nearly("kept under a key that BMTK does not read"),
        neuroml=_NO_SETTINGS,
    ),
    "run:compartments": _bmtk_and_obi(
        "Length of compartments (dL)",
        obi=_nearly("kept under a key that no tool of this dialect reads"),
        neuroml=EXACT,
    ),
    "run:bmtk": _bmtk_and_obi(
        "Spike times on or between steps (precise_times)",
        obi=_nearly("kept under a key that no tool of this dialect reads"),
        neuroml=_NO_SETTINGS,
    ),
    "run:own": _bmtk_and_obi(
        "Adaptive steps, a least delay",
        allen=_nearly("kept under a key that only pynn_io reads"),
        obi=_nearly("kept under a key that only pynn_io reads"),
        neuroml=_NO_SETTINGS,
    ),
}

#: What a folder of mechanisms and scripts of cells has; anything else belongs to a network.
_OF_CELLS = {
    **dict.fromkeys(
        (
            *("cell:PointCell", "cell:SpikeSource", "cell:CableCell", "channel:neuroml", "component_types", "children"),
            *("decor:ChannelDensity", "decor:ChannelPopulation:neuroml"),
            *("decor:MembraneProperty", "decor:ConcentrationModel:neuroml"),
        ),
        EXACT,
    ),
    "component_types:structure": _no("a mechanism has equations, and builds nothing"),
    "cell:UnknownCell": _no("it has no equations"),
    "template:hoc": _no("what the template puts on the membrane is known only to NEURON"),
    "template": _OWN_SIMULATOR,
    "channel": _OWN_SIMULATOR,
    "channel:nmodl": _OWN_SIMULATOR,
    "channel:nmodl:pas": _OWN_SIMULATOR,
    "decor:ChannelPopulation": _OWN_SIMULATOR,
    "decor:ConcentrationModel": _OWN_SIMULATOR,
    "decor:ReversalPotential": _no("a channel of NeuroML has the reversal potential of its density"),
    "decor:InitialConcentration": _NO_START,
    "decor:Junction": _NOT_YET,
    "stimulus:ComponentInput": _nearly("written as a mechanism with its numbers; which cells it acts on is not"),
}
#: The column of PyNN's backends: what a script can build is what they have.
_ANY_PYNN = "pynn:*"
_IN_SCRIPTS = {
    **dict.fromkeys(
        ("column:extra", "node_sets", "unused"), _no("a PyNN script states what a simulation needs, and nothing else")
    ),
    "column:nsyns": _nearly("an edge of several synapses is one connection of their weight"),
    "column:weight_function": _nearly("weights are written as they are used"),
    **dict.fromkeys(
        ("run", "run:lems", "run:obi", "run:compartments", "run:own"),
        _no("a PyNN script states the length, the step and the seed of a simulation"),
    ),
    "run:bmtk": EXACT,
    **dict.fromkeys(
        (
            *("stimulus:CurrentRamp", "stimulus:Hyperpolarizing", "stimulus:Subthreshold", "stimulus:NoiseCurrent"),
            *("stimulus:OrnsteinUhlenbeck", "stimulus:ShotNoise"),
        ),
        _nearly("written as the current of every time step"),
    ),
    "stimulus:PoissonTrains:weight": _nearly("drawn, and written as sources with these spikes"),
    "recording": _nearly("records the variables, at intervals; a report's own name and file are not PyNN's"),
}
_NO_NETWORK = _no("a folder of mechanisms and scripts of cells holds no network")


def support(key: str, target: str) -> Support:
    """What ``target`` makes of ``key``, the most specific row counting.

    Model keys (``model:nest:iaf_psc_alpha``, ``synapse:nrn:Exp2Syn``) come from the vocabulary's own tables.
    Raises KeyError for a key that no row covers.
    """
    head, _, name = key.partition(":")
    if head in {"model", "synapse"}:
        return _model(name, target, synapse=head == "synapse")
    row = row_of(key)
    if target in backends.NAMES:
        return Support(*backends.of_kind(key, row, target))
    if target == "nmodl":
        return _OF_CELLS.get(row, _NO_NETWORK)
    if _field(target) == "nir":
        return Support(*nir.of_kind(key, row))
    if target == "pynn":
        return _IN_SCRIPTS.get(row) or Support(*backends.of_kind(key, row, _ANY_PYNN))
    return getattr(ROWS[row], _field(target))


def title(key: str) -> str:
    """What a kind of content is called, in the matrix and in reports."""
    head, _, name = key.partition(":")
    if head in {"model", "synapse"}:
        return f"The model {name}"
    return ROWS[row_of(key)].title


def row_of(key: str) -> str:
    """The key of the most specific row that covers a key."""
    found = key
    while found not in ROWS:
        found, colon, _ = found.rpartition(":")
        if not colon:
            raise KeyError(f"no support row for {key.partition(':')[0]!r}")
    return found


def _field(target: str) -> str:
    base, _, dialect = target.partition("+")
    return dialect if base == "sonata" and dialect else base


def _model(name: str, target: str, *, synapse: bool) -> Support:
    """SONATA names any model; NeuroML needs its equations, and a backend its own."""
    if target in backends.NAMES or target == "pynn":
        return Support(*backends.of_model(name, _ANY_PYNN if target == "pynn" else target, synapse=synapse))
    base = _field(target)
    if base == "swc":
        return NOT_A_MORPHOLOGY
    if base == "nmodl":
        return _as_nmodl(name)
    if base == "nir":
        return Support(*nir.of_model(name, synapse=synapse))
    if base in ("sonata", "allen", "obi") and name.startswith("neuroml:"):
        return _OWN_TEMPLATE if not synapse else _NO_MECHANISM if base == "obi" else _AS_MECHANISM
    if base != "neuroml" or not name or name.startswith("neuroml:"):
        return EXACT
    from pynn_io.vocabulary.neuroml import SUPPORT_ROWS

    if name not in SUPPORT_ROWS:
        return _no("no NeuroML component with these equations is known")
    level, reason = SUPPORT_ROWS[name]
    return Support(level, reason)


def _as_nmodl(name: str) -> Support:
    """NeuroML's types have equations, and so have PyNN's cells there."""
    from pynn_io.vocabulary.core import core_types

    if name.startswith("neuroml:") or name in core_types():
        return EXACT
    return _no("no equations of it are known here")


def matrix() -> Iterator[tuple[str, dict[str, Support]]]:
    """``(title, {target: support})`` for every row, kinds first, then every model of the vocabulary."""
    from pynn_io.vocabulary.neuroml import SUPPORT_ROWS

    seen = set()
    for key, row in ROWS.items():
        if row.title not in seen:
            seen.add(row.title)
            yield row.title, {target: support(key, target) for target in TARGETS}
    for name in SUPPORT_ROWS:
        model = models.known(name)
        head = "synapse" if model is not None and model.kind == "synapse" else "model"
        yield name, {target: support(f"{head}:{name}", target) for target in TARGETS}
