"""Zip files of strangers: everything in them ends inside one folder, or nothing does.

What a zip file states of itself is checked before a byte is written: names that lead out of the folder, links and
devices, two entries of one name, more or larger files than a model has, and bombs. Entries are then read at most as far
as they said they would go.
"""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pynn_io.errors import ReadError, UnsafeArchive, UnsupportedInput, WriteError
from pynn_io.progress import Progress, quiet

_BLOCK = 1 << 20
#: Text of zeros packs a thousandfold: only entries that unpack to more than this are judged by their ratio.
_SMALL = 10 * 2**20
_ENCRYPTED = 0x1
#: Bytes of a file's name, and of a path below a folder for temporary files, that every file system takes.
_LONGEST, _LONGEST_PATH = 255, 3000
#: Letters of such a name that are told.
_TOLD = 60
_MB = 1e6
#: Ways of packing that every Python unpacks, and names of others, by their numbers in the headers.
_KNOWN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA})
_METHODS = {9: "Deflate64", 20: "Zstandard", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES encryption"}
_AGAIN = "fetch the archive again"
_PACK_ANEW = "unpack it with the program that made it, and give the folder; or pack it anew, with Deflate"
_ELSEWHERE = "make room there, or let TMPDIR name a folder on a disk that has it"


@dataclass(frozen=True, slots=True)
class Limits:
    """entries: number of files and folders. size: bytes of all of them, unpacked. ratio: unpacked to packed size."""

    entries: int = 50_000
    size: int = 8 * 2**30
    ratio: float = 200.0


def extract(source: Path, folder: Path, limits: Limits | None = None, progress: Progress = quiet) -> tuple[Path, ...]:
    """Unpack a zip file into an existing, empty folder; the files, relative to it, in the archive's order.

    Raises UnsafeArchive, before anything is written, for what no honest archive holds; ReadError for a damaged file;
    WriteError where the folder cannot take it, as on a full disk. Whatever is raised, the folder is empty again.
    """
    with _opened(source) as archive, _emptied(folder):
        entries = _checked(archive, source, limits or Limits())
        _check_room(sum(entry.file_size for _, entry in entries), folder, source)
        files = []
        for done, (path, entry) in enumerate(entries):
            progress("unpacking", done, len(entries))
            if not entry.is_dir():
                _unpack(archive, entry, folder / path, source)
                files.append(Path(path))
        return tuple(files)


def names(source: Path, limits: Limits | None = None) -> tuple[str, ...]:
    """What a zip file holds, checked as `extract` does; nothing is unpacked."""
    with _opened(source) as archive:
        return tuple(str(path) for path, entry in _checked(archive, source, limits or Limits()) if not entry.is_dir())


@contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(source)
    except NotImplementedError as error:
        raise UnsupportedInput(f"it is of a later version of zip: {error}", where=source, hint=_PACK_ANEW) from error
    except (
        zipfile.BadZipFile,
        ValueError,
    ) as error:  # ValueError: places before the file's start, names in no encoding
        raise ReadError(f"not a readable zip file: {error}", where=source, hint=_AGAIN) from error
    except OSError as error:
        raise ReadError(f"cannot be read: {error.strerror or error}", where=source) from error
    with archive:
        yield archive


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    """Nothing half-unpacked is left in the folder, whatever goes wrong."""
    try:
        yield
    except BaseException:
        for path in folder.iterdir():
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        raise


def _check_room(size: int, folder: Path, source: Path) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        message = f"it unpacks to {size / _MB:.1f} MB, and {free / _MB:.1f} MB are free for it in {folder.parent}"
        raise WriteError(message, where=source, hint=_ELSEWHERE)


def _checked(
    archive: zipfile.ZipFile, source: Path, limits: Limits
) -> tuple[tuple[PurePosixPath, zipfile.ZipInfo], ...]:
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise UnsafeArchive(f"{len(entries)} entries are more than the {limits.entries} allowed", where=source)
    checked = tuple((_inside(entry, source), entry) for entry in entries)
    for _, entry in checked:
        _check_entry(entry, source, limits)
    total = sum(entry.file_size for entry in entries)
    if total > limits.size:
        raise UnsafeArchive(f"it unpacks to {total} bytes, more than the {limits.size} allowed", where=source)
    _check_clashes(((path, entry.is_dir()) for path, entry in checked), source)
    return checked


def _inside(entry: zipfile.ZipInfo, source: Path) -> PurePosixPath:
    """The path of an entry, which stays below the folder that it is unpacked into."""
    name = entry.orig_filename
    where = f"{source}:{name!r}"
    if "\0" in name or not name.strip("/"):
        raise UnsafeArchive("the entry has no name that a file can have", where=where)
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise UnsafeArchive("the entry would be unpacked outside the folder", where=where)
    if len(os.fsencode(str(path))) > _LONGEST_PATH or any(len(os.fsencode(part)) > _LONGEST for part in path.parts):
        raise UnsafeArchive("the entry's name is longer than a file's can be", where=f"{source}:{name[:_TOLD]!r} ...")
    return path


def _check_entry(entry: zipfile.ZipInfo, source: Path, limits: Limits) -> None:
    where = f"{source}:{entry.filename!r}"
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "a link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
        raise UnsafeArchive(f"the entry is {kind}", where=where)
    if entry.flag_bits & _ENCRYPTED:
        raise UnsafeArchive("the entry is encrypted", where=where, hint="unpack the archive, and give its folder")
    if entry.compress_type not in _KNOWN:
        how = _METHODS.get(entry.compress_type, f"method {entry.compress_type}")
        raise UnsupportedInput(f"the entry is packed by {how}, which is not read here", where=where, hint=_PACK_ANEW)
    if entry.file_size > _SMALL and entry.file_size > limits.ratio * max(entry.compress_size, 1):
        raise UnsafeArchive(
            f"the entry unpacks to {entry.file_size} bytes from {entry.compress_size}: more than {limits.ratio:g} fold",
            where=where,
        )


def _check_clashes(entries: Iterable[tuple[PurePosixPath, bool]], source: Path) -> None:
    """Two entries of one name, as any file system sees it, and files that others would lie in."""
    files: set[str] = set()
    folders: set[str] = set()
    for path, is_folder in entries:
        place = _folded(path)
        if not is_folder and place in files:
            raise UnsafeArchive("two entries have this name", where=f"{source}:{str(path)!r}")
        (folders if is_folder else files).add(place)
        folders.update(_folded(parent) for parent in path.parents)
    both = sorted(files & folders)
    if both:
        raise UnsafeArchive("the entry is a file, and a folder of others", where=f"{source}:{both[0]!r}")


def _folded(path: PurePosixPath) -> str:
    """A name as file systems compare it that know no case of letters, and one form of an accent."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, source: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            for chunk in _chunks(archive, entry, source):
                file.write(chunk)
    except OSError as error:  # those of the archive are ReadErrors by now
        message = f"{entry.filename!r} cannot be unpacked: {error.strerror or error}"
        raise WriteError(message, where=source, hint=_ELSEWHERE) from error


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: Path) -> Iterator[bytes]:
    """The content of an entry, which is as long as it states."""
    left, where = entry.file_size, f"{source}:{entry.filename!r}"
    try:
        with archive.open(entry) as packed:
            while chunk := packed.read(min(_BLOCK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise UnsafeArchive("the entry is longer than it states", where=where)
                yield chunk
    except NotImplementedError as error:
        raise UnsupportedInput(f"the entry cannot be unpacked: {error}", where=where, hint=_PACK_ANEW) from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError) as error:  # OSError: of bz2, too
        told = getattr(error, "strerror", None) or error
        raise ReadError(f"not a readable zip file: the entry is damaged: {told}", where=where, hint=_AGAIN) from error
    if left:
        raise ReadError("the entry is shorter than it states", where=where, hint=_AGAIN)
