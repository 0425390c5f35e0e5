"""Backends of PyNN for tests: each in a child process, and PyNN's mechanisms for NEURON compiled before any test."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from pynn_io.document import Document

ROOT = Path(__file__).resolve().parents[2]
#: Seconds; PyNN compiles for a minute when pyNN.neuron is first imported.
PATIENCE = 900


def need(*packages: str) -> None:
    """Skip where PyNN or a simulator is not installed."""
    missing = [name for name in ("pyNN", *packages) if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed")


def environment() -> dict[str, str]:
    """With the programs of this Python on the path, where pyNN.neuron looks for nrnivmodl."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": programs, "PYTHONPATH": str(ROOT)}


def python(*arguments: str, cwd: Path | None = None) -> str:
    """What a child says; an assertion with its last lines where it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd or ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def compile_for_neuron() -> None:
    """PyNN compiles its mechanisms into its own folder when it is first imported: once, however many workers ask."""
    need("neuron")
    with (Path(tempfile.gettempdir()) / f"pynn_io-tests-{os.getuid()}-pynn-neuron.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        python("-c", "import pyNN.neuron")


def run_cases(module: str, cases: Mapping[str, Document], folder: Path) -> dict[str, Any]:
    """What `tests.runners.pynn_child` says of documents."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.pickle").write_bytes(cloudpickle.dumps(dict(cases)))
    python("-m", "tests.runners.pynn_child", module, str(folder))
    return pickle.loads((folder / "outcomes.pickle").read_bytes())
