"""COMBINE archives (OMEX 1): zip files with a ``manifest.xml`` that says what each file is, and which to start with.

Bergmann et al. 2014, BMC Bioinformatics 15:369. The standard knows neither checksums nor expected results: what others
put beside them (``expected-results.json``, ``reports.h5``) are files like any other here.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lxml import etree

from pynn_io.errors import ReadError, WriteError
from pynn_io.formats.strict_xml import local_name, namespace, read_xml

MANIFEST = "manifest.xml"
NAMESPACE = "http://identifiers.org/combine.specifications/omex-manifest"
_COMBINE = "http://identifiers.org/combine.specifications/"
_MEDIA = "http://purl.org/NET/mediatypes/"
#: Formats by the ending of a name. LEMS has no agreed one: this is what BioSimulators takes.
FORMATS = {
    ".omex": _COMBINE + "omex",
    ".xml": _MEDIA + "application/lems+xml",
    ".nml": _COMBINE + "neuroml",
    ".sedml": _COMBINE + "sed-ml",
    ".rdf": _COMBINE + "omex-metadata",
    ".json": _MEDIA + "application/json",
    ".h5": _MEDIA + "application/x-hdf",
    ".nix": _MEDIA + "application/x-hdf",
    ".csv": _MEDIA + "text/csv",
    ".py": _MEDIA + "text/x-python",
    ".md": _MEDIA + "text/markdown",
}
_OTHER = _MEDIA + "application/octet-stream"
#: The manifest's words for itself and for the archive as a whole.
_SELF = frozenset({".", "./", "./" + MANIFEST, MANIFEST})
#: The earliest time that a zip file can state. Archives of equal content are equal files.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive. location: relative to its root, with ``/``. format: a URI. line: of the manifest."""

    location: str
    format: str
    master: bool = False
    line: int = 0


def read_manifest(path: Path) -> tuple[Entry, ...]:
    """The entries of a manifest, in its order, without those for the manifest and the archive themselves.

    Raises ReadError with ``file:line`` for what is no manifest, an entry without a location or format, one that is
    outside the archive, and two of one location.
    """
    root = read_xml(path)
    if local_name(root) != "omexManifest" or namespace(root) not in (NAMESPACE, ""):
        raise ReadError(f"<{local_name(root)}> is not the manifest of a COMBINE archive", where=f"{path}:1")
    entries = [_entry(child, path) for child in root if local_name(child) == "content"]
    seen: dict[str, int] = {}
    for entry in entries:
        if entry.location in seen:
            message = f"{entry.location!r} is listed twice, in line {seen[entry.location]} too"
            raise ReadError(message, where=f"{path}:{entry.line}")
        seen[entry.location] = entry.line
    return tuple(entry for entry in entries if entry.location not in _SELF)


def _entry(element: etree._Element, path: Path) -> Entry:
    where, line = f"{path}:{element.sourceline}", int(element.sourceline or 0)
    for name in ("location", "format"):
        if not element.get(name):
            raise ReadError(f"an entry without {name}", where=where)
    stated = element.get("location", "")
    location = stated.removeprefix("./") if stated not in _SELF else stated
    place = PurePosixPath(location.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts or "://" in location:
        raise ReadError(f"{stated!r} is not a place in the archive", where=where)
    master = element.get("master", "false")
    if master not in ("true", "false", "1", "0"):
        raise ReadError(f"master={master!r} is neither true nor false", where=where)
    return Entry(location, element.get("format", ""), master in ("true", "1"), line)


def format_of(name: str) -> str:
    """The format URI for a file, by the ending of its name."""
    return FORMATS.get(PurePosixPath(name).suffix.lower(), _OTHER)


def manifest_text(entries: Iterable[Entry]) -> bytes:
    """A manifest with these entries, the archive and itself."""
    root = etree.Element(f"{{{NAMESPACE}}}omexManifest", nsmap={None: NAMESPACE})
    own = (Entry(".", FORMATS[".omex"]), Entry(MANIFEST, NAMESPACE))
    for entry in (*own, *entries):
        content = etree.SubElement(root, f"{{{NAMESPACE}}}content", location=entry.location, format=entry.format)
        if entry.master:
            content.set("master", "true")
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return text


def write_omex(target: Path, folder: Path, entries: Sequence[Entry]) -> None:
    """Pack the entries, which are files below ``folder``, and their manifest. Equal content makes equal files.

    Raises WriteError for a file that is not there.
    """
    try:
        with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(MANIFEST, _EPOCH), manifest_text(entries), zipfile.ZIP_DEFLATED)
            for entry in entries:
                info = zipfile.ZipInfo(entry.location, _EPOCH)
                info.compress_type = zipfile.ZIP_DEFLATED
                with (folder / entry.location).open("rb") as file, archive.open(info, "w", force_zip64=True) as packed:
                    while chunk := file.read(1 << 20):
                        packed.write(chunk)
    except OSError as error:
        raise WriteError(f"cannot write: {error}", where=target) from error
