"""Mechanisms with other parameters than their files state: what they shape is translated with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nmodl_in.clamp import case_of, measured

pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")
bmtk = pytest.importorskip("bmtk", reason="BMTK ships the mechanisms of the Allen Institute")
neuron = pytest.importorskip("neuron", reason="NEURON ships its own mechanisms")

ALLEN = Path(bmtk.__file__).parent / "utils/scripts/bionet/mechanisms/modfiles"
OWN = Path(neuron.__file__).parent / ".data/share/modfile"
#: The source of calcium is not changed; of the others, parameters of a section and of all.
SOURCE = ALLEN / "Ca_HVA.mod"
CHANGED = {
    ALLEN / "CaDynamics.mod": {"gamma": 0.0005, "decay": 46.0, "minCai": 2e-4},
    ALLEN / "Ih.mod": {"ehcn": -40.0},
    ALLEN / "NaV.mod": {"x1": 20.0, "delta": 45.0},
    OWN / "exp2syn.mod": {"tau1": 0.7, "tau2": 3.1, "e": -12.0},
}


@pytest.mark.slow
def test_currents_and_states_are_the_originals(tmp_path: Path) -> None:
    cases = [case_of(path, values)[0] for path, values in CHANGED.items()]
    files = [SOURCE, *(path for path in CHANGED if path.parent == ALLEN)]
    apart = measured(files, cases, tmp_path)
    assert apart.keys() == {"CaDynamics", "Ih", "NaV", "Exp2Syn"}
    assert len(apart["NaV"]) == 13  # its current and 12 states
    for name, traces in apart.items():
        assert max(each.apart for each in traces.values()) < 1e-6, name


def test_a_type_is_called_after_parameters_that_shape_it() -> None:
    _, plain = case_of(ALLEN / "NaV.mod")
    _, other = case_of(ALLEN / "NaV.mod", {"x1": 20.0})
    _, denser = case_of(ALLEN / "NaV.mod", {"gbar": 0.3})
    assert {each.component.id for each in plain.channels} == {each.component.id for each in denser.channels} == {"NaV"}
    assert plain.types.keys().isdisjoint(other.types)
