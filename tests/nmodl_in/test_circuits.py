"""Biophysical SONATA circuits as NeuroML with their ion channels: valid, and with the spikes of the circuit."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io.cli.convert import main as convert_command
from pynn_io.graph.biophysics import ChannelDensity, ConcentrationModel, Law, Paint
from pynn_io.graph.cells import CableCell
from pynn_io.graph.dynamics import Component
from pynn_io.pipeline import convert, read
from pynn_io.report import Report
from pynn_io.simulate import simulate

pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")
bmtk = pytest.importorskip("bmtk", reason="BMTK ships the mechanisms of the Allen Institute")
MECHANISMS = Path(bmtk.__file__).parent / "utils/scripts/bionet/mechanisms/modfiles"
SONATA = Path(__file__).parents[3] / "shared/data/sonata"
ONE, FIVE = SONATA / "bio_1cell", SONATA / "5_cells_iclamp"
pytestmark = pytest.mark.skipif(not ONE.is_dir(), reason="the circuits of ../shared/data are not here")


def _trains(path: Path) -> list[np.ndarray]:
    """The spike times of every cell that fires, in the order of their first spikes."""
    found = []
    with h5py.File(path) as file:
        for group in file["spikes"].values():
            times, ids = group["timestamps"][:], group["node_ids"][:]
            found += [np.sort(times[ids == each]) for each in np.unique(ids)]
    return sorted(found, key=lambda train: (len(train), train[0]))


def _simulated(config: Path, dest: Path, backend: str = "neuron", **options: object) -> list[np.ndarray]:
    """The same of a circuit converted to NeuroML and run."""
    made = convert(config, dest, to="neuroml", mechanisms=[MECHANISMS])
    assert made.dest is not None
    document = read(next(made.dest.glob("LEMS_*.xml")))
    assert document.plan is not None
    results = simulate(document.network, document.plan, backend=backend, **options)  # type: ignore[arg-type]
    trains = []
    for spikes in results.spikes.values():
        trains += [np.sort(spikes.times[spikes.node_ids == each]) for each in np.unique(spikes.node_ids)]
    return sorted(trains, key=lambda train: (len(train), train[0]))


def test_channels_get_their_densities_and_reversal_potentials() -> None:
    document = read(ONE / "config.simulation_iclamp.json", mechanisms=[MECHANISMS])
    (cell,) = (each for each in document.network.cells.values() if isinstance(each, CableCell))
    densities = {
        entry.item.channel: entry.item
        for entry in cell.decor
        if isinstance(entry, Paint) and entry.region == "soma" and isinstance(entry.item, ChannelDensity)
    }
    # From biophys_components' 472363762_fit.json and the file of each mechanism
    assert densities["NaTs"].reversal == 53.0 and densities["NaTs"].ion == "na"
    assert densities["NaTs"].density == pytest.approx(982.28995893, rel=1e-12)
    assert densities["Kv3_1"].reversal == -107.0
    assert densities["Ih"].reversal == -45.0 and densities["Ih"].ion == "non_specific"
    assert densities["Ca_HVA"].law is Law.NERNST and densities["Ca_HVA"].reversal is None
    pools = [entry.item for entry in cell.decor if isinstance(entry.item, ConcentrationModel)]
    assert [(each.ion, each.initial, each.initial_outside) for each in pools] == [("ca", 1e-4, 2.0)]
    assert all(isinstance(each, Component) for name, each in document.network.channels.items() if name != "pas")


def test_what_has_no_file_stays_a_name_and_is_reported(tmp_path: Path) -> None:
    (tmp_path / "Kv3_1.mod").write_bytes((MECHANISMS / "Kv3_1.mod").read_bytes())
    report = Report()
    document = read(ONE / "config.simulation_iclamp.json", mechanisms=[tmp_path], report=report)
    assert isinstance(document.network.channels["Kv3_1"], Component)
    assert not isinstance(document.network.channels["NaTs"], Component)
    (issue,) = (each for each in report if each.code == "mechanism")
    assert "NaTs" in issue.examples and issue.count == 10


def test_what_is_stated_of_a_mechanism_that_stays_a_name_is_kept(tmp_path: Path) -> None:
    """A file that is there, and whose equations are not translated: densities and pools stay as they were stated."""
    for name in ("NaTs", "CaDynamics"):
        text = (MECHANISMS / f"{name}.mod").read_text()
        (tmp_path / f"{name}.mod").write_text(text.replace("INITIAL", "VERBATIM\n int a;\nENDVERBATIM\nINITIAL", 1))
    plain = read(ONE / "config.simulation_iclamp.json")
    report = Report()
    made = read(ONE / "config.simulation_iclamp.json", mechanisms=[tmp_path], report=report)
    before, after = (
        [entry for cell in document.network.cells.values() for entry in getattr(cell, "decor", ())]
        for document in (plain, made)
    )
    assert sorted(map(repr, before)) == sorted(map(repr, after))
    refused = [issue for issue in report if issue.code == "mechanism" and "VERBATIM" in issue.message]
    assert {name for issue in refused for name in issue.examples} == {"NaTs", "CaDynamics"}


def test_a_file_that_is_no_nmodl_leaves_its_mechanism_a_name(tmp_path: Path) -> None:
    text = (MECHANISMS / "NaTs.mod").read_text()
    (tmp_path / "NaTs.mod").write_text(text.replace("BREAKPOINT", "BREAK POINT", 1))
    (tmp_path / "Kv3_1.mod").write_bytes((MECHANISMS / "Kv3_1.mod").read_bytes())
    report = Report()
    document = read(ONE / "config.simulation_iclamp.json", mechanisms=[tmp_path], report=report)
    assert isinstance(document.network.channels["Kv3_1"], Component)
    assert not isinstance(document.network.channels["NaTs"], Component)
    (issue,) = (each for each in report if each.examples == ["NaTs"])
    line = text[: text.index("BREAKPOINT")].count("\n") + 1
    assert str(issue.where) == f"{tmp_path}/NaTs.mod:{line}"
    assert issue.message.startswith("this is not NMODL: syntax error") and issue.message.endswith("it stays a name.")


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, dest, folder = str(ONE / "config.simulation_iclamp.json"), str(tmp_path / "out"), str(tmp_path / "nothing")
    status = convert_command([source, dest, "--to", "neuroml", "--mechanisms", folder])
    assert status == 4
    assert f"{tmp_path / 'nothing'}: this folder of mechanisms is not there" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_one_cell_with_synapses_fires_exactly_as_its_circuit_does(tmp_path: Path) -> None:
    (train,) = _simulated(ONE / "config.simulation_syns.json", tmp_path / "out")
    (reference,) = _trains(ONE / "output_syns/spikes.h5")
    assert len(train) == len(reference) == 39
    np.testing.assert_allclose(train, reference, rtol=0, atol=1e-9)


@pytest.mark.slow
def test_one_cell_with_a_current_clamp(tmp_path: Path) -> None:
    (train,) = _simulated(ONE / "config.simulation_iclamp.json", tmp_path / "out")
    (reference,) = _trains(ONE / "output_iclamp/spikes.h5")
    assert len(train) == len(reference) == 20
    np.testing.assert_allclose(train, reference, rtol=0, atol=0.35)


@pytest.mark.slow
def test_five_cells_of_five_kinds(tmp_path: Path) -> None:
    """Perisomatic and all-active cells, a scheme of states, gates with parts."""
    trains = _simulated(FIVE / "config.json", tmp_path / "out")
    references = _trains(FIVE / "output/spikes.h5")
    assert [len(train) for train in trains] == [len(train) for train in references] == [3, 20, 23, 28, 50]
    for train, reference in zip(trains, references, strict=True):
        np.testing.assert_allclose(train, reference, rtol=0, atol=0.25)


@pytest.mark.slow
def test_the_circle_closes(tmp_path: Path) -> None:
    """SONATA, NeuroML, SONATA: hoc templates and mechanisms of ours, and still the spikes of the first circuit."""
    made = convert(ONE / "config.simulation_syns.json", tmp_path / "nml", to="neuroml", mechanisms=[MECHANISMS])
    assert made.dest is not None
    again = convert(next(made.dest.glob("LEMS_*.xml")), tmp_path / "sonata", to="sonata")
    assert again.dest is not None
    document = read(again.dest / "simulation_config.json")
    assert document.plan is not None
    results = simulate(document.network, document.plan, backend="neuron")
    (times,) = (spikes.times for spikes in results.spikes.values() if len(spikes.times))
    (reference,) = _trains(ONE / "output_syns/spikes.h5")
    np.testing.assert_allclose(np.sort(times), reference, rtol=0, atol=1e-9)
