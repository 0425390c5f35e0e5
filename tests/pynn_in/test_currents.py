"""PyNN's current sources natively and as the original script: the same potentials."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pynn_io import read
from tests.runners.pynn_backends import need, python

pytestmark = pytest.mark.slow

SCRIPT = """
import sys
import pyNN.nest as sim
sim.setup(timestep=0.1, min_delay=0.1, max_delay=1.0)
cells = sim.Population(4, sim.IF_cond_exp(v_thresh=0.0), initial_values={"v": -65.0}, label="cells")
cells[0:1].inject(sim.ACSource(amplitude=0.5, frequency=20.0, offset=0.1, start=5.0))
cells[1:2].inject(sim.ACSource(amplitude=0.5, frequency=33.0, phase=60.0, start=5.0, stop=60.0))
cells[2:3].inject(sim.StepCurrentSource(times=[5.0, 20.0], amplitudes=[0.4, -0.2]))
cells[3:4].inject(sim.DCSource(amplitude=0.3, start=10.0))
cells.record("v")
sim.run(100.0)
data = cells.get_data().segments[0]
if len(sys.argv) > 1:
    import numpy as np
    np.save(sys.argv[1], np.asarray(data.analogsignals[0].magnitude))
"""


def test_every_source_gives_the_potentials_of_pynn_nest(tmp_path: Path) -> None:
    """Three of the four last for ever."""
    need("nest")
    script = tmp_path / "currents.py"
    script.write_text(SCRIPT)
    python(str(script), str(tmp_path / "v.npy"))
    document = read(script)
    (trace,) = document.plan.run(document.network, backend="nest").traces
    theirs = np.load(tmp_path / "v.npy")[: len(trace.data)]
    np.testing.assert_allclose(trace.data, theirs, atol=1e-6)
    assert (np.ptp(theirs, axis=0) > 1.0).all()
