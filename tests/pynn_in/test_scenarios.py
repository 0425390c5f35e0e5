"""PyNN's own system scenarios with the recording backend as one more simulator: each is captured, or refused by name.

Scenarios go on to look at spikes and voltages, of which there are none here; how they end does not matter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.pynn_source import pynn_source

pytest.importorskip("pyNN")
pytestmark = pytest.mark.slow

#: Scenarios in which no network is built, and why.
REFUSED = {"test_issue511[nest]": "no population"}  # spikes out of order: it is the refusal that is tested there
#: Scenarios of today that end well without a simulation: what they check is all of building, or that nothing happens.
AT_LEAST_PASSED = 30


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("scenarios")
    out = folder / "captured.json"
    command = [sys.executable, "-m", "pytest", str(pynn_source() / "test" / "system" / "scenarios"), "-q"]
    command += ["-p", "tests.pynn_in.capturing", "-p", "no:cacheprovider", "--captured", str(out)]
    command += ["-k", "nest or (neuron and scenario5)", f"--rootdir={pynn_source()}"]
    subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
        capture_output=True,
        timeout=500,
        check=False,
    )
    return json.loads(out.read_text())


def test_every_scenario_is_captured_or_refused(found: dict[str, object]) -> None:
    assert len(found) >= 60
    refused = {name.rpartition("::")[2]: text for name, text in found.items() if isinstance(text, str)}
    assert refused == REFUSED


def test_what_is_captured_hangs_together(found: dict[str, object]) -> None:
    broken = {name: item["problems"] for name, item in found.items() if isinstance(item, dict) and item["problems"]}
    assert broken == {}


def test_what_needs_no_simulation_passes(found: dict[str, object]) -> None:
    passed = [name for name, item in found.items() if isinstance(item, dict) and item["ended"] == "no population"]
    assert len(passed) >= AT_LEAST_PASSED
