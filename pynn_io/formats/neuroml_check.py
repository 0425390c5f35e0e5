"""Whether a NeuroML document is right: structure, and everything that refers to something.

Finds what jNeuroML's and libNeuroML's validators do not (a connection to a cell that is not there, a wrong component in
a path, a dangling parent segment ...), needs neither, and takes one pass over the file. Where libNeuroML is installed
its copy of the schema is asked as well.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_check_records import TOLD, Document, Listing, Node, Problem, Side
from pynn_io.formats.neuroml_tables import read_document

#: Core files that jNeuroML resolves from its jar: nothing to look for on disk.
_CORE_NAMES = """Cells Channels Inputs Networks NeuroML2CoreTypes NeuroMLCoreCompTypes NeuroMLCoreDimensions PyNN
Simulation Synapses"""
CORE = frozenset(f"{name}.xml" for name in _CORE_NAMES.split())
#: Files larger than this are not loaded whole for the schema; the structure check of our own is the same and streams.
SCHEMA_LIMIT = 50_000_000


def check(path: Path, *, schema: bool = True) -> list[Problem]:
    """Every problem of a ``.nml``, ``.net.nml`` or ``.nml.h5`` file and of what it includes; empty if it is right.

    schema: also ask the XSD, where libNeuroML is installed and the file is not too large. Raises ReadError only for a
    file that is not there.
    """
    if not path.exists():
        raise ReadError("no such file", where=path)
    if path.suffix in (".h5", ".hdf5"):
        from pynn_io.formats.neuroml_check_hdf5 import read_network

        document = read_network(path)
    else:
        document = read_document(path, str(path))
    problems = list(document.problems)
    known = Known()
    known.add_includes(document, path.parent, problems, {path.resolve()})
    known.add(document, problems)
    for number, network in enumerate(document.networks):
        problems += _network(document, network, document.lists.get(number, []), known)
    if schema and path.suffix not in (".h5", ".hdf5") and path.stat().st_size < SCHEMA_LIMIT:
        lines = {problem.line for problem in problems}
        problems += [problem for problem in _schema_problems(path) if problem.line not in lines]
    return problems


def documents(path: Path) -> list[Path]:
    """What to check of a file: itself, or, of a LEMS simulation, the NeuroML that it includes and that is there."""
    from lxml import etree

    if path.suffix in (".h5", ".hdf5"):
        return [path]
    included: list[str] = []
    try:
        for event, element in etree.iterparse(path, events=("start", "end"), resolve_entities=False, no_network=True):
            if event == "start" and element.getparent() is None and etree.QName(element).localname.lower() != "lems":
                return [path]
            if event == "end" and etree.QName(element).localname == "Include":
                included.append(element.get("file") or element.get("href") or "")
    except (OSError, etree.XMLSyntaxError):
        return [path]  # the check says what is wrong with it
    return [path.parent / name for name in included if name.endswith(".nml") and (path.parent / name).is_file()]


@dataclass(slots=True)
class Known:
    """What a document can refer to: its components and those of its includes; segments by cell."""

    components: dict[str, Node] = field(default_factory=dict)
    segments: dict[str, np.ndarray] = field(default_factory=dict)
    unresolved: bool = False

    def add_includes(self, document: Document, folder: Path, problems: list[Problem], seen: set[Path]) -> None:
        """Components of every included file, recursively; a file that is missing is a problem."""
        for include in document.includes:
            href = include.attributes.get("href") or include.attributes.get("file") or ""
            if href.startswith(("http://", "https://")):
                self.unresolved = True
                continue
            target = folder / href
            if Path(href).name in CORE and not target.exists():
                continue
            if target.resolve() in seen:
                continue
            seen.add(target.resolve())
            if not target.is_file():
                problems.append(Problem(document.file, include.line, f"included file {href!r} does not exist"))
                self.unresolved = True
                continue
            included = read_document(target, str(target), strict=not _is_lems(target))
            problems += included.problems
            self.add_includes(included, target.parent, problems, seen)
            self.add(included, problems)

    def add(self, document: Document, problems: list[Problem]) -> None:
        """The components of one file, checked for themselves once all that they can refer to is known."""
        for node in document.components:
            earlier = self.components.get(node.id)
            if earlier is not None and node.id:
                problems.append(
                    Problem(
                        document.file, node.line, f"<{node.tag}> has the id {node.id!r} of an earlier <{earlier.tag}>"
                    )
                )
            self.components[node.id] = node
        for node in document.components:
            problems += (Problem(document.file, line, text) for line, text in self._component(node))

    def _component(self, node: Node) -> Iterator[tuple[int, str]]:
        if node.tag == "morphology":
            yield from _morphology(node)
        if node.tag not in ("cell", "cell2CaPools"):
            return
        morphology = next(iter(node.all("morphology")), self.components.get(node.attributes.get("morphology", "")))
        if morphology is None:
            yield node.line, f"cell {node.id!r} has no morphology"
            return
        if morphology in node.children:
            yield from _morphology(morphology)
        self.segments[node.id] = _segment_ids(morphology)
        for biophysics in node.all("biophysicalProperties", "biophysicalProperties2CaPools"):
            yield from self._biophysics(biophysics, morphology)

    def _biophysics(self, node: Node, morphology: Node) -> Iterator[tuple[int, str]]:
        groups = {group.id for group in morphology.all("segmentGroup")} | {"all"}
        segments = set(_segment_ids(morphology).tolist())
        inside = [item for part in node.children for item in part.children]
        for item in inside:
            group = item.attributes.get("segmentGroup")
            if group is not None and group not in groups:
                yield item.line, f"<{item.tag}> names the segment group {group!r}, which the morphology does not have"
            segment = item.attributes.get("segment")
            if segment is not None and segment.isdigit() and int(segment) not in segments:
                yield item.line, f"<{item.tag}> names segment {segment}, which the morphology does not have"
            for word in ("ionChannel", "concentrationModel"):
                wanted = item.attributes.get(word)
                if wanted is not None and not self.has(wanted):
                    yield item.line, f"<{item.tag}> names the {word} {wanted!r}, which is defined nowhere"
        if not any(item.tag == "resistivity" for item in inside):
            yield node.line, f"<{node.tag}> states no resistivity: its intracellularProperties lack it"

    def has(self, name: str) -> bool:
        return name in self.components or self.unresolved


def _is_lems(path: Path) -> bool:
    """Whether an included file defines types of its own, so that the schema's structure cannot be asked of it."""
    return path.suffix != ".nml" or b"<ComponentType" in path.read_bytes()


def _segment_ids(morphology: Node) -> np.ndarray:
    return np.array(
        [int(s.id) for s in morphology.all("segment") if s.id.strip().isdigit()], dtype=np.int64
    )  # fmt: skip


def _morphology(node: Node) -> Iterator[tuple[int, str]]:
    segments = node.all("segment")
    lines = {segment.id: segment.line for segment in segments}
    for name, count in Counter(segment.id for segment in segments).items():
        if count > 1:
            yield lines[name], f"segment id {name} occurs {count} times"
    roots = []
    parents = {}
    for segment in segments:
        parent = next(iter(segment.all("parent")), None)
        if parent is None:
            roots.append(segment)
            if not segment.all("proximal"):
                yield segment.line, f"segment {segment.id} has neither a parent nor a proximal point"
        elif parent.attributes.get("segment") not in lines:
            yield (
                parent.line,
                f"segment {segment.id} has the parent {parent.attributes.get('segment')}, which is not there",
            )
        else:
            parents[segment.id] = parent.attributes["segment"]
    for segment in roots[1:]:
        yield segment.line, f"segment {segment.id} is a second root: it has no parent, like segment {roots[0].id}"
    if segments and not roots:
        yield node.line, "the segments have no root: every one has a parent"
    yield from ((lines[name], f"segment {name} is its own ancestor") for name in _in_cycles(parents)[:1])
    yield from _groups(node, set(lines))


def _in_cycles(parents: Mapping[str, str]) -> list[str]:
    fine: set[str] = set()
    for start in parents:
        path: list[str] = []
        name: str | None = start
        while name is not None and name not in fine:
            if name in path:
                return path[path.index(name) :]
            path.append(name)
            name = parents.get(name)
            if len(path) > len(parents):
                return path
        fine.update(path)
    return []


def _groups(node: Node, segments: set[str]) -> Iterator[tuple[int, str]]:
    groups = node.all("segmentGroup")
    every = {group.id for group in groups}
    earlier: set[str] = set()
    for group in groups:
        if group.id in earlier:
            yield group.line, f"segment group {group.id!r} is there twice"
        for member in group.all("member"):
            if member.attributes.get("segment") not in segments:
                wanted = member.attributes.get("segment")
                yield member.line, f"group {group.id!r} has the member {wanted}, a segment that is not there"
        for include in group.all("include"):
            wanted = include.attributes.get("segmentGroup", "")
            if wanted not in every:
                yield include.line, f"group {group.id!r} includes {wanted!r}, a group that is not there"
            elif wanted not in earlier:
                yield include.line, f"group {group.id!r} includes {wanted!r} before that is defined"
        for part in group.all("path", "subTree"):
            for word in part.all("from", "to"):
                if word.attributes.get("segment") not in segments:
                    yield word.line, f"group {group.id!r} names segment {word.attributes.get('segment')}, not there"
        earlier.add(group.id)


@dataclass(slots=True)
class _Cells:
    """A population as its references need it."""

    component: str
    numbers: np.ndarray | None  # instance ids where listed
    size: int

    def has(self, cells: np.ndarray) -> np.ndarray:
        if self.numbers is None:
            return (cells >= 0) & (cells < self.size)
        return np.isin(cells, self.numbers)


def _network(document: Document, network: Node, lists: list[Listing], known: Known) -> Iterator[Problem]:
    def problem(line: int, text: str) -> Problem:
        return Problem(document.file, line, text)

    populations: dict[str, _Cells] = {}
    taken: dict[str, str] = {}
    for listing in lists:
        node = listing.node
        if node.id in taken:
            yield problem(node.line, f"<{node.tag}> has the id {node.id!r} of an earlier <{taken[node.id]}>")
        taken[node.id] = node.tag
        if node.tag == "population":
            yield from (problem(*item) for item in _population(listing, known, populations))
    for listing in lists:
        if listing.node.tag != "population":
            yield from (problem(*item) for item in _references(listing, known, populations))
    for item in network.all("explicitInput", "synapticConnection"):
        for word in ("input", "synapse"):
            wanted = item.attributes.get(word)
            if wanted is not None and not known.has(wanted):
                yield problem(item.line, f"<{item.tag}> names the {word} {wanted!r}, which is defined nowhere")


def _population(listing: Listing, known: Known, populations: dict[str, _Cells]) -> Iterator[tuple[int, str]]:
    node = listing.node
    component = node.attributes.get("component", "")
    if not known.has(component):
        yield node.line, f"population {node.id!r} has the component {component!r}, which is defined nowhere"
    stated = node.attributes.get("size")
    listed = node.attributes.get("type") == "populationList" or len(listing.ids) > 0
    if listed and stated is not None and stated.isdigit() and int(stated) != len(listing.ids):
        yield node.line, f"population {node.id!r} states the size {stated} and lists {len(listing.ids)} instances"
    yield from _duplicates(listing, f"instance of population {node.id!r}")
    size = int(stated) if stated is not None and stated.isdigit() else 0
    populations.setdefault(node.id, _Cells(component, listing.ids if listed else None, size))


def _duplicates(listing: Listing, what: str) -> Iterator[tuple[int, str]]:
    order = np.argsort(listing.ids, kind="stable")
    again = order[1:][np.diff(listing.ids[order]) == 0]
    again = again[listing.ids[again] >= 0]
    for row in np.sort(again)[:TOLD].tolist():
        yield int(listing.lines[row]), f"id {listing.ids[row]} of an {what} is used before"
    yield from _more(listing, len(again))


def _references(listing: Listing, known: Known, populations: dict[str, _Cells]) -> Iterator[tuple[int, str]]:
    node = listing.node
    name = f"<{node.tag}> {node.id!r}"
    for word in ("synapse", "component"):
        wanted = node.attributes.get(word)
        if wanted is not None and not known.has(wanted):
            yield node.line, f"{name} names the {word} {wanted!r}, which is defined nowhere"
    for wanted in sorted(listing.components):
        if not known.has(wanted):
            yield node.line, f"connections of {name} name {wanted!r}, which is defined nowhere"
    yield from _duplicates(listing, f"element of {name}")
    if listing.delays is not None:
        yield from _rows(listing, listing.delays < 0, "has a negative delay")
    words = ("population",) if node.tag == "inputList" else ("presynapticPopulation", "postsynapticPopulation")
    for word, side in zip(words, listing.sides, strict=True):
        wanted = node.attributes.get(word, "")
        population = populations.get(wanted)
        if population is None:
            yield node.line, f"{name} names the {word} {wanted!r}, which is not in the network"
            continue
        yield from _side(listing, side, wanted, population, known)
    yield from _paths(listing, populations)


def _side(listing: Listing, side: Side, name: str, population: _Cells, known: Known) -> Iterator[tuple[int, str]]:
    outside = (side.cells >= 0) & ~population.has(side.cells)
    yield from _rows(listing, outside, "refers to cell {} of population {!r}, which is not there", side.cells, name)
    segments = known.segments.get(population.component, np.zeros(1, dtype=np.int64))
    missing = ~np.isin(side.segments, segments)
    if population.component in known.components or population.component in known.segments:
        text = "refers to segment {} of {!r}, which is not there"
        yield from _rows(listing, missing, text, side.segments, population.component)
    outside = ~((side.fractions >= 0) & (side.fractions <= 1))
    yield from _rows(listing, outside, "has a fraction along of {}, not 0 to 1", side.fractions)


def _paths(listing: Listing, populations: dict[str, _Cells]) -> Iterator[tuple[int, str]]:
    for line, path, name in listing.paths:
        if name in populations:
            expected = f"../{name}/NUMBER/{populations[name].component}"
            yield line, f"{path!r} does not lead to an instance of population {name!r} ({expected})"
    yield from _more(listing, listing.path_faults)


def _rows(
    listing: Listing, wrong: np.ndarray, text: str, values: np.ndarray | None = None, name: Any = None
) -> Iterator[tuple[int, str]]:
    rows = np.flatnonzero(wrong)
    what = "input" if listing.node.tag == "inputList" else "connection"
    for row in rows[:TOLD].tolist():
        filled = text.format(values[row] if values is not None else "", name)
        yield int(listing.lines[row]), f"{what} {listing.ids[row]} of {listing.node.id!r} {filled}"
    yield from _more(listing, len(rows))


def _more(listing: Listing, count: int) -> Iterator[tuple[int, str]]:
    if count > TOLD:
        yield listing.node.line, f"{count - TOLD} more of the same in {listing.node.id!r}"


@cache
def _schema() -> Any:
    """The 2.3.1 schema of the libNeuroML package, or None where it is not installed."""
    from lxml import etree

    found = importlib.util.find_spec("neuroml")
    if found is None or not found.submodule_search_locations:
        return None
    file = Path(found.submodule_search_locations[0]) / "nml" / "NeuroML_v2.3.1.xsd"
    return etree.XMLSchema(etree.parse(str(file))) if file.exists() else None


def _schema_problems(path: Path) -> list[Problem]:
    from lxml import etree

    schema = _schema()
    if schema is None:
        return []
    try:
        schema.validate(etree.parse(str(path)))
    except etree.XMLSyntaxError:
        return []  # the structure check has told it, with its line
    return [Problem(str(path), entry.line, entry.message) for entry in schema.error_log]
