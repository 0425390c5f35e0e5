"""TTX on OBI cells, as neurodamus has it: the switch in every section, at 1 mM. Only its own cells get it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pynn_io.runners.base import Profile
from pynn_io.simulation_plan import Recording
from pynn_io.simulation_plan.plan import Modification
from tests.runners.obi_cases import SOMA, assert_same, by_hand, plan, run

SWITCH = """
NEURON {
    SUFFIX TTXDynamicsSwitch
    USEION ttx WRITE ttxo VALENCE 1
    RANGE ttxo_level
}
PARAMETER { ttxo_level = 1e-12 (mM) }
ASSIGNED { ttxo (mM) }
INITIAL { ttxo = ttxo_level }
BREAKPOINT { ttxo = ttxo_level }
"""
ONE = {"population": "left", "node_id": [0]}


@pytest.mark.slow
def test_ttx_is_everywhere_in_its_cells_and_blocks_nothing_that_does_not_read_it(tmp_path: Path) -> None:
    """The cells' hh channels do not read ttxo, so the traces stay those of the circuit without it."""
    (tmp_path / "TTXDynamicsSwitch.mod").write_text(SWITCH)
    level = Recording("ttx", "ttxo", "Left", sections="all", compartments="all")
    everywhere = Recording("v", "v", ONE, sections="all", compartments="all")
    what = plan(modifications=(Modification("block", "ttx", ONE),), recordings=(SOMA, level, everywhere))
    results = run(what, profile=Profile(mechanisms=(tmp_path,)))
    found = {trace.report: trace for trace in results.traces if trace.population == "left"}
    assert set(found["ttx"].node_ids.tolist()) == {0}
    assert found["ttx"].data.shape == found["v"].data.shape
    np.testing.assert_array_equal(found["ttx"].data, 1.0)
    assert_same(results, by_hand(tmp_path))
