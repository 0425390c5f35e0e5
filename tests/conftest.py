"""Shared by all tests: where the real data is, and the tiny networks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# how long an example takes depends on what else the machine does, and decides nothing
settings.register_profile("pynn_io", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pynn_io")

ROOT = Path(__file__).resolve().parents[1]
DATA = (ROOT / ".." / "shared" / "data").resolve()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real circuits and references; a test that needs it is skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip("the real circuits of ../shared/data are not on this machine")
    return DATA
