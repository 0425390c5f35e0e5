"""What each backend makes of every kind of content and of every model: the columns of the support tables that run.

``(level, reason)`` by the keys of `pynn_io.vocabulary.support.ROWS`; one that is not here is exact, and so is whatever
a simulation does not compute with (labels, positions of point cells). A model without a row of its own has that of its
dialect (``nest:``), and a standard model without one is not known to the backend.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from pynn_io.vocabulary import chips
from pynn_io.vocabulary.translations import TRANSLATIONS

Answer: TypeAlias = tuple[str, str]
Answers: TypeAlias = Mapping[str, Answer]

EXACT: Answer = ("exact", "")


def _no(reason: str, *keys: str) -> dict[str, Answer]:
    return dict.fromkeys(keys, ("no", reason))


def _exact(names: str) -> dict[str, Answer]:
    return dict.fromkeys(names.split(), EXACT)


_OTHER_KIND = "no simulator here knows what such a projection does"
_NO_CELL = "the backend has no such cell"
_NOT_BUILT = "populations and connections that a type of one's own builds are not made"
_NO_STIMULUS = "no simulator here has such a stimulus"

_AS_STEPS: Answer = ("approximate", "currents that depend on time alone are injected, one value a time step")
_NO_EXTENT = "NEST runs cells without extent"
_AT_SYNAPSES = ("stimulus:SpontaneousSynapses", "stimulus:SpontaneousSynapses:rate")
#: What only cells with extent have.
_OF_CABLES = (
    *("cell:CableCell", "template:hoc", "template", "channel:nmodl:pas", "channel:nmodl", "channel"),
    *("decor:ChannelDensity", "decor:MembraneProperty", "decor:ReversalPotential", "decor:ConcentrationModel"),
    "decor:InitialConcentration",
    *("channel:neuroml", "decor:ChannelPopulation", "decor:ChannelPopulation:neuroml"),
    *("decor:ConcentrationModel:neuroml", "decor:Junction", "column:rotation", "column:recenter"),
    *("column:section_site", "column:target_sections", "column:distance_range"),
)

_NEST = {
    **_no(_NO_EXTENT, *_OF_CABLES),
    "cell:UnknownCell:point_neuron": EXACT,
    **_no(_NO_CELL, "cell:UnknownCell"),
    **_no("gap junctions between NEST's cells are not connected yet", "kind:electrical"),
    **_no("NEST's cells take no graded synapses", "kind:graded"),
    **_no(_OTHER_KIND, "kind"),
    **_no("NEST makes no events at single synapses", *_AT_SYNAPSES),
    **_no("NEST runs the network as if it stood alone", "surroundings"),
    **_no(_NOT_BUILT, "component_types:structure"),
    **_no("NEST's cells cannot be clamped to a voltage", "stimulus:VoltageClamp", "stimulus:VoltageClamp:delayed"),
    **_no("NEST's runner records single variables of cells without extent", "recording:obi"),
    **_no("NEST's runner records variables of cells, and nothing else", "recording:bmtk"),
    "recording:lems": ("approximate", "potentials are recorded as reports; the simulation's own files are not written"),
    **_no(_NO_STIMULUS, "stimulus:OtherStimulus"),
    "stimulus:ComponentInput": _AS_STEPS,
}

_BRIAN2 = {
    **_no("Brian2's runner has cells without extent", *_OF_CABLES),
    **_no(_NO_CELL, "cell:UnknownCell"),
    **_no("gap junctions are not connected on Brian2", "kind:electrical"),
    **_no("graded synapses are not connected on Brian2", "kind:graded"),
    **_no(_OTHER_KIND, "kind"),
    **_no(
        "Brian2's runner makes no events at single synapses",
        *("stimulus:SpontaneousSynapses", "stimulus:SpontaneousSynapses:rate"),
    ),
    **_no("Brian2's runner runs the network as if it stood alone", "surroundings"),
    **_no(_NOT_BUILT, "component_types:structure"),
    **_no(
        "Brian2's cells here take currents alone",
        *("stimulus:VoltageClamp", "stimulus:VoltageClamp:delayed"),
    ),
    **_no("Brian2's runner records single variables of cells without extent", "recording:obi", "recording:bmtk"),
    "recording:lems": ("approximate", "potentials are recorded as reports; the simulation's own files are not written"),
    **_no(_NO_STIMULUS, "stimulus:OtherStimulus"),
    "stimulus:ComponentInput": _AS_STEPS,
    "run:bmtk": ("approximate", "spikes from outside arrive on time steps, whatever is asked for"),
}

_NEURON = {
    **_no("its equations are in a language that NEURON does not read", "template", "channel"),
    **_no("items placed at one point of a cell are not built", "decor:Junction"),
    **_no("concentrations start at NEURON's own, or at those of a model of the ion", "decor:InitialConcentration"),
    **_no("what one channel of a mechanism conducts is not known", "decor:ChannelPopulation"),
    **_no(_NO_CELL, "cell:UnknownCell"),
    **_no(_NOT_BUILT, "component_types:structure"),
    **_no("NEURON runs the network as if it stood alone, at the temperature of the start", "surroundings"),
    "kind:graded": EXACT,
    **_no(_OTHER_KIND, "kind"),
    **_no(_NO_STIMULUS, "stimulus:OtherStimulus"),
    **_no("NEURON's runner makes no synapse for a Poisson input with a weight", "stimulus:PoissonTrains:weight"),
    **_no("NEURON's runner records no extracellular potentials and no weights", "recording:bmtk"),
}

_NOT_IN_CATALOGUES = (
    "Arbor's catalogues do not have it, and its equations are in NEURON's own language; --mechanisms DIR gives Arbor"
    " the equations"
)
#: modcc's ``cnexp``; measured on bio_1cell of the Allen Institute at 0.1 ms (see docs/guide.md).
_RATIONAL: Answer = (
    "approximate",
    "Arbor's own mechanism has a rational function in the place of the exponential: gates faster than the time step are"
    " off. --mechanisms DIR gives Arbor the equations, of which it takes NEURON's steps",
)
#: The mechanisms of NEURON with gates or pools that Arbor's catalogues have: its own, those of the Allen cell types
#: and of the Blue Brain Project.
_CATALOGUES = (
    "hh CaDynamics Ca_HVA Ca_LVA Ih Im Im_v2 K_P K_T Kd Kv2like Kv3_1 NaTa NaTs NaV Nap SK CaDynamics_E2 Ca_LVAst"
    " K_Pst K_Tst NaTa_t NaTs2_t Nap_Et2 SK_E2 SKv3_1"
)
_ARBOR = {
    **_no("its equations are in a language that Arbor does not read", "template", "channel"),
    **_no(
        "a hoc template is a program for NEURON: pynn-convert --to neuroml --allow-exec has NEURON build its cells, and"
        " Arbor runs these",
        "template:hoc",
    ),
    **_no(_NOT_IN_CATALOGUES, "channel:nmodl"),
    **dict.fromkeys((f"channel:nmodl:{name}" for name in _CATALOGUES.split()), _RATIONAL),
    "channel:nmodl:pas": EXACT,
    **_no("items placed at one point of a cell are not built", "decor:Junction"),
    **_no("concentrations start at Arbor's own, or at those of a model of the ion", "decor:InitialConcentration"),
    **_no("channels that are counted, not spread, are not built", "decor:ChannelPopulation"),
    **_no(_NO_CELL, "cell:UnknownCell"),
    **_no("Arbor's synapses do not see the potential of the cell that they come from", "kind:graded"),
    **_no(_OTHER_KIND, "kind"),
    **_no(_NO_STIMULUS, "stimulus:OtherStimulus"),
    "stimulus:ComponentInput": ("approximate", "currents that depend on time alone are injected, linear between steps"),
    **_no(
        "Arbor has no voltage clamp, and its mechanisms know no time at which a level could begin or end",
        *("stimulus:VoltageClamp", "stimulus:VoltageClamp:delayed"),
    ),
    **_no(
        "Arbor's runner makes no events at single synapses",
        *("stimulus:SynapseReplay", "stimulus:SpontaneousSynapses", "stimulus:SpontaneousSynapses:rate"),
    ),
    **_no("Arbor's runner makes no synapse for a Poisson input with a weight", "stimulus:PoissonTrains:weight"),
    **_no("Arbor's runner records potentials, concentrations and currents of ions", "recording:obi", "recording:bmtk"),
    "recording:lems": ("approximate", "potentials are recorded as reports; the simulation's own files are not written"),
    **_no("Arbor's runner does not apply what is stated for NEURON alone", "run:obi", "run:own"),
}

_MOOSE = {
    **_no("its equations are in a language that MOOSE does not read", "template", "channel"),
    **_no(
        "a hoc template is a program for NEURON: pynn-convert --to neuroml --allow-exec has NEURON build its cells, and"
        " MOOSE runs these",
        "template:hoc",
    ),
    **_no(
        "its equations are in NEURON's own language; --mechanisms DIR gives MOOSE the equations",
        "channel:nmodl",
    ),
    "channel:nmodl:pas": EXACT,
    **_no("items placed at one point of a cell are not built", "decor:Junction"),
    **_no("concentrations start at NEURON's own, or at those of a model of the ion", "decor:InitialConcentration"),
    **_no("channels that are counted, not spread, are not built", "decor:ChannelPopulation"),
    **_no(_NO_CELL, "cell:UnknownCell"),
    **_no("graded synapses are not connected on MOOSE", "kind:graded"),
    **_no(_OTHER_KIND, "kind"),
    **_no(_NOT_BUILT, "component_types:structure"),
    **_no("MOOSE runs the network as if it stood alone, at the temperature of the start", "surroundings"),
    **_no(_NO_STIMULUS, "stimulus:OtherStimulus"),
    "stimulus:ComponentInput": (
        "approximate",
        "currents that depend on time alone are injected, one value a time step",
    ),
    **_no(
        "MOOSE's runner injects currents alone",
        *("stimulus:VoltageClamp", "stimulus:VoltageClamp:delayed"),
    ),
    **_no(
        "MOOSE's runner makes no events at single synapses",
        *("stimulus:SynapseReplay", "stimulus:SpontaneousSynapses", "stimulus:SpontaneousSynapses:rate"),
    ),
    **_no("MOOSE's runner makes no synapse for a Poisson input with a weight", "stimulus:PoissonTrains:weight"),
    **_no("MOOSE's runner records potentials and the concentration of calcium", "recording:obi", "recording:bmtk"),
    "recording:lems": ("approximate", "potentials are recorded as reports; the simulation's own files are not written"),
    **_no("MOOSE's runner does not apply what is stated for NEURON alone", "run:obi", "run:own"),
}

_NOT_IN_PYNN = "PyNN's standard cells have no such thing"
_PYNN = {
    **{key: ("no", "PyNN's standard cells have no extent") for key, (_, why) in _NEST.items() if why == _NO_EXTENT},
    **_no(_NO_CELL, "cell:UnknownCell"),
    **_no("PyNN's standard cells take no gap junctions", "kind:electrical"),
    **_no("PyNN's standard cells take no graded synapses", "kind:graded"),
    **_no(_OTHER_KIND, "kind"),
    **_no("PyNN makes no events at single synapses", *_AT_SYNAPSES),
    **_no("PyNN runs the network as if it stood alone", "surroundings"),
    **_no(_NOT_BUILT, "component_types:structure"),
    **_no(_NOT_IN_PYNN, "stimulus:VoltageClamp", "stimulus:VoltageClamp:delayed"),
    **_no("PyNN records single variables of cells without extent", "recording:obi"),
    **_no("PyNN records variables of cells, and nothing else", "recording:bmtk"),
    "recording:lems": _NEST["recording:lems"],
    **_no("PyNN has no such stimulus", "stimulus:ComponentInput", "stimulus:OtherStimulus"),
}

_QUEUE = {**_PYNN, **_no("a job of the queue hands back the spikes of cells", "recording:spikes")}

KINDS: Mapping[str, Answers] = MappingProxyType(
    # Jobs of a queue are scripts in PyNN's words: what a machine lacks beyond that, lowering for it says.
    {
        "nest": _NEST,
        "neuron": _NEURON,
        "arbor": _ARBOR,
        "moose": _MOOSE,
        "brian2": _BRIAN2,
        "pynn:*": _PYNN,
        "nmpi": _QUEUE,
    }
)
#: Every backend with a column: those of the tables here, and chips, whose answers stand in their profiles.
NAMES = (*KINDS, *chips.NAMES)

#: Standard cells, sources and connections that both backends run.
_STANDARD = (
    "IF_curr_alpha IF_curr_exp IF_curr_delta IF_cond_alpha IF_cond_exp IF_cond_exp_gsfa_grr IF_facets_hardware1"
    " HH_cond_exp EIF_cond_exp_isfa_ista EIF_cond_alpha_isfa_ista Izhikevich SpikeSourceArray SpikeSourcePoisson"
    " SpikeSourcePoissonRefractory SpikeSourceGamma static StaticSynapse nest:static_synapse"
    " nest:static_synapse_hom_w nest:cont_delay_synapse"
)
_NO_MODEL = ("no", "the backend has no model with these equations")
_STATIC: Answer = (
    "approximate",
    "onto a cell without extent a static synapse runs instead: its weight stays as it is at the start, and no spike"
    " fails",
)
_UNCHANGING: Answer = ("approximate", "a static synapse runs instead, whose weight stays as it is at the start")
_SHAPED: Answer = (
    "approximate",
    "in NEST the target cell shapes the response: it becomes a static synapse of this weight",
)
_SHAPED_IN_PYNN: Answer = ("approximate", _SHAPED[1].replace("NEST", "PyNN"))
_SHAPED_TOO: Answer = (
    "approximate",
    "on Brian2 the target cell shapes the response: it becomes a static synapse of this weight",
)
_PLASTIC = (
    "TsodyksMarkramSynapse SimpleStochasticSynapse StochasticTsodyksMarkramSynapse MultiQuantalSynapse STDPMechanism"
    " nest:bernoulli_synapse nest:tsodyks_synapse nest:tsodyks2_synapse nest:quantal_stp_synapse nest:stdp_synapse"
    " nest:stdp_synapse_hom nest:stdp_triplet_synapse nest:vogels_sprekeler_synapse"
)

#: Synapses of NeuroML that are written as mechanisms for Arbor; ``gapJunction`` is Arbor's own.
_NEUROML_SYNAPSES = (
    "neuroml:expOneSynapse neuroml:expTwoSynapse neuroml:expThreeSynapse neuroml:alphaSynapse"
    " neuroml:alphaCurrentSynapse neuroml:blockingPlasticSynapse neuroml:doubleSynapse neuroml:stdpSynapse"
    " neuroml:expCondSynapse neuroml:expCurrSynapse neuroml:alphaCondSynapse neuroml:alphaCurrSynapse"
    " neuroml:gapJunction"
)
#: Models of the machines behind the queue, which are SpiNNaker's; BrainScaleS-2 has fewer.
_OF_QUEUE = (
    "SpikeSourceArray SpikeSourcePoisson static StaticSynapse STDPMechanism nest:static_synapse"
    " nest:static_synapse_hom_w IF_curr_exp IF_cond_exp IF_curr_alpha IF_curr_delta Izhikevich nest:iaf_psc_exp"
    " nest:iaf_cond_exp nest:iaf_psc_alpha nest:iaf_psc_delta nest:izhikevich neuroml:iafCell neuroml:iafRefCell"
    " neuroml:iafTauCell neuroml:iafTauRefCell neuroml:expOneSynapse neuroml:alphaCurrentSynapse"
)

MODELS: Mapping[str, Answers] = MappingProxyType(
    {
        "nest": {
            **_exact(_STANDARD),
            **_exact("GIF_cond_exp TsodyksMarkramSynapse SimpleStochasticSynapse MultiQuantalSynapse STDPMechanism"),
            "nest:": EXACT,
            **_exact("neuroml:iafCell neuroml:iafRefCell neuroml:iafTauCell neuroml:iafTauRefCell neuroml:adExIaFCell"),
            **_exact("neuroml:expOneSynapse neuroml:alphaSynapse neuroml:alphaCurrentSynapse"),
            "nrn:": ("no", "it is a model of NEURON"),
        },
        "neuron": {
            # What has a standard twin runs as that.
            **_exact(" ".join(row.native for row in TRANSLATIONS)),
            **_exact(_STANDARD),
            **dict.fromkeys(_PLASTIC.split(), _STATIC),
            # Gap junctions are built as such, whatever model a projection of that kind names.
            **_exact("ElectricalSynapse nest:gap_junction"),
            "nrn:": EXACT,
            "hoc:": EXACT,
            "neuroml:": EXACT,
            "nest:": ("no", "it is a model of NEST without a counterpart on NEURON"),
        },
        "pynn:*": {
            **_exact(_STANDARD),
            **_exact("GIF_cond_exp PointNeuron"),
            **_exact(" ".join(row.native for row in TRANSLATIONS)),
            **_exact(
                "TsodyksMarkramSynapse SimpleStochasticSynapse StochasticTsodyksMarkramSynapse MultiQuantalSynapse"
                " STDPMechanism nest:tsodyks_synapse nest:bernoulli_synapse nest:quantal_stp_synapse"
            ),
            **_exact("neuroml:iafCell neuroml:iafRefCell neuroml:iafTauCell neuroml:iafTauRefCell neuroml:adExIaFCell"),
            **_exact("neuroml:expOneSynapse neuroml:alphaSynapse neuroml:alphaCurrentSynapse"),
            # Native models are for the backend that has them: what another one does, lowering says.
            **_exact("nrn:IntFire1 nrn:IntFire2 nrn:IntFire4 nest:"),
            "nrn:": ("no", "it is a model of NEURON that PyNN has not"),
        },
        "nmpi": {
            **_exact(_OF_QUEUE),
            "nest:": ("no", "no machine of the queue has this model"),
            "nrn:": ("no", "no machine of the queue has this model"),
        },
        "arbor": {
            **_exact("IF_curr_delta nest:iaf_psc_delta SpikeSourceArray SpikeSourcePoisson"),
            **_exact("SpikeSourcePoissonRefractory SpikeSourceGamma"),
            **_exact("static StaticSynapse nest:static_synapse nest:static_synapse_hom_w nest:cont_delay_synapse"),
            **_exact("nrn:Exp2Syn nrn:ExpSyn nrn:IntFire1 ElectricalSynapse nest:gap_junction"),
            **_exact(_NEUROML_SYNAPSES),
            **dict.fromkeys(
                ("neuroml:silentSynapse", "neuroml:gradedSynapse", "neuroml:linearGradedSynapse"),
                ("no", "Arbor's synapses do not see the potential of the cell that they come from"),
            ),
            "nrn:": ("no", "Arbor has no mechanism with these equations"),
            "nest:": ("no", "Arbor has no cell with these equations"),
            "neuroml:": ("no", "Arbor has no cell with these equations"),
        },
        "moose": {
            **_exact("SpikeSourceArray SpikeSourcePoisson SpikeSourcePoissonRefractory SpikeSourceGamma"),
            **_exact("nrn:Exp2Syn nrn:ExpSyn"),
            **_exact("neuroml:expOneSynapse neuroml:expTwoSynapse neuroml:alphaSynapse"),
            **_exact("ElectricalSynapse nest:gap_junction neuroml:gapJunction"),
            "nrn:": ("no", "MOOSE's runner has no synapse and no cell with these equations"),
            "nest:": ("no", "MOOSE's runner has no cell and no synapse with these equations"),
            "neuroml:": ("no", "MOOSE's runner has no cell and no synapse with these equations"),
        },
        "brian2": {
            **_exact(" ".join(row.native for row in TRANSLATIONS)),
            **_exact(_STANDARD),
            **_exact("TsodyksMarkramSynapse SimpleStochasticSynapse nest:bernoulli_synapse nest:tsodyks_synapse"),
            **_exact("nest:tsodyks2_synapse nest:stdp_synapse nest:stdp_synapse_hom nest:stdp_synapse_recorder"),
            "STDPMechanism": EXACT,
            "nrn:": ("no", "it is a model of NEURON"),
            "nest:": ("no", "it is a model of NEST whose equations are not written for Brian2"),
            "neuroml:": EXACT,
        },
    }
)

#: Synapses of a dialect as a whole, where a backend answers otherwise for them than for cells; ``""``: standard ones.
SYNAPSES: Mapping[str, Answers] = MappingProxyType(
    {
        "nest": {"nrn:": _SHAPED},
        "pynn:*": {"nrn:": _SHAPED_IN_PYNN},
        "nmpi": {"nrn:": _SHAPED_IN_PYNN, "nest:": _STATIC, "": _STATIC},
        "neuron": {"nest:": _STATIC, "": _STATIC},
        "arbor": {
            "nest:": _STATIC,
            "": _STATIC,
            "neuroml:": (
                "approximate",
                "its equations become a mechanism of Arbor where they are linear and know no time, no chance and no"
                " other cell; such synapses are left out otherwise, and reported",
            ),
        },
        "moose": {},
        "brian2": {"nest:": _UNCHANGING, "": _UNCHANGING, "nrn:": _SHAPED_TOO, "neuroml:": EXACT},
    },
)


def of_kind(key: str, row: str, backend: str) -> Answer:
    """The answer for a key, or else for the row of `pynn_io.vocabulary.support.ROWS` that covers it."""
    if backend in chips.NAMES:
        return chips.chip(backend).of_kind(key, row)[:2]
    answers = KINDS[backend]
    return answers.get(key) or answers.get(row, EXACT)


def of_model(name: str, backend: str, *, synapse: bool) -> Answer:
    """The answer for a synapse, or a cell or source model; an empty name (a synapse that states none) is exact."""
    if not name:
        return EXACT
    if backend in chips.NAMES:
        return chips.chip(backend).of_model(name, synapse=synapse)[:2]
    dialect, colon, _ = name.partition(":")
    group, answers = dialect + colon if colon else "", MODELS[backend]
    if name not in answers and synapse and group in SYNAPSES[backend]:
        return SYNAPSES[backend][group]
    return answers.get(name) or answers.get(group, _NO_MODEL)
