"""A document with a cell of every kind that is written as NMODL, by hand."""

from __future__ import annotations

GATE = (
    '<gateHHrates id="{id}" instances="{instances}">'
    '<forwardRate type="{forward[0]}" rate="{forward[1]}per_ms" midpoint="{forward[2]}mV" scale="{forward[3]}mV"/>'
    '<reverseRate type="{reverse[0]}" rate="{reverse[1]}per_ms" midpoint="{reverse[2]}mV" scale="{reverse[3]}mV"/>'
    "</gateHHrates>"
)
_M = GATE.format(id="m", instances=3, forward=("HHExpLinearRate", 1, -40, 10), reverse=("HHExpRate", 4, -65, -18))
_H = GATE.format(id="h", instances=1, forward=("HHExpRate", 0.07, -65, -20), reverse=("HHSigmoidRate", 1, -35, 10))
_N = GATE.format(id="n", instances=4, forward=("HHExpLinearRate", 0.1, -55, 10), reverse=("HHExpRate", 0.125, -65, -80))
_SLOW = GATE.format(id="n", instances=4, forward=("HHExpLinearRate", 0.02, -35, 9), reverse=("HHExpRate", 0.01, -5, -8))
_FILE = """\
<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="doc">
<ionChannelHH id="na" conductance="10pS" species="na">{m}{h}</ionChannelHH>
<ionChannelHH id="k" conductance="10pS" species="k">{n}</ionChannelHH>
<ionChannelHH id="k_slow" conductance="10pS" species="k">{slow}</ionChannelHH>
<ionChannelPassive id="pas" conductance="10pS"/>
<ionChannelPassive id="patch" conductance="10pS" species="na"/>
<ionChannelHH id="unused" conductance="10pS" species="k">{n}</ionChannelHH>
<expTwoSynapse id="lambda" gbase="1nS" erev="0mV" tauRise="1ms" tauDecay="5ms"/>
<poissonFiringSynapse id="noise" averageRate="50Hz" synapse="lambda" spikeTarget="./lambda"/>
<spikeGenerator id="clock" period="10ms"/>
<iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/>
<cell id="hh">
<morphology id="one"><segment id="0"><proximal x="0" y="0" z="0" diameter="20"/>
<distal x="20" y="0" z="0" diameter="20"/></segment></morphology>
<biophysicalProperties id="b1"><membraneProperties>
<channelDensity id="nas" ionChannel="na" condDensity="120 mS_per_cm2" erev="50mV" ion="na"/>
<channelDensity id="ks" ionChannel="k" condDensity="36 mS_per_cm2" erev="-77mV" ion="k"/>
<channelDensity id="leak" ionChannel="pas" condDensity="0.3 mS_per_cm2" erev="-54.3mV" ion="non_specific"/>
<spikeThresh value="-20mV"/><specificCapacitance value="1 uF_per_cm2"/><initMembPotential value="-65mV"/>
</membraneProperties><intracellularProperties><resistivity value="100 ohm_cm"/></intracellularProperties>
</biophysicalProperties></cell>
<cell id="tree">
<morphology id="two">
<segment id="0"><proximal x="0" y="0" z="0" diameter="10"/><distal x="10" y="0" z="0" diameter="10"/></segment>
<segment id="1"><parent segment="0"/><proximal x="10" y="0" z="0" diameter="2"/>
<distal x="110" y="0" z="0" diameter="2"/></segment>
<segment id="2"><parent segment="1"/><distal x="210" y="0" z="0" diameter="1"/></segment>
<segment id="3"><parent segment="0" fractionAlong="0.5"/><proximal x="5" y="0" z="0" diameter="1"/>
<distal x="5" y="50" z="0" diameter="1"/></segment>
<segmentGroup id="soma" neuroLexId="sao864921383"><member segment="0"/></segmentGroup>
<segmentGroup id="apical" neuroLexId="sao864921383"><property tag="numberInternalDivisions" value="4"/>
<member segment="1"/><member segment="2"/></segmentGroup>
<segmentGroup id="side" neuroLexId="sao864921383"><member segment="3"/></segmentGroup>
<segmentGroup id="far"><member segment="2"/></segmentGroup>
<segmentGroup id="dendrites"><include segmentGroup="apical"/><include segmentGroup="side"/>
<inhomogeneousParameter id="way" variable="p" metric="Path Length from root"><proximal translationStart="0"/>
</inhomogeneousParameter></segmentGroup>
</morphology>
<biophysicalProperties id="b2"><membraneProperties>
<channelDensity id="leak" ionChannel="pas" condDensity="0.1 mS_per_cm2" erev="-70mV" ion="non_specific"/>
<channelDensity id="fast" ionChannel="k" condDensity="1 mS_per_cm2" erev="-80mV" ion="k" segmentGroup="far"/>
<channelDensity id="slow" ionChannel="k_slow" condDensity="2 mS_per_cm2" erev="-80mV" ion="k" segmentGroup="far"/>
<channelDensityNonUniform id="varying" ionChannel="patch" erev="10mV" ion="na"><variableParameter
parameter="condDensity" segmentGroup="dendrites"><inhomogeneousValue inhomogeneousParameter="way"
value="2 * exp(p / 100)"/></variableParameter></channelDensityNonUniform>
<channelPopulation id="few" ionChannel="pas" number="300" erev="-70mV" ion="non_specific" segmentGroup="far"/>
<specificCapacitance value="1 uF_per_cm2"/><specificCapacitance value="2 uF_per_cm2" segmentGroup="far"/>
<initMembPotential value="-70mV"/></membraneProperties>
<intracellularProperties><resistivity value="150 ohm_cm"/></intracellularProperties></biophysicalProperties></cell>
<pulseGenerator id="pulse" delay="5ms" duration="40ms" amplitude="0.2nA"/>
<network id="net" type="networkWithTemperature" temperature="6.3degC">
<population id="cells" component="hh" size="2"/>
<population id="points" component="iaf" size="1"/>
<population id="trees" component="tree" size="1"/>
<population id="clocks" component="clock" size="1"/>
<inputList id="pulses" component="pulse" population="cells"><input id="0" target="../cells[0]" destination="synapses"/>
</inputList>
<inputList id="noises" component="noise" population="cells"><input id="0" target="../cells[0]" destination="synapses"/>
</inputList>
</network>
</neuroml>
"""
DOCUMENT = _FILE.format(m=_M, h=_H, n=_N, slow=_SLOW)
