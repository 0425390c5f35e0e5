"""A PyNN script with a stored result as an archive, on NEST: executed only when that is permitted, and, since the
network is random, compared over seeds."""

import shutil

import pytest

from pynn_io.archive.container import opened
from pynn_io.archive.entries import expecting, find_entries
from pynn_io.archive.matrix import Options, run_matrix
from pynn_io.archive.values import Verdict
from pynn_io.pipeline import read
from pynn_io.report import Report
from pynn_io.results import write_results
from pynn_io.simulate import simulate

pytestmark = pytest.mark.slow
#: 100 cells at some 10 Hz, each with a Poisson source of its own, and random inhibition among them.
SCRIPT = """\
import pyNN.nest as sim
from pyNN.random import NumpyRNG

sim.setup(timestep=0.1)
cells = sim.Population(100, sim.IF_curr_exp(tau_m=20.0, cm=0.2, tau_refrac=2.0), label="cells")
drive = sim.Population(100, sim.SpikeSourcePoisson(rate=1500.0), label="drive")
sim.Projection(drive, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight={weight}, delay=1.0))
sparse = sim.FixedProbabilityConnector(0.1, rng=NumpyRNG(seed=3))
sim.Projection(cells, cells, sparse, sim.StaticSynapse(weight=-0.1, delay=1.5), receptor_type="inhibitory")
cells.record("spikes")
sim.run(2000.0)
"""
WEIGHT = 0.021


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A script, and what it gave with another seed; beside it what it gives with a drive 10 % stronger."""
    pytest.importorskip("nest")
    pytest.importorskip("pyNN")
    made = tmp_path_factory.mktemp("scripts")
    for name, weight, place in (("model", WEIGHT, "model/expected"), ("stronger", 1.1 * WEIGHT, "stronger")):
        script = made / name / "network.py"
        script.parent.mkdir()
        script.write_text(SCRIPT.format(weight=weight))
        document = read(script, format="pynn")
        results = simulate(document.network, document.plan, "nest", seed=77)
        write_results(results, made / place / "run.nix", to="nix")
    shutil.make_archive(str(made / "model"), "zip", made / "model")
    return made


def cells(folder, *given, **options):
    (folder / "out").mkdir(exist_ok=True)
    with opened(folder / "model.zip", Report()) as container:
        entries = expecting(find_entries(container, Report()), given, container)
        return list(run_matrix(container, entries, Options(backends=("nest",), **options), folder / "out"))


def test_it_is_not_executed_unasked(folder):
    (cell,) = cells(folder)
    assert cell.verdict == Verdict.CANNOT_RUN
    assert "--allow-exec permits it" in cell.outcome["error"]["text"]
    assert [each.name for each in cell.entry.expectations] == ["stored expected/run.nix"]


def test_another_seed_of_a_random_network_is_no_difference(folder):
    (cell,) = cells(folder, allow_exec=True, seeds=5)
    (check,) = cell.checks
    assert (cell.verdict, check.numbers["tier"]) == (Verdict.REPRODUCED, "statistical"), check
    # The spikes themselves are others: one by one they would be called different.
    assert check.numbers["missing"] > 0.5 * check.numbers["spikes"]["cells"][0]
    rate = next(each for each in check.numbers["statistics"]["distances"] if each["measure"] == "rate")
    assert 2 < rate["means"][0] < 50


def test_another_weight_is_one_and_nothing_runs_again(folder):
    (cell,) = cells(folder, folder / "stronger/run.nix", allow_exec=True, seeds=5)
    (check,) = cell.checks
    assert (cell.verdict, cell.reused) == (Verdict.DIFFERS, True), check
    assert check.numbers["tier"] == "statistical"


def test_without_other_seeds_it_differs(folder):
    (cell,) = cells(folder, allow_exec=True)
    assert (cell.verdict, cell.reused) == (Verdict.DIFFERS, True)
