"""The checker on networks made by hand: every rule of every profile fails once, with its place, number and remedy."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pynn_io.graph import PointCell, Population, Projection, SpikeSource, Synapse
from pynn_io.graph.stimuli import CurrentPulses, NoiseCurrent, Relative, SinusoidalCurrent, Stimulus
from pynn_io.graph.synapses import Synapse as SynapseModel
from pynn_io.lowering.hardware import check_hardware
from pynn_io.lowering.hardware.delays import bits, neurons_that_hold, steps_held
from pynn_io.lowering.hardware.weights import resolutions
from pynn_io.report import Kind, Report
from pynn_io.vocabulary import chips
from tests.hardware.nets import CELL, network, plan, voltage
from tests.models import edges, table

#: What BrainScaleS-2 takes: no delays.
AT_ONCE = {"delay": 0.0}


def cell(model="IF_curr_exp", **changed):
    return PointCell(model, {**CELL, **changed})


def clamp(*amplitudes):
    times = 5.0 + np.arange(len(amplitudes))
    return Stimulus("clamp", CurrentPulses(np.array(amplitudes), times, np.ones(len(amplitudes))), "cells")


def second(synapse, weight=0.5, delay=1.0):
    """A second projection onto the cells, and the network with its synapse."""
    types = table(1, synapse=["other"], weight_unit=["nA"])
    more = Projection("again", "in", "cells", types, edges([0], [3], weight=[weight], delay=[delay]))
    made = network(more={"again": more}, synapse=SynapseModel("STDPMechanism", {"tau_plus": 20.0}))
    return replace(made, synapses={**made.synapses, "other": synapse})


def test_one_rule_for_both_receptors_is_one() -> None:
    """Where weights inhibit by their sign the bounds have it too; on the chip the receptor tells."""
    rule = {"tau_plus": 20.0, "w_min": 0.0, "w_max": 5.0}
    made = second(Synapse("STDPMechanism", {**rule, "w_max": -5.0}), weight=-0.5)
    made = replace(made, synapses={**made.synapses, "syn": Synapse("STDPMechanism", rule)})
    assert "two-plasticity-rules" not in {one.code for one in check_hardware(made, plan(), "spinnaker").findings}


MANY = ([0] * 300, [4] * 300)
#: (chip, code) -> network, plan, where, count, words of message and remedy, level.
RULES = {
    ("spinnaker", "delay-below-step"): (
        network(delay=[0.3, 1.0, 2.0]),
        plan(),
        ("projection in_to_cells", 1, "delays are below one time step; they become 1 ms"),
    ),
    ("spinnaker", "delay-off-grid"): (
        network(delay=[1.5, 1.0, 2.2]),
        plan(),
        ("projection in_to_cells", 2, "delays are no multiples of 1 ms and move to the nearest one"),
    ),
    ("spinnaker", "delay-too-long"): (  # 2 * 2 ** (14 - 1 - 1) steps where one neuron is alone on its core
        network(delay=[8193.0, 1.0, 8192.0]),
        plan(),
        ("projection in_to_cells", 1, "delays, up to 8193 ms, are longer than the 8192 ms"),
    ),
    ("spinnaker", "neurons-per-core"): (  # 2 * 2 ** (14 - 4 - 1) steps with all ten on one core
        network(delay=[1025.0, 1.0, 1024.0]),
        plan(),
        ("projection in_to_cells", 1, "delays up to 1025 ms (more than 1024 ms) need fewer neurons a core"),
    ),
    ("spinnaker", "weight-underflow"): (  # beside 50,000 nA a step is 2 nA (2**16 / 2**15)
        network(weight=[5e4, 1e-3, 3.0]),
        plan(),
        ("projection in_to_cells", 1, "weights are below half the resolution of about"),
    ),
    ("spinnaker", "spike-off-grid"): (
        network(),
        plan(spikes=(1.0, 2.5)),
        ("population in", 2, "input spikes are between two steps of 1 ms and move to a step"),
    ),
    ("spinnaker", "parameter-range"): (
        network(cell=cell(tau_m=70000.0)),
        plan(),
        ("population cells", 10, "tau_m is up to 70000; numbers of SpiNNaker end at 65535"),
    ),
    ("spinnaker", "parameter-underflow"): (
        network(cell=cell(i_offset=1e-5)),
        plan(),
        ("population cells", 10, "i_offset is as small as 1e-05"),
    ),
    ("spinnaker", "current-range"): (
        network(),
        plan(stimuli=(clamp(0.5, -1e5),)),
        ("inputs.clamp", 1, "the current is up to 100000 nA; numbers of SpiNNaker end at 65535"),
    ),
    ("spinnaker", "current-underflow"): (
        network(),
        plan(stimuli=(clamp(0.5, 1e-6, 0.0),)),
        ("inputs.clamp", 1, "the current is as small as 1e-06 nA; SpiNNaker computes in steps of 3.05e-05"),
    ),
    ("spinnaker", "recorded-variable"): (
        network(),
        plan(voltage(variable="v,w")),
        ("recording v", 1, "SpiNNaker does not record w"),
    ),
    ("spinnaker", "recording-interval"): (
        network(),
        plan(voltage(interval=2.5)),
        ("recording v", 1, "the interval of 2.5 ms is no multiple of the time step of 1 ms"),
    ),
    ("spinnaker", "two-plasticity-rules"): (
        second(Synapse("STDPMechanism", {"tau_plus": 10.0})),
        plan(),
        ("population cells", 1, "2 different plasticity rules end on the population"),
    ),
    ("spinnaker", "plasticity-part"): (
        network(synapse=Synapse("STDPMechanism", {"weight_dependence": "GutigWeightDependence"})),
        plan(),
        ("projection in_to_cells", 1, "sPyNNaker does not run GutigWeightDependence"),
    ),
    ("spinnaker", "dendritic-delay"): (
        network(synapse=Synapse("STDPMechanism", {"dendritic_delay_fraction": 0.5})),
        plan(),
        ("projection in_to_cells", 1, "the dendritic delay fraction is 0.5"),
    ),
    ("spinnaker", "timestep-off-clock"): (
        network(),
        plan(timestep=0.0125),
        ("run.dt", 1, "a step of 0.0125 ms is no whole number of microseconds"),
    ),
    ("spinnaker", "real-time"): (network(), plan(timestep=0.5), ("run.dt", 1, "a step of 0.5 ms of the network takes")),
    ("brainscales2", "delay"): (
        network(delay=[0.0, 1.5, 0.0]),
        plan(),
        ("projection in_to_cells", 1, "connections have a delay (up to 1.5 ms)"),
    ),
    ("brainscales2", "weight-underflow"): (
        network(weight=[6.3, 0.04, -0.1], **AT_ONCE),
        plan(),
        ("projection in_to_cells", 1, "weights are below half a step of 0.1 nA"),
    ),
    ("brainscales2", "membrane-time-constant"): (
        network(cell=cell(tau_m=80.0), **AT_ONCE),
        plan(),
        ("population cells", 10, "tau_m is 80 to 80 ms; circuits are calibrated from 0.5 to 60 ms"),
    ),
    ("brainscales2", "synaptic-time-constant"): (
        network(cell=cell(tau_syn_I=0.2), **AT_ONCE),
        plan(),
        ("population cells", 10, "tau_syn_I is 0.2 to 0.2 ms"),
    ),
    ("brainscales2", "refractory-time"): (
        network(cell=cell(tau_refrac=0.0), **AT_ONCE),
        plan(),
        ("population cells", 10, "tau_refrac is 0 to 0 ms"),
    ),
    ("brainscales2", "fan-in"): (
        network(pairs=MANY, **AT_ONCE),
        plan(),
        ("population cells", 1, "cells have more than 256 synapses, up to 300"),
    ),
    ("brainscales2", "recorded-variable"): (
        network(**AT_ONCE),
        plan(voltage(variable="gsyn_exc")),
        ("recording v", 1, "the chip does not record gsyn_exc"),
    ),
    ("brainscales2", "recorded-cells"): (
        network(**AT_ONCE),
        plan(voltage(), voltage("spikes", variable="spikes")),
        ("recordings", 1, "potentials of 10 cells are recorded; the chip has converters for 2"),
    ),
    ("brainscales2", "chip-size"): (
        network(513, **AT_ONCE),
        plan(),
        ("network", 1, "the network has 513 neurons; a chip has 512 circuits"),
    ),
    ("loihi2", "delay"): (
        network(delay=[1.0, 2.0, 1.0]),
        plan(),
        ("projection in_to_cells", 1, "delays are longer than a step of 1 ms, up to 2 ms"),
    ),
    ("loihi2", "two-synaptic-time-constants"): (
        network(cell=cell(tau_syn_I=3.0)),
        plan(),
        ("population cells", 10, "tau_syn_E and tau_syn_I differ; a node has one"),
    ),
    ("loihi2", "refractory-time"): (
        network(cell=cell(tau_refrac=2.0)),
        plan(),
        ("population cells", 10, "tau_refrac is up to 2 ms; NIR has no refractory time"),
    ),
    ("loihi2", "decay"): (
        network(cell=cell(tau_m=4097.0)),
        plan(),
        ("population cells", 10, "tau_m is up to 4097 ms; decays have 12 bits, so that 4096 ms"),
    ),
    ("loihi2", "weight-underflow"): (
        network(weight=[12.7, 0.04, -0.1]),
        plan(),
        ("projection in_to_cells", 1, "weights are below half a step of 0.1 nA"),
    ),
    ("loihi2", "dense-weights"): (
        network(10_001),
        plan(),
        ("population cells", 1, "the population has 10001 cells"),
    ),
    ("loihi2", "spike-off-grid"): (network(), plan(spikes=(0.5, 2.5)), ("population in", 4, "input spikes")),
}
#: Networks that fill the largest machine are too large for a test: a smaller machine stands in.
OF_MACHINES = {"spinnaker": "machine-size", "loihi2": "system-size"}


NMDA = ("projection in_to_cells", 1, "the cells have no receptor nmda")
RULES |= {
    ("spinnaker", "receptor"): (network(receptor="nmda"), plan(), NMDA),
    ("brainscales2", "receptor"): (network(receptor="nmda", **AT_ONCE), plan(), NMDA),
    ("loihi2", "receptor"): (network(receptor="nmda"), plan(), NMDA),
}


def test_every_rule_of_every_profile_is_tried():
    rules = {(name, rule.code) for name in chips.NAMES for rule in chips.chip(name).rules}
    assert rules == RULES.keys() | OF_MACHINES.items()


@pytest.mark.parametrize("name", OF_MACHINES)
def test_a_network_larger_than_the_largest_machine(name, monkeypatch):
    """51 cells on cores of 10, 2 cores a chip, one chip a board: the sixth core needs a third board."""
    small = {"neurons_per_core": 10, "cores_per_chip": 2, "chips_per_board": 1, "boards": 2, "sources": False}
    whole = chips.chip(name)
    chip = replace(whole, resources=replace(whole.resources, **small))
    monkeypatch.setattr(chips, "chip", lambda _: chip)
    codes = {one.code for one in check_hardware(network(40), plan(), name).refusals()}
    assert OF_MACHINES[name] not in codes
    (found,) = [one for one in check_hardware(network(51), plan(), name).refusals() if one.code == OF_MACHINES[name]]
    assert "needs about 3 boards" in found.message and found.where == "network"


@pytest.mark.parametrize(("chip", "code"), RULES)
def test_a_rule_that_fails_says_where_how_many_and_what_helps(chip, code):
    made, asked, (where, count, words) = RULES[chip, code]
    check = check_hardware(made, asked, chip)
    (found,) = [one for one in check.findings if one.code == code]
    rule = next(rule for rule in chips.chip(chip).rules if rule.code == code)
    assert (found.where, found.count, found.level, found.remedy) == (where, count, rule.level, rule.remedy)
    assert words in found.message
    assert found.remedy or rule.level == "note"


@pytest.mark.parametrize(("chip", "made"), [("spinnaker", network()), ("brainscales2", network(**AT_ONCE))])
def test_a_network_that_fits(chip, made):
    check = check_hardware(made, plan(voltage(variable="spikes")), chip)
    assert check.refusals() == ()
    assert not [one for one in check.findings if one.level == "note"]


def test_loihi_holds_a_network_whose_spikes_come_from_elsewhere():
    made = network()
    inputs = {one.code for one in check_hardware(made, plan(), "loihi2").findings}
    assert inputs == {"spike-source", "spike-trains"}
    assert not check_hardware(made, plan(), "loihi2").refusals()
    assert {one.code for one in check_hardware(made, plan(), "loihi2").refusals(strict=True)} == inputs


@pytest.mark.parametrize(
    ("made", "where", "count", "message"),
    [
        (network(cell=cell("IF_cond_alpha")), "population cells", 10, "The model IF_cond_alpha: sPyNNaker has no such"),
        (
            network(cell=cell("HH_cond_exp")),
            "population cells",
            10,
            "The model HH_cond_exp: sPyNNaker has no such",
        ),
        (network(cell=PointCell("nrn:IntFire1")), "population cells", 10, "no cell with these equations"),
        (network(synapse=Synapse("TsodyksMarkramSynapse")), "projection in_to_cells", 3, "no short-term plasticity"),
        (network(kind="electrical"), "projection in_to_cells", 3, "SpiNNaker has no gap junctions"),
    ],
)
def test_kinds_of_content_are_refused_with_their_number(made, where, count, message):
    (found,) = check_hardware(made, plan(), "spinnaker").refusals()
    assert (found.where, found.count) == (where, count)
    assert message in found.message and found.remedy


def test_a_part_of_a_population_is_counted():
    made = network()
    mixed = Population("cells", 10, table(2, cell=["cell", "odd"]), replace(_index(10), data=np.arange(10) % 5 // 4))
    made = replace(
        made,
        populations={**made.populations, "cells": mixed},
        cells={**made.cells, "odd": PointCell("GIF_cond_exp")},
    )
    (found,) = check_hardware(made, plan(), "spinnaker").refusals()
    assert (found.count, found.total) == (2, 10)


def _index(size):
    from pynn_io.graph.columns import Column

    return Column(np.zeros(size, dtype=np.int64))


def test_sources_that_spynnaker_has_not():
    made = network()
    made = replace(made, cells={**made.cells, "source": SpikeSource("SpikeSourceGamma")})
    (found,) = check_hardware(made, plan(), "spinnaker").refusals()
    assert (found.where, found.count) == ("population in", 2)
    assert "trains drawn before" in found.remedy


@pytest.mark.parametrize(
    ("what", "refused"),
    [
        (SinusoidalCurrent(7e4, 10.0, 5.0, 200.0), True),
        (NoiseCurrent(0.0, 9e8, 5.0, 20.0), True),  # three times a deviation of 3e4 nA
        (NoiseCurrent(0.0, 4e8, 5.0, 20.0), False),
        (NoiseCurrent(1e5, 1e8, 5.0, 20.0, Relative.THRESHOLD), False),  # % of what each cell has
    ],
)
def test_the_largest_of_other_currents(what, refused):
    asked = plan(stimuli=(Stimulus("i", what, "cells"),))
    assert (
        "current-range" in {one.code for one in check_hardware(network(), asked, "spinnaker").refusals()}
    ) is refused


def test_stimuli():
    pulses = CurrentPulses(np.array([0.1]), np.array([5.0]), np.array([20.0]))
    asked = plan(stimuli=(Stimulus("clamp", pulses, "cells"),))
    assert not check_hardware(network(), asked, "spinnaker").refusals()
    (found,) = check_hardware(network(**AT_ONCE), asked, "brainscales2").refusals()
    assert (found.code, found.examples) == ("current-pulses", ("clamp",))


def test_native_models_are_checked_by_the_parameters_of_their_standard_twins():
    native = PointCell("nest:iaf_psc_exp", {"tau_m": 80.0, "tau_syn_ex": 0.1, "tau_syn_in": 5.0, "V_m": -70.0})
    codes = {
        one.message.split()[0]
        for one in check_hardware(network(cell=native, unit="pA"), plan(), "brainscales2").refusals()
    }
    assert {"tau_m", "tau_syn_E"} <= codes and "V_min" not in codes


def test_a_check_is_a_report_and_json():
    check = check_hardware(network(delay=[1.5, 1.0, 1.0], kind="electrical"), plan(), "spinnaker")
    report = Report()
    check.add_to(report)
    assert {issue.kind for issue in report} == {Kind.LOST}
    stated = json.loads(json.dumps(check.as_dict()))
    assert stated["fits"] is False and stated["needs"]["cores"] == 2
    assert [one["level"] for one in stated["findings"]] == ["no"]


def test_an_unknown_part_of_plasticity_is_refused_not_an_error():
    made = network(synapse=Synapse("STDPMechanism", {"timing_dependence": "NobodysRule"}))
    (found,) = check_hardware(made, plan(), "spinnaker").refusals()
    assert found.message == "sPyNNaker does not run NobodysRule as PyNN states it"


def test_short_steps_split_populations_of_spinnaker():
    """As its virtual board does it: the synfire chain of 22 populations and a source takes 23 cores, or 45."""
    assert check_hardware(network(300), plan(timestep=1.0), "spinnaker").needs.cores == 3
    assert check_hardware(network(300), plan(timestep=0.1), "spinnaker").needs.cores == 5


def test_a_chip_without_a_profile():
    with pytest.raises(KeyError):
        check_hardware(network(), plan(), "abacus")


# --- numbers by hand ------------------------------------------------------------------------------------------------


def test_bits():
    assert [bits(number) for number in (1, 2, 3, 4, 5, 256, 257)] == [1, 1, 2, 2, 3, 8, 9]


@pytest.mark.parametrize(
    ("asked", "code", "count"),
    [
        (plan(spikes=(0.0, 0.4, 1.0)), "spike-off-grid", 2),
        (plan(voltage(interval=0.5)), "recording-interval", 1),
        (plan(timestep=0.0004), "timestep-off-clock", 1),
    ],
)
def test_what_is_below_one_step_is_off_the_grid(asked, code, count):
    """Of both sources 0.4 ms is, and 0 is not."""
    (found,) = [one for one in check_hardware(network(), asked, "spinnaker").findings if one.code == code]
    assert found.count == count


def test_a_delay_below_one_step_is_told_once():
    codes = [one.code for one in check_hardware(network(delay=0.4), plan(), "spinnaker").findings]
    assert codes == ["delay-below-step"]


@pytest.mark.parametrize(("neurons", "steps"), [(256, 64), (64, 256), (10, 1024)])
def test_steps_of_delay_that_a_core_of_spinnaker_holds(neurons, steps):
    """A ring buffer of 2 ** 14 entries for neurons and two receptors, and as many steps again in front of it."""
    assert steps_held(chips.chip("spinnaker").delays, neurons) == steps


def test_neurons_on_a_core_for_long_delays():
    chip = chips.chip("spinnaker")
    assert [neurons_that_hold(chip, 1000, steps) for steps in (64, 65, 256, 8192, 8193)] == [256, 128, 64, 2, 0]


def test_resolution_of_currents_where_all_inputs_arrive_at_once():
    """Two connections of 0.5 nA onto one cell make 1 nA, which 2**1 exceeds: a step is 2**(1 - 15) nA."""
    made = network(pairs=([0, 1], [0, 0]))
    assert resolutions(made, chips.chip("spinnaker"), 1.0)["cells", False] == 2.0**-14


def test_resolution_of_conductances():
    """0.01 uS in units of 1/1024 uS is 10.24, which 2**4 exceeds: a step is 2**(4 - 15) / 1024 uS."""
    made = network(cell=cell("IF_cond_exp"), unit="uS", weight=0.01, pairs=([0], [0]))
    assert resolutions(made, chips.chip("spinnaker"), 1.0)["cells", False] == 2.0**-11 / 1024


def test_receptors_have_a_scale_each():
    made = network(weight=[0.5, -8.0, 0.25])
    found = resolutions(made, chips.chip("spinnaker"), 1.0)
    assert found["cells", False] == 2.0**-15  # 0.5 nA
    assert found["cells", True] == 2.0**-11  # 8 nA: 2**4 exceeds it


def test_a_conductance_ends_where_its_receptor_says_and_units_are_converted():
    made = network(cell=cell("IF_cond_exp"), unit="nS", weight=10.0, receptor="inhibitory", pairs=([0], [0]))
    found = resolutions(made, chips.chip("spinnaker"), 1.0)
    assert found.keys() == {("cells", True)}
    assert found["cells", True] == 2.0**-11 / 1024
