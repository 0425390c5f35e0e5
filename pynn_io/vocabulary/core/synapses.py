"""Synapses: currents of a point that events set off, or that follow the potential on the other side."""

from __future__ import annotations

from pynn_io.graph.dynamics import ComponentType
from pynn_io.vocabulary.core.notation import core

#: The peak of alpha functions is 1 with Euler's number; PyNN's types in NeuroML have fewer digits of it.
_E, _E_PYNN = "2.7182818284590451", "2.7182818"
_WEIGHT = {"weight": 1.0}
_OHMIC = "i = g * (erev - v)"


def _peak(rise: str, decay: str, number: str = "") -> tuple[str, str]:
    """Time of the peak of a difference of exponentials, and what makes its height 1."""
    return (
        f"peakTime{number} = log({decay} / {rise}) * {rise} * {decay} / ({decay} - {rise})",
        f"waveformFactor{number} = 1 / (exp(-peakTime{number} / {decay}) - exp(-peakTime{number} / {rise}))",
    )


_BASES = (
    core("baseSynapse", extends="basePointCurrent", ports="in:in"),
    core("baseVoltageDepSynapse", extends="baseSynapse", needs="v:voltage"),
    core("baseSynapseDL", extends="baseVoltageDepPointCurrentDL"),
    core("baseCurrentBasedSynapse", extends="baseSynapse"),
    core(
        "baseConductanceBasedSynapse",
        "gbase:conductance erev:voltage",
        extends="baseVoltageDepSynapse",
        gives="g:conductance",
    ),
    core(
        "baseConductanceBasedSynapseTwo",
        "gbase1:conductance gbase2:conductance erev:voltage",
        extends="baseVoltageDepSynapse",
        gives="g:conductance",
    ),
)

_TWO_RATES = ("A = -A / tauRise", "B = -B / tauDecay")
_TWO = "A:none B:none"
_CHEMICAL = (
    core(
        "alphaCurrentSynapse",
        "weight:none tau:time ibase:current",
        extends="baseCurrentBasedSynapse",
        defaults=_WEIGHT,
        gives="i:current",
        states="I:current J:current",
        derived=["i = I"],
        rates=[f"I = ({_E} * J - I) / tau", "J = -J / tau"],
        on={"in": ["J = J + weight * ibase"]},
    ),
    core(
        "expOneSynapse",
        "weight:none tauDecay:time",
        extends="baseConductanceBasedSynapse",
        defaults=_WEIGHT,
        gives="g:conductance i:current",
        states="g:conductance",
        derived=[_OHMIC],
        rates=["g = -g / tauDecay"],
        on={"in": ["g = g + weight * gbase"]},
    ),
    core(
        "alphaSynapse",
        "weight:none tau:time",
        extends="baseConductanceBasedSynapse",
        defaults=_WEIGHT,
        gives="g:conductance i:current",
        states="g:conductance A:conductance",
        derived=[_OHMIC],
        rates=[f"g = ({_E} * A - g) / tau", "A = -A / tau"],
        on={"in": ["A = A + weight * gbase"]},
    ),
    core(
        "expTwoSynapse",
        "weight:none tauRise:time tauDecay:time",
        extends="baseConductanceBasedSynapse",
        defaults=_WEIGHT,
        fixed=_peak("tauRise", "tauDecay"),
        gives="g:conductance i:current",
        local="peakTime:time waveformFactor:none",
        states=_TWO,
        derived=["g = gbase * (B - A)", _OHMIC],
        rates=_TWO_RATES,
        on={"in": ["A = A + weight * waveformFactor", "B = B + weight * waveformFactor"]},
    ),
    core(
        "expThreeSynapse",
        "weight:none tauRise:time tauDecay1:time tauDecay2:time",
        extends="baseConductanceBasedSynapseTwo",
        defaults=_WEIGHT,
        fixed=(*_peak("tauRise", "tauDecay1", "1"), *_peak("tauRise", "tauDecay2", "2")),
        gives="g:conductance i:current",
        local="peakTime1:time waveformFactor1:none peakTime2:time waveformFactor2:none",
        states="A:none B:none C:none",
        derived=["g = gbase1 * (B - A) + gbase2 * (C - A)", _OHMIC],
        rates=["A = -A / tauRise", "B = -B / tauDecay1", "C = -C / tauDecay2"],
        on={
            "in": [
                "A = A + weight * (gbase1 * waveformFactor1 + gbase2 * waveformFactor2) / (gbase1 + gbase2)",
                "B = B + weight * waveformFactor1",
                "C = C + weight * waveformFactor2",
            ]
        },
    ),
    core("baseBlockMechanism", gives="blockFactor:none"),
    core(
        "voltageConcDepBlockMechanism",
        "blockConcentration:concentration scalingConc:concentration scalingVolt:voltage",
        extends="baseBlockMechanism",
        texts="species",
        needs="v:voltage",
        gives="blockFactor:none",
        derived=["blockFactor = 1 / (1 + blockConcentration / scalingConc * exp(-v / scalingVolt))"],
    ),
    core("basePlasticityMechanism", ports="in:in", gives="plasticityFactor:none"),
    core(
        "tsodyksMarkramDepMechanism",
        "initReleaseProb:none tauRec:time",
        extends="basePlasticityMechanism",
        gives="plasticityFactor:none",
        local="U:none",
        states="R:none",
        derived=["U = initReleaseProb", "plasticityFactor = R * U"],
        rates=["R = (1 - R) / tauRec"],
        start=["R = 1"],
        on={"in": ["R = R * (1 - U)"]},
    ),
    core(
        "tsodyksMarkramDepFacMechanism",
        "initReleaseProb:none tauRec:time tauFac:time",
        extends="basePlasticityMechanism",
        gives="plasticityFactor:none",
        states="R:none U:none",
        derived=["plasticityFactor = R * U"],
        rates=["R = (1 - R) / tauRec", "U = (initReleaseProb - U) / tauFac"],
        start=["R = 1", "U = initReleaseProb"],
        on={"in": ["R = R * (1 - U)", "U = U + initReleaseProb * (1 - U)"]},
    ),
    core(
        "blockingPlasticSynapse",
        "weight:none",
        extends="expTwoSynapse",
        defaults=_WEIGHT,
        ports="relay:out",
        children="plasticityMechanisms:basePlasticityMechanism blockMechanisms:baseBlockMechanism",
        gives="g:conductance i:current",
        local="plasticityFactor:none blockFactor:none",
        states=_TWO,
        derived=[
            "plasticityFactor <- plasticityMechanisms[*]/plasticityFactor *",
            "blockFactor <- blockMechanisms[*]/blockFactor *",
            "g = blockFactor * gbase * (B - A)",
            _OHMIC,
        ],
        rates=_TWO_RATES,
        on={
            "in": [
                "A = A + weight * plasticityFactor * waveformFactor",
                "B = B + weight * plasticityFactor * waveformFactor",
                "!relay",
            ]
        },
    ),
    core(
        "doubleSynapse",
        "weight:none",
        extends="baseVoltageDepSynapse",
        defaults=_WEIGHT,
        ports="relay:out",
        texts="synapse1Path synapse2Path",
        refs="synapse1:baseSynapse synapse2:baseSynapse",
        gives="i:current",
        local="i1:current i2:current",
        states="weightFactor:none",
        derived=["i1 <- synapse1/i", "i2 <- synapse2/i", "i = weightFactor * (i1 + i2)"],
        on={"in": ["weightFactor = weight", "!relay"]},
    ),
    core(
        "stdpSynapse",
        extends="expTwoSynapse",
        constants={"tsinceRate": ("none", 1.0), "longTime": ("time", 1e6)},
        gives="g:conductance i:current tsince:time M:none P:none",
        states="A:none B:none M:none P:none tsince:time",
        derived=["g = gbase * (B - A)", _OHMIC],
        rates=[*_TWO_RATES, "tsince = tsinceRate"],
        start=["M = 1", "P = 1", "tsince = longTime"],
        on={"in": ["A = A + waveformFactor", "B = B + waveformFactor", "tsince = 0"]},
    ),
)


def _coupled(name: str, parameters: str, base: str, current: str) -> ComponentType:
    """A current that follows the potential of the other side, ``vpeer``."""
    return core(
        name,
        f"weight:none {parameters}",
        extends=base,
        defaults=_WEIGHT,
        needs="v:voltage vpeer:voltage",
        gives="i:current",
        derived=[f"i = {current}"],
    )


_OHMIC_PEER = "weight * conductance * (vpeer - v)"
_COUPLED = (
    _coupled("gapJunction", "conductance:conductance", "baseSynapse", _OHMIC_PEER),
    core("baseGradedSynapse", extends="baseSynapse"),
    core(
        "silentSynapse",
        "weight:none",
        extends="baseGradedSynapse",
        defaults=_WEIGHT,
        needs="v:voltage vpeer:voltage",
        gives="i:current",
        derived=["i = 0"],
    ),
    _coupled("linearGradedSynapse", "conductance:conductance", "baseGradedSynapse", _OHMIC_PEER),
    core(
        "gradedSynapse",
        "weight:none conductance:conductance delta:voltage k:per_time Vth:voltage erev:voltage",
        extends="baseGradedSynapse",
        defaults=_WEIGHT,
        needs="v:voltage vpeer:voltage",
        gives="i:current inf:none tau:time",
        local="s_rate:per_time",
        states="s:none",
        derived=[
            "inf = 1 / (1 + exp((Vth - vpeer) / delta))",
            "tau = (1 - inf) / k",
            "i = weight * conductance * s * (erev - v)",
            ("s_rate", [("1 - inf > 1e-4", "(inf - s) / tau"), ("", "0")]),
        ],
        rates=["s = s_rate"],
        when={"1 - inf < 1e-4": ["s = inf"]},
    ),
)

_MS = {"MSEC": ("time", 1.0), "MVOLT": ("voltage", 1.0), "NAMP": ("current", 1.0)}
_PYNN_OHMIC = "i = g * (e_rev - v / MVOLT) * NAMP"


def _pynn(
    name: str, parameters: str, states: str, derived: str, rates: tuple[str, ...], target: str, gives: str
) -> ComponentType:
    """A synapse of PyNN's cells, whose numbers bear no units: ms, mV, nA, uS."""
    return core(
        name,
        f"weight:none {parameters}",
        extends="basePynnSynapse",
        defaults=_WEIGHT,
        gives=f"i:current {gives}",
        states=states,
        derived=[derived],
        rates=rates,
        on={"in": [f"{target} = {target} + weight"]},
    )


def _alpha(state: str) -> tuple[str, str]:
    return f"{state} = ({_E_PYNN} * A - {state}) / (tau_syn * MSEC)", "A = -A / (tau_syn * MSEC)"


_PYNN = (
    core("basePynnSynapse", "tau_syn:none", extends="baseVoltageDepSynapse", constants=_MS),
    _pynn("expCondSynapse", "e_rev:none", "g:none", _PYNN_OHMIC, ("g = -g / (tau_syn * MSEC)",), "g", "g:none"),
    _pynn("expCurrSynapse", "", "I:none", "i = I * NAMP", ("I = -I / (tau_syn * MSEC)",), "I", ""),
    _pynn("alphaCondSynapse", "e_rev:none", "g:none A:none", _PYNN_OHMIC, _alpha("g"), "A", "g:none A:none"),
    _pynn("alphaCurrSynapse", "", "I:none A:none", "i = I * NAMP", _alpha("I"), "A", "A:none"),
)

TYPES = (*_BASES, *_CHEMICAL, *_COUPLED, *_PYNN)
