"""Every kind of input on an OBI circuit, against the same input put in by hand."""

from __future__ import annotations

import math
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io.errors import PlanError
from pynn_io.graph.stimuli import (
    CurrentPulses,
    CurrentRamp,
    Hyperpolarizing,
    NoiseCurrent,
    OrnsteinUhlenbeck,
    OtherStimulus,
    Relative,
    ShotNoise,
    SinusoidalCurrent,
    SpikeTrains,
    Stimulus,
    Subthreshold,
    SynapseReplay,
    VoltageClamp,
)
from pynn_io.lowering.signals import sample, signal_of
from pynn_io.report import Report
from pynn_io.simulation_plan import Recording
from tests.runners.obi_cases import DRIVERS, REPLAY, assert_same, by_hand, network, plan, run

slow = pytest.mark.slow
ONE = {"population": "left", "node_id": [0]}
THRESHOLD = np.linspace(0.2, 0.25, 3).astype(np.float32).astype(float)  # of the fixture, by row
HOLDING = np.linspace(-0.05, -0.0625, 3).astype(np.float32).astype(float)
RESISTANCE = np.linspace(90.0, 112.5, 3).astype(np.float32).astype(float)


def window(delay: float, duration: float, start: float, stop: float) -> dict:
    end = delay + duration
    return {"times": [0, delay, delay, end, end], "values": [0, 0, start, stop, 0]}


def into(population: str, row: int, kind: str, values: dict, section: int = 0, position: float = 0.5) -> list:
    return [population, row, section, position, kind, values]


def same(tmp_path: Path, stimuli: list[Stimulus], hand: list, spikes: int = 1) -> None:
    results = run(plan(stimuli=(REPLAY, *stimuli)))
    assert_same(results, by_hand(tmp_path, stimuli=hand), spikes)


@slow
def test_steps_ramps_and_pulses_in_absolute_and_relative_amplitudes(tmp_path: Path) -> None:
    steps = CurrentPulses(np.array([0.2, 0.1, 0.3]), np.array([2.0, 5.0, 20.0]), np.array([10.0, 3.0, 8.0]))
    ramp = CurrentRamp(80.0, 140.0, 3.0, 25.0, relative=Relative.THRESHOLD)
    stimuli = [
        Stimulus("step", CurrentPulses(np.array([0.4]), np.array([10.0]), np.array([15.0])), ONE),
        Stimulus("pulses", steps, {"population": "left", "node_id": [1]}, section="dend[1]", position=0.3),
        Stimulus("ramp", CurrentRamp(0.0, 0.5, 1.0, 30.0), {"population": "left", "node_id": [2]}),
        Stimulus("relative", ramp, "Right"),
    ]
    hand = [into("left", 0, "step", {"amplitude": 0.4, "delay": 10.0, "duration": 15.0})]
    hand += [
        into("left", 1, "step", {"amplitude": a, "delay": b, "duration": c}, section=5, position=0.3)
        for a, b, c in ((0.2, 2.0, 10.0), (0.1, 5.0, 3.0), (0.3, 20.0, 8.0))
    ]
    hand += [into("left", 2, "current", window(1.0, 30.0, 0.0, 0.5))]
    hand += [
        into("right", row, "current", window(3.0, 25.0, 0.8 * value, 1.4 * value))
        for row, value in enumerate(THRESHOLD)
    ]
    same(tmp_path, stimuli, hand, spikes=10)


@slow
def test_sinusoid_holding_and_threshold_currents(tmp_path: Path) -> None:
    stimuli = [
        Stimulus("sine", SinusoidalCurrent(0.3, 100.0, 4.0, 20.0), ONE),
        Stimulus("hold", Hyperpolarizing(0.0, 35.0), "Right"),
        Stimulus("below", Subthreshold(-30.0, 6.0, 20.0), "Right"),
    ]
    since = 0.025 * np.arange(801)
    sine = {
        "times": [0, *(4.0 + since), 24.0],
        "values": [0, *(0.3 * np.sin(2 * np.pi * 0.1 * since)), 0],
    }
    hand = [into("left", 0, "current", sine)]
    hand += [into("right", row, "current", window(0.0, 35.0, value, value)) for row, value in enumerate(HOLDING)]
    hand += [
        into("right", row, "current", window(6.0, 20.0, 1.3 * value, 1.3 * value))
        for row, value in enumerate(THRESHOLD)
    ]
    same(tmp_path, stimuli, hand)


@slow
def test_voltage_clamp_levels(tmp_path: Path) -> None:
    clamp = VoltageClamp(np.array([-60.0, -40.0]), np.array([10.0, 12.0]), series_resistance=0.5)
    hand = [into("left", 0, "clamp", {"levels": [-60.0, -40.0], "durations": [10.0, 12.0], "resistance": 0.5})]
    same(tmp_path, [Stimulus("clamp", clamp, ONE)], hand)


@slow
def test_a_late_voltage_clamp_is_not_there_before_its_delay_nor_after_its_end() -> None:
    """Until then the cell is that of a run without it; then it is held; neurodamus would hold it from 0 on."""
    begin, end = 8.0, 20.0
    clamp = VoltageClamp(np.array([-55.0]), np.array([end - begin]), delay=begin, series_resistance=0.01)
    held, free = (
        next(trace.data[:, 0] for trace in run(plan(stimuli=stimuli)).traces if trace.population == "left")
        for stimuli in ((REPLAY, Stimulus("late", clamp, ONE)), (REPLAY,))
    )
    times = 0.025 * np.arange(len(held))
    before, during, after = times < begin - 0.01, (times > begin + 1.0) & (times < end - 0.01), times > end + 1.0
    np.testing.assert_array_equal(held[before], free[before])
    assert np.ptp(held[before]) > 5.0
    np.testing.assert_allclose(held[during], -55.0, atol=0.5)
    assert np.ptp(held[after]) > 5.0


@slow
def test_random_currents_and_conductances_as_documented(tmp_path: Path) -> None:
    """The streams are PCG64 of (seed, stimulus seed, crc32 of the name, crc32 of the population, id)."""
    noise = NoiseCurrent(60.0, 1.0, 2.0, 30.0, relative=Relative.THRESHOLD)
    process = OrnsteinUhlenbeck(2.5, 0.004, 0.002, 3.0, 30.0, conductance=True, reversal=10.0)
    relative = OrnsteinUhlenbeck(5.0, 50.0, 20.0, 0.0, 30.0, relative=Relative.THRESHOLD)
    stimuli = [
        Stimulus("noise", noise, ONE),
        Stimulus("ou", process, {"population": "left", "node_id": [1]}),
        Stimulus("rel", relative, "Right"),
    ]
    results = run(plan(stimuli=(REPLAY, *stimuli), seeds={"stimulus": 5}))
    draws = random_of("noise", "left", 0).standard_normal(61)
    values = 0.6 * THRESHOLD[0] + math.sqrt(0.01 * THRESHOLD[0]) * draws
    times = 2.0 + 0.5 * np.arange(61)
    hand = [into("left", 0, "current", {"times": [0, 2.0, *times, 32.0], "values": [0, 0, *values, 0]})]
    times, values = ornstein_uhlenbeck("ou", "left", 1, 2.5, 0.004, 0.002, 3.0)
    played = {"times": [0, 0, 3.0, *times, 33.0], "values": [0, 0, 0, *values, 0], "reversal": 10.0}
    hand += [into("left", 1, "conductance", played)]
    for row, value in enumerate(THRESHOLD):
        times, values = ornstein_uhlenbeck("rel", "right", row, 5.0, 0.5 * value, 0.2 * value, 0.0)
        hand += [into("right", row, "current", {"times": [0, *times, 30.0], "values": [0, *values, 0]})]
    assert_same(results, by_hand(tmp_path, stimuli=hand))


@slow
def test_shot_noise_as_sampled_is_what_cells_get(tmp_path: Path) -> None:
    """The lowering's samples (streams, gains and units worked out here), played into clamps by hand."""
    shape = {"rise": 1.0, "decay": 6.0, "delay": 3.0, "duration": 30.0}
    absolute = ShotNoise(**shape, rate=300.0, amplitude_mean=0.12, amplitude_variance=0.004)
    relative = ShotNoise(**shape, mean=70.0, sigma=25.0, relative=Relative.THRESHOLD)
    opening = ShotNoise(**shape, mean=0.004, sigma=0.001, conductance=True, reversal=5.0)
    compared = ShotNoise(
        **shape, mean=20.0, sigma=6.0, conductance=True, reversal=5.0, relative=Relative.INPUT_CONDUCTANCE
    )
    cases = [  # stimulus, cell, what one unit of the sampled signal is in nA or uS
        ("absolute", absolute, "left", 0, 1.0),
        ("relative", relative, "right", 0, 0.01 * THRESHOLD[0]),
        ("opening", opening, "left", 1, 1.0),
        ("compared", compared, "right", 1, 0.01 / RESISTANCE[1]),
    ]
    stimuli, hand = [REPLAY], []
    for name, what, population, row, gain in cases:
        stimuli.append(Stimulus(name, what, {"population": population, "node_id": [row]}))
        signal = signal_of(what, None)
        assert signal is not None
        course = sample(signal, 0.0, gain, random_of(name, population, row))
        assert np.ptp(course.values) > 0
        played = {"times": [0, 3.0, *course.times], "values": [0, 0, *course.values]}
        if what.conductance:
            hand += [into(population, row, "conductance", played | {"reversal": 5.0})]
        else:
            hand += [into(population, row, "current", played)]
    results = run(plan(stimuli=tuple(stimuli), seeds={"stimulus": 5}))
    assert_same(results, by_hand(tmp_path, stimuli=hand))


def random_of(name: str, population: str, node: int) -> np.random.Generator:
    return np.random.default_rng([7, 5, zlib.crc32(name.encode()), zlib.crc32(population.encode()), node])


def ornstein_uhlenbeck(
    name: str, population: str, node: int, tau: float, mean: float, sigma: float, delay: float
) -> tuple[np.ndarray, np.ndarray]:
    draws = random_of(name, population, node).standard_normal(121)
    keep = math.exp(-0.25 / tau)
    values = [0.0]
    for draw in draws[1:]:
        values.append(values[-1] * keep + math.sqrt(1 - keep**2) * draw)
    return delay + 0.25 * np.arange(121), mean + sigma * np.array(values)


@slow
def test_a_compartment_set_takes_the_place_of_a_node_set(tmp_path: Path) -> None:
    spots = {"population": "left", "compartment_set": [[0, 5, 0.25], [1, 8, 0.75], [2, 3, 0.5]]}
    step = Stimulus("spots", CurrentPulses(np.array([0.3]), np.array([5.0]), np.array([20.0])), None)
    what = plan(stimuli=(REPLAY, replace(step, compartment_set="spots")), compartment_sets={"spots": spots})
    values = {"amplitude": 0.3, "delay": 5.0, "duration": 20.0}
    hand = [
        into("left", row, "step", values, section=section, position=at)
        for row, section, at in ((0, 5, 0.25), (1, 8, 0.75), (2, 3, 0.5))
    ]
    assert_same(run(what), by_hand(tmp_path, stimuli=hand), spikes=10)


@slow
def test_replay_of_cells_that_run_reaches_their_synapses_besides_their_own_spikes(tmp_path: Path) -> None:
    """Replayed spikes of left cell 0, onto right cells only: as events at left -> right synapses by hand."""
    trains = SpikeTrains("left", np.array([0, 0]), np.array([3.0, 18.0]))
    replay = Stimulus("again", SynapseReplay(trains, delay=2.0, duration=20.0), "Right")
    results = run(plan(stimuli=(REPLAY, replay)))
    expected = by_hand(tmp_path, replayed={"left__right__chemical": {"0": [3.0, 18.0]}})
    assert_same(results, expected)


def test_a_replay_of_nobody_or_of_unknown_nodes_is_named() -> None:
    from pynn_io.runners.neuron import NeuronRunner

    report = Report()
    away = Stimulus("away", SynapseReplay(DRIVERS), "Right")
    NeuronRunner().lower(network(), plan(stimuli=(away,)), report)
    assert "replay-without-synapses" in report.codes()
    trains = SpikeTrains("drivers", np.array([9]), np.array([1.0]))
    with pytest.raises(PlanError, match="'wrong' replays node 9"):
        NeuronRunner().lower(network(), plan(stimuli=(Stimulus("wrong", SynapseReplay(trains), "Left"),)), Report())


def test_a_missing_column_is_named_with_input_and_population() -> None:
    from pynn_io.runners.neuron import NeuronRunner

    bare = network()
    population = bare.populations["left"]
    table = population.table.updated({"parameters:threshold_current": None})
    bare = replace(bare, populations={**bare.populations, "left": replace(population, table=table)})
    below = Stimulus("below", Subthreshold(20.0, 0.0, 10.0), "Left")
    with pytest.raises(PlanError, match=r"inputs.below.*relative to threshold_current.*'left'"):
        NeuronRunner().lower(bare, plan(stimuli=(below,)), Report())


def test_what_is_not_supported_is_reported_by_name() -> None:
    from pynn_io.runners.neuron import NeuronRunner

    report = Report()
    field = Stimulus("tacs", OtherStimulus("spatially_uniform_e_field"), "Left")
    NeuronRunner().lower(network(), plan(stimuli=(field,)), report)
    assert any("spatially_uniform_e_field" in issue.message for issue in report)


@pytest.mark.parametrize("skew", [0.0, 0.5, 0.8])
def test_shot_noise_has_the_mean_deviation_and_skewness_it_was_asked_for(skew: float) -> None:
    """Campbell's theorem, tested by drawing: 400 s at 0.25 ms; bounds of the skewness from Rice's cumulants."""
    mean, sigma, rise, decay = 0.3, 0.05, 1.0, 8.0
    signal = signal_of(ShotNoise(rise, decay, 0.0, 400_000.0, mean=mean, sigma=sigma, relative_skew=skew), None)
    assert signal is not None
    values = sample(signal, 0.0, 1.0, np.random.default_rng(3)).values[1000:-1]
    time = np.arange(0, 200, 0.01)
    kernel = np.exp(-time / decay) - np.exp(-time / rise)
    kernel /= kernel.max()
    first, second, third = (np.sum(kernel**power) * 0.01 for power in (1, 2, 3))
    least = third * first / second**2 * sigma / mean
    assert values.mean() == pytest.approx(mean, rel=0.01)
    assert values.std() == pytest.approx(sigma, rel=0.03)
    skewness = np.mean((values - values.mean()) ** 3) / values.std() ** 3
    assert skewness == pytest.approx((1 + skew) * least, rel=0.12)


def test_shot_noise_conductance_is_relative_to_the_input_conductance() -> None:
    from pynn_io.runners.neuron import NeuronRunner

    shots = ShotNoise(1.0, 5.0, 0.0, 30.0, mean=10.0, sigma=2.0, conductance=True, relative=Relative.INPUT_CONDUCTANCE)
    lowered = NeuronRunner().lower(network(), plan(stimuli=(Stimulus("g", shots, "Left"),)), Report())
    np.testing.assert_allclose(lowered.stimuli[0].gain, 0.01 / RESISTANCE, rtol=1e-6)


@slow
def test_a_range_of_distances_draws_one_compartment_in_it() -> None:
    """All of the current comes out where it went in: only compartments 40 to 90 um from the soma qualify."""
    far = Stimulus(
        "far",
        CurrentPulses(np.array([0.5]), np.array([0.0]), np.array([2.0])),
        "Pyramids",
        section="dend apic",
        distance_range=(40.0, 90.0),
    )
    clamp = Recording("clamp", "IClamp.i", "Pyramids", "all", kind="summation", interval=1.0)
    results = run(plan(stimuli=(far,), recordings=(clamp,), duration=3.0))
    for trace in results.traces:
        for node in (0, 1):
            mine = trace.data[1, trace.node_ids == node]
            place = int(np.flatnonzero(mine)[0])
            assert np.count_nonzero(mine) == 1
            assert mine.sum() == pytest.approx(-0.5)  # into the cell: not the membrane's
            section = trace.section_ids[trace.node_ids == node][place]
            assert section in {5, 6, 7, 8, 9, 10}
