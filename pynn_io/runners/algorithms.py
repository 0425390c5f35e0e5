"""Which algorithm integrated what: what every backend tells of a run, as it was and not as it was asked for.

Terms are those of the Kinetic Simulation Algorithm Ontology (KiSAO, https://github.com/SED-ML/KiSAO), where it has one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Algorithm:
    """of: what was integrated by it. name: of the method. kisao: its term, empty where there is none.

    step: ms; None for a method that chooses its own, or needs none. parts: of a step, that are steps of the method.
    """

    of: str
    name: str
    kisao: str = ""
    step: float | None = None
    parts: int = 1


#: Methods, as names and terms.
EULER = ("Euler forward method", "KISAO:0000030")
EULER_BACKWARD = ("Euler backward method", "KISAO:0000031")
CRANK_NICOLSON = ("Crank-Nicolson method", "KISAO:0000309")
RUNGE_KUTTA_4 = ("explicit fourth-order Runge-Kutta method", "KISAO:0000032")
FEHLBERG = ("Fehlberg method", "KISAO:0000086")
CVODE = ("CVODE", "KISAO:0000019")
#: Linear equations are propagated exactly from step to step (Rotter & Diesmann 1999, doi:10.1007/s004220050570).
EXACT = ("exact integration", "")
#: NMODL's method for states that are linear in themselves: exact while everything else stands still.
CNEXP = ("cnexp: exponential, with what a state depends on held", "")
#: Solved from event to event, whenever these are.
EVENTS = ("exact between events", "")
#: What the simulator has for a model is not known here.
UNKNOWN = ("as the simulator has it", "")


def told(found: Iterable[Algorithm]) -> dict[str, Any]:
    """The entry of a provenance, as plain values: every algorithm once."""
    return {"algorithms": [asdict(each) for each in dict.fromkeys(found)]}
