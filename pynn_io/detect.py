"""What a path holds: first by content, then by extension; ambiguity is an error that lists the candidates."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from zipfile import is_zipfile

from pynn_io import registry
from pynn_io.errors import FormatError, ReadError

#: Enough of a text file to see what it is.
HEAD = 65536
_SONATA_KEYS = frozenset({"networks", "network", "simulation", "run", "components", "manifest"})
_SONATA_PARTS = ("nodes", "edges", "spikes", "report")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_XML_ROOT = re.compile(rb"<\s*([A-Za-z_][\w.:-]*)[\s>/]")
_PYNN_IMPORT = re.compile(rb"^[ \t]*(from|import)[ \t]+pyNN\b", re.MULTILINE)
_SWC_ROW = re.compile(rb"^\s*\d+\s+-?\d+(\s+[-+.\deE]+){4}\s+-?\d+\s*$", re.MULTILINE)


def detect(path: Path) -> str:
    """The name of the one format whose content check accepts ``path``, else the one whose extension fits.

    Raises ReadError if there is no such file, FormatError if nothing or more than one thing fits.
    """
    path = Path(path)
    require(path)
    rows = [row for row in registry.formats().values() if row.reader or row.writer]
    by_content = [row.name for row in rows if row.sniff and registry.load(row, "sniff")(path)]
    if not by_content:
        _refuse_parts(path)
    by_extension = [row.name for row in rows if path.suffix.lower() in row.extensions]
    for candidates in (by_content, by_extension):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise FormatError(
                f"could be any of: {', '.join(candidates)}", where=path, hint="say which with --from FORMAT"
            )
    if path.is_dir():
        raise FormatError(
            "no SONATA configuration in this folder, and no .mod file",
            where=path,
            hint="name the file that is to be read, not its folder",
        )
    if is_zipfile(path):
        hint = (
            f"`pynn-reproduce {path} --list` says what is in it, and without --list runs it; unpack it for the others"
        )
        raise FormatError("an archive, of which other commands take the files one by one", where=path, hint=hint)
    raise FormatError(
        "not a format that pynn_io knows",
        where=path,
        hint="say which it is with --from FORMAT; `pynn-convert --list` shows them",
    )


def require(path: Path) -> None:
    """Raises ReadError for a path that leads to no file and no folder, or cannot be followed."""
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise ReadError("no such file or folder", where=path, hint="check the path") from None
    except (OSError, ValueError) as error:  # a loop of links, a name that is too long, a folder that is closed to us
        why = getattr(error, "strerror", None) or error
        raise ReadError(f"cannot be read: {why}", where=path, hint="check the path, and who may read it") from error
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        raise ReadError("neither a file nor a folder", where=path, hint="give the path of a regular file")


def _refuse_parts(path: Path) -> None:
    """FormatError for an HDF5 file that is only a part of a SONATA circuit, since it does not say of which, and for
    one of results."""
    if not path.is_file() or _head(path)[:8] != _HDF5:
        return
    from pynn_io.formats.h5_file import open_h5
    from pynn_io.results.nix import holds_only_results

    if holds_only_results(path):
        hint = "pynn_io.read_results reads it, and pynn-compare compares it"
        raise FormatError("results of a run, and no network", where=path, hint=hint)

    with open_h5(path) as file:
        parts = [name for name in _SONATA_PARTS if name in file]
    if parts:
        raise FormatError(
            f"a part of a SONATA circuit, its {' and '.join(parts)}",
            where=path,
            hint="give the circuit or simulation configuration that names this file",
        )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise ReadError(f"cannot be read: {error.strerror or error}", where=path) from error


def is_sonata(path: Path) -> bool:
    """A JSON object with the keys of a SONATA config, or a folder that holds such a file."""
    if path.is_dir():
        return any(is_sonata(file) for file in sorted(path.glob("*.json")))
    head = _head(path).lstrip()
    if path.suffix.lower() != ".json" and not head.startswith(b"{"):
        return False
    try:
        config = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        # A broken config is still one: the reader says what is wrong with it and where.
        return any(f'"{key}"'.encode() in head for key in _SONATA_KEYS)
    return isinstance(config, dict) and bool(_SONATA_KEYS & config.keys())


def is_nmodl(path: Path) -> bool:
    """A folder with ``.mod`` files; a single one is known by its extension."""
    return path.is_dir() and any(path.glob("*.mod"))


def is_neuroml(path: Path) -> bool:
    """An XML file whose root element is ``neuroml`` or, in any case of letters, ``Lems``."""
    return _xml_root(path).lower() in (b"neuroml", b"lems")


def is_sedml(path: Path) -> bool:
    """An XML file whose root element is ``sedML``."""
    return _xml_root(path) == b"sedML"


def _xml_root(path: Path) -> bytes:
    """The name of the first element of a text, without its namespace; empty where there is none."""
    if path.is_dir():
        return b""
    head = re.sub(rb"<\?.*?\?>|<!--.*?-->", b"", _head(path), flags=re.DOTALL)
    root = _XML_ROOT.search(head)
    return root[1].split(b":")[-1] if root is not None else b""


def is_pynn(path: Path) -> bool:
    """A Python script that imports PyNN."""
    return path.is_file() and path.suffix.lower() in {".py", ""} and _PYNN_IMPORT.search(_head(path)) is not None


def is_swc(path: Path) -> bool:
    """A text file with rows of seven numbers."""
    return path.is_file() and path.suffix.lower() in {".swc", ""} and _SWC_ROW.search(_head(path)) is not None


def is_h5_morphology(path: Path) -> bool:
    """An HDF5 file with the datasets of h5v1, ``points`` and ``structure``, at its root or in each of its groups."""
    if not path.is_file() or _head(path)[:8] != _HDF5:
        return False
    import h5py

    from pynn_io.formats.h5_file import open_h5

    with open_h5(path) as file:
        parts = [file] if "points" in file else list(file.values())
        return bool(parts) and all(
            isinstance(part, h5py.Group) and {"points", "structure"} <= part.keys() for part in parts
        )


def is_nix(path: Path) -> bool:
    """An HDF5 file whose root states the format ``nix``, and which is not one of results only."""
    if not path.is_file() or _head(path)[:8] != _HDF5:
        return False
    from pynn_io.formats.h5_file import open_h5
    from pynn_io.results.nix import holds_only_results

    with open_h5(path) as file:
        if file.attrs.get("format") not in ("nix", b"nix"):
            return False
    return not holds_only_results(path)


def is_nir(path: Path) -> bool:
    """An HDF5 file with a version and a node that has a type."""
    if not path.is_file() or _head(path)[:8] != _HDF5:
        return False
    from pynn_io.formats import nir
    from pynn_io.formats.h5_file import open_h5

    with open_h5(path) as file:
        return nir.is_nir(file)


def is_asc(path: Path) -> bool:
    """A text file with Neurolucida's nested parentheses."""
    return path.is_file() and path.suffix.lower() == ".asc" and b"(" in _head(path)
