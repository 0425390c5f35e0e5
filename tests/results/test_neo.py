"""Results as Neo objects, and Neo's own files: read by Neo, and, of what PyNN's own recorder makes, read by us."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
from hypothesis import Phase, given, settings

from pynn_io import SonataIO, read_results
from pynn_io.errors import ReadError, WriteError
from pynn_io.report import Report
from pynn_io.results import Results, Trace, sorted_spikes
from pynn_io.results.neo import from_blocks
from tests.results.strategies import assert_same, results
from tests.results.test_sonata_readers import DATA, recorded

neo = pytest.importorskip("neo")
pq = pytest.importorskip("quantities")


def test_spike_trains() -> None:
    block = recorded().to_neo()
    (segment,) = block.segments
    multiplexed = segment.spiketrains.multiplexed
    assert segment.spiketrains._items is None  # nothing has made an object a train
    # "silent" has the ids of "exc", too: channels are a running number over both.
    assert [multiplexed[0].tolist(), multiplexed[1].tolist()] == [[0, 5, 2, 2], [1.0, 1.5, 2.0, 3.0]]
    trains = list(segment.spiketrains)
    assert len(trains) == 14
    assert trains[2].rescale("ms").magnitude.tolist() == [2.0, 3.0]
    assert (trains[2].annotations["source_population"], trains[2].annotations["source_id"]) == ("exc", 2)
    assert (trains[13].annotations["source_population"], trains[13].annotations["source_index"]) == ("silent", 3)
    assert (float(trains[2].t_start), float(trains[2].t_stop.rescale("ms"))) == (0.0, 4.0)
    assert trains[2].segment is segment


def test_channels_are_node_ids_where_those_are_distinct() -> None:
    spikes = sorted_spikes("p", np.array([2**40, 7, 2**40]), np.array([3.0, 1.0, 2.0]))
    trains = Results(spikes={"p": spikes}).to_neo().segments[0].spiketrains
    assert {train.annotations["channel_id"]: train.magnitude.tolist() for train in trains} == {
        7: [1.0],
        2**40: [2.0, 3.0],
    }


def test_signals() -> None:
    signal, soma = recorded().to_neo().segments[0].analogsignals
    np.testing.assert_array_equal(signal.magnitude, DATA)
    assert (signal.units, signal.name) == (pq.mV, "v")
    assert signal.times.rescale("ms").magnitude.tolist() == [0.5, 0.75, 1.0, 1.25]
    assert signal.array_annotations["source_id"].tolist() == [7, 7, 7, 3, 3, 9]
    assert signal.array_annotations["section_id"].tolist() == [0, 1, 1, 0, 4, 0]
    assert (soma.annotations["source_population"], soma.annotations["report"]) == ("exc", "soma")


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("mV", pq.mV),
        ("uA_per_cm2", pq.uA / pq.cm**2),
        ("nA", pq.nA),
        ("mM", pq.mM),
        ("", pq.dimensionless),
        ("furlong_per_x", pq.dimensionless),
        ("9**9**9**9", pq.dimensionless),
        ("__import__('os')", pq.dimensionless),
    ],
)
def test_units(symbol: str, expected: object) -> None:
    trace = Trace("r", "p", "v", symbol, np.ones((2, 1)), np.array([0]), 0.0, 0.1)
    (signal,) = Results(traces=(trace,)).to_neo().segments[0].analogsignals
    assert signal.units.dimensionality == expected.dimensionality
    assert signal.annotations["unit"] == symbol


def test_a_large_population_makes_no_objects() -> None:
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 10_000, 1_000_000)
    large = Results(spikes={"p": sorted_spikes("p", ids, rng.random(len(ids)))}, nodes={"p": np.arange(10_000)})
    assert len(large.to_neo().segments[0].spiketrains) == 10_000


@settings(max_examples=5, deadline=None, phases=[Phase.generate])
@given(expected=results())
def test_everything_comes_back_from_neo_nix(expected: Results) -> None:
    with TemporaryDirectory() as folder:
        expected.write(Path(folder), to="neo", overwrite=True)
        assert_same(read_results(Path(folder)), expected)


def test_neo_reads_its_layout(tmp_path: Path) -> None:
    recorded().write(tmp_path / "small.nix", to="neo")
    io = neo.io.NixIO(str(tmp_path / "small.nix"), mode="ro")
    block = io.read_block()
    io.close()
    found = block.segments[0].spiketrains
    trains = {(train.annotations["source_population"], train.annotations["source_id"]): train for train in found}
    assert trains["exc", 2].rescale("ms").magnitude.tolist() == [2.0, 3.0]
    np.testing.assert_array_equal(block.segments[0].analogsignals[0].magnitude, DATA)


def test_large_results_are_refused_with_the_time_they_would_take(tmp_path: Path) -> None:
    large = Results(nodes={"p": np.arange(10_000)})
    with pytest.raises(WriteError, match=r"10000 spike trains and 0 signals would take Neo about 5 min") as caught:
        large.write(tmp_path / "out.nix", to="neo")
    assert "--to nix" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
    Results(nodes={"p": np.arange(3)}).write(tmp_path / "out.nix", to="neo", limit=3)
    with pytest.raises(WriteError, match="the limit is 2"):
        Results(nodes={"p": np.arange(3)}).write(tmp_path / "more.nix", to="neo", limit=2)


def test_pynn_writes_what_we_read(tmp_path: Path) -> None:
    """A Block as PyNN's recorder makes it: no node ids, but the index in the population."""
    block = neo.Block(name="cells")
    for _ in range(2):
        segment = neo.Segment()
        segment.spiketrains = neo.spiketrainlist.SpikeTrainList.from_spike_time_array(
            np.array([1.0, 2.0, 3.0]),
            np.array([11, 10, 11]),
            np.array([10, 11, 12]),
            t_stop=5.0 * pq.ms,
            units="ms",
            source_population="cells",
            source_index=[0, 1, 2],
        )
        segment.analogsignals.append(
            neo.AnalogSignal(
                np.array([[-65.0], [-64.0]]),
                units="mV",
                sampling_period=0.1 * pq.ms,
                name="v",
                source_population="cells",
                array_annotations={"channel_index": np.array([1])},
            )
        )
        segment.events.append(neo.Event(np.array([1.0]) * pq.ms, labels=["x"]))
        block.segments.append(segment)
    report = Report()
    found = from_blocks([block], report)
    assert found.spikes["cells"].node_ids.tolist() == [1, 0, 1]
    assert found.spikes["cells"].times.tolist() == [1.0, 2.0, 3.0]
    assert found.nodes["cells"].tolist() == [0, 1, 2]
    (trace,) = found.traces
    assert (trace.variable, trace.unit, trace.node_ids.tolist(), trace.interval) == ("v", "mV", [1], 0.1)
    assert found.duration == 5.0
    assert report.codes() == {"results-neo-segments", "results-neo-objects"}


def test_sonata_io_round_trip(tmp_path: Path) -> None:
    SonataIO(tmp_path / "out", spikes_sort_order="by_id").write([recorded().to_neo()])
    (block,) = SonataIO(tmp_path / "out").read()
    assert block.segments[0].file_origin == str(tmp_path / "out/spikes.h5")
    assert_same(from_blocks([block], Report()), recorded())


def test_sonata_io_reads_the_folders_of_others(data: Path) -> None:
    """PyNN's SonataIO makes a train of every cell that spiked, with its id as ``channel_id``, from 0 ms, in ms."""
    (block,) = SonataIO(data / "sonata/5_cells_iclamp/output").read()
    trains = block.segments[0].spiketrains
    assert sorted(train.annotations["channel_id"] for train in trains) == [0, 1, 2, 3, 4]
    assert sum(len(train) for train in trains) == 124
    assert {signal.name: signal.shape for signal in block.segments[0].analogsignals} == {
        "v": (40000, 5),
        "cai": (40000, 5),
    }


def test_sonata_io_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"spikes\.h5: "):
        SonataIO(tmp_path).read()


def test_a_broken_neo_file_is_a_read_error(tmp_path: Path) -> None:
    recorded().write(tmp_path / "out.nix", to="neo")
    with h5py.File(tmp_path / "out.nix", "r+") as file:
        (block,) = file["data"].values()
        del next(iter(block["data_arrays"].values()))["data"]
    with pytest.raises(ReadError, match=r"out\.nix: Neo cannot read it"):
        read_results(tmp_path / "out.nix")
