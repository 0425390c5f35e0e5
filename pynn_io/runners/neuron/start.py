"""NEURON's start in this process, alone or as one of several MPI ranks."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from typing import Any

from pynn_io.errors import BackendUnavailable


def interpreter() -> Any:
    """NEURON's interpreter, without a window, and without the mechanisms that happen to lie in the working folder.

    NEURON loads ``<machine>/libnrnmech.so`` of the folder in which it is first imported, unasked.
    Raises BackendUnavailable without NEURON.
    """
    if "neuron" not in sys.modules:
        os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
        with tempfile.TemporaryDirectory() as empty, contextlib.chdir(empty):
            return _import()
    return _import()


def _import() -> Any:
    try:
        from neuron import h
    except ImportError as error:
        raise BackendUnavailable("NEURON is not installed", hint="pip install 'pynn_io[neuron]'") from error
    return h


def join() -> tuple[int, int]:
    """Start MPI; this process's rank, and how many there are. Without an MPI library that is 0 of 1."""
    h = interpreter()
    h.nrnmpi_init()
    context = h.ParallelContext()
    return int(context.id()), int(context.nhost())


def leave() -> None:
    """Wait for the other ranks, end MPI, and with it the process."""
    h = interpreter()
    h.ParallelContext().barrier()
    h.quit()
