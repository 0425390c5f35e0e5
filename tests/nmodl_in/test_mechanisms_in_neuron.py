"""Every state and current of mechanisms that we translate, as NMODL of our own, against the files they came from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pynn_io.formats.nmodl import read_mechanism
from pynn_io.graph.biophysics import Law
from pynn_io.importers.nmodl_channels import translate
from tests.nmodl_in.clamp import Difference, case_of, measured

pytestmark = pytest.mark.slow
pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")
bmtk = pytest.importorskip("bmtk", reason="BMTK ships the mechanisms of the Allen Institute")
neuron = pytest.importorskip("neuron")
ALLEN = Path(bmtk.__file__).parent / "utils/scripts/bionet/mechanisms/modfiles"
SHARE = Path(neuron.__file__).parent / ".data/share"
FILES = {path.stem: path for path in sorted(ALLEN.glob("*.mod")) if path.stem != "vecevent"}
#: The demonstration's channel of calcium is of Goldman, Hodgkin and Katz.
FILES["cachan"] = SHARE / "nrn/demo/release/camchan.mod"
BUILT_IN = {
    "hh": SHARE / "modfile/hh.mod",
    "pas": SHARE / "modfile/passive.mod",
    "ExpSyn": SHARE / "modfile/expsyn.mod",
    "Exp2Syn": SHARE / "modfile/exp2syn.mod",
}
#: Of the largest value of a trace.
CLOSE = 1e-6


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Difference]]:
    cases = [case_of(path)[0] for path in {**FILES, **BUILT_IN}.values()]
    return measured(FILES.values(), cases, tmp_path_factory.mktemp("mod"))


@pytest.mark.parametrize("name", [*FILES, *BUILT_IN])
def test_every_state_and_current_is_the_originals(outcome: dict[str, dict[str, Difference]], name: str) -> None:
    mechanism = read_mechanism({**FILES, **BUILT_IN}[name])
    channels = len(translate(mechanism).channels) or 1
    assert len(outcome[name]) == channels + len(mechanism.states)
    for key, found in outcome[name].items():
        assert found.moves > 1e-3, f"{key} does not move"
        assert found.apart <= CLOSE, f"{key} differs by {found.apart:.3g} of its largest value"


def test_the_scheme_with_a_slip_in_its_start_says_so(tmp_path: Path) -> None:
    case, found = case_of(FILES["NaV"])
    (note,) = found.notes
    assert "LINEAR equations do not start it at the steady state" in note
    whole = measured([FILES["NaV"]], [replace(case, settled=0.0)], tmp_path)
    assert whole["NaV"]["ina"].apart > CLOSE


def test_a_permeability_is_one(outcome: dict[str, dict[str, Difference]]) -> None:
    (channel,) = translate(read_mechanism(FILES["cachan"])).channels
    assert (channel.law, channel.density, channel.scale) == (Law.GHK, "pcabar", 1.0)
