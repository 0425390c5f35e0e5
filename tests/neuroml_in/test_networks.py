# ruff: noqa: E501
"""Populations, projections, inputs and simulations of small documents, against what stands in them."""

from __future__ import annotations

import numpy as np
import pytest

from pynn_io import Report
from pynn_io.graph.dynamics import Component
from pynn_io.graph.stimuli import ComponentInput, CurrentPulses, SpikeTrains
from pynn_io.importers.neuroml import read
from pynn_io.report import Kind
from pynn_io.simulation_plan import Recording
from tests.neuroml_in.documents import IAF, TWO_POINTS, cable, load, write, write_lems

EXC = '<expOneSynapse id="exc" gbase="1nS" erev="0mV" tauDecay="3ms"/>'
GAP = '<gapJunction id="gap" conductance="10pS"/><gapJunction id="gap2" conductance="1nS"/>'
GRADED = '<silentSynapse id="silent"/><linearGradedSynapse id="gs" conductance="5pS"/>'
PULSE = '<pulseGenerator id="pg" delay="0.1s" duration="100ms" amplitude="80 pA"/>'
PYR = cable(f'{TWO_POINTS}<segment id="4"><parent segment="0"/><distal x="50" y="0" z="0" diameter="1"/></segment>')
LISTED = (
    '<population id="a" component="iaf" type="populationList" size="3">'
    '<instance id="7"><location x="1" y="2.5" z="-3"/></instance><instance id="2"><location x="0" y="0" z="0"/></instance>'
    '<instance id="5"><location x="4" y="4" z="4"/></instance></population>'
    '<population id="b" component="pyr" size="2"/>'
)


def network(folder, inside: str, *, more: str = "", whole: bool = True):
    body = f'{IAF}{EXC}{GAP}{GRADED}{PULSE}{PYR}{more}<network id="net" type="networkWithTemperature" temperature="32degC">{inside}</network>'
    document, report = load(folder, body)
    if whole:
        assert report.of_kind(Kind.NOT_READ) == []
    return document


def test_instances_may_have_any_ids(tmp_path):
    document = network(tmp_path, LISTED)
    a, b = document.network.populations.values()
    assert document.network.name == "net" and document.plan.celsius == pytest.approx(32.0)
    assert a.ids().tolist() == [7, 2, 5] and a.cells == ("iaf",)
    assert [a.table.read(axis).tolist() for axis in "xyz"] == [[1, 0, 4], [2.5, 0, 4], [-3, 0, 4]]
    assert a.table["x"].unit == "um"
    assert b.size == 2 and not b.table and b.ids().tolist() == [0, 1]


def test_a_projection_by_rows_and_segments(tmp_path):
    document = network(
        tmp_path,
        f'{LISTED}<projection id="p" presynapticPopulation="a" postsynapticPopulation="b" synapse="exc">'
        '<connectionWD id="0" preCellId="../a/5/iaf" postCellId="../b[1]" weight="0.5" delay="2ms"/>'
        '<connectionWD id="1" preCellId="../a/7/iaf" postCellId="../b/0/pyr" postSegmentId="4" postFractionAlong="0.25" '
        'weight="2" delay="0.0005s"/><connection id="2" preCellId="../a/2/iaf" postCellId="../b[0]"/></projection>',
    )
    found = document.network.projections["p"]
    assert (found.pre, found.post, found.kind, found.synapses) == ("a", "b", "chemical", ("exc",))
    assert found.edges.source.read(3).tolist() == [2, 0, 1]
    assert found.edges.target.read(3).tolist() == [1, 0, 0]
    weight, delay = found.edges.columns.read("weight"), found.edges.columns.read("delay")
    assert weight.tolist() == [0.5, 2.0, None] and delay.tolist() == [2.0, 0.5, None]  # the last states neither
    assert found.edges.columns.read("afferent_segment_id").tolist() == [0, 4, 0]
    assert found.edges.columns.read("afferent_segment_fraction").tolist() == [0.5, 0.25, 0.5]
    assert "efferent_segment_id" not in found.edges.columns and "id" not in found.edges.columns
    assert found.types.values("weight_unit").tolist() == ["1"]


def test_gap_junctions_and_graded_synapses(tmp_path):
    document = network(
        tmp_path,
        f'{LISTED}<electricalProjection id="e" presynapticPopulation="b" postsynapticPopulation="b">'
        '<electricalConnection id="5" preCell="0" postCell="1" synapse="gap"/>'
        '<electricalConnection id="6" preCell="1" postCell="0" synapse="gap2" preSegment="4" preFractionAlong="1"/>'
        '</electricalProjection><electricalProjection id="w" presynapticPopulation="a" postsynapticPopulation="a">'
        '<electricalConnectionInstanceW id="0" preCell="../a/7/iaf" postCell="../a/2/iaf" synapse="gap" weight="3"/>'
        "</electricalProjection>"
        '<continuousProjection id="c" presynapticPopulation="a" postsynapticPopulation="b">'
        '<continuousConnectionInstance id="0" preCell="../a/7/iaf" postCell="../b/1/pyr" preComponent="silent" '
        'postComponent="gs"/></continuousProjection>',
    )
    e, w, c = document.network.projections.values()
    assert (e.kind, w.kind, c.kind) == ("electrical", "electrical", "graded")
    assert e.synapses == ("gap", "gap2") and e.type_index.read(2).tolist() == [0, 1]
    assert e.edges.columns.read("id").tolist() == [5, 6]
    assert e.edges.columns.read("efferent_segment_id").tolist() == [0, 4]
    assert e.edges.columns.read("efferent_segment_fraction").tolist() == [0.5, 1.0]
    assert w.edges.columns.read("weight").tolist() == [3.0]
    assert c.synapses == ("gs",) and c.types.values("pre_synapse").tolist() == ["silent"]


def test_connections_that_stand_alone(tmp_path):
    document = network(
        tmp_path,
        f'{LISTED}<synapticConnection from="a[7]" to="b[1]" synapse="exc" destination="synapses"/>'
        '<synapticConnection from="b[0]" to="b[1]" synapse="exc"/>'
        '<synapticConnectionWD from="a[2]" to="b[0]" synapse="exc" weight="2" delay="1ms"/>',
    )
    first, second = document.network.projections.values()
    assert (first.name, second.name) == ("a_b", "b_b")
    assert first.edges.source.read(2).tolist() == [0, 1] and first.edges.columns.read("weight").tolist() == [None, 2.0]


PYNN = (
    '<IF_cond_exp id="if" cm="1" i_offset="0" tau_syn_E="5" tau_syn_I="8" v_init="-65" tau_m="20" tau_refrac="1" '
    'v_reset="-65" v_rest="-65" v_thresh="-50" e_rev_E="0" e_rev_I="-80"/>'
    '<expCondSynapse id="e" tau_syn="5" e_rev="0"/><expCondSynapse id="i" tau_syn="8" e_rev="-80"/>'
    '<expCondSynapse id="other" tau_syn="5" e_rev="-1"/><alphaCondSynapse id="alpha" tau_syn="5" e_rev="0"/>'
)


def test_synapses_that_are_receptors_of_the_cell(tmp_path):
    one = '<connection{} id="0" preCellId="../p[0]" postCellId="../p[1]"{}/></projection>'
    head = '<projection id="{0}" presynapticPopulation="p" postsynapticPopulation="p" synapse="{0}">'
    weighted = one.format("WD", ' weight="0.01" delay="3ms"')
    document = network(
        tmp_path,
        '<population id="p" component="if" size="2"/>'
        + head.format("e")
        + weighted
        + head.format("i")
        + one.format("", "")
        + head.format("other")
        + weighted
        + head.format("alpha")
        + weighted,
        more=PYNN,
    )
    net = document.network
    e, i, other, alpha = net.projections.values()
    assert [net.synapses[each.synapses[0]].model for each in (e, i, other, alpha)] == [
        "static",
        "static",
        "neuroml:expCondSynapse",
        "neuroml:alphaCondSynapse",
    ]
    assert e.types.values("receptor").tolist() == ["excitatory"] and i.types.values("receptor").tolist() == [
        "inhibitory"
    ]
    assert {each.types.values("weight_unit")[0] for each in (e, i, other, alpha)} == {"uS"}
    assert "weight" not in e.types and e.edges.columns.read("weight").tolist() == [0.01]
    # a connection that states nothing has weight 1 and no delay, which PyNN's synapse would not have by itself
    assert i.types.read("weight").tolist() == [1.0] and i.types.read("delay").tolist() == [0.0]
    assert set(net.synapses) >= {"other", "alpha"} and not {"e", "i"} & set(net.synapses)


def test_the_sign_decides_between_receptors_that_are_alike(tmp_path):
    """Currents with one time constant: PyNN's inhibitory weights are negative, all others excite."""
    cell = (
        '<IF_curr_exp id="if" cm="1" i_offset="0" tau_syn_E="5" tau_syn_I="5" v_init="-65" tau_m="20" tau_refrac="1" '
        'v_reset="-65" v_rest="-65" v_thresh="-50"/><expCurrSynapse id="s" tau_syn="5"/>'
    )
    projection = '<projection id="{}" presynapticPopulation="p" postsynapticPopulation="p" synapse="s">{}</projection>'
    connection = '<connectionWD id="{}" preCellId="../p[0]" postCellId="../p[1]" weight="{}" delay="3ms"/>'
    weights = {"down": (-0.1, -0.2), "up": (0.1, 0.2), "both": (-0.1, 0.2)}
    document = network(
        tmp_path,
        '<population id="p" component="if" size="2"/>'
        + "".join(
            projection.format(name, "".join(connection.format(*item) for item in enumerate(values)))
            for name, values in weights.items()
        ),
        more=cell,
    )
    found = {name: each.types.values("receptor").tolist() for name, each in document.network.projections.items()}
    assert found == {"down": ["inhibitory"], "up": ["excitatory"], "both": ["excitatory"]}


def test_inputs_have_targets(tmp_path):
    document = network(
        tmp_path,
        f'{LISTED}<explicitInput target="a[5]" input="pg"/><explicitInput target="b[1]" input="ramp"/>'
        '<inputList id="list" component="pg" population="b"><input id="0" target="../b/1/pyr" destination="synapses"/>'
        '<inputW id="1" target="../b[0]" destination="synapses" segmentId="4" fractionAlong="0.1" weight="2.5"/></inputList>'
        '<inputList id="pois" component="pois" population="a"><input id="0" target="../a/7/iaf" destination="synapses"/>'
        "</inputList>",
        more='<rampGenerator id="ramp" delay="0ms" duration="1s" startAmplitude="0 A" finishAmplitude="1uA" '
        'baselineAmplitude="0nA"/><poissonFiringSynapse id="pois" averageRate="50 Hz" synapse="exc" spikeTarget="./exc"/>'
        '<sineGenerator id="unused" phase="0" delay="50ms" duration="200ms" amplitude="1.4nA" period="50ms"/>',
    )
    stimuli = {each.name: each for each in document.plan.stimuli}
    assert list(stimuli) == ["pg", "ramp", "list", "pois"]
    pulse = stimuli["list"].what
    assert isinstance(pulse, CurrentPulses)
    assert (pulse.amplitudes.tolist(), pulse.delays.tolist(), pulse.durations.tolist()) == ([0.08], [100.0], [100.0])
    targets = stimuli["list"].targets
    assert targets.population == "b" and targets.rows.tolist() == [1, 0]
    assert (targets.segment.tolist(), targets.fraction.tolist(), targets.weight.tolist()) == (
        [0, 4],
        [0.5, 0.1],
        [1, 2.5],
    )
    assert stimuli["pg"].targets.rows.tolist() == [2] and stimuli["pg"].targets.weight is None
    ramp = Component(
        "rampGenerator",
        "ramp",
        {"delay": 0, "duration": 1e3, "startAmplitude": 0, "finishAmplitude": 1e3, "baselineAmplitude": 0},
    )
    assert stimuli["ramp"].what == ComponentInput(ramp)
    assert stimuli["pois"].what.component.texts == {"synapse": "exc", "spikeTarget": "./exc"}
    kept = document.network.extra["neuroml"]
    assert kept["input_components"] == {"list": "pg"} and list(kept["inputs"]) == ["unused"]


def test_a_population_of_spike_arrays_has_trains(tmp_path):
    document = network(
        tmp_path,
        '<population id="s" component="sa" size="2"/>',
        more='<spikeArray id="sa"><spike id="1" time="0.2 s"/><spike id="0" time="50 ms"/></spikeArray>',
    )
    (stimulus,) = document.plan.stimuli
    assert isinstance(stimulus.what, SpikeTrains) and stimulus.node_set == "s"
    assert stimulus.what.node_ids.tolist() == [0, 0, 1, 1]
    assert stimulus.what.times.tolist() == [50.0, 200.0, 50.0, 200.0]


def test_layouts_and_spaces_are_kept(tmp_path):
    document = network(
        tmp_path,
        '<space id="s" basedOn="Euclidean_3D"><structure xSpacing="2" ySpacing="3"/></space><region id="r" space="s"/>'
        '<population id="g" component="iaf"><layout space="s"><grid xSize="3" ySize="2"/></layout></population>'
        '<population id="u" component="iaf" size="4" extracellularProperties="x"/>',
    )
    assert document.network.populations["g"].size == 6
    kept = document.network.extra["neuroml"]
    assert kept["populations"]["g"]["layout"].all("grid")[0].parameters == {"xSize": 3.0, "ySize": 2.0}
    assert kept["populations"]["u"] == {"extracellularProperties": "x"}
    assert [each.id for each in kept["spaces"]] == ["s", "r"]


SIMULATION = """<Target component="sim" reportFile="r.txt"/>
<Include file="Cells.xml"/><Include file="net.nml"/>
<Simulation id="sim" length="0.3s" step="5us" target="net" seed="123">
<Meta for="neuron" method="cvode" abs_tolerance="0.001"/>
<Display id="d" title="v" timeScale="1ms" xmin="0" xmax="1" ymin="0" ymax="1"><Line id="l" quantity="a[0]/v" scale="1mV" color="#000000"/></Display>
<OutputFile id="of" path="results" fileName="v.dat"><OutputColumn id="x" quantity="a[0]/v"/><OutputColumn id="y" quantity="a[1]/v"/></OutputFile>
<EventOutputFile id="ev" fileName="s.spikes" format="TIME_ID"><EventSelection id="0" select="a[0]" eventPort="spike"/></EventOutputFile>
</Simulation>"""


def test_a_simulation_is_a_plan(tmp_path):
    write(tmp_path, f'{IAF}<network id="net"><population id="a" component="iaf" size="2"/></network>', "net.nml")
    report = Report()
    document = read(write_lems(tmp_path, SIMULATION), report)
    assert report.of_kind(Kind.NOT_READ) == []
    plan = document.plan
    assert (plan.name, plan.duration, plan.timestep, plan.seed, plan.celsius) == ("sim", 300.0, 0.005, 123, None)
    assert plan.recordings == (
        Recording("of", "", None, kind="quantities", file="results/v.dat", columns=(("x", "a[0]/v"), ("y", "a[1]/v"))),
        Recording(
            "ev",
            "spike",
            None,
            kind="events",
            file="s.spikes",
            columns=(("0", "a[0]"),),
            parameters={"format": "TIME_ID"},
        ),
    )
    assert plan.extra["displays"][0]["lines"] == (
        {"id": "l", "quantity": "a[0]/v", "scale": "1mV", "color": "#000000"},
    )
    assert plan.extra["meta"] == ({"for": "neuron", "method": "cvode", "abs_tolerance": "0.001"},)
    assert [path.name for path in document.provenance["files"]] == ["LEMS_doc.xml", "net.nml"]


def test_a_document_without_inputs_or_temperature_has_no_plan(tmp_path):
    document, _ = load(tmp_path, f'{IAF}<network id="net"><population id="a" component="iaf" size="2"/></network>')
    assert document.plan is None
    assert np.array_equal(document.network.populations["a"].ids(), [0, 1])
