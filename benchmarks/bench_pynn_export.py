"""A network as SONATA: our export_to_sonata, from pyNN.nest and from our own graph, against PyNN's, in one process.

    python benchmarks/bench_pynn_export.py [--edges 1000000] [--graph 1000000]

PyNN's export has 16-bit indices, so the edges are spread over projections of less than 32,768. All write weights and
delays for every edge. From a network on NEST both read them back from there, whose own call for that is the floor that
is printed as well; a graph of ours has them. Ours asks NEST from as many processes as there are processors, so both
seconds by the clock and CPU seconds (children included) are printed; on a busy machine the clock says little. Targets:
5 times PyNN's edges a second from NEST (clock), 50 times from our graph.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import pyNN.nest as sim
from measure import verdict
from networks import document
from pyNN.network import Network
from pyNN.serialization import export_to_sonata as pynn_export

import pynn_io

LARGEST = 30_000
CELLS = 1000


def build(edges: int) -> Network:
    """Two populations and as many projections as it takes, each edge with a weight and a delay of its own."""
    import nest

    sim.setup(timestep=0.1, min_delay=0.5, max_delay=5.0)
    random = np.random.default_rng(1)
    pre = sim.Population(CELLS, sim.IF_cond_exp(), label="pre")
    post = sim.Population(CELLS, sim.IF_cond_exp(tau_m=random.uniform(10, 20, CELLS)), label="post")
    projections = []
    for number in range(-(-edges // LARGEST)):
        size = min(LARGEST, edges - number * LARGEST)
        pairs = random.choice(CELLS * CELLS, size, replace=False)
        # the connections themselves by NEST's array call: FromListConnector would take minutes
        first = [(0, 0, 0.001, 1.0)]
        projection = sim.Projection(pre, post, sim.FromListConnector(first), sim.StaticSynapse(), label=f"p{number}")
        syn = {
            "synapse_model": projection.nest_synapse_model,
            "synapse_label": np.full(size, projection.nest_synapse_label),
            "weight": random.uniform(1.0, 2.0, size),
            "delay": np.round(random.uniform(0.5, 4.5, size), 1),
        }
        ids = np.array(pre.node_collection.tolist()), np.array(post.node_collection.tolist())
        nest.Connect(ids[0][pairs // CELLS], ids[1][pairs % CELLS], "one_to_one", syn)
        projection._sources.update(ids[0].tolist())
        sim.simulator.state.stale_connection_cache = True
        projections.append(projection)
    return Network(pre, post, *projections)


class Seconds(NamedTuple):
    """By the clock, and of the processors, those of ended children included."""

    wall: float
    cpu: float


def now() -> Seconds:
    return Seconds(perf_counter(), sum(os.times()[:4]))


def since(started: Seconds) -> Seconds:
    ended = now()
    return Seconds(ended.wall - started.wall, ended.cpu - started.cpu)


def floor(network: Network) -> Seconds:
    """What NEST itself takes, asked by one process, to say what it has connected."""
    import nest

    started = now()
    for projection in network.projections:
        found = nest.GetConnections(
            synapse_model=projection.nest_synapse_model, synapse_label=projection.nest_synapse_label
        )
        for start in range(0, len(found), 1000):
            nest.ll_api.nestkernel.llapi_get_connection_status(found._datum[start : start + 1000])
    return since(started)


def timed(call, network: object) -> Seconds:
    """An export into a new folder."""
    folder = Path(tempfile.mkdtemp())
    try:
        started = now()
        call(network, str(folder / "out"))
        return since(started)
    finally:
        shutil.rmtree(folder)


def best(network: object, *calls: Callable[[object, str], object]) -> list[Seconds]:
    """Each call's best of five, in turn: a busy while strikes all of them, and the first pays for fresh pages."""
    rounds = [[timed(call, network) for call in calls] for _ in range(5)]
    return [min(each) for each in zip(*rounds, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=int, default=1_000_000)
    parser.add_argument("--graph", type=int, default=1_000_000, help="edges of our own graph")
    options = parser.parse_args()
    for call in (pynn_io.export_to_sonata, pynn_export):
        timed(call, build(10))  # what is imported on first use
    network, edges = build(options.edges), options.edges
    own, theirs = best(network, pynn_io.export_to_sonata, pynn_export)
    least = floor(network)
    print(f"{edges:,} edges on pyNN.nest to SONATA, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    for label, taken in (
        ("PyNN's export_to_sonata", theirs),
        ("pynn_io.export_to_sonata", own),
        ("NEST's own answer, one process", least),
    ):
        print(f"  {label:31s} {taken.wall:6.2f} s   CPU {taken.cpu:6.2f} s   {edges / taken.wall:10,.0f} edges/s")
    verdict("PyNN's time in ours, from pyNN.nest, clock", theirs.wall / own.wall, 5, at_most=False)
    bound = theirs.cpu / least.cpu
    print(f"        PyNN's CPU seconds in ours: {theirs.cpu / own.cpu:.2f}; in NEST's own answer alone: {bound:.2f}")
    graph = document(options.graph, 10 * CELLS)
    (graphs,) = best(graph, pynn_io.export_to_sonata)
    print(f"{options.graph:,} edges of our own graph: {graphs.cpu:.2f} s, {options.graph / graphs.cpu:,.0f} edges/s")
    ratio = (options.graph / graphs.cpu) / (edges / theirs.cpu)
    verdict("PyNN's edges a second in ours, from our graph", ratio, 50, at_most=False)


if __name__ == "__main__":
    main()
