"""A document: what every importer returns and every exporter and runner takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
