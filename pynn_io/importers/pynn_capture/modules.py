"""The recording backend under the names of PyNN's backends, for every way of importing one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pyNN.utility
from pyNN.random import NumpyRNG
from pyNN.utility import script_tools

from pynn_io.importers import pynn_capture
from pynn_io.importers.pynn_capture import native, old_calls, on_spinnaker, pictures, simulator
from pynn_io.importers.pynn_capture.offered import OFFERED

#: The backend that a script is told to use where it asks for a name and none was given.
DEFAULT = "nest"
#: PyNN's own backends of today and of former releases, and those of other packages, by the module that scripts import.
BACKENDS = (
    *("pyNN.nest", "pyNN.neuron", "pyNN.brian2", "pyNN.brian", "pyNN.arbor", "pyNN.mock", "pyNN.neuroml"),
    *("pyNN.spiNNaker", "pyNN.hardware", "pyNN.hardware.brainscales", "pyNN.pcsim", "pyNN.moose", "pyNN.nemo"),
    *("spynnaker.pyNN", "spynnaker8", "spynnaker7.pyNN", "pynn_genn", "pynn_brainscales.brainscales2"),
)
#: Packages of others that hold their backend as a module.
_PARENTS = ("spynnaker", "spynnaker7", "pynn_brainscales")
#: Modules that a backend has beside what it offers itself; they offer the same here.
_PARTS = (
    *("standardmodels", "standardmodels.cells", "standardmodels.synapses", "standardmodels.electrodes"),
    *("standardmodels.receptors", "standardmodels.ion_channels", "cells", "synapses", "electrodes", "connectors"),
    *("populations", "projections", "recording", "control", "random", "procedural_api"),
    "nestml",
)


class _Names(MetaPathFinder, Loader):
    """Finds and makes the modules, and keeps which ones a script has imported."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        if _backend_of(fullname) or fullname in _PARENTS or on_spinnaker.part_of(fullname):
            return ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        if spec.name.endswith(".simulator"):
            return simulator
        return None

    def exec_module(self, module: ModuleType) -> None:
        backend = _backend_of(module.__name__)
        if module is simulator or not backend:
            _fill_part(module)
            return
        if module.__name__ == backend:
            simulator.state.backends.append(backend)
        of_spinnaker = backend in on_spinnaker.NAMES
        own = on_spinnaker.OFFERED if of_spinnaker else {}
        for name, value in (OFFERED | own).items():
            module.__dict__.setdefault(name, value)

        def absent(name: str) -> Any:
            if of_spinnaker:
                on_spinnaker.refuse(name)
            if name in native.COMPILED:
                native.refuse_compiled(name)
            if name in old_calls.MODULE:
                old_calls.refuse_attribute(module, name, old_calls.MODULE)
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        module.__dict__["__getattr__"] = absent


def _fill_part(module: ModuleType) -> None:
    """A module within sPyNNaker's gives its names as they are asked for."""
    part = on_spinnaker.part_of(module.__name__)
    if part:
        module.__dict__["__getattr__"] = lambda name: on_spinnaker.of_part(part, name)


def _backend_of(fullname: str) -> str:
    """The backend that a module is, or is a part of; empty for any other."""
    for name in sorted(BACKENDS, key=len, reverse=True):
        if fullname == name:
            return name
        if fullname.startswith(f"{name}.") and fullname[len(name) + 1 :] in (*_PARTS, "simulator"):
            return name
    return ""


def install() -> list[str]:
    """Put the recording backend in the place of all others in this process; gives the list of those that get used.

    Scripts that ask PyNN for the backend's name get `DEFAULT` where they were given none.
    """
    vars(pynn_capture).update(OFFERED)  # PyNN looks for a network's backend in the package of its classes
    sys.meta_path.insert(0, _Names())
    for tool in ("get_simulator", "get_script_args"):
        original = getattr(script_tools, tool)
        for module in (pyNN.utility, script_tools):
            setattr(module, tool, _with_default(original))
    _note_seeds()
    pictures.guard()
    return simulator.state.backends


def _note_seeds() -> None:
    """Keep the seed of every generator that a script makes."""
    original = NumpyRNG.__init__

    def noted(self: Any, seed: Any = None, *arguments: Any, **named: Any) -> None:
        original(self, seed, *arguments, **named)
        simulator.state.seeds.append(seed)

    NumpyRNG.__init__ = noted


def _with_default(original: Any) -> Any:
    def asked(*arguments: Any, **named: Any) -> Any:
        if len(sys.argv) == 1:
            sys.argv.append(DEFAULT)
        return original(*arguments, **named)

    asked.__doc__, asked.__name__ = original.__doc__, original.__name__
    return asked
