"""A captured script, run on NEST by our own runner, against the original script on pyNN.nest: the same spikes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pynn_io import Report, read
from pynn_io.simulate import simulate
from tests.pynn_in.scripts import SCRIPTS, on_pynn

pytest.importorskip("pyNN")
pytest.importorskip("nest")
pytestmark = pytest.mark.slow


def ours(script: Path) -> dict[str, np.ndarray]:
    """(row, ms) of every population's spikes, sorted."""
    document = read(script)
    results = simulate(document.network, document.plan, "nest", report=Report())
    found = {}
    for name in document.network.populations:
        spikes = results.spikes.get(name)
        if spikes is not None:
            found[name] = np.array(sorted(zip(spikes.node_ids.tolist(), spikes.times.tolist(), strict=True)))
    return found


def test_the_synfire_chain_fires_the_same(tmp_path: Path) -> None:
    original = on_pynn(SCRIPTS / "synfire.py", "nest", tmp_path)
    native = ours(SCRIPTS / "synfire.py")
    recorded = [name for name in original if name.startswith("spikes/")]
    assert len(recorded) == 22
    for name in recorded:
        assert len(original[name]) == 8
        np.testing.assert_allclose(native[name.removeprefix("spikes/")], original[name], atol=1e-9)
