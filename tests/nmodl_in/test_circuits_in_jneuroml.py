"""A biophysical SONATA circuit in jNeuroML's code for NEURON: it comes to our spike times as its step shrinks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pynn_io.pipeline import convert, read
from pynn_io.simulate import simulate
from tests.neuroml_out.nml_tools import data, jnml

pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")
pytest.importorskip("neuron", reason="jNeuroML writes code for NEURON")
bmtk = pytest.importorskip("bmtk", reason="BMTK ships the mechanisms of the Allen Institute")
MECHANISMS = Path(bmtk.__file__).parent / "utils/scripts/bionet/mechanisms/modfiles"
#: ms; forward Euler, which is what that code does with gates, makes an error in proportion to them.
STEPS = (0.025, 0.01)


def _run(*command: str, folder: Path) -> None:
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": paths}, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def _theirs(folder: Path, step: float) -> np.ndarray:
    script = folder / "LEMS_bio_1cell_nrn.py"
    text, count = re.subn(r"\bdt=0\.1\b", f"dt={step}", script.read_text())
    assert count == 1
    changed = folder / f"at_{step}.py"
    changed.write_text(text)
    _run(sys.executable, changed.name, "-nogui", folder=folder)
    return np.loadtxt(folder / "bio_1cell.biocell.spikes")[:, 1] * 1000


@pytest.mark.slow
def test_spike_times_meet_in_first_order_of_the_step(tmp_path: Path) -> None:
    """Of 20 spikes in 2 s the last is 24 and 9.6 ms early; extrapolated to no step, all are within 0.5 ms."""
    command = jnml()
    config = data("sonata/bio_1cell") / "config.simulation_iclamp.json"
    folder = convert(config, tmp_path / "out", to="neuroml", mechanisms=[MECHANISMS]).dest
    assert folder is not None
    lems = next(folder.glob("LEMS_*.xml"))
    document = read(lems)
    assert document.plan is not None
    ours = [
        np.sort(simulate(document.network, document.plan, "neuron", timestep=step).spikes["biocell"].times)
        for step in STEPS
    ]
    _run(command, lems.name, "-neuron", "-nogui", folder=folder)
    _run("nrnivmodl", folder=folder)
    theirs = [_theirs(folder, step) for step in STEPS]
    assert {len(train) for train in (*ours, *theirs)} == {20}
    coarse, fine = (np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True))
    assert coarse > 20 and coarse / fine == pytest.approx(STEPS[0] / STEPS[1], rel=0.05)
    limits = [(b * STEPS[0] - a * STEPS[1]) / (STEPS[0] - STEPS[1]) for a, b in (ours, theirs)]
    np.testing.assert_allclose(limits[1], limits[0], rtol=0, atol=1.0)
