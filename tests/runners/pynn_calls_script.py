"""PyNN's documented calls, with the import line changed: ``python -m tests.runners.pynn_calls_script SIM [DURATION]``.

Runs in the folder of the configurations. SIM: a backend module, or ``own:NAME``. Prints what there is, as JSON.
"""

import json
import sys
from dataclasses import replace
from importlib import import_module

import pynn_io
from pynn_io import SonataIO, import_from_sonata, load_sonata_simulation_plan

sim = pynn_io.backend(sys.argv[1][4:]) if sys.argv[1].startswith("own:") else import_module(sys.argv[1])
simulation_plan = load_sonata_simulation_plan("simulation_config.json")
if len(sys.argv) > 2:
    simulation_plan = replace(simulation_plan, duration=float(sys.argv[2]))
simulation_plan.setup(sim)
net = import_from_sonata("circuit_config.json", sim)
simulation_plan.execute(net)
(block,) = SonataIO(simulation_plan.output.directory).read()
component = net.get_component(sys.argv[3] if len(sys.argv) > 3 else "v1")
said = {"spikes": sum(len(train) for train in block.segments[0].spiketrains), "size": component.size}
if not isinstance(net, pynn_io.Network):
    said |= {
        "kind": type(component).__name__,
        "is a Network of PyNN": isinstance(net, import_module("pyNN.network").Network),
        "assemblies": sorted(one.label for one in net.assemblies),
        "neurons": net.count_neurons(),
        "connections": net.count_connections(),
        "positions": component.positions.T.tolist()[:3],
    }
print(json.dumps(said))
