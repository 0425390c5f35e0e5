"""Sources that draw intervals: their laws against theory, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from pynn_io import Report
from pynn_io.errors import PlanError
from pynn_io.graph import Column, Network, Population, SpikeSource, Table, text_column
from pynn_io.lowering.trains import trains
from pynn_io.simulation_plan import SimulationPlan

CELLS, DURATION = 200, 5000.0


def drawn(model: str, parameters: dict[str, float], **columns: np.ndarray):
    table = {f"parameters:{name}": Column(values) for name, values in columns.items()}
    population = Population("s", CELLS, Table(1, {"cell": text_column(["s"])}), table=Table(CELLS, table))
    network = Network("n", {"s": population}, cells={"s": SpikeSource(model, parameters)})
    report = Report()
    found = trains(SimulationPlan("p", duration=DURATION, timestep=0.1, seed=3), network, report)["s"]
    assert report.codes() == set()
    return found


def intervals(found) -> np.ndarray:
    return np.concatenate([np.diff(times) for _, times in found.split()])


def test_gamma_intervals_have_the_mean_and_the_variation_of_their_law() -> None:
    found = intervals(drawn("SpikeSourceGamma", {"alpha": 4.0, "beta": 200.0}))
    # mean alpha / beta = 20 ms, coefficient of variation 1 / sqrt(alpha)
    assert found.mean() == pytest.approx(20.0, rel=0.02)
    assert found.std() / found.mean() == pytest.approx(0.5, rel=0.03)


def test_the_rate_of_a_source_with_a_dead_time_is_that_of_the_whole() -> None:
    found = intervals(drawn("SpikeSourcePoissonRefractory", {"rate": 50.0, "tau_refrac": 8.0}))
    assert found.mean() == pytest.approx(20.0, rel=0.02)
    assert 8.0 < found.min() < 8.1
    assert found.std() == pytest.approx(12.0, rel=0.03)  # what is left of the mean is exponential


def test_every_source_has_its_own_numbers_and_its_own_window() -> None:
    rate, start = np.where(np.arange(CELLS) < 100, 20.0, 100.0), np.linspace(0.0, 500.0, CELLS)
    found = drawn("SpikeSourcePoissonRefractory", {"tau_refrac": 2.0, "duration": 1000.0}, rate=rate, start=start)
    counts = np.bincount(found.rows, minlength=CELLS)
    assert counts[:100].mean() == pytest.approx(20.0, rel=0.1)
    assert counts[100:].mean() == pytest.approx(100.0, rel=0.05)
    assert (found.times > start[found.rows]).all()
    assert (found.times <= start[found.rows] + 1000.0).all()
    assert (np.diff(found.times)[np.diff(found.rows) == 0] >= 2.0).all()


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("SpikeSourceGamma", {"alpha": -1.0}),
        ("SpikeSourceGamma", {"beta": -2.0}),
        ("SpikeSourcePoissonRefractory", {"rate": 200.0, "tau_refrac": 6.0}),
    ],
)
def test_a_law_without_intervals_is_refused(model: str, parameters: dict[str, float]) -> None:
    with pytest.raises(PlanError) as caught:
        drawn(model, parameters)
    assert caught.value.message == "the intervals of 's' are not above 0 ms"
    assert caught.value.where == "population s"
