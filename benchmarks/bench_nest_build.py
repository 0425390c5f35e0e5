"""A SONATA circuit built and run in NEST: pynn_io's runner against a script of h5py and ``nest.Connect`` by hand.

Targets: building from the file takes at most 1.2 times the CPU seconds of the script, the run itself at most 1.05
times. Both make the same cells, edges and recorder, so both must give the same number of spikes. ``import nest`` is in
neither.
"""

from __future__ import annotations

import time

from measure import arguments, input_folder, run, serve, start, stop, table, verdict
from networks import PARAMETERS, sonata_circuit

STEP, AMPLITUDE = 0.1, 0.2


def _finished(build: dict, before: float, spikes: int, connections: int) -> dict:
    return build | {"run": time.process_time() - before, "spikes": spikes, "connections": connections}


def by_hand(settings: dict) -> dict:
    """One array a column, one call of ``nest.Connect``: the shortest script there is."""
    import h5py
    import nest
    import numpy as np

    nest.verbosity = nest.VerbosityLevel.ERROR
    start()
    nest.ResetKernel()
    nest.set(resolution=STEP, rng_seed=1)
    p = PARAMETERS
    cells = nest.Create(
        "iaf_cond_exp",
        settings["cells"],
        {
            "C_m": p["cm"] * 1000, "g_L": p["cm"] * 1000 / p["tau_m"], "E_L": p["v_rest"], "V_reset": p["v_reset"],
            "V_th": p["v_thresh"], "t_ref": p["tau_refrac"], "tau_syn_ex": p["tau_syn_E"],
            "tau_syn_in": p["tau_syn_I"], "E_ex": p["e_rev_E"], "E_in": p["e_rev_I"], "V_m": -65.0,
        },
    )  # fmt: skip
    first = cells[0].global_id
    with h5py.File(settings["config"].replace("circuit_config.json", "edges.h5")) as file:
        group = file["edges/cells_to_cells"]
        source, target = (group[f"{end}_node_id"][()].astype(np.int64) + first for end in ("source", "target"))
        weight, delay = group["0/syn_weight"][()] * 1000.0, group["0/delay"][()]
    spec = {"synapse_model": "static_synapse", "weight": weight, "delay": delay}
    nest.Connect(source, target, "one_to_one", spec)
    generator = nest.Create("dc_generator", params={"amplitude": AMPLITUDE * 1000})
    nest.Connect(generator, cells, syn_spec={"delay": STEP})
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    build, before = stop(), time.process_time()
    nest.Simulate(float(settings["duration"]))
    return _finished(build, before, recorder.n_events, settings["edges"])


def ours(settings: dict) -> dict:
    """Read, lower, build: what ``pynn-run`` does, in this process."""
    import nest
    import numpy as np

    from pynn_io.graph.stimuli import CurrentPulses, Stimulus
    from pynn_io.pipeline import read
    from pynn_io.progress import quiet
    from pynn_io.report import Report
    from pynn_io.runners.base import Profile
    from pynn_io.runners.nest import NestRunner
    from pynn_io.simulation_plan import SimulationPlan

    nest.verbosity = nest.VerbosityLevel.ERROR
    start()
    network = read(settings["config"], format="sonata").network
    pulse = CurrentPulses(np.array([AMPLITUDE]), np.array([0.0]), np.array([np.inf]))
    plan = SimulationPlan(
        duration=float(settings["duration"]), timestep=STEP, seed=1, stimuli=(Stimulus("drive", pulse, "cells"),)
    )
    runner, report = NestRunner(), Report()
    lowered = runner.lower(network, plan, report)
    model = runner.build(lowered, Profile(), report, quiet)
    build, before = stop(), time.process_time()
    runner.run(model, quiet)
    done = _finished(build, before, 0, model.connections)
    return done | {"spikes": runner.collect(model, lowered).spike_count}


CASES = {"by_hand": by_hand, "ours": ours}


def main() -> None:
    options = arguments(__doc__ or "", edges=1_000_000, cells=10_000, duration=50)
    serve(CASES, options)
    with input_folder(options) as folder:
        config = sonata_circuit(folder, options.edges, options.cells)
        settings = {
            "config": str(config), "edges": options.edges, "cells": options.cells, "duration": options.duration,
        }  # fmt: skip
        results = run(list(CASES), settings, options.repeat)
    labels = [("h5py and nest.Connect by hand", "by_hand"), ("pynn_io", "ours")]
    title = f"Building {options.edges:,} edges between {options.cells:,} cells in NEST, from a SONATA file"
    table(title, [(label, results[name]) for label, name in labels], "by_hand", results)
    hand, own = results["by_hand"], results["ours"]
    if "error" in hand or "error" in own:
        return
    print(f"\nspikes {hand['spikes']} and {own['spikes']}, connections {hand['connections']} and {own['connections']}")
    print(f"run of {options.duration} ms: {hand['run']:.2f} and {own['run']:.2f} CPU s")
    print(
        f"memory: {hand['peak'] * 1e6 / options.edges:.0f} and {own['peak'] * 1e6 / options.edges:.0f} bytes an edge\n"
    )
    verdict("building, times the script", own["cpu"] / hand["cpu"], 1.2, at_most=True)
    verdict("running, times the script", own["run"] / hand["run"], 1.05, at_most=True)


if __name__ == "__main__":
    main()
