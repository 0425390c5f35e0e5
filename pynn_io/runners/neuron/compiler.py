"""``.mod`` files to a library, once: nrnivmodl into a cache of the user, by content and NEURON's version."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pynn_io.errors import BackendUnavailable, RunError
from pynn_io.progress import Progress
from pynn_io.runners.cache import CACHE_VARIABLE, cache_folder, ended_by_exception, indexed

#: Files beside the mechanisms that these may include.
_INCLUDED = ("*.inc", "*.h")
#: Lines of the compiler's output that are kept around its first error.
_BEFORE, _AFTER = 3, 8
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
#: What nrnivmodl makes of one ``.mod`` file, the older first: make goes by their times.
_MADE = (".cpp", ".o")


def compiled(sources: Sequence[Path], progress: Progress, options: Sequence[str] = ()) -> Path:
    """The library of some ``.mod`` files: from the cache, or compiled now, which takes a while.

    options: of nrnivmodl (``-coreneuron``). Processes that compile the same at one time each do it in a folder of
    their own; the first that is ready stays. Raises RunError with the compiler's message, or where the cache cannot be
    written, and BackendUnavailable without nrnivmodl.
    """
    home = cache_folder() / "mechanisms" / _key(sources, options)
    library = _library(home)
    if library is not None:
        return library
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with ended_by_exception(), tempfile.TemporaryDirectory(dir=home.parent, prefix="building-") as name:
            _build(Path(name) / "build", home, sources, progress, options)
    except OSError as error:
        hint = f"name another folder for the cache in the environment variable {CACHE_VARIABLE}"
        raise RunError(f"cannot compile mechanisms: {error.strerror or error}", where=home.parent, hint=hint) from error
    library = _library(home)
    if library is None:
        raise RunError("nrnivmodl made no library", where=home)
    return library


def libraries(texts: Mapping[str, str], progress: Progress) -> tuple[Path, ...]:
    """Libraries that hold generated mechanisms (name -> text), every one in one of them; those not there are compiled.

    See `pynn_io.runners.cache.indexed`. Raises as `compiled` does.
    """

    def compiled_texts(missing: Mapping[str, str]) -> Path:
        with tempfile.TemporaryDirectory(prefix="pynn_io-mod-") as folder:
            files = [Path(folder) / f"{name}.mod" for name in sorted(missing)]
            for path in files:
                path.write_text(missing[path.stem], encoding="utf-8")
            return compiled(files, progress)

    return indexed(texts, cache_folder() / "mechanisms" / f"index-{_key((), ())}", compiled_texts)


def _build(build: Path, home: Path, sources: Sequence[Path], progress: Progress, options: Sequence[str]) -> None:
    """Compile in ``build``, then move it to ``home``."""
    (build / "mod").mkdir(parents=True)
    for path in (*sources, *_beside(sources)):
        shutil.copyfile(path, build / "mod" / path.name)
    progress("compiling mechanisms", 0, len(sources))
    if options:
        _compile(build, sources, options)
    else:
        _reuse(build, sources)
        _compile(build, sources, options)
        _keep(build, sources)
    progress("compiling mechanisms", len(sources), len(sources))
    try:
        build.rename(home)
    except OSError:
        if _library(home) is None:  # else another process was faster
            raise


def _reuse(build: Path, sources: Sequence[Path]) -> None:
    """Put what other libraries compiled of these files where nrnivmodl finds it: it compiles the others only."""
    place = build / platform.machine()
    place.mkdir()
    for source in sources:
        kept = _kept(source)
        if (kept / f"{source.stem}.o").is_file():
            for suffix in _MADE:
                shutil.copyfile(kept / f"{source.stem}{suffix}", place / f"{source.stem}{suffix}")


def _keep(build: Path, sources: Sequence[Path]) -> None:
    """Keep what was compiled of each file for libraries to come. The object comes last: with it, all is there."""
    for source in sources:
        kept = _kept(source)
        kept.mkdir(parents=True, exist_ok=True)
        for suffix in _MADE:
            made = build / platform.machine() / f"{source.stem}{suffix}"
            if made.is_file() and not (kept / made.name).is_file():
                staged = kept / f"{made.name}.{os.getpid()}.part"
                shutil.copyfile(made, staged)
                staged.replace(kept / made.name)


def _kept(source: Path) -> Path:
    """The folder of what was compiled of one file, which depends on what a library of it alone would depend on."""
    return cache_folder() / "objects" / _key((source,), ())


def _key(sources: Sequence[Path], options: Sequence[str]) -> str:
    """A name that changes with every file's content and name, NEURON's version, the machine and the options.

    What the mechanisms may include counts too: the same ``.mod`` file with another ``.inc`` is another mechanism.
    """
    from neuron import h

    digest = hashlib.sha256("\0".join([h.nrnversion(), platform.machine(), sys.platform, *options]).encode())
    for path in sorted((*sources, *_beside(sources)), key=lambda path: (path.name, path)):
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:32]


def _beside(sources: Sequence[Path]) -> tuple[Path, ...]:
    """Files that the sources may include, folder by folder."""
    folders = dict.fromkeys(path.parent for path in sources)
    return tuple(found for folder in folders for pattern in _INCLUDED for found in sorted(folder.glob(pattern)))


def _library(home: Path) -> Path | None:
    """The library in a folder of the cache."""
    return next(iter(sorted(home.rglob("libnrnmech.*"))), None)


def _compile(build: Path, sources: Sequence[Path], options: Sequence[str]) -> None:
    beside = Path(sys.executable).with_name("nrnivmodl")
    command = str(beside) if beside.is_file() else shutil.which("nrnivmodl")
    if command is None:
        raise BackendUnavailable("nrnivmodl, NEURON's compiler of mechanisms, is not there", hint="reinstall NEURON")
    done = subprocess.run([command, *options, "mod"], cwd=build, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = _first_error(done.stdout + done.stderr)
        folders = ", ".join(dict.fromkeys(str(path.parent) for path in sources))
        raise RunError("the mechanisms do not compile:\n" + "\n".join(f"| {line}" for line in lines), where=folders)


def _first_error(output: str) -> list[str]:
    """The part of the compiler's output that says what is wrong: around its first error, file and line included."""
    said, _, _ = _COLOURS.sub("", output).partition(
        "Traceback (most recent call last)"
    )  # of nrnivmodl itself, in Python
    lines = [line for line in said.splitlines() if line.strip()]
    # not "errors": nrnivmodl prints a note on compilation errors whatever happens
    errors = [number for number, line in enumerate(lines) if re.search(r"\berror\b", line, re.IGNORECASE)]
    first = errors[0] if errors else len(lines)
    return lines[max(first - _BEFORE, 0) : first + _AFTER]
