"""What types of one's own build, and a component around the network (as in NeuroML's example 17, made small here)."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from pynn_io.audit import audit
from pynn_io.document import Document
from pynn_io.exporters.neuroml import write
from pynn_io.graph.dynamics import Construction
from pynn_io.importers.neuroml import read as read_neuroml
from pynn_io.pipeline import read
from pynn_io.registry import BACKENDS
from pynn_io.report import Kind, Report
from pynn_io.runners.worker import load_runner
from pynn_io.simulate import simulate
from tests.dynamics import official

needs_jneuroml = pytest.mark.skipif(
    shutil.which("java") is None or find_spec("pyneuroml") is None, reason="needs Java and pyNeuroML"
)
_CORE = '<Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>'
_TISSUE = """<ComponentType name="tissue"><Child name="network" type="network"/></ComponentType>
<ComponentType name="coolingTissue" extends="tissue">
<Exposure name="temperature" dimension="temperature"/><Parameter name="before" dimension="temperature"/>
<Parameter name="after" dimension="temperature"/><Parameter name="change" dimension="time"/>
<Dynamics><StateVariable name="temperature" exposure="temperature" dimension="temperature"/>
<OnStart><StateAssignment variable="temperature" value="before"/></OnStart>
<OnCondition test="t .gt. change"><StateAssignment variable="temperature" value="after"/></OnCondition></Dynamics>
</ComponentType>"""
_POTASSIUM = """<ionChannelHH id="k" conductance="10pS"><gateHHrates id="n" instances="4">
<q10Settings type="q10ExpTemp" q10Factor="3" experimentalTemp="6.3degC"/>
<forwardRate type="HHExpLinearRate" rate="0.1per_ms" midpoint="-55mV" scale="10mV"/>
<reverseRate type="HHExpRate" rate="0.125per_ms" midpoint="-65mV" scale="-80mV"/></gateHHrates></ionChannelHH>
<pointCellCondBased id="cell" C="10pF" v0="-65mV" thresh="-40mV">
<channelPopulation id="ks" ionChannel="k" number="36000" erev="-77mV"/></pointCellCondBased>
<pulseGenerator id="pulse" delay="0ms" duration="100ms" amplitude="0.08nA"/>"""
_NETWORK = """<network id="net1"><population id="pop" component="cell" size="1"/>
<explicitInput target="pop[0]" input="pulse" destination="synapses"/></network>"""


def _tissue(folder: Path, *, target: str = "slice", temperature: bool = True) -> Path:
    prefix = "net1/" if target == "slice" else ""
    path = folder / "LEMS_tissue.xml"
    path.write_text(f"""<Lems><Target component="sim"/>{_CORE}{_TISSUE}{_POTASSIUM}
<coolingTissue id="slice" before="22degC" after="6degC" change="10ms">{_NETWORK}</coolingTissue>
<Simulation id="sim" length="20ms" step="0.01ms" target="{target}"><OutputFile id="out" fileName="out.dat">
<OutputColumn id="v" quantity="{prefix}pop[0]/v"/><OutputColumn id="q" quantity="{prefix}pop[0]/ks/k/n/q"/>
{'<OutputColumn id="T" quantity="temperature"/>' if temperature else ""}</OutputFile>
<EventOutputFile id="ev" fileName="ev.dat" format="ID_TIME">
<EventSelection id="0" select="{prefix}pop[0]" eventPort="spike"/></EventOutputFile></Simulation></Lems>""")
    return path


def _jlems(path: Path) -> dict[str, bytes]:
    """The files that jNeuroML writes, by name."""
    command = ["java", "-Djava.awt.headless=true", "-jar", str(official.jar()), path.name, "-nogui"]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=300, check=False)
    found = {each.name: each.read_bytes() for each in path.parent.glob("*.dat")}
    assert found, done.stdout[-2000:]
    return found


@pytest.mark.slow
@needs_jneuroml
def test_a_network_in_surroundings_runs_as_before_when_written_anew(tmp_path: Path) -> None:
    """Traces, spikes and the temperature that drops on the way: the same files, byte by byte."""
    path, report = _tissue(tmp_path), Report()
    write(read(path), tmp_path / "again", report)
    assert list(report) == []
    before, after = _jlems(path), _jlems(tmp_path / "again" / "LEMS_net1.xml")
    assert before == after
    kelvin = [float(line.split()[3]) for line in after["out.dat"].decode().splitlines()]
    assert (kelvin[0], kelvin[-1]) == pytest.approx((295.15, 279.15))
    document = read(path)
    table = next(
        each for each in simulate(document.network, document.plan, "jneuroml").tables if each.file == "out.dat"
    )
    assert table.data.shape == (len(kelvin), 3)


def test_it_reads_back_with_paths_that_begin_in_the_network(tmp_path: Path) -> None:
    document = read(_tissue(tmp_path))
    assert document.plan.recordings[0].columns == (("v", "pop[0]/v"), ("q", "pop[0]/ks/k/n/q"), ("T", "temperature"))
    assert document.plan.recordings[1].columns == (("0", "pop[0]"),)
    write(document, tmp_path / "again", Report())
    text = (tmp_path / "again" / "LEMS_net1.xml").read_text()
    assert 'target="slice"' in text and 'quantity="net1/pop[0]/v"' in text and 'quantity="temperature"' in text
    again = read(tmp_path / "again" / "LEMS_net1.xml")
    assert again.network.extra["neuroml"] == document.network.extra["neuroml"]
    assert again.plan.recordings == document.plan.recordings


@pytest.mark.parametrize("target", ["neuron", "nest", "sonata", "nmodl"])
def test_who_has_no_surroundings_says_so(tmp_path: Path, target: str) -> None:
    report = Report()
    audit(read(_tissue(tmp_path)), target, report)
    (issue,) = [each for each in report if each.code == "surroundings" or "around the network" in each.message]
    assert (issue.kind, issue.where, issue.examples) == (Kind.LOST, "network", ["slice"])


def test_neuron_starts_at_the_temperature_that_surroundings_start_at(tmp_path: Path) -> None:
    document = read(_tissue(tmp_path, temperature=False))
    lowered = load_runner(BACKENDS["neuron"].runner).lower(document.network, document.plan, Report())
    assert lowered.settings.celsius == pytest.approx(22.0)


def test_hdf5_has_a_network_that_stands_alone(tmp_path: Path) -> None:
    report = Report()
    write(read(_tissue(tmp_path)), tmp_path / "out", report, dialect="hdf5")
    assert {(issue.code, issue.where) for issue in report.of_kind(Kind.LOST)} == {("surroundings", "network")}
    assert 'target="net1"' in (tmp_path / "out" / "LEMS_net1.xml").read_text()


def test_a_simulation_of_the_network_alone_leaves_its_surroundings_out(tmp_path: Path) -> None:
    report = Report()
    document = read_neuroml(_tissue(tmp_path, target="net1", temperature=False), report)
    (issue,) = report.of_kind(Kind.NOT_READ)
    assert (issue.code, issue.examples) == ("surroundings", ["slice"])
    assert issue.where.endswith("LEMS_tissue.xml:15")
    assert "surroundings" not in document.network.extra.get("neuroml", {})


# --- <Structure> --------------------------------------------------------------------------------------------------

_CHANNELS = """<ComponentType name="counted" extends="baseChannelPopulation">
<Parameter name="number" dimension="none"/><Parameter name="erev" dimension="voltage"/><Text name="ion"/>
<Constant name="vShift" dimension="voltage" value="0mV"/>
<Dynamics><DerivedVariable name="channelg" dimension="conductance" select="ionChannel/g"/>
<DerivedVariable name="i" dimension="current" exposure="i" value="channelg * number * (erev - v)"/></Dynamics>
<Structure><ChildInstance component="ionChannel"/></Structure></ComponentType>"""
_MANY = """<ComponentType name="many"><Parameter name="size" dimension="none"/>
<ComponentReference name="component" type="Component"/><Structure>
<MultiInstantiate number="size" component="component"/>
<ForEach instances="../x" as="y"><EventConnection from="y" to="y"/></ForEach></Structure></ComponentType>"""


def _built(folder: Path, types: str) -> Document:
    path = folder / "LEMS_built.xml"
    path.write_text(f"""<Lems><Target component="sim"/>{_CORE}{types}
<ionChannelPassive id="leak" conductance="10pS"/>
<pointCellCondBased id="cell" C="10pF" v0="-65mV" thresh="20mV">
<counted id="l" ionChannel="leak" number="300" erev="-54.3mV"/></pointCellCondBased>
<network id="net1"><population id="pop" component="cell" size="1"/></network>
<Simulation id="sim" length="5ms" step="0.01ms" target="net1"><OutputFile id="out" fileName="out.dat">
<OutputColumn id="v" quantity="pop[0]/v"/></OutputFile></Simulation></Lems>""")
    return read(path)


@pytest.mark.slow
@needs_jneuroml
def test_a_type_that_takes_in_a_channel_still_does_when_written_anew(tmp_path: Path) -> None:
    """jLEMS builds what ``ionChannel/g`` selects only by the type's <ChildInstance>."""
    report = Report()
    write(_built(tmp_path, _CHANNELS), tmp_path / "again", report)
    assert list(report) == []
    assert _jlems(tmp_path / "LEMS_built.xml") == _jlems(tmp_path / "again" / "LEMS_net1.xml")


def test_what_types_build_is_kept_and_named_where_nobody_builds_it(tmp_path: Path) -> None:
    document = _built(tmp_path, _CHANNELS + _MANY)
    loop = Construction("EventConnection", (("from", "y"), ("to", "y")))
    steps = (
        Construction("MultiInstantiate", (("number", "size"), ("component", "component"))),
        Construction("ForEach", (("instances", "../x"), ("as", "y")), (loop,)),
    )
    assert document.network.component_types["many"].structure == steps
    write(document, tmp_path / "again", Report())
    assert read(tmp_path / "again" / "LEMS_net1.xml").network.component_types == document.network.component_types
    for target in ("neuron", "sonata", "nest"):
        report = Report()
        audit(document, target, report)
        (issue,) = [each for each in report if each.code == "structure"]
        assert (issue.kind, issue.examples) == (Kind.LOST, ["many"])  # and not the one with a channel
