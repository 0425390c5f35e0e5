"""How NEURON integrates what was run: its own membranes as it says itself, our point processes as they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pynn_io.lowering.cables.models import CellModel, PointModel, SourceModel
from pynn_io.runners.algorithms import (
    CRANK_NICOLSON,
    CVODE,
    EULER,
    EULER_BACKWARD,
    EVENTS,
    EXACT,
    RUNGE_KUTTA_4,
    UNKNOWN,
    Algorithm,
)
from pynn_io.runners.neuron.lowered import LoweredNeuron
from pynn_io.runners.neuron.mechanisms import names_of

#: Mechanisms of `runners/neuron/mod`: their method, and in how many parts of a step; 0 where they choose that.
OWN: Mapping[str, tuple[tuple[str, str], int]] = {
    "PynnIoIFCurr": (EXACT, 1),
    "PynnIoIFJump": (EXACT, 1),
    "PynnIoIFCond": (RUNGE_KUTTA_4, 4),
    "PynnIoEIFCond": (RUNGE_KUTTA_4, 0),
    "PynnIoHHCond": (RUNGE_KUTTA_4, 8),
    "PynnIoIzhikevich": (EULER, 1),
}
#: ``secondorder``: NEURON's name for how the membrane equation is stepped.
_STEPPED = {0: EULER_BACKWARD, 1: CRANK_NICOLSON, 2: CRANK_NICOLSON}


def algorithms(lowered: LoweredNeuron) -> Iterator[Algorithm]:
    """Of the membranes, and of every point process that is a cell. Asks NEURON, which templates may have set."""
    from neuron import h

    models = [group.model for group in lowered.groups if not isinstance(group.model, SourceModel)]
    if any(map(_has_membrane, models)):
        yield from of_membranes()
    for model in models:
        if isinstance(model, PointModel) and model.capacitance is None:
            yield _of_point(model.mechanism, float(h.dt), artificial=names_of(h).artificial(model.mechanism))


def of_membranes() -> Iterator[Algorithm]:
    """Of sections and what is in them, as NEURON is set in this process."""
    from neuron import h

    if h.CVode().active():
        yield Algorithm("membranes, channels and synapses", *CVODE)
        return
    yield Algorithm("membranes", *_STEPPED[int(h.secondorder)], float(h.dt))
    yield Algorithm("channels and synapses", "as the SOLVE of their NMODL says (cnexp, sparse ...)", "", float(h.dt))


def _has_membrane(model: CellModel) -> bool:
    return not isinstance(model, PointModel) or model.capacitance is not None


def _of_point(mechanism: str, step: float, *, artificial: bool) -> Algorithm:
    if artificial:
        return Algorithm(mechanism, *EVENTS)
    method, parts = OWN.get(mechanism, (UNKNOWN, 0))
    return Algorithm(mechanism, *method, step if parts else None, max(parts, 1))
