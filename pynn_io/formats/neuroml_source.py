"""A NeuroML document or LEMS file with everything that it includes, as records: elements by what they are for.

``<include href>`` and ``<Include file>`` are relative to the file they stand in; each file is read once. NeuroML's core
files (``Cells.xml`` ...) are part of the language and never looked for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from pynn_io.errors import ReadError, UnsafeArchive
from pynn_io.formats.neuroml_hdf5_read import read_hdf5
from pynn_io.formats.neuroml_records import Element
from pynn_io.formats.neuroml_schema import types
from pynn_io.formats.neuroml_stream import read_element
from pynn_io.formats.neuroml_structure import Structure
from pynn_io.report import Report

#: Files of the core types, which jNeuroML has inside.
CORE = frozenset(
    f"{name}.xml"
    for name in (
        *("Cells", "Channels", "Inputs", "Networks", "NeuroML2CoreTypes", "NeuroMLCoreCompTypes"),
        *("NeuroMLCoreDimensions", "PyNN", "Simulation", "Synapses"),
    )
)
_HDF5 = (".h5", ".hdf5")
#: Attributes of other namespaces say something of the XML.
_FOREIGN = "{"
_WORDS = ("notes", "property", "annotation")


@dataclass(slots=True)
class Source:
    """What a document and its includes hold, in the order in which they say it.

    types, units, dimensions, networks, simulations: elements of that kind; words: notes, properties and annotations of
    the file itself; components: all others. In networks, the long lists are columns (`Element.rows`).
    target: the component that a LEMS file runs. files: all that were read, the first one first.
    """

    path: Path
    id: str = ""
    components: list[Element] = field(default_factory=list)
    types: list[Element] = field(default_factory=list)
    units: list[Element] = field(default_factory=list)
    dimensions: list[Element] = field(default_factory=list)
    networks: list[Element] = field(default_factory=list)
    simulations: list[Element] = field(default_factory=list)
    words: list[Element] = field(default_factory=list)
    target: str = ""
    files: list[Path] = field(default_factory=list)


def read_source(
    path: Path,
    report: Report | None = None,
    *,
    core: Collection[str] = (),
    fast: bool = True,
    within: Path | None = None,
) -> Source:
    """Read ``.nml``, ``.xml`` (LEMS) or ``.nml.h5``.

    report: takes what a file cannot state exactly. core: names of NeuroML's own types, which may stand where the schema
    does not have them. fast=False: see `neuroml_stream.read_element`. within: a folder, outside of which nothing is
    opened. Raises ReadError with ``file:line`` for what cannot be read, an included file that is not there, files that
    include each other, and what the schema forbids; UnsafeArchive for a file outside of ``within``.
    """
    reader = _Reader(path, report, fast, within and within.resolve())
    reader.file(path, "")
    source = reader.source
    own = {element.attributes.get("name", "") for element in source.types}
    symbols = {element.attributes.get("symbol", "") for element in source.units}
    reader.structure.check(own, core, symbols, report)
    return source


class _Reader:
    def __init__(self, path: Path, report: Report | None, fast: bool, within: Path | None) -> None:
        self.source, self.report, self.fast, self.within = Source(path), report, fast, within
        self.structure = Structure()
        self.chain: list[Path] = []
        self._places = {
            "ComponentType": self.source.types,
            "Unit": self.source.units,
            "Dimension": self.source.dimensions,
            "network": self.source.networks,
            "Simulation": self.source.simulations,
        }

    def file(self, path: Path, where: str) -> None:
        """One file; where: of the include that names it."""
        path = path.resolve()
        if path in self.chain:
            circle = [each.name for each in (*self.chain[self.chain.index(path) :], path)]
            raise ReadError(f"files include each other: {' -> '.join(circle)}", where=where)
        if path in self.source.files:
            return
        if self.within is not None and not path.is_relative_to(self.within):
            raise UnsafeArchive(f"it names a file outside of the archive: {path}", where=where or path)
        if not path.is_file():
            if not where:
                raise ReadError("no such file", where=path)
            raise ReadError(f"the included file {path} does not exist", where=where)
        self.source.files.append(path)
        self.chain.append(path)
        if path.suffix in _HDF5:
            root = read_hdf5(path, self.report, watch=self.structure.watch)
        else:
            root = read_element(path, watch=self.structure.watch, fast=self.fast)
        if len(self.source.files) == 1:
            self.source.id = root.attributes.get("id", "")
        self._root(root, path)
        for child in root.children:
            self._child(child, path)
        self.chain.pop()

    def _root(self, root: Element, path: Path) -> None:
        """Attributes that a document itself cannot have."""
        for name, value in root.attributes.items():
            if root.tag != "neuroml" or name in types()["NeuroMLDocument"].attributes or name.startswith(_FOREIGN):
                continue
            if self.report is not None:
                message = f"The attribute {name} of <{root.tag}> has no place here."
                self.report.not_read("attribute", root.where or path, message, examples=[value])

    def _child(self, child: Element, path: Path) -> None:
        source = self.source
        tag = child.attributes.get("type", "") if child.tag == "Component" else child.tag
        if tag in ("include", "Include"):
            self._include(child, path)
        elif tag == "Target":
            if "component" not in child.attributes:
                raise ReadError("<Target> has no attribute 'component'", where=child.where)
            source.target = source.target or child.attributes["component"]
        elif tag in _WORDS:
            if len(source.files) == 1:
                source.words.append(child)
        else:
            self._places.get(tag, source.components).append(child)

    def _include(self, element: Element, path: Path) -> None:
        href = element.attributes.get("href") or element.attributes.get("file") or ""
        if not href:
            raise ReadError(f"<{element.tag}> names no file", where=element.where)
        if href in CORE:
            return
        if "://" in href:
            hint = "get the file, and include it by its path"
            raise ReadError(f"the included file {href} is not on this machine", where=element.where, hint=hint)
        self.file(path.parent / href, element.where)
