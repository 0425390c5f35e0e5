"""Reading NeuroML networks, XML and HDF5: pynn_io against libNeuroML and plain h5py, on the same files in one run.

Targets for 10,000 cells and 1,000,000 connections: XML in at most 4 CPU seconds, a tenth of libNeuroML's, and under
300 MB; HDF5 in at most one CPU second. ``records`` is what the format layer gives, ``whole`` the network.
"""

from __future__ import annotations

from pathlib import Path

from measure import arguments, input_folder, run, serve, start, stop, table, verdict
from networks import document


def made(folder: Path, edges: int, cells: int) -> tuple[Path, Path]:
    """The two files, as pynn_io writes them. Made once a folder."""
    import pynn_io.exporters.neuroml
    from pynn_io.report import Report

    found = []
    for dialect, pattern in (("", "*.net.nml"), ("hdf5", "*.h5")):
        place = folder / f"{dialect or 'xml'}_{edges}_{cells}"
        if not place.exists():
            place.mkdir(parents=True)
            pynn_io.exporters.neuroml.write(document(edges, cells, lazy=True), place, Report(), dialect=dialect)
        found.append(next(place.rglob(pattern)))
    return found[0], found[1]


def _records(file: str, *, fast: bool = True) -> dict:
    from pynn_io.formats.neuroml_source import read_source

    start()
    found = read_source(Path(file), fast=fast)
    size = sum(child.rows.size for child in found.networks[0].children if child.rows)
    return stop(rows=size)


def _whole(file: str) -> dict:
    from pynn_io.importers.neuroml import read
    from pynn_io.report import Report

    start()
    found = read(Path(file), Report())
    return stop(edges=sum(projection.size for projection in found.network.projections.values()))


def records(settings: dict) -> dict:
    return _records(settings["xml"])


def rows_by_parser(settings: dict) -> dict:
    return _records(settings["xml"], fast=False)


def whole(settings: dict) -> dict:
    return _whole(settings["xml"])


def libneuroml(settings: dict) -> dict:
    from neuroml.loaders import NeuroMLLoader

    start()
    found = NeuroMLLoader.load(settings["xml"])
    return stop(networks=len(found.networks))


def hdf5_records(settings: dict) -> dict:
    return _records(settings["hdf5"])


def hdf5_whole(settings: dict) -> dict:
    return _whole(settings["hdf5"])


def hdf5_libneuroml(settings: dict) -> dict:
    from neuroml.loaders import NeuroMLHdf5Loader

    start()
    found = NeuroMLHdf5Loader.load(settings["hdf5"])
    return stop(networks=len(found.networks))


def hdf5_plain(settings: dict) -> dict:
    """The bytes of every table, column by column."""
    import h5py

    start()
    columns: list = []
    with h5py.File(settings["hdf5"]) as file:
        file.visititems(lambda _, item: columns.extend(item[()].T.copy()) if getattr(item, "ndim", 0) == 2 else None)
    return stop(columns=len(columns))


XML = {case.__name__: case for case in (libneuroml, records, whole, rows_by_parser)}
HDF5 = {case.__name__: case for case in (hdf5_libneuroml, hdf5_plain, hdf5_records, hdf5_whole)}
LABELS = {
    "libneuroml": "libNeuroML, objects",
    "records": "pynn_io, columns",
    "whole": "pynn_io, the network",
    "rows_by_parser": "pynn_io, every row by the XML parser",
    "hdf5_libneuroml": "libNeuroML, objects",
    "hdf5_plain": "h5py, columns of the same tables",
    "hdf5_records": "pynn_io, columns",
    "hdf5_whole": "pynn_io, the network",
}


def main() -> None:
    options = arguments(__doc__ or "", edges=1_000_000, cells=10_000)
    serve(XML | HDF5, options)
    with input_folder(options) as folder:
        xml, hdf5 = made(folder, options.edges, options.cells)
        files = {"xml": str(xml), "hdf5": str(hdf5)}
        results = run([*XML, *HDF5], files, options.repeat)
    size = f"{options.edges:,} connections, {options.cells:,} cells"
    for title, cases, base in (("XML", XML, "libneuroml"), ("HDF5", HDF5, "hdf5_libneuroml")):
        table(f"NeuroML {title}, reading: {size}", [(LABELS[name], results[name]) for name in cases], base, results)
    print()
    if "cpu" in results["libneuroml"] and "cpu" in results["records"]:
        speed = results["libneuroml"]["cpu"] / results["records"]["cpu"]
        verdict("times as fast as libNeuroML, XML", speed, 10, at_most=False)
    for name, target in (("records", 4.0), ("whole", 4.0), ("hdf5_records", 1.0), ("hdf5_whole", 1.0)):
        if "cpu" in results[name]:
            verdict(f"CPU of {name}", results[name]["cpu"], target, at_most=True, unit=" s")
    for name in ("records", "whole"):
        if "peak" in results[name]:
            verdict(f"memory of {name}", results[name]["peak"], 300, at_most=True, unit=" MB")


if __name__ == "__main__":
    main()
