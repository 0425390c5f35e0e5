"""The vocabulary against PyNN: random parameters, our lowering, and a script of PyNN by hand (docs/pynn_models.md)."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from pynn_io.vocabulary.models import MODELS
from tests.runners.pynn_backends import compile_for_neuron
from tests.vocabulary_pynn.cases import CELL_RANGES, run_ours, run_pynn
from tests.vocabulary_pynn.measure import apart, drawn

pytest.importorskip("pyNN", reason="PyNN is not installed")

#: What PyNN 0.13 does not have, or cannot do, on a simulator.
REFUSED = {"nest": {"IF_cond_exp_gsfa_grr"}, "neuron": {"IF_curr_delta"}}
#: On NEST: the largest difference of the potential, mV, where it is not 1e-6. Both are the same model; the two runs
#: begin their adaptive steps at different lengths.
ON_NEST = {"HH_cond_exp": 1e-2}
#: On Brian2 against NEST: until the first spike, mV.
ON_BRIAN2 = {"HH_cond_exp": 5.0, "EIF_cond_exp_isfa_ista": 0.1, "EIF_cond_alpha_isfa_ista": 0.1}
#: On NEURON: until the first spike, mV. PyNN's models step by implicit Euler, ours exactly or by Runge-Kutta.
ON_NEURON = 1.5
#: Models too unlike for that: Izhikevich, by Euler here, and upstrokes; plastic synapses are static here.
UNLIKE = {
    *("HH_cond_exp", "Izhikevich", "EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista", "TsodyksMarkramSynapse"),
}


def test_every_standard_cell_is_drawn() -> None:
    standard = {name for name, row in MODELS.items() if row.kind == "cell" and row.dialect == "pynn"}
    assert standard - {"GIF_cond_exp"} == set(CELL_RANGES)  # no simulator here has GIF


@pytest.mark.slow
def test_nest_computes_what_pynn_computes_on_it(tmp_path: Path) -> None:
    pytest.importorskip("nest", reason="NEST is not installed")
    chosen = drawn()
    ours, theirs = run_ours(chosen, "nest"), run_pynn(chosen, "nest", tmp_path)
    assert {name for name, one in theirs.items() if one.error} == REFUSED["nest"]
    spikes = 0
    for name in chosen.keys() - REFUSED["nest"]:
        found = apart(ours[name], theirs[name])
        assert found.times < 1e-6, name
        assert math.isnan(found.whole) or found.whole < ON_NEST.get(name, 1e-6), name
        spikes += found.spikes[0]
    assert spikes > 50  # silent cells would agree about anything


@pytest.mark.slow
def test_brian2_computes_what_nest_computes() -> None:
    """Every cell of a group has parameters of its own."""
    pytest.importorskip("nest", reason="NEST is not installed")
    pytest.importorskip("brian2", reason="Brian2 is not installed")
    chosen = drawn()
    nest, brian2 = run_ours(chosen, "nest"), run_ours(chosen, "brian2", engine="numpy")
    for name in chosen:
        found = apart(brian2[name], nest[name])
        assert found.times < 1e-6, name
        assert found.before < ON_BRIAN2.get(name, 1e-4), name


@pytest.mark.slow
def test_neuron_is_as_far_from_pynn_as_is_stated(tmp_path: Path) -> None:
    compile_for_neuron()
    chosen = drawn()
    ours, theirs = run_ours(chosen, "neuron"), run_pynn(chosen, "neuron", tmp_path)
    assert {name for name, one in theirs.items() if one.error} == REFUSED["neuron"]
    for name in chosen.keys() - REFUSED["neuron"] - UNLIKE:
        assert apart(ours[name], theirs[name]).before < ON_NEURON, name
