"""Building and running on NEURON: pynn_io against BMTK, and against a script written by hand, in one run.

Targets: the whole of 300_intfire (read, build, run) in at most a fifth of BMTK's CPU seconds; bio_14cells, and a
circuit of ten copies of it with 100 cable cells, read and built in at most a third; a run at most 1.05 times that of a
script that makes the same network with h5py and NEURON, for point cells and for cable cells whose potentials and
calcium are recorded. The circuits are those of ../shared/data; the mechanisms are BMTK's, compiled before anything is
timed.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from measure import MB, arguments, run, serve, start, stop, table, verdict
from neuron_by_hand import Script, write_lists
from replica import replicate

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "sonata"
INTFIRE, BIO = "300_intfire/config.json", "bio_14cells/config.simulation.json"
COPIES, REPLICA = 10, "bio_replica/config.simulation.json"
COMPONENTS = ("shared_components", "bio_components")
EDGES = {INTFIRE: 87_720, BIO: 1_276, REPLICA: 1_276 * COPIES}
#: How much of bio_14cells is run, ms.
DURATION = 1000.0


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


def ours_replica(settings: dict) -> dict:
    return _ours(settings | {"circuits": settings["replica"]}, REPLICA, whole=False)


def bmtk_replica(settings: dict) -> dict:
    return _bmtk(settings | {"circuits": settings["replica"]}, REPLICA, whole=False)


def _cable_model(settings: dict) -> tuple:
    """The runner, bio_14cells lowered, and built."""
    from pynn_io.pipeline import read
    from pynn_io.progress import quiet
    from pynn_io.report import Report
    from pynn_io.runners.base import Profile
    from pynn_io.runners.neuron import NeuronRunner

    document, report, runner = read(Path(settings["circuits"]) / BIO, format="sonata"), Report(), NeuronRunner()
    lowered = runner.lower(document.network, replace(document.plan, duration=DURATION), report)
    model = runner.build(lowered, Profile(mechanisms=(Path(settings["mechanisms"]),)), report, quiet)
    return runner, lowered, model


def lists(settings: dict) -> dict:
    """Not timed: what `script_cable` makes its network of."""
    start()
    _, lowered, model = _cable_model(settings)
    write_lists(model, lowered, Path(settings["lists"]))
    return stop()


def ours_cable(settings: dict) -> dict:
    from pynn_io.progress import quiet

    runner, lowered, model = _cable_model(settings)
    start()
    runner.run(model, quiet)
    done = stop()
    return {**done, "spikes": runner.collect(model, lowered).spike_count}


def script_cable(settings: dict) -> dict:
    from neuron import h

    h.nrn_load_dll(settings["library"])
    made = Script(json.loads(Path(settings["lists"]).read_text()))
    start()
    spikes = made.run()
    return {**stop(), "spikes": spikes}


TIMED = (ours_whole, bmtk_whole, script, ours_build, bmtk_build, ours_replica, bmtk_replica)
RUNS, MORE = (ours_cable, script_cable), 3
CASES = {case.__name__: case for case in (lists, *TIMED, *RUNS)}


def main() -> None:
    options = arguments(__doc__ or "")
    serve(CASES, options)
    spec = importlib.util.find_spec("bmtk")
    if not DATA.is_dir() or spec is None or spec.origin is None:
        sys.exit("needs the circuits of ../shared/data, NEURON and BMTK")
    mechanisms = Path(spec.origin).parent / "utils/scripts/bionet/mechanisms/modfiles"
    with tempfile.TemporaryDirectory() as folder:
        replica, path = Path(folder) / "circuits", Path(folder) / "lists.json"
        replicate(DATA, replica, "bio_replica", COPIES)
        settings = {"circuits": str(DATA), "mechanisms": str(mechanisms), "library": _library(mechanisms)}
        settings |= {"replica": str(replica), "lists": str(path)}
        made = run(["lists"], settings, 1)["lists"]
        if "error" in made:
            sys.exit(f"bio_14cells could not be written as lists: {made['error']}")
        results = run([case.__name__ for case in TIMED], settings, options.repeat)
        # some seconds each, and to be told apart by a twentieth
        results |= run([case.__name__ for case in RUNS], settings, MORE * options.repeat)
    _tables(results)
    if not any("error" in result for result in results.values()):
        _verdicts(results)


def _tables(results: dict) -> None:
    whole = [
        ("BMTK: read, build, run", results["bmtk_whole"]),
        ("pynn_io: read, lower, build, run", results["ours_whole"]),
    ]
    table("300_intfire, 3 s: 300 cells, 87,720 edges", [*whole, ("by hand", results["script"])], "bmtk_whole", results)
    for title, key in (
        ("bio_14cells, built: 10 cable cells, 4 point cells", "build"),
        (f"{COPIES} copies of it, built: {10 * COPIES} cable cells, {4 * COPIES} point cells", "replica"),
    ):
        rows = [("BMTK: read, build", results[f"bmtk_{key}"]), ("pynn_io: read, lower, build", results[f"ours_{key}"])]
        table(title, rows, f"bmtk_{key}", results)
    rows = [("by hand: initialise, run", results["script_cable"]), ("pynn_io: the same", results["ours_cable"])]
    table(f"bio_14cells, {DURATION:g} ms, v and cai recorded: the run alone", rows, "script_cable", results)


def _verdicts(results: dict) -> None:
    print()
    for what, key, target in (
        ("whole of 300_intfire", "whole", 5),
        ("bio_14cells built", "build", 3),
        (f"{COPIES} copies of bio_14cells built", "replica", 3),
    ):
        ratio = results[f"bmtk_{key}"]["cpu"] / results[f"ours_{key}"]["cpu"]
        verdict(f"{what}, BMTK's CPU by ours", ratio, target, at_most=False)
    ratio = results["ours_whole"]["run"] / results["script"]["run"]
    verdict("run of 300_intfire by hand-written script", ratio, 1.05, at_most=True)
    ratio = results["ours_cable"]["cpu"] / results["script_cable"]["cpu"]
    verdict("run of bio_14cells by hand-written script", ratio, 1.05, at_most=True)
    for name, ours, other in (("300_intfire", "ours_whole", "script"), ("bio_14cells", "ours_cable", "script_cable")):
        print(f"spikes of {name}: {results[ours]['spikes']} (by hand {results[other]['spikes']})")
    each = results["ours_whole"]["peak"] * MB / EDGES[INTFIRE]
    print(f"memory of 300_intfire: {each:.0f} bytes an edge, all included")


def _library(mechanisms: Path) -> str:
    """BMTK's mechanisms in one library, made before anything is timed."""
    from pynn_io.progress import quiet
    from pynn_io.report import Report
    from pynn_io.runners.neuron.compiler import compiled
    from pynn_io.runners.neuron.mechanisms import mod_files

    return str(compiled(list(mod_files([mechanisms], Report()).values()), quiet))


if __name__ == "__main__":
    main()
