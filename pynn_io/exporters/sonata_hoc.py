"""A cell of NeuroML as a hoc template: SONATA's form of a cell that is more than densities in four regions.

Sections are those of the morphology in SONATA's order (soma, axon, basal, apical), so that a section id of an edge
means the same in the template and in the SWC file. The template states points, compartments and membrane itself and
needs no argument; what a simulator hands it (a gid, a morphology) is not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pynn_io.graph.morphology import Morphology
from pynn_io.graph.section_form import section_names
from pynn_io.graph.sections import Sections, locate, sections
from pynn_io.graph.segments import Tag, path_length
from pynn_io.lowering.evaluate import value
from pynn_io.lowering.membrane import SegmentModel, Spread
from pynn_io.lowering.segment_shape import segment_shape
from pynn_io.report import Report

#: Section lists that templates have, by the array that they hold.
_LISTS = {"soma": "somatic", "axon": "axonal", "dend": "basal", "apic": "apical"}
#: Lines of one hoc procedure: the interpreter has a limit.
_CALLS = 50
#: Variables of a whole section.
_OF_SECTIONS = frozenset({"Ra"})


@dataclass(frozen=True, slots=True, eq=False)
class _Compartments:
    """c of them, in order of section and place. section, row: int64[c]; x, path: float64[c]; count: int64[s]."""

    section: np.ndarray
    x: np.ndarray
    row: np.ndarray
    path: np.ndarray
    count: np.ndarray


def _compartments(morphology: Morphology, derived: Sections, report: Report) -> _Compartments:
    """As many in a section as NeuroML's own sections have that lie on it."""
    own = segment_shape(morphology)
    first = np.zeros(own.geometry.size, dtype=np.int64)
    rows = np.arange(morphology.size)[::-1]
    first[own.section[rows]] = rows
    on = derived.segment_section[first]
    count = np.maximum(np.bincount(on, weights=own.count, minlength=derived.size).astype(np.int64), 1)
    size = own.geometry.length / own.count
    even = derived.length[on] / count[on]
    message = (
        "sections of several NeuroML sections of other lengths, which are one in SONATA, have as many compartments, "
        "but of equal lengths"
    )
    uneven = int((np.abs(size - even) > 1e-3 * even).sum())
    report.approximated("compartments", f"morphology {morphology.name}", message, count=uneven)
    soma = (derived.tag == Tag.SOMA) & (count > 1)
    message = "spikes are detected at the end of the soma in SONATA, and in NeuroML in the middle of the root segment"
    report.approximated("spike-location", f"morphology {morphology.name}", message, count=int(soma.sum()))
    section = np.repeat(np.arange(derived.size), count)
    within = np.arange(len(section)) - np.repeat(np.cumsum(count) - count, count)
    x = (within + 0.5) / count[section]
    row, along = locate(morphology, section, x)
    near, far = path_length(morphology)
    return _Compartments(section, x, row, near[row] + along * (far[row] - near[row]), count)


def hoc_template(name: str, model: SegmentModel, morphology: Morphology, report: Report) -> str:
    """The text of ``NAME.hoc``. morphology: as of `pynn_io.graph.section_form.standing`."""
    derived = sections(morphology)
    parts = _compartments(morphology, derived, report)
    names = section_names(derived)
    arrays = {array: sum(each.startswith(f"{array}[") for each in names) for array in _LISTS}
    shape = [_geometry(names, number, derived, morphology, parts) for number in range(derived.size)]
    membranes = _membranes(model, derived, parts)
    kinds = list(dict.fromkeys(membranes))
    there = {array: size for array, size in arrays.items() if size}
    lists = ["all", *(_LISTS[array] for array in there)]
    lines = [
        f"// A cell of NeuroML, written by pynn_io: sections in SONATA's order, um, mV, S/cm2.\nbegintemplate {name}",
        f"public {', '.join([*there, *lists])}",
        f"create {', '.join(f'{array}[{size}]' for array, size in there.items())}",
        f"objref {', '.join(lists)}",
    ]
    lines += [line for number, body in enumerate(kinds) for line in _procedure(f"membrane_{number}", body)]
    calls = []
    for number, body in enumerate(shape):
        paint = f"membrane_{kinds.index(membranes[number])}()"
        lines += _procedure(f"section_{number}", [*body, f"{names[number]} {paint}"])
        calls.append(f"section_{number}()")
    calls = [*_lists(there), *_in_procedures("build", calls, lines)]
    lines += [*_procedure("init", calls), f"endtemplate {name}"]
    return "\n".join(lines) + "\n"


def _lists(arrays: Mapping[str, int]) -> Iterator[str]:
    yield from (f"{each} = new SectionList()" for each in ["all", *(_LISTS[array] for array in arrays)])
    for array, size in arrays.items():
        yield f"for i = 0, {size - 1} {array}[i] {{ all.append() {_LISTS[array]}.append() }}"


def _procedure(name: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"proc {name}() {{ local i"
    yield from (f"  {line}" for line in lines)
    yield "}"


def _in_procedures(name: str, calls: list[str], lines: list[str]) -> list[str]:
    """The calls, or those of procedures that make them, so that none is long."""
    if len(calls) <= _CALLS:
        return calls
    made = []
    for number, start in enumerate(range(0, len(calls), _CALLS)):
        lines += _procedure(f"{name}_{number}", calls[start : start + _CALLS])
        made.append(f"{name}_{number}()")
    return _in_procedures(f"{name}_all", made, lines)


def _geometry(
    names: list[str], number: int, derived: Sections, morphology: Morphology, parts: _Compartments
) -> Iterator[str]:
    """Points, number of compartments, and what the section begins on."""
    rows = derived.rows(number)
    points = [morphology.proximal[rows[0]], morphology.distal[rows[0]]]
    for row in rows[1:].tolist():
        if not np.array_equal(morphology.proximal[row], points[-1]):
            points.append(morphology.proximal[row])
        points.append(morphology.distal[row])
    yield f"{names[number]} {{ pt3dclear()"
    yield from (f"  pt3dadd({', '.join(map(repr, point))})" for point in np.array(points).tolist())
    yield f"  nseg = {parts.count[number]} }}"
    on = int(derived.parent[number])
    if on >= 0:
        yield f"connect {names[number]}(0), {names[on]}({float(derived.parent_fraction[number])!r})"


# --- the membrane -------------------------------------------------------------------------------------------------


def _membranes(model: SegmentModel, derived: Sections, parts: _Compartments) -> list[tuple[str, ...]]:
    """What is done to each section, as lines."""
    inserted: list[list[str]] = [[] for _ in range(derived.size)]
    values: dict[str, np.ndarray] = {}
    for spread in model.spreads:
        here = np.isin(parts.row, spread.rows)
        for section in np.unique(parts.section[here]).tolist():
            inserted[section].append(spread.mechanism)
        for name, number in spread.parameters.items():
            column = values.setdefault(f"{name}_{spread.mechanism}", np.full(len(parts.row), np.nan))
            column[here] = number
        _vary(spread, parts, values)
    for name, rows, number in model.values:
        if name != "v":  # the plan's
            values.setdefault(name, np.full(len(parts.row), np.nan))[np.isin(parts.row, rows)] = number
    found = []
    for section, mechanisms in enumerate(inserted):
        mine = np.flatnonzero(parts.section == section)
        lines = [f"insert {each}" for each in dict.fromkeys(mechanisms)]
        for name, column in values.items():
            lines += _assigned(name, column[mine], parts.x[mine])
        found.append(tuple(lines))
    return found


def _vary(spread: Spread, parts: _Compartments, values: dict[str, np.ndarray]) -> None:
    for each in spread.varying:
        rows = np.flatnonzero(np.isin(parts.row, each.rows))
        path = (parts.path[rows] - each.start) / each.scale
        name = f"{each.parameter}_{spread.mechanism}"
        values.setdefault(name, np.full(len(parts.row), np.nan))[rows] = (
            np.asarray(value(each.value, {each.variable: path})) * each.factor
        )


def _assigned(name: str, numbers: np.ndarray, x: np.ndarray) -> Iterator[str]:
    stated = ~np.isnan(numbers)
    if not stated.any():
        return
    if (stated.all() and (numbers == numbers[0]).all()) or name in _OF_SECTIONS:
        yield f"{name} = {float(numbers[stated][-1])!r}"
        return
    for place in np.flatnonzero(stated).tolist():
        yield f"{name}({float(x[place])!r}) = {float(numbers[place])!r}"


def hoc_name(name: str, taken: Iterable[str]) -> str:
    """A name for the template of a cell that hoc takes, unlike those that are taken."""
    stem = made = f"Cell_{re.sub(r'[^0-9A-Za-z_]', '_', name)}"
    number = 1
    while made in set(taken):
        number += 1
        made = f"{stem}_{number}"
    return made
