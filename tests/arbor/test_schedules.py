"""The times at which Arbor is asked for samples."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("arbor")


@pytest.mark.parametrize(
    ("start", "interval", "count", "listed"),
    [
        (0.0, 0.1, 1000, False),
        (0.1, 0.1, 3333, False),
        (5.05, 0.05, 777, False),
        (12.5, 0.125, 1, False),
        (0.0, 0.001, 30_000, False),
        (0.3, 0.7, 500, True),
        (0.05, 0.1, 20, True),
    ],
)
def test_every_time_once_and_none_beside(start, interval, count, listed):
    import arbor

    from pynn_io.runners.arbor.build import schedule_of

    schedule = schedule_of(start, interval, count)
    assert isinstance(schedule, arbor.explicit_schedule) == listed
    edges = np.linspace(0.0, start + 2 * count * interval, 23).tolist()  # a run goes in parts
    found = [time for one, other in pairwise(edges) for time in schedule.events(one, other)]
    np.testing.assert_allclose(found, start + interval * np.arange(count), rtol=0, atol=1e-9)
