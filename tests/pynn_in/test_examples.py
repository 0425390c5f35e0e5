"""Every example of PyNN's source distribution: captured and converted, or refused by name. The table says which."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pynn_io import Document, ReadError, Report, read, write
from pynn_io.audit import names
from pynn_io.graph.compare import Difference, diff
from pynn_io.graph.validate import problems
from tests.pynn_in.test_conservation import main_file
from tests.pynn_source import pynn_source

pytest.importorskip("pyNN")
pytestmark = pytest.mark.slow

#: Name, and arguments if it needs any -> (populations, cells), what of the example no file holds.
CAPTURED: dict[str, tuple[tuple[int, int], set[str]]] = {
    "HH_cond_exp2": ((1, 1), set()),
    "Izhikevich": ((2, 4), set()),
    "StepCurrentSource": ((1, 1), set()),
    "VAbenchmarks nest COBA": ((3, 4020), set()),
    "brunel": ((4, 10000), set()),
    "cell_type_demonstration": ((5, 5), set()),
    "connections nest": ((3, 180), {"setup-option"}),
    "current_injection": ((1, 4), set()),
    "gif_neuron": ((1, 4), set()),
    "inhomogeneous_network nest": ((2, 18), set()),
    "monolith_vs_composed": ((3, 4), set()),
    "multi_synapse": ((2, 5), set()),
    "multiquantal_synapses": ((5, 4001), set()),
    "nrn_artificial_cell": ((2, 40), set()),
    "parameter_changes": ((1, 1), {"edited-between-runs"}),
    "random_numbers": ((2, 20), {"native-rng"}),
    "simpleRandomNetwork": ((2, 30), set()),
    "simple_STDP": ((3, 62), set()),
    "small_network": ((2, 40), set()),
    "specific_network": ((2, 10), set()),
    "stdp_network": ((2, 120), set()),
    "stochastic_deterministic_comparison": ((5, 4001), set()),
    "stochastic_synapses": ((3, 3), set()),
    "stochastic_tsodyksmarkram": ((5, 13), set()),
    "synaptic_input": ((7, 13), {"script-stopped"}),
    "tsodyksmarkram": ((4, 10), set()),
    "update_spike_source_array": ((1, 50), {"edited-between-runs"}),
    "varying_poisson": ((1, 50), {"edited-between-runs"}),
}
#: Formats that every example goes through.
TARGETS = ("sonata", "neuroml", "pynn")
#: Name -> what the refusal says.
REFUSED = {
    "distrib_example": "No module named 'mpi4py'",
    "nineml_brunel": "No module named 'nineml'",
    "nineml_neuron": "No module named 'nineml'",
    "random_distributions": "",
    "simpleRandomNetwork_csa": "unexpected keyword argument 'mask_local'",
}


@pytest.fixture(scope="module")
def examples() -> Path:
    return pynn_source() / "examples"


def test_the_table_has_every_example(examples: Path) -> None:
    assert {path.stem for path in examples.glob("*.py")} == {call.split()[0] for call in CAPTURED} | REFUSED.keys()


@pytest.mark.parametrize("call", CAPTURED)
def test_an_example_is_captured_and_goes_through_every_format(
    call: str, examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another format loses is named; SONATA loses nothing. One test, since a capture is a process of seconds."""
    monkeypatch.chdir(tmp_path)  # examples write plots and connections beside the current folder
    name, *arguments = call.split()
    report = Report()
    document = read(examples / f"{name}.py", report=report, script_args=arguments)
    (populations, cells), unread = CAPTURED[call]
    assert problems(document.network) == []
    assert len(document.network.populations) == populations
    assert sum(population.size for population in document.network.populations.values()) == cells
    assert {issue.code for issue in report.refusals()} == unread
    assert document.plan is not None
    lost = {target: lost_in_silence(document, target) for target in TARGETS}
    assert lost == {target: [] for target in TARGETS}


def lost_in_silence(document: Document, target: str) -> list[str]:
    """What does not come back from a format, and is not named; of SONATA, whatever does not come back."""
    with TemporaryDirectory() as folder:  # brunel is 400 MB of XML
        out = Path(folder) / "out"
        report = write(document, out, target)
        again = read(main_file(out, target), format=target, report=report)
        differences = diff(document.network, again.network)
    return [str(item) for item in differences if target == "sonata" or not is_named(item, report)]


def is_named(item: Difference, report: Report) -> bool:
    """Whether one issue names what differs and the population, projection or node set that it is of."""
    owner = item.where.split("/")[1]
    issues = [issue for issue in report if owner in " ".join([issue.where, issue.message, *issue.examples])]
    return any(names([issue], item.subject) for issue in issues)


@pytest.mark.parametrize("name", REFUSED)
def test_an_example_is_refused(name: str, examples: Path) -> None:
    with pytest.raises(ReadError) as caught:
        read(examples / f"{name}.py")
    assert REFUSED[name] in str(caught.value)
    assert f"{name}.py" in caught.value.where
