"""Writing a SONATA circuit: pynn_io against plain h5py writing the very same datasets.

Targets: at least half the speed of h5py for all but the edge index (h5py has nothing to build one with), and 4 M edges
a second or better for the whole, the index of both directions built and written.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from measure import arguments, run, serve, start, stop, table, verdict
from networks import document

SLICE = 2**20


def _write(settings: dict, folder: Path, *, lazy: bool = False) -> dict:
    """Writes twice, and the second time counts: the first pays for the kernel's fresh pages, in every case."""
    import pynn_io.exporters.sonata
    from pynn_io.report import Report

    made = document(settings["edges"], settings["cells"], lazy=lazy)
    spent = [_timed(module) for module in list(sys.modules.values()) if hasattr(module, "write_indices")]
    for last in (False, True):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for seconds in spent:
            seconds.clear()
        start()
        pynn_io.exporters.sonata.write(made, folder, Report(), dialect="")
        if last:
            break
    return stop(index=sum(map(sum, spent)))


def _timed(module) -> list[float]:
    """The CPU seconds that a module's calls of `write_indices` take, as they come."""
    seconds: list[float] = []
    build = module.write_indices

    def timed(*given, **options) -> None:
        before = time.process_time()
        build(*given, **options)
        seconds.append(time.process_time() - before)

    module.write_indices = timed
    return seconds


def ours(settings: dict) -> dict:
    return _write(settings, Path(settings["folder"]) / "ours")


def generated(settings: dict) -> dict:
    """Edges that are computed block by block while writing: what a conversion of a large file needs in memory."""
    return _write(settings, Path(settings["folder"]) / "ours", lazy=True)


def _plain(settings: dict, *, with_index: bool) -> dict:
    """What `ours` wrote, read back into memory, then timed: nothing but writing it."""
    import h5py

    folder = Path(settings["folder"])
    _write(settings, folder / "ours")
    files: dict[str, dict] = {}
    for path in (folder / "ours").rglob("*.h5"):
        data: dict = {}
        with h5py.File(path) as file:
            file.visititems(lambda name, item, data=data: _take(name, item, data, with_index))
        files[path.name] = data
    for last in (False, True):
        start()
        for name, data in files.items():
            _plainly(folder / name, data)
        if last:
            break
    return stop()


def _plainly(path: Path, data: dict) -> None:
    """Datasets of a file, a million rows at a time."""
    import h5py

    with h5py.File(path, "w") as file:
        for place, values in data.items():
            if values.ndim == 0 or values.dtype == object:
                file.create_dataset(place, data=values)
                continue
            dataset = file.create_dataset(place, values.shape, values.dtype)
            for first in range(0, len(values), SLICE):
                dataset[first : first + SLICE] = values[first : first + SLICE]


def _take(name: str, item: object, data: dict, with_index: bool) -> None:
    """Hard-linked names are visited once, so nothing is written twice."""
    if hasattr(item, "shape") and (with_index or "/indices/" not in name):
        data[name] = item[()]


def plain(settings: dict) -> dict:
    return _plain(settings, with_index=False)


def plain_with_index(settings: dict) -> dict:
    return _plain(settings, with_index=True)


def index(settings: dict) -> dict:
    """The edge index alone, both directions."""
    import h5py
    from networks import edge_block

    from pynn_io.formats.sonata_write import write_indices

    edges, cells = settings["edges"], settings["cells"]
    block = edge_block(0, edges, edges, cells)
    start()
    with h5py.File(Path(settings["folder"]) / "index.h5", "w") as file:
        write_indices(file.create_group("edges/x"), block["source"], block["target"], cells, cells)
    return stop()


def libsonata(settings: dict) -> dict:
    """The same index by libsonata's C++ (the only thing that it writes)."""
    import h5py
    import libsonata
    from networks import edge_block

    edges, cells = settings["edges"], settings["cells"]
    block = edge_block(0, edges, edges, cells)
    path = str(Path(settings["folder"]) / "index.h5")
    with h5py.File(path, "w") as file:
        for end in ("source", "target"):
            file[f"edges/x/{end}_node_id"] = block[end].astype("u8")
            file[f"edges/x/{end}_node_id"].attrs["node_population"] = "cells"
    start()
    libsonata.EdgePopulation.write_indices(path, "x", cells, cells)
    return stop()


CASES = {case.__name__: case for case in (plain, plain_with_index, ours, generated, index, libsonata)}


def main() -> None:
    options = arguments(__doc__ or "", edges=10_000_000, cells=100_000)
    serve(CASES, options)
    results = run(list(CASES), {"edges": options.edges, "cells": options.cells}, options.repeat)
    labels = {
        "plain": "h5py, the same datasets but the index",
        "plain_with_index": "h5py, the same datasets, index ready-made",
        "ours": "pynn_io, whole circuit",
        "generated": "pynn_io, edges computed while writing",
        "index": "pynn_io, the index alone",
        "libsonata": "libsonata, the index alone",
    }
    rows = [(labels[name], results[name]) for name in CASES]
    table(f"SONATA write: {options.edges:,} edges, {options.cells:,} cells", rows, "plain", results)
    print()
    if "cpu" in results["ours"] and "cpu" in results["index"]:
        speed = results["plain"]["cpu"] / (results["ours"]["cpu"] - results["ours"]["index"])
        verdict("speed against h5py, all but the index", speed, 0.5, at_most=False)
        rate = options.edges / results["index"]["cpu"] / 1e6
        verdict("edge index, both directions", rate, 4, at_most=False, unit=" M edges/s")
        whole = options.edges / results["ours"]["cpu"] / 1e6
        verdict("whole circuit, index included", whole, 4, at_most=False, unit=" M edges/s")


if __name__ == "__main__":
    main()
