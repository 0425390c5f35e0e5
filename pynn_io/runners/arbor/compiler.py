"""Generated mechanisms to a catalogue, once: arbor-build-catalogue into the cache of the user."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pynn_io.errors import BackendUnavailable, RunError
from pynn_io.progress import Progress
from pynn_io.runners.cache import CACHE_VARIABLE, cache_folder, ended_by_exception, indexed

#: What the wheel's script calls besides what is in the wheel.
_TOOLS = ("cmake", "make", "c++")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
#: Lines of the compiler's output that are shown.
_SHOWN = 12


def catalogues(texts: Mapping[str, str], arbor: Any, progress: Progress) -> tuple[Path, ...]:
    """Catalogues that hold generated mechanisms (name -> text); those not in the cache are compiled.

    Raises BackendUnavailable without a compiler, RunError with its message or where the cache cannot be written.
    """
    home = cache_folder() / "arbor"

    def compiled(missing: Mapping[str, str]) -> Path:
        progress("compiling mechanisms", 0, len(missing))
        name = f"pynn_io_{_key(arbor, *sorted(missing))}"
        try:
            home.mkdir(parents=True, exist_ok=True)
            with ended_by_exception(), tempfile.TemporaryDirectory(dir=home, prefix="building-") as folder:
                made = _build(name, missing, Path(folder), arbor)
                made.replace(home / made.name)
        except OSError as error:
            hint = f"name another folder for the cache in the environment variable {CACHE_VARIABLE}"
            raise RunError(f"cannot compile mechanisms: {error.strerror or error}", where=home, hint=hint) from error
        progress("compiling mechanisms", len(missing), len(missing))
        return home / made.name

    return indexed(texts, home / f"index-{_key(arbor)}", compiled) if texts else ()


def _key(arbor: Any, *names: str) -> str:
    """A name that changes with those of the mechanisms (and so with their texts), Arbor's version and the machine."""
    parts = (arbor.__version__, str(arbor.config()["arch"]), platform.machine(), sys.platform, *names)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _build(name: str, texts: Mapping[str, str], folder: Path, arbor: Any) -> Path:
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        message = f"mechanisms for Arbor are compiled with {', '.join(_TOOLS)}; not there: {', '.join(missing)}"
        raise BackendUnavailable(message, hint="install CMake, make and a C++20 compiler")
    (folder / "mod").mkdir()
    for own, text in texts.items():
        (folder / "mod" / f"{own}.mod").write_text(text, encoding="utf-8")
    script = Path(arbor.__file__).parent / "bin" / "arbor-build-catalogue"
    command = [sys.executable, str(script), name, "mod", "--cxx", str(shutil.which("c++"))]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    made = folder / f"{name}-catalogue.so"
    if done.returncode or not made.is_file():
        said = _COLOURS.sub("", done.stdout + done.stderr).splitlines()
        lines = [line for line in said if "error" in line.lower()] or said[-_SHOWN:]
        raise RunError("the mechanisms do not compile:\n" + "\n".join(f"| {line}" for line in lines[:_SHOWN]))
    return made
