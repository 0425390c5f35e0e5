"""Broken networks are refused with every problem named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.errors import GraphError
from pynn_io.graph import Column, Network
from pynn_io.graph.validate import problems, validate
from tests.models import MODELS


@pytest.mark.parametrize("model", MODELS)
def test_the_models_are_sound(model: str) -> None:
    assert problems(MODELS[model]().network) == []


def with_projection(network: Network, **changes: object) -> Network:
    name, projection = next(iter(network.projections.items()))
    return replace(network, projections={name: replace(projection, **changes)})


def test_edges_beyond_the_population() -> None:
    network = MODELS["two_types"]().network
    edges = network.projections["cortex_to_cortex"].edges
    broken = with_projection(network, edges=replace(edges, target=Column(np.array([1, 5, 3, -1, 4]))))
    with pytest.raises(GraphError, match=r"the network has 1 problem\n") as caught:
        validate(broken)
    assert caught.value.problems == ("projection cortex_to_cortex: 2 target numbers outside 0..4: -1, 5",)
    assert caught.value.exit_status == 4


def test_names_that_lead_nowhere() -> None:
    network = replace(MODELS["cable"]().network, morphologies={}, channels={}, synapses={})
    assert problems(network) == [
        "cell bio_100: its morphology 'ball_and_stick' is not in the network",
        "cell bio_100: no such ion channel: Ih, NaTs, pas",
        "projection bio_to_bio: no such synapse: bio_to_bio_100",
    ]


def test_repeated_ids_and_wrong_kinds() -> None:
    network = MODELS["two_types"]().network
    population = network.populations["cortex"]
    table = population.table.updated({"id": Column(np.array([0, 1, 1, 3, 3])), "x": Column("left")})
    broken = replace(network, populations={"cortex": replace(population, table=table)})
    assert problems(broken) == [
        "population cortex: column 'x' should be float, and is <U4",
        "population cortex: 2 cells repeat an id: 1, 3",
    ]


def test_a_type_number_beyond_the_types() -> None:
    network = with_projection(MODELS["two_types"]().network, type_index=Column(np.array([0, 1, 2, 0, 0])))
    assert problems(network) == ["projection cortex_to_cortex: 1 type numbers outside 0..1: 2"]


def test_negative_delays() -> None:
    network = MODELS["two_types"]().network
    edges = network.projections["cortex_to_cortex"].edges
    columns = edges.columns.updated({"delay": Column(np.array([1.0, -1.0, 1.0, -2.0, np.nan]))})
    broken = with_projection(network, edges=replace(edges, columns=columns))
    assert problems(broken) == ["projection cortex_to_cortex: 2 edges have a negative delay"]
