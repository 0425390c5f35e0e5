"""Ion channels: rates, time courses and steady states, temperature factors, gates, Markov schemes, channels."""

from __future__ import annotations

from pynn_io.graph.dynamics import ComponentType, KineticScheme
from pynn_io.vocabulary.core.notation import core

#: The shapes that rates and steady states share. Around its 0/0 the linoid form is a line, which it is there to 1e-11,
#: while the quotient loses its digits; NeuroML's rate has the limit at 0 alone, its variable of that form none.
_SHAPES = {
    "Exp": "rate * exp((v - midpoint) / scale)",
    "Sigmoid": "rate / (1 + exp((midpoint - v) / scale))",
}
#: Rate or variable: what it gives, and what the argument of its linoid form is called.
_GIVES = {"r": ("r:per_time", "x"), "x": ("x:none", "a")}


def _shape(kind: str, result: str, word: str) -> ComponentType:
    name, base = f"HH{kind}{word}", f"baseHH{word}"
    gives, argument = _GIVES[result]
    if kind in _SHAPES:
        return core(name, extends=base, gives=gives, derived=[f"{result} = {_SHAPES[kind]}"])
    quotient, line = f"rate * {argument} / (1 - exp(-{argument}))", f"rate * (1 + {argument} / 2)"
    limit = [(f"abs({argument}) > 1e-5", quotient), ("", line)]
    return core(
        name,
        extends=base,
        gives=gives,
        local=f"{argument}:none",
        derived=[f"{argument} = (v - midpoint) / scale", (result, limit)],
    )


_RATES = (
    core("baseVoltageDepRate", gives="r:per_time", needs="v:voltage"),
    core("baseVoltageConcDepRate", extends="baseVoltageDepRate", needs="caConc:concentration"),
    core("baseHHRate", "rate:per_time midpoint:voltage scale:voltage", extends="baseVoltageDepRate"),
    *(_shape(kind, "r", "Rate") for kind in ("Exp", "Sigmoid", "ExpLinear")),
    core("baseVoltageDepVariable", gives="x:none", needs="v:voltage"),
    core("baseVoltageConcDepVariable", extends="baseVoltageDepVariable", needs="caConc:concentration"),
    core("baseHHVariable", "rate:none midpoint:voltage scale:voltage", extends="baseVoltageDepVariable"),
    *(_shape(kind, "x", "Variable") for kind in ("Exp", "Sigmoid", "ExpLinear")),
    core("baseVoltageDepTime", gives="t:time", needs="v:voltage"),
    core("baseVoltageConcDepTime", extends="baseVoltageDepTime", needs="caConc:concentration"),
    core("fixedTimeCourse", "tau:time", extends="baseVoltageDepTime", gives="t:time", derived=["t = tau"]),
)

_TEN = {"TENDEGREES": ("temperature", 10.0)}
_Q10 = "q10Factor ^ ((temperature - experimentalTemp) / TENDEGREES)"
_SCALES = (
    core("baseQ10Settings", gives="q10:none", needs="temperature:temperature"),
    core("q10Fixed", "fixedQ10:none", extends="baseQ10Settings", gives="q10:none", derived=["q10 = fixedQ10"]),
    core(
        "q10ExpTemp",
        "q10Factor:none experimentalTemp:temperature",
        extends="baseQ10Settings",
        constants=_TEN,
        gives="q10:none",
        derived=[f"q10 = {_Q10}"],
    ),
    core("baseConductanceScaling", gives="factor:none", needs="temperature:temperature"),
    core("baseConductanceScalingCaDependent", extends="baseConductanceScaling", needs="caConc:concentration"),
    core(
        "q10ConductanceScaling",
        "q10Factor:none experimentalTemp:temperature",
        extends="baseConductanceScaling",
        constants=_TEN,
        gives="factor:none",
        derived=[f"factor = {_Q10}"],
    ),
)

_SCALE = "rateScale <- q10Settings[*]/q10 *"
_OPEN = "fcond = q ^ instances"
_RATE_PAIR = ("alpha <- forwardRate/r", "beta <- reverseRate/r")
_RATIO, _INF = "inf = alpha / (alpha + beta)", "inf <- steadyState/x"
_BY_RATES = "tau = 1 / ((alpha + beta) * rateScale)"
_BY_COURSE = ("tauUnscaled <- timeCourse/t", "tau = tauUnscaled / rateScale")
_RATE_CHILDREN = "forwardRate:baseVoltageDepRate reverseRate:baseVoltageDepRate"
_COURSE, _STEADY = "timeCourse:baseVoltageDepTime", "steadyState:baseVoltageDepVariable"


def _gate(name: str, child: str, *derived: str) -> ComponentType:
    """A gate with one state that relaxes towards ``inf`` with ``tau`` and starts there."""
    rates = " alpha:per_time beta:per_time" if "forwardRate" in child else ""
    return core(
        name,
        extends="gate",
        child=child,
        children="q10Settings:baseQ10Settings",
        gives=f"q:none fcond:none rateScale:none tau:time inf:none{rates}",
        local="tauUnscaled:time",
        states="q:none",
        derived=[_SCALE, *derived, _OPEN],
        rates=["q = (inf - q) / tau"],
        start=["q = inf"],
    )


_GATES = (
    core("baseGate", "instances:none", gives="fcond:none q:none"),
    core("gate", extends="baseGate"),
    _gate("gateHHrates", _RATE_CHILDREN, *_RATE_PAIR, _RATIO, _BY_RATES),
    _gate("gateHHtauInf", f"{_COURSE} {_STEADY}", _INF, *_BY_COURSE),
    _gate("gateHHratesTau", f"{_RATE_CHILDREN} {_COURSE}", *_RATE_PAIR, _RATIO, *_BY_COURSE),
    _gate("gateHHratesInf", f"{_RATE_CHILDREN} {_STEADY}", *_RATE_PAIR, _INF, _BY_RATES),
    _gate("gateHHratesTauInf", f"{_RATE_CHILDREN} {_COURSE} {_STEADY}", *_RATE_PAIR, _INF, *_BY_COURSE),
    core(
        "gateHHInstantaneous",
        extends="gate",
        child=_STEADY,
        gives="q:none fcond:none tau:time inf:none",
        derived=[_INF, "tau = 0", "q = inf", _OPEN],
    ),
    core(
        "gateFractional",
        extends="gate",
        children="q10Settings:baseQ10Settings subGate:subGate",
        gives="q:none fcond:none rateScale:none",
        derived=[_SCALE, "q <- subGate[*]/qfrac +", _OPEN],
    ),
    core(
        "subGate",
        "fractionalConductance:none",
        child=f"{_COURSE} {_STEADY}",
        needs="rateScale:none",
        gives="tau:time inf:none qfrac:none q:none",
        local="tauUnscaled:time",
        states="q:none",
        derived=[_INF, *_BY_COURSE, "qfrac = q * fractionalConductance"],
        rates=["q = (inf - q) / tau"],
        start=["q = inf"],
    ),
)

_FROM_TO = "from:KSState to:KSState"
#: Thermal voltage of ``vHalfTransition``, which does not depend on the temperature of the network.
_KTE = {"kte": ("voltage", 25.3)}
_KS = (
    core(
        "KSState",
        "relativeConductance:none",
        gives="occupancy:none q:none",
        states="occupancy:none",
        derived=["q = relativeConductance * occupancy"],
    ),
    core("closedState", extends="KSState", defaults={"relativeConductance": 0.0}),
    core("openState", extends="KSState", defaults={"relativeConductance": 1.0}),
    core("KSTransition", refs=_FROM_TO, gives="rf:per_time rr:per_time"),
    core(
        "forwardTransition",
        extends="KSTransition",
        refs=_FROM_TO,
        child="rate:baseHHRate",
        gives="rf:per_time rr:per_time",
        local="rf0:per_time",
        derived=["rf0 <- rate/r", "rf = rf0", "rr = 0"],
    ),
    core(
        "reverseTransition",
        extends="KSTransition",
        refs=_FROM_TO,
        child="rate:baseHHRate",
        gives="rf:per_time rr:per_time",
        local="rr0:per_time",
        derived=["rr0 <- rate/r", "rr = rr0", "rf = 0"],
    ),
    core(
        "vHalfTransition",
        "vHalf:voltage z:none gamma:none tau:time tauMin:time",
        extends="KSTransition",
        constants=_KTE,
        needs="v:voltage",
        gives="rf:per_time rr:per_time",
        local="rf0:per_time rr0:per_time",
        derived=[
            "rf0 = exp(z * gamma * (v - vHalf) / kte) / tau",
            "rr0 = exp(-z * (1 - gamma) * (v - vHalf) / kte) / tau",
            "rf = 1 / (1 / rf0 + tauMin)",
            "rr = 1 / (1 / rr0 + tauMin)",
        ],
    ),
    core(
        "tauInfTransition",
        extends="KSTransition",
        refs=_FROM_TO,
        child=f"{_COURSE} {_STEADY}",
        gives="rf:per_time rr:per_time",
        local="tau:time inf:none",
        derived=["tau <- timeCourse/t", _INF, "rf = inf / tau", "rr = (1 - inf) / tau"],
    ),
    core(
        "gateKS",
        extends="baseGate",
        children="states:KSState transitions:KSTransition q10Settings:baseQ10Settings",
        gives="q:none fcond:none rateScale:none",
        derived=[_SCALE, "q <- states[*]/q +", _OPEN],
        kinetics=[KineticScheme("ks", "states", "transitions", "occupancy", "from", "to", "rf", "rr")],
    ),
)

_CHANNEL = {
    "children": "conductanceScaling:baseConductanceScaling gates:gate",
    "texts": "species",
    "gives": "g:conductance fopen:none",
    "local": "conductanceScale:none fopen0:none",
    "derived": [
        "conductanceScale <- conductanceScaling[*]/factor *",
        "fopen0 <- gates[*]/fcond *",
        "fopen = conductanceScale * fopen0",
        "g = conductance * fopen",
    ],
}
_CHANNELS = (
    # A density states how many there are; the conductance of one channel need not be known.
    core(
        "baseIonChannel",
        "conductance:conductance",
        defaults={"conductance": 1e-5},
        needs="v:voltage",
        gives="g:conductance fopen:none",
        texts="neuroLexId",
    ),
    core("ionChannelHH", extends="baseIonChannel", **_CHANNEL),  # type: ignore[arg-type]
    core("ionChannel", extends="ionChannelHH", **_CHANNEL),  # type: ignore[arg-type]
    core("ionChannelVShift", "vShift:voltage", extends="ionChannel", texts="species"),
    core(
        "ionChannelPassive",
        extends="ionChannel",
        texts="species",
        gives="g:conductance fopen:none",
        derived=["fopen = 1", "g = conductance"],
    ),
    core(
        "ionChannelKS",
        extends="baseIonChannel",
        children="conductanceScaling:baseConductanceScaling gates:gateKS",
        texts="species",
        gives="g:conductance fopen:none",
        derived=["fopen <- gates[*]/fcond *", "g = fopen * conductance"],
    ),
)

TYPES = (*_RATES, *_SCALES, *_GATES, *_KS, *_CHANNELS)
