"""NEURON's mechanisms for the tests of runners: whose they are."""

from __future__ import annotations

import importlib.util
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
