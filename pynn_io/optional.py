"""Packages that only some need, imported where they are used."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from pynn_io.errors import BackendUnavailable


def needed(module: str, what: str, extra: str) -> ModuleType:
    """The module ``what`` (``NIX files need`` ...) cannot do without.

    Raises BackendUnavailable, naming the extra of pynn_io to install, where it, or what it imports, is missing.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        hint = f"pip install 'pynn_io[{extra}]'"
        raise BackendUnavailable(f"{what} the package {error.name!r}", hint=hint) from error
