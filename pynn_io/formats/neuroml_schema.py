"""The structure of NeuroML 2.3.1 documents as data: elements, their order, attributes and what these may hold.

Taken down from NeuroML_v2.3.1.xsd (a test compares the two where libNeuroML brings the schema along), so that documents
can be checked while they are streamed, with line numbers, and without the schema at hand.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from functools import cache

# name<base; attribute[!]:kind ...; child[:Type][?*+] ...   (! required; ? + * occurrence; one where none is given;
# a|b: alternatives, in any order among themselves)
_TABLE = """
AdExIaFCell<BaseCellMembPotCap; gL!:conductance EL!:voltage reset!:voltage VT!:voltage thresh!:voltage delT!:voltage
  tauw!:time refract!:time a!:conductance b!:current
AlphaCondSynapse<BasePynnSynapse; e_rev!:float
AlphaCurrSynapse<BasePynnSynapse
AlphaCurrentSynapse<BaseCurrentBasedSynapse; tau!:time ibase!:current
AlphaSynapse<BaseConductanceBasedSynapse; tau!:time
Base<BaseWithoutId; id!:id
BaseCell<Standalone; neuroLexId:lex
BaseCellMembPotCap<BaseCell; C!:capacitance
BaseConductanceBasedSynapse<BaseVoltageDepSynapse; gbase!:conductance erev!:voltage
BaseConductanceBasedSynapseTwo<BaseVoltageDepSynapse; gbase1!:conductance gbase2!:conductance erev!:voltage
BaseConnection<BaseNonNegativeIntegerId; neuroLexId:lex
BaseConnectionNewFormat<BaseConnection; preCell!:text preSegment:int preFractionAlong:fraction postCell!:text
  postSegment:int postFractionAlong:fraction
BaseConnectionOldFormat<BaseConnection; preCellId!:path preSegmentId:int preFractionAlong:fraction postCellId!:path
  postSegmentId:int postFractionAlong:fraction
BaseCurrentBasedSynapse<BaseSynapse
BaseNonNegativeIntegerId<BaseWithoutId; id!:int
BaseProjection<Base; presynapticPopulation!:id postsynapticPopulation!:id
BasePynnSynapse<BaseSynapse; tau_syn!:float
BaseSynapse<Standalone; neuroLexId:lex
BaseVoltageDepSynapse<BaseSynapse
BaseWithoutId
BiophysicalProperties<Standalone; ; membraneProperties intracellularProperties? extracellularProperties?
BiophysicalProperties2CaPools<Standalone; ; membraneProperties2CaPools intracellularProperties2CaPools?
  extracellularProperties?
BlockMechanism<BaseWithoutId; type!:=voltageConcDepBlockMechanism species!:id blockConcentration!:concentration
  scalingConc!:concentration scalingVolt!:voltage
BlockingPlasticSynapse<ExpTwoSynapse; ; plasticityMechanism? blockMechanism?
Cell<BaseCell; morphology:id biophysicalProperties:id; morphology? biophysicalProperties?
Cell2CaPools<Cell; ; biophysicalProperties2CaPools?
CellSet<Base; select!:text; *
ChannelDensity<Base; ionChannel!:id condDensity:conductanceDensity erev!:voltage segmentGroup:id segment:int
  ion!:id; variableParameter*
ChannelDensityGHK<Base; ionChannel!:id permeability!:permeability segmentGroup:id segment:segment ion!:id
ChannelDensityGHK2<Base; ionChannel!:id condDensity:conductanceDensity segmentGroup:id segment:segment ion!:id
ChannelDensityNernst<Base; ionChannel!:id condDensity:conductanceDensity segmentGroup:id segment:segment ion!:id;
  variableParameter*
ChannelDensityNernstCa2<ChannelDensityNernst
ChannelDensityNonUniform<Base; ionChannel!:id erev!:voltage ion!:id; variableParameter*
ChannelDensityNonUniformGHK<Base; ionChannel!:id ion!:id; variableParameter*
ChannelDensityNonUniformNernst<Base; ionChannel!:id ion!:id; variableParameter*
ChannelDensityVShift<ChannelDensity; vShift!:voltage
ChannelPopulation<Base; ionChannel!:id number!:int erev!:voltage segmentGroup:id segment:int ion!:id;
  variableParameter*
ClosedState<Base
CompoundInput<Standalone; ; pulseGenerator* sineGenerator* rampGenerator*
CompoundInputDL<Standalone; ; pulseGeneratorDL* sineGeneratorDL* rampGeneratorDL*
Connection<BaseConnectionOldFormat
ConnectionWD<BaseConnectionOldFormat; weight!:float delay!:time
ContinuousConnection<BaseConnectionNewFormat; preComponent!:id postComponent!:id
ContinuousConnectionInstance<ContinuousConnection
ContinuousConnectionInstanceW<ContinuousConnectionInstance; weight!:float
ContinuousProjection<BaseProjection; ; continuousConnection* continuousConnectionInstance*
  continuousConnectionInstanceW*
DecayingPoolConcentrationModel<Standalone; ion!:id restingConc!:concentration decayConstant!:time
  shellThickness!:length
DistalDetails<BaseWithoutId; normalizationEnd!:float
DoubleSynapse<BaseVoltageDepSynapse; synapse1!:id synapse2!:id synapse1Path!:text synapse2Path!:text
EIF_cond_alpha_isfa_ista<EIF_cond_exp_isfa_ista
EIF_cond_exp_isfa_ista<basePyNNIaFCondCell; a!:float b!:float delta_T!:float tau_w!:float v_spike!:float
ElectricalConnection<BaseConnectionNewFormat; synapse!:id
ElectricalConnectionInstance<ElectricalConnection
ElectricalConnectionInstanceW<ElectricalConnectionInstance; weight!:float
ElectricalProjection<BaseProjection; ; electricalConnection* electricalConnectionInstance*
  electricalConnectionInstanceW*
ExpCondSynapse<BasePynnSynapse; e_rev!:float
ExpCurrSynapse<BasePynnSynapse
ExpOneSynapse<BaseConductanceBasedSynapse; tauDecay!:time
ExpThreeSynapse<BaseConductanceBasedSynapseTwo; tauDecay1!:time tauDecay2!:time tauRise!:time
ExpTwoSynapse<BaseConductanceBasedSynapse; tauDecay!:time tauRise!:time
ExplicitInput<BaseWithoutId; target!:path input!:id destination:id
ExtracellularProperties<Base; ; species*
ExtracellularPropertiesLocal<Base; ; species*
FitzHughNagumo1969Cell<BaseCell; a!:none b!:none I!:none phi!:none V0!:none W0!:none
FitzHughNagumoCell<BaseCell; I!:none
FixedFactorConcentrationModel<Standalone; ion!:id restingConc!:concentration decayConstant!:time rho!:rhoFactor
ForwardTransition<Base; from!:id to!:id; *
GapJunction<BaseSynapse; conductance!:conductance
GateFractional<Base; instances!:int; notes? q10Settings? subGate:GateFractionalSubgate+
GateFractionalSubgate<Base; fractionalConductance!:none; notes? q10Settings? steadyState:HHVariable
  timeCourse:HHTime
GateHHInstantaneous<Base; instances!:int; notes? steadyState:HHVariable
GateHHRates<Base; instances!:int; notes? q10Settings? forwardRate:HHRate reverseRate:HHRate
GateHHRatesInf<Base; instances!:int; notes? q10Settings? forwardRate:HHRate reverseRate:HHRate
  steadyState:HHVariable
GateHHRatesTau<Base; instances!:int; notes? q10Settings? forwardRate:HHRate reverseRate:HHRate timeCourse:HHTime
GateHHRatesTauInf<Base; instances!:int; notes? q10Settings? forwardRate:HHRate reverseRate:HHRate timeCourse:HHTime
  steadyState:HHVariable
GateHHTauInf<Base; instances!:int; notes? q10Settings? timeCourse:HHTime steadyState:HHVariable
GateHHUndetermined<Base; instances!:int
  type!:=gateHHrates|gateHHratesTau|gateHHtauInf|gateHHratesInf|gateHHratesTauInf|gateHHInstantaneous|gateKS|gateFractional;
  notes? q10Settings? forwardRate:HHRate? reverseRate:HHRate? timeCourse:HHTime? steadyState:HHVariable?
  subGate:GateFractionalSubgate*
GateKS<Base; instances!:int; notes? q10Settings? closedState+ openState+
  forwardTransition+|reverseTransition+|tauInfTransition+
GradedSynapse<BaseSynapse; conductance!:conductance delta!:voltage Vth!:voltage k!:pertime erev!:voltage
GridLayout<BaseWithoutId; xSize:int ySize:int zSize:int
HHRate<BaseWithoutId; type!:id rate:pertime midpoint:voltage scale:voltage
HHTime<BaseWithoutId; type!:id rate:time midpoint:voltage scale:voltage tau:time
HHVariable<BaseWithoutId; type!:id rate:float midpoint:voltage scale:voltage
HH_cond_exp<basePyNNCell; v_offset!:float e_rev_E!:float e_rev_I!:float e_rev_K!:float e_rev_Na!:float
  e_rev_leak!:float g_leak!:float gbar_K!:float gbar_Na!:float
HindmarshRose1984Cell<BaseCellMembPotCap; a!:none b!:none c!:none d!:none s!:none x1!:none r!:none x0!:none y0!:none
  z0!:none v_scaling!:voltage
IF_cond_alpha<basePyNNIaFCondCell
IF_cond_exp<basePyNNIaFCondCell
IF_curr_alpha<basePyNNIaFCell
IF_curr_exp<basePyNNIaFCell
IafCell<BaseCell; leakReversal!:voltage thresh!:voltage reset!:voltage C!:capacitance leakConductance!:conductance
IafRefCell<IafCell; refract!:time
IafTauCell<BaseCell; leakReversal!:voltage thresh!:voltage reset!:voltage tau!:time
IafTauRefCell<IafTauCell; refract!:time
Include<BaseWithoutId; segmentGroup!:id
IncludeType; href!:text
InhomogeneousParameter<Base; variable!:text metric!:=Path~Length~from~root; proximal:ProximalDetails?
  distal:DistalDetails?
InhomogeneousValue<BaseWithoutId; inhomogeneousParameter!:text value!:text
InitMembPotential<BaseWithoutId; value!:voltage segmentGroup:id
Input<BaseNonNegativeIntegerId; target!:path destination!:id segmentId:int fractionAlong:fraction
InputList<Base; population!:id component!:id; input* inputW*
InputW<Input; weight!:float
Instance<BaseWithoutId; id:int i:int j:int k:int; location
IntracellularProperties<BaseWithoutId; ; species* resistivity*
IntracellularProperties2CaPools<IntracellularProperties
IonChannel<IonChannelScalable; species:id type:=ionChannelPassive|ionChannelHH conductance:conductance;
  gate:GateHHUndetermined* gateHHrates:GateHHRates* gateHHratesTau:GateHHRatesTau* gateHHtauInf:GateHHTauInf*
  gateHHratesInf:GateHHRatesInf* gateHHratesTauInf:GateHHRatesTauInf* gateHHInstantaneous* gateFractional*
IonChannelHH<IonChannel
IonChannelKS<Standalone; species:id conductance:conductance neuroLexId:lex; gateKS*
IonChannelScalable<Standalone; neuroLexId:lex; q10ConductanceScaling*
IonChannelVShift<IonChannel; vShift!:voltage
Izhikevich2007Cell<BaseCellMembPotCap; v0!:voltage k!:conductancePerVoltage vr!:voltage vt!:voltage vpeak!:voltage
  a!:pertime b!:conductance c!:voltage d!:current
IzhikevichCell<BaseCell; v0!:voltage thresh!:voltage a!:none b!:none c!:none d!:none
Layout<BaseWithoutId; space:id; random:RandomLayout|grid:GridLayout|unstructured:UnstructuredLayout
LinearGradedSynapse<BaseSynapse; conductance!:conductance
Location<BaseWithoutId; x!:float y!:float z!:float
Member<BaseWithoutId; segment!:int
MembraneProperties<BaseWithoutId; ; channelPopulation* channelDensity* channelDensityVShift* channelDensityNernst*
  channelDensityGHK* channelDensityGHK2* channelDensityNonUniform* channelDensityNonUniformNernst*
  channelDensityNonUniformGHK* spikeThresh+ specificCapacitance+ initMembPotential+
MembraneProperties2CaPools<MembraneProperties; ; channelDensityNernstCa2*
Morphology<Standalone; ; segment+ segmentGroup*
Network<Standalone; type:=network|networkWithTemperature temperature:temperature neuroLexId:lex; space* region*
  extracellularProperties:ExtracellularPropertiesLocal* population+ cellSet* synapticConnection* projection*
  electricalProjection* continuousProjection* explicitInput* inputList*
NeuroMLDocument<Standalone; ; include:IncludeType* extracellularProperties* intracellularProperties* morphology*
  ionChannel* ionChannelHH* ionChannelVShift* ionChannelKS* decayingPoolConcentrationModel*
  fixedFactorConcentrationModel* alphaCurrentSynapse* alphaSynapse* expOneSynapse* expTwoSynapse* expThreeSynapse*
  blockingPlasticSynapse* doubleSynapse* gapJunction* silentSynapse* linearGradedSynapse* gradedSynapse*
  biophysicalProperties* cell* cell2CaPools* baseCell* iafTauCell* iafTauRefCell* iafCell* iafRefCell*
  izhikevichCell* izhikevich2007Cell* adExIaFCell* fitzHughNagumoCell* fitzHughNagumo1969Cell* pinskyRinzelCA3Cell*
  hindmarshRose1984Cell* pulseGenerator* pulseGeneratorDL* sineGenerator* sineGeneratorDL* rampGenerator*
  rampGeneratorDL* compoundInput* compoundInputDL* voltageClamp* voltageClampTriple* spikeArray* timedSynapticInput*
  spikeGenerator* spikeGeneratorRandom* spikeGeneratorPoisson* spikeGeneratorRefPoisson* poissonFiringSynapse*
  transientPoissonFiringSynapse* IF_curr_alpha* IF_curr_exp* IF_cond_alpha* IF_cond_exp* EIF_cond_exp_isfa_ista*
  EIF_cond_alpha_isfa_ista* HH_cond_exp* expCondSynapse* alphaCondSynapse* expCurrSynapse* alphaCurrSynapse*
  SpikeSourcePoisson* network* ComponentType*
OpenState<Base
Path<BaseWithoutId; ; from:SegmentEndPoint? to:SegmentEndPoint?
PinskyRinzelCA3Cell<BaseCell; iSoma!:currentDensity iDend!:currentDensity gc!:conductanceDensity
  gLs!:conductanceDensity gLd!:conductanceDensity gNa!:conductanceDensity gKdr!:conductanceDensity
  gCa!:conductanceDensity gKahp!:conductanceDensity gKC!:conductanceDensity gNmda!:conductanceDensity
  gAmpa!:conductanceDensity eNa!:voltage eCa!:voltage eK!:voltage eL!:voltage qd0!:none pp!:none alphac!:none
  betac!:none cm!:specificCapacitance
PlasticityMechanism<BaseWithoutId; type!:=tsodyksMarkramDepMechanism|tsodyksMarkramDepFacMechanism
  initReleaseProb!:fraction tauRec!:time tauFac:time
Point3DWithDiam<BaseWithoutId; x!:float y!:float z!:float diameter!:float
PoissonFiringSynapse<Standalone; averageRate!:pertime synapse!:text spikeTarget!:text
Population<Standalone; component!:id size:int type:=population|populationList extracellularProperties:id
  neuroLexId:lex; layout? instance*
Projection<BaseProjection; synapse!:id; connection* connectionWD*
Property<BaseWithoutId; tag!:text value!:text
ProximalDetails<BaseWithoutId; translationStart!:float
PulseGenerator<Standalone; delay!:time duration!:time amplitude!:current
PulseGeneratorDL<Standalone; delay!:time duration!:time amplitude!:none
Q10ConductanceScaling<BaseWithoutId; q10Factor!:none experimentalTemp!:temperature
Q10Settings; type!:id fixedQ10:none q10Factor:none experimentalTemp:temperature
RampGenerator<Standalone; delay!:time duration!:time startAmplitude!:current finishAmplitude!:current
  baselineAmplitude!:current
RampGeneratorDL<Standalone; delay!:time duration!:time startAmplitude!:none finishAmplitude!:none
  baselineAmplitude!:none
RandomLayout<BaseWithoutId; number:int region:id
Region<Base; space:id; *
Resistivity<BaseWithoutId; value!:resistivity segmentGroup:id
ReverseTransition<Base; from!:id to!:id; *
Segment<BaseNonNegativeIntegerId; name:text neuroLexId:lex; parent:SegmentParent? proximal:Point3DWithDiam?
  distal:Point3DWithDiam
SegmentEndPoint<BaseWithoutId; segment!:int
SegmentGroup<Base; neuroLexId:lex; notes? property* annotation? member* include* path* subTree*
  inhomogeneousParameter*
SegmentParent<BaseWithoutId; segment!:int fractionAlong:fraction
SilentSynapse<BaseSynapse
SineGenerator<Standalone; delay!:time phase!:none duration!:time amplitude!:current period!:time
SineGeneratorDL<Standalone; delay!:time phase!:none duration!:time amplitude!:none period!:time
Space<Base; basedOn:=Euclidean_1D|Euclidean_2D|Euclidean_3D|Grid_1D|Grid_2D|Grid_3D; structure:SpaceStructure?
SpaceStructure<BaseWithoutId; xSpacing:float ySpacing:float zSpacing:float xStart:float yStart:float zStart:float
Species<Base; concentrationModel!:id ion:id initialConcentration!:concentration
  initialExtConcentration!:concentration segmentGroup:id
SpecificCapacitance<BaseWithoutId; value!:specificCapacitance segmentGroup:id
Spike<BaseNonNegativeIntegerId; time!:time
SpikeArray<Standalone; ; spike*
SpikeGenerator<Standalone; period!:time
SpikeGeneratorPoisson<Standalone; averageRate!:pertime
SpikeGeneratorRandom<Standalone; maxISI!:time minISI!:time
SpikeGeneratorRefPoisson<SpikeGeneratorPoisson; minimumISI!:time
SpikeSourcePoisson<Standalone; start!:time duration!:time rate!:pertime
SpikeThresh<BaseWithoutId; value!:voltage segmentGroup:id
Standalone<Base; metaid:lex; notes? property* annotation?
SubTree<BaseWithoutId; ; from:SegmentEndPoint? to:SegmentEndPoint?
SynapticConnection<BaseWithoutId; neuroLexId:lex from!:path to!:path synapse!:id destination:id
TauInfTransition<Base; from!:id to!:id; steadyState:HHVariable timeCourse:HHTime
TimedSynapticInput<Standalone; synapse!:id spikeTarget!:text; spike*
TransientPoissonFiringSynapse<Standalone; averageRate!:pertime delay!:time duration!:time synapse!:text
  spikeTarget!:text
UnstructuredLayout<BaseWithoutId; number:int
VariableParameter; parameter!:text segmentGroup!:text; inhomogeneousValue?
VoltageClamp<Standalone; delay!:time duration!:time targetVoltage!:voltage simpleSeriesResistance!:resistance
VoltageClampTriple<Standalone; active!:=0|1 delay!:time duration!:time conditioningVoltage!:voltage
  testingVoltage!:voltage returnVoltage!:voltage simpleSeriesResistance!:resistance
basePyNNCell<BaseCell; cm!:float i_offset!:float tau_syn_E!:float tau_syn_I!:float v_init!:float
basePyNNIaFCell<basePyNNCell; tau_m!:float tau_refrac!:float v_reset!:float v_rest!:float v_thresh!:float
basePyNNIaFCondCell<basePyNNIaFCell; e_rev_E!:float e_rev_I!:float
"""

_UNITS = {
    "capacitance": "F|uF|nF|pF",
    "concentration": "mol_per_m3|mol_per_cm3|M|mM",
    "conductance": "S|mS|uS|nS|pS",
    "conductanceDensity": "S_per_m2|mS_per_cm2|S_per_cm2",
    "conductancePerVoltage": "S_per_V|nS_per_mV",
    "current": "A|uA|nA|pA",
    "currentDensity": "A_per_m2|uA_per_cm2|mA_per_cm2",
    "length": "m|cm|um",
    "permeability": "m_per_s|um_per_ms|cm_per_s|cm_per_ms",
    "pertime": "per_s|per_ms|Hz",
    "resistance": "ohm|kohm|Mohm",
    "resistivity": "ohm_cm|kohm_cm|ohm_m",
    "rhoFactor": "mol_per_m_per_A_per_s|mol_per_cm_per_uA_per_ms",
    "specificCapacitance": "F_per_m2|uF_per_cm2",
    "temperature": "degC",
    "time": "s|ms",
    "voltage": "V|mV",
}
#: kind of attribute -> units that the schema's pattern allows.
UNITS_OF_KIND = {kind: frozenset(units.split("|")) for kind, units in _UNITS.items()}
_NUMBER = r"-?(?:[0-9]*(?:\.[0-9]+)?)(?:[eE]-?[0-9]+)?"
_FLOAT = r"\s*(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?INF|NaN)\s*"
_PATTERNS = {
    "id": "[a-zA-Z_][a-zA-Z0-9_]*",
    "segment": "[a-zA-Z_][a-zA-Z0-9_]*",
    "lex": "[a-zA-Z0-9_:]*",
    "int": r"\s*\+?[0-9]+\s*",
    "float": _FLOAT,
    "fraction": _FLOAT,
    "path": r"(\.\./)?([a-zA-Z_][a-zA-Z0-9_]*)((\[[0-9]+\])|(/[0-9]+)+((/[a-zA-Z_][a-zA-Z0-9_]*)?)/?)",
    "none": _NUMBER,
    **{dimension: rf"{_NUMBER}\s*(?:{units})" for dimension, units in _UNITS.items()},
}


@dataclass(frozen=True, slots=True)
class Child:
    """A child element: its place in the order, its type (empty: not looked into), whether several may stand."""

    place: int
    type: str
    many: bool


@dataclass(frozen=True, slots=True)
class Type:
    """attributes: name -> kind; required: those that must stand; children by tag; open: any child is allowed.

    demanded: children that must stand, each as the alternatives of which one is enough.
    """

    name: str
    attributes: dict[str, str]
    required: tuple[str, ...]
    children: dict[str, Child]
    open: bool = False
    demanded: tuple[tuple[str, ...], ...] = ()


@cache
def types() -> dict[str, Type]:
    """Every type by name; the document is ``NeuroMLDocument``."""
    rows: dict[str, tuple[str, str, str]] = {}
    for line in _TABLE.strip().replace("\n  ", " ").splitlines():
        head, attributes, children = [*line.split(";"), "", ""][:3]
        name, _, base = head.strip().partition("<")
        rows[name] = (base, attributes, children)
    done: dict[str, Type] = {}
    for name in rows:
        _resolve(name, rows, done)
    return done


def _resolve(name: str, rows: dict[str, tuple[str, str, str]], done: dict[str, Type]) -> Type:
    if name in done:
        return done[name]
    base, attributes, children = rows[name]
    above = _resolve(base, rows, done) if base else Type("", {}, (), {})
    kinds, required = dict(above.attributes), list(above.required)
    for word in attributes.split():
        key, _, kind = word.partition(":")
        kinds[key.rstrip("!")] = kind
        required = [old for old in required if old != key.rstrip("!")] + ([key[:-1]] if key.endswith("!") else [])
    words = children.split()
    inside, demanded = dict(above.children), list(above.demanded)
    for place, word in enumerate((w for w in words if w != "*"), len(inside)):
        alternatives = [_child(part, place, rows) for part in word.split("|")]
        inside.update(alternatives)
        if word[-1] not in "?*":
            demanded.append(tuple(tag for tag, _ in alternatives))
    done[name] = Type(name, kinds, tuple(required), inside, above.open or "*" in words, tuple(demanded))
    return done[name]


def _child(word: str, place: int, rows: Container[str]) -> tuple[str, Child]:
    """``gate:GateHHUndetermined*`` -> its tag, and what may stand there."""
    tag, _, kind = word.rstrip("?*+").partition(":")
    kind = kind or tag[0].upper() + tag[1:]
    return tag, Child(place, kind if kind in rows else "", word[-1] in "*+")


@cache
def _pattern(kind: str) -> re.Pattern[str]:
    if kind.startswith("="):
        return re.compile("|".join(map(re.escape, kind[1:].replace("~", " ").split("|"))))
    return re.compile(_PATTERNS[kind])


def fault(kind: str, value: str) -> str:
    """What is wrong with an attribute value of that kind; empty where nothing is."""
    if kind == "text":
        return ""
    if _pattern(kind).fullmatch(value) is None:
        if kind in _UNITS:
            return f"{value!r} is not a {kind} (a number with one of {_UNITS[kind].replace('|', ', ')})"
        if kind == "id":
            return f"{value!r} is not an id (letters, digits and underscores, no digit first)"
        return f"{value!r} is not {kind[1:].replace('|', ' or ') if kind[0] == '=' else 'a valid ' + kind}"
    if kind == "fraction" and not 0 <= float(value) <= 1:
        return f"{value!r} is not between 0 and 1"
    return ""
