"""Abstract cells. ``synapses`` is what is attached to a cell: currents, which add up to ``iSyn``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn_io.graph.dynamics import ComponentType, Regime
from pynn_io.vocabulary.core.notation import core, regime

_MS_MV = {"MSEC": ("time", 1.0), "MVOLT": ("voltage", 1.0)}
_ATTACHED = "synapses:basePointCurrent"
_SYNAPTIC = "iSyn <- synapses[*]/i +"
_CURRENTS = "iSyn:current iMemb:current"
_BASES = (
    core("baseCell", extends="baseStandalone"),
    core("baseSpikingCell", extends="baseCell", ports="spike:out"),
    core("baseCellMembPot", extends="baseSpikingCell", gives="v:voltage"),
    core("baseCellMembPotDL", extends="baseSpikingCell", gives="V:none"),
    core("baseCellMembPotCap", "C:capacitance", extends="baseCellMembPot", gives=_CURRENTS),
    core("baseIaf", "thresh:voltage reset:voltage", extends="baseCellMembPot"),
    core("baseIafCapCell", "thresh:voltage reset:voltage", extends="baseCellMembPotCap"),
)


def resting(
    *, reset: str, refractory: str, rates: Sequence[str], threshold: str, always: Sequence[str] = (), then: str = ""
) -> tuple[Regime, ...]:
    """The two regimes of a cell that rests after a spike for a time, its potential held at the reset."""
    entry = ["lastSpikeTime = t", f"v = {reset}", *([then] if then else [])]
    return (
        regime("refractory", entry=entry, rates=always, when={f"t > lastSpikeTime + {refractory}": [">integrating"]}),
        regime(
            "integrating",
            initial=True,
            rates=[*rates, *always],
            when={f"v > {threshold}": ["!spike", ">refractory"]},
        ),
    )


_FIRE = {"v > thresh": ["v = reset", "!spike"]}
_CHARGE = "v = iMemb / C"
_LEAK = "iMemb = leakConductance * (leakReversal - v) + iSyn"
_IAF: dict[str, Any] = {
    "attach": _ATTACHED,
    "gives": f"v:voltage {_CURRENTS}",
    "derived": [_SYNAPTIC, _LEAK],
    "start": ["v = leakReversal"],
}
_INTEGRATE_AND_FIRE = (
    core(
        "iafTauCell",
        "leakReversal:voltage tau:time",
        extends="baseIaf",
        gives="v:voltage",
        states="v:voltage",
        rates=["v = (leakReversal - v) / tau"],
        start=["v = leakReversal"],
        when=_FIRE,
    ),
    core(
        "iafTauRefCell",
        "refract:time",
        extends="iafTauCell",
        gives="v:voltage",
        states="v:voltage lastSpikeTime:time",
        start=["v = leakReversal"],
        regimes=resting(
            reset="reset", refractory="refract", rates=["v = (leakReversal - v) / tau"], threshold="thresh"
        ),
    ),
    core(
        "iafCell",
        "leakConductance:conductance leakReversal:voltage",
        extends="baseIafCapCell",
        states="v:voltage",
        rates=[_CHARGE],
        when=_FIRE,
        **_IAF,
    ),
    core(
        "iafRefCell",
        "refract:time",
        extends="iafCell",
        states="v:voltage lastSpikeTime:time",
        regimes=resting(reset="reset", refractory="refract", rates=[_CHARGE], threshold="thresh"),
        **_IAF,
    ),
    core(
        "adExIaFCell",
        "gL:conductance EL:voltage VT:voltage thresh:voltage reset:voltage delT:voltage tauw:time refract:time"
        " a:conductance b:current",
        extends="baseCellMembPotCap",
        attach=_ATTACHED,
        gives=f"v:voltage w:current {_CURRENTS}",
        states="v:voltage w:current lastSpikeTime:time",
        derived=[_SYNAPTIC, "iMemb = gL * (EL - v) + gL * delT * exp((v - VT) / delT) - w + iSyn"],
        start=["v = EL", "w = 0"],
        regimes=resting(
            reset="reset",
            refractory="refract",
            rates=[_CHARGE],
            always=["w = (a * (v - EL) - w) / tauw"],
            threshold="thresh",
            then="w = w + b",
        ),
    ),
)

_REDUCED = (
    core(
        "izhikevichCell",
        "v0:voltage a:none b:none c:none d:none thresh:voltage",
        extends="baseCellMembPot",
        constants=_MS_MV,
        attach="synapses:basePointCurrentDL",
        gives="v:voltage U:none",
        local="ISyn:none",
        states="v:voltage U:none",
        derived=["ISyn <- synapses[*]/I +"],
        rates=[
            "v = (0.04 * v ^ 2 / MVOLT + 5 * v + (140 - U + ISyn) * MVOLT) / MSEC",
            "U = a * (b * v / MVOLT - U) / MSEC",
        ],
        start=["v = v0", "U = v0 * b / MVOLT"],
        when={"v > thresh": ["v = c * MVOLT", "U = U + d", "!spike"]},
    ),
    core(
        "izhikevich2007Cell",
        "v0:voltage k:conductance_per_voltage vr:voltage vt:voltage vpeak:voltage a:per_time b:conductance c:voltage"
        " d:current",
        extends="baseCellMembPotCap",
        attach=_ATTACHED,
        gives=f"v:voltage u:current {_CURRENTS}",
        states="v:voltage u:current",
        derived=[_SYNAPTIC, "iMemb = k * (v - vr) * (v - vt) + iSyn - u"],
        rates=[_CHARGE, "u = a * (b * (v - vr) - u)"],
        start=["v = v0", "u = 0"],
        when={"v > vpeak": ["v = c", "u = u + d", "!spike"]},
    ),
    core(
        "fitzHughNagumo1969Cell",
        "a:none b:none I:none phi:none V0:none W0:none",
        extends="baseCellMembPotDL",
        constants={"TS": ("time", 1.0)},
        gives="V:none W:none F:none",
        states="V:none W:none",
        derived=["F = V - V ^ 3 / 3"],
        rates=["V = (F - W + I) / TS", "W = phi * (V + a - b * W) / TS"],
        start=["V = V0", "W = W0"],
    ),
    core(
        "fitzHughNagumoCell",
        "I:none",
        extends="baseCellMembPotDL",
        constants={"SEC": ("time", 1000.0)},
        gives="V:none W:none",
        states="V:none W:none",
        rates=["V = (V - V ^ 3 / 3 - W + I) / SEC", "W = 0.08 * (V + 0.7 - 0.8 * W) / SEC"],
    ),
    core(
        "hindmarshRose1984Cell",
        "a:none b:none c:none d:none r:none s:none x1:none v_scaling:voltage x0:none y0:none z0:none",
        extends="baseCellMembPotCap",
        constants={"MSEC": ("time", 1.0)},
        attach=_ATTACHED,
        gives=f"v:voltage x:none y:none z:none phi:none chi:none rho:none spiking:none {_CURRENTS}",
        states="v:voltage y:none z:none spiking:none",
        derived=[
            _SYNAPTIC,
            "x = v / v_scaling",
            "phi = y - a * x ^ 3 + b * x ^ 2",
            "chi = c - d * x ^ 2 - y",
            "rho = s * (x - x1) - z",
            "iMemb = C * v_scaling * (phi - z) / MSEC + iSyn",
        ],
        rates=[_CHARGE, "y = chi / MSEC", "z = r * rho / MSEC"],
        start=["v = x0 * v_scaling", "y = y0", "z = z0"],
        when={"v > 0 and spiking < 0.5": ["spiking = 1", "!spike"], "v < 0": ["spiking = 0"]},
    ),
)


def _linoid(scale: str, over: str, width: str) -> str:
    return f"{scale} * {over} / (exp({over} / {width}) - 1)"


#: Pinsky and Rinzel (1994): a soma and a dendrite; densities per area of the whole cell.
_PINSKY_RINZEL = core(
    "pinskyRinzelCA3Cell",
    "iSoma:currentDensity iDend:currentDensity gLs:conductanceDensity gLd:conductanceDensity gNa:conductanceDensity"
    " gKdr:conductanceDensity gCa:conductanceDensity gKahp:conductanceDensity gKC:conductanceDensity"
    " gc:conductanceDensity eNa:voltage eCa:voltage eK:voltage eL:voltage pp:none cm:specificCapacitance alphac:none"
    " betac:none gNmda:conductanceDensity gAmpa:conductanceDensity qd0:none",
    extends="baseCellMembPot",
    constants={
        **_MS_MV,
        "UAMP_PER_CM2": ("currentDensity", 1e-5),
        "Smax": ("none", 125.0),
        "Vsyn": ("voltage", 60.0),
        "betaqd": ("none", 0.001),
    },
    gives="v:voltage Vs:voltage Vd:voltage ICad:currentDensity Cad:none hs:none ns:none sd:none cd:none qd:none"
    " Si:none Wi:none",
    local="us:none ud:none alphams_Vs:none betams_Vs:none Minfs_Vs:none alphans_Vs:none betans_Vs:none alphahs_Vs:none"
    " betahs_Vs:none alphasd_Vd:none betasd_Vd:none Iampa:currentDensity Inmda:currentDensity Isyn:currentDensity"
    " alphaqd:none chid:none alphacd_Vd:none betacd_Vd:none Sisat:none slow:none",
    states="Vs:voltage Vd:voltage Cad:none hs:none ns:none sd:none cd:none qd:none Si:none Wi:none",
    derived=[
        "v = Vs",
        "us = Vs / MVOLT",
        "ud = Vd / MVOLT",
        "ICad = gCa * sd * sd * (Vd - eCa)",
        f"alphams_Vs = {_linoid('0.32', '(-46.9 - us)', '4')}",
        f"betams_Vs = {_linoid('0.28', '(us + 19.9)', '5')}",
        "Minfs_Vs = alphams_Vs / (alphams_Vs + betams_Vs)",
        f"alphans_Vs = {_linoid('0.016', '(-24.9 - us)', '5')}",
        "betans_Vs = 0.25 * exp(-1 - 0.025 * us)",
        "alphahs_Vs = 0.128 * exp((-43 - us) / 18)",
        "betahs_Vs = 4 / (1 + exp((-20 - us) / 5))",
        "alphasd_Vd = 1.6 / (1 + exp(-0.072 * (ud - 5)))",
        f"betasd_Vd = {_linoid('0.02', '(ud + 8.9)', '5')}",
        ("alphaqd", [("0.00002 * Cad > 0.01", "0.01"), ("", "0.00002 * Cad")]),
        ("chid", [("Cad / 250 > 1", "1"), ("", "Cad / 250")]),
        "slow = 2 * exp((-53.5 - ud) / 27)",
        ("alphacd_Vd", [("ud < -10", "exp((ud + 50) / 11 - (ud + 53.5) / 27) / 18.975"), ("", "slow")]),
        ("betacd_Vd", [("ud < -10", "slow - alphacd_Vd"), ("", "0")]),
        ("Sisat", [("Si > Smax", "Smax"), ("", "Si")]),
        "Iampa = gAmpa * Wi * (Vd - Vsyn)",
        "Inmda = gNmda * Sisat * (Vd - Vsyn) / (1 + 0.28 * exp(-0.062 * (ud - 60)))",
        "Isyn = Iampa + Inmda",
    ],
    rates=[
        "Vs = (gLs * (eL - Vs) - gNa * Minfs_Vs ^ 2 * hs * (Vs - eNa) - gKdr * ns * (Vs - eK) + gc / pp * (Vd - Vs)"
        " + iSoma / pp) / cm",
        "Vd = ((iDend - Isyn + gc * (Vs - Vd)) / (1 - pp) - gLd * (Vd - eL) - ICad - gKahp * qd * (Vd - eK)"
        " - gKC * cd * chid * (Vd - eK)) / cm",
        "Cad = (-0.13 * ICad / UAMP_PER_CM2 - 0.075 * Cad) / MSEC",
        "hs = (alphahs_Vs - (alphahs_Vs + betahs_Vs) * hs) / MSEC",
        "ns = (alphans_Vs - (alphans_Vs + betans_Vs) * ns) / MSEC",
        "sd = (alphasd_Vd - (alphasd_Vd + betasd_Vd) * sd) / MSEC",
        "cd = (alphacd_Vd - (alphacd_Vd + betacd_Vd) * cd) / MSEC",
        "qd = (alphaqd - (alphaqd + betaqd) * qd) / MSEC",
        # NeuroML states these two without a unit of time; as in the paper, and in jNeuroML's NEURON code, it is ms.
        "Si = -Si / 150 / MSEC",
        "Wi = -Wi / 2 / MSEC",
    ],
    start=["Vs = eL", "Vd = eL", "qd = qd0"],
)

_SPIKING = {"v > thresh and spiking < 0.5": ["spiking = 1", "!spike"], "v < thresh": ["spiking = 0"]}


def _by_channels(name: str, children: str, gives: str, *more: str) -> ComponentType:
    """A point with channels that are counted."""
    return core(
        name,
        "v0:voltage thresh:voltage",
        extends="baseCellMembPotCap",
        children=f"populations:baseChannelPopulation {children}",
        attach=_ATTACHED,
        gives=f"v:voltage {_CURRENTS} {gives}",
        local="iChannels:current",
        states="v:voltage spiking:none",
        derived=["iChannels <- populations[*]/i +", *more, _SYNAPTIC, "iMemb = iChannels + iSyn"],
        rates=[_CHARGE],
        start=["v = v0", "spiking = 0"],
        when=_SPIKING,
    )


_POINTS = (
    _by_channels("pointCellCondBased", "", ""),
    _by_channels(
        "pointCellCondBasedCa",
        "concentrationModels:concentrationModel",
        "iCa:current caConc:concentration",
        "iCa <- populations[ion='ca']/i +",
        "caConc <- concentrationModels[species='ca']/concentration +",
    ),
)

TYPES = (*_BASES, *_INTEGRATE_AND_FIRE, *_REDUCED, _PINSKY_RINZEL, *_POINTS)
