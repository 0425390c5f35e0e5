"""A document: what every importer returns and every exporter and runner takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pynn_io.graph.columns import empty
from pynn_io.graph.network import Network
from pynn_io.simulation_plan.plan import SimulationPlan


@dataclass(frozen=True, slots=True)
class Document:
    """A network, what to run on it if the source says so, and where both came from.

    provenance: ``format``, ``dialect``, ``source`` (path) and what else an importer knows of the origin.
    """

    network: Network
    plan: SimulationPlan | None = None
    provenance: Mapping[str, Any] = field(default_factory=empty)


def name_of(source: Path) -> str:
    """What to call a network whose source states no name.

    It is the file's stem; ``circuit_config.json`` and the like say nothing, so their folder's name stands for them.
    """
    source = Path(source).resolve()
    if source.is_dir():
        return source.name
    generic = source.stem.replace(".", "_").split("_")[0] in {"config", "circuit", "simulation"}
    return source.parent.name if generic else source.stem
