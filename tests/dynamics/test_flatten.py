"""Components flattened: names, inheritance, paths, references, events handed on, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.errors import GraphError, UnsupportedInput
from pynn_io.graph.cells import PointCell
from pynn_io.graph.dynamics import Assignment, Component, Dynamics
from pynn_io.graph.expressions import parse
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.systems import pruned
from pynn_io.lowering.types import Types, as_component
from tests.dynamics import official
from tests.dynamics.jlems import component
from tests.dynamics.reference import Model, run

GATE = """<gateHHrates id="m" instances="3">{}
<forwardRate type="HHExpLinearRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
<reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/></gateHHrates>"""


def channel(*inside: str, kind: str = "ionChannelHH") -> Component:
    return component(f'<{kind} id="na" conductance="10pS">{"".join(inside)}</{kind}>')


def own(text: str) -> Types:
    return Types(official.read(f"<Lems>{text}</Lems>"))


# --- names and values ---------------------------------------------------------------------------------------------


def test_hodgkin_and_huxleys_m_by_hand() -> None:
    flat = flatten(channel(GATE.format("")), Types())
    assert flat.states == ("m_q",)
    assert set(flat.needs) == {"v"}
    assert {"m_forwardRate_rate", "m_reverseRate_scale", "m_instances", "conductance"} <= flat.parameters.keys()
    model = Model(flat, {"v": -50.0})
    alpha, beta = 1.0 * (-1.0) / (1 - np.exp(1.0)), 4 * np.exp(-15 / 18)
    names = model.names(0, {"m_q": 0.2})
    assert names["m_inf"] == pytest.approx(alpha / (alpha + beta), rel=1e-14)
    assert names["m_tau"] == pytest.approx(1 / (alpha + beta), rel=1e-14)
    assert names["g"] == pytest.approx(1e-5 * 0.2**3, rel=1e-14)
    assert model.rates(names)["m_q"] == pytest.approx(alpha * 0.8 - beta * 0.2, rel=1e-13)
    assert model.start()["m_q"] == pytest.approx(alpha / (alpha + beta), rel=1e-14)


def test_a_linoid_has_its_limit_at_the_midpoint() -> None:
    model = Model(flatten(channel(GATE.format("")), Types()), {"v": -40.0})
    assert model.names(0, {"m_q": 0.0})["m_alpha"] == 1.0


def test_q10_multiplies_and_none_of_it_is_one() -> None:
    settings = '<q10Settings type="q10ExpTemp" q10Factor="3" experimentalTemp="6.3degC"/>'
    fixed = '<q10Settings type="q10Fixed" fixedQ10="0.5"/>'
    states = {"m_q": 0.0}
    plain = Model(flatten(channel(GATE.format("")), Types()), {"v": -50.0}).names(0, states)
    warm = flatten(channel(GATE.format(settings + fixed)), Types())
    assert "temperature" in warm.needs
    scaled = Model(warm, {"v": -50.0, "temperature": 289.45}).names(0, states)
    assert scaled["m_tau"] * 3 * 0.5 == pytest.approx(plain["m_tau"], rel=1e-12)
    assert plain["m_rateScale"] == 1


def test_a_channel_without_gates_is_open() -> None:
    assert Model(flatten(channel(), Types()), {"v": 0.0}).names(0, {})["fopen"] == 1


def test_children_without_ids_are_numbered() -> None:
    twice = '<q10Settings type="q10Fixed" fixedQ10="2"/>' * 2
    flat = flatten(channel(GATE.format(twice)), Types())
    assert {"m_q10Settings_fixedQ10", "m_q10Settings2_fixedQ10"} <= flat.parameters.keys()


def test_two_gates_of_one_kind_do_not_mix() -> None:
    other = GATE.format("").replace('id="m" instances="3"', 'id="n" instances="1"').replace("-40mV", "-30mV")
    flat = flatten(channel(GATE.format(""), other), Types())
    assert flat.states == ("m_q", "n_q")
    assert Model(flat, {"v": 0.0}).names(0, {"m_q": 0.5, "n_q": 0.3})["fopen"] == pytest.approx(0.125 * 0.3)


def test_a_markov_scheme_of_three_states_by_hand() -> None:
    """A chain of detailed balance: occupancies go as products of forward over reverse."""
    text = """<gateKS id="k" instances="1"><closedState id="a"/><closedState id="b"/><openState id="o"/>
    <forwardTransition id="f" from="a" to="b"><rate type="HHExpRate" rate="2per_ms" midpoint="0mV" scale="10mV"/>
    </forwardTransition>
    <reverseTransition id="r" from="a" to="b"><rate type="HHExpRate" rate="1per_ms" midpoint="0mV" scale="-10mV"/>
    </reverseTransition>
    <vHalfTransition from="b" to="o" vHalf="-10mV" z="1" gamma="0.5" tau="3ms" tauMin="0ms"/></gateKS>"""
    flat = flatten(channel(text, kind="ionChannelKS"), Types())
    start = Model(flat, {"v": 5.0}).start()
    weights = np.cumprod([1.0, 2 * np.exp(1.0), np.exp(15 / 25.3)])
    found = [start[f"k_{state}_occupancy"] for state in "abo"]
    assert found == pytest.approx(list(weights / weights.sum()), rel=1e-12)


def test_what_is_attached_and_the_other_side_come_from_outside() -> None:
    cell = component(
        '<iafCell id="c" thresh="-50mV" reset="-70mV" leakReversal="-60mV" C="1nF" leakConductance="1uS"/>'
    )
    assert flatten(cell, Types()).needs == ("iSyn",)
    gap = component('<gapJunction id="g" conductance="2nS"/>')
    for types in (Types(), Types(official.types())):
        flat = flatten(gap, types)
        assert set(flat.needs) == {"v", "vpeer"}
        assert Model(flat, {"v": -60.0, "vpeer": -50.0}).names(0, {})["i"] == pytest.approx(0.002 * 10)


def test_a_cell_of_the_graph_is_a_component() -> None:
    made = as_component("c", PointCell("neuroml:x", {"a": 2, "synapse": "s"}, children=(("k", Component("y")),)))
    assert made == Component("x", "c", {"a": 2.0}, {"synapse": "s"}, (("k", Component("y")),))


def test_a_shift_of_a_density_reaches_the_rates_of_its_channel() -> None:
    types = own(
        '<ComponentType name="shifted" extends="baseVoltageDepVariable">'
        '<Requirement name="vShift" dimension="voltage"/><Constant name="W" dimension="voltage" value="10mV"/>'
        '<Dynamics><DerivedVariable name="x" exposure="x" dimension="none"'
        ' value="1 / (1 + exp((vShift - v) / W))"/></Dynamics></ComponentType>'
    )
    text = '<gateHHInstantaneous id="m" instances="1"><steadyState type="shifted"/></gateHHInstantaneous>'
    for kind, numbers, shift in (
        ("channelDensityVShift", {"vShift": 7.0}, 7.0),
        ("channelDensity", {}, 0.0),
    ):
        density = Component(kind, "d", {"condDensity": 1.0, "erev": 0.0, **numbers}, {"ionChannel": "na"})
        flat = flatten(density, types, {"na": channel(text)})
        assert set(flat.needs) == {"v"}
        found = Model(flat, {"v": -2.0}).names(0, {})["gDensity"]
        assert found == pytest.approx(1 / (1 + np.exp((shift + 2) / 10)), rel=1e-12)


# --- events -------------------------------------------------------------------------------------------------------

PLASTIC = component(
    '<blockingPlasticSynapse id="s" gbase="1nS" erev="0mV" tauRise="0.1ms" tauDecay="5ms"><plasticityMechanism'
    ' type="tsodyksMarkramDepFacMechanism" initReleaseProb="0.3" tauRec="100ms" tauFac="50ms"/>'
    "</blockingPlasticSynapse>"
)


def test_a_spike_passes_the_synapse_before_its_plasticity() -> None:
    """The first spike has release R U = 0.3; the second what Tsodyks and Markram's recursion gives."""
    flat = flatten(PLASTIC, Types())
    jumps = run(flat, np.array([0.0, 10.0, 12.0]), {"v": 0.0}, inputs=[(10.0, "in"), (12.0, "in")], record=["A"])
    peak = np.log(50) * 0.1 * 5 / 4.9
    factor = 1 / (np.exp(-peak / 5) - np.exp(-peak / 0.1))
    first = 0.3 * factor
    r = 1 - (1 - 0.7) * np.exp(-2 / 100)
    u = 0.3 + (0.3 + 0.3 * 0.7 - 0.3) * np.exp(-2 / 50)
    second = first * np.exp(-2 / 0.1) + r * u * factor
    assert jumps.traces["A"][2] == pytest.approx(second, rel=1e-6)
    assert "relay" not in flat.ports


def test_synapses_in_a_synapse_get_its_events() -> None:
    double = component('<doubleSynapse id="d" synapse1="one" synapse2="s"/>')
    one = component('<expOneSynapse id="one" gbase="2nS" erev="0mV" tauDecay="3ms"/>')
    flat = flatten(double, Types(), {"one": one, "s": PLASTIC})
    states = dict.fromkeys(flat.states, 0.0) | {"s_plasticityMechanism_R": 1.0, "s_plasticityMechanism_U": 0.3}
    Model(flat, {"v": -10.0}).act(flat.events[0].actions, 0.0, states, weight=0.5)
    assert states["weightFactor"] == 0.5
    assert states["one_g"] == pytest.approx(0.002)
    assert states["s_plasticityMechanism_R"] == pytest.approx(0.7)
    assert states["s_A"] > 0


def test_a_source_sets_off_its_own_synapse() -> None:
    source = component('<poissonFiringSynapse id="p" averageRate="100Hz" synapse="one" spikeTarget="./one"/>')
    one = component('<expOneSynapse id="one" gbase="2nS" erev="0mV" tauDecay="3ms"/>')
    flat = flatten(source, Types(), {"one": one})
    states = dict.fromkeys(flat.states, 0.0)
    assert Model(flat, {"v": -10.0}).act(flat.conditions[0].actions, 1.0, states) == ["spike"]
    assert states["one_g"] == pytest.approx(0.002)


def test_what_stands_in_another_emits_nothing_for_it() -> None:
    """The spikes of a source in a compound input are its own synapse's."""
    source = '<poissonFiringSynapse id="p" averageRate="100Hz" synapse="one" spikeTarget="./one"/>'
    compound = component(f'<compoundInput id="c">{source}</compoundInput>')
    one = component('<expOneSynapse id="one" gbase="2nS" erev="0mV" tauDecay="3ms"/>')
    flat = flatten(compound, Types(), {"one": one})
    states = dict.fromkeys(flat.states, 0.0)
    assert Model(flat, {"v": -10.0}).act(flat.conditions[0].actions, 1.0, states) == []
    assert states["p_one_g"] == pytest.approx(0.002)


def test_an_exposure_of_another_name_is_given_under_that_name() -> None:
    types = own(
        '<ComponentType name="x" extends="baseVoltageDepVariable"><Dynamics>'
        '<DerivedVariable name="steady" exposure="x" dimension="none" value="3"/></Dynamics></ComponentType>'
    )
    flat = flatten(Component("x", "c"), types)
    assert flat.gives == ("x",)
    assert Model(flat, {"v": 0.0}).names(0, {})["x"] == 3
    gate = component('<gateHHInstantaneous id="m" instances="2"><steadyState type="x"/></gateHHInstantaneous>')
    assert Model(flatten(gate, types), {"v": 0.0}).names(0, {})["fcond"] == 9


def test_regimes_in_regimes_are_refused() -> None:
    regimes = '<Regime name="a" initial="true"/><Regime name="b"/>'
    types = own(
        '<ComponentType name="inside" extends="basePointCurrent"><Dynamics>'
        f'<DerivedVariable name="i" exposure="i" dimension="current" value="0"/>{regimes}</Dynamics></ComponentType>'
        '<ComponentType name="outside" extends="baseCellMembPot"><Children name="parts" type="basePointCurrent"/>'
        f'<Dynamics><StateVariable name="v" exposure="v" dimension="voltage"/>{regimes}</Dynamics></ComponentType>'
    )
    cell = Component("outside", "c", children=(("parts", Component("inside", "p")),))
    with pytest.raises(UnsupportedInput, match="'c' has regimes, and so has what stands in it"):
        flatten(cell, types)


# --- inheritance --------------------------------------------------------------------------------------------------


def test_own_types_go_before_core_ones_and_inherit_from_them() -> None:
    types = own(
        '<ComponentType name="faster" extends="fixedTimeCourse"><Parameter name="more" dimension="none"/>'
        '<Dynamics><DerivedVariable name="t" exposure="t" dimension="time" value="tau / more"/></Dynamics>'
        '</ComponentType><ComponentType name="same" extends="fixedTimeCourse"/>'
        '<ComponentType name="HHExpRate" extends="baseHHRate"><Dynamics>'
        '<DerivedVariable name="r" exposure="r" dimension="per_time" value="2 * rate"/></Dynamics></ComponentType>'
    )
    for name, more, expected in (("faster", {"more": 4.0}, 2.0), ("same", {}, 8.0)):
        flat = flatten(Component(name, "x", {"tau": 8.0, **more}), types)
        assert Model(flat, {"v": 0.0}).names(0, {})["t"] == expected
    rate = Component("HHExpRate", "x", {"rate": 3.0, "midpoint": 0.0, "scale": 1.0})
    assert Model(flatten(rate, types), {"v": 1.0}).names(0, {})["r"] == 6.0
    assert types.is_a("faster", "baseVoltageDepTime")
    assert not types.is_a("faster", "baseVoltageDepRate")


def test_unknown_types_and_circles_of_types_are_refused() -> None:
    with pytest.raises(GraphError, match="'nowhere' is not defined"):
        flatten(Component("nowhere"), Types())
    with pytest.raises(GraphError, match="'gone' is not defined, which 'x' extends") as caught:
        flatten(Component("x"), own('<ComponentType name="x" extends="gone"/>'))
    assert caught.value.where == "core:1"
    circle = own('<ComponentType name="x" extends="y"/><ComponentType name="y" extends="x"/>')
    with pytest.raises(GraphError, match="extend each other: x > y > x"):
        flatten(Component("x"), circle)


# --- what is refused ----------------------------------------------------------------------------------------------


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(GraphError, match=r"'t' \(fixedTimeCourse\) states no tau"):
        flatten(Component("fixedTimeCourse", "t"), Types())


def test_a_path_that_selects_nothing_is_named() -> None:
    gate = component('<gateHHrates id="m" instances="1"/>')
    with pytest.raises(GraphError, match="'forwardRate/r' selects nothing"):
        flatten(gate, Types())


def test_a_reference_to_nothing_is_named() -> None:
    source = component('<poissonFiringSynapse id="p" averageRate="100Hz" synapse="gone" spikeTarget="./gone"/>')
    with pytest.raises(GraphError, match=r"'p' \(poissonFiringSynapse\): its synapse, 'gone', is not there"):
        flatten(source, Types())


def test_variables_that_need_each_other_are_refused() -> None:
    types = own(
        '<ComponentType name="x" extends="baseVoltageDepTime"><Dynamics>'
        '<DerivedVariable name="a" dimension="time" value="t1"/><DerivedVariable name="t1" dimension="time" value="a"/>'
        "</Dynamics></ComponentType>"
    )
    with pytest.raises(GraphError, match="computed from each other: a, t1"):
        flatten(Component("x", "c"), types)


def test_a_transition_to_a_state_that_is_not_there_is_refused() -> None:
    text = '<gateKS id="k" instances="1"><openState id="o"/><vHalfTransition from="o" to="gone" vHalf="0mV" z="1"'
    with pytest.raises(GraphError, match="'gone', which is not there: o"):
        flatten(component(f'{text} gamma="0.5" tau="3ms" tauMin="0ms"/></gateKS>'), Types())


# --- pruning ------------------------------------------------------------------------------------------------------


def test_pruning_drops_what_nobody_needs_and_keeps_values() -> None:
    flat = flatten(channel(GATE.format("")), Types())
    less = pruned(flat, ("fopen",))
    assert len(less.derived) < len(flat.derived)
    assert "g" not in {each.name for each in less.derived}
    states = {"m_q": 0.4}
    for name in ("fopen",):
        both = [Model(each, {"v": -33.0}).names(0, states)[name] for each in (flat, less)]
        assert both[0] == both[1]


def test_pruning_leaves_an_alias_of_what_an_event_changes() -> None:
    """What is derived keeps its value while the actions of one event follow one another."""
    flat = flatten(PLASTIC, Types())
    source = own(
        '<ComponentType name="x" extends="baseSynapse"><Dynamics><StateVariable name="s" dimension="none"/>'
        '<StateVariable name="k" dimension="none"/><DerivedVariable name="before" dimension="none" value="s"/>'
        '<DerivedVariable name="i" exposure="i" dimension="current" value="0"/><OnEvent port="in">'
        '<StateAssignment variable="s" value="s + 1"/><StateAssignment variable="k" value="before"/></OnEvent>'
        "</Dynamics></ComponentType>"
    )
    flat = flatten(Component("x", "c"), source)
    for each in (flat, pruned(flat, ("i",))):
        states = {"s": 5.0, "k": 0.0}
        Model(each).act(each.events[0].actions, 0.0, states)
        assert states == {"s": 6.0, "k": 5.0}


def test_order_does_not_matter() -> None:
    flat = flatten(channel(GATE.format("")), Types())
    seen: set[str] = set()
    computed = {each.name for each in flat.derived}
    for each in flat.derived:
        for case in each.cases:
            assert case.value.names & computed <= seen
        seen.add(each.name)


def test_a_system_is_plain_data() -> None:
    flat = flatten(channel(GATE.format("")), Types())
    assert isinstance(flat, Dynamics)
    assert replace(flat, on_start=(Assignment("m_q", parse("0")),)).on_start[0].value.number == 0
