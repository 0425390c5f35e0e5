"""NeuroML -> SONATA -> NeuroML: the same network, or a report that names what is not; and the guards of the way."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io import Report
from pynn_io.audit import names
from pynn_io.document import Document
from pynn_io.errors import ReadError
from pynn_io.exporters.neuroml import write as write_neuroml
from pynn_io.exporters.sonata import write
from pynn_io.graph.cells import CableCell, PointCell
from pynn_io.graph.compare import diff
from pynn_io.graph.stimuli import ComponentInput, CurrentPulses
from pynn_io.importers.neuroml import read as read_neuroml
from pynn_io.importers.sonata import read as read_sonata
from pynn_io.importers.sonata_neuroml import divided
from pynn_io.report import Kind
from tests.neuroml_out.nml_tools import DATA
from tests.sonata_out import test_neuroml_as_sonata as cables
from tests.sonata_out.neuroml_nets import COUPLED, LEAKY, RESONATORS, written

#: One of each kind of content: cables, calcium, point cells, sources, couplings, plasticity, PyNN's cells, instances.
REAL = (
    *(
        "allen_472450023/CellTypesDatabase/models/NeuroML2/LEMS_472450023.xml",
        "neuroml2_core/LEMSexamples/LEMS_NML2_Ex25_MultiComp.xml",
    ),
    *(f"neuroml2_core/LEMSexamples/LEMS_NML2_{name}.xml" for name in ("Ex7_STP", "Ex12_Net2", "Ex14_PyNN")),
    *(f"neuroml2_core/LEMSexamples/LEMS_NML2_{name}.xml" for name in ("Ex16_Inputs", "Ex19_GapJunctions", "Ex8_AdEx")),
    *(f"neuroml2_core/examples/NML2_{name}.nml" for name in ("AnalogSynapsesHH", "InstanceBasedNetwork")),
)
DIALECTS = ("", "allen", "obi")


def there(source: Path, folder: Path, dialect: str = "") -> tuple[Document, Report]:
    """The document of NeuroML, and the report of writing it as a circuit into the folder."""
    document, report = read_neuroml(source, Report()), Report()
    folder.mkdir()
    write(document, folder, report, dialect=dialect)
    return document, report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "circuit"


@pytest.mark.parametrize("dialect", ["", "obi"])
@pytest.mark.parametrize("name", REAL, ids=lambda name: Path(name).stem)
def test_real_networks_come_back(name: str, dialect: str, folder: Path) -> None:
    source = DATA / "neuroml" / name
    if not source.exists():
        pytest.skip(f"{source} is not there")
    document, report = there(source, folder, dialect)
    again = Report()
    back = read_sonata(folder, again)
    different = diff(document.network, back.network)
    assert [str(each) for each in different if not names(report, each.subject)] == []
    assert back.network.channels == document.network.channels
    assert back.network.component_types == document.network.component_types
    assert not again.of_kind(Kind.NOT_READ)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text", [cables.NET, LEAKY, RESONATORS, COUPLED], ids=["cables", "leaky", "izh", "coupled"])
def test_nothing_is_different(text: str, dialect: str, tmp_path: Path, folder: Path) -> None:
    """Of networks whose numbers are decimals, weights times conductances and places on sections included."""
    document, report = there(written(text, tmp_path), folder, dialect)
    again = Report()
    back = read_sonata(folder, again)
    different = [str(each) for each in diff(document.network, back.network)]
    assert different == []
    assert not report.of_kind(Kind.LOST) and not again.of_kind(Kind.NOT_READ)
    assert back.plan is not None and document.plan is not None
    assert back.plan.extra == document.plan.extra and len(back.plan.extra["displays"]) == 1
    assert (back.plan.name, back.plan.v_init, back.plan.celsius) == ("sim", None, None)
    (tmp_path / "again").mkdir()
    write_neuroml(back, tmp_path / "again", Report())
    last = read_neuroml(tmp_path / "again" / "LEMS_net.xml", Report())
    assert [str(each) for each in diff(document.network, last.network)] == []


def test_inputs_come_back(tmp_path: Path, folder: Path) -> None:
    """A pulse goes to its place, times its weight; an input that is a component is itself."""
    document, _ = there(written(COUPLED, tmp_path), folder)
    back = read_sonata(folder, Report())
    assert back.plan is not None and document.plan is not None
    (sine,) = [each for each in back.plan.stimuli if isinstance(each.what, ComponentInput)]
    assert sine.what == next(each.what for each in document.plan.stimuli if isinstance(each.what, ComponentInput))
    assert sine.targets is not None and (sine.targets.rows.tolist(), sine.targets.weight.tolist()) == ([2], [2.0])
    pulses = [each for each in back.plan.stimuli if isinstance(each.what, CurrentPulses)]
    found = sorted((p.targets.population, *p.targets.rows.tolist(), p.what.amplitudes[0]) for p in pulses)
    assert found == [
        ("post", 0, pytest.approx(0.08)),
        ("post", 1, pytest.approx(0.07)),
        ("pre", 0, 0.1),
        ("pre", 1, pytest.approx(0.12)),
    ]


def test_places_of_pulses_come_back(tmp_path: Path, folder: Path) -> None:
    there(written(cables.NET, tmp_path), folder)
    back = read_sonata(folder, Report())
    assert back.plan is not None
    targets = [each.targets for each in back.plan.stimuli]
    assert [t.segment.tolist() for t in targets if t.segment is not None] == [[7]]
    assert [t.fraction.tolist() for t in targets if t.fraction is not None] == [[0.3]]


# --- what other tools get -----------------------------------------------------------------------------------------


def test_leaky_cells_are_nests(tmp_path: Path, folder: Path) -> None:
    """0.2 nF and 0.01 uS are 200 pF and 10 nS; weights are conductances, negative onto the inhibitory receptor."""
    there(written(LEAKY, tmp_path), folder, "allen")
    (path,) = (folder / "components" / "point_neuron_models").glob("*.json")
    stated = json.loads(path.read_text())
    expected = {"C_m": 200, "g_L": 10, "E_L": -65, "V_th": -50, "V_reset": -70, "t_ref": 2, "V_m": -65, "E_ex": 0}
    expected |= {"E_in": -75, "tau_syn_ex": 3, "tau_syn_in": 8}
    assert {key: stated[key] for key in expected} == pytest.approx(expected)
    for name, weights in (("p", [8.1, 3.3, 6.9]), ("q", [-9.1])):
        with h5py.File(folder / "network" / f"{name}_edges.h5") as file:
            assert file[f"edges/{name}/0/syn_weight"][()] == pytest.approx(weights)
    config = json.loads((folder / "simulation_config.json").read_text())
    assert sorted(each["amp"] for each in config["inputs"].values() if "amp" in each) == pytest.approx([250, 300])


def test_other_cells_are_templates(tmp_path: Path, folder: Path) -> None:
    there(written(COUPLED, tmp_path), folder)
    (path,) = (folder / "components" / "templates").glob("*.hoc")
    text = path.read_text()
    assert "cm = 0.1" in text and "soma[0] v(0.5) = -60.0" in text and "cell.vpeak = 35.0" in text
    config = json.loads((folder / "circuit_config.json").read_text())
    assert [entry.get("enabled", True) for entry in config["networks"]["edges"]] == [True, True, True, False]
    assert json.loads((folder / "simulation_config.json").read_text())["run"]["spike_threshold"] == 35.0
    with h5py.File(folder / "network" / "g_edges.h5") as file:  # 3 x 0.1 nS in uS
        assert file["edges/g/0/syn_weight"][()] == pytest.approx([3e-4])


# --- guards -------------------------------------------------------------------------------------------------------


def test_the_tables_count(tmp_path: Path, folder: Path) -> None:
    """A weight that was changed in the circuit is changed in the NeuroML: here by a half, of 6 x 4 nS."""
    there(written(cables.NET, tmp_path), folder)
    with h5py.File(folder / "network" / "p_edges.h5", "r+") as file:
        file["edges/p/0/syn_weight"][0] *= 0.5
        file["edges/p/0/afferent_section_pos"][0] = 0.75
    columns = read_sonata(folder, Report()).network.projections["p"].edges.columns
    assert columns.read("weight").tolist() == [3.0, 4.0, 2.0]
    assert columns.read("afferent_segment_id").tolist() == [2, 7, 0]
    assert columns.read("afferent_segment_fraction").tolist() == [0.75, 0.5, 0.5]


def test_a_changed_template_counts(tmp_path: Path, folder: Path) -> None:
    there(written(cables.NET, tmp_path), folder)
    (path,) = (folder / "components" / "templates").glob("*.hoc")
    path.write_text(path.read_text().replace("Ra = 100.0", "Ra = 150.0"))
    report = Report()
    network = read_sonata(folder, report).network
    assert [cell.template for cell in network.cells.values() if isinstance(cell, CableCell)] == ["hoc:Cell_pyr"] * 2
    (issue,) = [each for each in report.of_kind(Kind.NOT_READ) if each.code == "neuroml-definitions"]
    assert issue.examples == ["templates/Cell_pyr.hoc"]


BROKEN = {
    "document": ('{"document": "../net.nml", "projections": {}, "files": {}}', "must be the name of a file"),
    "kind": ('{"document": "net.nml", "projections": {"p": {}}, "files": {}}', "'kind' is missing"),
    "files": ('{"document": "net.nml", "projections": {}, "files": {"a": 1}}', "'files' must hold texts"),
    "list": ("[]", "'document' is missing"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_description_is_an_error_of_its_file(case: str, tmp_path: Path, folder: Path) -> None:
    there(written(LEAKY, tmp_path), folder)
    path = folder / "components" / "neuroml" / "circuit.json"
    text, message = BROKEN[case]
    path.write_text(text)
    with pytest.raises(ReadError, match=message) as caught:
        read_sonata(folder, Report())
    assert caught.value.where == str(path)


def test_a_component_that_is_not_defined(tmp_path: Path, folder: Path) -> None:
    there(written(LEAKY, tmp_path), folder, "allen")
    path = folder / "network" / "pre_node_types.csv"
    path.write_text(path.read_text().replace(" iaf", " other"))
    with pytest.raises(ReadError, match="the NeuroML component 'other', which is not defined"):
        read_sonata(folder, Report())


def test_displays_of_a_network_without_components(tmp_path: Path, folder: Path) -> None:
    """PyNN's cells need no definitions beside them; what LEMS shows is kept all the same."""
    from dataclasses import replace

    document = read_neuroml(written(LEAKY, tmp_path), Report())
    cells = {name: PointCell("IF_cond_exp") if name == "iaf" else cell for name, cell in document.network.cells.items()}
    bare = replace(document.network, cells=cells, projections={}, synapses={}, extra={})
    folder.mkdir()
    write(replace(document, network=bare), folder, Report())
    report = Report()
    back = read_sonata(folder, report)
    assert not report.of_kind(Kind.NOT_READ)
    assert back.plan is not None and document.plan is not None
    assert back.plan.extra["displays"] == document.plan.extra["displays"]


@pytest.mark.parametrize("seed", range(5))
def test_decimals_survive_a_factor(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.round(random.uniform(-50, 50, 1000), int(random.integers(1, 7)))
    factor = np.full(1000, float(random.choice([0.004, 3.0, 7e-5, -7.3])))
    np.testing.assert_array_equal(divided(values * factor, factor), values)
