"""What others published, reproduced: spike times of an OSB repository, a COMBINE archive, a SONATA circuit."""

import shutil

import pytest

from pynn_io.archive.container import opened
from pynn_io.archive.entries import chosen, find_entries
from pynn_io.archive.matrix import Options, run_matrix
from pynn_io.archive.values import Verdict
from pynn_io.report import Report

pytestmark = pytest.mark.slow


def reproduced(source, folder, *backends, only=("*",)):
    folder.mkdir(exist_ok=True)
    with opened(source, Report()) as container:
        entries = chosen(find_entries(container, Report()), only, container, Report())
        return {cell.backend: cell for cell in run_matrix(container, entries, Options(backends=backends), folder)}


def test_spike_times_of_a_repository_with_tests(data, tmp_path):
    """Its own tests expect them to the last digit on both of jNeuroML's engines; NEURON is another one."""
    pytest.importorskip("pyneuroml")
    found = reproduced(data / "archives/FitzHugh-Nagumo", tmp_path / "out", "jneuroml", "neuron")
    assert {name: cell.verdict for name, cell in found.items()} == dict.fromkeys(found, Verdict.REPRODUCED)
    (check,) = found["jneuroml"].checks
    assert (check.omv, check.numbers["found"]) == (True, check.numbers["expected"])
    assert check.numbers["dt_max_ms"] < 1e-9


def test_a_combine_archive_to_the_bit(data, tmp_path):
    pytest.importorskip("pyneuroml")
    found = reproduced(data / "archives/biosim_hh/Hodgkin-Huxley-cell-Euler.omex", tmp_path / "out", "jneuroml")
    cell = found["jneuroml"]
    assert cell.verdict == Verdict.REPRODUCED
    assert {check.numbers["dt_max_ms"] for check in cell.checks} == {0.0}
    assert {value for check in cell.checks for value in check.numbers["largest_difference"].values()} == {0.0}
    # Its SED-ML asks for the Euler method, and that is what ran.
    assert cell.outcome["provenance"]["algorithm"] == "KISAO:0000030"
    assert [each["kisao"] for each in cell.outcome["provenance"]["algorithms"]] == ["KISAO:0000030"]


def test_every_spike_of_a_circuit(data, tmp_path):
    pytest.importorskip("neuron")
    (cell,) = reproduced(data / "sonata/300_intfire", tmp_path / "out", "neuron").values()
    (check,) = cell.checks
    assert cell.verdict == Verdict.REPRODUCED
    assert check.numbers["spikes"] == {"v1": [4322, 4322]}
    assert check.numbers["dt_max_ms"] < 1e-9


@pytest.mark.parametrize(("column", "more"), [(3, 0.1), (5, 0.0001)])
def test_a_planted_difference_is_found(data, tmp_path, column, more):
    """The delay of the synapses from one input by one step, or their weight by 1 %: no spike is lost, and none is
    farther off than simulators are."""
    pytest.importorskip("neuron")
    for name in ("300_intfire", "shared_components"):
        shutil.copytree(data / "sonata" / name, tmp_path / name, copy_function=shutil.copyfile)
    types = tmp_path / "300_intfire/network/tw_v1_edge_types.csv"
    header, first, *rest = types.read_text().splitlines()
    values = first.split()
    values[column] = f"{float(values[column]) + more:g}"
    types.write_text("\n".join([header, " ".join(values), *rest]) + "\n")
    (cell,) = reproduced(tmp_path / "300_intfire", tmp_path / "out", "neuron").values()
    (check,) = cell.checks
    assert (cell.verdict, check.numbers["spikes"]) == (Verdict.INEXACT, {"v1": [4322, 4322]})
    assert check.numbers["spikes_shifted"] > 200
    assert "are shifted by up to 0.509 ms (5.1 steps)" in check.message


def test_a_model_with_poisson_sources_on_neuron(data, tmp_path):
    """jNeuroML's own code for these does not compile with NEURON 9."""
    pytest.importorskip("neuron")
    (cell,) = reproduced(data / "neuroml/neuroml2_core", tmp_path / "out", "neuron", only=("*Ex16_Inputs*",)).values()
    assert cell.verdict == Verdict.REPRODUCED
