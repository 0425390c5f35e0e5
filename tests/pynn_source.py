"""PyNN's own source distribution, for its examples and system scenarios, which its wheel does not carry.

Nothing of it is copied into this project: it is fetched once by the ordinary client of the package index, unpacked into
a folder of the user's temporary files, and what is there is used again.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

#: The release whose examples and scenarios the tests name.
PYNN = "0.13.0"


def pynn_source() -> Path:
    """The unpacked source distribution: ``examples/``, ``test/system/scenarios/`` ...

    Skips the test that asks for it, with the reason, where PyNN is another release or cannot be fetched.
    """
    folder, reason = _unpacked()
    if folder is None:
        pytest.skip(reason)
    return folder


@cache
def _unpacked() -> tuple[Path | None, str]:
    try:
        if version("PyNN") != PYNN:
            return None, f"the tests name the examples of PyNN {PYNN}, and {version('PyNN')} is installed"
    except PackageNotFoundError:
        return None, "PyNN is not installed"
    home = Path(tempfile.gettempdir()) / f"pynn_io-tests-{_user()}"
    folder = home / f"pynn-{PYNN}"
    if folder.is_dir():
        return folder, ""
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as scratch:
        reason = _download(Path(scratch))
        if reason:
            return None, reason
        archive = next(Path(scratch).glob("*.tar.gz"))
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        try:
            next(path for path in Path(scratch).iterdir() if path.is_dir()).rename(folder)
        except OSError:  # another worker of this run was faster
            if not folder.is_dir():
                raise
    return folder, ""


def _user() -> str:
    """Two users of one machine do not share the folder."""
    return Path.home().name or "user"


def _download(scratch: Path) -> str:
    """Fetch the archive; gives the reason where that fails."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", ":all:", f"PyNN=={PYNN}", "--dest", str(scratch)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return f"the source distribution of PyNN {PYNN} was not fetched within five minutes"
    if not list(scratch.glob("*.tar.gz")):
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        return f"the source distribution of PyNN {PYNN} cannot be fetched: {last[0]}"
    return ""
