"""NMODL -> equations -> NMODL: the currents and states of the original, under voltage clamp in NEURON."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nmodl_in.clamp import Case, case_of, measured

pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")
pytest.importorskip("neuron", reason="NEURON runs the mechanisms")
bmtk = pytest.importorskip("bmtk", reason="BMTK ships the mechanisms of the Allen Institute")
neuron = pytest.importorskip("neuron")
ALLEN = Path(bmtk.__file__).parent / "utils/scripts/bionet/mechanisms/modfiles"
BUILT_IN = Path(neuron.__file__).parent / ".data/share/modfile"
NAMES = sorted(path.stem for path in ALLEN.glob("*.mod") if path.stem != "vecevent")
#: Other parameters than the file's, of which the kinetics depend.
CHANGED = {"Kv3_1": {"vshift": 7.5}, "NaTa": {"mvhalf": -45.0, "hk": 5.5}}


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    files = [ALLEN / f"{name}.mod" for name in NAMES]
    cases = [case_of(file)[0] for file in (*files, BUILT_IN / "hh.mod", BUILT_IN / "passive.mod")]
    changed = [case_of(ALLEN / f"{name}.mod", values)[0] for name, values in CHANGED.items()]
    found = measured(files, [*cases, *changed], tmp_path_factory.mktemp("mod"))
    return {**found, "all": {case.name: float(len(case.pairs)) for case in cases}}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*NAMES, "hh", "pas"])
def test_the_same_currents_and_states(name: str, apart: dict[str, dict[str, float]]) -> None:
    assert len(apart[name]) == apart["all"][name] > 0
    assert {key: value for key, value in apart[name].items() if value > 1e-6} == {}


def test_a_scheme_that_starts_elsewhere_says_so() -> None:
    """I4 * bi3 stands in its LINEAR block where its scheme has I4 * b13."""
    case, found = case_of(ALLEN / "NaV.mod")
    assert isinstance(case, Case) and case.settled > 0
    assert [note for note in found.notes if "steady state of its own scheme" in note]
