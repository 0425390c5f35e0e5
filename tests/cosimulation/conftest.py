"""Mechanisms for the tests of cable cells, and the cache that they are compiled into."""

from tests.runners.conftest import allen_mechanisms, mechanism_cache

__all__ = ["allen_mechanisms", "mechanism_cache"]
