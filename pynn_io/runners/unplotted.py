"""Simulators imported without what they would draw with, which is most of the time that their import takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: What NEST and PyNN (by csa) import for drawing and for tables, where it is there, and do without, where it is not.
_PACKAGES = ("matplotlib", "pandas")


@contextmanager
def without_plotting() -> Iterator[None]:
    """Imports of these packages fail, as where they are not installed, unless they are loaded already."""
    hidden = [name for name in _PACKAGES if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
