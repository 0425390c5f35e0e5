"""Channels that are counted (``channelPopulation``) on cells of segments: by hand, and against jLEMS."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from pynn_io.audit import audit
from pynn_io.document import Document
from pynn_io.graph.biophysics import ChannelPopulation, Opaque, Paint
from pynn_io.graph.morphology import Morphology
from pynn_io.lowering.membrane import Mechanisms, segment_model
from pynn_io.lowering.segment_shape import segment_shape
from pynn_io.pipeline import read
from pynn_io.registry import BACKENDS
from pynn_io.report import Report
from pynn_io.runners.worker import load_runner
from pynn_io.simulate import simulate

needs_neuron = pytest.mark.skipif(find_spec("neuron") is None, reason="NEURON is not installed")


def _gate(name: str, instances: int, forward: str, reverse: str) -> str:
    rates = f"<forwardRate {forward}/><reverseRate {reverse}/>"
    return f'<gateHHrates id="{name}" instances="{instances}">{rates}</gateHHrates>'


def _rate(kind: str, rate: float, midpoint: float, scale: float) -> str:
    return f'type="{kind}" rate="{rate}per_ms" midpoint="{midpoint}mV" scale="{scale}mV"'


_CHANNELS = f"""<ionChannelPassive id="leak" conductance="10pS"/>
<ionChannelHH id="sodium" conductance="10pS" species="na">
{_gate("m", 3, _rate("HHExpLinearRate", 1, -40, 10), _rate("HHExpRate", 4, -65, -18))}
{_gate("h", 1, _rate("HHExpRate", 0.07, -65, -20), _rate("HHSigmoidRate", 1, -35, 10))}</ionChannelHH>
<ionChannelHH id="potassium" conductance="10pS" species="k">
{_gate("n", 4, _rate("HHExpLinearRate", 0.1, -55, 10), _rate("HHExpRate", 0.125, -65, -80))}</ionChannelHH>"""
_BALL = """<segment id="0"><proximal x="0" y="0" z="0" diameter="20"/>
<distal x="20" y="0" z="0" diameter="20"/></segment>
"""
_SQUID = """<channelPopulation id="leaks" ionChannel="leak" number="377" erev="-54.3mV" ion="non_specific"/>
<channelPopulation id="nas" ionChannel="sodium" number="150796" erev="50mV" ion="na"/>
<channelDensity id="ks" ionChannel="potassium" condDensity="36mS_per_cm2" erev="-77mV" ion="k"/>"""
#: A section of two segments, 10 and 90 um long, in so many compartments.
_TWO = """<segment id="0"><proximal x="0" y="0" z="0" diameter="4"/><distal x="10" y="0" z="0" diameter="4"/></segment>
<segment id="1"><parent segment="0"/><distal x="100" y="0" z="0" diameter="1"/></segment>
<segmentGroup id="whole" neuroLexId="sao864921383"><property tag="numberInternalDivisions" value="{count}"/>
<member segment="0"/><member segment="1"/></segmentGroup>"""
_FEW = '<channelPopulation id="few" ionChannel="leak" number="2000" erev="-54.3mV" ion="non_specific" segment="{on}"/>'


_POOL = """<decayingPoolConcentrationModel id="pool" restingConc="1e-4mM" decayConstant="5ms" shellThickness="1um"
 ion="ca"/>"""
_SPECIES = """<species id="ca" ion="ca" concentrationModel="pool" initialConcentration="1e-4mM"
 initialExtConcentration="2mM"/>"""


def _lems(
    folder: Path, morphology: str, membrane: str, columns: str, length: float, step: float, *, pool: bool = False
) -> Document:
    path = folder / "LEMS_counted.xml"
    path.write_text(f"""<Lems><Target component="sim"/>
<Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
{_CHANNELS}{_POOL if pool else ""}<cell id="cell"><morphology id="shape">{morphology}</morphology>
<biophysicalProperties id="bio"><membraneProperties>{membrane}
<spikeThresh value="0mV"/><specificCapacitance value="1uF_per_cm2"/><initMembPotential value="-65mV"/>
</membraneProperties><intracellularProperties>{_SPECIES if pool else ""}
<resistivity value="0.001ohm_cm"/></intracellularProperties></biophysicalProperties></cell>
<pulseGenerator id="pulse" delay="5ms" duration="50ms" amplitude="0.15nA"/>
<network id="net" type="networkWithTemperature" temperature="6.3degC">
<population id="cells" component="cell" size="1"/><explicitInput target="cells[0]" input="pulse"/></network>
<Simulation id="sim" length="{length}ms" step="{step}ms" target="net">
<OutputFile id="out" fileName="v.dat">{columns}</OutputFile></Simulation></Lems>
""")
    return read(path)


def _morphology(document: Document) -> Morphology:
    (found,) = document.network.morphologies.values()
    return found


def _column(name: str, quantity: str) -> str:
    return f'<OutputColumn id="{name}" quantity="cells[0]/{quantity}"/>'


@pytest.mark.slow
@needs_neuron
@pytest.mark.parametrize(("count", "on"), [(1, 1), (4, 1), (10, 0), (10, 1)])
def test_the_number_is_the_regions_whatever_the_compartments(tmp_path: Path, count: int, on: int) -> None:
    """2000 times 10 pS are 20 nS, which 0.15 nA moves by 7.5 mV; a wire without resistance has one potential.

    (10, 0): the region is one compartment. (1, 1): it is less than the only one, which has all of its channels.
    """
    columns = _column("v", "v") + _column("i", "bio/membraneProperties/few/i")
    document = _lems(tmp_path, _TWO.format(count=count), _FEW.format(on=on), columns, 30, 0.025)
    (table,) = simulate(document.network, document.plan, "neuron").tables
    assert table.data[195, 0] == pytest.approx(-54.3e-3, abs=1e-6)
    assert table.data[-1, 0] == pytest.approx(-46.8e-3, abs=1e-6)
    if (count, on) == (10, 0):  # positive inwards, and of the whole compartment at the path's place
        assert table.data[-1, 1] == pytest.approx(-0.15e-9, rel=1e-4)


@pytest.mark.slow
@needs_neuron
@pytest.mark.skipif(shutil.which("java") is None or find_spec("pyneuroml") is None, reason="needs Java and pyNeuroML")
def test_counted_channels_meet_jlems_as_the_step_shrinks(tmp_path: Path) -> None:
    """jLEMS takes Euler's steps: spikes are apart in proportion to the step, and so are current, conductance, gate."""
    columns = [_column("v", "v"), _column("i", "bio/membraneProperties/nas/i")]
    columns += [_column(name, f"bio/membraneProperties/nas/sodium/{name}") for name in ("g", "m/q")]
    document = _lems(tmp_path, _BALL, _SQUID, "".join(columns), 15, 0.01)
    apart, rest = [], []
    for step in (0.01, 0.002):
        ours, theirs = (simulate(document.network, document.plan, name, timestep=step).tables[0] for name in _BOTH)
        spikes = [_first_spike(table.data[:, 0]) * step for table in (ours, theirs)]
        apart.append(abs(spikes[0] - spikes[1]))
        rows = min(len(ours.data), len(theirs.data))
        difference = np.abs(ours.data[:rows] - theirs.data[:rows]).max(axis=0)
        rest.append(difference / np.abs(theirs.data).max(axis=0))
    assert apart[1] < 0.02
    assert apart[0] / apart[1] == pytest.approx(5, rel=0.3)
    np.testing.assert_allclose(rest[0] / rest[1], 5, rtol=0.4)


@pytest.mark.slow
@needs_neuron
def test_counted_channels_of_calcium_follow_nernst(tmp_path: Path) -> None:
    """By the core type's words: erev = R T / (2 F) ln(outside / inside), i = 20 q^4 10 pS (erev - v).

    jLEMS has no concentration yet when it first asks for the logarithm, and ends there.
    """
    gate = "bio/membraneProperties/cas/potassium/n/q"
    names = {"v": "v", "i": "bio/membraneProperties/cas/i", "e": "bio/membraneProperties/cas/erev", "q": gate}
    columns = "".join(_column(*each) for each in {**names, "c": "caConc"}.items())
    text = '<channelPopulationNernst id="cas" ionChannel="potassium" number="20" ion="ca"/>'
    text += '<channelPopulation id="leaks" ionChannel="leak" number="377" erev="-54.3mV" ion="non_specific"/>'
    document = _lems(tmp_path, _BALL, text, columns, 20, 0.02, pool=True)
    (table,) = simulate(document.network, document.plan, "neuron").tables
    v, i, e, q, c = table.data[1:].T
    assert c[-1] > 1.5e-4
    # NEURON works a step's currents out from the potential and the concentration at its beginning
    nernst = 8.3144621 * (6.3 + 273.15) / (2 * 96485.3) * np.log(2 / c[:-1])
    np.testing.assert_allclose(e[1:], nernst, rtol=1e-6)
    np.testing.assert_allclose(i[1:], 20 * 10e-12 * q[:-1] ** 4 * (e[1:] - v[:-1]), rtol=0.02)


_BOTH = ("neuron", "jneuroml")


def _first_spike(potential: np.ndarray) -> float:
    before = int(np.flatnonzero((potential[:-1] <= 0) & (potential[1:] > 0))[0])
    return before - potential[before] / (potential[before + 1] - potential[before])


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_compartments_have_neurons_areas(count: int, tmp_path: Path) -> None:
    """Frusta that end in a compartment, and steps in diameter, which NEURON counts as rings."""
    h = pytest.importorskip("neuron").h
    text = """<segment id="0"><proximal x="0" y="0" z="0" diameter="10"/>
<distal x="10" y="0" z="0" diameter="4"/></segment>
<segment id="1"><parent segment="0"/><proximal x="10" y="0" z="0" diameter="2"/>
<distal x="25" y="5" z="0" diameter="1"/></segment>
<segment id="2"><parent segment="1"/><distal x="60" y="5" z="3" diameter="1"/></segment>
<segmentGroup id="whole" neuroLexId="sao864921383"><property tag="numberInternalDivisions" value="{count}"/>
<member segment="0"/><member segment="1"/><member segment="2"/></segmentGroup>"""
    document = _lems(tmp_path, text.format(count=count), "", _column("v", "v"), 1, 0.1)
    shape = segment_shape(_morphology(document))
    section = h.Section(name="same")
    for point in shape.geometry.points.tolist():
        section.pt3dadd(*point)
    section.nseg = count
    np.testing.assert_allclose(shape.areas(0), [segment.area() for segment in section], rtol=1e-12)


def test_a_region_without_a_compartment_is_told(tmp_path: Path) -> None:
    """The middle of the only compartment is not in the first tenth of the section."""
    document = _lems(tmp_path, _TWO.format(count=1), _FEW.format(on=0), _column("v", "v"), 1, 0.1)
    network, report = document.network, Report()
    shape = segment_shape(_morphology(document))
    model = segment_model("cell", network.cells["cell"], shape, Mechanisms(network), report)
    assert not model.spreads
    (issue,) = report
    assert (issue.code, issue.where, issue.examples) == ("channel-population", "cells/cell", ["few"])
    assert "No compartment has its middle in the region" in issue.message


def test_what_one_channel_of_a_mechanism_conducts_is_not_known(tmp_path: Path) -> None:
    """A count of channels of a ``.mod`` file is lost, and under the code that the audit asks to allow."""
    document = _lems(tmp_path, _BALL, "", _column("v", "v"), 1, 0.1)
    network = document.network
    cell = replace(network.cells["cell"], decor=(Paint("all", ChannelPopulation("Im", 3.0, "k", -80.0)),))
    network = replace(network, cells={"cell": cell}, channels={"Im": Opaque("nmodl", "Im")})
    audited, report = Report(), Report()
    audit(Document(network, document.plan), "neuron", audited)
    load_runner(BACKENDS["neuron"].runner).lower(network, document.plan, report)
    assert "channel-population" in audited.codes() & report.codes()
