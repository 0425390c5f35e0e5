"""Arbor against what others made of the same circuits: spikes that a circuit ships, and what NEURON has of a model."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io.pipeline import read
from pynn_io.report import Report
from pynn_io.runners.arbor import ArborRunner
from pynn_io.simulate import simulate

DATA = Path(__file__).parents[3] / "shared" / "data"
CELL = DATA / "sonata" / "bio_1cell"
SINGLE = DATA / "neuroml" / "hh_singleap" / "Tutorial" / "Source" / "LEMS_HH_SingleAP.xml"
needs_data = pytest.mark.skipif(not CELL.is_dir(), reason="the circuits in ../shared/data are not there")


def reference(folder: str) -> np.ndarray:
    with h5py.File(CELL / folder / "spikes.h5") as file:
        return np.sort(file["spikes/biocell/timestamps"][:])


@needs_data
def test_synapses_give_the_spikes_of_bmtk():
    """Same number, times within 2 ms, at the step of 0.1 ms that both have."""
    pytest.importorskip("arbor")
    document = read(CELL / "config.simulation_syns.json")
    results = simulate(document.network, document.plan, "arbor")
    times = np.sort(results.spikes["biocell"].times)
    expected = reference("output_syns")
    assert len(times) == len(expected) == 39
    assert np.abs(times - expected).max() < 2.0


@needs_data
def test_a_current_gives_as_many_spikes_as_bmtk():
    """At a quarter of the step: gates relax by a rational function of it, so that 0.1 ms is coarse for sodium."""
    pytest.importorskip("arbor")
    document = read(CELL / "config.simulation_iclamp.json")
    results = simulate(document.network, document.plan, "arbor", timestep=0.025)
    assert len(results.spikes["biocell"].times) == len(reference("output_iclamp")) == 20


@needs_data
def test_lowering_without_arbor():
    """264 compartments of 20 um at most, as NEURON has them; the soma has the published density of sodium."""
    document = read(CELL / "config.simulation_syns.json")
    report = Report()
    lowered = ArborRunner().lower(document.network, document.plan, report)
    (cable,) = lowered.cables
    assert cable.tree.count.sum() == 264
    sodium = next(item for item in cable.densities if item.name == "allen_NaTs")
    assert (sodium.region, sodium.parameters) == ("(tag 1)", {"gbar": pytest.approx(0.98228995893)})
    assert cable.nernst == ("ca",)
    assert not report.refusals()


@pytest.mark.skipif(shutil.which("cmake") is None, reason="Arbor compiles mechanisms with cmake")
@pytest.mark.skipif(not SINGLE.is_file(), reason="the models in ../shared/data are not there")
@pytest.mark.slow
def test_channels_of_neuroml_are_compiled():
    """One action potential at 7.9 ms, as NEURON has it with the mechanisms of the same components (7.91)."""
    pytest.importorskip("arbor")
    document = read(SINGLE)
    results = simulate(document.network, document.plan, "arbor")
    (spikes,) = results.spikes.values()
    assert spikes.times.tolist() == pytest.approx([7.91], abs=0.05)
