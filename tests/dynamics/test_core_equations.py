"""Our core types against NeuroML's own: both are flattened and evaluated at the same random states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from pynn_io.graph.dynamics import Component, ComponentType, Dynamics
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.types import Types
from pynn_io.vocabulary.core import core_types
from tests.dynamics import official
from tests.dynamics.reference import Model

#: What stands in for a base type.
CONCRETE = {
    "baseVoltageDepRate": "HHSigmoidRate",
    "baseHHRate": "HHExpLinearRate",
    "baseVoltageDepVariable": "HHSigmoidVariable",
    "baseVoltageDepTime": "fixedTimeCourse",
    "baseQ10Settings": "q10ExpTemp",
    "baseConductanceScaling": "q10ConductanceScaling",
    "gate": "gateHHrates",
    "baseIonChannel": "ionChannelHH",
    "baseBlockMechanism": "voltageConcDepBlockMechanism",
    "basePlasticityMechanism": "tsodyksMarkramDepFacMechanism",
    "baseSynapse": "blockingPlasticSynapse",
    "baseChannelPopulation": "channelPopulation",
    "concentrationModel": "fixedFactorConcentrationModel",
    "basePointCurrent": "alphaCurrentSynapse",
    "basePointCurrentDL": "",
    "KSState": "openState",
    "KSTransition": "vHalfTransition",
}
#: A current that NeuroML keeps as a state, set anew at every step, and we as a function of time: see below.
AS_FUNCTION = {
    *("pulseGenerator", "sineGenerator", "rampGenerator", "pulseGeneratorDL", "sineGeneratorDL", "rampGeneratorDL"),
    *("voltageClamp", "voltageClampTriple"),
}
OURS = Types()
SAMPLES = 8


def computing() -> list[str]:
    types = core_types()
    return sorted(name for name in types if name not in AS_FUNCTION and (OURS[name].derived or OURS[name].states))


def made(name: str, random: np.random.Generator, references: dict[str, Component], id_: str = "") -> Component:
    """A component of a type with random numbers and something in every role."""
    type_ = OURS[name]
    fixed = name in ("openState", "closedState")
    parameters = {key: random.uniform(0.5, 2.0) for key in type_.parameters if not fixed}
    texts = {"species": "ca", "ion": "ca"}
    children: list[tuple[str, Component]] = []
    for role, kind in type_.child.items():
        if kind not in ("notes", "annotation"):
            children.append((role, made(CONCRETE.get(kind, kind), random, references)))
    for role, kind in type_.children.items():
        found = CONCRETE.get(kind, kind)
        count = 2 if found and kind != "spike" else 0
        children += [(role, made(found, random, references, f"{role}{number}")) for number in range(count)]
    for role, kind in type_.references.items():
        if kind == "KSState":
            texts |= {"from": "states0", "to": "states1"}
            continue
        key = f"ref_{role}"
        references[key] = made(CONCRETE.get(kind, kind), random, references, key)
        texts[role] = key
    return Component(name, id_ or "c", parameters, texts, tuple(children))


class _Unchecked(Types):
    """NeuroML's own types, two of which mix dimensions."""

    def sound(self, name: str) -> ComponentType:
        return self[name]


@cache
def _theirs() -> Types:
    return _Unchecked(official.types())


@cache
def both(name: str, seed: int = 0) -> tuple[Dynamics, Dynamics]:
    random = np.random.default_rng(seed)
    references: dict[str, Component] = {}
    component = made(name, random, references)
    return flatten(component, OURS, references), flatten(component, _theirs(), references)


def models(name: str) -> tuple[Model, Model]:
    pair = both(name)
    needs = set(pair[0].needs) | set(pair[1].needs)
    given = dict(zip(sorted(needs - {"t"}), np.linspace(0.7, 1.9, len(needs)), strict=False))
    if "rateScale" in given:
        given["rateScale"] = 1.3
    ours, theirs = (Model(each, given) for each in pair)
    return ours, theirs


def samples(ours: Model, theirs: Model) -> Iterator[tuple[float, dict[str, float]]]:
    assert set(ours.dynamics.states) == set(theirs.dynamics.states) - {"Sisat"}
    random = np.random.default_rng(3)
    for _ in range(SAMPLES):
        states = {key: random.uniform(-2, 2) for key in ours.dynamics.states}
        yield random.uniform(0.1, 5), states


def same(ours: dict[str, float], theirs: dict[str, float], keys: set[str]) -> None:
    for key in keys:
        assert ours[key] == pytest.approx(theirs[key], rel=1e-12, abs=1e-300, nan_ok=True), key


@pytest.mark.parametrize("name", computing())
def test_the_same_values_at_any_moment(name: str) -> None:
    ours, theirs = models(name)
    assert set(ours.dynamics.gives) == set(theirs.dynamics.gives)
    assert ours.dynamics.dimensions.keys() >= set(ours.dynamics.gives)
    with np.errstate(all="ignore"):
        for t, states in samples(ours, theirs):
            mine, its = ours.names(t, states), theirs.names(t, states)
            # NeuroML's GHK2 takes a number for a voltage in V: see below.
            same(mine, its, set(ours.dynamics.gives) - ({"iDensity"} if name == "channelDensityGHK2" else set()))
            for regime in ours.regimes or [None]:
                ours.regime, theirs.regime = ours.regimes.get(regime), theirs.regimes.get(regime)
                same(ours.rates(mine), theirs.rates(its), set(states))


@pytest.mark.parametrize("name", computing())
def test_the_same_changes_at_events_and_conditions(name: str) -> None:
    ours, theirs = models(name)
    with np.errstate(all="ignore"):
        for t, states in samples(ours, theirs):
            doing = [[each for each in one.dynamics.events if each.actions] for one in (ours, theirs)]
            for mine, its in zip(*doing, strict=True):
                assert mine.port == its.port
                after, expected = dict(states), dict(states)
                assert ours.act(mine.actions, t, after, 0.4) == theirs.act(its.actions, t, expected, 0.4)
                same(after, expected, set(states) - handed_on(name))
            for regime in ours.regimes or [None]:
                ours.regime, theirs.regime = ours.regimes.get(regime), theirs.regimes.get(regime)
                _conditions(ours, theirs, t, states, handed_on(name))


def handed_on(name: str) -> set[str]:
    """States of the synapse that a type hands its events on to, which NeuroML says with a ``<Structure>``."""
    if "synapse" not in OURS[name].references and "synapse1" not in OURS[name].references:
        return set()
    return {key for key in both(name)[0].states if key.startswith("ref_synapse")}


def _conditions(ours: Model, theirs: Model, t: float, states: dict[str, float], but: set[str]) -> None:
    before = ours.regime, theirs.regime
    for mine, its in zip(ours.conditions(), theirs.conditions(), strict=True):
        names = ours.names(t, states), theirs.names(t, states)
        assert bool(ours.value(mine.test, names[0])) == bool(theirs.value(its.test, names[1]))
        after, expected = dict(states), dict(states)
        ours._random, theirs._random = np.random.default_rng(5), np.random.default_rng(5)
        assert ours.act(mine.actions, t, after) == theirs.act(its.actions, t, expected)
        same(after, expected, set(states) - but)
        ours.regime, theirs.regime = before


@pytest.mark.parametrize("name", computing())
def test_the_same_start(name: str) -> None:
    ours, theirs = models(name)
    assert ours.dynamics.ports == theirs.dynamics.ports
    assert {each.name: each.initial for each in ours.dynamics.regimes} == {
        each.name: each.initial for each in theirs.dynamics.regimes
    }
    ours._random, theirs._random = np.random.default_rng(5), np.random.default_rng(5)
    same(ours.start(), theirs.start(), set(ours.dynamics.states))


@pytest.mark.parametrize("name", sorted(AS_FUNCTION))
def test_a_current_of_time_is_what_neuroml_sets_step_by_step(name: str) -> None:
    """The conditions of NeuroML's type that hold at a time are done in order, as a solver does at every step."""
    ours, theirs = models(name)
    assert ours.dynamics.states == ()
    (current,) = ours.dynamics.gives
    delay, duration = ours.fixed["delay"], ours.fixed["duration"]
    for t in (0.0, 0.4 * delay, delay, delay + 0.3 * duration, delay + 0.99 * duration, delay + 1.01 * duration, 9.0):
        states = {current: 0.0}
        for each in theirs.dynamics.conditions:
            if theirs.value(each.test, theirs.names(t, states)):
                theirs.act(each.actions, t, states)
        assert ours.names(t, {})[current] == pytest.approx(states[current], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("active", [0.0, 1.0])
def test_a_clamp_may_be_switched_off(active: float) -> None:
    clamp = made("voltageClampTriple", np.random.default_rng(1), {})
    flat = flatten(replace(clamp, parameters={**clamp.parameters, "active": active}), OURS)
    assert bool(Model(flat, {"v": -60.0}).names(1.5, {})["i"]) is bool(active)


def density(name: str, v: float, inside: float, outside: float) -> Model:
    """A density of an open channel at 300 K."""
    numbers = {"permeability": 2e-3, "condDensity": 3e-5}
    parameters = {key: numbers[key] for key in OURS[name].parameters}
    channel = Component("ionChannelPassive", "ch", {"conductance": 1e-5})
    flat = flatten(Component(name, "d", parameters, {"ionChannel": "ch"}), OURS, {"ch": channel})
    return Model(flat, {"v": v, "caConc": inside, "caConcExt": outside, "temperature": 300.0})


@pytest.mark.parametrize("v", [-70.0, -1e-4, 0.0, 30.0])
def test_ghk_by_hand_in_si(v: float) -> None:
    """P z F K v (in - out exp(-K v)) / (1 - exp(-K v)), outwards; a permeability of 2e-3 um/ms is 2e-6 m/s."""
    found = density("channelDensityGHK", v, 1e-4, 2.0).names(0, {})["iDensity"]
    u = 2 * 96485.3 / (8.3144621 * 300) * v * 1e-3
    drive = u * (1e-4 - 2.0 * np.exp(-u)) / -np.expm1(-u) if u else 1e-4 - 2.0
    si = -2e-6 * 2 * 96485.3 * drive
    # 1 A/m2 is 1e-3 nA/um2
    assert found == pytest.approx(si * 1e-3, rel=1e-6)


@pytest.mark.parametrize("v", [-70.0, 0.0, 30.0])
def test_ghk2_by_hand_in_mv(v: float) -> None:
    """Jaffe et al. (1994): g f (1 - in / out exp(v / f)) v / f / (exp(v / f) - 1), f = 25 T / 293.15 / 2 mV."""
    found = density("channelDensityGHK2", v, 1e-4, 2.0).names(0, {})["iDensity"]
    f = 25 * 300 / 293.15 / 2
    shape = v / f / np.expm1(v / f) if v else 1.0
    # uS/um2 times mV is nA/um2
    assert found == pytest.approx(3e-5 * f * (1 - 1e-4 / 2.0 * np.exp(v / f)) * shape, rel=1e-9)


def test_nernst_by_hand() -> None:
    names = density("channelDensityNernst", -60.0, 1e-4, 2.0).names(0, {})
    assert names["erev"] == pytest.approx(8.3144621 * 300 / (2 * 96485.3) * np.log(2e4) * 1e3, rel=1e-12)
    assert names["iDensity"] == pytest.approx(3e-5 * (names["erev"] + 60), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "parameters", "least"),
    [
        ("spikeGeneratorPoisson", {"averageRate": 0.05}, 0.0),
        ("spikeGeneratorRefPoisson", {"averageRate": 0.05, "minimumISI": 12.0}, 12.0),
        ("spikeGeneratorRandom", {"minISI": 10.0, "maxISI": 30.0}, 10.0),
        ("SpikeSourcePoisson", {"rate": 0.05, "start": 0.0, "duration": 1e9}, 0.0),
    ],
)
def test_random_intervals_have_the_stated_mean(name: str, parameters: dict[str, float], least: float) -> None:
    """20 ms each, within four standard errors."""
    model = Model(flatten(Component(name, "s", parameters), OURS))
    states, intervals = model.start(), []
    (condition,) = model.dynamics.conditions
    for row in range(2000):
        assert model.act(condition.actions, 1.0 + row, states) == ["spike"]
        intervals.append(states["isi"])
    assert min(intervals) >= least
    assert abs(np.mean(intervals) - 20.0) < 4 * np.std(intervals) / np.sqrt(len(intervals))
