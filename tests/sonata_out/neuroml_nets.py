"""Small NeuroML networks of point cells, as text: leaky cells that NEST has, Izhikevich's cells that it has not."""

from __future__ import annotations

from pathlib import Path

LEAKY = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="leaky">
<iafRefCell id="iaf" refract="2ms" leakReversal="-65mV" thresh="-50mV" reset="-70mV" C="0.2nF"
 leakConductance="0.01uS"/>
<expOneSynapse id="exc" gbase="3nS" erev="0mV" tauDecay="3ms"/>
<expOneSynapse id="inh" gbase="7nS" erev="-75mV" tauDecay="8ms"/>
<pulseGenerator id="pulse" delay="5ms" duration="180ms" amplitude="0.25nA"/>
<spikeArray id="src"><spike id="0" time="10ms"/><spike id="1" time="30ms"/><spike id="2" time="31ms"/></spikeArray>
<network id="net"><population id="sources" component="src" size="1"/>
<population id="pre" component="iaf" size="3"/><population id="post" component="iaf" size="4"/>
<projection id="p" presynapticPopulation="pre" postsynapticPopulation="post" synapse="exc">
<connectionWD id="0" preCellId="../pre[0]" postCellId="../post[0]" weight="2.7" delay="1.5ms"/>
<connectionWD id="1" preCellId="../pre[1]" postCellId="../post[1]" weight="1.1" delay="3ms"/>
<connectionWD id="2" preCellId="../pre[2]" postCellId="../post[1]" weight="2.3" delay="0.5ms"/></projection>
<projection id="q" presynapticPopulation="post" postsynapticPopulation="pre" synapse="inh">
<connectionWD id="0" preCellId="../post[0]" postCellId="../pre[0]" weight="1.3" delay="2ms"/></projection>
<projection id="r" presynapticPopulation="sources" postsynapticPopulation="pre" synapse="exc">
<connectionWD id="0" preCellId="../sources[0]" postCellId="../pre[2]" weight="4" delay="1ms"/></projection>
<inputList id="stim" component="pulse" population="pre">
<inputW id="0" target="../pre[0]" destination="synapses" weight="1"/>
<inputW id="1" target="../pre[1]" destination="synapses" weight="1.2"/></inputList>
</network></neuroml>
"""
_RESONATORS = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="resonators">
<izhikevich2007Cell id="izh" v0="-60mV" C="100 pF" k="0.7 nS_per_mV" vr="-60 mV" vt="-40 mV" vpeak="35 mV"
 a="0.03 per_ms" b="-2 nS" c="-50 mV" d="100 pA"/>
<expTwoSynapse id="exc" gbase="3nS" erev="0mV" tauRise="0.5ms" tauDecay="3ms"/>
<blockingPlasticSynapse id="nmda" gbase="2nS" erev="0mV" tauRise="1ms" tauDecay="13ms">
<blockMechanism type="voltageConcDepBlockMechanism" species="mg" blockConcentration="1.2 mM" scalingConc="1.92 mM"
 scalingVolt="16.13 mV"/></blockingPlasticSynapse>
<gapJunction id="gap" conductance="0.1nS"/><silentSynapse id="silent"/>
<gradedSynapse id="grad" conductance="1nS" delta="5mV" Vth="-35mV" k="0.025per_ms" erev="0mV"/>
<pulseGenerator id="pulse" delay="5ms" duration="180ms" amplitude="0.1nA"/>
<sineGenerator id="sine" phase="0" delay="5ms" duration="180ms" amplitude="0.1nA" period="20ms"/>
<network id="net"><population id="pre" component="izh" size="3"/><population id="post" component="izh" size="4"/>
<projection id="p" presynapticPopulation="pre" postsynapticPopulation="post" synapse="exc">
<connectionWD id="0" preCellId="../pre[0]" postCellId="../post[0]" weight="6.7" delay="1.5ms"/>
<connectionWD id="1" preCellId="../pre[1]" postCellId="../post[1]" weight="4.1" delay="3ms"/></projection>
<projection id="q" presynapticPopulation="pre" postsynapticPopulation="post" synapse="nmda">
<connection id="0" preCellId="../pre[0]" postCellId="../post[0]"/></projection>
{couplings}
<inputList id="stim" component="pulse" population="pre">
<inputW id="0" target="../pre[0]" destination="synapses" weight="1"/>
<inputW id="1" target="../pre[1]" destination="synapses" weight="1.2"/></inputList>
<inputList id="stim2" component="pulse" population="post">
<inputW id="0" target="../post[0]" destination="synapses" weight="0.8"/>
<inputW id="1" target="../post[1]" destination="synapses" weight="0.7"/></inputList>
{inputs}</network></neuroml>
"""
_COUPLINGS = """<electricalProjection id="g" presynapticPopulation="pre" postsynapticPopulation="post">
<electricalConnectionInstanceW id="0" preCell="../pre/2/izh" postCell="../post/2/izh" synapse="gap" weight="3"/>
</electricalProjection>
<continuousProjection id="c" presynapticPopulation="pre" postsynapticPopulation="post">
<continuousConnectionInstanceW id="0" preCell="../pre/0/izh" postCell="../post/3/izh" preComponent="silent"
 postComponent="grad" weight="2"/></continuousProjection>"""
_SINE = """<inputList id="sin" component="sine" population="post">
<inputW id="0" target="../post[2]" destination="synapses" weight="2"/></inputList>"""
RESONATORS = _RESONATORS.format(couplings="", inputs="")
COUPLED = _RESONATORS.format(couplings=_COUPLINGS, inputs=_SINE)
_LEMS = """<Lems><Target component="sim"/><Include file="net.nml"/>
<Simulation id="sim" length="200ms" step="0.01ms" target="net">
<Display id="d" title="potentials" timeScale="1ms" xmin="0" xmax="200" ymin="-80" ymax="40">
<Line id="l" quantity="pre[0]/v" scale="1mV" color="#000000" timeScale="1ms"/></Display>
<OutputFile id="of" fileName="v.dat"><OutputColumn id="a" quantity="post[0]/v"/></OutputFile></Simulation></Lems>
"""


def written(text: str, folder: Path) -> Path:
    """The network and a LEMS file that runs it; the path of that."""
    (folder / "net.nml").write_text(text)
    path = folder / "LEMS_sim.xml"
    path.write_text(_LEMS)
    return path
