"""What the weight of a projection is called in a dialect of SONATA, and in which unit it stands there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pynn_io.errors import UnitError
from pynn_io.exporters.sonata_dialect import Dialect
from pynn_io.graph.network import Network, Projection
from pynn_io.report import Report
from pynn_io.units import convert

#: Population type of the OBI configuration by synapse model -> (type, unit of its strength, name of its column).
_OBI_TYPES = {
    "nrn:Exp2Syn": ("Exp2Syn_synapse", "uS", "conductance"),
    "nest:tsodyks2_synapse": ("TM_synapse", "nS", "weight"),
}
#: Synapse models that the type of an OBI projection states.
OBI_MODELS = tuple(_OBI_TYPES)
#: Types of an OBI projection that say what its synapses are.
OWN_MODEL = tuple(row[0] for row in _OBI_TYPES.values())


@dataclass(frozen=True, slots=True)
class Strength:
    """The weight's name, and its factor for every type row (None: as it is). unit: of the column, if it is one.

    obi_type: ``populations.<name>.type`` of the edges in the OBI configuration.
    """

    name: str
    unit: str
    scale: np.ndarray | None
    obi_type: str


def strength_of(projection: Projection, network: Network, dialect: Dialect, where: str, report: Report) -> Strength:
    """What the weight is called in a dialect, and in which unit.

    Allen's ``syn_weight`` is what the simulator takes, so uS for a conductance; OBI's ``conductance`` is nS, but uS for
    Exp2Syn and nothing for artificial cells (`pynn_io.importers.sonata_units` says why).
    """
    units = _weight_units(projection)
    known = [unit for unit in dict.fromkeys(units) if unit]
    models = {network.synapses[name].model for name in projection.synapses}
    obi_type = "electrical" if projection.kind == "electrical" else projection.kind
    name, wanted = "syn_weight", ""
    if dialect.conductance:
        if obi_type == "chemical" and len(models) == 1 and (model := next(iter(models))) in _OBI_TYPES:
            obi_type, wanted, name = _OBI_TYPES[model]
        elif obi_type == "chemical" and known == ["1"]:
            obi_type, wanted, name = "point_process", "1", "conductance"
        elif known and all(_is_conductance(unit) for unit in known):
            wanted, name = "nS", "conductance"
        elif not known:
            name = _source_name(projection, network)
    elif dialect.name == "allen" and known and all(_is_conductance(unit) for unit in known) and "nS" in known:
        wanted = "uS" if not _is_nest(projection, network) else ""
    elif dialect.name == "" and known == ["nS"] and not _is_nest(projection, network):
        name = "conductance"
    scale = _scales(units, wanted)
    unit = wanted or (known[0] if len(known) == 1 else "")
    _report_strength(projection, dialect, name, known, wanted, scale, where, report)
    return Strength(name, unit, scale, obi_type)


def _source_name(projection: Projection, network: Network) -> str:
    """What the source called a weight without a unit."""
    edges = (network.extra.get("sonata") or {}).get("edges") or {}
    return (edges.get(projection.name) or {}).get("weight_name") or "syn_weight"


def _weight_units(projection: Projection) -> list[str]:
    column = projection.types.get("weight_unit")
    if column is None:
        return [""] * projection.types.size
    values = np.ma.asarray(column.values(projection.types.size))
    return ["" if value is None else str(value) for value in values.filled(None).tolist()]


def _is_conductance(unit: str) -> bool:
    return unit in ("S", "mS", "uS", "nS", "pS")


def _is_nest(projection: Projection, network: Network) -> bool:
    cells = (network.cells[name] for name in network.populations[projection.post].cells)
    return any(getattr(cell, "model", "").startswith("nest:") for cell in cells)


def _scales(units: list[str], wanted: str) -> np.ndarray | None:
    """Factor of each type's weights; None where nothing changes."""
    if not wanted:
        return None
    try:
        scales = np.array([convert(1.0, unit or wanted, wanted) for unit in units])
    except UnitError:
        return None
    return None if (scales == 1).all() else scales


def _report_strength(
    projection: Projection,
    dialect: Dialect,
    name: str,
    known: list[str],
    wanted: str,
    scale: np.ndarray | None,
    where: str,
    report: Report,
) -> None:
    if "weight" not in projection.edges.columns and "weight" not in projection.types:
        return
    if scale is not None:
        report.expanded(
            "weight-unit",
            where,
            f"the weight is {name} in {wanted} here, and was multiplied accordingly: weight, weight_unit (was "
            f"{', '.join(known)})",
            count=max(projection.size, 1),
        )
    elif dialect.conductance and name == "syn_weight":
        report.approximated(
            "weight-without-home",
            where,
            f"the OBI dialect has conductances only; weights in {' and '.join(known) or 'an unstated unit'} stay in "
            "the column syn_weight, which its tools do not read: weight, weight_unit",
            count=max(projection.size, 1),
        )
