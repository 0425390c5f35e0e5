"""How NEST integrates its models, by their names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pynn_io.runners.algorithms import EULER, EXACT, FEHLBERG, UNKNOWN, Algorithm

if TYPE_CHECKING:
    from pynn_io.runners.nest.build import Model

#: Models whose equations the GNU Scientific Library's Fehlberg method solves within a step, with steps of its own.
GSL = frozenset(
    {
        *("aeif_cond_alpha", "aeif_cond_alpha_astro", "aeif_cond_alpha_multisynapse", "aeif_cond_beta_multisynapse"),
        *("aeif_cond_exp", "aeif_psc_alpha", "aeif_psc_delta", "aeif_psc_delta_clopath", "aeif_psc_exp"),
        *("astrocyte_lr_1994", "gif_cond_exp", "gif_cond_exp_multisynapse", "glif_cond", "hh_cond_beta_gap_traub"),
        *("hh_cond_exp_traub", "hh_psc_alpha", "hh_psc_alpha_clopath", "hh_psc_alpha_gap", "ht_neuron"),
        *("iaf_bw_2001", "iaf_bw_2001_exact", "iaf_chxk_2008", "iaf_cond_alpha", "iaf_cond_alpha_mc", "iaf_cond_beta"),
        *("iaf_cond_exp", "iaf_cond_exp_sfa_rr", "pp_cond_exp_mc_urbanczik"),
    }
)
#: Models that are linear between spikes.
LINEAR = frozenset(
    {
        *("iaf_psc_alpha", "iaf_psc_alpha_multisynapse", "iaf_psc_alpha_ps", "iaf_psc_delta", "iaf_psc_delta_ps"),
        *("iaf_psc_exp", "iaf_psc_exp_htum", "iaf_psc_exp_multisynapse", "iaf_psc_exp_ps", "iaf_psc_exp_ps_lossless"),
        *("iaf_tum_2000", "mat2_psc_exp", "amat2_psc_exp", "glif_psc", "glif_psc_double_alpha", "gif_psc_exp"),
        *("gif_psc_exp_multisynapse", "pp_psc_delta"),
    }
)
#: One step forward a time step, unless ``consistent_integration`` is false.
_EULER = frozenset({"izhikevich"})
#: What only passes spikes on, or makes them, has no equations.
_WITHOUT = ("generator", "parrot_neuron", "injector", "dilutor")


def algorithms(model: Model) -> Iterator[Algorithm]:
    """Of every model with equations that ran."""
    step = model.lowered.timestep
    for group in model.groups:
        own = group.nodes.parameters.get("consistent_integration", True)
        yield from of_model(group.nodes.model, step) if own else [Algorithm(group.nodes.model, *UNKNOWN)]


def of_model(name: str, step: float) -> Iterator[Algorithm]:
    """Of a model by its name; nothing for what only makes spikes, or passes them on."""
    if any(word in name for word in _WITHOUT):
        return
    if name in GSL:
        yield Algorithm(name, *FEHLBERG)
    elif name in LINEAR:
        yield Algorithm(name, *EXACT, step)
    elif name in _EULER:
        yield Algorithm(name, *EULER, step)
    else:
        yield Algorithm(name, *UNKNOWN)
