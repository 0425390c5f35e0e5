"""Brian2 itself: which code it writes (``engine``), where compiled code is kept, and its errors as ours."""

from __future__ import annotations

import logging
import os
import shutil
from typing import Any

from pynn_io.errors import BackendUnavailable, RunError
from pynn_io.runners.base import Profile
from pynn_io.runners.cache import cache_folder

#: What writes the code of a step: numpy's arrays, compiled Python, or one C++ program of the whole run.
ENGINES = ("numpy", "cython", "cpp_standalone")
#: Of Python's own build tools and of make.
_COMPILERS = ("c++", "g++", "clang++", "cl")


def chosen(profile: Profile) -> str:
    """The engine that is asked for; else cython where there is a compiler, and numpy where there is none.

    Raises RunError for an unknown one, BackendUnavailable where it needs a compiler, or threads that it does not have.
    """
    compiler = os.environ.get("CXX") or next((name for name in _COMPILERS if shutil.which(name)), "")
    engine = str(profile.options.get("engine") or ("cython" if compiler else "numpy"))
    if engine not in ENGINES:
        raise RunError(f"unknown engine {engine!r}", hint=f"engines of Brian2: {', '.join(ENGINES)}")
    if engine != "numpy" and not compiler:
        raise BackendUnavailable(f"the engine {engine} needs a C++ compiler", hint="install one, or --engine numpy")
    if profile.threads > 1 and engine != "cpp_standalone":
        raise BackendUnavailable(f"the engine {engine} has one thread", hint="--engine cpp_standalone has more")
    return engine


def load(profile: Profile) -> tuple[Any, str]:
    """The module ``brian2``, quiet and set to an engine, and that engine's name. Raises as `chosen` does."""
    engine = chosen(profile)
    try:
        import brian2
    except ImportError as error:
        hint = "pip install 'pynn_io[brian2]'"
        raise BackendUnavailable(f"Brian2 cannot be imported ({error})", hint=hint) from error
    except AttributeError as error:  # numpy 2.4 has taken away what Brian2 2.9 subclasses
        hint = "pip install 'pynn_io[brian2]'"
        raise BackendUnavailable(f"Brian2 does not work with this numpy ({error})", hint=hint) from error
    logging.getLogger("brian2").setLevel(logging.ERROR)
    brian2.BrianLogger.log_level_error()
    if engine == "cpp_standalone":
        brian2.prefs.devices.cpp_standalone.openmp_threads = profile.threads if profile.threads > 1 else 0
        folder = None if profile.work is None else str(profile.work / "brian2")
        brian2.set_device("cpp_standalone", directory=folder, build_on_run=False)
        return brian2, engine
    brian2.prefs.codegen.target = engine
    brian2.prefs.codegen.runtime.cython.cache_dir = str(cache_folder() / "brian2")
    brian2.prefs.codegen.runtime.cython.multiprocess_safe = True
    return brian2, engine


class errors:
    """Brian2's errors as ours: ``with errors("simulating", SimulationFailed): ...``"""

    def __init__(self, doing: str, kind: type[RunError] = RunError) -> None:
        self._doing, self._kind = doing, kind

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        from brian2.core.base import BrianObjectException

        if isinstance(error, BrianObjectException):
            cause = error.__cause__
            said = f"{error}: {cause}" if cause is not None else str(error)
            raise self._kind(f"Brian2 refused while {self._doing}: {said}") from error
