"""Networks of PyNN's objects as the graph and as SONATA, on real backends: what PyNN's own export loses is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pynn_io import read
from pynn_io.graph.node_sets import resolve
from tests.conftest import ROOT
from tests.pynn_in.test_capture import edges
from tests.runners.pynn_backends import need, python

pytest.importorskip("pyNN")

#: Builds a network on a backend, in a process of its own: simulators have global state.
BUILD = """
import sys
import numpy as np
from importlib import import_module
from pyNN.network import Network
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.space import Grid2D
import pynn_io
backend, out = sys.argv[1:]
sim = import_module("pyNN." + backend)
sim.setup(timestep=0.1, min_delay=0.5, max_delay=5.0)
rng = NumpyRNG(3)
exc = sim.Population(12, sim.IF_cond_exp(tau_m=np.linspace(10.0, 21.0, 12), cm=0.5),
                     structure=Grid2D(aspect_ratio=3.0, dx=7.0), label="exc/upper", initial_values={"v": -60.0})
exc.annotate(layer="L2", depth=3)
inh = sim.Population(5, sim.IF_cond_exp(v_thresh=-52.0), label="inh")
trains = sim.Population(2, sim.SpikeSourceArray(spike_times=[[10.0, 20.5], [5.0]]), label="trains")
noise = sim.Population(3, sim.SpikeSourcePoisson(rate=[5.0, 6.0, 7.0], start=2.0, duration=50.0), label="noise")
everyone = sim.Assembly(exc, inh, label="everyone")
half = sim.PopulationView(exc, np.array([1, 3, 8]), label="half")
weights = RandomDistribution("uniform", low=0.001, high=0.002, rng=rng)
static = sim.StaticSynapse(weight=weights, delay=1.5)
one = sim.Projection(exc, inh, sim.FixedProbabilityConnector(0.4, rng=rng), static, label="same")
two = sim.Projection(inh, exc, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.01, delay=2.0),
                     receptor_type="inhibitory", label="same")
three = sim.Projection(half, inh, sim.FromListConnector([(0, 4, 0.003, 0.7), (2, 1, 0.004, 0.9)]),
                       sim.StaticSynapse(), label="of view")
four = sim.Projection(noise, everyone, sim.FromListConnector([(0, 11, 0.1, 1.0), (1, 14, 0.2, 1.0), (2, 0, 0.3, 1.0)]),
                      sim.StaticSynapse(), label="onto assembly")
network = Network(exc, inh, trains, noise, everyone, one, two, three, four)  # PyNN's cannot hold the view
report = pynn_io.export_to_sonata(network, out, target="PyNN", overwrite=False)
truth = {"same": one.get(["weight", "delay"], format="list"), "same_2": two.get(["weight", "delay"], format="list")}
import json
print("TRUTH" + json.dumps({name: [[float(x) for x in row] for row in rows] for name, rows in truth.items()}))
print("CODES" + json.dumps(sorted(report.codes())))
"""


def exported(backend: str, folder: Path) -> tuple[Path, dict[str, list[list[float]]], set[str]]:
    script = folder / "build.py"
    script.write_text(BUILD)
    done = subprocess.run(
        [sys.executable, str(script), backend, str(folder / "out")],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        timeout=400,
    )
    lines = {line[:5]: json.loads(line[5:]) for line in done.stdout.splitlines() if line[:5] in ("TRUTH", "CODES")}
    assert lines, done.stderr[-3000:]
    return folder / "out", lines["TRUTH"], set(lines["CODES"])


@pytest.fixture(scope="module", params=["nest", "mock"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    if request.param == "nest":
        pytest.importorskip("nest")
    return exported(request.param, tmp_path_factory.mktemp(request.param))


@pytest.mark.slow
def test_every_connection_is_written(written) -> None:
    folder, truth, _ = written
    network = read(folder).network
    for name, rows in truth.items():
        np.testing.assert_allclose(edges(network.projections[name]), sorted(rows), rtol=1e-12)
    assert len(truth["same_2"]) == 60
    # both projections are called "same" in PyNN, whose own export writes one over the other
    assert network.projections["same_2"].types.values("receptor").tolist() == ["inhibitory"]


@pytest.mark.slow
def test_views_and_assemblies_are_rows_of_populations(written) -> None:
    network = read(written[0]).network
    view = network.projections["of view"]
    assert (view.pre, view.post) == ("exc_upper", "inh")
    np.testing.assert_allclose(edges(view), [[1, 4, 0.003, 0.7], [8, 1, 0.004, 0.9]], rtol=1e-12)
    onto = {item.post: edges(item) for item in network.projections.values() if item.pre == "noise"}
    np.testing.assert_allclose(onto["exc_upper"], [[0, 11, 0.1, 1.0], [2, 0, 0.3, 1.0]], rtol=1e-12)
    np.testing.assert_allclose(onto["inh"], [[1, 2, 0.2, 1.0]], rtol=1e-12)
    assert {name: len(rows) for name, rows in resolve("everyone", network).items()} == {"exc_upper": 12, "inh": 5}
    assert resolve("half", network)["exc_upper"].tolist() == [1, 3, 8]


@pytest.mark.slow
def test_positions_labels_and_parameters_are_written(written) -> None:
    folder, _, codes = written
    network = read(folder).network
    assert list(network.populations) == ["exc_upper", "inh", "trains", "noise"]
    population = network.populations["exc_upper"]
    assert set(population.column("x").read(12).tolist()) == {0.0, 7.0, 14.0, 21.0, 28.0, 35.0}  # 6 columns of 2 cells
    assert population.types.values("label").tolist() == ["exc/upper"]
    assert population.types.values("layer").tolist() == ["L2"]
    np.testing.assert_allclose(population.column("parameters:tau_m").read(12), np.linspace(10.0, 21.0, 12))
    assert network.cells[population.cells[0]].parameters["cm"] == 0.5
    assert network.cells[population.cells[0]].parameters["v"] == -60.0
    assert "renamed" in codes


@pytest.mark.slow
def test_spikes_and_rates_of_sources_are_kept(written) -> None:
    document = read(written[0])
    noise = document.network.populations["noise"]
    np.testing.assert_allclose(noise.column("parameters:rate").read(3), [5.0, 6.0, 7.0])
    assert document.network.cells[noise.cells[0]].model == "SpikeSourcePoisson"
    (stimulus,) = document.plan.stimuli
    assert stimulus.what.node_ids.tolist() == [0, 0, 1]
    np.testing.assert_allclose(stimulus.what.times, [10.0, 20.5, 5.0])


def test_more_edges_than_fit_in_sixteen_bits(tmp_path: Path) -> None:
    """PyNN's export wraps indices around at 32,767 without an error."""
    pytest.importorskip("pyNN.mock")
    text = """
import sys
import numpy as np
import pyNN.mock as sim
from pyNN.network import Network
import pynn_io
sim.setup()
pre, post = (sim.Population(200, sim.IF_curr_exp(), label=label) for label in ("pre", "post"))
both = sim.Projection(pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5, delay=1.0))
pynn_io.export_to_sonata(Network(pre, post, both), sys.argv[1])
"""
    script = tmp_path / "large.py"
    script.write_text(text)
    subprocess.run([sys.executable, script, tmp_path / "out"], check=True, timeout=300, env={"PYTHONPATH": str(ROOT)})
    (projection,) = read(tmp_path / "out").network.projections.values()
    assert projection.size == 40_000
    found = edges(projection)
    np.testing.assert_array_equal(found[:, 0] * 200 + found[:, 1], np.arange(40_000))


CURRENT = """
import sys
import pyNN.nest as sim
from pyNN.network import Network
import pynn_io
sim.setup(timestep=0.1, min_delay=0.1)
cells = sim.Population(3, sim.IF_cond_exp(), label="cells")
none = pynn_io.export_to_sonata(Network(cells), sys.argv[1])
assert not none.codes()
cells.inject(sim.DCSource(amplitude=0.5))
(lost,) = pynn_io.export_to_sonata(Network(cells), sys.argv[1], overwrite=True)
assert (lost.kind.name, lost.code, lost.count, list(lost.examples)) == ("LOST", "current-source", 1, ["DCSource"])
"""


def test_currents_into_cells_are_reported_lost(tmp_path: Path) -> None:
    need("nest")
    python("-c", CURRENT, str(tmp_path / "out"))


WITHOUT_NEST = """
import sys
sys.modules["nest"] = None
import pyNN.mock as sim
from pyNN.network import Network
import pynn_io
sim.setup()
pre, post = (sim.Population(3, sim.IF_curr_exp(), label=label) for label in ("pre", "post"))
both = sim.Projection(pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5, delay=1.0))
pynn_io.export_to_sonata(Network(pre, post, both), sys.argv[1])
"""


def test_a_network_of_another_backend_needs_no_nest(tmp_path: Path) -> None:
    python("-c", WITHOUT_NEST, str(tmp_path / "out"))
    (projection,) = read(tmp_path / "out").network.projections.values()
    assert projection.size == 9


#: PyNN itself lists no connections of assemblies on Brian2, and wrong ones of the second view.
ON_BRIAN2 = """
import sys
import numpy as np
import pyNN.brian2 as sim
from pyNN.network import Network
import pynn_io
sim.setup(timestep=0.1, min_delay=0.1)
one, other = (sim.Population(12, sim.IF_cond_exp(), label=label) for label in ("one", "other"))
pairs = [(0, 1, 0.25, 0.5), (0, 2, 0.5, 1.0), (2, 0, 0.75, 1.5)]
def listed(label, pre, post):
    return sim.Projection(pre, post, sim.FromListConnector(pairs), sim.StaticSynapse(), label=label)
chosen = sim.PopulationView(one, np.array([9, 2, 5]))  # which PyNN sorts
views = [listed("sliced", one[3:12:2], other[[1, 6, 9]]), listed("view of view", one[3:11][2:6], other),
         listed("chosen", chosen, other), listed("onto assembly", one, sim.Assembly(other[1:3], one, label="both"))]
every = sim.Projection(sim.Assembly(other, one, label="all"), other, sim.AllToAllConnector(),
                       sim.StaticSynapse(weight=0.125, delay=0.5), label="of assembly")
none = sim.Projection(one, other, sim.FromListConnector([]), sim.StaticSynapse(), label="none")
pynn_io.export_to_sonata(Network(one, other, *views, every, none), sys.argv[1])
"""


@pytest.mark.slow
def test_views_and_assemblies_on_brian2(tmp_path: Path) -> None:
    need("brian2")
    python("-c", ON_BRIAN2, str(tmp_path / "out"))
    projections = read(tmp_path / "out").network.projections
    near = {name: np.round(edges(each), 9).tolist() for name, each in projections.items() if each.size}
    assert near["sliced"] == [[3, 6, 0.25, 0.5], [3, 9, 0.5, 1.0], [7, 1, 0.75, 1.5]]
    assert near["view of view"] == [[5, 1, 0.25, 0.5], [5, 2, 0.5, 1.0], [7, 0, 0.75, 1.5]]
    assert near["chosen"] == [[2, 1, 0.25, 0.5], [2, 2, 0.5, 1.0], [9, 0, 0.75, 1.5]]
    assert near["onto assembly:one_to_other"] == [[0, 2, 0.25, 0.5], [2, 1, 0.75, 1.5]]
    assert near["onto assembly:one_to_one"] == [[0, 0, 0.5, 1.0]]
    assert len(near["of assembly:one_to_other"]) == len(near["of assembly:other_to_other"]) == 144
    assert projections["none"].size == 0


def test_another_target_is_refused(tmp_path: Path) -> None:
    import pynn_io
    from pynn_io.graph import Network

    with pytest.raises(pynn_io.FormatError, match="target 'NEURON'"):
        pynn_io.export_to_sonata(Network(), tmp_path / "out", "NEURON")
