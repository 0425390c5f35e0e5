"""A network of cable cells as plain lists, and the NEURON script that makes it of them, to measure a run against.

The lists are taken from a model that pynn_io built; the script knows nothing of pynn_io, makes everything in one go and
runs it with one ``psolve``, as somebody would who writes down one network and nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np


def write_lists(model: Any, lowered: Any, path: Path) -> None:
    """Sections, mechanisms, synapses, NetCons, input spikes and recorded places of a built model, as JSON."""
    numbers = {section: (gid, k) for gid, cell in model.cells.items() for k, section in enumerate(cell.sections)}
    cells = [{"gid": gid, **_cell(cell, numbers)} for gid, cell in model.cells.items()]
    synapses = []
    for made in model.synapses.values():
        for point, netcon in zip(made.points, made.netcons, strict=True):
            segment = point.get_segment() if hasattr(point, "get_segment") else None
            if segment is None:
                place, values = [_gid_of(model, point), None, None], {}
            else:
                place, values = [*numbers[segment.sec], segment.x], _parameters(point)
            row = {"mechanism": point.hname().partition("[")[0], "place": place, "values": values}
            synapses.append({**row, "source": netcon.srcgid(), "weight": netcon.weight[0], "delay": netcon.delay})
    settings = lowered.settings
    content = {
        "cells": cells,
        "synapses": synapses,
        "gids": np.concatenate([gids for gids, _ in model.events]).tolist(),
        "times": np.concatenate([times for _, times in model.events]).tolist(),
        "duration": settings.duration,
        "threshold": settings.spike_threshold,
        "v_init": settings.v_init,
        "celsius": settings.celsius,
        "dt": settings.timestep,
        "record": [
            [gid, probe.variables[0]]
            for probe in lowered.recordings
            for gid in probe.sites.gids.tolist()
            if model.cells[gid].soma is not None
        ],
    }
    path.write_text(json.dumps(content))


def _gid_of(model: Any, point: Any) -> int:
    return next(gid for gid, cell in model.cells.items() if cell.point == point)


def _parameters(holder: Any) -> dict[str, float]:
    from neuron import h

    standard, name = h.MechanismStandard(holder.hname().partition("[")[0], 1), h.ref("")
    names = []
    for number in range(int(standard.count())):
        standard.name(name, number)
        names.append(name[0])
    return {name: getattr(holder, name) for name in names}


def _cell(cell: Any, numbers: dict[Any, tuple[int, int]]) -> dict[str, Any]:
    if cell.point is not None:
        return {"point": cell.point.hname().partition("[")[0], "values": _parameters(cell.point)}
    return {"sections": [_section(section, numbers) for section in cell.sections], "soma": numbers[cell.soma][1]}


def _section(section: Any, numbers: dict[Any, tuple[int, int]]) -> dict[str, Any]:
    """One section; every variable of a mechanism is the same along it, since the circuit states regions only."""
    parent = section.parentseg()
    middle = section(0.5)
    mechanisms = {}
    for mechanism in middle:
        mechanisms[mechanism.name()] = dict(_density_parameters(mechanism.name(), middle))
    return {
        "points": [[section.x3d(k), section.y3d(k), section.z3d(k), section.diam3d(k)] for k in range(section.n3d())],
        "size": [section.L, section.diam],
        "parent": None if parent is None else [numbers[parent.sec][1], parent.x],
        "nseg": section.nseg,
        "Ra": section.Ra,
        "cm": middle.cm,
        "mechanisms": mechanisms,
    }


def _density_parameters(mechanism: str, segment: Any) -> list[tuple[str, float]]:
    from neuron import h

    if mechanism.endswith("_ion"):
        name = f"e{mechanism.removesuffix('_ion')}"
        return [(name, getattr(segment, name))] if name in ("ena", "ek") else []
    standard, name = h.MechanismStandard(mechanism, 1), h.ref("")
    found = []
    for number in range(int(standard.count())):
        standard.name(name, number)
        found.append((name[0], getattr(segment, name[0])))
    return found


class Script:
    """The network of the lists in NEURON."""

    def __init__(self, content: dict[str, Any]) -> None:
        from neuron import h

        self.context, self.kept, self.cells, self.somata = h.ParallelContext(), [], {}, {}
        for cell in content["cells"]:
            self._make_cell(cell, content["threshold"])
        for synapse in content["synapses"]:
            self._make_synapse(synapse)
        order = np.argsort(content["times"], kind="stable")
        pattern = h.PatternStim()
        vectors = h.Vector(np.array(content["times"])[order]), h.Vector(np.array(content["gids"], dtype=float)[order])
        pattern.play(*vectors)
        self.kept += [pattern, *vectors]
        self.times, self.gids = h.Vector(), h.Vector()
        self.context.spike_record(-1, self.times, self.gids)
        self.traces = [
            h.Vector().record(getattr(self.somata[gid](0.5), f"_ref_{variable}")) for gid, variable in content["record"]
        ]
        self.content = content

    def _make_cell(self, cell: dict[str, Any], threshold: float) -> None:
        from neuron import h

        gid = cell["gid"]
        self.context.set_gid2node(gid, 0)
        if "point" in cell:
            made = getattr(h, cell["point"])()
            for name, value in cell["values"].items():
                setattr(made, name, value)
            detector = h.NetCon(made, None)
        else:
            made = self._make_sections(cell["sections"])
            self.somata[gid] = soma = made[cell["soma"]]
            detector = h.NetCon(soma(0.5)._ref_v, None, sec=soma)
            detector.threshold = threshold
        self.context.cell(gid, detector)
        self.cells[gid] = made
        self.kept.append(detector)

    def _make_sections(self, rows: list[dict[str, Any]]) -> list[Any]:
        from neuron import h

        made = [h.Section() for _ in rows]
        for section, row in zip(made, rows, strict=True):
            for point in row["points"]:
                section.pt3dadd(*point)
            if not row["points"]:
                section.L, section.diam = row["size"]
            if row["parent"] is not None:
                section.connect(made[row["parent"][0]](row["parent"][1]), 0)
            section.nseg, section.Ra, section.cm = row["nseg"], row["Ra"], row["cm"]
            for mechanism in row["mechanisms"]:
                if not mechanism.endswith("_ion"):
                    section.insert(mechanism)
            for values in row["mechanisms"].values():
                for name, value in values.items():
                    setattr(section, name, value)
        return made

    def _make_synapse(self, synapse: dict[str, Any]) -> None:
        from neuron import h

        gid, section, position = synapse["place"]
        point = self.cells[gid]
        if section is not None:
            point = getattr(h, synapse["mechanism"])(point[section](position))
            for name, value in synapse["values"].items():
                setattr(point, name, value)
        netcon = self.context.gid_connect(synapse["source"], point)
        netcon.weight[0], netcon.delay = synapse["weight"], synapse["delay"]
        self.kept += [point, netcon]

    def run(self) -> int:
        """Initialise, run to the end in one go; how many spikes there were."""
        from neuron import h

        h.celsius, h.dt = self.content["celsius"], self.content["dt"]
        self.context.set_maxstep(10)
        h.finitialize(self.content["v_init"])
        self.context.psolve(self.content["duration"])
        return len(self.times)
