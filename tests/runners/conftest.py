"""NEURON's mechanisms for the tests of runners: whose they are, and one cache of compiled ones for all workers."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def allen_mechanisms() -> Path:
    """The ``.mod`` files that BMTK ships as package data."""
    pytest.importorskip("neuron", reason="NEURON is not installed")
    spec = importlib.util.find_spec("bmtk")
    if spec is None or spec.origin is None:
        pytest.skip("BMTK, whose mechanisms are used, is not installed")
    return Path(spec.origin).parent / "utils/scripts/bionet/mechanisms/modfiles"


@pytest.fixture(scope="session", autouse=True)
def mechanism_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that lasts for the test session; child processes inherit it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "mechanism_cache"
    os.environ["PYNN_IO_CACHE"] = str(folder)
    return folder
