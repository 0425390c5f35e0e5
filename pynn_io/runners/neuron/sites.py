"""Places that a plan names, found on built cells."""

from __future__ import annotations

import re
import zlib
from typing import Any

import numpy as np

from pynn_io.lowering.cables.sites import ARRAYS, Sites

#: The last part of a section's name in NEURON, ``Cell[0].dend[3]``.
_SECTION = re.compile(r"(?:.*\.)?(?P<name>\w+?)(?:\[(?P<index>\d+)\])?$")


def array_and_index(section: Any) -> tuple[str, int]:
    """``("dend", 3)`` of NEURON's section ``Cell[0].dend[3]``."""
    found = _SECTION.match(section.name())
    return ("", 0) if found is None else (found["name"], int(found["index"] or 0))


def segment_of(sites: Sites, site: int, cell: Any) -> Any | None:
    """NEURON's segment at a place of a built cell; None where the cell has no such section, or no extent at all."""
    position = float(sites.positions[site])
    if not cell.sections:
        return None if cell.soma is None else cell.soma(0.5)
    if sites.sections is not None:
        number = int(sites.sections[site])
        section = cell.sections[number] if number < len(cell.sections) else None
    elif sites.within is not None:
        return _drawn(sites, site, sites.within, cell)
    elif sites.name == "soma" and not sites.index:
        section = cell.soma
    else:
        wanted = (ARRAYS.get(sites.name, sites.name), sites.index)
        section = next((item for item in cell.sections if item and array_and_index(item) == wanted), None)
    return None if section is None else section(position)


def _drawn(sites: Sites, site: int, within: tuple[float, float], cell: Any) -> Any | None:
    """A compartment in a range of path distances, by the length of each that is in it; None where there is none.

    Drawn by numpy's PCG64 of (crc32 of the population, id), so that a cell has one place whatever else is there.
    """
    from neuron import h

    arrays = {ARRAYS.get(name, name) for name in sites.name.split()}
    segments, shares = [], []
    for section in cell.sections:
        if section is None or not ("all" in arrays or array_and_index(section)[0] in arrays):
            continue
        start, length = h.distance(cell.soma(0), section(0)), section.L / section.nseg
        for number, segment in enumerate(section):
            begin = start + number * length
            segments.append(segment)
            shares.append(max(min(begin + length, within[1]) - max(begin, within[0]), 0.0))
    if not sum(shares):
        return None
    random = np.random.default_rng([zlib.crc32(sites.population.encode()), int(sites.node_ids[site])])
    return segments[random.choice(len(segments), p=np.array(shares) / sum(shares))]
