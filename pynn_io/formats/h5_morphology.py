"""HDF5 morphologies (h5v1), alone in a file or many in a container (Open Brain Institute's SONATA extension).

``points`` (x y z diameter) and ``structure`` (first point, type, parent section); section 0 is the soma. Layout:
https://morphology-documentation.readthedocs.io/en/latest/h5v1.html
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from pynn_io.errors import ReadError, UnsupportedInput
from pynn_io.formats.h5_file import open_h5
from pynn_io.formats.section_record import SectionRecord, make_record

_SOMA = 1


def morphology_names(path: Path) -> tuple[str, ...]:
    """The names in a container, sorted; empty for a file that is one morphology. Raises ReadError."""
    with open_h5(path) as file:
        if "points" in file and "structure" in file:
            return ()
        return tuple(sorted(name for name, item in file.items() if isinstance(item, h5py.Group) and "points" in item))


def read_h5(path: Path, name: str | None = None) -> SectionRecord:
    """The sections of one morphology; ``name`` says which one of a container.

    Raises ReadError with ``file:/place``, UnsupportedInput for the older h5v2 layout.
    """
    with open_h5(path) as file:
        group, place = file, "/"
        if "points" not in file and name is not None:
            place = f"/{name}"
            if name not in file:
                hint = f"it has {len(file)}: {', '.join(sorted(file)[:5])} ..."
                raise ReadError(f"the container has no morphology {name!r}", where=path, hint=hint)
            group = file.get(name)
            if not isinstance(group, h5py.Group):
                raise ReadError("must be a group with points and structure", where=f"{path}:{place}")
        if "neuron1" in group:
            raise UnsupportedInput(
                "this is the h5v2 layout, which is not read", where=f"{path}:{place}", hint="convert it to h5v1 or SWC"
            )
        if "points" not in group or "structure" not in group:
            raise ReadError(
                "points and structure are not there", where=f"{path}:{place}", hint="an h5v1 morphology has both"
            )
        return _record(group, f"{path}:{place}".rstrip("/"))


def _numbers(group: h5py.Group, name: str, kinds: str, where: str) -> np.ndarray:
    """A dataset of numbers. Raises ReadError for a group, text or nothing in its place."""
    item = group.get(name)
    if not isinstance(item, h5py.Dataset) or item.shape is None or item.dtype.kind not in kinds:
        what = item.dtype if isinstance(item, h5py.Dataset) else "something else"
        raise ReadError(
            f"must hold numbers, not {what}", where=f"{where}/{name}", hint="write the morphology again as h5v1"
        )
    return np.asarray(item[()])


def _record(group: h5py.Group, where: str) -> SectionRecord:
    points = _numbers(group, "points", "iuf", where).astype(np.float64, copy=False)
    structure = _numbers(group, "structure", "iu", where).astype(np.int64, copy=False)
    if points.ndim != 2 or points.shape[1] != 4 or structure.ndim != 2 or structure.shape[1] != 3 or not len(structure):
        message = f"points is {points.shape} and structure {structure.shape}, where n x 4 and sections x 3 are expected"
        raise ReadError(message, where=where, hint="write the morphology again")
    first, tag, parent = structure.T
    broken = (first < 0) | (first > len(points)) | (np.diff(first, prepend=0) < 0) | (parent >= np.arange(len(parent)))
    if broken.any():
        at = int(np.argmax(broken))
        message = f"section {at} (first point {first[at]}, parent {parent[at]}) breaks the order of points or sections"
        raise ReadError(
            message, where=f"{where}/structure", hint="offsets ascend, and a parent stands before its children"
        )
    if not np.isfinite(points).all() or (points[:, 3] < 0).any():
        at = int(np.argmax(~np.isfinite(points).all(axis=1) | (points[:, 3] < 0)))
        raise ReadError(
            f"point {at} is not finite or has a negative diameter", where=f"{where}/points", hint="correct it"
        )
    parts = np.split(points, first[1:])
    soma = [part for part, kind in zip(parts, tag, strict=True) if kind == _SOMA and len(part)]
    neurites = np.flatnonzero(tag != _SOMA)
    row = np.full(len(tag) + 1, -1, dtype=np.int64)  # the last entry stands for parent -1
    row[neurites] = np.arange(len(neurites))
    above = row[np.maximum(parent[neurites], -1)].tolist()
    contours = any(len(part) > 2 for part in soma)
    return make_record(soma, contours, [parts[k] for k in neurites], tag[neurites].tolist(), above, {})
