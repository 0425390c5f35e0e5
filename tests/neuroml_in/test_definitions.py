# ruff: noqa: E501
"""Cells, channels, synapses, membranes and types: every number worked out by hand from the units of the document."""

from __future__ import annotations

import pytest

from pynn_io.graph import (
    CableCell,
    ChannelDensity,
    ChannelPopulation,
    ConcentrationModel,
    Law,
    MembraneProperty,
    Paint,
    PointCell,
    Profile,
    SpikeSource,
)
from pynn_io.graph.dynamics import (
    Assignment,
    Case,
    Component,
    Construction,
    Derived,
    Emit,
    KineticScheme,
    OnCondition,
    Transition,
)
from pynn_io.graph.expressions import parse
from pynn_io.report import Kind
from tests.neuroml_in.documents import IAF, MEMBRANE, PAS, TWO_POINTS, cable, load


def read_whole(folder, body):
    """The network, of which nothing was left out."""
    document, report = load(folder, body)
    assert report.of_kind(Kind.NOT_READ) == []
    return document.network


def test_an_abstract_cell_is_in_coherent_units(tmp_path):
    cells = read_whole(
        tmp_path,
        f"{IAF}"
        '<izhikevich2007Cell id="izh" v0="-60mV" C="100 pF" k="0.7 nS_per_mV" vr="-60mV" vt="-40 mV" vpeak="0.035 V" '
        'a="0.03per_ms" b="-2 nS" c="-50mV" d="100pA"/>'
        '<fitzHughNagumoCell id="fn" I="0.8"/>'
        '<pinskyRinzelCA3Cell id="pr" iSoma="0.75 uA_per_cm2" iDend="0 uA_per_cm2" gc="2.1 mS_per_cm2" '
        'gLs="0.1 mS_per_cm2" gLd="0.1 mS_per_cm2" gNa="30 mS_per_cm2" gKdr="15 mS_per_cm2" gCa="10 mS_per_cm2" '
        'gKahp="0.8 mS_per_cm2" gKC="15 mS_per_cm2" gNmda="0 mS_per_cm2" gAmpa="0 mS_per_cm2" eNa="60 mV" eCa="80 mV" '
        'eK="-75 mV" eL="-60 mV" pp="0.5" cm="3 uF_per_cm2" alphac="2" betac="0.1" qd0="0"/>',
    ).cells
    assert cells["iaf"] == PointCell(
        "neuroml:iafCell",
        {"leakReversal": -50.0, "thresh": -55.0, "reset": -70.0, "C": 0.2, "leakConductance": 0.01},
    )
    izh = cells["izh"]
    assert izh.parameters["C"] == 0.1 and izh.parameters["vpeak"] == 35.0 and izh.parameters["d"] == 0.1
    assert izh.parameters["k"] == pytest.approx(0.7e-3) and izh.parameters["b"] == pytest.approx(-2e-3)
    assert cells["fn"].parameters == {"I": 0.8}
    # 0.75 uA/cm2 = 0.75e-8 nA... per um2: 0.75e-6 A / 1e8 um2 = 7.5e-15 A = 7.5e-6 nA
    assert cells["pr"].parameters["iSoma"] == pytest.approx(7.5e-6)
    assert cells["pr"].parameters["cm"] == pytest.approx(3e-5)  # 3e-6 F / 1e8 um2 = 3e-14 F = 3e-5 nF


def test_cells_of_pynn_are_pynns(tmp_path):
    cells = read_whole(
        tmp_path,
        '<EIF_cond_exp_isfa_ista id="eif" cm="0.281" i_offset="0.6" tau_syn_E="5" tau_syn_I="5" v_init="-65" '
        'tau_m="9.3667" tau_refrac="5" v_reset="-68" v_rest="-70.6" v_thresh="-52" e_rev_E="0" e_rev_I="-80" a="0.004" '
        'b="0.0805" delta_T="2" tau_w="144" v_spike="-40"/>'
        '<HH_cond_exp id="hh" cm="0.2" i_offset="0.2" tau_syn_E="0.2" tau_syn_I="2" v_init="-65" v_offset="-63" '
        'e_rev_E="0" e_rev_I="-80" e_rev_K="-90" e_rev_Na="50" e_rev_leak="-65" g_leak="0.01" gbar_K="6" gbar_Na="20"/>'
        '<SpikeSourcePoisson id="sp" start="50ms" duration="0.4 s" rate="50Hz"/>'
        '<spikeArray id="sa"><notes>two</notes><spike id="0" time="50 ms"/><spike id="1" time="0.1 s"/></spikeArray>'
        '<spikeGeneratorPoisson id="sgp" averageRate="50 Hz"/>',
    ).cells
    eif = cells["eif"]
    assert eif.model == "EIF_cond_exp_isfa_ista"
    assert eif.parameters["v"] == -65.0 and "v_init" not in eif.parameters
    assert eif.parameters["a"] == 4.0  # NeuroML has uS, PyNN nS
    assert eif.parameters["b"] == 0.0805 and eif.parameters["cm"] == 0.281
    # the core type has no initial values of its gates; PyNN's h would start at 1
    assert {key: cells["hh"].parameters[key] for key in "mhn"} == {"m": 0.0, "h": 0.0, "n": 0.0}
    assert cells["sp"] == SpikeSource("SpikeSourcePoisson", {"start": 50.0, "duration": 400.0, "rate": 50.0})
    assert cells["sa"].model == "SpikeSourceArray"
    assert [role for role, _ in cells["sa"].children] == ["notes"]
    assert cells["sgp"] == SpikeSource("neuroml:spikeGeneratorPoisson", {"averageRate": 0.05})


def test_a_channel_keeps_its_gates(tmp_path):
    channels = read_whole(
        tmp_path,
        '<ionChannel id="na" type="ionChannelHH" conductance="10pS" species="na"><notes>n</notes>'
        '<gate id="m" type="gateHHrates" instances="3"><q10Settings type="q10ExpTemp" q10Factor="3" '
        'experimentalTemp="6.3degC"/><forwardRate type="HHExpLinearRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>'
        '<reverseRate type="HHExpRate" rate="4000per_s" midpoint="-65mV" scale="-18mV"/></gate>'
        '<gateHHtauInf id="h" instances="1"><timeCourse type="fixedTimeCourse" tau="0.002s"/>'
        '<steadyState type="HHSigmoidVariable" rate="1" midpoint="-35mV" scale="10mV"/></gateHHtauInf></ionChannel>'
        '<ionChannelKS id="ks" conductance="8pS"><gateKS id="n" instances="1"><closedState id="c1"/>'
        '<openState id="o1"/><vHalfTransition from="c1" to="o1" vHalf="0mV" z="1.5" gamma="0.75" tau="3.2ms" '
        'tauMin="0.3ms"/></gateKS></ionChannelKS>'
        '<decayingPoolConcentrationModel id="pool" ion="ca" restingConc="5e-5 mM" decayConstant="30ms" '
        'shellThickness="0.2um"/>'
        '<fixedFactorConcentrationModel id="ff" ion="ca" restingConc="1e-10 mol_per_cm3" decayConstant="1 s" '
        'rho="3e-13 mol_per_m_per_A_per_s"/>',
    ).channels
    na = channels["na"]
    assert (na.type, na.id, na.texts) == ("ionChannelHH", "na", {"species": "na"})
    assert na.parameters == {"conductance": pytest.approx(1e-5)}  # 10 pS in uS
    assert na.all("notes")[0].texts == {"text": "n"}
    m, h = na.all("gate")[0], na.all("gateHHtauInf")[0]
    assert (m.type, m.id, m.parameters) == ("gateHHrates", "m", {"instances": 3.0})
    assert m.all("q10Settings")[0] == Component("q10ExpTemp", "", {"q10Factor": 3.0, "experimentalTemp": 279.45})
    assert m.all("reverseRate")[0].parameters == {"rate": 4.0, "midpoint": -65.0, "scale": -18.0}
    assert h.all("timeCourse")[0] == Component("fixedTimeCourse", "", {"tau": 2.0})
    assert h.all("steadyState")[0].parameters["rate"] == 1.0
    (gate,) = channels["ks"].all("gateKS")
    (way,) = gate.all("vHalfTransition")
    assert way.texts == {"from": "c1", "to": "o1"}
    assert way.parameters == {"vHalf": 0.0, "z": 1.5, "gamma": 0.75, "tau": 3.2, "tauMin": 0.3}
    assert channels["pool"].parameters == {"restingConc": 5e-5, "decayConstant": 30.0, "shellThickness": 0.2}
    assert channels["ff"].parameters["restingConc"] == pytest.approx(1e-4)  # mM
    # 3e-13 mol/(m A s) = 3e5 amol/(m A s) = 3e5 / (1e6 um 1e9 nA 1e3 ms)
    assert channels["ff"].parameters["rho"] == pytest.approx(3e-13)


def test_synapses_keep_what_stands_in_them(tmp_path):
    synapses = read_whole(
        tmp_path,
        '<blockingPlasticSynapse id="nmda" gbase="0.8nS" tauRise="1e-3s" tauDecay="13.3333ms" erev="0V">'
        '<plasticityMechanism type="tsodyksMarkramDepFacMechanism" initReleaseProb="0.5" tauRec="120 ms" tauFac="10 ms"/>'
        '<blockMechanism type="voltageConcDepBlockMechanism" species="mg" blockConcentration="1.2 mM" '
        'scalingConc="1.92 mM" scalingVolt="16.13 mV"/></blockingPlasticSynapse>'
        '<gradedSynapse id="gs" conductance="5pS" delta="5mV" Vth="-55mV" k="0.025per_ms" erev="0mV"/>'
        '<doubleSynapse id="ds" synapse1="nmda" synapse2="gs" synapse1Path="./nmda" synapse2Path="./gs"/>'
        '<alphaCurrentSynapse id="ac" tau="2ms" ibase="1 uA"/>',
    ).synapses
    nmda = synapses["nmda"]
    assert nmda.model == "neuroml:blockingPlasticSynapse"
    assert nmda.parameters == {"gbase": pytest.approx(8e-4), "tauRise": 1.0, "tauDecay": 13.3333, "erev": 0.0}
    roles = [(role, child.type) for role, child in nmda.children]
    assert roles == [
        ("plasticityMechanism", "tsodyksMarkramDepFacMechanism"),
        ("blockMechanism", "voltageConcDepBlockMechanism"),
    ]
    assert nmda.children[1][1].texts == {"species": "mg"}
    assert synapses["gs"].parameters["k"] == 0.025
    assert synapses["ds"].parameters["synapse1"] == "nmda"
    assert synapses["ac"].parameters == {"tau": 2.0, "ibase": 1000.0}


EVERYTHING = """<membraneProperties>
<channelPopulation id="cp" ionChannel="pas" number="300" erev="-54.3mV" segment="0" ion="non_specific"/>
<channelDensity id="d" ionChannel="pas" condDensity="3 S_per_m2" erev="-0.054 V" segmentGroup="g" ion="non_specific"/>
<channelDensityVShift id="dv" ionChannel="pas" condDensity="1 mS_per_cm2" erev="0mV" vShift="10mV" ion="na"/>
<channelDensityNernst id="dn" ionChannel="pas" condDensity="1 mS_per_cm2" segment="0" ion="ca"/>
<channelDensityGHK id="ghk" ionChannel="pas" permeability="1e-4 cm_per_s" ion="ca"/>
<channelDensityGHK2 id="ghk2" ionChannel="pas" condDensity="2 mS_per_cm2" ion="ca"/>
<channelDensityNonUniform id="nu" ionChannel="pas" erev="50mV" ion="na">
 <variableParameter parameter="condDensity" segmentGroup="g">
  <inhomogeneousValue inhomogeneousParameter="p1" value="5e-7 * exp(-p/200)"/></variableParameter>
</channelDensityNonUniform>
<channelDensityNonUniformGHK id="nug" ionChannel="pas" ion="ca">
 <variableParameter parameter="permeability" segmentGroup="g">
  <inhomogeneousValue inhomogeneousParameter="p1" value="p"/></variableParameter>
</channelDensityNonUniformGHK>
<spikeThresh value="-20mV" segmentGroup="g"/><specificCapacitance value="0.01 F_per_m2"/>
<initMembPotential value="-65mV"/></membraneProperties>
<intracellularProperties>
<species id="ca" ion="ca" concentrationModel="pool" initialConcentration="1e-4 mM"
  initialExtConcentration="2e-6 mol_per_cm3" segmentGroup="g"/>
<resistivity value="0.03 kohm_cm"/></intracellularProperties>"""
GROUP = (
    '<segmentGroup id="g"><member segment="0"/><inhomogeneousParameter id="p1" variable="p" '
    'metric="Path Length from root"/></segmentGroup>'
)
POOL = (
    '<decayingPoolConcentrationModel id="pool" ion="ca" restingConc="0 mM" decayConstant="1ms" shellThickness="1um"/>'
)


def test_everything_that_can_be_painted(tmp_path):
    network = read_whole(tmp_path, POOL + cable(TWO_POINTS + GROUP, EVERYTHING))
    cell = network.cells["pyr"]
    profile = Profile("g", "p1", parse("5e-7*exp(-p/200)"))
    assert cell == CableCell(
        "pyr",
        (
            Paint("segment:0", ChannelPopulation("pas", 300.0, "non_specific", -54.3, "cp")),
            Paint("g", ChannelDensity("pas", pytest.approx(0.3), "non_specific", -54.0, name="d")),
            Paint("all", ChannelDensity("pas", 1.0, "na", 0.0, name="dv", v_shift=10.0)),
            Paint("segment:0", ChannelDensity("pas", 1.0, "ca", name="dn", law=Law.NERNST)),
            # 1e-4 cm/s = 1e-6 m/s = 1e-3 um/ms
            Paint("all", ChannelDensity("pas", ion="ca", name="ghk", law=Law.GHK, permeability=pytest.approx(1e-3))),
            Paint("all", ChannelDensity("pas", 2.0, "ca", name="ghk2", law=Law.GHK2)),
            Paint("all", ChannelDensity("pas", ion="na", reversal=50.0, name="nu", profiles=(profile,))),
            Paint(
                "all",
                ChannelDensity("pas", ion="ca", name="nug", law=Law.GHK, profiles=(Profile("g", "p1", parse("p")),)),
            ),
            Paint("g", MembraneProperty("spike_threshold", -20.0)),
            Paint("all", MembraneProperty("specific_capacitance", pytest.approx(1.0))),
            Paint("all", MembraneProperty("initial_potential", -65.0)),
            Paint("g", ConcentrationModel("pool", "ca", {}, 1e-4, pytest.approx(2.0), "ca")),
            Paint("all", MembraneProperty("axial_resistivity", pytest.approx(30.0))),
        ),
    )
    assert network.extra["neuroml"]["cells"]["pyr"] == {"morphology": "m", "biophysicalProperties": "b"}


def test_a_cell_may_refer_to_its_morphology_and_membrane(tmp_path):
    body = (
        f'{PAS}<cell id="one" morphology="shape" biophysicalProperties="skin"/>'
        f'<cell id="two" morphology="shape" biophysicalProperties="skin"/>'
        f'<morphology id="shape">{TWO_POINTS}</morphology>'
        f'<biophysicalProperties id="skin">{MEMBRANE}</biophysicalProperties>'
    )
    network = read_whole(tmp_path, body)
    assert network.cells["one"].morphology == network.cells["two"].morphology == "shape"
    assert network.cells["one"].decor == network.cells["two"].decor and len(network.cells["one"].decor) == 5
    assert list(network.morphologies) == ["shape"]


TYPES = """
<Dimension name="leech" m="1" l="2" t="-3" i="-2" k="1"/>
<Unit symbol="kleech" dimension="leech" power="3"/>
<ComponentType name="rateOfMine" extends="baseVoltageConcDepRate">
  <Constant name="TIME" dimension="time" value="1 s"/><Parameter name="q" dimension="leech"/>
  <Property name="n" dimension="none" defaultValue="2.5"/><Text name="species"/>
  <DerivedParameter name="twice" dimension="leech" value="2*q"/>
  <Dynamics><ConditionalDerivedVariable name="r" exposure="r" dimension="per_time">
    <Case condition="v .gt. -0.05" value="1/TIME"/><Case value="0"/></ConditionalDerivedVariable></Dynamics>
</ComponentType>
<ComponentType name="cellOfMine" extends="baseSpikingCell">
  <Parameter name="tau" dimension="time"/><Exposure name="out" dimension="none"/>
  <Requirement name="temperature" dimension="temperature"/><EventPort name="spike" direction="out"/>
  <ComponentReference name="friend" type="baseCell"/><Child name="leak" type="ionChannelPassive"/>
  <Children name="gates" type="gate"/><Attachments name="synapses" type="basePointCurrent"/>
  <Dynamics><StateVariable name="u" dimension="none" exposure="out"/>
    <DerivedVariable name="i" dimension="current" select="synapses[*]/i" reduce="add"/>
    <TimeDerivative variable="u" value="-u/tau"/>
    <OnStart><StateAssignment variable="u" value="0.5"/></OnStart>
    <OnEvent port="spike"><StateAssignment variable="u" value="0"/></OnEvent>
    <OnCondition test="u .lt. 0.1"><StateAssignment variable="u" value="1"/><EventOut port="spike"/></OnCondition>
    <Regime name="rest" initial="true"><OnEntry><StateAssignment variable="u" value="1"/></OnEntry>
      <TimeDerivative variable="u" value="0"/><OnCondition test="t .gt. 1"><Transition regime="go"/></OnCondition>
    </Regime>
    <KineticScheme name="ks" nodes="states" stateVariable="occupancy" edges="transitions" edgeSource="from"
      edgeTarget="to" forwardRate="rf" reverseRate="rr"/>
  </Dynamics>
  <Structure><With instance="a" as="b"/></Structure>
</ComponentType>
<cellOfMine id="mine" tau="2s" friend="mine"><leak id="l" conductance="1pS"/></cellOfMine>
<ionChannelHH id="ch" conductance="1pS"><gateHHrates id="m" instances="1">
<forwardRate type="rateOfMine" q="2 kleech" species="ca"/><reverseRate type="HHExpRate" rate="1per_ms" midpoint="0mV"
 scale="1mV"/></gateHHrates></ionChannelHH>"""


def test_types_of_the_document(tmp_path):
    document, report = load(tmp_path, TYPES)
    network = document.network
    rate, cell = network.component_types["rateOfMine"], network.component_types["cellOfMine"]
    assert rate.extends == "baseVoltageConcDepRate" and rate.where.endswith("doc.nml:5")
    assert rate.constants == {"TIME": ("time", 1000.0)}
    assert rate.parameters == {"q": "leech", "n": "none"} and rate.defaults == {"n": 2.5}
    assert rate.derived_parameters == (Derived("twice", "leech", (Case(parse("2*q")),)),)
    assert rate.derived == (Derived("r", "per_time", (Case(parse("1/TIME"), parse("v > -0.05")), Case(parse("0")))),)
    assert cell.exposed == {"out": "u"} and cell.states == {"u": "none"} and cell.ports == {"spike": "out"}
    assert cell.derived == (Derived("i", "current", (), "synapses[*]/i", "add"),)
    assert cell.conditions == (OnCondition(parse("u<0.1"), (Assignment("u", parse("1")), Emit("spike"))),)
    assert cell.regimes[0].initial and cell.regimes[0].conditions[0].actions == (Transition("go"),)
    assert cell.kinetic_schemes == (
        KineticScheme("ks", "states", "transitions", "occupancy", "from", "to", "rf", "rr"),
    )
    assert (dict(cell.references), dict(cell.child), dict(cell.children), dict(cell.attachments)) == (
        {"friend": "baseCell"},
        {"leak": "ionChannelPassive"},
        {"gates": "gate"},
        {"synapses": "basePointCurrent"},
    )
    mine = network.cells["mine"]
    assert mine.model == "neuroml:cellOfMine" and mine.parameters == {"tau": 2000.0, "friend": "mine"}
    # a child's type is its role's where it states none
    assert mine.children == (("leak", Component("ionChannelPassive", "l", {"conductance": pytest.approx(1e-6)})),)
    # 2 kleech = 2e3 V/A... kg m2 s-3 A-2 K: 2e3 ohm K = 2e-3 Mohm K
    (gate,) = network.channels["ch"].all("gateHHrates")
    assert gate.all("forwardRate")[0].parameters == {"q": pytest.approx(2e-3)}
    assert gate.all("forwardRate")[0].texts == {"species": "ca"}
    assert network.extra["neuroml"]["dimensions"] == {"leech": (1, 2, -3, -2, 1, 0)}
    assert cell.structure == (Construction("With", (("instance", "a"), ("as", "b"))),)
    assert report.of_kind(Kind.NOT_READ) == []


COLOURED = IAF.replace("/>", ' colour="red"/>')


def test_words_and_what_nobody_knows(tmp_path):
    document, report = load(
        tmp_path,
        f"<notes>all of it</notes>\n{COLOURED}\n"
        '<network id="net" strange="1">\n<notes>a net</notes>\n<property tag="seed" value="3"/>\n'
        '<population id="a" component="iaf" size="1"><annotation><x a="1">t</x></annotation></population></network>',
    )
    about = document.network.extra["neuroml"]["about"]
    assert about["document"][0][1].texts == {"text": "all of it"}
    assert [role for role, _ in about["network"]] == ["notes", "property"]
    assert about["population a"][0][1].texts["xml"] == '<x a="1">t</x>'
    # an attribute that no type declares stays with the component, and is told
    assert document.network.cells["iaf"].parameters["colour"] == "red"
    left = {(issue.where.rpartition(":")[2], issue.code) for issue in report.of_kind(Kind.NOT_READ)}
    assert left == {("3", "attribute"), ("4", "attribute")}
