"""Four times the populations, projections, inputs and recordings is four times the work. Calls count, not seconds."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

import pynn_io
from pynn_io import registry
from pynn_io.document import Document
from pynn_io.graph.cells import PointCell
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.stimuli import CurrentPulses, Stimulus
from pynn_io.graph.synapses import Synapse
from pynn_io.report import Report
from pynn_io.runners.worker import load_runner
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.models import edges, table

#: Of the ratio of calls: some are made once for a network, some for each population.
MARGIN = 1.1


def network(names: list[str], pairs: list[tuple[str, str]]) -> Network:
    """Populations of two cells, and projections of one edge."""
    types = table(1, synapse=["static"], weight_unit=["nA"])
    one = Projection("", "", "", types, edges([0], [1], weight=[1.0], delay=[1.0]))
    found = [replace(one, name=f"{pre}_to_{post}", pre=pre, post=post) for pre, post in pairs]
    return Network(
        "many",
        {name: Population(name, 2, table(1, cell=["cell"])) for name in names},
        {each.name: each for each in found},
        {"cell": PointCell("IF_curr_exp", {"tau_m": 20.0, "tau_syn_E": 5.0, "tau_syn_I": 5.0})},
        {"static": Synapse("StaticSynapse")},
    )


def all_to_all(projections: int) -> Network:
    names = [f"p{number}" for number in range(round(projections**0.5))]
    return network(names, list(product(names, names)))


def chain(projections: int) -> Network:
    names = [f"p{number}" for number in range(projections + 1)]
    return network(names, list(pairwise(names)))


def plan(there: Network) -> SimulationPlan:
    """An input to each population, and a recording of it."""
    step = CurrentPulses(np.array([0.1]), np.array([1.0]), np.array([5.0]))
    sets = {name: {"population": name} for name in there.populations}
    return SimulationPlan(
        duration=10.0,
        timestep=0.1,
        stimuli=[Stimulus(f"onto_{name}", step, chosen) for name, chosen in sets.items()],
        recordings=[Recording(f"v_of_{name}", "v", chosen) for name, chosen in sets.items()],
    )


def writing(there: Network, folder: Path, target: str) -> Callable[[], object]:
    return lambda: pynn_io.write(Document(there, plan(there)), folder / "out", target)


def reading(there: Network, folder: Path, target: str) -> Callable[[], object]:
    writing(there, folder, target)()
    (main,) = (folder / "out").glob("simulation_config.json" if target == "sonata" else "LEMS_*.xml")
    return lambda: pynn_io.read(main)


def lowering(there: Network, folder: Path, backend: str) -> Callable[[], object]:
    runner = load_runner(registry.backends()[backend].runner)
    return lambda: runner.lower(there, plan(there), Report())


JOBS = [
    *((writing, target) for target in ("sonata", "neuroml", "pynn")),
    *((reading, target) for target in ("sonata", "neuroml")),
    *((lowering, backend) for backend in ("nest", "neuron", "brian2", "jneuroml", "pynn:nest")),
]


def calls(work: Callable[[], object]) -> int:
    profile = cProfile.Profile()
    profile.runcall(work)
    return pstats.Stats(profile).total_calls


@pytest.mark.parametrize("shape", [all_to_all, chain])
@pytest.mark.parametrize(("job", "of"), JOBS)
def test_work_grows_as_the_network_does(tmp_path, job, of, shape):
    job(shape(4), tmp_path / "imports", of)()
    few, many = (job(shape(size), tmp_path / str(size), of) for size in (36, 144))
    assert calls(many) < 4 * MARGIN * calls(few)
