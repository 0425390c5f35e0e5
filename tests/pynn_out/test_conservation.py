"""Networks as PyNN scripts and back: what does not come back is named in the report, and numbers are the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io import Document, Report, read, write
from pynn_io.audit import names
from pynn_io.errors import RunError
from pynn_io.graph.compare import diff
from pynn_io.simulation_plan.compare import diff as plan_diff
from tests.models import MODELS

pytest.importorskip("pyNN")

#: Models with cells that PyNN has. Others have cells with extent, or NeuroML's own.
IN_SCRIPTS = ("two_types", "standard_models", "patchwork", "integrate_and_fire")


def document(model: str) -> Document:
    """The model; ``integrate_and_fire`` without a plan, which records a potential that IntFire cells do not have."""
    made = MODELS[model]()
    return replace(made, plan=None) if model == "integrate_and_fire" else made


def there_and_back(made: Document, folder: Path) -> tuple[Document, Report]:
    report = write(made, folder, "pynn")
    return read(folder, format="pynn", report=report), report


@pytest.mark.parametrize("model", IN_SCRIPTS)
def test_what_is_lost_is_named_and_the_second_round_changes_nothing(model: str, tmp_path: Path) -> None:
    made = document(model)
    once, report = there_and_back(made, tmp_path / "one")
    differences = diff(made.network, once.network)
    assert [str(item) for item in differences if not names(report, item.subject)] == []
    twice, again = there_and_back(once, tmp_path / "two")
    assert diff(once.network, twice.network, levels=True) == []
    assert plan_diff(once.plan, twice.plan) == []
    assert not {issue.code for issue in again} & {"edge-order", "split-projection", "label", "weight-unit"}


@pytest.mark.parametrize("model", sorted(MODELS.keys() - set(IN_SCRIPTS)))
def test_others_are_refused(model: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="a PyNN script has none of the cells"):
        write(MODELS[model](), tmp_path / "out", "pynn")


def test_connections_are_the_same_in_another_unit_and_order(tmp_path: Path) -> None:
    """By hand: five edges of `two_types`, two excitatory and three inhibitory, in pA there and in nA here."""
    once, _ = there_and_back(document("two_types"), tmp_path)
    found = []
    for projection in once.network.projections.values():
        for _, _, rows in projection.blocks(["weight", "delay"]):
            found += zip(*(rows[name].tolist() for name in ("source", "target", "weight", "delay")), strict=True)
    expected = [
        (0, 1, 2.5e-3, 2.0),
        (1, 2, 1e-3 / 3, 1.5),
        (2, 3, -4.0e-3, 0.1),
        (4, 0, -4.5e-3, 3.0),
        (4, 4, -1e-12, 3.0),
    ]
    np.testing.assert_allclose(sorted(found), expected, rtol=1e-12)


def test_spikes_before_the_second_step_come_back(tmp_path: Path) -> None:
    """They are later on NEST, which has none so early; reading a script is no run on NEST."""
    script = tmp_path / "early.py"
    script.write_text(
        "import pyNN.nest as sim\n"
        "sim.setup(timestep=0.1, min_delay=0.1)\n"
        "sim.Population(2, sim.SpikeSourceArray(spike_times=[0.1, 7.0]), label='early').record('spikes')\n"
        "sim.run(10.0)\n"
    )
    once, _ = there_and_back(read(script), tmp_path / "out")
    (trains,) = (stimulus.what for stimulus in once.plan.stimuli)
    assert trains.times.tolist() == [0.1, 7.0, 0.1, 7.0]
