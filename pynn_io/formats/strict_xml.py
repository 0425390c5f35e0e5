"""Small XML documents of other people: manifests, SED-ML. No entities, no document types, nothing fetched."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from pynn_io.errors import ReadError

#: Bytes of a manifest or a description: more is no such thing.
LARGEST = 64 * 2**20


def read_xml(path: Path) -> etree._Element:
    """The root element of a document of at most 64 MB. Raises ReadError with ``file:line``."""
    try:
        size = path.stat().st_size
        text = path.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise ReadError(f"cannot be read: {error.strerror or error}", where=path) from error
    if size > LARGEST:
        raise ReadError(f"{size} bytes are too many for a document of this kind", where=path)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise ReadError(f"not well-formed XML: {error.msg}", where=f"{path}:{error.lineno or 1}") from None
    if root.getroottree().docinfo.doctype:
        hint = "remove the DOCTYPE, and write out what its entities stand for"
        raise ReadError("a document type definition is not read", where=path, hint=hint)
    return root


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace; empty for comments and instructions."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def namespace(element: etree._Element) -> str:
    """The namespace of an element; empty where it has none."""
    return etree.QName(element).namespace or ""
