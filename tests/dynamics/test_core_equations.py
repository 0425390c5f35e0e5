"""Our core types against NeuroML's own: both are flattened and evaluated at the same random states."""

from __future__ import annotations

from collections.abc import Iterator
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
#: A current that NeuroML keeps as a state, set anew at every step, and we as a function of time: see test_inputs.
AS_FUNCTION = {
    *("pulseGenerator", "sineGenerator", "rampGenerator", "pulseGeneratorDL", "sineGeneratorDL", "rampGeneratorDL"),
    *("voltageClamp", "voltageClampTriple", "compoundInputDL"),
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
            # NeuroML's GHK2 takes a number for a voltage in V: see test_by_hand.
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
