"""Cells in Arbor's words: cable cells with what is on their membrane, and cells without extent that Arbor has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource
from pynn_io.graph.network import Network
from pynn_io.lowering import Part
from pynn_io.lowering.cables.components import Generated, is_of_components
from pynn_io.lowering.cables.decor import region_model
from pynn_io.lowering.cables.models import CellGroup, CellModel, PointModel, SourceModel
from pynn_io.lowering.cables.populations import cell_groups
from pynn_io.lowering.membrane import segment_model
from pynn_io.report import Report
from pynn_io.runners.arbor.lowered import Lif
from pynn_io.vocabulary import models, translations

#: Arbor's cell without extent, and the standard cell that it is.
LIF, _STANDARD = "lif", "IF_curr_delta"
#: Parameter of the standard cell -> of Arbor's; both in mV and ms.
_LIF = {"tau_m": "tau_m", "v_thresh": "V_th", "v_rest": "E_L", "v_reset": "E_R", "tau_refrac": "t_ref", "v": "V_m"}
#: NEURON's IntFire1 is the same cell: its state has no unit, goes to 0 and fires at 1; its times in files are s.
_INT_FIRE = "nrn:IntFire1"
_INT_FIRE_NAMES = {"tau": ("tau_m", 1000.0), "refrac": ("tau_refrac", 1000.0), "m": ("v", 1.0)}
_INT_FIRE_FIXED = {
    name: np.asarray(value)
    for name, value in {"v_thresh": 1.0, "v_rest": 0.0, "v_reset": 0.0, "v": 0.0, "i_offset": 0.0, "cm": 1.0}.items()
}


def groups(
    network: Network,
    simulated: Mapping[str, np.ndarray],
    first: Mapping[str, int],
    generated: Generated,
    report: Report,
) -> tuple[CellGroup, ...]:
    """The simulated cells, by population and definition. What Arbor does not have is LOST and left out."""

    def model_of(part: Part) -> tuple[CellModel | None, Mapping[str, np.ndarray]]:
        return _model(part, generated, report)

    return cell_groups(network, simulated, first, model_of, _refusal, "Arbor", report)


def _refusal(part: Part) -> str:
    return f"Arbor does not have {_what(part.cell)}; these cells are left out, with their synapses."


def _what(cell: Cell) -> str:
    if isinstance(cell, CableCell):
        return f"the language of the template {cell.template}"
    return f"the cell {cell.model}" if isinstance(cell, PointCell) else f"cells of the kind {getattr(cell, 'kind', '')}"


def _model(part: Part, generated: Generated, report: Report) -> tuple[CellModel | None, dict[str, np.ndarray]]:
    cell, where = part.cell, f"cells/{part.cell_name}"
    if isinstance(cell, SpikeSource):
        return SourceModel(), {}
    if isinstance(cell, CableCell) and not cell.template:
        if not is_of_components(cell, generated.network):
            return region_model(cell, where, generated.network, report), {}
        try:
            return segment_model(part.cell_name, cell, generated.shape(str(cell.morphology)), generated, report), {}
        except UnsupportedInput as error:
            message = f"Equations of {part.cell_name!r} cannot be written for Arbor: {error.message}."
            report.lost("channel", where, message, examples=[part.cell_name])
            return None, {}
    if isinstance(cell, PointCell):
        values = _lif(part, cell, report, where)
        return (None, {}) if values is None else (PointModel(LIF, {}, "mV"), values)
    return None, {}


def _lif(part: Part, cell: PointCell, report: Report, where: str) -> dict[str, np.ndarray] | None:
    """The parameters of Arbor's cell for every cell of a part, float64[n]; None for a model with other equations.

    A constant current moves the potential that a cell tends to. Where that is above the threshold the cell would fire
    by itself; Arbor's looks at its threshold when an event comes, and no sooner.
    """
    values = _standard(part, cell, report, where)
    if values is None:
        return None
    numbers = {name: np.broadcast_to(value, part.size) for name, value in values.items()}
    rest = numbers["v_rest"] + numbers["i_offset"] * numbers["tau_m"] / numbers["cm"]
    report.lost(
        "model",
        where,
        "Cells that fire by themselves, driven by i_offset, are silent on Arbor, whose cell looks at its threshold only"
        " when an event comes.",
        count=int((rest >= numbers["v_thresh"]).sum()),
        examples=[part.cell_name],
    )
    return {name: {**numbers, "v_rest": rest}[standard] for standard, name in _LIF.items()}


def _standard(part: Part, cell: PointCell, report: Report, where: str) -> dict[str, np.ndarray] | None:
    """Parameters and state of the standard cell, numbers or float64[n]; None for a model that is not it."""
    native = translations.of_native(cell.model)
    if cell.model not in (_STANDARD, _INT_FIRE) and (native is None or native.standard != _STANDARD):
        return None
    stated = {name: value for name, value in part.parameters.items() if value is not None}
    values = models.complete(PointCell(cell.model, stated), report, where)
    values = {name: _filled(value, cell.model, name) for name, value in values.items()}
    if cell.model == _INT_FIRE:
        named = {_INT_FIRE_NAMES[name]: value for name, value in values.items()}
        return {**_INT_FIRE_FIXED, **{name: value * factor for (name, factor), value in named.items()}}
    if native is not None:
        state = {"v": values.pop("V_m")} if "V_m" in values else {}
        standard, others = translations.to_standard(native, values)
        if np.any(others.get("refractory_input", False)):
            message = "Arbor's cell discards the events that come while it is refractory."
            report.lost("parameter-not-applied", where, message, examples=["refractory_input"])
        values = {**standard, **state}
    return {"v": values["v_rest"], **values}


def _filled(value: Any, model: str, name: str) -> np.ndarray:
    """Values of all cells: the model's default for those that state none."""
    default: Any = getattr(models.MODELS[model].parameter(name), "default", None)
    return np.ma.filled(np.ma.asarray(value, dtype=np.float64), default)


def lifs(found: tuple[CellGroup, ...]) -> tuple[Lif, ...]:
    """The groups of cells without extent."""
    return tuple(
        Lif(group.gids, group.parameters)
        for group in found
        if isinstance(group.model, PointModel) and group.model.mechanism == LIF
    )
