"""The values that `pynn-show` prints and draws, against plain numpy on plain arrays."""

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.graph import ArrayChunks, Column, Edges, Network, PointCell, Population, Projection, Synapse, Table
from pynn_io.graph.columns import text_column
from pynn_io.graph.morphology import Morphology
from pynn_io.show.parts import morphology_summary
from pynn_io.show.summary import Range, cell_groups, edge_statistics, population_summary, summarise

RNG = np.random.default_rng(7)
PRE, POST, EDGES = 50, 30, 5000
SOURCE, TARGET = RNG.integers(0, PRE, EDGES), RNG.integers(0, POST, EDGES)
WEIGHT = RNG.normal(size=EDGES)
KIND = RNG.integers(0, 2, EDGES)


def population(name, size, labels):
    types = Table(len(labels), {"cell": text_column(labels), "pop_name": text_column(labels, extra=True)})
    return Population(name, size, types, Column(np.arange(size) % len(labels)), Table(size))


def network(**columns):
    types = Table(2, {"synapse": text_column(["a", "b"]), "weight_unit": text_column(["nA", "uS"])})
    weight = {"weight": Column(ArrayChunks(WEIGHT))}
    edges = Edges(Column(ArrayChunks(SOURCE)), Column(ArrayChunks(TARGET)), Table(EDGES, {**weight, **columns}))
    projection = Projection("p", "pre", "post", types, edges, Column(ArrayChunks(KIND)))
    populations = {"pre": population("pre", PRE, ["x"]), "post": population("post", POST, ["e", "i"])}
    cells = {name: PointCell("IF_cond_exp") for name in ("x", "e", "i")}
    return Network("n", populations, {"p": projection}, cells, {"a": Synapse("static"), "b": Synapse("nrn:Exp2Syn")})


def test_degrees_and_pairs_are_plain_counts():
    graph = network()
    found = edge_statistics(graph.projections["p"], graph, cell_groups(graph))
    assert found.out_degree.tolist() == [int((row == SOURCE).sum()) for row in range(PRE)]
    assert found.in_degree.tolist() == [int((row == TARGET).sum()) for row in range(POST)]
    assert found.groups.tolist() == [[int((TARGET % 2 == 0).sum()), int((TARGET % 2 == 1).sum())]]
    assert found.type_counts.tolist() == [int((KIND == 0).sum()), int((KIND == 1).sum())]


def test_weights_of_different_units_are_kept_apart():
    graph = network()
    found = {one.unit: one for one in edge_statistics(graph.projections["p"], graph).weights}
    for unit, kind in (("nA", 0), ("uS", 1)):
        assert found[unit] == Range(WEIGHT[kind == KIND].min(), WEIGHT[kind == KIND].max(), unit)


def test_ranges_do_not_depend_on_blocks(monkeypatch):
    graph = network(delay=Column(np.linspace(1, 2, EDGES), "ms"))
    whole = edge_statistics(graph.projections["p"], graph)
    blocks = type(graph.projections["p"]).blocks
    monkeypatch.setattr(Projection, "blocks", lambda self, names=(): blocks(self, names, block=333))
    seen = []
    parts = edge_statistics(graph.projections["p"], graph, progress=lambda *state: seen.append(state))
    assert (parts.weights, parts.delay) == (whole.weights, whole.delay) and whole.delay == Range(1.0, 2.0, "ms")
    assert parts.in_degree.tolist() == whole.in_degree.tolist()
    assert len(seen) == 16 and seen[-1][1:] == (EDGES, EDGES)


def test_unstated_and_undefined_numbers_have_no_part_in_a_range():
    delay = np.ma.array([5.0, 1.0, 3.0, np.nan], mask=[True, False, False, False])
    rows = Column(np.zeros(4, dtype=np.int64))
    types = Table(1, {"synapse": text_column(["a"])})
    edges = Edges(rows, rows, Table(4, {"delay": Column(delay, "ms")}))
    graph = network()
    one = Projection("q", "pre", "post", types, edges)
    assert edge_statistics(one, graph).delay == Range(1.0, 3.0, "ms")
    assert edge_statistics(one, graph).weights == ()


def test_a_projection_without_edges():
    none = Column(np.zeros(0, dtype=np.int64))
    graph = network()
    one = Projection("q", "pre", "post", Table(1, {"synapse": text_column(["a"])}), Edges(none, none, Table(0)))
    found = edge_statistics(one, graph, cell_groups(graph))
    assert found.groups.sum() == 0 and found.delay is None and found.in_degree.tolist() == [0] * POST


def test_cell_types_are_counted_and_called_what_the_source_calls_them():
    types = Table(
        3,
        {
            "id": Column(np.array([5, 2**40, 9])),
            "cell": text_column(["c1", "c2", "c3"]),
            "pop_name": text_column(["same", "same", "other"]),
            "model_name": text_column(["Scnn1a", "PV", "Rorb"]),
        },
    )
    table = Table(5, {"x": Column(np.array([3.0, -1.0, 2.0, 8.0, 0.0]), "um"), "layer": text_column(list("abcab"))})
    one = Population("v1", 5, types, Column(np.array([2, 0, 2, 2, 0])), table)
    found = population_summary(one, {"c1": PointCell("nest:iaf_psc_alpha")})
    kinds = [(kind.id, kind.label, kind.kind, kind.model, kind.count) for kind in found.types]
    assert kinds == [
        (5, "Scnn1a", "point", "nest:iaf_psc_alpha", 2),
        (2**40, "PV", "missing", "", 0),
        (9, "Rorb", "missing", "", 3),
    ]
    columns = {(column.name, column.level): column for column in found.columns}
    assert columns["x", "cell"].range == Range(-1.0, 8.0, "um")
    assert (columns["layer", "cell"].values, columns["layer", "cell"].distinct) == (("a", "b", "c"), 3)


def test_a_summary_is_plain_json():
    import json

    plain = json.loads(json.dumps(summarise(Document(network(), provenance={"format": "sonata"})).as_dict()))
    assert plain["projections"][0]["size"] == EDGES
    assert plain["projections"][0]["in_degree"]["high"] == int(np.bincount(TARGET).max())


@pytest.fixture
def ball_and_fork():
    """A soma cylinder of 10 x 10 um, and a dendrite of 100 x 2 um that forks into 30 and 40 um."""
    proximal = [[0, -5, 0, 10], [0, 5, 0, 2], [0, 105, 0, 2], [0, 105, 0, 2]]
    distal = [[0, 5, 0, 10], [0, 105, 0, 2], [30, 105, 0, 2], [-40, 105, 0, 2]]
    return Morphology(
        "fork",
        np.arange(4),
        np.array([-1, 0, 1, 1]),
        np.ones(4),
        np.array(proximal, dtype=float),
        np.array(distal, dtype=float),
        np.array([1, 3, 3, 3]),
    )


def test_lengths_areas_and_corners_of_a_morphology(ball_and_fork):
    found = morphology_summary(ball_and_fork)
    soma, dendrite = found.tags
    assert (soma.name, soma.sections, soma.length) == ("soma", 1, 10.0)
    assert soma.area == pytest.approx(np.pi * 100)
    assert (dendrite.name, dendrite.sections, dendrite.segments) == ("basal dendrite", 3, 3)
    assert dendrite.length == pytest.approx(170.0)
    assert dendrite.area == pytest.approx(np.pi * 2 * 170)
    assert dendrite.diameter == Range(2.0, 2.0, "um")
    # Corners take in the radii: the left branch ends at x = -40, with a radius of 1.
    assert found.low == pytest.approx((-41.0, -10.0, -5.0))
    assert found.high == pytest.approx((31.0, 106.0, 5.0))


def test_sholl_counts_crossings(ball_and_fork):
    from pynn_io.show.plot_morphology import sholl

    # The soma's middle is the origin: at 50 um only the stem, at 106 um both branches (they end at 109.2 and 112.4).
    assert sholl(ball_and_fork, 3, np.array([50.0, 106.0, 111.0, 120.0])).tolist() == [1, 2, 1, 0]


def test_a_long_verdict_is_cut_where_it_is_printed_and_whole_as_a_value():
    from pynn_io.show import Verdict

    verdict = Verdict("peer 1.0", False, ("word " * 200, "another"))
    assert str(verdict).endswith("word ... (and 1 more)") and len(str(verdict)) < 300
    assert len(verdict.messages[0]) == 1000


def test_inputs_in_words():
    from pynn_io.graph.stimuli import CurrentPulses
    from pynn_io.show.plan_words import set_word, stimulus_word

    def steps(*amplitudes):
        ones = np.ones(len(amplitudes))
        return CurrentPulses(amplitudes=np.array(amplitudes), delays=ones, durations=ones)

    assert stimulus_word(steps(0.15)) == "1 current step of 0.15 nA"
    assert stimulus_word(steps(0.1, -0.2)) == "2 current steps of -0.2 to 0.1 nA"
    assert set_word({"population": "v1", "layer": [2, 3]}) == "population v1, layer [2, 3]"
    assert set_word(None) == "all cells"
