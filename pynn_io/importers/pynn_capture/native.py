"""Models that only one simulator has, by name: ``native_cell_type("iaf_psc_alpha")``, ``IntFire1``.

They keep their own parameters in their own units; which there are is the vocabulary's to say, and for models that it
does not have a script may state any.
"""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from pyNN import errors
from pyNN.models import BaseCellType, BaseSynapseType
from pyNN.parameters import ArrayParameter

from pynn_io.errors import UnsupportedInput
from pynn_io.importers.pynn_capture.models import Delayed
from pynn_io.vocabulary import models


class _AnyReceptor(tuple[str, ...]):
    """The receptors of a model that the vocabulary does not have: the simulator knows which there are."""

    def __contains__(self, name: object) -> bool:
        return True


def refuse_unknown(celltype: Any, name: str) -> NoReturn:
    """Raise for a parameter of which there is no value: of a standard cell as PyNN does; of a native one it is its
    simulator that has it."""
    if not isinstance(celltype, NativeCellType) or celltype.default_parameters:
        raise errors.NonExistentParameterError(name, type(celltype).__name__, celltype.get_parameter_names())
    kind = type(celltype).__name__
    message = f"only the simulator knows {name} of the native cell {kind}, and none runs while a script is read"
    raise UnsupportedInput(message, hint=f"state it where the cells are made: {kind}({name}=...)")


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
    parameter_checks: ClassVar = {}  # that simulator alone knows which signs weights may have

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
    receptors = NativeCellType.receptor_types if known is None else known.receptors or NativeCellType.receptor_types
    return type(
        native.partition(":")[2],
        (NativeCellType,),
        {
            "native": native,
            "default_parameters": {row.name: _default(row.default) for row in rows},
            "default_initial_values": {},
            "receptor_types": _AnyReceptor(receptors) if known is None else tuple(receptors),
            "conductance_based": known is not None and known.weight_unit in ("nS", "uS"),
            "injectable": known is None or known.kind == "cell",
            **members,
        },
    )


#: Calls of backends that compile a model from another language -> the language.
COMPILED = {
    **dict.fromkeys(("nestml", "nestml_cell_type", "nestml_synapse_type"), "NESTML"),
    **dict.fromkeys(("nineml_cell_type", "nineml_celltype", "nineml_synapse_type", "NineMLNetwork"), "NineML"),
}


def refuse_compiled(name: str) -> NoReturn:
    """Raise UnsupportedInput for a name of `COMPILED`."""
    message = f"{name}: models that a simulator compiles from {COMPILED[name]} are not read"
    raise UnsupportedInput(message, hint="a standard cell, or a model that NEST has: native_cell_type('iaf_psc_exp')")


def native_cell_type(model_name: str) -> type:
    """PyNN's call for a model of NEST."""
    return _cell(f"nest:{model_name}")


def native_synapse_type(model_name: str) -> type:
    """PyNN's call for a synapse model of NEST, whose defaults these are."""
    members = {"native": f"nest:{model_name}", "default_parameters": {"weight": 1.0, "delay": 1.0}}
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
