"""What NEST says of its connections, read by several processes: every value is there once and in its place."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from pynn_io.importers.pynn_objects import nest_status
from tests.conftest import ROOT

KEYS = ("source", "target", "weight", "delay")
# turns of many blocks, the last of less than one
SIZE = 5 * nest_status._TURN + 3 * nest_status._BLOCK + 7


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
    return np.array([handles, handles + 1, -handles / 7, 0.1 * handles]).T


def read(answer, handles, most=None, keys=KEYS):
    return nest_status.status(kernel(answer), lambda: handles, len(handles) if most is None else most, keys)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("most", [SIZE, SIZE + nest_status._TURN])
def test_each_connection_is_in_its_place(monkeypatch, count, most):
    monkeypatch.setattr(nest_status, "readers", lambda size, threads: count)
    np.testing.assert_array_equal(read(stated, list(range(SIZE)), most), wanted(SIZE))


def test_turns_are_longer_where_there_would_be_too_many(monkeypatch):
    monkeypatch.setattr(nest_status, "_TURNS", 3)
    monkeypatch.setattr(nest_status, "readers", lambda size, threads: 2)
    np.testing.assert_array_equal(read(stated, list(range(SIZE))), wanted(SIZE))


def test_readers_take_turns(monkeypatch):
    """A slow reader does less: the other does not wait for its share."""
    monkeypatch.setattr(nest_status, "readers", lambda size, threads: 2)
    own = os.getpid()

    def answer(handles):
        if os.getpid() != own:
            time.sleep(0.1)
        return [{"pid": os.getpid(), "n": 1} for _ in handles]

    found = read(answer, range(SIZE), keys=("n", "pid"))
    pids, counts = np.unique(found[:, 1], return_counts=True)
    done = dict(zip(pids.tolist(), counts.tolist(), strict=True))
    assert len(done) == 2
    assert done[own] > SIZE - 2 * nest_status._TURN


def test_what_a_killed_reader_left_is_read_again(monkeypatch):
    monkeypatch.setattr(nest_status, "readers", lambda size, threads: 3)
    own, waited = os.getpid(), []

    def answer(handles):
        if os.getpid() != own:
            os.kill(os.getpid(), 9)
        if not waited:  # for the others to take turns
            waited.append(time.sleep(0.5))
        return stated(handles)

    np.testing.assert_array_equal(read(answer, list(range(SIZE))), wanted(SIZE))


def test_no_connections():
    assert read(stated, []).shape == (0, 4)


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
def read():
    return nest_status.status(nest, lambda: nest.GetConnections()._datum, nest.num_connections, keys)
table = read()
plain = found.get(keys)
for column, key in zip(table.T, keys):
    np.testing.assert_array_equal(column, plain[key])
assert len(np.unique(table[:, 2])) == size
nest.Simulate(1.0)  # the kernel is as it was
assert np.array_equal(read(), table)
"""


def test_the_kernel_of_nest_is_read_by_two():
    pytest.importorskip("nest")
    done = subprocess.run([sys.executable, "-c", REAL], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]


def projection(model, label):
    """As pyNN.nest has it: cells 11 to 20, in a population whose cells start at 11."""
    cells = SimpleNamespace(all_cells=np.arange(11, 21).astype(object), size=10)
    return SimpleNamespace(
        nest_synapse_model=model, nest_synapse_label=label, pre=cells, post=cells, receptor_type="default"
    )


@pytest.mark.parametrize("few", [1, 2])
def test_nest_is_asked_by_label_or_once_for_a_model_of_many_projections(monkeypatch, few):
    from pynn_io.importers.pynn_objects import connections as module

    asked, read = [], []
    #: model -> label, source and target of each connection; label 9 is of a projection that nobody asked for
    there = {"one": [(2, 11, 12), (1, 13, 14), (9, 11, 11), (2, 15, 16), (1, 17, 18)], "other": [(3, 20, 11)]}

    def get_connections(synapse_model, synapse_label=None):
        asked.append((synapse_model, synapse_label))
        rows = [row for row in there.get(synapse_model, ()) if synapse_label in (None, row[0])]
        return SimpleNamespace(_datum=rows) if rows else None

    def answer(handles):
        read.extend(label for label, _, _ in handles)
        return [
            {
                "synapse_label": label,
                "source": source,
                "target": target,
                "weight": 1000.0 * source,
                "delay": 0.1 * target,
            }
            for label, source, target in handles
        ]

    nest = SimpleNamespace(**vars(kernel(answer)), GetConnections=get_connections, GetDefaults=lambda model, name: 10)
    monkeypatch.setattr(module, "import_module", lambda name: nest)
    monkeypatch.setattr(module, "_FEW", few)
    monkeypatch.setattr(module, "_in_nest", lambda projection, _: hasattr(projection, "nest_synapse_model"))
    monkeypatch.setattr(module, "_elsewhere", lambda projection, _: projection)
    wanted = [projection("one", 2), "elsewhere", projection("other", 3), projection("one", 1), projection("none", 4)]
    first, elsewhere, second, third, none = module.connections((each, ("weight", "delay")) for each in wanted)
    one = [("one", None)] if few == 1 else [("one", 2), ("one", 1)]
    assert asked == [*one, ("other", 3), ("none", 4)]
    assert (9 in read) == (few == 1)  # connections of a projection that nobody asked for
    assert elsewhere == "elsewhere"
    assert (first.source.tolist(), first.target.tolist()) == ([0, 4], [1, 5])
    assert (second.source.tolist(), second.target.tolist()) == ([9], [0])
    assert (third.source.tolist(), third.target.tolist()) == ([2, 6], [3, 7])
    assert third.columns["weight"].tolist() == [13.0, 17.0] and third.columns["delay"].tolist() == [0.1 * 14, 0.1 * 18]
    assert none.size == 0
