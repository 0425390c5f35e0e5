"""Which NeuroML or LEMS component computes the equations of which model. `exporters.neuroml_components` applies it.

Own ComponentTypes and how a document refers to them (tried with jNeuroML 0.14; more in docs/neuroml_own_types.md):

- the types are in ``vocabulary/lems/*.xml``, root ``<neuroml>``: ``jnml -validate`` stops at an included ``<Lems>``;
- a component of an own type stands in ``NAME.components.xml`` (root ``<neuroml>``, ``<include href=...>`` of the type
  files) as a core element with LEMS's ``type`` attribute: ``<baseCell id="c" type="pynnIoIafDelta" .../>``,
  ``<silentSynapse id="s" type="pynnIoJumpSynapse"/>``: see `CARRIER`;
- ``NAME.net.nml`` includes that file and holds core components and the network; it is "All valid and no warnings";
- the LEMS file includes ``Cells.xml``, ``Networks.xml``, ``PyNN.xml``, ``Simulation.xml`` and ``NAME.net.nml``.

How an event makes a membrane potential jump in LEMS: the synapse counts (state ``jump``: the sum of all weights so
far), the cell keeps ``v = u + sum of jumps`` with ``du/dt = f(v)``; a reset sets ``u = vReset - sum of jumps``. That is
exact for any time step: no current pulse of finite length is involved. jLEMS wants every attachment of such a cell to
expose ``jump``, so a current clamp onto it has to be our ``pynnIoJumpPulse``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

#: Elements of the schema that carry a component of an own type, by what it is.
CARRIER: Mapping[str, str] = MappingProxyType(
    {"cell": "baseCell", "synapse": "silentSynapse", "input": "pulseGenerator"}
)

#: Property of a <population>, before the name of a state: the value that each of its cells starts from, in their order.
START = "pynn_io_start_"

#: Files of ``vocabulary/lems``.
JUMPS = "pynn_io_jumps.xml"
JUMP_CELLS = "pynn_io_jump_cells.xml"
INTFIRE = "pynn_io_intfire.xml"
ADAPTING = "pynn_io_adapting_cells.xml"
GIF = "pynn_io_gif_cells.xml"
HODGKIN_HUXLEY = "pynn_io_hh_cells.xml"
SHORT_TERM = "pynn_io_short_term.xml"


class Attribute(NamedTuple):
    """``name`` of the component's attribute from a parameter or state; ``unit`` "" writes a bare number.

    given: the unit that a bare number is in (PyNN's cells in NeuroML have numbers, not quantities).
    default: for parameters that only some of the models of a row have.
    """

    name: str
    source: str
    unit: str = ""
    given: str = ""
    default: float | None = None


class CellRow(NamedTuple):
    """``family``: what its synapses do, a key of `SYNAPSE_ROWS`. ``records``: the exposure with the cell's state."""

    type: str
    attributes: tuple[Attribute, ...]
    family: str
    definitions: tuple[str, ...] = ()
    records: str = "v"


class SynapseRow(NamedTuple):
    """What a static synapse of a family becomes. ``base`` is the unit of the component's weight."""

    type: str
    base: str
    definitions: tuple[str, ...]
    short_term: str


def _numbers(text: str) -> tuple[Attribute, ...]:
    """``"cm:nF v_init=v:mV"``: attributes that are bare numbers in the given unit."""
    attributes = []
    for item in text.split():
        names, _, given = item.partition(":")
        name, _, source = names.partition("=")
        attributes.append(Attribute(name, source or name, "", given))
    return tuple(attributes)


def _quantities(text: str) -> tuple[Attribute, ...]:
    """``"C=cm:nF refractoryInput=refractory_input:1:0"``: attributes with a unit, and a default after it."""
    attributes = []
    for item in text.split():
        names, unit, *default = item.split(":")
        name, _, source = names.partition("=")
        attributes.append(
            Attribute(name, source or name, "" if unit == "1" else unit, "", float(default[0]) if default else None)
        )
    return tuple(attributes)


_CORE = (
    "cm:nF tau_m:ms tau_refrac:ms v_rest:mV v_reset:mV v_thresh:mV i_offset:nA tau_syn_E:ms tau_syn_I:ms v_init=v:mV"
)
_COND = f"{_CORE} e_rev_E:mV e_rev_I:mV"
_EIF = f"{_COND} v_spike:mV delta_T:mV tau_w:ms a:uS b:nA"
_HH = (
    "C=cm:nF gNa=gbar_Na:uS gK=gbar_K:uS gL=g_leak:uS ENa=e_rev_Na:mV EK=e_rev_K:mV EL=e_rev_leak:mV"
    " iOffset=i_offset:nA"
)

#: Row of adaptive exponential cells that the core type does badly by Euler steps (`derived.steep`).
STEEP = "EIF (steep)"

#: Standard and native cells that have a row of their own. A native cell that is not here goes through its standard twin
#: (`pynn_io.vocabulary.translations`).
CELL_ROWS: Mapping[str, CellRow] = MappingProxyType(
    {
        "IF_curr_alpha": CellRow("IF_curr_alpha", _numbers(_CORE), "current_alpha"),
        "IF_curr_exp": CellRow("IF_curr_exp", _numbers(_CORE), "current_exp"),
        "IF_cond_alpha": CellRow("IF_cond_alpha", _numbers(_COND), "conductance_alpha"),
        "IF_cond_exp": CellRow("IF_cond_exp", _numbers(_COND), "conductance_exp"),
        "EIF_cond_exp_isfa_ista": CellRow("EIF_cond_exp_isfa_ista", _numbers(_EIF), "conductance_exp"),
        "EIF_cond_alpha_isfa_ista": CellRow("EIF_cond_alpha_isfa_ista", _numbers(_EIF), "conductance_alpha"),
        "IF_curr_delta": CellRow(
            "pynnIoIafDelta",
            _quantities(
                "C=cm:nF tau=tau_m:ms EL=v_rest:mV vThresh=v_thresh:mV vReset=v_reset:mV refract=tau_refrac:ms"
                " refractoryInput=refractory_input:1:0 iOffset=i_offset:nA v0=v:mV"
            ),
            "jump",
            (JUMPS, JUMP_CELLS),
        ),
        "nest:aeif_psc_delta": CellRow(
            "pynnIoAdExDelta",
            _quantities(
                "C=C_m:pF gL=g_L:nS EL=E_L:mV VT=V_th:mV delT=Delta_T:mV vPeak=V_peak:mV vReset=V_reset:mV"
                " refract=t_ref:ms refractoryInput=refractory_input:1 tauw=tau_w:ms a:nS b:pA iOffset=I_e:pA v0=V_m:mV"
                " w0=w:pA"
            ),
            "jump",
            (JUMPS, JUMP_CELLS),
        ),
        "Izhikevich": CellRow(
            "pynnIoIzhikevich",
            (
                *_numbers("a:per_ms b:per_ms c:mV d:mV/ms iOffset=i_offset:pA v0=v:mV u0=u:mV/ms"),
                Attribute("vThresh", "V_th", default=30.0),
            ),
            "jump",
            (JUMPS, JUMP_CELLS),
        ),
        "IF_cond_exp_gsfa_grr": CellRow(
            "pynnIoIafGsfaGrr",
            _quantities(
                "C=cm:nF gL=g_leak:uS EL=v_rest:mV vThresh=v_thresh:mV vReset=v_reset:mV refract=tau_refrac:ms"
                " ESfa=e_rev_sfa:mV qSfa=q_sfa:nS tauSfa=tau_sfa:ms ERr=e_rev_rr:mV qRr=q_rr:nS tauRr=tau_rr:ms"
                " iOffset=i_offset:nA v0=v:mV gSfa0=g_s:nS gRr0=g_r:nS"
            ),
            "conductance_exp",
            (ADAPTING,),
        ),
        "GIF_cond_exp": CellRow(
            "pynnIoGif",
            _quantities(
                "C=cm:nF gL=g_leak:uS EL=v_rest:mV vReset=v_reset:mV refract=tau_refrac:ms vTStar=v_t_star:mV"
                " deltaV=delta_v:mV lambda0=lambda0:Hz iOffset=i_offset:nA v0=v:mV"
                " tauEta1=tau_eta_1:ms tauEta2=tau_eta_2:ms tauEta3=tau_eta_3:ms"
                " aEta1=a_eta_1:nA aEta2=a_eta_2:nA aEta3=a_eta_3:nA"
                " tauGamma1=tau_gamma_1:ms tauGamma2=tau_gamma_2:ms tauGamma3=tau_gamma_3:ms"
                " aGamma1=a_gamma_1:mV aGamma2=a_gamma_2:mV aGamma3=a_gamma_3:mV"
            ),
            "conductance_exp",
            (GIF,),
        ),
        "HH_cond_exp": CellRow(
            "pynnIoHHTraub",
            _quantities(f"{_HH} vOffset=v_offset:mV vSpike=v_spike:mV refract=t_ref:ms:2 v0=v:mV m0=m:1 h0=h:1 n0=n:1"),
            "conductance_exp",
            (HODGKIN_HUXLEY,),
        ),
        "nest:hh_psc_alpha": CellRow(
            "pynnIoHHClassic",
            _quantities(
                "C=C_m:pF gNa=g_Na:nS gK=g_K:nS gL=g_L:nS ENa=E_Na:mV EK=E_K:mV EL=E_L:mV iOffset=I_e:pA"
                " vSpike=v_spike:mV:0 refract=t_ref:ms v0=V_m:mV m0=Act_m:1 h0=Inact_h:1 n0=Act_n:1"
            ),
            "current_alpha",
            (HODGKIN_HUXLEY,),
        ),
        STEEP: CellRow(
            "pynnIoAdEx",
            _quantities(
                "C=cm:nF gL=g_leak:uS EL=v_rest:mV VT=v_thresh:mV delT=delta_T:mV vPeak=v_peak:mV vReset=v_reset:mV"
                " refract=tau_refrac:ms tauw=tau_w:ms a:nS b:nA iOffset=i_offset:nA v0=v:mV w0=w:nA"
            ),
            "",
            (ADAPTING,),
        ),
        "nrn:IntFire1": CellRow(
            "pynnIoIntFire1", _quantities("tau:s refract=refrac:s m0=m:1"), "intfire1", (JUMPS, INTFIRE), "m"
        ),
        "nrn:IntFire2": CellRow("pynnIoIntFire2", _quantities("taum:ms ib:1 m0=m:1"), "intfire2", (INTFIRE,), "m"),
        "nrn:IntFire4": CellRow(
            "pynnIoIntFire4", _quantities("taum:ms ae:per_ms ai2:per_ms m0=m:1"), "intfire4", (INTFIRE,), "m"
        ),
    }
)

#: Native cells that are another one but for their synapses: model -> (cell with the same membrane, family).
SAME_MEMBRANE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nest:aeif_psc_exp": ("nest:aeif_cond_exp", "current_exp"),
        "nest:aeif_psc_alpha": ("nest:aeif_cond_alpha", "current_alpha"),
    }
)

SYNAPSE_ROWS: Mapping[str, SynapseRow] = MappingProxyType(
    {
        "current_exp": SynapseRow("expCurrSynapse", "nA", (), "pynnIoStpExpCurr"),
        "current_alpha": SynapseRow("alphaCurrSynapse", "nA", (), "pynnIoStpAlphaCurr"),
        "conductance_exp": SynapseRow("expCondSynapse", "uS", (), "pynnIoStpExpCond"),
        "conductance_alpha": SynapseRow("alphaCondSynapse", "uS", (), "pynnIoStpAlphaCond"),
        "jump": SynapseRow("pynnIoJumpSynapse", "mV", (JUMPS,), "pynnIoStpJump"),
        "intfire1": SynapseRow("pynnIoJumpSynapse", "1", (JUMPS,), "pynnIoStpJump"),
        "intfire2": SynapseRow("pynnIoIntFire2Synapse", "1", (INTFIRE,), ""),
        "intfire4": SynapseRow("pynnIoIntFire4Synapse", "1", (INTFIRE,), ""),
    }
)

#: Synapses that pass every spike on with the stated weight.
STATIC = frozenset(
    {"", "static", "StaticSynapse", "nest:static_synapse", "nest:static_synapse_hom_w", "nest:cont_delay_synapse"}
)

#: Synapses whose weight changes while the network runs. They are written as static ones with their initial weight.
PLASTIC = frozenset(
    {
        "STDPMechanism",
        "nest:stdp_synapse",
        "nest:stdp_synapse_hom",
        "nest:stdp_triplet_synapse",
        "nest:vogels_sprekeler_synapse",
    }
)

_RANDOM = "it releases at random, and its mean is not its effect"
_FROZEN = "NeuroML has no such plasticity: the weight stays what it is at the start"
_POISSON = "all targets get the same spikes; in NEST each connection gets its own"

#: model -> (level, reason): what NeuroML makes of every model of the vocabulary.
SUPPORT_ROWS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "IF_curr_alpha": ("exact", ""),
        "IF_curr_exp": ("exact", ""),
        "IF_curr_delta": ("exact", ""),
        "IF_cond_alpha": ("exact", ""),
        "IF_cond_exp": ("exact", ""),
        "IF_cond_exp_gsfa_grr": ("exact", ""),
        "IF_facets_hardware1": ("exact", ""),
        "HH_cond_exp": ("exact", ""),
        "EIF_cond_exp_isfa_ista": ("exact", ""),
        "EIF_cond_alpha_isfa_ista": ("exact", ""),
        "Izhikevich": ("exact", ""),
        "GIF_cond_exp": ("exact", ""),
        "nest:gif_cond_exp": ("exact", ""),
        "nest:iaf_psc_alpha": ("exact", ""),
        "nest:iaf_psc_delta": ("exact", ""),
        "nest:iaf_psc_exp": ("exact", ""),
        "nest:iaf_cond_alpha": ("exact", ""),
        "nest:iaf_cond_exp": ("exact", ""),
        "nest:iaf_cond_exp_sfa_rr": ("exact", ""),
        "nest:aeif_cond_exp": ("exact", ""),
        "nest:aeif_cond_alpha": ("exact", ""),
        "nest:aeif_psc_exp": ("exact", ""),
        "nest:aeif_psc_alpha": ("exact", ""),
        "nest:aeif_psc_delta": ("exact", ""),
        "nest:izhikevich": ("exact", ""),
        "nest:hh_psc_alpha": ("exact", ""),
        "nest:hh_cond_exp_traub": ("exact", ""),
        "nest:glif_psc": ("no", "its after-spike currents and moving thresholds have no component yet"),
        "nrn:IntFire1": ("exact", ""),
        "nrn:IntFire2": ("exact", ""),
        "nrn:IntFire4": ("exact", ""),
        "SpikeSourceArray": ("exact", ""),
        "SpikeSourcePoisson": ("exact", ""),
        "SpikeSourcePoissonRefractory": ("approximate", "NeuroML's source has no start and no end"),
        "SpikeSourceGamma": ("no", "NeuroML has no source with gamma-distributed intervals"),
        "SpikeSourceInhGamma": ("no", "NeuroML has no source with gamma-distributed intervals"),
        "nest:poisson_generator": ("approximate", _POISSON),
        "nest:spike_generator": ("exact", ""),
        "static": ("exact", ""),
        "StaticSynapse": ("exact", ""),
        "TsodyksMarkramSynapse": ("exact", ""),
        "SimpleStochasticSynapse": ("no", _RANDOM),
        "StochasticTsodyksMarkramSynapse": ("no", _RANDOM),
        "MultiQuantalSynapse": ("no", _RANDOM),
        "ElectricalSynapse": ("exact", ""),
        "STDPMechanism": ("approximate", _FROZEN),
        "nest:static_synapse": ("exact", ""),
        "nest:static_synapse_hom_w": ("exact", ""),
        "nest:cont_delay_synapse": ("exact", ""),
        "nest:bernoulli_synapse": ("no", _RANDOM),
        "nest:tsodyks_synapse": ("exact", ""),
        "nest:tsodyks2_synapse": ("exact", ""),
        "nest:quantal_stp_synapse": ("no", _RANDOM),
        "nest:stdp_synapse": ("approximate", _FROZEN),
        "nest:stdp_synapse_hom": ("approximate", _FROZEN),
        "nest:stdp_triplet_synapse": ("approximate", _FROZEN),
        "nest:vogels_sprekeler_synapse": ("approximate", _FROZEN),
        "nest:gap_junction": ("exact", ""),
        "nrn:ExpSyn": ("exact", ""),
        "nrn:Exp2Syn": ("exact", ""),
    }
)
