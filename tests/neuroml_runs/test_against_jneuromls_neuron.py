"""One cell of Hodgkin and Huxley's on NEURON, as we build it and as jNeuroML does, which solves its gates by Euler."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.pipeline import read
from pynn_io.simulate import simulate

pytestmark = [
    pytest.mark.skipif(
        shutil.which("java") is None or find_spec("pyneuroml") is None or find_spec("neuron") is None,
        reason="needs Java, pyNeuroML and NEURON",
    ),
    pytest.mark.slow,
]


def _gate(name: str, instances: int, forward: str, reverse: str) -> str:
    rates = f"<forwardRate {forward}/><reverseRate {reverse}/>"
    return f'<gateHHrates id="{name}" instances="{instances}">{rates}</gateHHrates>'


def _rate(kind: str, rate: float, midpoint: float, scale: float) -> str:
    return f'type="{kind}" rate="{rate}per_ms" midpoint="{midpoint}mV" scale="{scale}mV"'


_SODIUM = _gate("m", 3, _rate("HHExpLinearRate", 1, -40, 10), _rate("HHExpRate", 4, -65, -18)) + _gate(
    "h", 1, _rate("HHExpRate", 0.07, -65, -20), _rate("HHSigmoidRate", 1, -35, 10)
)
_POTASSIUM = _gate("n", 4, _rate("HHExpLinearRate", 0.1, -55, 10), _rate("HHExpRate", 0.125, -65, -80))
_DENSITY = '<channelDensity id="{0}s" ionChannel="{0}" condDensity="{1}mS_per_cm2" erev="{2}mV" ion="{3}"/>'
_LEMS = f"""<Lems><Target component="sim"/>
<Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
<ionChannelHH id="sodium" conductance="10pS" species="na">{_SODIUM}</ionChannelHH>
<ionChannelHH id="potassium" conductance="10pS" species="k">{_POTASSIUM}</ionChannelHH>
<ionChannelHH id="leak" conductance="10pS"/>
<cell id="squid"><morphology id="ball"><segment id="0" name="soma">
<proximal x="0" y="0" z="0" diameter="20"/><distal x="20" y="0" z="0" diameter="20"/></segment></morphology>
<biophysicalProperties id="bio"><membraneProperties>
{_DENSITY.format("leak", 0.3, -54.3, "non_specific")}{_DENSITY.format("sodium", 120, 50, "na")}
{_DENSITY.format("potassium", 36, -77, "k")}
<spikeThresh value="0mV"/><specificCapacitance value="1uF_per_cm2"/><initMembPotential value="-65mV"/>
</membraneProperties><intracellularProperties><resistivity value="100ohm_cm"/></intracellularProperties>
</biophysicalProperties></cell>
<pulseGenerator id="pulse" delay="5ms" duration="50ms" amplitude="0.15nA"/>
<network id="net" type="networkWithTemperature" temperature="6.3degC">
<population id="cells" component="squid" size="1"/><explicitInput target="cells[0]" input="pulse"/></network>
<Simulation id="sim" length="60ms" step="0.01ms" target="net">
<OutputFile id="out" fileName="v.dat"><OutputColumn id="v" quantity="cells[0]/v"/></OutputFile></Simulation></Lems>
"""


def _spikes(document: Document, step: float, backend: str, **options: str) -> np.ndarray:
    """When the potential crosses 0 mV upwards, between samples (ms)."""
    (table,) = simulate(document.network, document.plan, backend, timestep=step, **options).tables
    times, potential = table.times, table.data[:, 0]
    before = np.flatnonzero((potential[:-1] <= 0) & (potential[1:] > 0))
    part = -potential[before] / (potential[before + 1] - potential[before])
    return times[before] + part * (times[before + 1] - times[before])


def test_both_meet_as_the_step_shrinks(tmp_path: Path) -> None:
    """Within 0.05 ms at a step of 0.001 ms, from a difference in proportion to the step."""
    path = tmp_path / "LEMS_squid.xml"
    path.write_text(_LEMS)
    document = read(path)
    apart, own = [], []
    for step in (0.01, 0.001):
        own.append(_spikes(document, step, "neuron"))
        theirs = _spikes(document, step, "jneuroml", engine="neuron")
        assert len(own[-1]) == len(theirs) >= 3
        apart.append(float(np.abs(own[-1] - theirs).max()))
    assert apart[1] < 0.05
    assert apart[0] / apart[1] == pytest.approx(10, rel=0.3)
    # what is left is mostly theirs: ours moves less with the step
    assert float(np.abs(own[0] - own[1]).max()) < apart[0]
