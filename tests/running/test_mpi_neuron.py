"""NEURON on two ranks gives what it gives on one, spike for spike and sample for sample."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pynn_io.errors import BackendUnavailable
from pynn_io.pipeline import read
from pynn_io.runners import mpi
from pynn_io.simulate import simulate

pytest.importorskip("neuron")
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def with_mpi():
    try:
        mpi.under_mpirun([], 2, dict(os.environ))
    except BackendUnavailable as error:
        pytest.skip(str(error))


def on_one_and_two(source: Path, **options):
    document = read(source)
    return [simulate(document.network, document.plan, "neuron", processes=n, timeout=300, **options) for n in (1, 2)]


def assert_same_spikes(one, two):
    assert one.spikes.keys() == two.spikes.keys() and one.spike_count > 0
    for name, spikes in one.spikes.items():
        assert np.array_equal(spikes.node_ids, two.spikes[name].node_ids)
        assert np.array_equal(spikes.times, two.spikes[name].times)
        assert np.array_equal(one.nodes[name], two.nodes[name])


def test_point_cells(data):
    one, two = on_one_and_two(data / "sonata" / "300_intfire" / "simulation_config.json", duration=700.0)
    assert_same_spikes(one, two)
    assert (one.provenance["processes"], two.provenance["processes"]) == (1, 2)


def test_cable_cells_and_their_reports(data):
    """Fourteen cells of both kinds; reports of ten of them, which stand on both ranks by turns."""
    allen = Path(pytest.importorskip("bmtk").__file__).parent / "utils/scripts/bionet/mechanisms/modfiles"
    source = data / "sonata" / "bio_14cells" / "config.simulation.json"
    one, two = on_one_and_two(source, duration=200.0, mechanisms=[allen])
    assert_same_spikes(one, two)
    assert len(one.traces) == len(two.traces) == 2
    for single, shared in zip(one.traces, two.traces, strict=True):
        assert np.array_equal(single.node_ids, shared.node_ids) and len(set(single.node_ids.tolist())) == 10
        assert np.array_equal(single.section_ids, shared.section_ids)
        assert np.array_equal(single.data, shared.data)
