"""Results as flat NIX, 10,000 spike trains with a million spikes, against plain h5py; a small case against NixIO.

Targets: under 2 s to write and under 2 s to read. Neo's NixIO has an object a train, so it gets `--trains` of 100
spikes each, and so does the flat layout beside it.
"""

from __future__ import annotations

from pathlib import Path

from measure import arguments, run, serve, start, stop, table, verdict

SPIKES = 100


def _results(trains: int, spikes: int):
    import numpy as np

    from pynn_io.results import Results, sorted_spikes

    rng = np.random.default_rng(1)
    ids, times = rng.integers(0, trains, spikes), np.sort(rng.random(spikes)) * 1e4
    return Results(spikes={"p": sorted_spikes("p", ids, times)}, nodes={"p": np.arange(trains)}, duration=1e4)


def _write(settings: dict, to: str, small: bool = False, **options) -> dict:
    """The second time counts: the first one imports."""
    trains = settings["trains"] if small else settings["cells"]
    made = _results(trains, SPIKES * trains if small else settings["spikes"])
    path = Path(settings["folder"]) / ("out" if to == "sonata" else "out.nix")
    _results(2, 2).write(Path(settings["folder"]) / "first", to=to, **options)
    start()
    made.write(path, to=to, **options)
    size = sum(file.stat().st_size for file in ([path] if path.is_file() else path.iterdir()))
    return stop(size=size / 1e6)


def _read(settings: dict, to: str, small: bool = False, **options) -> dict:
    from pynn_io.results import read_results

    size = _write(settings, to, small, **options)["size"]
    path = Path(settings["folder"])
    read_results(path / "first")
    start()
    found = read_results(path / ("out" if to == "sonata" else "out.nix"))
    assert found.spike_count == (SPIKES * settings["trains"] if small else settings["spikes"])
    return stop(size=size)


def _plain_path(settings: dict) -> Path:
    return Path(settings["folder"]) / "plain.h5"


def plain_write(settings: dict) -> dict:
    """Two datasets in the order of the results: nothing sorted, staged or described."""
    import h5py

    spikes = _results(settings["cells"], settings["spikes"]).spikes["p"]
    start()
    with h5py.File(_plain_path(settings), "w") as file:
        file["timestamps"], file["node_ids"] = spikes.times, spikes.node_ids
    return stop(size=_plain_path(settings).stat().st_size / 1e6)


def plain_read(settings: dict) -> dict:
    import h5py

    size = plain_write(settings)["size"]
    start()
    with h5py.File(_plain_path(settings)) as file:
        assert len(file["timestamps"][:]) == len(file["node_ids"][:])
    return stop(size=size)


CASES = {
    "plain_write": plain_write,
    "nix_write": lambda settings: _write(settings, "nix"),
    "sonata_write": lambda settings: _write(settings, "sonata"),
    "plain_read": plain_read,
    "nix_read": lambda settings: _read(settings, "nix"),
    "sonata_read": lambda settings: _read(settings, "sonata"),
    "flat_write": lambda settings: _write(settings, "nix", small=True),
    "neo_write": lambda settings: _write(settings, "neo", small=True, limit=None),
    "flat_read": lambda settings: _read(settings, "nix", small=True),
    "neo_read": lambda settings: _read(settings, "neo", small=True, limit=None),
}


def main() -> None:
    options = arguments(__doc__ or "", cells=10_000, spikes=1_000_000, trains=200)
    serve(CASES, options)
    settings = {"cells": options.cells, "spikes": options.spikes, "trains": options.trains}
    results = run(tuple(CASES), settings, options.repeat)
    title = f"{options.cells} spike trains, {options.spikes} spikes"
    for step in ("write", "read"):
        rows = [("h5py, two datasets", "plain"), ("pynn_io, flat NIX", "nix"), ("pynn_io, SONATA", "sonata")]
        table(f"{title}: {step}", _rows(rows, step, results), f"plain_{step}", results)
    for step in ("write", "read"):
        rows = [("pynn_io, flat NIX", "flat"), ("Neo's NixIO", "neo")]
        title = f"{options.trains} spike trains of {SPIKES} spikes: {step}"
        table(title, _rows(rows, step, results), f"flat_{step}", results)
    print()
    for step in ("write", "read"):
        verdict(f"flat NIX, {step}", results[f"nix_{step}"]["wall"], 2, at_most=True, unit=" s")
    for step in ("write", "read"):
        each = results[f"neo_{step}"]["cpu"] / options.trains
        print(f"        Neo's NixIO, {step}: {1000 * each:.0f} ms a train, so {each * options.cells:.0f} s for all")


def _rows(rows: list[tuple[str, str]], step: str, results: dict) -> list[tuple[str, dict]]:
    return [
        (f"{label} ({results[f'{case}_{step}'].get('size', 0):.1f} MB)", results[f"{case}_{step}"])
        for label, case in rows
    ]


if __name__ == "__main__":
    main()
