"""What NEST says of its connections, read by several processes: every value is there once and in its place."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import pynn_io
from pynn_io.importers.pynn_objects import nest_status
from tests.conftest import ROOT
from tests.pynn_in.test_capture import edges

KEYS = ("source", "target", "weight", "delay")
#: Connections of the model: as many of each source as its number, so that parts of the sources differ in size.
SOURCES = range(120)
SIZE = sum(SOURCES)


class Kernel:
    """Something that is asked as NEST is; its connections are numbers, in the order of their sources."""

    total_num_virtual_procs = 1
    NodeCollection = staticmethod(list)

    def __init__(self, answer):
        self.ll_api = SimpleNamespace(nestkernel=SimpleNamespace(llapi_get_connection_status=answer))
        self.source = np.repeat(SOURCES, SOURCES)

    def GetDefaults(self, model, name):
        assert (model, name) == ("model", "num_connections")
        return SIZE + 10  # of other nodes

    def GetConnections(self, synapse_model, synapse_label=0, source=SOURCES):
        wanted = np.isin(self.source, source) & (np.arange(SIZE) % 2 == synapse_label % 2)
        if not synapse_label:
            wanted = np.isin(self.source, source)
        return SimpleNamespace(_datum=np.flatnonzero(wanted)) if wanted.any() else None


def stated(handles):
    return [
        {"delay": 0.1 * each, "model": "m", "source": each, "target": each + 1, "weight": -each / 7} for each in handles
    ]


def wanted(handles):
    return np.array([handles, handles + 1, -handles / 7, 0.1 * handles]).T


def read(answer, labels=(), keys=KEYS):
    return nest_status.status(Kernel(answer), "model", labels, [*SOURCES, *SOURCES], keys)


@pytest.fixture
def two_readers(monkeypatch):
    monkeypatch.setattr(nest_status, "readers", lambda size, threads: 2)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_connection_is_in_its_place(monkeypatch, count):
    monkeypatch.setattr(nest_status, "readers", lambda size, threads: count)
    np.testing.assert_array_equal(read(stated), wanted(np.arange(SIZE)))
    in_two = np.concatenate([np.arange(1, SIZE, 2), np.arange(0, SIZE, 2)])
    np.testing.assert_array_equal(read(stated, labels=[1, 2]), wanted(in_two))


def test_readers_take_turns(two_readers):
    """A slow reader does less: the other does not wait for its share."""
    own = os.getpid()

    def answer(handles):
        if os.getpid() != own:
            time.sleep(0.02)
        return [{"pid": os.getpid(), "n": 1} for _ in handles]

    found = read(answer, keys=("n", "pid"))
    pids, counts = np.unique(found[:, 1], return_counts=True)
    done = dict(zip(pids.tolist(), counts.tolist(), strict=True))
    assert len(done) == 2
    assert done[own] > 0.7 * SIZE


def test_parts_become_smaller():
    sizes = [len(part) for part in nest_status._parts(range(1000), 2, 0.01)]
    assert sizes == sorted(sizes, reverse=True)
    assert (sum(sizes), sizes[0], sizes[-2]) == (1000, 250, 10)
    assert len(sizes) < 20
    assert [len(part) for part in nest_status._parts(range(3), 2, 0.01)] == [1, 1, 1]


def test_what_a_killed_reader_left_is_read_again(two_readers):
    own, waited = os.getpid(), []

    def answer(handles):
        if os.getpid() != own:
            os.kill(os.getpid(), 9)
        if not waited:  # for the other to take a turn
            waited.append(time.sleep(0.5))
        return stated(handles)

    np.testing.assert_array_equal(read(answer), wanted(np.arange(SIZE)))


@pytest.mark.parametrize("count", [1, 2])
def test_no_connections(monkeypatch, count):
    monkeypatch.setattr(nest_status, "readers", lambda size, threads: count)
    assert nest_status.status(Kernel(stated), "model", [1, 2], [1000], KEYS).shape == (0, 4)


def test_one_reader_where_it_does_not_pay_or_a_fork_could_hang(monkeypatch):
    monkeypatch.setattr(nest_status, "_processors", lambda: 4)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    assert [nest_status.readers(size, 1) for size in (0, 9_999, 25_000, 10_000_000)] == [1, 1, 2, 4]
    assert nest_status.readers(10_000_000, 2) == 1
    monkeypatch.setattr(nest_status, "current_process", lambda: SimpleNamespace(daemon=True))  # a pool's worker
    assert nest_status.readers(10_000_000, 1) == 1
    monkeypatch.undo()
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
syn = {"synapse_model": "static_synapse_lbl", "weight": weights, "delay": delays, "synapse_label": np.arange(size) % 3}
nest.Connect(random.choice(ids, size), random.choice(ids, size), "one_to_one", syn)
assert nest_status.readers(size, nest.total_num_virtual_procs) == 2
keys = ["source", "target", "weight", "delay"]
def read(*labels, sources=ids):
    return nest_status.status(nest, "static_synapse_lbl", labels, sources, keys)
def plain(**question):
    found = nest.GetConnections(synapse_model="static_synapse_lbl", **question).get(keys)
    return np.array([found[key] for key in keys]).T
table = read()
assert np.array_equal(table, plain())
assert len(np.unique(table[:, 2])) == size
assert np.array_equal(read(2, 1), np.concatenate([plain(synapse_label=2), plain(synapse_label=1)]))
assert np.array_equal(read(1, sources=ids[7:90]), plain(synapse_label=1, source=cells[7:90]))
nest.Simulate(1.0)  # the kernel is as it was
assert np.array_equal(read(), table)
"""


def test_the_kernel_of_nest_is_read_by_two():
    pytest.importorskip("nest")
    done = subprocess.run([sys.executable, "-c", REAL], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]


def test_an_interrupted_reading_leaves_no_readers(two_readers):
    own, before = os.getpid(), set(multiprocessing.active_children())

    def answer(handles):
        if os.getpid() == own:
            raise KeyboardInterrupt
        time.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        read(answer)
    assert set(multiprocessing.active_children()) == before


LIVE = """
import sys, threading
import numpy as np
import nest, pyNN.nest as sim
from pyNN.network import Network
from pyNN.random import NumpyRNG, RandomDistribution
import pynn_io
sim.setup(timestep=0.1, min_delay=0.1)
cells = sim.Population(5, sim.IF_cond_exp(), label="cells")
native = sim.Population(2, sim.native_cell_type("iaf_psc_alpha")(), label="native")  # its V_min is -inf
def projection(label, synapse):
    return sim.Projection(cells, cells, sim.AllToAllConnector(), synapse, receptor_type="excitatory", label=label)
from pyNN import common
common.Projection._nProj = 254
one, two = (projection(label, sim.StaticSynapse(weight=0.5, delay=1.0)) for label in ("one", "two"))
assert [one.nest_synapse_label, two.nest_synapse_label] == [255, 256]
nest.Connect(cells.node_collection, cells.node_collection, "all_to_all", {"synapse_model": "static_synapse_lbl"})
u = RandomDistribution("uniform", low=0.2, high=0.4, rng=NumpyRNG(1))
tsodyks = projection("tsodyks", sim.TsodyksMarkramSynapse(weight=0.25, delay=0.3, U=u))
tsodyks.get("weight", format="list")
three = projection("three", sim.StaticSynapse(weight=0.5, delay=1.0))
three.get("weight", format="list")
network = Network(cells, native, one, two, tsodyks, three)
from pynn_io.importers.pynn_objects import connections
connections._FEW = int(sys.argv[2])
thread = threading.Thread(target=lambda: pynn_io.export_to_sonata(network, sys.argv[1]))
thread.start()
thread.join()
stated = nest.GetConnections(synapse_model="tsodyks_synapse_lbl").get(["source", "target", "U"])
print(*sorted(zip(*stated.values())), sep="\\n")
"""


@pytest.mark.parametrize("few", [0, 16])
def test_a_network_is_exported_from_a_thread(tmp_path, few):
    """NEST crashes where OpenMP gives the thread more parts than its kernel has; nor are other connections mixed in."""
    pytest.importorskip("nest")
    script = tmp_path / "live.py"
    script.write_text(LIVE)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "out"), str(few)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "4"},
        timeout=300,
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr[-2000:]
    network = pynn_io.read(tmp_path / "out").network
    assert {name: each.size for name, each in network.projections.items()} == {
        "one": 25,
        "two": 25,
        "tsodyks": 25,
        "three": 25,
    }
    assert all(set(edges(network.projections[name])[:, 2]) == {0.5} for name in ("one", "two", "three"))
    assert np.unique(network.projections["tsodyks"].edges.columns["parameters:U"].read(25)).size == 25
    np.testing.assert_array_equal(network.populations["native"].column("parameters:V_min").read(2), -np.inf)


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

    def get_connections(synapse_model, source, synapse_label=None):
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

    nest = Kernel(answer)
    nest.GetConnections, nest.GetDefaults = get_connections, lambda model, name: 10
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
