"""Places on cells that a plan names, lowered to gids, sections and fractions.

A place is a section by name (``soma``, ``dend[3]``: NEURON's words, as BMTK and the SONATA guide use them) or by its
number in the cell's own order, as a compartment set gives it. A cell without extent has no sections: places on it are
the cell itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.lowering import rows_of, simulated, targets
from pynn_io.simulation_plan import SimulationPlan

_NAMED = re.compile(r"(?P<name>[A-Za-z_]\w*?)(?:\[(?P<index>\d+)\])?")
#: Section arrays by the names that section lists and BMTK have for them.
ARRAYS = {"somatic": "soma", "axonal": "axon", "basal": "dend", "apical": "apic", "myelinated": "myelin"}


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """n places on cells of one population.

    rows, gids, node_ids: int64[n]. positions: float64[n], fraction along the section. sections: int64[n], number of
    the section in the cell's order; None where ``name`` and ``index`` say which for all (``dend``, 3). within: um from
    the soma: one compartment there is drawn, in the sections of the arrays ``name`` (several, separated by spaces).
    """

    population: str
    rows: np.ndarray
    gids: np.ndarray
    node_ids: np.ndarray
    positions: np.ndarray
    sections: np.ndarray | None = None
    name: str = "soma"
    index: int = 0
    within: tuple[float, float] | None = None

    @property
    def size(self) -> int:
        return len(self.rows)


def sites_of_set(
    node_set: Any,
    network: Network,
    plan: SimulationPlan,
    first: Mapping[str, int],
    *,
    section: str = "soma",
    position: float = 0.5,
    within: tuple[float, float] | None = None,
) -> Iterable[Sites]:
    """One place on every simulated cell of a node set. Raises PlanError for what names no section."""
    named = _NAMED.fullmatch(section)
    if named is None and within is None:
        raise PlanError(f"{section!r} is no section; expected a name or a name with a number, as in dend[3]")
    name, index = (section, 0) if named is None or within is not None else (named["name"], int(named["index"] or 0))
    for population, rows in targets(node_set, network, plan).items():
        ids = network.populations[population].ids()[rows]
        positions = np.full(len(rows), position)
        yield Sites(
            population,
            rows,
            rows + first[population],
            ids,
            positions,
            name=name,
            index=index,
            within=within,
        )


def sites_of_compartments(
    name: str, network: Network, plan: SimulationPlan, first: Mapping[str, int], where: str
) -> Sites:
    """The places of a compartment set (``[node_id, section_id, fraction]``) that run, those of a cell together.

    Raises PlanError for an unknown set or population, and for ids that the population does not have.
    """
    content = plan.compartment_sets.get(name)
    if content is None:
        known = ", ".join(plan.compartment_sets) or "none"
        raise PlanError(f"there is no compartment set {name!r}", where=where, hint=f"known: {known}")
    population, places = _content(name, content, network, where)
    rows = rows_of(population, places[:, 0].astype(np.int64))
    if (rows < 0).any():
        wrong = int(places[rows < 0][0, 0])
        raise PlanError(f"compartment set {name!r}: population {population.name!r} has no node {wrong}", where=where)
    runs = np.flatnonzero(np.isin(rows, simulated(network, plan)[population.name]))
    runs = runs[np.argsort(rows[runs], kind="stable")]
    return Sites(
        population.name,
        rows[runs],
        rows[runs] + first[population.name],
        places[runs, 0].astype(np.int64),
        places[runs, 2].copy(),
        places[runs, 1].astype(np.int64),
    )


def _content(name: str, content: Any, network: Network, where: str) -> tuple[Any, np.ndarray]:
    """Population and float64[n, 3] of a set."""
    form = f"compartment set {name!r} is no population with a list of [node_id, section_id, fraction]"
    if not isinstance(content, Mapping) or not isinstance(content.get("compartment_set"), list):
        raise PlanError(form, where=where)
    population = network.populations.get(content.get("population", ""))
    if population is None:
        known = ", ".join(network.populations) or "none"
        raise PlanError(
            f"compartment set {name!r}: there is no population {content.get('population')!r}",
            where=where,
            hint=f"the network has: {known}",
        )
    try:
        places = np.asarray(content["compartment_set"], dtype=np.float64).reshape(-1, 3)
    except (TypeError, ValueError) as exc:
        raise PlanError(form, where=where) from exc
    if not ((places[:, 2] >= 0) & (places[:, 2] <= 1)).all() or (places[:, :2] < 0).any():
        raise PlanError(f"compartment set {name!r} has a negative id or a fraction outside 0 .. 1", where=where)
    return population, places
