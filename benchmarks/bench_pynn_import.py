"""``import_from_sonata(circuit, sim)``: pynn_io's against PyNN's own, files to connections in the simulator.

On NEURON 300_intfire of ../shared/data (300 IntFire1, 87 720 edges), on NEST a generated circuit of IF_cond_exp cells;
both read by both. PyNN does not read the delays of the generated circuit, and takes the least one. Target: a fifth of
PyNN's CPU time.
"""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path

from measure import arguments, input_folder, run, serve, start, stop, table, verdict
from networks import sonata_circuit

INTFIRE = Path(__file__).resolve().parents[1].parent / "shared/data/sonata/300_intfire/circuit_config.json"


def _import(settings: dict, backend: str, package: str) -> dict:
    sim = import_module(f"pyNN.{backend}")
    call = import_module(package).import_from_sonata
    import_module("pynn_io.runners.pynn.network")
    import_module("pynn_io.importers.sonata")
    sim.setup(timestep=0.1, min_delay=0.1)
    config = Path(settings[backend])
    os.chdir(config.parent)  # PyNN's relative paths are those of the current directory
    start()
    net = call(config.name, sim)
    return stop(projections=len(net.projections))  # PyNN cannot count connections onto an Assembly in NEST


def neuron_pynn(settings: dict) -> dict:
    return _import(settings, "neuron", "pyNN.serialization")


def neuron_ours(settings: dict) -> dict:
    return _import(settings, "neuron", "pynn_io")


def nest_pynn(settings: dict) -> dict:
    return _import(settings, "nest", "pyNN.serialization")


def nest_ours(settings: dict) -> dict:
    return _import(settings, "nest", "pynn_io")


CASES = {call.__name__: call for call in (neuron_pynn, neuron_ours, nest_pynn, nest_ours)}


def circuit(folder: Path, edges: int, cells: int) -> Path:
    """The generated circuit with the manifest that PyNN asks for."""
    config = sonata_circuit(folder, edges, cells)
    content = json.loads(config.read_text())
    config.write_text(json.dumps({"manifest": {}, **content}))
    return config


def main() -> None:
    options = arguments(__doc__ or "", edges=100_000, cells=1000)
    serve(CASES, options)
    with input_folder(options) as folder:
        settings = {"neuron": str(INTFIRE), "nest": str(circuit(folder, options.edges, options.cells))}
        names = [name for name in CASES if name.startswith("nest") or INTFIRE.exists()]
        results = run(names, settings, options.repeat)
    for backend in ("neuron", "nest"):
        pair = {who: results.get(f"{backend}_{who}", {"error": "its circuit is not here"}) for who in ("ours", "pynn")}
        rows = [("pynn_io", pair["ours"]), ("PyNN", pair["pynn"])]
        table(f"import_from_sonata onto pyNN.{backend}", rows, "ours", pair)
        if "cpu" in pair["ours"] and "cpu" in pair["pynn"]:
            verdict(f"PyNN's CPU time in ours ({backend})", pair["pynn"]["cpu"] / pair["ours"]["cpu"], 5, at_most=False)


if __name__ == "__main__":
    main()
