"""Columnar arrays of NIX files, and files that are none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import h5py
import nixio
import numpy as np
import pytest

from pynn_io.errors import BackendUnavailable, ReadError, WriteError
from pynn_io.formats.nix import ArrayWriter, array_rows, new_nix, open_nix, read_array, read_levels, write_array


def written(path: Path, data: np.ndarray, blocks: int = 3, **place: Any) -> Path:
    with new_nix(path) as file:
        block = file.create_block("network", "test")
        writer = ArrayWriter(block, "x", data.dtype, data.shape, kind="test", **place)
        for part in np.array_split(data, blocks) if not np.ma.isMaskedArray(data) else (data[:2], data[2:]):
            writer.append(part)
    return path


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "<i4", "<u8", "<i8", "<f2", "<f4", "<f8", ">f8"])
@pytest.mark.parametrize("shape", [(7,), (4, 2), (0,)])
def test_arrays_of_every_dtype(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    data = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    if dtype == "<u8" and data.size:
        data[0] = 2**64 - 1
    path = written(tmp_path / "a.nix", data)
    with open_nix(path) as file:
        again = read_array(path, file.blocks["network"], "x")
    assert again.dtype == data.dtype and again.shape == data.shape
    np.testing.assert_array_equal(again, data)


def test_masked_rows_have_a_companion(tmp_path: Path) -> None:
    data = np.ma.array([1.0, 2.0, 3.0, 4.0], mask=[False, False, True, False])
    path = written(tmp_path / "a.nix", data)
    with open_nix(path) as file:
        rows = array_rows(path, file.blocks["network"], "x")
    with rows.open() as read:
        assert not np.ma.isMaskedArray(read(0, 2))
        assert read(0, 4).tolist() == [1.0, 2.0, None, 4.0]
    other = nixio.File.open(str(path), nixio.FileMode.ReadOnly)
    assert [array.name for array in other.blocks["network"].data_arrays] == ["x", "x%mask"]
    other.close()


def test_strings(tmp_path: Path) -> None:
    text = np.ma.array(np.array(["a", "", None, "ü µm"], dtype=object), mask=[False, False, True, False])
    path = written(tmp_path / "a.nix", text)
    with open_nix(path) as file:
        assert read_array(path, file.blocks["network"], "x").tolist() == ["a", "", None, "ü µm"]


def test_levels(tmp_path: Path) -> None:
    with new_nix(tmp_path / "a.nix") as file:
        block = file.create_block("network", "test")
        writer = ArrayWriter(block, "x", np.int64, (2,), kind="test")
        writer.append(np.array([0, 1]))
        writer.levels(("", "L2/3"))
        write_array(block, "y", np.array([1.0]), kind="test", unit="uF_per_cm2", label="a/b")
    with open_nix(tmp_path / "a.nix") as file:
        block = file.blocks["network"]
        assert read_levels(tmp_path / "a.nix", block, "x") == ("", "L2/3")
        assert read_levels(tmp_path / "a.nix", block, "y") is None
        assert (block.data_arrays["y"].unit, block.data_arrays["y"].label) == ("uF/cm^2", "a/b")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.array([1j]), "complex128"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "datetime64"),
        (np.array(["a\0b"], dtype=object), "no HDF5 file can hold"),
        (np.array(["\ud800"], dtype=object), "no HDF5 file can hold"),
        (np.array([3], dtype=object), "holds 3 among its strings"),
    ],
)
def test_what_no_array_can_hold_is_refused_by_name(tmp_path: Path, data: np.ndarray, message: str) -> None:
    with pytest.raises(WriteError, match=message) as caught:
        written(tmp_path / "a.nix", data, label="tuning")
    assert "'tuning'" in caught.value.message or "tuning" in caught.value.message


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nix", np.arange(3))
    with pytest.raises(WriteError, match="exists already"):
        written(path, np.arange(3))


@pytest.mark.parametrize("content", [b"", b"no HDF5", None])
def test_foreign_files(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.nix"
    if content is None:
        with h5py.File(path, "w") as other:
            other["nodes"] = [1, 2]
    else:
        path.write_bytes(content)
    with pytest.raises(ReadError, match="not a readable NIX file") as caught, open_nix(path):
        pass
    assert caught.value.where == str(path)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no such file"), open_nix(tmp_path / "a.nix"):
        pass


def test_missing_and_damaged_arrays_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nix", np.ma.array([1.0, 2.0, 3.0], mask=[False, False, True]))
    with open_nix(path) as file, pytest.raises(ReadError) as caught:
        array_rows(path, file.blocks["network"], "z")
    assert caught.value.where == f"{path}:/data/network/data_arrays"
    with h5py.File(path, "r+") as other:
        mask = other["data/network/data_arrays/x%mask"]
        del mask["data"]
        mask["data"] = np.zeros(2, dtype=bool)
    with open_nix(path) as file, pytest.raises(ReadError, match="same shape") as caught:
        array_rows(path, file.blocks["network"], "x")
    assert caught.value.where == f"{path}:/data/network/data_arrays/x%mask/data"
    with h5py.File(path, "r+") as other:
        del other["data/network/data_arrays/x/data"]
    with open_nix(path) as file, pytest.raises(ReadError) as caught:
        array_rows(path, file.blocks["network"], "x")
    assert caught.value.where.startswith(f"{path}:/data/network/data_arrays/x")


def test_truncated_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nix", np.arange(100_000))
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(ReadError), open_nix(path):
        pass


def test_without_nixio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nixio", None)
    with pytest.raises(BackendUnavailable, match="nixio") as caught, new_nix(tmp_path / "a.nix"):
        pass
    assert caught.value.hint == "pip install 'pynn_io[nix]'"


def test_files_are_valid_for_nixio(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nix", np.ma.array(np.ones((3, 2)), mask=[[0, 0], [1, 1], [0, 0]]), unit="mS_per_cm2")
    file = nixio.File.open(str(path), nixio.FileMode.ReadOnly)
    assert file.validate() == {"errors": {}, "warnings": {}}
    file.close()
