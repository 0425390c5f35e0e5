"""Inputs: currents in time, clamps, sources of spikes, and synapses that have a source of their own.

``t`` is the time of the simulation. Where NeuroML sets a current anew at every step by conditions, it is a function of
time here, which is the same at every step.
"""

from __future__ import annotations

from collections.abc import Sequence

from pynn_io.graph.dynamics import ComponentType
from pynn_io.vocabulary.core.notation import Actions, core

_WEIGHT = {"weight": 1.0}
_WINDOW = "t >= delay and t < delay + duration"
_BASES = (
    core("baseStandalone"),
    core("basePointCurrent", extends="baseStandalone", gives="i:current"),
    core("baseVoltageDepPointCurrent", extends="basePointCurrent", needs="v:voltage"),
    core(
        "baseVoltageDepPointCurrentSpiking",
        extends="baseVoltageDepPointCurrent",
        ports="spike:out",
        gives="tsince:time",
    ),
    core("basePointCurrentDL", gives="I:none"),
    core("baseVoltageDepPointCurrentDL", extends="basePointCurrentDL", needs="V:none"),
    core("baseSpikeSource", ports="spike:out", gives="tsince:time"),
)


def _twins(
    name: str, parameters: str, amplitudes: str, inside: str, outside: str, constants: dict[str, tuple[str, float]]
) -> tuple[ComponentType, ...]:
    """A current in a window of time, and its dimensionless twin: ``i`` of a dimension, ``I`` of none."""
    made = []
    for suffix, current, dimension in (("", "i", "current"), ("DL", "I", "none")):
        stated = " ".join(f"{each}:{dimension}" for each in amplitudes.split())
        made.append(
            core(
                f"{name}{suffix}",
                f"weight:none delay:time duration:time {stated} {parameters}",
                extends=f"basePointCurrent{suffix}",
                defaults=_WEIGHT,
                constants=constants,
                ports="in:in",
                gives=f"{current}:{dimension}",
                derived=[(current, [(_WINDOW, inside), ("", outside)])],
            )
        )
    return tuple(made)


_TWO_PI = {"twoPi": ("none", 2 * 3.14159265)}
_RAMP = "startAmplitude + (finishAmplitude - startAmplitude) * (t - delay) / duration"
_CURRENTS = (
    *_twins("pulseGenerator", "", "amplitude", "weight * amplitude", "0", {}),
    *_twins(
        "sineGenerator",
        "phase:none period:time",
        "amplitude",
        "weight * amplitude * sin(phase + twoPi * (t - delay) / period)",
        "0",
        _TWO_PI,
    ),
    *_twins(
        "rampGenerator",
        "",
        "startAmplitude finishAmplitude baselineAmplitude",
        f"weight * ({_RAMP})",
        "weight * baselineAmplitude",
        {},
    ),
    core(
        "compoundInput",
        "weight:none",
        extends="basePointCurrent",
        defaults=_WEIGHT,
        ports="in:in",
        children="currents:basePointCurrent",
        gives="i:current",
        local="i_total:current",
        derived=["i_total <- currents[*]/i +", "i = weight * i_total"],
    ),
    core(
        "compoundInputDL",
        "weight:none",
        extends="basePointCurrentDL",
        defaults=_WEIGHT,
        ports="in:in",
        children="currents:basePointCurrentDL",
        gives="I:none",
        local="I_total:none",
        derived=["I_total <- currents[*]/I +", "I = weight * I_total"],
    ),
)


def _towards(voltage: str) -> str:
    return f"weight * ({voltage} - v) / simpleSeriesResistance"


_NOTHING = "0"
_CLAMPS = (
    core(
        "voltageClamp",
        "weight:none delay:time duration:time targetVoltage:voltage simpleSeriesResistance:resistance",
        extends="baseVoltageDepPointCurrent",
        defaults=_WEIGHT,
        ports="in:in",
        needs="v:voltage",
        gives="i:current",
        derived=[("i", [("t >= delay and t <= delay + duration", _towards("targetVoltage")), ("", _NOTHING)])],
    ),
    core(
        "voltageClampTriple",
        "weight:none active:none delay:time duration:time conditioningVoltage:voltage testingVoltage:voltage"
        " returnVoltage:voltage simpleSeriesResistance:resistance",
        extends="baseVoltageDepPointCurrent",
        defaults=_WEIGHT,
        ports="in:in",
        needs="v:voltage",
        gives="i:current",
        derived=[
            (
                "i",
                [
                    ("active != 1", _NOTHING),
                    ("t < delay", _towards("conditioningVoltage")),
                    ("t <= delay + duration", _towards("testingVoltage")),
                    ("", _towards("returnVoltage")),
                ],
            )
        ],
    ),
)

#: A spike that should have come between two steps comes at the step; the next interval counts from where it should.
_SOON = {"SMALL_TIME": ("time", 1e-9)}
_NEVER = {"LONG_TIME": ("time", 3.6e15), **_SOON}
_TIMES = "tsince:time tnextIdeal:time tnextUsed:time isi:time"
_STILL = ("tsince = 1", "tnextUsed = 0", "tnextIdeal = 0")
_USED = "tnextUsed = tnextIdeal * H((tnextIdeal - t) / t) + (t + SMALL_TIME) * H((t - tnextIdeal) / t)"


def _at_random(
    name: str,
    parameters: str,
    *,
    first: Sequence[str],
    draw: str,
    following: str = "tnextIdeal = tnextIdeal + isi",
    extends: str = "baseSpikeSource",
    fixed: Sequence[str] = (),
    synapse: bool = False,
    ports: str = "spike:out",
) -> ComponentType:
    """A source of random spikes, which may drive a synapse of its own."""
    actions: Actions = ["tsince = 0", f"isi = {draw}", following, _USED, "!spike", *(["!relay"] if synapse else [])]
    return core(
        name,
        f"{'weight:none ' if synapse else ''}{parameters}",
        extends=extends,
        defaults=_WEIGHT if synapse else {},
        constants=_NEVER,
        fixed=fixed,
        ports="spike:out in:in relay:out" if synapse else ports,
        texts="spikeTarget" if synapse else "",
        refs="synapse:baseSynapse" if synapse else "",
        gives=_TIMES + (" i:current" if synapse else ""),
        local="averageIsi:time end:time" + (" iSyn:current" if synapse else ""),
        states=_TIMES,
        derived=["iSyn <- synapse/i", "i = weight * iSyn"] if synapse else [],
        rates=_STILL,
        start=["tsince = 0", *first],
        when={"t > tnextUsed": actions},
    )


_BOTH = ("tnextIdeal = isi", "tnextUsed = isi")
_INTERVAL = ("averageIsi = 1 / averageRate",)
_SPIKING = "baseVoltageDepPointCurrentSpiking"
_REFRACTORY = "minimumISI - (averageIsi - minimumISI) * log(random(1))"
_SOURCES = (
    core(
        "spikeGenerator",
        "period:time",
        extends="baseSpikeSource",
        constants=_SOON,
        ports="spike:out",
        gives="tsince:time tnext:time",
        states="tsince:time tnext:time",
        rates=["tsince = 1", "tnext = 0"],
        start=["tsince = 0", "tnext = period"],
        when={"tnext - t < SMALL_TIME": ["tsince = 0", "tnext = tnext + period", "!spike"]},
    ),
    core(
        "spikeGeneratorRandom",
        "maxISI:time minISI:time",
        extends="baseSpikeSource",
        constants={"MSEC": ("time", 1.0)},
        ports="spike:out",
        gives="tsince:time tnext:time isi:time",
        states="tsince:time tnext:time isi:time",
        rates=["tsince = 1", "tnext = 0"],
        start=["tsince = 0", "isi = minISI + MSEC * random((maxISI - minISI) / MSEC)", "tnext = isi"],
        when={
            "t > tnext": [
                "isi = minISI + MSEC * random((maxISI - minISI) / MSEC)",
                "tsince = 0",
                "tnext = tnext + isi",
                "!spike",
            ]
        },
    ),
    _at_random(
        "spikeGeneratorPoisson",
        "averageRate:per_time",
        first=["isi = -log(random(1)) / averageRate", *_BOTH],
        draw="-log(random(1)) / averageRate",
    ),
    _at_random(
        "spikeGeneratorRefPoisson",
        "minimumISI:time",
        extends="spikeGeneratorPoisson",
        fixed=_INTERVAL,
        first=[f"isi = {_REFRACTORY}", *_BOTH],
        draw=_REFRACTORY,
    ),
    _at_random(
        "poissonFiringSynapse",
        "averageRate:per_time",
        extends=_SPIKING,
        fixed=_INTERVAL,
        first=["isi = -averageIsi * log(random(1))", *_BOTH],
        draw="-averageIsi * log(1 - random(1))",
        synapse=True,
    ),
    _at_random(
        "transientPoissonFiringSynapse",
        "averageRate:per_time delay:time duration:time",
        extends=_SPIKING,
        fixed=_INTERVAL,
        first=["isi = -averageIsi * log(1 - random(1)) + delay", *_BOTH],
        draw="-averageIsi * log(1 - random(1))",
        following="tnextIdeal = tnextIdeal + isi + H((t + isi - (delay + duration)) / duration) * LONG_TIME",
        synapse=True,
    ),
    _at_random(
        "SpikeSourcePoisson",
        "start:time duration:time rate:per_time",
        ports="spike:out in:in",
        fixed=("end = start + duration",),
        first=[
            "isi = start - log(random(1)) / rate",
            "tnextIdeal = isi + H((isi - (start + duration)) / duration) * LONG_TIME",
            "tnextUsed = tnextIdeal",
        ],
        draw="-log(random(1)) / rate",
        following=("tnextIdeal = tnextIdeal + isi + H((tnextIdeal + isi - (start + duration)) / duration) * LONG_TIME"),
    ),
)

#: The spikes that these list are delivered by whoever runs them: each is an event at ``in``.
_LISTED = (
    core(
        "spike",
        "time:time",
        extends="baseSpikeSource",
        gives="tsince:time spiked:none",
        states="tsince:time spiked:none",
        rates=["tsince = 1"],
        start=["tsince = 0"],
        when={"t >= time and spiked == 0": ["spiked = 1", "tsince = 0", "!spike"]},
    ),
    core(
        "spikeArray",
        extends="baseSpikeSource",
        ports="in:in",
        children="spikes:spike",
        gives="tsince:time",
        states="tsince:time",
        rates=["tsince = 1"],
        start=["tsince = 0"],
        on={"in": ["tsince = 0", "!spike"]},
    ),
    core(
        "timedSynapticInput",
        "weight:none",
        extends=_SPIKING,
        defaults=_WEIGHT,
        ports="in:in spike:out relay:out",
        texts="spikeTarget",
        refs="synapse:baseSynapse",
        children="spikes:spike",
        gives="i:current tsince:time",
        local="iSyn:current",
        states="tsince:time",
        derived=["iSyn <- synapse/i", "i = weight * iSyn"],
        rates=["tsince = 1"],
        on={"in": ["tsince = 0", "!spike", "!relay"]},
    ),
)

TYPES = (*_BASES, *_CURRENTS, *_CLAMPS, *_SOURCES, *_LISTED)
