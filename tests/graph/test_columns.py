"""Columns, tables and the way cells and edges see them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynn_io.graph import ArrayChunks, Column, Edges, Population, Projection, Table, text_column


@given(st.lists(st.one_of(st.none(), st.text(st.characters(min_codepoint=1), max_size=4))))
def test_text_columns_give_back_their_strings(strings: list[str | None]) -> None:
    column = text_column(strings)
    values = np.ma.array(column.values(len(strings)), dtype=object)
    assert [
        None if masked else value for value, masked in zip(values.data, np.ma.getmaskarray(values), strict=True)
    ] == strings
    assert len(set(column.levels or ())) == len(column.levels or ())


def test_levels_are_in_order_of_first_appearance() -> None:
    assert text_column(["b", "a", "b", "c"]).levels == ("b", "a", "c")


@given(st.integers(0, 40), st.integers(1, 17))
def test_blocks_cover_every_row_once(size: int, block: int) -> None:
    values = np.arange(size) * 3
    table = Table(size, {"a": Column(values), "lazy": Column(ArrayChunks(values)), "one": Column(7)})
    seen = [(start, stop, rows) for start, stop, rows in table.blocks(block=block)]
    for name in ("a", "lazy"):
        assert np.concatenate([rows[name] for *_, rows in seen] or [values]).tolist() == values.tolist()
    assert all(rows["one"].tolist() == [7] * (stop - start) for start, stop, rows in seen)
    assert [start for start, *_ in seen] == list(range(0, size, block))


def test_a_column_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"column 'x' has 3 rows, the table 2"):
        Table(2, {"x": Column(np.zeros(3))})


def test_arrays_are_read_only() -> None:
    column = Column(np.zeros(3))
    with pytest.raises(ValueError, match="read-only"):
        column.data[0] = 1.0


def test_a_cells_own_value_overrides_its_types() -> None:
    population = Population(
        "p",
        3,
        Table(2, {"cell": text_column(["a", "b"]), "layer": Column(np.array([4, 5])), "ei": text_column(["e", "i"])}),
        Column(np.array([0, 1, 1])),
        Table(
            3,
            {
                "layer": Column(np.ma.array([9, 0, 0], mask=[False, True, True])),
                "ei": text_column([None, None, "x"]),
            },
        ),
    )
    layer, ei = population.column("layer"), population.column("ei")
    assert layer is not None and layer.values(3).tolist() == [9, 5, 5]
    assert ei is not None and ei.values(3).tolist() == ["e", "i", "x"]
    assert population.column("nowhere") is None


def test_an_edges_own_value_overrides_its_types() -> None:
    types = Table(2, {"synapse": text_column(["s", "t"]), "delay": Column(np.array([1.0, 2.0])), "weight": Column(0.5)})
    columns = Table(3, {"delay": Column(np.ma.array([7.0, 0, 0], mask=[False, True, True]))})
    rows = Column(np.array([0, 0, 0]))
    projection = Projection("p", "a", "b", types, Edges(rows, rows, columns), Column(np.array([0, 0, 1])))
    [(start, stop, block)] = projection.blocks(["delay", "weight", "nsyns"])
    assert (start, stop) == (0, 3)
    assert block["delay"].tolist() == [7.0, 1.0, 2.0]
    assert block["weight"].tolist() == [0.5, 0.5, 0.5]
    assert "nsyns" not in block
