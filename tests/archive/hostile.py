"""Zip files that no honest tool writes, made byte by byte where Python's own writer would refuse."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path


def zipped(path: Path, *entries: tuple[str, bytes]) -> Path:
    """A plain archive with these entries, whatever their names."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def with_mode(path: Path, name: str, mode: int, content: bytes = b"/etc/passwd") -> Path:
    """An archive whose entry is a link or a device, by its Unix mode."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, content)
    return path


def patched(path: Path, old: bytes, new: bytes) -> Path:
    """The file with some bytes replaced by as many others, everywhere."""
    content = path.read_bytes()
    if len(old) != len(new) or old not in content:
        raise ValueError("other lengths, or nothing to replace")
    path.write_bytes(content.replace(old, new))
    return path


def encrypted(path: Path) -> Path:
    """An archive that says that its entry is encrypted: bit 0 of the flags, in both headers."""
    zipped(path, ("a.txt", b"secret"))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(bytes(content))
    return path


#: What is hostile -> how to make it, and words of the error.
HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "parent": (lambda path: zipped(path, ("../out.txt", b"x")), "outside the folder"),
    "deep parent": (lambda path: zipped(path, ("a/../../out.txt", b"x")), "outside the folder"),
    "absolute": (lambda path: zipped(path, ("/tmp/out.txt", b"x")), "outside the folder"),
    "backslashes": (lambda path: zipped(path, ("..\\out.txt", b"x")), "outside the folder"),
    "drive": (lambda path: zipped(path, ("C:/out.txt", b"x")), "outside the folder"),
    "link": (lambda path: with_mode(path, "link", stat.S_IFLNK | 0o777), "the entry is a link"),
    "device": (lambda path: with_mode(path, "device", stat.S_IFCHR | 0o666), "neither a file nor a folder"),
    "pipe": (lambda path: with_mode(path, "pipe", stat.S_IFIFO | 0o666), "neither a file nor a folder"),
    "twice": (lambda path: patched(zipped(path, ("a.txt", b"1"), ("b.txt", b"2")), b"b.txt", b"a.txt"), "this name"),
    "case": (lambda path: zipped(path, ("A.txt", b"1"), ("a.TXT", b"2")), "two entries have this name"),
    "file and folder": (lambda path: zipped(path, ("a", b"1"), ("a/b", b"2")), "a file, and a folder"),
    "bomb": (lambda path: zipped(path, ("zeros", bytes(20 * 2**20))), "more than 200 fold"),
    "long name": (lambda path: zipped(path, ("x" * 256, b"1")), "longer than a file's can be"),
    "long path": (lambda path: zipped(path, ("/".join(["x" * 200] * 20), b"1")), "longer than a file's can be"),
    "encrypted": (encrypted, "the entry is encrypted"),
    "no name": (lambda path: patched(zipped(path, ("ab.txt", b"1")), b"ab.txt", b"a\x00.txt"), "no name"),
}
