"""Simulators are imported without what they would draw with, and nobody else is."""

from __future__ import annotations

import sys

import pytest

from pynn_io.runners.unplotted import without_plotting


def test_what_is_not_loaded_is_not_there_and_what_is_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", pytest)
    with pytest.raises(RuntimeError, match="of the simulator"), without_plotting():
        import matplotlib

        assert matplotlib is pytest
        with pytest.raises(ImportError):
            import pandas  # noqa: F401
        raise RuntimeError("of the simulator")
    assert "pandas" not in sys.modules
    assert sys.modules["matplotlib"] is pytest
