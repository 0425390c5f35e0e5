"""Text tables with a header: which lines are one, and what is wrong with the lines below."""

import numpy as np
import pytest

from pynn_io.errors import BadValues, ReadError
from pynn_io.results.columns import as_results, header_of, is_of_numbers, read_columns


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("line", "names", "units"),
    [
        ("time (ms),v (mV)", ("v",), ("mV",)),
        ("# t [s]\tp[0]/v [V]", ("p[0]/v",), ("V",)),
        ("T/ms;v/mV;i/nA", ("v", "i"), ("mV", "nA")),
        ('"time (ms)", "gate (1)"', ("gate",), ("",)),
        ("time (µs),v (mV)", None, None),  # no such unit of time here
        ("time,v (mV)", None, None),
        ("time (ms),v", None, None),
        ("time (ms),p[0]/v", None, None),  # a path, and no unit
        ("time (mV),v (mV)", None, None),
        ("timestamps (ms),gids", None, None),  # spikes
        ("v (mV),time (ms)", None, None),
        ("0.0,1.0", None, None),
        ("", None, None),
    ],
)
def test_headers(tmp_path, line, names, units):
    found = header_of(write(tmp_path / "a.csv", line))
    assert (found and found.names, found and found.units) == (names, units)


def test_a_picture_is_no_table(tmp_path):
    (tmp_path / "a.dat").write_bytes(b"\x89PNG,\xff\xfe")
    assert header_of(tmp_path / "a.dat") is None
    assert not is_of_numbers(tmp_path / "a.dat")
    assert header_of(tmp_path / "a.png") is None


@pytest.mark.parametrize(
    ("lines", "found"), [(["# c", "", "1 2"], True), (["1"], False), (["a b"], False), ([""], False)]
)
def test_numbers(tmp_path, lines, found):
    assert is_of_numbers(write(tmp_path / "a.dat", *lines)) is found


def test_recordings_of_cells_in_the_units_of_the_header(tmp_path):
    path = write(tmp_path / "a.csv", "t (s),p[3]/v (mV),q/0/iaf/v (mV),p[1]/v (mV)", "0,1,2,3", "0.001,4,5,6")
    one, two = as_results(read_columns(path)).traces
    assert (one.population, one.variable, one.unit, one.node_ids.tolist()) == ("p", "v", "mV", [3, 1])
    assert (one.data.tolist(), one.start, one.interval) == ([[1, 3], [4, 6]], 0.0, 1.0)
    assert (two.population, two.node_ids.tolist()) == ("q", [0])
    assert np.allclose(read_columns(path).in_si(), [[1e-3, 2e-3, 3e-3], [4e-3, 5e-3, 6e-3]])


@pytest.mark.parametrize(
    ("lines", "error", "words"),
    [
        (["time,v", "0,1"], ReadError, "no line says what its columns are"),
        (["time (ms),p[0]/v (mV)", "0,a"], ReadError, "not a table of numbers"),
        (["time (ms),p[0]/v (mV)", "0,1,2"], ReadError, "3 columns, and the first line names 2"),
        (["time (ms),p[0]/v (mV)", "0,1", "0,1"], BadValues, "do not ascend"),
        (["time (ms),p[0]/v (mV)", "0,1", "nan,1"], BadValues, "not finite"),
        (["time (ms),p[0]/v (mV)", "0,1"], ReadError, "two times at least"),
        (["time (ms),p[0]/v (mV)", "0,1", "1,1", "3,1"], ReadError, "not in equal steps"),
        (["time (ms),v (mV)", "0,1", "1,1"], ReadError, "name no cells"),
    ],
)
def test_broken_tables(tmp_path, lines, error, words):
    path = write(tmp_path / "a.csv", *lines)
    with pytest.raises(error, match=words) as caught:
        as_results(read_columns(path), path)
    assert caught.value.where == str(path)
