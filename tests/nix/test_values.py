"""The mapping layer and the names of NIX files: everything comes back as it was, types included."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import nixio
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pynn_io.errors import ReadError, WriteError
from pynn_io.formats.nix import decode_name, encode_name, new_nix, nix_unit, open_nix, symbol_of
from pynn_io.formats.nix_values import read_mapping, write_mapping
from pynn_io.formats.tagged_json import Codec
from pynn_io.units import UNITS
from tests.nix.equality import differences

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.one_of(TEXT, st.sampled_from(["", ".", "..", "L2/3E", "a%2Fb", "%", "%order", "/", "a\0b", "é", "%mask"]))
DTYPES = st.sampled_from(["?", "i1", "<i2", "<i4", "<i8", "u1", "<u8", "<f4", "<f8", ">f8"])
ARRAYS = DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, min_side=0, max_side=3)))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    TEXT,
    st.binary(max_size=5),
    DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, 1)).map(lambda array: array[0]),
    ARRAYS,
    st.just(PurePosixPath("cells/a b.swc")),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(NAMES, inner, max_size=3),
        st.dictionaries(st.one_of(st.integers(), st.tuples(TEXT, TEXT)), inner, max_size=2),
    ),
    max_leaves=8,
)


def there_and_back(path: Path, values: dict[str, Any], units: dict[str, str] | None = None) -> dict[str, Any]:
    path.unlink(missing_ok=True)
    with new_nix(path) as file:
        write_mapping(file.create_section("parameters", "test"), values, units)
    with open_nix(path) as file:
        return read_mapping(file.sections["parameters"], path)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_any_mapping_survives(tmp_path: Path, values: dict[str, Any]) -> None:
    assert differences(values, there_and_back(tmp_path / "a.nix", values)) == []


@given(VALUES)
def test_any_value_survives_as_json(value: Any) -> None:
    assert differences(value, Codec().value(Codec().text(value))) == []


@given(NAMES)
def test_any_name_survives(name: str) -> None:
    encoded = encode_name(name)
    assert decode_name(encoded) == name
    assert encoded and "/" not in encoded and "\0" not in encoded


def test_names_that_nixio_would_take_for_ids_or_paths() -> None:
    assert encode_name("L2/3E") == "L2%2F3E"
    assert encode_name("..") == "%2E."
    assert encode_name("12345678123456781234567812345678") == "%312345678123456781234567812345678"
    with pytest.raises(WriteError, match="cannot be written"):
        encode_name("\ud800")


def test_what_a_property_can_hold_is_one_for_everyone(tmp_path: Path) -> None:
    """Others see plain properties with units, and nothing of ours but the definition."""
    path = tmp_path / "a.nix"
    values = {"tau_m": 15.0, "kind": "e", "n": 3, "on": False, "spikes": [1.0], "nested": {"a": 1}, "none": None}
    assert there_and_back(path, values, {"tau_m": "ms"}) == values
    file = nixio.File.open(str(path), nixio.FileMode.ReadOnly)
    section = file.sections["parameters"]
    assert [entry.name for entry in section.props][:5] == ["tau_m", "kind", "n", "on", "spikes"]
    assert section.props["tau_m"].values == (15.0,) and section.props["tau_m"].unit == "ms"
    assert section.props["spikes"].definition == "list"
    assert section.props["none"].values == ("null",) and section.props["none"].definition == "json"
    assert section.sections["nested"].props["a"].values == (1,)
    file.close()


@pytest.mark.parametrize("value", [{1, 2}, 1 + 2j, object, np.array([1j]), [{1}]])
def test_a_value_of_no_known_kind_is_refused_by_name(tmp_path: Path, value: Any) -> None:
    with pytest.raises(WriteError, match="'tau_m'"):
        there_and_back(tmp_path / "a.nix", {"tau_m": value})


@pytest.mark.parametrize(
    ("content", "definition"),
    [
        ("{", "json"),
        ('{"%what": 1}', "json"),
        ('{"%bytes": "?"}', "json"),
        ('{"%array": ["<f8", [2, 2], [1]]}', "json"),
        ('{"%scalar": ["nonsense", 1]}', "json"),
        ("[" * 100_000, "json"),
        ("a", "array <f8"),
        ("a", "array nonsense"),
        ("a", "whatever"),
    ],
)
def test_properties_that_we_did_not_write_are_named(tmp_path: Path, content: str, definition: str) -> None:
    path = tmp_path / "a.nix"
    with new_nix(path) as file:
        file.create_section("cells", "t").create_property("tau_m", [content]).definition = definition
    with open_nix(path) as file, pytest.raises(ReadError) as caught:
        read_mapping(file.sections["cells"], path)
    assert caught.value.where == f"{path}/cells/tau_m"


def test_units_are_spelled_as_nixio_knows_them_and_come_back() -> None:
    assert {symbol_of(nix_unit(symbol)) for symbol in UNITS} == set(UNITS)
    assert nix_unit("mS_per_cm2") == "mS/cm^2"
    assert nix_unit("Mohm") == "MOhm"
    assert nix_unit("ohm_cm") == "Ohm*cm"
    known = [symbol for symbol in ("ms", "mV", "nA", "um", "uF_per_cm2", "mS_per_cm2") if symbol]
    assert all(nixio.util.units.is_si(nix_unit(symbol)) for symbol in known)
