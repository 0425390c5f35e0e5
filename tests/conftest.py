"""Shared by all tests: where real data and mechanisms are, and one cache of compiled code for all workers."""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# libNeuroML's library for HDF5 crashes if it is loaded after NEST, which lets all later libraries share their symbols
with suppress(ImportError):
    import tables  # noqa: F401

# how long an example takes depends on what else the machine does, and decides nothing
settings.register_profile("pynn_io", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pynn_io")

# Some machines keep no bytecode, and each of the thousands of processes that tests start would compile all of pynn_io.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

ROOT = Path(__file__).resolve().parents[1]
DATA = (ROOT / ".." / "shared" / "data").resolve()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real circuits and references; a test that needs it is skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip("the real circuits of ../shared/data are not on this machine")
    return DATA


@pytest.fixture(scope="session", autouse=True)
def compiled_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What simulators compile is kept for the test session, or where the variable says; child processes inherit it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "compiled"
    os.environ.setdefault("PYNN_IO_CACHE", str(folder))
    return Path(os.environ["PYNN_IO_CACHE"])


@pytest.fixture(scope="session")
def allen_mechanisms() -> Path:
    """The ``.mod`` files that BMTK ships as package data."""
    pytest.importorskip("neuron", reason="NEURON is not installed")
    spec = importlib.util.find_spec("bmtk")
    if spec is None or spec.origin is None:
        pytest.skip("BMTK, whose mechanisms are used, is not installed")
    return Path(spec.origin).parent / "utils/scripts/bionet/mechanisms/modfiles"
