"""Child process: the cells of a circuit as pynn_io builds them and as BMTK does, section by section, as JSON.

``python neuron_cells.py CONFIG LIBRARY``, in the configuration's folder, prints an object of ``ours`` and ``theirs``
(cells, each a list of sections) and ``targets`` (cumulative probabilities of compartments, ours and theirs).
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any


def describe(sections: list[Any]) -> list[dict[str, Any]]:
    """Every number that decides what a section does."""
    row = {section: number for number, section in enumerate(sections)}
    found = []
    for section in sections:
        seat = section.parentseg()
        values = {"L": section.L, "nseg": section.nseg, "Ra": section.Ra, "cm": section.cm, "diam": section(0.5).diam}
        values |= {"parent": row[seat.sec] if seat else -1, "at": seat.x if seat else 0.0}
        values["name"] = section.name().split(".")[-1].split("[")[0]
        values["area"] = sum(segment.area() for segment in section)
        for segment in section:
            for mechanism in segment:
                for variable in mechanism:
                    values[variable.name()] = values.get(variable.name(), 0.0) + variable[0]
        found.append(values)
    return found


def ours(config: str) -> tuple[list[Any], Any]:
    from pynn_io.pipeline import read
    from pynn_io.progress import quiet
    from pynn_io.report import Report
    from pynn_io.runners.base import Profile
    from pynn_io.runners.neuron import NeuronRunner

    document, runner, report = read(config, format="sonata"), NeuronRunner(), Report()
    lowered = runner.lower(document.network, replace(document.plan, recordings=(), stimuli=()), report)
    model = runner.build(lowered, Profile(), report, quiet)
    cells = [cell for _, cell in sorted(model.cells.items()) if cell.sections]
    return [describe(list(cell.sections)) for cell in cells], (model, lowered)


def theirs(config: str) -> tuple[list[Any], Any]:
    from bmtk.simulator import bionet
    from bmtk.simulator.bionet import nrn
    from neuron import h

    nrn.load_neuron_modules(None, None)
    h.ParallelContext().gid_clear()
    network = bionet.BioNetwork.from_config(bionet.Config.from_json(config))
    network.build_nodes()
    cells = [cell for _, cell in sorted(network.get_local_cells().items()) if hasattr(cell, "morphology")]
    return [describe(list(cell.hobj.all)) for cell in cells], (network, cells)


#: target_sections and distance_range that placement is compared for.
RULES = [
    (["somatic", "basal"], [0.0, 1e20]),
    (["basal", "apical"], [30.0, 150.0]),
    (["apical"], [50.0, 60.0]),
    (["axon"], [0.0, 40.0]),
    (["soma"], [0.0, 5.0]),
]


def probabilities(kept: Any, cells: list[Any]) -> list[Any]:
    """For every cell and rule: compartments and probabilities, ours and BMTK's."""
    from pynn_io.lowering.cables.placement import parse_rule, targets

    _, lowered = kept
    found = []
    group = [(item, row) for item in lowered.groups if item.morphologies for row in range(len(item.rows))]
    group.sort(key=lambda item: int(item[0].gids[item[1]]))
    for (item, row), cell in zip(group, cells, strict=True):
        _, compartments = lowered.shapes(item.morphologies[item.morphology[row]], item.model.processing)
        for names, distances in RULES:
            index, share = cell.morphology.find_sections(names, distances, cache=False)
            mine = targets(parse_rule(str(names), json.dumps(distances), ""), compartments)
            found.append([mine.index.tolist(), mine.cumulative.tolist(), index.tolist(), share.cumsum().tolist()])
    return found


def main(config: str, library: str) -> None:
    from neuron import h

    h.nrn_load_dll(library)
    mine, kept = ours(config)
    other, (_, cells) = theirs(config)
    print(json.dumps({"ours": mine, "theirs": other, "targets": probabilities(kept, cells)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
