"""Writing a network as NeuroML XML: pynn_io against libNeuroML's writer.

Target: at least five times as fast as libNeuroML's writer, in memory that does not grow with the network. libNeuroML
is timed writing only; what it takes to build its objects is a line of its own, and its memory is counted whole.
"""

from __future__ import annotations

from pathlib import Path

from measure import arguments, run, serve, start, stop, table, verdict
from networks import PARAMETERS, document, edge_block


def _ours(settings: dict, *, lazy: bool) -> dict:
    import pynn_io.exporters.neuroml
    from pynn_io.report import Report

    made = document(settings["edges"], settings["cells"], lazy=lazy)
    folder = Path(settings["folder"])
    start()
    pynn_io.exporters.neuroml.write(made, folder, Report(), dialect="")
    return stop(bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))


def ours(settings: dict) -> dict:
    return _ours(settings, lazy=False)


def generated(settings: dict) -> dict:
    return _ours(settings, lazy=True)


def tenfold(settings: dict) -> dict:
    """Ten times the edges: does memory grow?"""
    return _ours(settings | {"edges": 10 * settings["edges"]}, lazy=True)


def _objects(edges: int, cells: int):
    import neuroml

    made = neuroml.NeuroMLDocument(id="benchmark")
    made.IF_cond_exp.append(
        neuroml.IF_cond_exp(
            id="cell",
            cm=PARAMETERS["cm"],
            i_offset=0.0,
            v_init=-65.0,
            **{name: PARAMETERS[name] for name in ("tau_m", "tau_refrac", "v_rest", "v_reset", "v_thresh")},
            **{name: PARAMETERS[name] for name in ("tau_syn_E", "tau_syn_I", "e_rev_E", "e_rev_I")},
        )
    )
    made.exp_cond_synapses.append(neuroml.ExpCondSynapse(id="synapse", tau_syn=1.5, e_rev=0.0))
    network = neuroml.Network(id="net")
    made.networks.append(network)
    population = neuroml.Population(id="cells", component="cell", type="populationList", size=cells)
    for row in range(cells):
        place = neuroml.Location(x=float(row), y=0.0, z=0.0)
        population.instances.append(neuroml.Instance(id=row, location=place))
    network.populations.append(population)
    projection = neuroml.Projection(
        id="p", presynaptic_population="cells", postsynaptic_population="cells", synapse="synapse"
    )
    network.projections.append(projection)
    block = edge_block(0, edges, edges, cells)
    columns = (block[name].tolist() for name in ("source", "target", "weight", "delay"))
    for row, (source, target, weight, delay) in enumerate(zip(*columns, strict=True)):
        projection.connection_wds.append(
            neuroml.ConnectionWD(
                id=row,
                pre_cell_id=f"../cells/{source}/cell",
                post_cell_id=f"../cells/{target}/cell",
                weight=weight,
                delay=f"{delay} ms",
            )
        )
    return made


def libneuroml_build(settings: dict) -> dict:
    import neuroml  # noqa: F401

    start()
    made = _objects(settings["edges"], settings["cells"])
    return stop(networks=len(made.networks))


def libneuroml(settings: dict) -> dict:
    from neuroml.writers import NeuroMLWriter

    start()
    made = _objects(settings["edges"], settings["cells"])
    built = stop()
    NeuroMLWriter.write(made, str(Path(settings["folder"]) / "net.nml"))
    whole = stop()
    return whole | {"cpu": whole["cpu"] - built["cpu"], "wall": whole["wall"] - built["wall"]}


CASES = {case.__name__: case for case in (libneuroml, libneuroml_build, ours, generated, tenfold)}


def main() -> None:
    options = arguments(__doc__ or "", edges=1_000_000, cells=10_000)
    serve(CASES, options)
    results = run(list(CASES), {"edges": options.edges, "cells": options.cells}, options.repeat)
    labels = {
        "libneuroml": "libNeuroML, writing only",
        "libneuroml_build": "libNeuroML, building its objects",
        "ours": "pynn_io, from the graph",
        "generated": "pynn_io, edges computed while writing",
        "tenfold": f"pynn_io, the same, {10 * options.edges:,} edges",
    }
    rows = [(labels[name], results[name]) for name in CASES]
    table(f"NeuroML XML: {options.edges:,} connections, {options.cells:,} cells", rows, "libneuroml", results)
    print()
    if "cpu" in results["libneuroml"] and "cpu" in results["ours"]:
        speed = results["libneuroml"]["cpu"] / results["ours"]["cpu"]
        verdict("times as fast as libNeuroML's writer", speed, 5, at_most=False)
    if "peak" in results["tenfold"] and "peak" in results["generated"]:
        growth = results["tenfold"]["peak"] / max(results["generated"]["peak"], 1.0)
        verdict("memory for ten times the edges", growth, 1.5, at_most=True)


if __name__ == "__main__":
    main()
