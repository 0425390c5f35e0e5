"""Real spikes: a published file in another layout, and two readings of one circuit by NEST."""

import h5py
import numpy as np
import pytest

from pynn_io.formats.sonata_spikes import read_spikes
from pynn_io.results import Results, Spikes
from pynn_io.results.compare import Options, Tolerance, Verdict, compare


def read(path):
    return Results({one.population: Spikes(one.population, one.node_ids, one.times) for one in read_spikes(path)})


def test_a_reference_against_itself_in_another_layout(data, tmp_path):
    source = data / "sonata/300_intfire/output/spikes.h5"
    with h5py.File(source) as file:
        ids, times = file["spikes/v1/node_ids"][:], file["spikes/v1/timestamps"][:]
    order = np.lexsort((times, ids))
    lines = "\n".join(
        f"{time!r} v1 {node}" for node, time in zip(ids[order].tolist(), times[order].tolist(), strict=True)
    )
    (tmp_path / "spikes.csv").write_text(f"timestamps population node_ids\n{lines}\n")
    found = compare(read(source), read(tmp_path / "spikes.csv"))
    assert (found.verdict, found.tier, found.populations[0].spikes) == (Verdict.EQUAL, "exact", (4322, 4322))


def test_two_readings_of_one_circuit_differ(data):
    """BMTK's spikes and NEST's own of 300_pointneurons, counted here spike by spike."""
    a = read(data / "reference/300_pointneurons/spikes.h5")
    stored = np.load(data / "reference/300_pointneurons/nest_dt0.01.npz")
    b = Results({"internal": Spikes("internal", stored["i"], stored["t"])})
    found = compare(a, b, Options(tolerance=Tolerance(absolute=0.5)))
    one = found.populations[0]
    assert found.verdict is Verdict.DIFFERS
    assert one.spikes == (18794, 18828)
    trains = [
        {cell: np.sort(times[ids == cell]) for cell in np.unique(ids)}
        for ids, times in ((a.spikes["internal"].node_ids, a.spikes["internal"].times), (stored["i"], stored["t"]))
    ]
    cells = trains[0].keys() | trains[1].keys()
    unequal = [cell for cell in cells if len(trains[0].get(cell, [])) != len(trains[1].get(cell, []))]
    assert one.unequal_cells == len(unequal) == 94
    apart = np.concatenate([np.abs(trains[0][cell] - trains[1][cell]) for cell in cells - set(unequal)])
    assert one.dt_max == apart.max()
    assert one.identical >= np.count_nonzero(apart == 0)
    assert 16_000 < one.shared < 18_794
    # the first difference: no cell has one before
    parted = found.divergence
    for cell in cells:
        before = [train[cell][train[cell] < parted.time - 0.5] for train in trains if cell in train]
        assert len(before) == 2 and len(before[0]) == len(before[1])
        np.testing.assert_allclose(before[0], before[1], rtol=0, atol=0.5)


@pytest.mark.parametrize("name", ["membrane_potential", "spikes"])
def test_spikes_and_reports_do_not_mix(data, name):
    """Another population is no reason to pass."""
    a = read(data / "sonata/5_cells_iclamp/output/spikes.h5")
    assert compare(a, read(data / "sonata/bio_1cell/output_syns/spikes.h5")).verdict is Verdict.NOT_COMPARABLE
