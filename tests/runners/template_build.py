"""Child process: what a pickled network and plan become in NEURON, as JSON.

``python template_build.py FILE`` prints the synapses (cell, section, fraction, delay) and the issues of building.
"""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path


def main(path: str) -> None:
    from pynn_io.progress import quiet
    from pynn_io.report import Report
    from pynn_io.runners.base import Profile
    from pynn_io.runners.neuron import NeuronRunner

    network, plan = pickle.loads(Path(path).read_bytes())
    report, runner = Report(), NeuronRunner()
    model = runner.build(runner.lower(network, plan, report), Profile(), report, quiet)
    made = []
    for synapses in model.synapses.values():
        targets = [gid for part in synapses.targets for gid in part.tolist()]
        for gid, point, netcon in zip(targets, synapses.points, synapses.netcons, strict=True):
            place = point.get_segment() if point.has_loc() else None
            where = (place.sec.name().rpartition(".")[2], place.x) if place else ("", 0.0)
            made.append([gid, *where, netcon.delay])
    issues = [[issue.code, issue.kind, issue.count] for issue in report]
    print(json.dumps({"synapses": made, "issues": issues}))


if __name__ == "__main__":
    main(sys.argv[1])
