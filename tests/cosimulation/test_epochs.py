"""How often spikes are exchanged: numbers by hand, and that no spike of any step comes too late."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pynn_io.errors import PlanError, RunError
from pynn_io.lowering.cosimulation.epochs import Epochs, epochs
from pynn_io.runners.exchange import Proxies


@pytest.mark.parametrize(
    ("delay", "step", "lag", "epoch", "lead"),
    [
        (2.0, 0.1, 0, 1.0, 1.0),
        (1.5, 0.1, 0, 0.7, 0.7),
        (0.2, 0.1, 0, 0.1, 0.1),
        (float(np.float32(0.6)) - 1e-8, 0.1, 0, 0.3, 0.3),
        (1.57, 0.1, 0, 0.7, 0.7),
        (2.0, 0.1, 1, 1.0, 1.1),
        (0.4, 0.1, 1, 0.2, 0.3),
        (0.3, 0.1, 1, 0.1, 0.2),
        (2.0, 0.001, 0, 1.0, 1.0),
    ],
)
def test_epochs_by_hand(delay, step, lag, epoch, lead):
    found = epochs(delay, "p", step, lag, 100.0)
    assert (found.epoch, found.lead_time) == (epoch, lead)


@pytest.mark.parametrize(("delay", "lag", "needed"), [(0.1, 0, 0.2), (0.0, 0, 0.2), (-1.0, 0, 0.2), (0.2, 1, 0.3)])
def test_delays_that_are_too_short(delay, lag, needed):
    with pytest.raises(PlanError, match=f"projection p: its shortest delay is {delay:g} ms") as caught:
        epochs(delay, "p", 0.1, lag, 100.0)
    caught.match(f"{needed:g} ms are needed: place both populations on one simulator")


def test_nothing_crosses():
    assert epochs(np.inf, "", 0.1, 0, 100.0).stops().tolist() == [100.0]


def test_stops_are_decimal_numbers_and_end_with_the_run():
    assert Epochs(0.1, 3, 3, 1.0).stops().tolist() == [0.3, 0.6, 0.9, 1.0]
    assert Epochs(0.1, 5, 5, 1.0).stops().tolist() == [0.5, 1.0]
    assert Epochs(0.1, 50, 50, 1.0).stops().tolist() == [1.0]


def _arrivals(made: Epochs, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """A cell with a spike in every step; (when each fired, when its proxy does), through all exchanges.

    A simulator with a lag tells of the spikes of an epoch's last step in the next one.
    """
    spikes = np.round(np.arange(1, 200) * made.timestep, 9)
    stops, proxies, told = made.stops(), Proxies(made, made.lead_time), 0
    fired = []
    for now, following in pairwise(stops):
        until = int(np.searchsorted(spikes, now - lag * made.timestep + 1e-6))
        known, told = spikes[told:until], until
        due = proxies.due({"x": (np.zeros(len(known), dtype=np.int64), known)}, now, following)["x"]
        assert (due.times > now + 1e-6).all() and (due.times < following + 1e-6).all()
        fired.append(due.times)
    return spikes, np.concatenate(fired)


@pytest.mark.parametrize("delay", [0.3, 0.4, 0.5, 1.0, 2.1])
@pytest.mark.parametrize("lag", [0, 1])
@pytest.mark.parametrize("late", [0, 1])
def test_every_proxy_fires_in_time_and_within_one_epoch(delay, lag, late):
    """late: what the sender really does; another part may be the one with the lag."""
    made = epochs(delay, "p", 0.1, lag, 15.0)
    spikes, fired = _arrivals(made, min(late, lag))
    np.testing.assert_allclose(fired, spikes[: len(fired)] + made.lead_time, atol=1e-9)
    assert len(fired) > 120


@pytest.mark.parametrize("lag", [0, 1])
def test_an_epoch_of_the_whole_delay_is_too_long(lag):
    """With all of the delay but one step before the proxy, which is the most that there can be."""
    with pytest.raises(RunError, match=r"1 of \d+ spikes of x came too late"):
        _arrivals(Epochs(0.1, 10, 9, 15.0), lag)
    _arrivals(Epochs(0.1, 9 - lag, 9, 15.0), lag)
