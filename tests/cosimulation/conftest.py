"""Mechanisms for the tests of cable cells."""

from tests.runners.conftest import allen_mechanisms

__all__ = ["allen_mechanisms"]
