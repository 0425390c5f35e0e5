"""The profile of SpiNNaker against the installed sPyNNaker: its classes, variables, receptors, delays and weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.graph import PointCell
from pynn_io.lowering.hardware.delays import steps_held
from pynn_io.lowering.hardware.weights import resolutions
from pynn_io.vocabulary import chips
from pynn_io.vocabulary.models import MODELS
from tests.hardware.nets import CELL, network
from tests.hardware.virtual_board import needs_spynnaker, run_script

pytestmark = [needs_spynnaker, pytest.mark.slow]

STANDARD = {name: row.kind for name, row in MODELS.items() if ":" not in name and name != "static"}
CLASSES = """
names = {names}
sim.setup(1.0)
facts = {{"has": {{name: hasattr(sim, name) for name in names}}, "record": {{}}, "receptors": {{}}}}
for name in ("IF_curr_exp", "IF_cond_exp", "IF_curr_alpha", "IF_curr_delta", "Izhikevich"):
    cells = sim.Population(1, getattr(sim, name)(), label=name)
    facts["record"][name] = [one for one in ("v", "spikes", "gsyn_exc", "gsyn_inh", "w", "u") if cells.can_record(one)]
    places = [cells._vertex.get_synapse_id_by_target(one) for one in ("excitatory", "inhibitory", "nmda")]
    facts["receptors"][name] = [place is not None for place in places]
cells.set_max_atoms_per_core(256)
facts["parts"] = [hasattr(sim, name) for name in {parts}]
sim.end()
give(facts)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What sPyNNaker says of itself."""
    parts = ["SpikePairRule", "AdditiveWeightDependence", "MultiplicativeWeightDependence", "GutigWeightDependence"]
    text = CLASSES.format(names=list(STANDARD), parts=parts)
    return run_script(tmp_path_factory.mktemp("classes"), text)


@pytest.mark.parametrize("name", STANDARD)
def test_models(name, installed):
    answer = chips.chip("spinnaker").of_model(name, synapse=STANDARD[name] == "synapse")
    assert (answer.level != "no") == installed["has"][name]


def test_variables(installed):
    (rule,) = [one for one in chips.chip("spinnaker").rules if one.code == "recorded-variable"]
    for name, variables in installed["record"].items():
        assert set(variables) == {"v", "spikes", "gsyn_exc", "gsyn_inh"} <= set(rule.than), name


def test_receptors(installed):
    assert set(map(tuple, installed["receptors"].values())) == {(True, True, False)}


def test_parts_of_plasticity(installed):
    (rule,) = [one for one in chips.chip("spinnaker").rules if one.code == "plasticity-part"]
    assert installed["parts"] == [True, True, True, False]
    assert rule.than == ["SpikePairRule", "AdditiveWeightDependence", "MultiplicativeWeightDependence"]


DELAYS = """
from spynnaker.pyNN.exceptions import DelayExtensionException
found = []
for sources, size, delays in {cases}:
    sim.setup(1.0)
    source = sim.Population(sources, sim.SpikeSourceArray([1.0]))
    cells = sim.Population(size, sim.IF_curr_exp())
    rows = [(row % sources, row % size, 1.0, delay) for row, delay in enumerate(delays)]
    edges = sim.Projection(source, cells, sim.FromListConnector(rows), sim.StaticSynapse())
    try:
        sim.run(5)
        found.append(sorted(float(row[2]) for row in edges.get(["delay"], format="list")))
    except DelayExtensionException:
        found.append("refused")
    sim.end()
give(found)
"""


def test_the_longest_delay(tmp_path):
    """All delays come back up to what the profile says; beyond, sPyNNaker refuses only after losing or changing some.

    Where the third case fails, a later sPyNNaker holds more: raise ``stages`` in the profile.
    """
    delays = chips.chip("spinnaker").delays
    kept = [(3, 64), (300, 256)]
    cases = [(sources, size, _spread(steps_held(delays, size))) for sources, size in kept]
    cases += [(3, 64, _spread(9 * steps_held(delays, 64) // delays.stages)), (3, 64, [1153.0])]
    *whole, beyond, refused = run_script(tmp_path, DELAYS.format(cases=cases))
    assert whole == [case[2] for case in cases[:2]]
    assert beyond != cases[2][2]
    assert refused == "refused"


def _spread(longest):
    return sorted({float(round(1 + (longest - 1) * part / 12)) for part in range(13)})


SCALES = """
found = []
for name, receptor, weights, delays in {cases}:
    sim.setup(1.0)
    source = sim.Population(len(weights), sim.SpikeSourceArray([1.0]))
    cells = sim.Population(2, getattr(sim, name)())
    rows = [(row, row % 2, weight, delay) for row, (weight, delay) in enumerate(zip(weights, delays))]
    sim.Projection(source, cells, sim.FromListConnector(rows), sim.StaticSynapse(), receptor_type=receptor)
    vertex = cells._vertex
    scale = vertex.get_weight_scales(vertex.get_ring_buffer_shifts())
    found.append(1.0 / scale[vertex.get_synapse_id_by_target(receptor)])
    sim.end()
give(found)
"""


def test_the_resolution_of_weights(tmp_path):
    """One delay for all (everything may arrive at once), and several (the sum of a Poisson process)."""
    random = np.random.default_rng(3)
    cases = []
    for name, unit in (("IF_curr_exp", "nA"), ("IF_cond_exp", "uS")):
        for receptor in ("excitatory", "inhibitory"):
            for delays in (np.ones(60), random.integers(1, 20, 60)):
                weights = random.lognormal(-3.0, 1.0, 60).round(6)
                cases.append((name, receptor, weights.tolist(), delays.astype(float).tolist(), unit))
    given = run_script(tmp_path, SCALES.format(cases=[case[:4] for case in cases]))
    ours = []
    for name, receptor, weights, delays, unit in cases:
        made = network(
            2,
            cell=PointCell(name, CELL),
            unit=unit,
            receptor=receptor,
            weight=weights,
            delay=delays,
            pairs=(list(range(60)), [row % 2 for row in range(60)]),
        )
        source = replace(made.populations["in"], size=60, table=type(made.populations["in"].table)(60))
        made = replace(made, populations={**made.populations, "in": source})
        ours.append(resolutions(made, chips.chip("spinnaker"), 1.0)["cells", receptor == "inhibitory"])
    assert ours == given
