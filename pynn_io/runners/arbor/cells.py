"""Cells in Arbor's words: cable cells with what is on their membrane, and cells without extent that Arbor has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn_io.audit import cell_code
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource
from pynn_io.graph.network import Network
from pynn_io.lowering import Part, parts
from pynn_io.lowering.cables.components import Generated, is_of_components
from pynn_io.lowering.cables.decor import cable_model, morphologies
from pynn_io.lowering.cables.models import CellGroup, CellModel, PointModel, SourceModel
from pynn_io.lowering.membrane import segment_model
from pynn_io.report import Report
from pynn_io.runners.arbor.lowered import Lif
from pynn_io.vocabulary import models, translations

#: Arbor's cell without extent, and the standard cell that it is.
LIF, _STANDARD = "lif", "IF_curr_delta"
#: Parameter of the standard cell -> of Arbor's; both in mV and ms.
_LIF = {
    "tau_m": "tau_m",
    "v_thresh": "V_th",
    "v_rest": "E_L",
    "v_reset": "E_R",
    "tau_refrac": "t_ref",
    "v": "V_m",
}


def groups(
    network: Network,
    simulated: Mapping[str, np.ndarray],
    first: Mapping[str, int],
    generated: Generated,
    report: Report,
) -> tuple[CellGroup, ...]:
    """The simulated cells, by population and definition. What Arbor does not have is LOST and left out."""
    found = []
    for population in network.populations.values():
        for part in parts(population, network, simulated[population.name]):
            model, own = _model(part, generated, report)
            if model is None:
                message = f"Arbor does not have {_what(part.cell)}; these cells are left out, with their synapses."
                where = f"populations/{population.name}"
                report.lost(cell_code(part.cell), where, message, count=part.size, examples=[part.cell_name])
                continue
            codes, names = morphologies(population, part)
            gids = part.rows + first[population.name]
            found.append(CellGroup(population.name, part.cell_name, model, part.rows, gids, codes, names, own))
    return tuple(found)


def _what(cell: Cell) -> str:
    if isinstance(cell, CableCell):
        return f"the language of the template {cell.template}"
    return f"the cell {cell.model}" if isinstance(cell, PointCell) else f"cells of the kind {getattr(cell, 'kind', '')}"


def _model(part: Part, generated: Generated, report: Report) -> tuple[CellModel | None, dict[str, np.ndarray]]:
    cell, where = part.cell, f"cells/{part.cell_name}"
    if isinstance(cell, SpikeSource):
        return SourceModel(), {}
    if isinstance(cell, CableCell) and not cell.template:
        if is_of_components(cell, generated.network):
            return segment_model(part.cell_name, cell, generated, report), {}
        return cable_model(cell, where, report), {}
    if isinstance(cell, PointCell):
        values = _lif(part, cell, report, where)
        return (None, {}) if values is None else (PointModel(LIF, {}, "mV"), values)
    return None, {}


def _lif(part: Part, cell: PointCell, report: Report, where: str) -> dict[str, np.ndarray] | None:
    """The values of `_LIF` for every cell of a part; None for another model.

    A constant current moves the potential that a cell tends to. Where that is above the threshold the cell would fire
    by itself; Arbor's looks at its threshold when an event comes, and no sooner.
    """
    native = translations.of_native(cell.model)
    if _STANDARD not in (cell.model, native.standard if native else ""):
        return None
    stated = {name: value for name, value in part.parameters.items() if value is not None}
    values = models.complete(PointCell(cell.model, stated), report, where)
    if native is not None:
        states = {"v": values.pop("V_m")} if "V_m" in values else {}
        standard, others = translations.to_standard(native, values)
        if others.get("refractory_input"):
            report.lost("parameter-not-applied", where, "Arbor's cell discards events while it is refractory.")
        values = {**standard, **states}
    model = models.MODELS[_STANDARD]
    values = {"v": values.get("v_rest"), **values}
    numbers = {}
    for name in (*_LIF, "cm", "i_offset"):
        default: Any = getattr(model.parameter(name), "default", None)
        filled = np.ma.filled(np.ma.asarray(values[name], dtype=np.float64), default)
        numbers[name] = np.broadcast_to(filled, part.size)
    numbers["v_rest"] = numbers["v_rest"] + numbers["i_offset"] * numbers["tau_m"] / numbers["cm"]
    if (numbers["v_rest"] >= numbers["v_thresh"]).any():
        report.lost(
            "model",
            where,
            "Cells that fire by themselves, driven by i_offset, are silent on Arbor, whose cell looks at its threshold"
            " only when an event comes.",
            count=int((numbers["v_rest"] >= numbers["v_thresh"]).sum()),
            examples=[part.cell_name],
        )
    return {_LIF[name]: numbers[name] for name in _LIF}


def lifs(found: tuple[CellGroup, ...]) -> tuple[Lif, ...]:
    """The groups of cells without extent."""
    return tuple(
        Lif(group.gids, group.parameters)
        for group in found
        if isinstance(group.model, PointModel) and group.model.mechanism == LIF
    )
