"""NeuroML's own core types, as pyNeuroML brings them along: read by the importer, to compare ours with."""

from __future__ import annotations

import zipfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from lxml import etree

from pynn_io.formats.neuroml_records import Element
from pynn_io.graph.dynamics import ComponentType
from pynn_io.importers.lems_types import component_types
from pynn_io.importers.neuroml_context import Context
from pynn_io.report import Report

FILES = ("Channels", "Synapses", "Inputs", "PyNN", "Cells", "NeuroMLCoreCompTypes")


@cache
def jar() -> Path:
    """jNeuroML, or skip."""
    spec = find_spec("pyneuroml")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs pyNeuroML, which brings jNeuroML along")
    return sorted(Path(spec.submodule_search_locations[0], "lib").glob("jNeuroML-*.jar"))[-1]


@cache
def elements() -> dict[str, etree._Element]:
    """The ``<ComponentType>`` elements by name."""
    found = {}
    with zipfile.ZipFile(jar()) as archive:
        for name in FILES:
            root = etree.fromstring(archive.read(f"NeuroML2CoreTypes/{name}.xml"))
            found |= {item.get("name"): item for item in root.iter("{*}ComponentType")}
    return found


@cache
def types() -> dict[str, ComponentType]:
    """The same as rows."""
    return component_types([element(each) for each in elements().values()], Context(Report()))


def element(node: etree._Element) -> Element:
    children = [element(child) for child in node if isinstance(child.tag, str)]
    return Element(etree.QName(node).localname, dict(node.attrib), tuple(children), where=f"core:{node.sourceline}")


def read(text: str) -> dict[str, ComponentType]:
    """The types of a text."""
    return component_types([element(each) for each in etree.fromstring(text).iter("ComponentType")], Context(Report()))
