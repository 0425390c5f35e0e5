"""Writing a network as NeuroML HDF5: pynn_io against plain h5py writing the same tables with the same settings.

Target: within twice the CPU seconds of h5py that puts the same rows together from the same columns. libNeuroML's HDF5
writer stands beside it for comparison.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from bench_neuroml_xml import _objects
from measure import arguments, run, serve, start, stop, table, verdict
from networks import document


def _write(settings: dict, folder: Path, *, lazy: bool = False) -> dict:
    import pynn_io.exporters.neuroml
    from pynn_io.report import Report

    made = document(settings["edges"], settings["cells"], lazy=lazy)
    folder.mkdir()
    start()
    pynn_io.exporters.neuroml.write(made, folder, Report(), dialect="hdf5")
    return stop(bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))


def ours(settings: dict) -> dict:
    return _write(settings, Path(settings["folder"]) / "ours")


def generated(settings: dict) -> dict:
    return _write(settings, Path(settings["folder"]) / "ours", lazy=True)


def plain(settings: dict) -> dict:
    """What `ours` wrote, read back into memory, then timed: create_dataset with its chunks and filters."""
    import h5py

    folder = Path(settings["folder"])
    _write(settings, folder / "ours")
    data: dict = {}
    for path in (folder / "ours").rglob("*.h5"):
        with h5py.File(path) as file:
            file.visititems(lambda name, item: data.update({name: _dataset(item)}) if hasattr(item, "shape") else None)
    start()
    with h5py.File(folder / "plain.h5", "w") as file:
        for name, (values, how) in data.items():
            file.create_dataset(name, data=values, **how)
    return stop(datasets=len(data))


def assembled(settings: dict) -> dict:
    """The same tables, by hand: rows of a block put together from columns in memory, then written. Nothing else."""
    import h5py
    import numpy as np

    folder = Path(settings["folder"])
    _write(settings, folder / "ours")
    (path,) = (folder / "ours").rglob("*.h5")
    tables: dict = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: tables.update({name: list(item[()].T.copy())}) if getattr(item, "ndim", 0) == 2 else None
        )
    start()
    with h5py.File(folder / "plain.h5", "w") as file:
        for name, columns in tables.items():
            data = file.create_dataset(name, (len(columns[0]), len(columns)), columns[0].dtype)
            for first in range(0, len(columns[0]), 2**20):
                data[first : first + 2**20] = np.stack([column[first : first + 2**20] for column in columns], axis=1)
    return stop(tables=len(tables))


def _dataset(item) -> tuple:
    how = {"chunks": item.chunks, "compression": item.compression, "compression_opts": item.compression_opts}
    return item[()], how | {"shuffle": item.shuffle} if item.chunks else {}


def libneuroml(settings: dict) -> dict:
    from neuroml.writers import NeuroMLHdf5Writer

    import_module("neuroml.utils")  # its writer uses it and does not import it
    made = _objects(settings["edges"], settings["cells"])
    start()
    NeuroMLHdf5Writer.write(made, str(Path(settings["folder"]) / "net.nml.h5"))
    return stop()


CASES = {case.__name__: case for case in (plain, assembled, ours, generated, libneuroml)}


def main() -> None:
    options = arguments(__doc__ or "", edges=1_000_000, cells=10_000)
    serve(CASES, options)
    results = run(list(CASES), {"edges": options.edges, "cells": options.cells}, options.repeat)
    labels = {
        "plain": "h5py, the same tables, ready-made",
        "assembled": "h5py, the same tables, from columns",
        "ours": "pynn_io, from the graph",
        "generated": "pynn_io, edges computed while writing",
        "libneuroml": "libNeuroML, writing only",
    }
    rows = [(labels[name], results[name]) for name in CASES]
    table(f"NeuroML HDF5: {options.edges:,} connections, {options.cells:,} cells", rows, "assembled", results)
    print()
    if "cpu" in results["assembled"] and "cpu" in results["ours"]:
        ratio = results["ours"]["cpu"] / results["assembled"]["cpu"]
        verdict("CPU against plain h5py, from columns", ratio, 2, at_most=True)


if __name__ == "__main__":
    main()
