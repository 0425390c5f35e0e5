"""The types CSV: separators, quotes, missing values, dtypes, errors with their line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynn_io.errors import ReadError
from pynn_io.formats.sonata_csv import MISSING, parse_types

HERE = Path("types.csv")


def parse(text: str) -> dict[str, list[object]]:
    return dict(parse_types(text, HERE, "node_type_id").columns)


def test_runs_of_spaces_quotes_and_lists() -> None:
    table = parse('node_type_id  q   sections\n100   "a ""b"" c"  "[\'basal\', \'apical\']"  \n\n101 "" x\n')
    assert table["node_type_id"] == [100, 101]
    assert table["q"] == ['a "b" c', None]
    assert table["sections"] == ["['basal', 'apical']", "x"]


def test_every_spelling_of_nothing() -> None:
    table = parse("node_type_id a b c d\n1 NULL NONE NA x\n2 1 2.5 t nan\n")
    assert table == {"node_type_id": [1, 2], "a": [None, 1], "b": [None, 2.5], "c": [None, "t"], "d": ["x", None]}


def test_dtype_is_of_the_whole_column() -> None:
    table = parse("node_type_id i f t\n1 3 3 3\n2 -4 1e-3 x\n")
    assert table["i"] == [3, -4]
    assert [type(value) for value in table["f"]] == [float, float]
    assert table["t"] == ["3", "x"]


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("node_type_id a\n1 2\n2 3 4\n", "types.csv:3", "3 values for 2 columns"),
        ("node_type_id a\n1\n", "types.csv:2", "1 values for 2 columns"),
        ("node_type_id a\n1 2\n1 3\n", "types.csv:3", "node_type_id 1 is stated twice"),
        ("node_type_id a\nx 2\n", "types.csv:2", "must be an integer"),
        ("node_type_id a\nNULL 2\n", "types.csv:2", "must be an integer"),
        ("a b\n1 2\n", "types.csv:1", "no column node_type_id"),
        ("", "types.csv:1", "the file is empty"),
        ("node_type_id a a\n1 2 3\n", "types.csv:1", "named twice"),
        ('node_type_id a\n1 "2"3\n', "types.csv:2", "quot"),
        ('node_type_id a\n1 "2\n', "types.csv:2", "quot"),
    ],
)
def test_errors_name_the_line(text: str, where: str, says: str) -> None:
    with pytest.raises(ReadError, match=says) as caught:
        parse(text)
    assert caught.value.where == where


def test_missing_file(tmp_path: Path) -> None:
    from pynn_io.formats.sonata_csv import read_types

    with pytest.raises(ReadError, match=r"nope\.csv: no such file"):
        read_types(tmp_path / "nope.csv", "node_type_id")


def test_population_column_separates_id_spaces() -> None:
    table = parse_types("node_type_id population a\n1 x 5\n1 y 6\n2 NULL 7\n", HERE, "node_type_id")
    assert table.of_population("x").columns == {"node_type_id": [1, 2], "a": [5, 7]}
    assert table.of_population("y").columns == {"node_type_id": [1, 2], "a": [6, 7]}
    with pytest.raises(ReadError, match="stated twice"):
        parse("node_type_id population a\n1 x 5\n1 x 6\n")


CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=8)
TEXT = CELL.filter(lambda cell: cell not in MISSING and not _is_number(cell))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@given(st.lists(st.tuples(TEXT, st.integers(-(2**60), 2**60), st.floats(allow_nan=False)), max_size=6))
def test_reads_what_the_csv_module_writes(rows: list[tuple[str, int, float]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=" ", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(["node_type_id", "t", "i", "f"])
    for number, (text, whole, real) in enumerate(rows):
        writer.writerow([number, text, whole, real])
    table = parse(out.getvalue())
    assert table["t"] == [row[0] for row in rows]
    assert table["i"] == [row[1] for row in rows]
    assert table["f"] == [row[2] for row in rows]
