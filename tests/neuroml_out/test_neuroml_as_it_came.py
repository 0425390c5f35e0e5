"""A network in NeuroML's own words is written as it is: by hand, by the schema, by jNeuroML's validator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from lxml import etree

from pynn_io.document import Document
from pynn_io.exporters.neuroml import write
from pynn_io.formats.neuroml_check import check
from pynn_io.graph.compare import diff
from pynn_io.graph.dynamics import Component
from pynn_io.importers.neuroml import read
from pynn_io.report import Report
from pynn_io.simulation_plan.compare import diff as plan_diff
from tests.neuroml_out.born import born_document, component
from tests.neuroml_out.nml_tools import jnml_validates, xsd

NS = "{http://www.neuroml.org/schema/neuroml2}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dest = tmp_path_factory.mktemp("born")
    report = Report()
    write(born_document(), dest, report)
    assert list(report) == []
    return dest


def root(path: Path) -> etree._Element:
    return etree.parse(str(path)).getroot()


def found(folder: Path, tag: str, file: str = "net1.net.nml") -> list[dict[str, str]]:
    return [dict(item.attrib) for item in root(folder / file).iter(f"{NS}{tag}")]


def test_files_are_valid(folder: Path) -> None:
    files = sorted(folder.glob("*.nml"))
    assert {file.name for file in files} == {
        "net1.net.nml", "pyr.cell.nml", *(f"{name}.channel.nml" for name in ("na", "shifted", "leak", "ks", "pool")),
    }  # fmt: skip
    for file in files:
        assert check(file) == []
        xsd().assertValid(etree.parse(str(file)))
    assert "All valid and no warnings" in jnml_validates(*files)


def test_it_reads_back_as_the_same_document(folder: Path) -> None:
    report = Report()
    there, back = born_document(), read(folder / "LEMS_net1.xml", report)
    assert list(report) == []
    assert diff(there.network, back.network) == []
    assert back.network.channels == there.network.channels
    assert back.network.component_types == there.network.component_types
    ours, theirs = there.network.morphologies["pyr"], back.network.morphologies["pyr"]
    assert (ours.names, ours.notes, ours.spheres) == (theirs.names, theirs.notes, theirs.spheres)
    assert {name: rows.tolist() for name, rows in ours.groups.items()} == {
        name: rows.tolist() for name, rows in theirs.groups.items()
    }
    assert plan_diff(there.plan, replace(back.plan, stimuli=there.plan.stimuli)) == []
    for ours, theirs in zip(there.plan.stimuli[:2], back.plan.stimuli[:2], strict=True):
        assert ours.name == theirs.name and ours.targets.population == theirs.targets.population
        assert ours.targets.rows.tolist() == theirs.targets.rows.tolist()


def test_a_channel_by_hand(folder: Path) -> None:
    channel = root(folder / "na.channel.nml").find(f"{NS}ionChannelHH")
    assert dict(channel.attrib) == {"id": "na", "species": "na", "conductance": "0.01nS"}
    assert channel.find(f"{NS}notes").text == "Sodium & more"
    gate = channel.find(f"{NS}gateHHrates")
    assert [child.tag.removeprefix(NS) for child in gate] == ["q10Settings", "forwardRate", "reverseRate"]
    assert dict(gate[0].attrib) == {"type": "q10ExpTemp", "q10Factor": "3", "experimentalTemp": "6.3degC"}
    assert dict(gate[1].attrib) == {"type": "growing_rate"}
    assert found(folder, "include", "na.channel.nml") == [{"href": "net1.types.xml"}]
    assert found(folder, "include", "ks.channel.nml") == []
    passive = root(folder / "leak.channel.nml")[0]
    assert passive.tag == f"{NS}ionChannel" and passive.get("type") == "ionChannelPassive"


def test_an_own_type_by_hand(folder: Path) -> None:
    kind = root(folder / "net1.types.xml").find(f"{NS}ComponentType")
    assert dict(kind.attrib) == {"name": "growing_rate", "extends": "baseVoltageDepRate"}
    assert [(child.tag.removeprefix(NS), dict(child.attrib)) for child in kind][:2] == [
        ("Constant", {"name": "A", "dimension": "per_time", "value": "0.5per_ms"}),
        ("Constant", {"name": "SCALE", "dimension": "voltage", "value": "25mV"}),
    ]
    (variable,) = kind.iter(f"{NS}DerivedVariable")
    # baseVoltageDepRate exposes r.
    assert dict(variable.attrib) == {
        "name": "r", "dimension": "per_time", "exposure": "r", "value": "A * exp(v / SCALE)",
    }  # fmt: skip


def test_a_cell_by_hand(folder: Path) -> None:
    cell = root(folder / "pyr.cell.nml").find(f"{NS}cell")
    segments = {item.get("id"): item for item in cell.iter(f"{NS}segment")}
    assert list(segments) == ["0", "3", "4", "7"]
    soma = [dict(point.attrib) for point in segments["0"]]
    assert soma[0] == soma[1] == {"x": "0", "y": "0", "z": "0", "diameter": "20"}  # a sphere
    assert [child.tag.removeprefix(NS) for child in segments["4"]] == ["parent", "distal"]  # from its parent's end
    # A section begins with a point, although its parent has it: jNeuroML's code for NEURON finds no place on it else.
    assert [child.tag.removeprefix(NS) for child in segments["3"]] == ["parent", "proximal", "distal"]
    assert dict(segments["3"][0].attrib) == {"segment": "0", "fractionAlong": "0.5"}
    assert [segments[key].get("name") for key in segments] == ["soma", None, "tip", None]
    groups = {item.get("id"): item for item in cell.iter(f"{NS}segmentGroup")}
    assert [child.tag.removeprefix(NS) for child in groups["dendrites"]] == [
        "notes", "property", "property", "member", "member", "inhomogeneousParameter",
    ]  # fmt: skip
    # What it includes it does not name again.
    assert [(c.tag.removeprefix(NS), *c.attrib.values()) for c in groups["everything"]] == [
        ("member", "7"), ("include", "dendrites"), ("include", "soma_group"),
    ]  # fmt: skip
    membrane = [(item.tag.removeprefix(NS), dict(item.attrib)) for item in cell.find(f".//{NS}membraneProperties")]
    assert [tag for tag, _ in membrane] == [
        "channelPopulation", "channelDensity", "channelDensity", "channelDensityVShift", "channelDensityNernst",
        "channelDensityGHK", "channelDensityGHK2", "channelDensityNonUniform", "spikeThresh", "specificCapacitance",
        "specificCapacitance", "initMembPotential",
    ]  # fmt: skip
    assert membrane[2][1] == {
        "id": "k_tip", "ionChannel": "ks", "condDensity": "36mS_per_cm2", "erev": "-77mV", "segment": "4", "ion": "k",
    }  # fmt: skip
    assert membrane[5][1] == {"id": "ghk", "ionChannel": "na", "permeability": "0.001um_per_ms", "ion": "ca"}
    (value,) = cell.iter(f"{NS}inhomogeneousValue")
    assert dict(value.attrib) == {"inhomogeneousParameter": "d", "value": "5e-07 * exp(-p / 200)"}


def test_connections_by_hand(folder: Path) -> None:
    assert found(folder, "instance") == [{"id": "4"}, {"id": "9"}]
    assert found(folder, "connection") == [
        {"id": "0", "preCellId": "../sources[0]", "postCellId": "../points[2]"},
        {"id": "1", "preCellId": "../sources[1]", "postCellId": "../points[0]"},
    ]
    sited = found(folder, "connectionWD")[0]
    assert sited == {
        "id": "0", "preCellId": "../pyr/4/pyr", "preSegmentId": "0", "preFractionAlong": "0.5",
        "postCellId": "../pyr/9/pyr", "postSegmentId": "3", "postFractionAlong": "0.25", "weight": "0.5",
        "delay": "1.0ms",
    }  # fmt: skip
    assert [row["synapse"] for row in found(folder, "electricalConnectionInstanceW")] == ["gap", "gap2"]
    (analog,) = found(folder, "continuousConnectionInstance")
    assert (analog["preComponent"], analog["postComponent"]) == ("silent", "graded")
    (receptor,) = found(folder, "expCondSynapse")
    assert receptor == {"id": "exc", "tau_syn": "5.0", "e_rev": "0.0"}
    assert [row["weight"] for row in found(folder, "connectionWD")[2:]] == ["0.01", "0.3333333333333333"]


def test_inputs_by_hand(folder: Path) -> None:
    clamps = found(folder, "inputW")
    assert [(row["target"], row["segmentId"], row["fractionAlong"], row["weight"]) for row in clamps] == [
        ("../pyr/9/pyr", "0", "0.5", "1.0"), ("../pyr/4/pyr", "3", "0.1", "2.0"), ("../pyr/9/pyr", "7", "1.0", "-0.5"),
    ]  # fmt: skip
    assert found(folder, "poissonFiringSynapse") == [
        {"id": "noise", "synapse": "ampa", "spikeTarget": "./ampa", "averageRate": "0.05per_ms"}
    ]
    # One component for all cells of a population that fire the same train.
    assert [len(item) for item in root(folder / "net1.net.nml").iter(f"{NS}spikeArray")] == [2]


def test_the_simulation_by_hand(folder: Path) -> None:
    simulation = root(folder / "LEMS_net1.xml").find("Simulation")
    assert dict(simulation.attrib) == {
        "id": "sim1", "length": "100.0ms", "step": "0.01ms", "target": "net1", "seed": "7",
    }  # fmt: skip
    assert simulation.find("Display").get("title") == "v > 0"
    assert dict(simulation.find("Display/Line").attrib) == {"id": "l", "quantity": "points[0]/v"}
    assert simulation.find("OutputFile/OutputColumn").get("quantity") == "pyr/4/pyr/0/v"
    events = simulation.find("EventOutputFile")
    assert (events.get("fileName"), events.get("format")) == ("s.dat", "TIME_ID")
    assert simulation.findall("EventOutputFile") == [events]  # nothing that nobody asked for
    assert found(folder, "network")[0]["temperature"] == "6.3degC"


def test_hdf5_has_the_same_numbers(tmp_path: Path) -> None:
    report = Report()
    write(born_document(), tmp_path, report, dialect="hdf5")
    assert report.codes() == {"projection-split", "double-precision"}
    path = tmp_path / "net1.net.nml.h5"
    assert check(path) == []
    with h5py.File(path) as file:
        group = file["neuroml/network"]
        assert group["population_pyr/pyr"][:].tolist() == [[4, 0, 0, 0], [9, 1.5, 0, 0]]
        sited = group["projection_sited/sited"]
        assert sited.dtype == np.float64
        assert sited[:].tolist() == [[0, 4, 9, 0, 3, 0.5, 0.25, 0.5, 1.0], [1, 9, 4, 0, 4, 0.5, 1.0, 2.0, 0.1]]
        kinds = {group[name].attrs["synapse"] for name in group if "gaps" in name}
        assert kinds == {b"gap", b"gap2"}
        analog = group["projection_analog"].attrs
        assert (analog["preComponent"], analog["postComponent"]) == (b"silent", b"graded")
        assert analog["type"] == b"continuousProjection"
        assert group["inputList_clamps/clamps"][:, 1:].tolist() == [[9, 0, 0.5, 1], [4, 3, 0.1, 2], [9, 7, 1, -0.5]]


def with_channel(channel: Component) -> Document:
    document = born_document()
    channels = {**document.network.channels, channel.id: channel}
    return replace(document, network=replace(document.network, channels=channels))


def test_gates_of_several_kinds_are_spelled_as_the_schema_allows(tmp_path: Path) -> None:
    rate = component("HHExpRate", rate=1.0, midpoint=-40.0, scale=10.0)
    steady = component("HHSigmoidVariable", rate=1.0, midpoint=-40.0, scale=10.0)
    mixed = component(
        "ionChannelHH", "mixed",
        ("gateHHrates", component("gateHHrates", "m", ("reverseRate", rate), ("forwardRate", rate), instances=1.0)),
        ("gateHHInstantaneous", component("gateHHInstantaneous", "h", ("steadyState", steady), instances=1.0)),
        conductance=1e-5,
    )  # fmt: skip
    report = Report()
    write(with_channel(mixed), tmp_path, report)
    file = tmp_path / "mixed.channel.nml"
    xsd().assertValid(etree.parse(str(file)))
    assert [gate["type"] for gate in found(tmp_path, "gate", file.name)] == ["gateHHrates", "gateHHInstantaneous"]
    assert {"gate-spelling", "schema-order"} <= report.codes()


def test_what_the_schema_does_not_have_stands_in_a_file_of_its_own(tmp_path: Path) -> None:
    document = born_document()
    cells = {**document.network.cells}
    cells["iaf"] = replace(cells["iaf"], model="neuroml:my_cell")
    own = replace(document.network.component_types["growing_rate"], name="my_cell", extends="iafTauCell", parameters={})
    types = {**document.network.component_types, "my_cell": replace(own, derived=(), constants={})}
    report = Report()
    write(replace(document, network=replace(document.network, cells=cells, component_types=types)), tmp_path, report)
    assert list(report) == []
    (cell,) = found(tmp_path, "baseCell", "net1.components.xml")
    assert (cell["id"], cell["type"], cell["tau"]) == ("iaf", "my_cell", "30ms")
    assert check(tmp_path / "net1.net.nml") == []
    assert "All valid and no warnings" in jnml_validates(tmp_path / "net1.net.nml")


def test_a_rate_with_parameters_of_its_own_is_more_than_the_schema_allows(tmp_path: Path) -> None:
    document = born_document()
    kind = replace(document.network.component_types["growing_rate"], parameters={"B": "per_time"}, constants={})
    rate = component("growing_rate", B=0.25)
    gate = component("gateHHrates", "m", ("forwardRate", rate), ("reverseRate", rate), instances=3.0)
    channel = component("ionChannelHH", "na", ("gateHHrates", gate), conductance=1e-5)
    document = with_channel(channel)
    types = {"growing_rate": kind}
    report = Report()
    write(replace(document, network=replace(document.network, component_types=types)), tmp_path, report)
    assert list(report) == []
    assert found(tmp_path, "forwardRate", "na.channel.xml") == [{"type": "growing_rate", "B": "0.25per_ms"}]
    assert check(tmp_path / "pyr.cell.nml") == []
    assert "All valid and no warnings" in jnml_validates(tmp_path / "pyr.cell.nml", tmp_path / "net1.net.nml")


def test_a_channel_in_another_language_is_lost_by_name(tmp_path: Path) -> None:
    document = born_document()
    channels = {name: found for name, found in document.network.channels.items() if name != "ks"}
    report = Report()
    write(replace(document, network=replace(document.network, channels=channels)), tmp_path, report)
    (issue,) = list(report)
    assert issue.code == "channel" and "ks" in issue.examples
