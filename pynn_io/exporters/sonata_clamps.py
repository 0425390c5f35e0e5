"""Voltage clamps as the inputs of both dialects of SONATA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn_io.exporters.sonata_components import plain
from pynn_io.graph.stimuli import VoltageClamp
from pynn_io.report import Report


def single_levels(
    name: str, clamp: VoltageClamp, node_set: Any, site: Mapping[str, Any], report: Report
) -> dict[str, dict[str, Any]]:
    """BMTK's voltage clamp holds one level: one input a level, by name. site: where the electrode is."""
    starts = clamp.delay + np.concatenate([[0.0], np.cumsum(clamp.durations)[:-1]])
    if len(clamp.levels) > 1:
        report.expanded(
            "voltage-levels",
            f"inputs/{name}",
            "BMTK's clamp holds one level: there is one input for each",
            count=len(clamp.levels),
            examples=[name, *(f"{name}_{number}" for number in range(len(clamp.levels)))],
        )
    found = {}
    for number, (level, start, duration) in enumerate(zip(clamp.levels, starts, clamp.durations, strict=True)):
        content = {"input_type": "voltage_clamp", "module": "SEClamp", "node_set": node_set, "amp": float(level)}
        content |= {"delay": float(start), "duration": float(duration), **site}
        if clamp.series_resistance is not None:
            content["resistance"] = clamp.series_resistance
        found[name if len(starts) == 1 else f"{name}_{number}"] = content
    return found


def seclamp(clamp: VoltageClamp) -> dict[str, Any]:
    """The OBI dialect's clamp of several levels, from the start of the run: libsonata refuses a delay."""
    content = {
        "input_type": "voltage_clamp",
        "module": "seclamp",
        "voltage": float(clamp.levels[0]),
        "delay": 0.0,
        "duration": float(np.sum(clamp.durations)),
    }
    if len(clamp.levels) > 1:
        content |= {"voltage_levels": plain(clamp.levels), "duration_levels": plain(clamp.durations)}
    if clamp.series_resistance is not None:
        content["series_resistance"] = clamp.series_resistance
    return content
