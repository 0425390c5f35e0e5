"""The whole way on a real circuit, 300_pointneurons: pynn_io against PyNN's SONATA module and NeuroMLlite's reader.

The circuit is in ../shared/data, beside the repository; without it nothing is measured. A peer that cannot do it is
listed with its own error. PyNN needs a simulator: pyNN.nest is asked first, then its mock; at last the mock is given
a network of the same size as PyNN calls, which leaves out PyNN's reading.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from measure import arguments, run, serve, start, stop, table, verdict

CIRCUIT = Path(__file__).resolve().parents[2] / "shared" / "data" / "sonata" / "300_pointneurons"


def _ours(settings: dict, to: str) -> dict:
    from pynn_io.pipeline import convert

    start()
    done = convert(settings["config"], Path(settings["folder"]) / "out", to=to)
    return stop(edges=sum(one.size for one in done.document.network.projections.values()))


def ours_neuroml(settings: dict) -> dict:
    return _ours(settings, "neuroml")


def ours_sonata(settings: dict) -> dict:
    return _ours(settings, "sonata")


def ours_read(settings: dict) -> dict:
    """Into the graph, every edge's columns looked at once."""
    from pynn_io.pipeline import read

    start()
    network = read(settings["config"]).network
    edges = 0
    for projection in network.projections.values():
        for first, last, _ in projection.blocks(["weight", "delay"]):
            edges += last - first
    return stop(edges=edges)


def absolute(settings: dict) -> str:
    """The circuit's configs again with absolute paths, which NeuroMLlite needs for ``../``."""
    folder, circuit = Path(settings["folder"]), Path(settings["circuit"])
    for name in ("config.json", "circuit_config.json", "simulation_config.json"):
        content = json.loads((circuit / name).read_text())
        if name == "circuit_config.json":
            content["manifest"] = {key: str((circuit / path).resolve()) for key, path in content["manifest"].items()}
        if name == "simulation_config.json":
            content["manifest"] = {"$BASE_DIR": str(circuit), "$INPUT_DIR": str(circuit / "inputs"), "$OUTPUT_DIR": "."}
            content["network"] = str(folder / "circuit_config.json")
            content["node_sets_file"] = str(circuit / "node_sets.json")
        if name == "config.json":
            content = {key: str(folder / Path(path).name) for key, path in content.items()}
        (folder / name).write_text(json.dumps(content))
    return str(folder / "config.json")


def neuromllite(settings: dict) -> dict:
    """Its reader into libNeuroML's objects, and those to XML."""
    from neuromllite.SonataReader import get_neuroml_from_sonata

    config = absolute(settings)
    os.chdir(settings["folder"])
    start()
    made = get_neuroml_from_sonata(config, "peer", generate_lems=False)
    return stop(edges=sum(len(one.connections) + len(one.connection_wds) for one in made.networks[0].projections))


def _pynn(settings: dict, backend: str, *, write: bool) -> dict:
    from importlib import import_module

    from pyNN.serialization import export_to_sonata, import_from_sonata

    simulator = import_module(f"pyNN.{backend}")
    simulator.setup()
    os.chdir(settings["circuit"])  # its relative paths are those of the current directory
    start()
    network = import_from_sonata("circuit_config.json", simulator)
    edges = network.count_connections()
    if write:
        export_to_sonata(network, str(Path(settings["folder"]) / "out"), target="PyNN")
    return stop(edges=edges)


def pynn_nest_read(settings: dict) -> dict:
    return _pynn(settings, "nest", write=False)


def pynn_nest(settings: dict) -> dict:
    return _pynn(settings, "nest", write=True)


def pynn_mock(settings: dict) -> dict:
    return _pynn(settings, "mock", write=True)


def pynn_mock_same_size(settings: dict) -> dict:
    """PyNN's export alone, of a network with as many cells and about as many edges."""
    import pyNN.mock as sim
    from pyNN.network import Network
    from pyNN.serialization import export_to_sonata

    sim.setup()
    cells = sim.Population(300, sim.IF_curr_alpha(), label="internal")
    edges = settings["edges"]
    rule = sim.FixedProbabilityConnector(edges / 300**2)
    projection = sim.Projection(cells, cells, rule, sim.StaticSynapse(weight=0.1, delay=2.0), label="internal-internal")
    network = Network(cells, projection)
    start()
    export_to_sonata(network, str(Path(settings["folder"]) / "out"), target="PyNN")
    return stop(edges=projection.size())


def ours_same_size(settings: dict) -> dict:
    """pynn_io's writer alone, of a network of that size: both indices, which PyNN does not write, included."""
    from networks import document

    import pynn_io.exporters.sonata
    from pynn_io.report import Report

    made = document(settings["edges"], 300)
    folder = Path(settings["folder"]) / "out"
    folder.mkdir()
    start()
    pynn_io.exporters.sonata.write(made, folder, Report(), dialect="")
    return stop(edges=settings["edges"])


LABELS = {
    "ours_read": "pynn_io, read",
    "pynn_nest_read": "PyNN, import_from_sonata (NEST)",
    "ours_sonata": "pynn_io, SONATA to SONATA",
    "pynn_nest": "PyNN, import and export (NEST)",
    "pynn_mock": "PyNN, import and export (mock)",
    "pynn_mock_same_size": "PyNN, export alone, same size (mock)",
    "ours_same_size": "pynn_io, writing alone, same size",
    "ours_neuroml": "pynn_io, SONATA to NeuroML XML",
    "neuromllite": "NeuroMLlite, SONATA to NeuroML XML",
}
CASES = {name: globals()[name] for name in LABELS}


def main() -> None:
    options = arguments(__doc__ or "", edges=48_000)
    serve(CASES, options)
    if not CIRCUIT.exists():
        print("300_pointneurons is not here (../shared/data/sonata): nothing measured")
        return
    settings = {"circuit": str(CIRCUIT), "config": str(CIRCUIT / "config.json"), "edges": options.edges}
    results = run(list(LABELS), settings, options.repeat)
    rows = [(label, results[name]) for name, label in LABELS.items()]
    table("300_pointneurons: the whole way (ratio to pynn_io's reading)", rows, "ours_read", results)
    print()
    pairs = (
        ("ours_read", "pynn_nest_read", "reading, against PyNN"),
        ("ours_sonata", "pynn_nest", "SONATA to SONATA, against PyNN"),
        ("ours_same_size", "pynn_mock_same_size", "writing SONATA, against PyNN's export"),
        ("ours_neuroml", "neuromllite", "SONATA to NeuroML, against NeuroMLlite"),
    )
    for ours, peer, what in pairs:
        if "cpu" in results[ours] and "cpu" in results[peer]:
            times = results[peer]["cpu"] / results[ours]["cpu"]
            verdict(f"times as fast, {what}", times, 1, at_most=False)


if __name__ == "__main__":
    main()
