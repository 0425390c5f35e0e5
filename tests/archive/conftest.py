"""Fake backends for the processes of runs."""

from tests.commands.conftest import fakes

__all__ = ["fakes"]
