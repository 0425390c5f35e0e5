"""A network of more projections than a process may have files open."""

from __future__ import annotations

import resource
from itertools import product

import numpy as np
import pytest

import pynn_io
from pynn_io.document import Document
from pynn_io.graph.cells import PointCell
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.synapses import Synapse
from tests.models import edges, table

FILES = 100


@pytest.fixture
def few_files():
    """As on systems that allow few: 256 on some, 1024 on most."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def network(populations: int) -> Network:
    """Each population onto each, the weight of its only edge the number of the projection."""
    names = [f"p{number}" for number in range(populations)]
    types = table(1, synapse=["static"], weight_unit=["nA"])
    projections = [
        Projection(f"{pre}_to_{post}", pre, post, types, edges([0], [1], weight=[float(number)], delay=[1.0]))
        for number, (pre, post) in enumerate(product(names, names))
    ]
    return Network(
        "many",
        {name: Population(name, 2, table(1, cell=["cell"])) for name in names},
        {each.name: each for each in projections},
        {"cell": PointCell("IF_curr_exp", {"tau_m": 20.0})},
        {"static": Synapse("StaticSynapse")},
    )


def test_files_are_closed_as_they_are_written(tmp_path, few_files):
    there = network(12)
    assert len(there.projections) > FILES
    pynn_io.write(Document(there), tmp_path / "out", "sonata")
    back = pynn_io.read(tmp_path / "out" / "circuit_config.json").network
    assert back.projections.keys() == there.projections.keys()
    for name, projection in there.projections.items():
        ((_, _, block),) = back.projections[name].edges.blocks(["weight"])
        np.testing.assert_array_equal(block["weight"], projection.edges.columns["weight"].data)
