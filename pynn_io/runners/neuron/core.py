"""CoreNEURON: the same model in memory, run by NEURON's compute engine in one go."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable
from pathlib import Path

from pynn_io.errors import BackendUnavailable, PlanError
from pynn_io.runners.base import Profile
from pynn_io.runners.neuron.model import Model

#: Option of a profile, and of nrnivmodl.
OPTION, COMPILER_OPTION = "coreneuron", "-coreneuron"
#: Mechanisms of NEURON that CoreNEURON has too (``share/modfile`` of NEURON 9); it lacks IntFire1, IntFire2, IntFire4.
_NATIVE = frozenset({"ExpSyn", "Exp2Syn", "hh", "NetStim", "pas", "PatternStim", "IClamp", "SEClamp"})
#: Where CoreNEURON looks for the mechanisms.
_LIBRARY_VARIABLE = "CORENEURONLIB"


#: Processes that point to weights, which only NEURON itself has.
_RELAYS = ("PynnIoTsodyks", "PynnIoPairs", "PynnIoVogels", "PynnIoBernoulli")


def wanted(profile: Profile) -> bool:
    """Whether the run is asked to be one on CoreNEURON."""
    return bool(profile.options.get(OPTION))


def check(needs: Iterable[str], built_in: Container[str]) -> None:
    """Raise PlanError for mechanisms that are part of NEURON and not of CoreNEURON, which would abort the process."""
    plastic = sorted(name for name in needs if name.startswith(_RELAYS))
    if plastic:
        message = f"CoreNEURON does not have synapses that change or draw ({', '.join(plastic)})"
        raise PlanError(message, where="network", hint="run it without --coreneuron")
    lacking = sorted(name for name in needs if name in built_in and name not in _NATIVE)
    if lacking:
        message = f"CoreNEURON does not have NEURON's own {', '.join(lacking)}"
        raise PlanError(message, where="network", hint="run it without --coreneuron")


def use_library(library: Path) -> None:
    """Name the library of mechanisms for CoreNEURON that nrnivmodl made beside NEURON's."""
    for path in sorted(library.parent.glob("libcorenrnmech.*")):
        os.environ[_LIBRARY_VARIABLE] = str(path)


def enable(model: Model, shortest_delay: float) -> None:
    """Hand the next ``psolve`` to CoreNEURON.

    Raises PlanError for what it cannot do, BackendUnavailable where NEURON was built without it.
    """
    settings = model.lowered.settings
    refusals = {
        "a variable time step": settings.variable_step,
        "weights that change during the run (connection_overrides with a delay)": bool(model.later),
        f"delays below the time step ({shortest_delay} ms)": shortest_delay < settings.timestep,
    }
    for what, there in refusals.items():
        if there:
            raise PlanError(f"CoreNEURON does not have {what}", where="plan", hint="run it without --coreneuron")
    try:
        from neuron import coreneuron
    except ImportError as error:
        raise BackendUnavailable("this NEURON is without CoreNEURON", hint="pip install 'pynn_io[neuron]'") from error
    coreneuron.enable = True
    coreneuron.verbose = 0
