"""Pictures of results that there are not: they do not take the place of those of an earlier run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from pynn_io.importers.pynn_capture.simulator import state

_MODULE = "matplotlib.figure"


class _Finder(MetaPathFinder):
    """Finds matplotlib's figures when a script imports them, which few scripts do and takes longer than most."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname == _MODULE else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_guard(module: ModuleType) -> None:
            execute(module)
            _guard(module)

        spec.loader.exec_module = execute_and_guard  # type: ignore[method-assign]
        return spec


def _guard(module: ModuleType) -> None:
    def savefig(*_: Any, **__: Any) -> None:
        state.session.note("savefig")

    module.Figure.savefig = savefig  # type: ignore[attr-defined]


def guard() -> None:
    """Guard matplotlib's figures in this process, which may have imported them already."""
    if _MODULE in sys.modules:
        _guard(sys.modules[_MODULE])
    else:
        sys.meta_path.insert(0, _Finder())
