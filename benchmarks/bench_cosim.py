"""What it costs to run one network in several processes that exchange spikes, against one process.

Target: an exchange between two parts takes at most 5 ms of CPU time, both parts and the coordinator together; through
PyNN's ``get_data`` it took 100 ms. A part also pays for what is not divided: its own build, and proxies. Recurrent
IF_curr_exp cells driven by a current, two populations of equal size, projections between all, weights too small to make
a difference to the rates.
"""

from __future__ import annotations

import time

import numpy as np
from measure import arguments, run, serve, start, stop, table, verdict

PLACEMENTS = {
    "nest": "nest",
    "nest_nest": "left=nest,right=nest",
    "neuron": "neuron",
    "neuron_neuron": "left=neuron,right=neuron",
    "nest_neuron": "left=nest,right=neuron",
}
LABELS = {
    "nest": "one NEST",
    "nest_nest": "NEST beside NEST",
    "neuron": "one NEURON",
    "neuron_neuron": "NEURON beside NEURON",
    "nest_neuron": "NEST beside NEURON",
}
STEP = 0.1


def network(cells: int, inputs: int, delay: float):
    """Half of the cells in each population; every cell has ``inputs`` synapses, half of them from the other half."""
    from pynn_io.graph import Column, Edges, Network, PointCell, Population, Projection, Synapse, Table, text_column

    random = np.random.default_rng(1)
    size = cells // 2
    drive = {"parameters:i_offset": Column(random.uniform(0.2, 0.35, size))}
    cell = PointCell("IF_curr_exp", {"cm": 0.25, "tau_m": 15.0, "v_thresh": -50.0, "v_rest": -65.0, "v_reset": -65.0})
    populations = {
        name: Population(name, size, Table(1, {"cell": text_column(["cell"])}), table=Table(size, drive))
        for name in ("left", "right")
    }
    projections = {}
    for pre in populations:
        for post in populations:
            edges = size * inputs // 2
            columns = Table(edges, {"weight": Column(0.001), "delay": Column(delay)})
            ends = (Column(random.integers(0, size, edges)) for _ in range(2))
            types = Table(1, {"synapse": text_column(["static"]), "weight_unit": text_column(["nA"])})
            projections[f"{pre}_{post}"] = Projection(f"{pre}_{post}", pre, post, types, Edges(*ends, columns))
    return Network("bench", populations, projections, {"cell": cell}, {"static": Synapse("StaticSynapse")})


def _case(placement: str):
    def case(settings: dict) -> dict:
        from pynn_io.simulate import simulate
        from pynn_io.simulation_plan import SimulationPlan

        made = network(settings["cells"], settings["inputs"], settings["delay"] / 1000)
        plan = SimulationPlan(duration=float(settings["duration"]), timestep=STEP, seed=1)
        start()
        own = time.process_time()
        results = simulate(made, plan, placement)
        facts = results.provenance
        coordinator = time.process_time() - own if "epochs" in facts else 0.0
        stopped = stop(spikes=results.spike_count, epochs=facts.get("epochs", 0), coordinator=coordinator)
        return stopped | {"cpu": facts["cpu_seconds"]["run"], "wall": facts["seconds"]["run"]}

    return case


def main() -> None:
    options = arguments(__doc__, cells=2000, inputs=50, duration=500, delay=2000)
    serve({name: _case(placement) for name, placement in PLACEMENTS.items()}, options)
    settings = {name: getattr(options, name) for name in ("cells", "inputs", "duration", "delay")}
    results = run(list(PLACEMENTS), settings, options.repeat)
    for single, several in (("nest", ("nest_nest", "nest_neuron")), ("neuron", ("neuron_neuron",))):
        title = f"Running {options.cells:,} cells for {options.duration} ms, delays of {options.delay / 1000:g} ms"
        table(title, [(LABELS[name], results[name]) for name in (single, *several)], single, results)
        for name in several:
            one, two = results[single], results[name]
            if "error" in one or "error" in two:
                continue
            extra = 1000 * (two["cpu"] - one["cpu"] + two["coordinator"]) / two["epochs"]
            print(f"\n{LABELS[name]}: {two['epochs']} epochs; spikes {one['spikes']} and {two['spikes']}")
            if name != "nest_neuron":
                verdict("CPU time of an exchange", extra, 5.0, at_most=True, unit=" ms")


if __name__ == "__main__":
    main()
