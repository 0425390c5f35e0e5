"""Run a SONATA simulation with BMTK, as a process of its own: ``python bmtk_run.py ENGINE CONFIG [MECHANISMS]``.

ENGINE: ``pointnet`` (NEST) or ``bionet`` (NEURON). Knows nothing of pynn_io.
"""

from __future__ import annotations

import importlib
import sys


def main(engine: str, config: str, mechanisms: str = "") -> None:
    if mechanisms:
        from neuron import h

        h.nrn_load_dll(mechanisms)
    net = importlib.import_module(f"bmtk.simulator.{engine}")
    kind = {"pointnet": "Point", "bionet": "Bio"}[engine]
    conf = net.Config.from_json(config)
    conf.build_env()
    network = getattr(net, f"{kind}Network").from_config(conf)
    getattr(net, f"{kind}Simulator").from_config(conf, network).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
