"""Idioms of PyNN's own documentation that the recording backend once took otherwise than PyNN's backends do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pynn_io import ReadError, Report, UnsupportedInput, read, write
from pynn_io.errors import PlanError
from pynn_io.report import Kind
from pynn_io.simulate import simulate
from tests.pynn_in.scripts import captured, on_pynn
from tests.pynn_in.test_capture import HEAD


def test_a_parameter_that_all_cells_share_is_one_number(tmp_path: Path) -> None:
    """The manual: "if the parameter is homogeneous across the group, a single number will be returned"."""
    text = HEAD + (
        "p = sim.Population(4, sim.IF_cond_exp(tau_m=12.0, v_thresh=[-50, -51, -52, -53]), label='p')\n"
        "assert p.get('tau_m') == 12.0 and p.get(['tau_m', 'cm']) == [12.0, 1.0]\n"
        "assert (p + p[:2])[0:3].get('tau_m') == 12.0\n"
        "assert p.get('v_thresh').shape == (4,) and p[1:2].get('v_thresh') == -51\n"
        "assert p.get('tau_m', simplify=False).shape == (4,)\n"
    )
    assert captured(text, tmp_path)[0].network.cells["p"].parameters["tau_m"] == 12.0


def test_a_function_that_takes_all_rows_for_one_is_refused(tmp_path: Path) -> None:
    """Simulators refuse it too; here every cell had the spikes of all."""
    text = HEAD + "sim.Population(3, sim.SpikeSourceArray(spike_times=lambda i: sim.Sequence([1.0 + i, 20.0 + i])))\n"
    with pytest.raises(ReadError, match=r"called with all of them at once: lambda i: \[Sequence"):
        captured(text, tmp_path)


def test_what_is_set_of_native_cells_is_kept(tmp_path: Path) -> None:
    text = HEAD + (
        "kind = sim.native_cell_type('iaf_psc_alpha')\n"
        "p = sim.Population(3, kind(tau_m=11.0), label='p')\n"
        "p.set(C_m=200.0)\np[1:].set(V_th=-54.0)\np[0].t_ref = 3.0\nassert p.get('C_m') == 200.0\n"
        "q = sim.Population(3, kind(tau_m=11.0), label='q')\n"
    )
    network = captured(text, tmp_path)[0].network
    assert network.cells["p"].parameters == {"tau_m": 11.0, "C_m": 200.0}
    assert network.populations["p"].table.read("parameters:V_th").tolist() == [-55.0, -54.0, -54.0]
    assert network.populations["p"].table.read("parameters:t_ref").tolist() == [3.0, 2.0, 2.0]
    assert network.cells["q"].parameters == {"tau_m": 11.0}


def test_a_native_cell_that_the_vocabulary_does_not_have(tmp_path: Path) -> None:
    """Its receptors and parameters are the simulator's to know: any is taken, and none is made up."""
    text = HEAD + (
        "kind = sim.native_cell_type('ht_neuron')\np = sim.Population(2, kind(tau_m=20.0), label='p')\n"
        "p.set(g_KL=1.1)\n"
        "sim.Projection(p, p, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1), receptor_type='AMPA')\n"
    )
    network = captured(text, tmp_path)[0].network
    assert network.cells["p"].parameters == {"tau_m": 20.0, "g_KL": 1.1}
    assert network.projections["p_to_p"].types.values("receptor").tolist() == ["AMPA"]
    for line in ("p.get('E_Na')", "p[:1].set(E_Na=30.0)"):
        with pytest.raises(
            UnsupportedInput, match="only the simulator knows E_Na of the native cell ht_neuron"
        ) as caught:
            captured(text + line + "\n", tmp_path)
        assert caught.value.where.endswith("script.py:7")
        assert "ht_neuron(E_Na=...)" in caught.value.hint


def test_a_parameter_that_a_standard_cell_does_not_have(tmp_path: Path) -> None:
    text = HEAD + "p = sim.Population(2, sim.IF_cond_exp())\np.get('foo')\n"
    with pytest.raises(ReadError, match=r"NonExistentParameterError: foo \(valid parameters for IF_cond_exp are: cm"):
        captured(text, tmp_path)


def test_a_class_of_python_that_builds_its_cell_in_neuron(tmp_path: Path) -> None:
    text = (
        "import pyNN.neuron as sim\nsim.setup()\nsim.load_mechanisms('mods')\n"
        "class Simple:\n    def __init__(self, **parameters):\n        pass\n"
        "class SimpleType(sim.NativeCellType):\n    default_parameters = {'g_leak': 0.0002}\n    model = Simple\n"
        "sim.Population(10, SimpleType(g_leak=0.0003), label='p')\nsim.Population(1, sim.IntFire1(), label='q')\n"
    )
    report = captured(text, tmp_path)[1]
    issues = {issue.code: issue for issue in report}
    lost, folder = issues["native-class"], issues["mechanisms"]
    assert (lost.kind, lost.where, lost.count, list(lost.examples)) == (Kind.LOST, "population p", 10, ["SimpleType"])
    assert folder.kind is Kind.NOT_READ and "--mechanisms DIR" in folder.message


@pytest.mark.parametrize("first", ["sim.run(0)", "sim.run_until(0.0)"])
def test_a_run_of_no_time_is_none(first: str, tmp_path: Path) -> None:
    """The manual's loop begins with run_until(0)."""
    text = HEAD + f"p = sim.Population(2, sim.IF_cond_exp(), label='p')\n{first}\np.set(i_offset=1.5)\nsim.run(10.0)\n"
    document, report = captured(text, tmp_path)
    assert document.network.cells["p"].parameters["i_offset"] == 1.5
    assert document.plan.duration == 10.0
    assert "edited-between-runs" not in report.codes()


PLASTIC = (
    "p = sim.Population(2, sim.IF_cond_exp(), label='p')\n"
    "rules = {'timing_dependence': sim.SpikePairRule(), 'weight_dependence': sim.AdditiveWeightDependence()}\n"
    "q = sim.Projection(p, p, sim.AllToAllConnector(), sim.STDPMechanism(weight=0.01, delay=1.0, **rules), label='q')\n"
)


def test_weights_of_an_earlier_run_are_not_overwritten(tmp_path: Path) -> None:
    results, made = tmp_path / "final.txt", tmp_path / "made.txt"
    results.write_text("weights of last night")
    text = (
        HEAD
        + PLASTIC
        + (
            f"q.save(['weight'], {str(made)!r})\n"
            f"r = sim.Projection(p, p, sim.FromFileConnector({str(made)!r}), sim.StaticSynapse(delay=1.0), label='r')\n"
            f"sim.run(10.0)\nq.save('weight', {str(results)!r})\nq.printWeights({str(results)!r})\n"
            "assert q.get('weight', format='list', with_address=False) == [0.01] * 4\n"
        )
    )
    document, report = captured(text, tmp_path)
    assert results.read_text() == "weights of last night"
    assert document.network.projections["r"].size == 4  # read from the file that the script had saved before
    issues = {
        (issue.code, *issue.examples): issue.count for issue in report if issue.where in ("run()", "Projection.get()")
    }
    assert issues == {("call-without-effect", "Projection.save"): 2, ("plastic-weights",): 1}


NEST_IS_ANOTHER = """
set_later = sim.Population(2, sim.IF_cond_exp(i_offset=1.2), label="set_later")
set_later.set(cm=0.8)
both = sim.Population(2, sim.IF_cond_exp(i_offset=1.2), label="both")
both.set(cm=0.8, tau_m=20.0)
direct = sim.Population(2, sim.IF_curr_exp(i_offset=1.2), label="direct")
direct.set(cm=0.8)
adapted = sim.Population(2, sim.EIF_cond_exp_isfa_ista(i_offset=1.0), initial_values={"w": 0.3}, label="adapted")
for each in (set_later, both, direct, adapted):
    each.record("spikes")
adapted.record("w")
sim.run(60.0)
"""


def test_what_pynn_nest_makes_of_values_is_told(tmp_path: Path) -> None:
    document, report = captured(HEAD + NEST_IS_ANOTHER, tmp_path)
    assert document.network.cells["set_later"].parameters["tau_m"] == 20.0
    issues = {issue.code: issue for issue in report}
    assert issues["capacity-set"].examples == ["set_later"]
    assert issues["initial-current"].examples == ["w of adapted"]
    assert "for pA and nS" in issues["initial-current"].message
    assert {issues[code].kind for code in ("capacity-set", "initial-current")} == {Kind.DEFAULTED}
    elsewhere = captured((HEAD + NEST_IS_ANOTHER).replace("pyNN.nest", "pyNN.neuron"), tmp_path)[1]
    assert "capacity-set" not in elsewhere.codes()
    assert ["begin at 0" in issue.message for issue in elsewhere if issue.code == "initial-current"] == [True]


@pytest.mark.slow
def test_the_rest_is_as_on_pynn_nest(tmp_path: Path) -> None:
    """And what is told is so: these two populations, and no others, fire at other times there."""
    pytest.importorskip("nest")
    script = tmp_path / "script.py"
    script.write_text(HEAD + NEST_IS_ANOTHER)
    original = on_pynn(script, "nest", tmp_path)
    document = read(script, report=Report())
    ours = simulate(document.network, document.plan, "nest").spikes
    same = {}
    for name, train in ours.items():
        table = np.array(sorted(zip(train.node_ids.tolist(), train.times.tolist(), strict=True)))
        assert len(table)
        there = original[f"spikes/{name}"]
        same[name] = table.shape == there.shape and np.allclose(table, there, rtol=0, atol=1e-9)
    assert same == {"set_later": False, "both": True, "direct": True, "adapted": False}
    assert original["trace/adapted/w"][1].max() < 0.01  # nA: NEST was given 0.3 pA


@pytest.mark.parametrize(
    "line",
    [
        "from pyNN.nest.nestml import nestml_cell_type",
        "import pyNN.nest.nestml as nestml; nestml.nestml_synapse_type('a', 'a.nestml', weight_variable='w')",
        "sim.nineml_cell_type('a', None)",
    ],
)
def test_models_that_a_simulator_compiles_are_refused_by_name(line: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedInput, match=r"compiles from N(EST|ine)ML are not read") as caught:
        captured(HEAD + line + "\n", tmp_path)
    assert caught.value.where.endswith("script.py:3")
    assert "native_cell_type" in caught.value.hint


def test_an_index_that_is_not_of_the_arguments_has_no_word_of_them(tmp_path: Path) -> None:
    """PyNN has no population without cells."""
    with pytest.raises(ReadError, match="IndexError: index 0 is out of bounds") as caught:
        captured(HEAD + "sim.Population(0, sim.IF_cond_exp())\n", tmp_path)
    assert caught.value.hint == ""


CURRENTS = """
cells = sim.Population(6, sim.IF_curr_exp(v_thresh=0.0), label="cells")
for number, start in enumerate(({first}, 5.0)):
    sim.ACSource(amplitude=0.4, frequency=50.0, phase=30.0, start=start).inject_into([cells[number]])
    sim.DCSource(amplitude=0.4, start=start).inject_into([cells[2 + number]])
    sim.StepCurrentSource(times=[start, 9.0], amplitudes=[0.4, 0.1]).inject_into([cells[4 + number]])
cells.record("v")
sim.run(20.0)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("least", "first", "late"),
    [(0.2, 0.0, "ACDCStep"), (0.2, 0.2, "ACDCStep"), (0.2, 0.3, ""), (0.1, 0.0, "AC"), (0.1, 0.1, "")],
)
def test_currents_from_the_very_beginning_are_late_on_pynn_nest(
    least: float, first: float, late: str, tmp_path: Path
) -> None:
    pytest.importorskip("nest")
    script = tmp_path / "script.py"
    script.write_text(HEAD.replace("min_delay=0.2", f"min_delay={least}") + CURRENTS.format(first=first))
    original = on_pynn(script, "nest", tmp_path)["trace/cells/v"]
    report = Report()
    document = read(script, report=report)
    (trace,) = simulate(document.network, document.plan, "nest").traces
    same = [np.allclose(trace.data[:, cell], original[: len(trace.data), cell], rtol=0, atol=1e-9) for cell in range(6)]
    kinds = ("AC", "DC", "Step")
    assert [kind for kind, alike in zip(kinds, same[::2], strict=True) if not alike] == [k for k in kinds if k in late]
    assert same[1::2] == [True] * 3
    told = [(issue.kind, issue.count, f"up to {least} ms late" in issue.message) for issue in report]
    told = [each for each, issue in zip(told, report, strict=True) if issue.code == "late-injection"]
    assert told == ([(Kind.DEFAULTED, sum(k in late for k in kinds), True)] if late else [])


def test_a_place_that_is_not_read_is_named_as_the_script_has_it() -> None:
    pytest.importorskip("pyNN")
    from pyNN.morphology import apical_dendrites, at_distances, random_section, with_label

    from pynn_io.importers.pynn_objects.places import shown

    assert shown("soma") == "soma"
    assert shown(at_distances(apical_dendrites(), [50, 100])) == "at_distances(apical_dendrites(), [50, 100])"
    assert shown(random_section(with_label("tuft"))) == "random_section(with_label(('tuft',)))"


def test_a_script_with_the_calls_for_sonata_is_read_and_writes_nothing(tmp_path: Path) -> None:
    """PyNN's calls with our import line; results of an earlier run stay as they are."""
    made, _ = captured(
        HEAD
        + "source = sim.Population(2, sim.SpikeSourceArray(spike_times=[5.0]), label='source')\n"
        + "cells = sim.Population(3, sim.IF_cond_exp(), label='cells')\n"
        + "synapse = sim.StaticSynapse(weight=0.01, delay=1.0)\n"
        + "sim.Projection(source, cells, sim.AllToAllConnector(), synapse, label='p')\n"
        + "cells.record(['spikes', 'v'])\nsim.run(20.0)\n",
        tmp_path,
    )
    circuit = tmp_path / "circuit"
    write(made, circuit, "sonata")
    (circuit / "output").mkdir()
    results = circuit / "output" / "spikes.h5"
    results.write_text("results of last night")
    text = (
        "from pynn_io import import_from_sonata, load_sonata_simulation_plan\nimport pyNN.nest as sim\n"
        f"plan = load_sonata_simulation_plan({str(circuit / 'simulation_config.json')!r})\nplan.setup(sim)\n"
        f"net = import_from_sonata({str(circuit / 'circuit_config.json')!r}, sim)\n"
        "data = plan.execute(net)\nassert [len(train.times) for train in data.spikes.values()] == [0]\n"
    )
    document, report = captured(text, tmp_path)
    assert "script-stopped" not in report.codes()
    assert results.read_text() == "results of last night"
    assert [path.name for path in results.parent.iterdir()] == ["spikes.h5"]
    assert sorted(item.size for item in document.network.populations.values()) == [2, 3]
    assert [item.size for item in document.network.projections.values()] == [6]
    assert document.plan.duration == 20.0
    assert [recording.variable for recording in document.plan.recordings] == ["v"]
    (trains,) = (stimulus.what for stimulus in document.plan.stimuli)
    assert trains.times.tolist() == [5.0, 5.0]


NATIVE_WEIGHTS = """
source = sim.Population(2, sim.SpikeSourceArray(spike_times=[5.0, 8.0]), label="source")
native, standard = sim.native_cell_type("iaf_psc_exp")(), sim.IF_curr_exp()
synapse = sim.native_synapse_type("tsodyks2_synapse")(U=0.4, tau_rec=300.0, weight=200.0, delay=1.0)
for name, kind in (("native", native), ("standard", standard), ("conducting", sim.IF_cond_exp())):
    cells = sim.Population(2, kind, label=name)
    sim.Projection(source, cells, sim.AllToAllConnector(), synapse, label="onto_" + name)
    cells.record("V_m" if name == "native" else "v")
unknown = sim.Population(2, sim.native_cell_type("iaf_cond_beta")(), label="unknown")
static = sim.StaticSynapse(weight=0.02, delay=1.0)
sim.Projection(source, unknown, sim.AllToAllConnector(), static, label="onto_unknown")
"""


def test_weights_of_native_synapses_are_nests_own(tmp_path: Path) -> None:
    network = captured(HEAD + NATIVE_WEIGHTS, tmp_path)[0].network
    found = {
        name: (
            item.types["weight"].value,
            item.types.values("weight_unit").tolist() if "weight_unit" in item.types else [],
        )
        for name, item in network.projections.items()
    }
    assert found == {
        "onto_native": (200.0, ["pA"]),
        "onto_standard": (200.0, ["pA"]),
        "onto_conducting": (200.0, ["nS"]),
        "onto_unknown": (20.0, []),  # PyNN's 0.02 is NEST's 20
    }


@pytest.mark.slow
def test_native_synapses_do_what_they_do_on_pynn_nest(tmp_path: Path) -> None:
    pytest.importorskip("nest")
    script = tmp_path / "script.py"
    script.write_text(HEAD + NATIVE_WEIGHTS.partition("unknown =")[0] + "sim.run(20.0)\n")
    original = on_pynn(script, "nest", tmp_path)
    document = read(script, report=Report())
    for trace in simulate(document.network, document.plan, "nest").traces:
        there = original[f"trace/{trace.population}/{trace.variable}"]
        first = round(trace.start / trace.interval)
        ours = np.asarray(trace.data)
        np.testing.assert_allclose(ours, there[first : first + len(ours)], rtol=0, atol=1e-9)
        assert np.ptp(ours) > 0.5


RECEPTORS = """
source = sim.Population(2, sim.SpikeSourceArray(spike_times=[5.0, 8.0]), label="source")
for name, kind, receptor in (("ht", "ht_neuron", "{receptor}"), ("beta", "iaf_cond_beta", "excitatory")):
    cells = sim.Population(2, sim.native_cell_type(kind)(), label=name)
    cells.record("V_m")
    synapse = sim.StaticSynapse(weight=0.02, delay=1.0)
    sim.Projection(source, cells, sim.AllToAllConnector(), synapse, receptor_type=receptor, label=name)
sim.run(20.0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("receptor", ["AMPA", "GABA_A"])
def test_receptors_of_native_cells_are_those_of_pynn_nest(receptor: str, tmp_path: Path) -> None:
    pytest.importorskip("nest")
    script = tmp_path / "script.py"
    script.write_text(HEAD + RECEPTORS.format(receptor=receptor))
    original = on_pynn(script, "nest", tmp_path)
    document = read(script, report=Report())
    traces = simulate(document.network, document.plan, "nest").traces
    assert len(traces) == 2
    for trace in traces:
        there, first = original[f"trace/{trace.population}/V_m"], round(trace.start / trace.interval)
        ours = np.asarray(trace.data)
        np.testing.assert_allclose(ours[1:], there[first + 1 : first + len(ours)], rtol=0, atol=1e-9)


@pytest.mark.slow
def test_a_receptor_that_nests_model_does_not_have(tmp_path: Path) -> None:
    pytest.importorskip("nest")
    document, _ = captured(HEAD + RECEPTORS.format(receptor="NMDB"), tmp_path)
    with pytest.raises(PlanError, match="'NMDB' is no receptor of the model ht_neuron") as caught:
        simulate(document.network, document.plan, "nest")
    assert caught.value.hint.startswith("it has: ") and "GABA_B" in caught.value.hint


def test_a_native_synapse_has_nests_own_delay(tmp_path: Path) -> None:
    """1 ms for every model of NEST, and not the least one of setup()."""
    text = HEAD + (
        "p = sim.Population(2, sim.IF_curr_exp(), label='p')\n"
        "sim.Projection(p, p, sim.AllToAllConnector(), sim.native_synapse_type('stdp_synapse')(Wmax=50.0), label='q')\n"
    )
    types = captured(text, tmp_path)[0].network.projections["q"].types
    assert (types["weight"].value, types["delay"].value) == (1.0, 1.0)


def test_a_native_source_is_lost_in_sonata_and_said_to_be(tmp_path: Path) -> None:
    text = HEAD + "sim.Population(1, sim.native_cell_type('poisson_generator')(rate=200.0), label='p')\n"
    report = write(captured(text, tmp_path)[0], tmp_path / "out", "sonata")
    (issue,) = (issue for issue in report if issue.code == "spike-source")
    assert (issue.kind, issue.where) == (Kind.LOST, "population p")
    assert "nest:poisson_generator with rate" in issue.message
    (source,) = read(tmp_path / "out").network.cells.values()
    assert source.model == "SpikeSourceArray"
