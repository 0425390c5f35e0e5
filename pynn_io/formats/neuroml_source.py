"""A small reader: whole documents as trees. (Stands in for the streaming reader.)"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_records import Element

CORE = frozenset(
    [
        "Cells.xml",
        "Networks.xml",
        "Simulation.xml",
        "Channels.xml",
        "Synapses.xml",
        "Inputs.xml",
        "PyNN.xml",
        "NeuroMLCoreDimensions.xml",
        "NeuroMLCoreCompTypes.xml",
        "NeuroML2CoreTypes.xml",
    ]
)


@dataclass(slots=True)
class Source:
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


def read_source(path: Path) -> Source:
    source = Source(path)
    _file(path, source)
    return source


def _file(path: Path, source: Source) -> None:
    path = path.resolve()
    if path in source.files:
        return
    source.files.append(path)
    if not path.is_file():
        raise ReadError("no such file", where=path)
    try:
        root = etree.parse(path, etree.XMLParser(remove_comments=True, resolve_entities=False)).getroot()
    except etree.XMLSyntaxError as error:
        raise ReadError(f"not XML: {error.msg}", where=f"{path}:{error.lineno}") from error
    element = _element(root, path)
    if len(source.files) == 1:
        source.id = element.attributes.get("id", "")
    for child in element.children:
        _top(child, path, source)


def _top(child: Element, path: Path, source: Source) -> None:
    tag = child.attributes.get("type", "") if child.tag == "Component" else child.tag
    if tag in ("include", "Include"):
        href = child.attributes.get("href") or child.attributes.get("file") or ""
        if href not in CORE:
            _file(path.parent / href, source)
    elif tag == "Target":
        source.target = source.target or child.attributes["component"]
    elif tag in ("notes", "property", "annotation"):
        if len(source.files) == 1:
            source.words.append(child)
    else:
        place: dict[str, Any] = {
            "ComponentType": source.types,
            "Unit": source.units,
            "Dimension": source.dimensions,
            "network": source.networks,
            "Simulation": source.simulations,
        }
        place.get(tag, source.components).append(child)


def _element(node: Any, path: Path) -> Element:
    """Names of other namespaces (in annotations) stay as lxml has them: ``{namespace}name``."""
    children = tuple(_element(child, path) for child in node if isinstance(child.tag, str))
    name = etree.QName(node)
    foreign = name.namespace is not None and "neuroml.org" not in name.namespace
    attributes = {key: value for key, value in node.attrib.items() if foreign or "}" not in key}
    tag = node.tag if foreign else name.localname
    return Element(tag, attributes, children, node.text or "", f"{path}:{node.sourceline}")
