"""Building and running on NEURON: pynn_io against BMTK, and against a script written by hand, in one run.

Targets: the whole of 300_intfire (read, build, run) in at most a fifth of BMTK's CPU seconds; bio_14cells read and
built in at most a third; a run at most 1.05 times that of a script that makes the same network with h5py and NEURON.
The circuits are those of ../shared/data; the mechanisms are BMTK's, compiled before anything is timed.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

from measure import MB, arguments, run, serve, start, stop, table, verdict

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "sonata"
INTFIRE, BIO = "300_intfire/config.json", "bio_14cells/config.simulation.json"
COMPONENTS = ("shared_components", "bio_components")
EDGES = {INTFIRE: 87_720, BIO: 1_276}


def _ours(settings: dict, config: str, whole: bool) -> dict:
    import pynn_io.importers.sonata  # noqa: F401 - what importing takes is counted on neither side
    from pynn_io.pipeline import read
    from pynn_io.progress import quiet
    from pynn_io.report import Report
    from pynn_io.runners.base import Profile
    from pynn_io.runners.neuron import NeuronRunner
    from pynn_io.runners.neuron.start import interpreter

    interpreter()
    start()
    document, report, runner = read(Path(settings["circuits"]) / config, format="sonata"), Report(), NeuronRunner()
    lowered = runner.lower(document.network, replace(document.plan, recordings=()), report)
    model = runner.build(lowered, Profile(mechanisms=(Path(settings["mechanisms"]),)), report, quiet)
    if not whole:
        return stop(edges=EDGES[config])
    begin = time.process_time()
    runner.run(model, quiet)
    seconds = time.process_time() - begin
    return stop(run=seconds, spikes=runner.collect(model, lowered).spike_count, edges=EDGES[config])


def _bmtk(settings: dict, config: str, whole: bool) -> dict:
    import os

    from neuron import h

    h.nrn_load_dll(settings["library"])
    from bmtk.simulator import bionet

    path = Path(settings["folder"]) / config
    for name in (config.split("/")[0], *COMPONENTS):
        shutil.copytree(Path(settings["circuits"]) / name, Path(settings["folder"]) / name)
    os.chdir(path.parent)
    start()
    conf = bionet.Config.from_json(path.name)
    conf["reports"] = {}
    conf.build_env()
    network = bionet.BioNetwork.from_config(conf)
    simulator = bionet.BioSimulator.from_config(conf, network)
    if not whole:
        return stop()
    begin = time.process_time()
    simulator.run()
    return stop(run=time.process_time() - begin)


def script(settings: dict) -> dict:
    """300_intfire by hand: numbers from its files, one NetCon an edge, one VecStim-like PatternStim, and psolve."""
    import h5py
    import numpy as np
    from neuron import h

    folder = Path(settings["circuits"]) / "300_intfire"
    start()
    context, kept = h.ParallelContext(), []
    with h5py.File(folder / "network/v1_nodes.h5") as file:
        types = file["nodes/v1/node_type_id"][:]
    tau = {100: 24.0, 101: 7.0}
    cells = []
    for gid, kind in enumerate(types.tolist()):
        cell = h.IntFire1()
        cell.tau, cell.refrac = tau[kind], 3.0
        context.set_gid2node(gid, 0)
        detector = h.NetCon(cell, None)
        context.cell(gid, detector)
        cells.append(cell)
        kept.append(detector)
    from pynn_io.pipeline import read

    network = read(folder / "config.json", format="sonata").network  # weights by type: only who connects is timed below
    first = {"v1": 0, "lgn": 300, "tw": 390}
    for projection in network.projections.values():
        signs = np.array([network.synapses[name].parameters["sign"] for name in projection.synapses])
        for _, _, rows in projection.blocks(["weight", "delay", "nsyns"]):
            weights = rows["weight"] * rows["nsyns"] * signs[rows["type"]]
            sources = rows["source"] + first[projection.pre]
            for source, target, weight, delay in zip(
                sources.tolist(), rows["target"].tolist(), weights.tolist(), rows["delay"].tolist(), strict=True
            ):
                connection = context.gid_connect(source, cells[target])
                connection.weight[0], connection.delay = weight, delay
                kept.append(connection)
    stimuli = read(folder / "config.json", format="sonata").plan.stimuli
    times = np.concatenate([item.what.times for item in stimuli])
    gids = np.concatenate([item.what.node_ids + first[item.what.population] for item in stimuli]).astype(float)
    order = np.argsort(times, kind="stable")
    pattern, vectors = h.PatternStim(), (h.Vector(times[order]), h.Vector(gids[order]))
    pattern.play(*vectors)
    when, who = h.Vector(), h.Vector()
    context.spike_record(-1, when, who)
    h.dt = 0.1
    context.set_maxstep(10)
    h.finitialize(-80)
    begin = time.process_time()
    context.psolve(3000)
    return stop(run=time.process_time() - begin, spikes=len(when))


def ours_whole(settings: dict) -> dict:
    return _ours(settings, INTFIRE, whole=True)


def bmtk_whole(settings: dict) -> dict:
    return _bmtk(settings, INTFIRE, whole=True)


def ours_build(settings: dict) -> dict:
    return _ours(settings, BIO, whole=False)


def bmtk_build(settings: dict) -> dict:
    return _bmtk(settings, BIO, whole=False)


CASES = {case.__name__: case for case in (ours_whole, bmtk_whole, script, ours_build, bmtk_build)}


def main() -> None:
    options = arguments(__doc__ or "")
    serve(CASES, options)
    spec = importlib.util.find_spec("bmtk")
    if not DATA.is_dir() or spec is None or spec.origin is None:
        sys.exit("needs the circuits of ../shared/data, NEURON and BMTK")
    mechanisms = Path(spec.origin).parent / "utils/scripts/bionet/mechanisms/modfiles"
    settings = {"circuits": str(DATA), "mechanisms": str(mechanisms), "library": _library(mechanisms)}
    results = run(list(CASES), settings, options.repeat)
    whole = [
        ("BMTK: read, build, run", results["bmtk_whole"]),
        ("pynn_io: read, lower, build, run", results["ours_whole"]),
    ]
    table("300_intfire, 3 s: 300 cells, 87,720 edges", [*whole, ("by hand", results["script"])], "bmtk_whole", results)
    build = [("BMTK: read, build", results["bmtk_build"]), ("pynn_io: read, lower, build", results["ours_build"])]
    table("bio_14cells, built: 10 cable cells, 4 point cells", build, "bmtk_build", results)
    if any("error" in result for result in results.values()):
        return
    print()
    ratio = results["bmtk_whole"]["cpu"] / results["ours_whole"]["cpu"]
    verdict("whole of 300_intfire, BMTK's CPU by ours", ratio, 5, at_most=False)
    ratio = results["bmtk_build"]["cpu"] / results["ours_build"]["cpu"]
    verdict("bio_14cells built, BMTK's CPU by ours", ratio, 3, at_most=False)
    verdict("run by hand-written script", results["ours_whole"]["run"] / results["script"]["run"], 1.05, at_most=True)
    spikes = (results["ours_whole"]["spikes"], results["script"]["spikes"])
    print(f"spikes of 300_intfire: {spikes[0]} (by hand {spikes[1]})")
    print(
        f"memory of 300_intfire: {results['ours_whole']['peak'] * MB / EDGES[INTFIRE]:.0f} bytes an edge, all included"
    )


def _library(mechanisms: Path) -> str:
    """BMTK's mechanisms in one library, made before anything is timed."""
    from pynn_io.progress import quiet
    from pynn_io.report import Report
    from pynn_io.runners.neuron.compiler import compiled
    from pynn_io.runners.neuron.mechanisms import mod_files

    return str(compiled(list(mod_files([mechanisms], Report()).values()), quiet))


if __name__ == "__main__":
    main()
