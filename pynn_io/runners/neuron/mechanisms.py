"""Mechanisms: which NEURON has, which the model needs, and the compiler between them.

Folders of ``.mod`` files are compiled once with nrnivmodl into a cache of the user, by content.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pynn_io.errors import BackendUnavailable, RunError
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.runners.base import Profile
from pynn_io.runners.neuron.lowered import CONDUCTANCE_NAMES, LoweredNeuron

#: Environment variable that moves the cache.
CACHE_VARIABLE = "PYNN_IO_CACHE"
#: Parameters of synapse files under other names than mechanisms give them, in the order in which they are tried.
_SYNONYMS = {"erev": ("e",), "tau_1": ("tau",), "tau1": ("tau",)}


class Names:
    """The mechanisms that NEURON has at this moment."""

    def __init__(self, h: Any) -> None:
        self.density = self._names(h.MechanismType(0))
        kinds = h.MechanismType(1)
        self.point = self._names(kinds)
        self._artificial = {name for number, name in enumerate(self.point) if kinds.is_artificial(number)}

    @staticmethod
    def _names(kinds: Any) -> list[str]:
        from neuron import h

        found = []
        for number in range(int(kinds.count())):
            kinds.select(number)
            text = h.ref("")
            kinds.selected(text)
            found.append(text[0])
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.density or name in self.point

    def artificial(self, name: str) -> bool:
        """Whether a point process stands for itself, in no section."""
        return name in self._artificial


def names_of(h: Any) -> Names:
    return Names(h)


@cache
def _variables(mechanism: str) -> frozenset[str]:
    """The parameters of a mechanism, as NEURON calls them (``gbar_Ih``; ``tau1`` of a point process)."""
    from neuron import h

    standard = h.MechanismStandard(mechanism, 0)
    text, found = h.ref(""), set()
    for number in range(int(standard.count())):
        standard.name(text, number)
        found.add(text[0])
    return frozenset(found)


def variable_of(mechanism: str, name: str) -> str | None:
    """What the mechanism calls a parameter; None if it has none like it."""
    variables = _variables(mechanism)
    return next((each for each in (name, *_SYNONYMS.get(name, ())) if each in variables), None)


def conductance_of(mechanism: str) -> str | None:
    """The range variable that is the mechanism's conductance density."""
    variables = _variables(mechanism)
    return next((full for name in CONDUCTANCE_NAMES if (full := f"{name}_{mechanism}") in variables), None)


def load(lowered: LoweredNeuron, profile: Profile, report: Report, progress: Progress) -> None:
    """Load what the network needs and NEURON does not have yet, from the network's folders and the profile's.

    Raises RunError naming mechanisms that are nowhere, with the cells that need them, and with the compiler's message
    where one does not compile.
    """
    from neuron import h

    if all(name in names_of(h) for name in lowered.needs):
        return
    sources = mod_files([*profile.mechanisms, *lowered.mechanism_folders])
    if sources:
        h.nrn_load_dll(str(compiled(sources, progress)))
        _variables.cache_clear()
    present = names_of(h)
    missing = {name: who for name, who in lowered.needs.items() if name not in present}
    if missing:
        _refuse(missing, lowered, profile)


def _refuse(missing: dict[str, tuple[str, ...]], lowered: LoweredNeuron, profile: Profile) -> None:
    lines = [f"{name}: needed by {', '.join(who[:5])}{' ...' if len(who) > 5 else ''}" for name, who in missing.items()]
    looked = ", ".join(map(str, [*profile.mechanisms, *lowered.mechanism_folders])) or "no folder was named"
    raise RunError(
        "NEURON does not have the mechanisms " + "; ".join(lines),
        hint=f"looked in: {looked}; name the folder of their .mod files with --mechanisms DIR",
    )


def mod_files(folders: Iterable[Path]) -> list[Path]:
    """The ``.mod`` files of folders and of their ``modfiles``; of two of one name the first stands."""
    found: dict[str, Path] = {}
    for folder in folders:
        for place in (folder, folder / "modfiles"):
            if place.is_dir():
                for path in sorted(place.glob("*.mod")):
                    found.setdefault(path.name, path)
    return list(found.values())


def cache_folder() -> Path:
    """Where compiled mechanisms are kept: $PYNN_IO_CACHE, else the user's cache folder of this platform."""
    stated = os.environ.get(CACHE_VARIABLE)
    if stated:
        return Path(stated)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "pynn_io"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pynn_io"


def compiled(sources: Sequence[Path], progress: Progress, options: Sequence[str] = ()) -> Path:
    """The library of some ``.mod`` files: from the cache, or compiled now, which takes a while.

    options: of nrnivmodl (``-coreneuron``). Processes that compile the same at one time each do it in a folder of
    their own; the first that is ready stays. Raises RunError with the compiler's message.
    """
    home = cache_folder() / "mechanisms" / _key(sources, options)
    library = _library(home)
    if library is not None:
        return library
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="building-") as name:
        build = Path(name) / "build"
        (build / "mod").mkdir(parents=True)
        for path in sources:
            shutil.copyfile(path, build / "mod" / path.name)
        progress("compiling mechanisms", 0, len(sources))
        _compile(build, options)
        progress("compiling mechanisms", len(sources), len(sources))
        try:
            build.rename(home)
        except OSError:  # another process was faster
            if _library(home) is None:
                raise
    library = _library(home)
    if library is None:
        raise RunError("nrnivmodl made no library", where=home)
    return library


def _key(sources: Sequence[Path], options: Sequence[str]) -> str:
    """A name that changes with every file's content and name, NEURON's version and the options."""
    from neuron import h

    digest = hashlib.sha256("\0".join([h.nrnversion(0), sys.platform, *options]).encode())
    for path in sorted(sources, key=lambda path: path.name):
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:32]


def _library(home: Path) -> Path | None:
    return next(iter(sorted(home.glob("*/libnrnmech.*"))), None) or next(iter(sorted(home.rglob("libnrnmech.*"))), None)


def _compile(build: Path, options: Sequence[str]) -> None:
    beside = Path(sys.executable).with_name("nrnivmodl")
    command = str(beside) if beside.is_file() else shutil.which("nrnivmodl")
    if command is None:
        raise BackendUnavailable("nrnivmodl, NEURON's compiler of mechanisms, is not there", hint="reinstall NEURON")
    done = subprocess.run([command, *options, "mod"], cwd=build, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise RunError("the mechanisms do not compile:\n" + "\n".join(f"| {line}" for line in lines[-30:]))
