"""A standard cell of PyNN on NEURON to which synapses and inputs of NeuroML come, beside its own receptors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pynn_io import Report
from pynn_io.pipeline import read
from pynn_io.report import Kind
from pynn_io.simulate import simulate

_LEMS = """<Lems><Target component="sim"/>
<Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
<IF_cond_exp id="target" cm="1" e_rev_E="0" e_rev_I="-70" i_offset="0" tau_m="20" tau_refrac="5" tau_syn_E="5"
 tau_syn_I="10" v_init="-65" v_reset="-65" v_rest="-65" v_thresh="-50"/>
<expCondSynapse id="own" tau_syn="5" e_rev="0"/>
<expCondSynapse id="other" tau_syn="7" e_rev="0"/>
<spikeArray id="one"><spike id="0" time="10ms"/></spikeArray>
<sineGenerator id="sine" phase="0" delay="40ms" duration="20ms" amplitude="1nA" period="40ms"/>
<network id="net"><population id="from" component="one" size="1"/><population id="cells" component="target" size="3"/>
<projection id="p" presynapticPopulation="from" postsynapticPopulation="cells" synapse="own">
<connectionWD id="0" preCellId="../from[0]" postCellId="../cells[0]" weight="0.01" delay="1ms"/></projection>
<projection id="q" presynapticPopulation="from" postsynapticPopulation="cells" synapse="other">
<connectionWD id="0" preCellId="../from[0]" postCellId="../cells[1]" weight="0.01" delay="1ms"/></projection>
<explicitInput target="cells[2]" input="sine"/></network>
<Simulation id="sim" length="60ms" step="0.05ms" target="net"><OutputFile id="out" fileName="v.dat">
<OutputColumn id="g" quantity="cells[0]/synapses:own:0/g"/><OutputColumn id="h" quantity="cells[1]/synapses:other:0/g"/>
<OutputColumn id="v" quantity="cells[2]/v"/></OutputFile></Simulation></Lems>
"""


@pytest.mark.slow
def test_receptors_synapses_and_inputs_all_act(tmp_path: Path) -> None:
    """Conductances of 0.01 uS from 11 ms on, with the time constants of each; half a sine of 1 nA on R = 20 Mohm."""
    pytest.importorskip("neuron")
    path = tmp_path / "LEMS_pynn.xml"
    path.write_text(_LEMS)
    document, report = read(path), Report()
    (table,) = simulate(document.network, document.plan, "neuron", report=report).tables
    assert list(report.of_kind(Kind.LOST)) == []
    since = table.times - 11.0
    own, other, potential = table.data.T
    after = (since > 1.0) & (since < 20.0)
    scale = own[after][0] / np.exp(-since[after][0] / 5)
    assert scale == pytest.approx(0.01, rel=0.02)
    np.testing.assert_allclose(own[after], scale * np.exp(-since[after] / 5), rtol=0.02)
    np.testing.assert_allclose(other[after], scale * np.exp(-since[after] / 7), rtol=0.02)
    assert potential[table.times < 40].max() == pytest.approx(-0.065, abs=1e-6)
    # a low-pass of 20 ms at the end of half a sine of 40 ms: 20 mV * x / (1 + x^2) * (1 + exp(-1)), x = 2 pi 20 / 40
    x = np.pi
    assert potential[-1] + 0.065 == pytest.approx(0.020 * x / (1 + x * x) * (1 + np.exp(-1)), rel=0.02)
