"""Documents with one fault each, all that can be made of a sound one: what the schema refuses, we refuse or report.

The schema (libNeuroML brings it along) is the oracle; what it knows and we deliberately do not judge is `SPARED`.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from pathlib import Path

import pytest
from lxml import etree

from pynn_io import Report
from pynn_io.errors import GraphError, ReadError
from pynn_io.importers.neuroml import read
from tests.neuroml_out.nml_tools import data, xsd

SOUND = b"""<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="doc">
<notes>Everything that documents are usually made of.</notes>
<ionChannel id="pas" type="ionChannelPassive" conductance="10pS"/>
<ionChannelHH id="na" conductance="10pS" species="na">
 <q10ConductanceScaling q10Factor="2" experimentalTemp="20degC"/>
 <gateHHrates id="m" instances="3">
  <q10Settings type="q10ExpTemp" q10Factor="3" experimentalTemp="6.3degC"/>
  <forwardRate type="HHExpLinearRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
  <reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/>
 </gateHHrates>
</ionChannelHH>
<ionChannelHH id="k" conductance="10pS">
 <gateHHtauInf id="n" instances="4">
  <timeCourse type="fixedTimeCourse" tau="2ms"/>
  <steadyState type="HHSigmoidVariable" rate="1" midpoint="-35mV" scale="10mV"/>
 </gateHHtauInf>
</ionChannelHH>
<ionChannelHH id="kf" conductance="10pS">
 <gate id="n" type="gateHHratesTau" instances="1">
  <forwardRate type="HHExpRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
  <reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/>
  <timeCourse type="fixedTimeCourse" tau="2ms"/>
 </gate>
</ionChannelHH>
<ionChannelKS id="ks" conductance="8pS"><gateKS id="n" instances="1">
 <closedState id="c1"/><openState id="o1"/>
 <forwardTransition id="f" from="c1" to="o1"><rate type="HHExpRate" rate="1per_ms" midpoint="0mV" scale="9mV"/>
 </forwardTransition>
 <reverseTransition id="r" from="c1" to="o1"><rate type="HHExpRate" rate="1per_ms" midpoint="0mV" scale="-9mV"/>
 </reverseTransition>
</gateKS></ionChannelKS>
<decayingPoolConcentrationModel id="pool" ion="ca" restingConc="0 mM" decayConstant="1ms" shellThickness="1um"/>
<alphaSynapse id="alpha" gbase="1nS" erev="0mV" tau="2ms"/>
<expTwoSynapse id="two" gbase="1nS" erev="0mV" tauDecay="3ms" tauRise="1ms"/>
<blockingPlasticSynapse id="nmda" gbase="1nS" erev="0mV" tauDecay="13ms" tauRise="1ms">
 <plasticityMechanism type="tsodyksMarkramDepFacMechanism" initReleaseProb="0.5" tauRec="120ms" tauFac="10ms"/>
 <blockMechanism type="voltageConcDepBlockMechanism" species="mg" blockConcentration="1.2mM" scalingConc="1.9mM"
  scalingVolt="16mV"/>
</blockingPlasticSynapse>
<gapJunction id="gap" conductance="10pS"/>
<silentSynapse id="silent"/>
<gradedSynapse id="graded" conductance="5pS" delta="5mV" Vth="-55mV" k="0.025per_ms" erev="0mV"/>
<cell id="pyr">
 <morphology id="m">
  <segment id="0" name="soma"><proximal x="0" y="0" z="0" diameter="10"/><distal x="10" y="0" z="0" diameter="10"/>
  </segment>
  <segment id="1"><parent segment="0" fractionAlong="1"/><distal x="50" y="0" z="0" diameter="1"/></segment>
  <segmentGroup id="soma_group" neuroLexId="sao864921383"><member segment="0"/></segmentGroup>
  <segmentGroup id="dendrites"><member segment="1"/>
   <inhomogeneousParameter id="p1" variable="p" metric="Path Length from root"/></segmentGroup>
  <segmentGroup id="both"><include segmentGroup="soma_group"/><include segmentGroup="dendrites"/></segmentGroup>
 </morphology>
 <biophysicalProperties id="b">
  <membraneProperties>
   <channelPopulation id="cp" ionChannel="pas" number="300" erev="-54mV" segment="0" ion="non_specific"/>
   <channelDensity id="d" ionChannel="na" condDensity="3 S_per_m2" erev="50mV" segmentGroup="both" ion="na"/>
   <channelDensityNernst id="dn" ionChannel="k" condDensity="1 mS_per_cm2" ion="ca"/>
   <channelDensityNonUniform id="nu" ionChannel="pas" erev="50mV" ion="na">
    <variableParameter parameter="condDensity" segmentGroup="dendrites">
     <inhomogeneousValue inhomogeneousParameter="p1" value="5e-7 * exp(-p/200)"/></variableParameter>
   </channelDensityNonUniform>
   <spikeThresh value="-20mV"/><specificCapacitance value="1uF_per_cm2"/><initMembPotential value="-65mV"/>
  </membraneProperties>
  <intracellularProperties>
   <species id="ca" ion="ca" concentrationModel="pool" initialConcentration="1e-4 mM"
    initialExtConcentration="2 mM"/>
   <resistivity value="0.1 kohm_cm"/>
  </intracellularProperties>
 </biophysicalProperties>
</cell>
<iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="10nS"/>
<izhikevich2007Cell id="izh" v0="-60mV" C="100pF" k="0.7nS_per_mV" vr="-60mV" vt="-40mV" vpeak="35mV" a="0.03per_ms"
 b="-2nS" c="-50mV" d="100pA"/>
<pulseGenerator id="pulse" delay="5ms" duration="50ms" amplitude="0.2nA"/>
<voltageClampTriple id="vc" active="1" delay="0ms" duration="1ms" conditioningVoltage="0mV" testingVoltage="0mV"
 returnVoltage="0mV" simpleSeriesResistance="1Mohm"/>
<spikeArray id="train"><spike id="0" time="5ms"/></spikeArray>
<spikeGeneratorPoisson id="noise" averageRate="10Hz"/>
<poissonFiringSynapse id="pfs" averageRate="10Hz" synapse="two" spikeTarget="./two"/>
<network id="net" type="networkWithTemperature" temperature="32degC">
 <population id="a" component="iaf" size="2" type="populationList">
  <instance id="0"><location x="0" y="0" z="0"/></instance><instance id="1"><location x="1" y="0" z="0"/></instance>
 </population>
 <population id="c" component="pyr" size="3"/>
 <population id="laid" component="izh"><layout><random number="4" region="r"/></layout></population>
 <projection id="p" presynapticPopulation="a" postsynapticPopulation="c" synapse="two">
  <connectionWD id="0" preCellId="../a/0/iaf" postCellId="../c/2/pyr" postSegmentId="1" postFractionAlong="0.25"
   weight="1" delay="1ms"/>
 </projection>
 <electricalProjection id="e" presynapticPopulation="a" postsynapticPopulation="a">
  <electricalConnection id="0" preCell="0" postCell="1" synapse="gap"/>
 </electricalProjection>
 <continuousProjection id="g" presynapticPopulation="c" postsynapticPopulation="c">
  <continuousConnection id="0" preCell="0" postCell="1" preComponent="silent" postComponent="graded"/>
 </continuousProjection>
 <explicitInput target="a[0]" input="pulse"/>
 <inputList id="il" population="a" component="pulse"><input id="0" target="../a/1/iaf" destination="synapses"/>
 </inputList>
</network>
</neuroml>"""
#: Values that are right for few attributes: no id, an id of nothing, quantities, not even a text.
VALUES = ("no such thing", "9lives", "ghost", "3 degC", "3 ohm_m", "-1", "")
_NUMBERED = "rows without ids are numbered, as jNeuroML and libNeuroML's HDF5 do"
#: Faults, as `faults` names them, by their ends, that pass on purpose, and why.
SPARED = {
    "neuroLexId": "an ontology's term is for people",
    "<odd> in notes": "words for people",
    "notes with odd": "words for people",
    "random with odd": "a layout is kept as it stands; only the number of cells is taken",
    "gateKS without <forwardTransition>": "a transition may lead one way only",
    "gateKS without <reverseTransition>": "a transition may lead one way only",
    "spike without id": _NUMBERED,
    "onnection without id": _NUMBERED,
    "connectionWD without id": _NUMBERED,
    "input without id": _NUMBERED,
}


def faults(document: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """Copies with one fault: an element or attribute less, another value, an element or attribute that is unknown."""
    tree = document.getroottree()
    elements = [each for each in document.iter() if isinstance(each.tag, str)]
    for element in elements:
        tag, path = etree.QName(element).localname, tree.getpath(element)

        def changed(path: str = path) -> tuple[etree._Element, etree._Element]:
            copy = deepcopy(document)
            return copy, copy.getroottree().xpath(path)[0]

        if element is not document:
            copy, found = changed()
            found.getparent().remove(found)
            yield f"{etree.QName(element.getparent()).localname} without <{tag}>", copy
        copy, found = changed()
        found.append(found.makeelement(f"{{{etree.QName(element).namespace}}}odd"))
        yield f"<odd> in {tag}", copy
        copy, found = changed()
        found.set("odd", "1")
        yield f"{tag} with odd", copy
        for name in element.attrib:
            copy, found = changed()
            del found.attrib[name]
            yield f"{tag} without {name}", copy
            for value in VALUES:
                copy, found = changed()
                found.set(name, value)
                yield f"{value!r} for {tag}.{name}", copy


def told(file: Path) -> int | None:
    """How many issues reading has; None where it refuses."""
    report = Report()
    try:
        read(file, report)
    except (ReadError, GraphError) as error:
        assert str(file) in str(error.where)
        return None
    return len(report)


def unjudged(document: etree._Element, schema: etree.XMLSchema, folder: Path, step: int) -> list[str]:
    """What of every ``step``-th fault the schema refuses, and reading neither refuses nor reports."""
    file = folder / "doc.nml"
    file.write_bytes(etree.tostring(document))
    base = told(file)
    assert base is not None and schema.validate(document)
    passed = []
    for name, copy in islice(faults(document), 0, None, step):
        if schema.validate(copy):
            continue
        file.write_bytes(etree.tostring(copy))
        found = told(file)
        if found is not None and found <= base:
            passed.append(name)
    return passed


@pytest.mark.parametrize("step", [17, pytest.param(3, marks=pytest.mark.slow)])
def test_what_the_schema_refuses_is_refused_or_reported(step: int, tmp_path: Path) -> None:
    passed = unjudged(etree.fromstring(SOUND), xsd(), tmp_path, step)
    assert [name for name in passed if not name.endswith(tuple(SPARED))] == []


MODELS = ("NML2_MultiCompCellNetwork.nml", "NML2_Inputs.nml", "NML2_InhomogeneousParams.nml", "NML2_SynapseTypes.nml")


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_so_are_faults_in_models_of_others(name: str, tmp_path: Path) -> None:
    file = data("neuroml/neuroml2_core/examples") / name
    document = etree.parse(str(file)).getroot()
    for include in document.findall("{*}include"):
        include.set("href", str(file.parent / include.get("href")))
    passed = unjudged(document, xsd(), tmp_path, 29)
    assert [name for name in passed if not name.endswith(tuple(SPARED))] == []
