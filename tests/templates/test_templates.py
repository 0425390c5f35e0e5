"""Hoc templates as NeuroML: what NEURON builds of them, what it does not run unasked, and what goes wrong."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io import registry
from pynn_io.cli.convert import main as convert_command
from pynn_io.cli.run import main as run_command
from pynn_io.errors import BackendUnavailable, MissingPart, RunError, SimulationFailed
from pynn_io.graph.biophysics import ChannelDensity, ConcentrationModel, Law, Paint, Place
from pynn_io.graph.cells import CableCell
from pynn_io.graph.columns import Column
from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Network
from pynn_io.pipeline import convert, read, write
from pynn_io.registry import Backend
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.results.files import read_results
from pynn_io.simulate import simulate
from pynn_io.templates import built
from tests.neuroml_out.nml_tools import jnml_validates
from tests.templates.circuits import copied, with_exponential_synapses

neuron = pytest.importorskip("neuron", reason="NEURON builds hoc templates")
pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")

#: Values that differ along sections, sections that get another diameter after their points, and a mechanism's global.
PYRAMID = """
    usetable_hh = 0
    forsec all {
      nseg = 1 + 2 * int(L / 10)
      insert pas g_pas = 3e-05 e_pas = -70 Ra = 100 cm = 1
    }
    forsec somatic { insert hh gnabar_hh = 0.2 ek = -80 }
    forsec axonal { insert hh Ra = 120 }
    axon[1] { diam = 0.7 nseg = 3 diam(0.9) = 0.5 }
    forsec basal { diam = 1.5 }
    forsec apical {
      insert hh cm = 1.5
      for (x, 0) { gnabar_hh(x) = 0.05 * (1 + x) g_pas(x) = 3e-05 * (1 + x) }
    }"""

#: A pool of potassium, which NeuroML's potentials do not follow, and a mechanism with an array for a parameter.
MECHANISMS = {
    "Kpool": """NEURON { SUFFIX Kpool USEION k READ ik WRITE ki }
STATE { ki }
ASSIGNED { ik }
INITIAL { ki = 100 }
BREAKPOINT { SOLVE decay METHOD cnexp }
DERIVATIVE decay { ki' = (100 - ki)/5 }
""",
    "Listed": """NEURON { SUFFIX Listed NONSPECIFIC_CURRENT i RANGE g }
PARAMETER { g[3] }
ASSIGNED { v i }
BREAKPOINT { i = g[0]*v }
""",
}


def _of(results: Results, population: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Spike times and potential (mV, every 0.1 ms) of every cell of a population, the parts of NeuroML in order."""
    cells = []
    for trace in results.traces:
        if trace.population.startswith(population):
            spikes = results.spikes[trace.population]
            step = round(0.1 / trace.interval)
            for column, node in enumerate(trace.node_ids.tolist()):
                cells.append((np.sort(spikes.times[spikes.node_ids == node]), trace.data[::step, column][:600]))
    return cells


@pytest.mark.slow
def test_a_circuit_of_templates_runs_as_neuroml_as_it_does_itself(tmp_path: Path) -> None:
    """Sites of synapses, a replaced axon, values of single compartments: spikes equal, potentials to 1e-5 mV."""
    document = with_exponential_synapses(read(copied(tmp_path, PYRAMID)))
    basket = tmp_path / "circuit/components/hoc/NetBasket.hoc"
    basket.write_text(basket.read_text().replace("forsec somatic", "usetable_hh = 0\n    forsec somatic"))
    assert document.plan is not None
    reference = simulate(document.network, document.plan, backend="neuron")
    report = Report()
    made, folders = built(document, (), report)
    made = registry.load_dotted(registry.MECHANISMS)(made, folders, report)
    write(made, tmp_path / "out", "neuroml", report=report)
    assert "template" not in report.codes() and "channel" not in report.codes()
    again = read(next((tmp_path / "out").glob("LEMS_*.xml")))
    assert again.plan is not None
    results = simulate(again.network, again.plan, backend="neuron")
    for population in ("left", "right"):
        ours, theirs = _of(results, population), _of(reference, population)
        assert len(ours) == len(theirs) == 3
        for (train, potential), (expected, voltage) in zip(ours, theirs, strict=True):
            assert len(expected) >= 1
            np.testing.assert_allclose(train, expected, rtol=0, atol=1e-9)
            np.testing.assert_allclose(potential, voltage, rtol=0, atol=1e-5)
    assert "All valid and no warnings" in jnml_validates(*sorted((tmp_path / "out").glob("*.nml")))


def test_nothing_is_executed_unless_it_is_allowed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marker = tmp_path / "executed"
    config = copied(tmp_path)
    path = config.parent / "components/hoc/NetPyramid.hoc"
    path.write_text(f'objref file\nfile = new File()\nfile.wopen("{marker}")\nfile.close()\n{path.read_text()}')
    report = Report()
    convert(config, tmp_path / "plain", to="neuroml", report=report)
    assert not marker.exists()
    lost = [issue for issue in report if issue.code == "template"]
    assert lost and all("--allow-exec" in issue.message for issue in lost)
    # SONATA names templates itself: nothing is executed for it either.
    convert(config, tmp_path / "sonata", to="sonata+obi", allow_exec=True)
    assert not marker.exists()
    shutil.rmtree(config.parent / "components/mod")  # of synapses: nothing here needs them
    assert convert_command([str(config), str(tmp_path / "out"), "--to", "neuroml", "--allow-exec"]) == 0
    assert marker.exists()
    assert "template" not in capsys.readouterr().err.partition("LOST")[2].partition("APPROXIMATED")[0]


def _failing(tmp_path: Path, pyramid: str, **options: float) -> None:
    config = copied(tmp_path, pyramid)
    shutil.rmtree(config.parent / "components/mod")
    built(read(config), (), Report(), **options)


def test_a_template_that_fails_gives_the_words_of_neuron(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"hoc template failed for cell .*index 7 of x out of range 3"):
        _failing(tmp_path, "    all = new Vector(3)\n    x = all.x[7]")


def test_a_template_that_is_not_hoc(tmp_path: Path) -> None:
    with pytest.raises(SimulationFailed, match=r"(?s)NetPyramid\.hoc cannot be loaded.*syntax error.*near line"):
        _failing(tmp_path, "    forsec all { insert }")


def test_a_mechanism_that_is_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match=r"inserts mechanisms that NEURON does not have: Kwhatever\n.*--mechanisms"):
        _failing(tmp_path, "    // insert Kcomment\n    forsec somatic { insert hh insert Kwhatever }")


def test_a_template_that_never_ends(tmp_path: Path) -> None:
    with pytest.raises(SimulationFailed, match="stopped after 3 s") as raised:
        _failing(tmp_path, "    while (1) { x = 1 }", timeout=3.0)
    assert not raised.value.folder  # nothing is left of it


def test_a_cell_that_is_no_tree_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"axon\[1\] is connected by its end 1"):
        _failing(tmp_path, "    axon[1] { disconnect() connect axon[1](1), axon[0](1) }")


def test_without_neuron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backend, "is_installed", lambda self: False)
    with pytest.raises(BackendUnavailable, match=r"(?s)built by NEURON, which is not installed.*pip install"):
        read(copied(tmp_path), allow_exec=True)


def test_cells_of_one_kind_are_built_once_and_rows_keep_their_ids(tmp_path: Path) -> None:
    config = copied(tmp_path, "    soma synlist.append(new ExpSyn(0.5))\n    forsec all { insert pas }")
    shutil.rmtree(config.parent / "components/mod")
    document, report = read(config), Report()
    made, folders = built(document, (), report)
    (issue,) = report
    assert (issue.code, issue.count, issue.examples) == ("placed-item", 2, ["ExpSyn"])  # a cell for each population
    assert made.network.populations["left"].cells == ("NetPyramid_pyramid", "NetBasket_basket")
    assert made.network.populations["right"].cells == made.network.populations["left"].cells
    assert made.network.populations["left"].type_index.read(3).tolist() == [0, 0, 1]
    assert made.network.populations["left"].ids().tolist() == document.network.populations["left"].ids().tolist()
    assert "morphology" not in made.network.populations["left"].table
    cell = made.network.cells["NetPyramid_pyramid"]
    assert isinstance(cell, CableCell) and cell.template is None and cell.morphology == "NetPyramid_pyramid"
    # soma, 3 axon, 4 basal, 3 apical in the file; axon[2] is gone, axon[0] and axon[1] are new
    numbers = made.network.morphologies["NetPyramid_pyramid"].numbers
    assert numbers is not None and np.unique(numbers).tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert any((folder / "hh.mod").is_file() for folder in folders)
    unchanged = replace(document, network=replace(document.network, cells={}))
    assert built(unchanged, (), Report()) == (unchanged, ())


def test_attributes_of_cells_make_kinds_only_where_the_template_uses_them(tmp_path: Path) -> None:
    """Its cells differ in both currents; what it builds differs with the threshold current, which two of them share."""
    config = copied(tmp_path, "    forsec all { insert pas g_pas = 1e-5 * $2 }")
    shutil.rmtree(config.parent / "components/mod")
    path = config.parent / "components/hoc/NetPyramid.hoc"
    text = path.read_text().replace("insert_channels()\n  }", "insert_channels($4, $5)\n  }", 1)
    names = "strdef NetPyramid_NeededAttributes\nNetPyramid_NeededAttributes = "
    path.write_text(f'{names}"holding_current;threshold_current"\n{text}')
    document = read(config)
    population = document.network.populations["left"]
    stated = {"holding_current": [0.1, 0.2, 0.3], "threshold_current": [2.0, 2.0, 2.0]}
    table = population.table.updated({f"parameters:{key}": Column(np.array(value)) for key, value in stated.items()})
    other = document.network.populations["right"]
    others = other.table.updated({"parameters:threshold_current": Column(np.array([2.0, 3.0, 3.0]))})
    populations = {
        **document.network.populations,
        "left": replace(population, table=table),
        "right": replace(other, table=others),
    }
    made, _ = built(replace(document, network=replace(document.network, populations=populations)), (), Report())
    assert made.network.populations["left"].cells == ("NetPyramid_pyramid", "NetBasket_basket")
    assert made.network.populations["right"].cells == (
        "NetPyramid_pyramid",
        "NetPyramid_pyramid__2",
        "NetBasket_basket",
    )
    found = []
    for name in made.network.populations["right"].cells[:2]:
        cell = made.network.cells[name]
        assert isinstance(cell, CableCell)
        found += {paint.item.density for paint in cell.decor if isinstance(paint.item, ChannelDensity)}
    assert found == pytest.approx([0.02, 0.03])


@pytest.mark.slow
def test_pools_of_calcium_and_mechanisms_of_the_circuits_own_folder(tmp_path: Path) -> None:
    bmtk = pytest.importorskip("bmtk", reason="BMTK ships the mechanisms of the Allen Institute")
    modfiles = Path(bmtk.__file__).parent / "utils/scripts/bionet/mechanisms/modfiles"
    pyramid = """
    forsec all { insert pas e_pas = -75 }
    forsec somatic {
      insert Ca_HVA gbar_Ca_HVA = 0.0005
      insert CaDynamics gamma_CaDynamics = 0.002 decay_CaDynamics = 120
      insert Ih gbar_Ih = 0.0001
    }
    forsec apical { insert Ca_HVA insert CaDynamics }
    forsec basal { insert Ca_HVA }
    forsec axonal { insert Ca_HVA insert SK insert Kpool insert Listed }"""
    config = copied(tmp_path, pyramid)
    folder = config.parent / "components/mod"
    shutil.rmtree(folder)
    folder.mkdir()
    for name in ("Ca_HVA", "CaDynamics", "Ih", "SK"):
        shutil.copyfile(modfiles / f"{name}.mod", folder / f"{name}.mod")
    for name, text in MECHANISMS.items():
        (folder / f"{name}.mod").write_text(text)
    report = Report()
    network = read(config, allow_exec=True, report=report).network
    said = {(issue.code, tuple(issue.examples)) for issue in report if str(issue.where) == "cells/NetPyramid"}
    assert said >= {("reversal-potential", ("k",)), ("mechanism-parameter", ("g_Listed",))}
    cell = network.cells["NetPyramid_pyramid"]
    assert isinstance(cell, CableCell)
    found = {
        (entry.region, entry.item.channel): entry.item for entry in cell.decor if isinstance(entry.item, ChannelDensity)
    }
    assert found["soma", "Ca_HVA"].law is found["apic", "Ca_HVA"].law is Law.NERNST
    assert found["soma", "Ca_HVA"].density == pytest.approx(0.5) and found["soma", "Ih"].density == pytest.approx(0.1)
    # Without concentrations the potential is NEURON's number; where something reads one, it is Nernst's at 16 degC.
    assert found["dend", "Ca_HVA"].law is found["axon", "Ca_HVA"].law is Law.OHMIC
    assert found["dend", "Ca_HVA"].reversal == pytest.approx(132.4579341637009, rel=1e-12)
    expected = 8.314462618 * 289.15 / (2 * 96485.33212) * np.log(2.0 / 5e-5) * 1e3
    assert found["axon", "Ca_HVA"].reversal == pytest.approx(expected, rel=1e-6)
    pools = {entry.region: entry.item.mechanism for entry in cell.decor if isinstance(entry.item, ConcentrationModel)}
    assert pools["apic"] == "CaDynamics" and pools["soma"] != "CaDynamics"
    constant = network.channels[pools["axon"]]  # Nothing changes calcium there, and SK depends on it.
    assert isinstance(constant, Component) and set(pools) == {"soma", "apic", "axon"}
    assert (constant.parameters["rho"], constant.parameters["restingConc"]) == (0.0, 5e-5)


def test_what_is_read_for_writing_is_not_run_on_neuron(tmp_path: Path) -> None:
    document = read(copied(tmp_path), allow_exec=True)
    assert document.plan is not None
    with pytest.raises(RunError, match=r"some channels of this cell are equations \(hh_k") as caught:
        simulate(document.network, document.plan, backend="neuron")
    assert caught.value.where.startswith("cells/Net") and "convert it to NeuroML and run that" in caught.value.hint


DEMONSTRATION = Path(neuron.__file__).parent / ".data/share/nrn/demo/release"
#: A pool that starts where NEURON's ``cai0_ca_ion`` says.
SHELL = """NEURON { SUFFIX Shell USEION ca READ ica, cai WRITE cai }
STATE { cai (mM) }
ASSIGNED { ica (mA/cm2) }
BREAKPOINT { SOLVE decay METHOD cnexp }
DERIVATIVE decay { cai' = -2*ica - (cai - 0.0001)/400 }
"""
SHELLS = """
    forsec all { insert pas e_pas = -75 g_pas = 0.0001 }
    forsec somatic {
      usetable_hh = 0
      insert hh gnabar_hh = 0.2
      insert Ca_HVA gbar_Ca_HVA = 0.0001
      insert SK gbar_SK = 0.002
      insert Shell
    }
    forsec axonal { insert SK gbar_SK = 0.002 cai = 0.00035 cao = 1.7 }
    forsec apical { insert cachan pcabar_cachan = 1e-05 usetable_cachan = 0 }
    cai0_ca_ion = 0.0005
    cao0_ca_ion = 1.5"""


def _with_shells(tmp_path: Path, **texts: str) -> Path:
    """A circuit of templates whose calcium starts elsewhere than NEURON's. texts: further mechanisms."""
    bmtk = pytest.importorskip("bmtk", reason="BMTK ships the mechanisms of the Allen Institute")
    modfiles = Path(bmtk.__file__).parent / "utils/scripts/bionet/mechanisms/modfiles"
    config = copied(tmp_path, SHELLS)
    basket = config.parent / "components/hoc/NetBasket.hoc"
    basket.write_text(basket.read_text().replace("forsec somatic", "usetable_hh = 0\n    forsec somatic"))
    folder = config.parent / "components/mod"
    for path in (modfiles / "Ca_HVA.mod", modfiles / "SK.mod", DEMONSTRATION / "camchan.mod"):
        shutil.copyfile(path, folder / path.name)
    for name, text in {"Shell": SHELL, **texts}.items():
        (folder / f"{name}.mod").write_text(text)
    return config


@pytest.mark.slow
def test_concentrations_of_the_start_that_a_template_sets(tmp_path: Path) -> None:
    """With a pool and without, where a permeability lets calcium in, too: what is written fires as the templates do.

    With NEURON's own 5e-5 mM it would not.
    """
    document = with_exponential_synapses(read(_with_shells(tmp_path)))
    assert document.plan is not None
    reference = simulate(document.network, document.plan, backend="neuron")
    report = Report()
    made = registry.load_dotted(registry.MECHANISMS)(*built(document, (), report), report)
    write(made, tmp_path / "out", "neuroml", report=report)
    lems = next((tmp_path / "out").glob("LEMS_*.xml"))
    again = read(lems)
    stated = {
        (entry.region, entry.item.initial, entry.item.initial_outside)
        for cell in again.network.cells.values()
        for entry in getattr(cell, "decor", ())
        if isinstance(entry.item, ConcentrationModel)
    }
    # In apical dendrites calcium has the values of the moment when it came, which no mechanism sets again.
    assert stated == {("soma", 0.0005, 1.5), ("axon", 0.00035, 1.7), ("apic", 5e-5, 2.0)}
    assert again.plan is not None
    assert run_command([str(lems), "-q", "-b", "neuron", "-o", str(tmp_path / "run")]) == 0
    results = read_results(tmp_path / "run")
    other = simulate(_at_neurons_own(again.network), again.plan, backend="neuron")
    # Files of results have populations in an order of their own.
    both = (sorted(_of(each, "left"), key=lambda cell: cell[1][-1]) for each in (results, reference))
    for ours, theirs in zip(*both, strict=True):
        assert len(theirs[0]) >= 2
        np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=1e-9)
        np.testing.assert_allclose(ours[1], theirs[1], rtol=0, atol=1e-5)
    assert max(np.abs(a[1] - b[1]).max() for a, b in zip(_of(other, "left"), _of(reference, "left"), strict=True)) > 1
    assert "All valid and no warnings" in jnml_validates(*sorted((tmp_path / "out").glob("*.nml")))


def _at_neurons_own(network: Network) -> Network:
    """The same with calcium that starts at 5e-5 and 2 mM."""

    def usual(entry: Paint | Place) -> Paint | Place:
        if not isinstance(entry.item, ConcentrationModel):
            return entry
        return Paint(entry.region, replace(entry.item, initial=5e-5, initial_outside=2.0))

    cells = {
        name: replace(cell, decor=tuple(map(usual, cell.decor))) if isinstance(cell, CableCell) else cell
        for name, cell in network.cells.items()
    }
    return replace(network, cells=cells)


def test_concentrations_for_a_mechanism_that_stays_a_name_are_reported(tmp_path: Path) -> None:
    report = Report()
    closed = SHELL.replace("BREAKPOINT", "VERBATIM\n  /* closed */\nENDVERBATIM\nBREAKPOINT", 1)
    convert(_with_shells(tmp_path, Shell=closed), to="neuroml", report=report, allow_exec=True, check=True)
    (issue,) = (each for each in report if each.code == "initial-concentration")
    assert issue.examples == ["ca"] and "NetPyramid" in str(issue.where) and "left out" in issue.message
