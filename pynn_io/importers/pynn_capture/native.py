"""Models that only one simulator has, by name: ``native_cell_type("iaf_psc_alpha")``, ``IntFire1``.

They keep their own parameters in their own units; which there are is the vocabulary's to say, and for models that it
does not have a script may state any.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pyNN.models import BaseCellType, BaseSynapseType
from pyNN.parameters import ArrayParameter

from pynn_io.importers.pynn_capture.models import Delayed
from pynn_io.vocabulary import models


def _default(value: Any) -> Any:
    return ArrayParameter(value) if isinstance(value, tuple) else value


class NativeCellType(BaseCellType):
    """A cell or a source of one simulator. ``native``: its name with the dialect, ``nest:iaf_psc_alpha``."""

    native = ""
    receptor_types = ("excitatory", "inhibitory")
    conductance_based = False
    units: ClassVar[dict[str, str]] = {}

    def __init__(self, **parameters: Any) -> None:
        self.stated = tuple(parameters)
        super().__init__(**parameters)

    def translate(self, parameters: Any) -> Any:
        """Into itself."""
        return parameters

    def get_schema(self) -> Any:
        return super().get_schema() if self.default_parameters else None

    def can_record(self, variable: str, location: Any = None) -> bool:
        return True


class NativeSynapseType(Delayed, BaseSynapseType):
    """A synapse of one simulator; ``weight`` and ``delay`` as that simulator has them."""

    native = ""

    def get_schema(self) -> None:
        """Anything may be stated."""
        return

    @property
    def native_parameters(self) -> Any:
        """All of them, under their own names."""
        return self.parameter_space


def _cell(native: str, **members: Any) -> type:
    known = models.known(native)
    rows = known.parameters if known is not None else ()
    receptors = (known.receptors if known is not None else ()) or NativeCellType.receptor_types
    return type(
        native.partition(":")[2],
        (NativeCellType,),
        {
            "native": native,
            "default_parameters": {row.name: _default(row.default) for row in rows},
            "default_initial_values": {},
            "receptor_types": tuple(receptors),
            "conductance_based": known is not None and known.weight_unit in ("nS", "uS"),
            "injectable": known is None or known.kind == "cell",
            **members,
        },
    )


def native_cell_type(model_name: str) -> type:
    """PyNN's call for a model of NEST."""
    return _cell(f"nest:{model_name}")


def native_synapse_type(model_name: str) -> type:
    """PyNN's call for a synapse model of NEST."""
    members = {"native": f"nest:{model_name}", "default_parameters": {"weight": 1.0, "delay": None}}
    return type(model_name, (NativeSynapseType,), members)


#: NEURON's artificial cells; PyNN states their times in ms.
INTEGRATORS = {
    name: _cell(f"nrn:{name}", default_parameters=values, receptor_types=("default",), injectable=False)
    for name, values in (
        ("IntFire1", {"tau": 10.0, "refrac": 5.0}),
        ("IntFire2", {"taum": 10.0, "taus": 20.0, "ib": 0.0}),
        ("IntFire4", {"taum": 50.0, "taue": 5.0, "taui1": 10.0, "taui2": 20.0}),
    )
}
