"""What NEST says of its connections, read by several processes: every value is there once and in its place."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from pynn_io.importers.pynn_objects import nest_status
from tests.conftest import ROOT

KEYS = ("source", "target", "weight", "delay")
# five blocks and a rest for each of three readers
SIZE = 3 * nest_status._BLOCK * 5 + 7


def kernel(answer):
    """Something that is asked as NEST is, for handles that are numbers."""
    return SimpleNamespace(
        total_num_virtual_procs=1,
        ll_api=SimpleNamespace(nestkernel=SimpleNamespace(llapi_get_connection_status=answer)),
    )


def stated(handles):
    return [
        {"delay": 0.1 * each, "model": "m", "source": each, "target": each + 1, "weight": -each / 7} for each in handles
    ]


def wanted(size):
    handles = np.arange(size)
    return np.array([handles, handles + 1, -handles / 7, 0.1 * handles])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_each_reader_has_its_part(monkeypatch, count):
    monkeypatch.setattr(nest_status, "readers", lambda size, threads: count)
    found = nest_status.status(kernel(stated), list(range(SIZE)), KEYS)
    np.testing.assert_array_equal(found, wanted(SIZE))


def test_the_readers_are_other_processes(monkeypatch):
    monkeypatch.setattr(nest_status, "readers", lambda size, threads: 3)
    found = nest_status.status(kernel(lambda handles: [{"pid": os.getpid()} for _ in handles]), range(SIZE), ("pid",))
    counts = dict(zip(*np.unique(found, return_counts=True), strict=True))
    assert os.getpid() in counts
    assert sorted(counts.values()) == [252, 252, 253]


def test_what_a_killed_reader_left_is_read_again(monkeypatch):
    monkeypatch.setattr(nest_status, "readers", lambda size, threads: 3)
    own = os.getpid()

    def answer(handles):
        if os.getpid() != own and handles[0] > SIZE - 100:
            os.kill(os.getpid(), 9)
        return stated(handles)

    found = nest_status.status(kernel(answer), list(range(SIZE)), KEYS)
    np.testing.assert_array_equal(found, wanted(SIZE))


def test_no_connections():
    assert nest_status.status(kernel(stated), [], KEYS).shape == (4, 0)


def test_one_reader_where_it_does_not_pay_or_a_fork_could_hang(monkeypatch):
    monkeypatch.setattr(nest_status, "_processors", lambda: 4)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    assert [nest_status.readers(size, 1) for size in (0, 9_999, 25_000, 10_000_000)] == [1, 1, 2, 4]
    assert nest_status.readers(10_000_000, 2) == 1
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert nest_status.readers(10_000_000, 1) == 1


REAL = """
import nest, numpy as np
from pynn_io.importers.pynn_objects import nest_status
nest_status._processors = lambda: 2
size = 25_000
random = np.random.default_rng(1)
cells = nest.Create("iaf_psc_exp", 300)
ids = np.array(cells.tolist())
weights, delays = random.uniform(1, 2, size), random.integers(1, 50, size) / 10
syn = {"weight": weights, "delay": delays}
nest.Connect(random.choice(ids, size), random.choice(ids, size), "one_to_one", syn)
found = nest.GetConnections()
assert nest_status.readers(len(found), nest.total_num_virtual_procs) == 2
keys = ["source", "target", "weight", "delay"]
table = nest_status.status(nest, found._datum, keys)
plain = found.get(keys)
for row, key in zip(table, keys):
    np.testing.assert_array_equal(row, plain[key])
assert len(np.unique(table[2])) == size
nest.Simulate(1.0)  # the kernel is as it was
assert np.array_equal(nest_status.status(nest, found._datum, keys), table)
"""


def test_the_kernel_of_nest_is_read_by_two():
    pytest.importorskip("nest")
    done = subprocess.run([sys.executable, "-c", REAL], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]


def test_projections_stay_in_order_and_are_asked_for_together_up_to_a_number(monkeypatch):
    from pynn_io.importers.pynn_objects import connections as module

    asked = []

    def of_nest(waiting):
        asked.append([name for name, _ in waiting])
        yield from (name for name, _ in waiting)

    monkeypatch.setattr(module, "_TOGETHER", 10)
    monkeypatch.setattr(module, "_in_nest", lambda projection, _: projection.startswith("nest"))
    monkeypatch.setattr(module, "_handles", lambda projection: [0] * 6)
    monkeypatch.setattr(module, "_of_nest", of_nest)
    monkeypatch.setattr(module, "_elsewhere", lambda projection, _: projection)
    names = ["nest1", "other1", "nest2", "nest3", "nest4", "other2", "nest5"]
    assert list(module.connections((name, ()) for name in names)) == names
    assert [each for each in asked if each] == [["nest1"], ["nest2", "nest3"], ["nest4"], ["nest5"]]
