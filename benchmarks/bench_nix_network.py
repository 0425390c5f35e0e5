"""A network in a NIX file: pynn_io against plain h5py writing and reading the very same arrays.

Targets: a million edges written in under 3 s and read in under 3 s, on a machine that is not busy.
"""

from __future__ import annotations

from pathlib import Path

from measure import MB, arguments, run, serve, start, stop, table, verdict
from networks import document

SLICE = 2**18
LIMIT = 3.0


def written(settings: dict, *, lazy: bool = False) -> dict:
    """Writes twice, and the second time counts: the first pays for imports and the kernel's fresh pages."""
    from pynn_io.exporters.nix import write
    from pynn_io.report import Report

    made = document(settings["edges"], settings["cells"], lazy=lazy)
    path = Path(settings["folder"]) / "ours.nix"
    for last in (False, True):
        path.unlink(missing_ok=True)
        start()
        write(made, path, Report())
        if last:
            break
    return stop(file=path.stat().st_size / MB)


def generated(settings: dict) -> dict:
    """Edges that are computed block by block while writing: what a conversion of a large file needs in memory."""
    return written(settings, lazy=True)


def read(settings: dict) -> dict:
    """Every edge as rows of its populations, with weight and delay."""
    from pynn_io.importers.nix import read
    from pynn_io.report import Report

    written(settings)
    for last in (False, True):
        start()
        found = read(Path(settings["folder"]) / "ours.nix", Report()).network.projections["cells_to_cells"]
        total = sum(stop - begin for begin, stop, _ in found.blocks(["weight", "delay"]))
        if last:
            break
    return stop(rows=total)


def _arrays(settings: dict) -> dict:
    """The arrays of the edges as they are in our file."""
    import h5py

    written(settings)
    with h5py.File(Path(settings["folder"]) / "ours.nix") as file:
        arrays = file["data/network/data_arrays"]
        return {name.replace(":", "_"): arrays[name]["data"][()] for name in arrays if name.startswith("edges:")}


def h5py_written(settings: dict) -> dict:
    import h5py

    arrays = _arrays(settings)
    for last in (False, True):
        start()
        with h5py.File(Path(settings["folder"]) / "plain.h5", "w") as file:
            for name, values in arrays.items():
                dataset = file.create_dataset(name, values.shape, values.dtype, chunks=True, maxshape=(None,))
                for first in range(0, len(values), SLICE):
                    dataset[first : first + SLICE] = values[first : first + SLICE]
        if last:
            break
    return stop()


def h5py_read(settings: dict) -> dict:
    import h5py

    h5py_written(settings)
    for last in (False, True):
        start()
        with h5py.File(Path(settings["folder"]) / "plain.h5") as file:
            for dataset in file.values():
                for first in range(0, len(dataset), SLICE):
                    dataset[first : first + SLICE]
        if last:
            break
    return stop()


CASES = {case.__name__: case for case in (h5py_written, written, generated, h5py_read, read)}


def main() -> None:
    options = arguments(__doc__ or "", edges=1_000_000, cells=10_000)
    serve(CASES, options)
    results = run(list(CASES), {"edges": options.edges, "cells": options.cells}, options.repeat)
    labels = {
        "h5py_written": "h5py writing the same edge arrays",
        "written": "pynn_io writing",
        "generated": "pynn_io writing, edges computed meanwhile",
        "h5py_read": "h5py reading them in blocks",
        "read": "pynn_io reading, every edge as rows",
    }
    for title, names in (("write", list(CASES)[:3]), ("read", list(CASES)[3:])):
        rows = [(labels[name], results[name]) for name in names]
        table(f"NIX {title}: {options.edges:,} edges, {options.cells:,} cells", rows, names[0], results)
    print()
    for name in ("written", "read"):
        if "cpu" in results[name]:
            seconds = results[name]["cpu"] * 1e6 / options.edges
            verdict(f"a million edges {name}", seconds, LIMIT, at_most=True, unit=" s")


if __name__ == "__main__":
    main()
