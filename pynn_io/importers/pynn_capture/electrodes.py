"""Current sources of the recording backend: they note which cells they are injected into."""

from __future__ import annotations

from typing import Any

import neo
import numpy as np
import quantities as pq
from pyNN.parameters import ParameterSpace
from pyNN.standardmodels import build_translations, electrodes

from pynn_io.importers.pynn_capture.simulator import state


def _check_times(values: dict[str, Any]) -> None:
    """Raise ValueError, as PyNN's backends do, for steps of a current before 0 ms, or out of order."""
    times = np.asarray(getattr(values.get("times"), "value", []))
    if np.any(times < 0):
        raise ValueError("Step current cannot accept negative timestamps.")
    if np.any(np.diff(times) <= 0):
        raise ValueError("Step current timestamps should be monotonically increasing.")


class Recorded:
    """What the four sources share. values: every parameter under its own name, in PyNN's units."""

    def __init__(self, **parameters: Any) -> None:
        object.__setattr__(self, "values", {})
        super().__init__(**parameters)
        space = self.parameter_space  # type: ignore[attr-defined]
        space.shape = (1,)
        space.evaluate(simplify=True)
        self.values.update(space.as_dict())  # type: ignore[attr-defined]
        _check_times(self.values)  # type: ignore[attr-defined]

    def inject_into(self, cells: Any, location: Any = None) -> None:
        """Cells: a population, a view, an assembly, or a list of cells. Raises TypeError for sources of spikes."""
        if not all(cell.celltype.injectable for cell in cells):
            raise TypeError("Can't inject current into a spike source.")
        state.session.injections.append((self, cells, location))
        state.edited(f"{type(self).__name__} was injected")

    def set_native_parameters(self, parameters: ParameterSpace) -> None:
        parameters.evaluate(simplify=True)
        self.values.update(parameters.as_dict())  # type: ignore[attr-defined]
        _check_times(self.values)  # type: ignore[attr-defined]
        for name in parameters.keys():  # noqa: SIM118 - a ParameterSpace iterates over points, not over names
            state.edited(f"{name} of a {type(self).__name__}")

    def get_native_parameters(self) -> ParameterSpace:
        return ParameterSpace(self.values, shape=(1,))  # type: ignore[attr-defined]

    def record(self) -> None:
        """Currents of electrodes are in no plan."""
        state.session.note("record of a current source")

    def get_data(self) -> neo.AnalogSignal:
        """No samples."""
        state.session.note("data")
        return neo.AnalogSignal([], units="nA", t_start=0 * pq.ms, sampling_period=state.dt * pq.ms)


def _source(base: Any) -> Any:
    names = base.default_parameters
    members = {"translations": build_translations(*((name, name) for name in names)), "__doc__": base.__doc__}
    return type(base.__name__, (Recorded, base), {**members, "__module__": __name__})


DCSource = _source(electrodes.DCSource)
ACSource = _source(electrodes.ACSource)
StepCurrentSource = _source(electrodes.StepCurrentSource)
NoisyCurrentSource = _source(electrodes.NoisyCurrentSource)
