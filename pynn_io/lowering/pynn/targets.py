"""What the backends of PyNN 0.13 have and have not: measured with NEST 3.10, NEURON 9 and Brian2 2.9.

A module that is not here is taken to have all of the standard: what it lacks shows when the network is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from pynn_io.lowering.pynn.words import Target

#: Short names of backends -> the module that PyNN documents.
MODULES: Mapping[str, str] = MappingProxyType(
    {name: f"pyNN.{name}" for name in ("nest", "neuron", "brian2", "mock", "spiNNaker", "arbor", "neuroml")}
)
_ABSENT = "it is not there"
_UPWARD = "PyNN 0.13 takes bounds below 0 for an empty range there: its weights would become 0"
_ADDITIVE = "PyNN 0.13 takes no notice of it there: weights change by the additive rule"
#: What no class of PyNN's own backends records, and what those of NEST and NEURON do not.
_CURRENTS = dict.fromkeys(
    ((model, name) for model in ("IF_curr_exp", "IF_curr_alpha") for name in ("isyn_exc", "isyn_inh")),
    "PyNN's class has no such variable",
)
_GATES = dict.fromkeys((("HH_cond_exp", name) for name in "mhn"), "PyNN's class has no such variable")
#: What a script for any backend cannot record.
UNRECORDED: Mapping[tuple[str, str], str] = MappingProxyType({**_CURRENTS, **_GATES})

_NEST = Target(
    "pyNN.nest",
    native="nest",
    lacks=MappingProxyType(
        {
            "IF_cond_exp_gsfa_grr": "PyNN 0.13 asks NEST for a variable g_r that its cell calls otherwise",
            "StochasticTsodyksMarkramSynapse": "it is in an extension of NEST that cannot be compiled for the wheel",
            "Vogels2011Rule": _ABSENT,
        }
    ),
    unrecorded=MappingProxyType(
        {**UNRECORDED, ("IF_curr_delta", "v"): "PyNN 0.13 asks NEST for a variable v, which it calls V_m"}
    ),
    states=MappingProxyType({("IF_curr_delta", "v"): "V_m"}),
    # NEST itself puts a spike between two steps at the next one. A source passes a spike on by the least delay, and
    # there is no time 0.
    on_grid=False,
    first_step=2,
    stdp=MappingProxyType({"dendritic_delay_fraction": 1.0, "w_min": 0.0}),
    # PyNN makes pA or nS of all weights and bounds, and for these cells takes back only that of the weights.
    bounds=MappingProxyType({"IF_curr_delta": 1e-3, "Izhikevich": 1e-3}),
    # PyNN's own choice are cells with spikes between steps, which are other models; the plan's, unless it says so, are
    # those on steps.
    setup=MappingProxyType({"spike_precision": "on_grid"}),
    precise=MappingProxyType({"spike_precision": "off_grid"}),
    seed="rng_seed",
)
_NEURON = Target(
    "pyNN.neuron",
    native="nrn",
    lacks=MappingProxyType({"IF_curr_delta": _ABSENT}),
    upward=_UPWARD,
    unrecorded=UNRECORDED,
    on_grid=False,
    zero_delay=True,
    seed="native_rng_baseseed",
)
_BRIAN2 = Target(
    "pyNN.brian2",
    lacks=MappingProxyType(
        {
            "HH_cond_exp": "its potential becomes infinite at steps of 0.1 ms",
            "IF_cond_exp_gsfa_grr": "it does not adapt there",
            **dict.fromkeys(
                ("IF_facets_hardware1", "GIF_cond_exp", "SimpleStochasticSynapse", "MultiQuantalSynapse"), _ABSENT
            ),
            "StochasticTsodyksMarkramSynapse": _ABSENT,
            "Vogels2011Rule": _ABSENT,
            **dict.fromkeys(
                ("MultiplicativeWeightDependence", "AdditivePotentiationMultiplicativeDepression"), _ADDITIVE
            ),
            "GutigWeightDependence": _ADDITIVE,
        }
    ),
    stdp=MappingProxyType({"dendritic_delay_fraction": 0.0}),
    upward=_UPWARD,
    unrecorded=MappingProxyType(_CURRENTS),
    # What differs from cell to cell is taken from the first one, or refused.
    alike=frozenset({"EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista", "Izhikevich", "PointNeuron"}),
    shared=frozenset({"tau_refrac"}),
)

_TARGETS: Mapping[str, Target] = MappingProxyType({item.name: item for item in (_NEST, _NEURON, _BRIAN2)})


def target_of(module: str, *, declarative: bool = False) -> Target:
    """The target for a module of PyNN (``pyNN.nest``) or the short name of one (``nest``)."""
    name = MODULES.get(module, module)
    return replace(_TARGETS.get(name, Target(name)), declarative=declarative)
