"""What reading an input or report of a SONATA simulation configuration needs to know of the rest."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import GraphError
from pynn_io.formats.sonata_config import resolve_path
from pynn_io.graph.network import Network
from pynn_io.graph.node_sets import resolve
from pynn_io.report import Report
from pynn_io.simulation_plan.sonata_section import Section


@dataclass(frozen=True, slots=True)
class Context:
    """base: where relative paths start. amplitude_unit: of BMTK's current clamps. duration: of the run, ms, or None.

    compartment_sets: those that inputs make of electrodes; readers add to them.
    """

    base: Path
    network: Network
    node_sets: Mapping[str, Any]
    report: Report
    amplitude_unit: str
    duration: float | None
    compartment_sets: dict[str, Any] = field(default_factory=dict)

    def selected(self, node_set: Any, item: Section) -> dict[str, np.ndarray]:
        """Rows by population. Raises PlanError at the input's ``node_set``."""
        try:
            return resolve(node_set, self.network, self.node_sets)
        except GraphError as error:
            raise item.wrong("node_set", "; ".join([error.message, *error.problems, error.hint])) from error

    def file(self, item: Section, key: str) -> Path | None:
        """The file under a key, relative to the configuration; None, and reported, where it does not exist."""
        name = item.text(key)
        if name is None:
            raise item.wrong(key, "the name of a file is missing")
        path = resolve_path(name, self.base)
        if os.path.isfile(path):
            return path
        self.report.not_read("missing-input", item.place(key), f"The input file {path} does not exist.")
        return None
