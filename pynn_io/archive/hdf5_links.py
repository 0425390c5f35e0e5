"""HDF5 files that read from others: links, raw storage and virtual data sets, which may name any file of the machine.

HDF5 opens them without a word, and looks for what is not beside the file where the program happens to run: the bytes of
any file there would be spike times of a report.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py

from pynn_io.formats.h5_file import raised_by

#: What virtual data sets call their own file.
_ITSELF = "."


def links_out(path: Path, inside: Path) -> Iterator[str]:
    """Files that an HDF5 file reads from, as it names them, and that are not in a folder.

    Nothing for a file of another kind; what is wrong with a damaged one is left to its reader.
    """
    if not h5py.is_hdf5(path):
        return
    named: list[str] = []
    raw: list[str] = []  # always elsewhere: relative to the program's folder, whatever lies beside the file
    try:
        with h5py.File(path, "r") as file:
            file.visititems_links(lambda _, link: _note_link(link, named))
            file.visititems(lambda _, each: _note_storage(each, named, raw))
    except (KeyError, RuntimeError, OSError, ValueError, TypeError) as error:
        if not raised_by("h5py", error):
            raise
    yield from raw
    for name in dict.fromkeys(named):
        place = (path.parent / name).resolve()
        if name != _ITSELF and not (place.is_relative_to(inside) and place.is_file()):
            yield name


def _note_link(link: object, named: list[str]) -> None:
    if isinstance(link, h5py.ExternalLink):
        named.append(link.filename)


def _note_storage(each: object, named: list[str], raw: list[str]) -> None:
    if isinstance(each, h5py.Dataset):
        raw += [name for name, _, _ in each.external or ()]
        named += [source.file_name for source in each.virtual_sources()] if each.is_virtual else []
