"""A network as SONATA: our export_to_sonata, from pyNN.nest and from our own graph, against PyNN's, in one process.

    python benchmarks/bench_pynn_export.py [--edges 100000] [--graph 1000000]

PyNN's export has 16-bit indices, so the edges are spread over projections of less than 32,768. All write weights and
delays for every edge. From a network on NEST both read them back from there, whose own call for that is the floor that
is printed as well; a graph of ours has them. Target: 50 times PyNN's edges a second from our graph.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from time import process_time

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


def floor(network: Network) -> float:
    """CPU seconds that NEST itself takes to say what it has connected."""
    import nest

    started = process_time()
    found = nest.GetConnections()
    for start in range(0, len(found), 1000):
        nest.ll_api.nestkernel.llapi_get_connection_status(found[start : start + 1000]._datum)
    return process_time() - started


def timed(call, network: object) -> float:
    """CPU seconds of an export into a new folder."""
    folder = Path(tempfile.mkdtemp())
    try:
        started = process_time()
        call(network, str(folder / "out"))
        return process_time() - started
    finally:
        shutil.rmtree(folder)


def best(call, network: object) -> float:
    """CPU seconds of the best of three: the first pays for the kernel's fresh pages."""
    return min(timed(call, network) for _ in range(3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=int, default=100_000)
    parser.add_argument("--graph", type=int, default=1_000_000, help="edges of our own graph")
    options = parser.parse_args()
    for call in (pynn_io.export_to_sonata, pynn_export):
        timed(call, build(10))  # what is imported on first use
    network = build(options.edges)
    own, theirs = best(pynn_io.export_to_sonata, network), best(pynn_export, network)
    least = floor(network)
    edges = options.edges
    print(f"{edges:,} edges on pyNN.nest to SONATA, CPU seconds")
    print(f"  PyNN's export_to_sonata    {theirs:6.2f}   {edges / theirs:10,.0f} edges/s")
    print(f"  pynn_io.export_to_sonata   {own:6.2f}   {edges / own:10,.0f} edges/s   {theirs / own:.1f} times faster")
    print(f"  NEST's own answer alone    {least:6.2f}   {edges / least:10,.0f} edges/s   {theirs / least:.1f} times")
    graph = document(options.graph, 10 * CELLS)
    own = best(pynn_io.export_to_sonata, graph)
    print(f"{options.graph:,} edges of our own graph: {own:.2f} s, {options.graph / own:,.0f} edges/s")
    verdict(
        "PyNN's edges a second in ours, from our graph", (options.graph / own) / (edges / theirs), 50, at_most=False
    )


if __name__ == "__main__":
    main()
