"""Tiny networks that every format is tried on. Each is a function, so that no test can spoil another's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pynn_io.document import Document
from pynn_io.graph import (
    ArrayChunks,
    CableCell,
    ChannelDensity,
    ChannelPopulation,
    Column,
    Component,
    ComponentType,
    ConcentrationModel,
    Edges,
    Law,
    MembraneProperty,
    Network,
    Opaque,
    Paint,
    PointCell,
    Population,
    Profile,
    Projection,
    ReversalPotential,
    SpikeSource,
    Synapse,
    Table,
    text_column,
)
from pynn_io.graph.dynamics import Assignment
from pynn_io.graph.expressions import parse
from pynn_io.graph.morphology import Morphology, SomaKind
from pynn_io.graph.schema import PARAMETER, is_extra, unit_of
from pynn_io.graph.segments import GroupNotes, PathParameter
from pynn_io.graph.stimuli import ComponentInput, CurrentPulses, SpikeTrains, Stimulus, Targets
from pynn_io.simulation_plan import Recording, SimulationPlan


def column(name: str, values: object) -> Column:
    """A column of the schema, or an extra one, with the schema's unit."""
    if isinstance(values, (list, tuple)) and any(isinstance(value, str) for value in values):
        made = text_column(values)
        return Column(made.data, extra=is_extra(name), levels=made.levels)
    data = np.asarray(values) if isinstance(values, (list, tuple)) else values
    return Column(data, unit=unit_of(name), extra=is_extra(name))


def table(size: int, **columns: object) -> Table:
    named = {name.replace("parameters_", PARAMETER): values for name, values in columns.items()}
    return Table(size, {name: column(name, values) for name, values in named.items()})


def edges(source: list[int], target: list[int], **columns: object) -> Edges:
    return Edges(
        Column(np.asarray(source, dtype=np.int64)),
        Column(np.asarray(target, dtype=np.int64)),
        table(len(source), **columns),
    )


def ball_and_stick() -> Morphology:
    """A soma cylinder (20 x 20 um), an axon of one segment, a basal branch that forks, an apical stick."""
    proximal = [
        [0, -10, 0, 20],
        [0, -10, 0, 1],
        [0, 0, 0, 2],
        [50, 0, 0, 2],
        [50, 0, 0, 2],
        [0, 10, 0, 3],
    ]
    distal = [
        [0, 10, 0, 20],
        [0, -60, 0, 1],
        [50, 0, 0, 2],
        [90, 30, 0, 1],
        [90, -30, 0, 1],
        [0, 210, 0, 2],
    ]
    return Morphology(
        "ball_and_stick",
        np.arange(1, 7, dtype=np.int64),
        np.array([-1, 0, 0, 2, 2, 0], dtype=np.int64),
        np.array([0.0, 0.0, 0.5, 1.0, 1.0, 1.0]),
        np.array(proximal, dtype=float),
        np.array(distal, dtype=float),
        np.array([1, 2, 3, 3, 3, 4], dtype=np.int64),
        SomaKind.CYLINDERS,
    )


def two_types() -> Document:
    """NEST point cells of two types with labels, positions, weights and delays for each edge."""
    population = Population(
        "cortex",
        5,
        table(2, id=[100, 101], cell=["cortex_100", "cortex_101"], ei=["e", "i"], pop_name=["Scnn1a", "PV1"]),
        Column(np.array([0, 0, 1, 0, 1])),
        table(5, id=[0, 1, 2, 3, 4], x=[0.0, 1.5, 2.5, -3.0, 4.0], y=[1.0, 0, 0, 0, 2.0], z=[0.0, 0, 0, 0, 9.25]),
    )
    cells = {
        "cortex_100": PointCell("nest:iaf_psc_alpha", {"C_m": 239.0, "tau_m": 44.9, "E_L": -78.0, "I_e": 0.0}),
        "cortex_101": PointCell("nest:iaf_psc_alpha", {"C_m": 180.0, "tau_m": 22.2, "V_th": -35.0}),
    }
    projection = Projection(
        "cortex_to_cortex",
        "cortex",
        "cortex",
        table(
            2,
            id=[100, 101],
            synapse=["cortex_to_cortex_100", "cortex_to_cortex_101"],
            weight_unit=["pA", "pA"],
            target_query=["ei=='e'", "ei=='i'"],
        ),
        edges(
            [0, 1, 2, 4, 4], [1, 2, 3, 0, 4], weight=[2.5, 1.0 / 3.0, -4.0, -4.5, -1e-9], delay=[2.0, 1.5, 0.1, 3, 3]
        ),
        Column(np.array([0, 0, 1, 1, 1])),
        section_order="axon_replaced",
    )
    synapse = Synapse("nest:static_synapse")
    return Document(
        Network(
            "two_types",
            {"cortex": population},
            {"cortex_to_cortex": projection},
            cells,
            {"cortex_to_cortex_100": synapse, "cortex_to_cortex_101": synapse},
            node_sets={"inhibitory": {"ei": "i"}, "both": ["inhibitory", "first"], "first": {"node_id": [0, 1]}},
        )
    )


def standard_models() -> Document:
    """PyNN's standard cells, all edges of one type, weight and delay stated once for the type, edges read lazily."""
    populations = {
        name: Population(name, size, table(1, id=[number], cell=[name]), table=table(size, x=2.0, y=0.0))
        for number, (name, size) in enumerate([("exc", 3), ("inh", 2)])
    }
    cells = {
        "exc": PointCell("IF_cond_exp", {"tau_m": 15.0, "v_thresh": -52.5}),
        "inh": PointCell("IF_cond_exp", {"tau_m": 10.0}),
    }
    lazy = Edges(
        Column(ArrayChunks(np.array([0, 1, 2, 0], dtype=np.int64))),
        Column(ArrayChunks(np.array([0, 1, 0, 1], dtype=np.int64))),
        Table(4),
    )
    projection = Projection(
        "exc_to_inh",
        "exc",
        "inh",
        table(
            1, id=[7], synapse=["exc_to_inh"], weight_unit=["uS"], weight=[0.004], delay=[1.25], receptor=["excitatory"]
        ),
        lazy,
    )
    return Document(
        Network(
            "standard_models", populations, {"exc_to_inh": projection}, cells, {"exc_to_inh": Synapse("StaticSynapse")}
        )
    )


def integrate_and_fire() -> Document:
    """IntFire1 cells driven by virtual ones, with nsyns, a sign in the synapse, and a plan."""
    populations = {
        "v1": Population(
            "v1", 3, table(1, id=[100], cell=["v1_100"], model_name=["LIF"]), table=table(3, id=[0, 1, 2])
        ),
        "lgn": Population("lgn", 2, table(1, id=[100], cell=["lgn_100"]), table=table(2, id=[0, 1])),
    }
    cells = {
        "v1_100": PointCell("nrn:IntFire1", {"tau": 0.024, "refrac": 0.003, "type": "NEURON_IntFire1"}),
        "lgn_100": SpikeSource(),
    }
    projections = {
        "v1_to_v1": Projection(
            "v1_to_v1",
            "v1",
            "v1",
            table(
                1,
                id=[100],
                synapse=["v1_to_v1_100"],
                weight_unit=["1"],
                weight=[0.15],
                delay=[2.0],
                weight_function=["wmax"],
            ),
            edges([0, 1, 2], [1, 2, 0], nsyns=[3, 1, 2]),
            section_order="axon_replaced",
        ),
        "lgn_to_v1": Projection(
            "lgn_to_v1",
            "lgn",
            "v1",
            table(1, id=[100], synapse=["lgn_to_v1_100"], weight_unit=["1"], weight=[0.3], delay=[2.0]),
            edges([0, 0, 1], [0, 1, 2], nsyns=[1, 1, 4]),
            section_order="axon_replaced",
        ),
    }
    synapses = {
        "v1_to_v1_100": Synapse("", {"level_of_detail": "instantaneous", "sign": -1}),
        "lgn_to_v1_100": Synapse("", {"level_of_detail": "instantaneous", "sign": 1}),
    }
    trains = SpikeTrains("lgn", np.array([0, 0, 1]), np.array([10.0, 12.5, 11.1]))
    pulses = CurrentPulses(np.array([0.1]), np.array([5.0]), np.array([20.0]))
    plan = SimulationPlan(
        "simulation",
        duration=100.0,
        timestep=0.1,
        spike_threshold=-15.0,
        v_init=-80.0,
        stimuli=(Stimulus("lgn_spikes", trains, "lgn"), Stimulus("clamp", pulses, "v1")),
        recordings=(Recording("membrane_potential", "v", "v1"),),
    )
    return Document(Network("integrate_and_fire", populations, projections, cells, synapses), plan)


def cable() -> Document:
    """Two cable cells on one morphology, with channels by name, and Exp2Syn synapses at given sections."""
    decor = (
        Paint("soma", ChannelDensity("NaTs", 982.25, "na", 53.0)),
        Paint("soma", ChannelDensity("Ih", 0.04125, "hcn")),
        Paint("all", ChannelDensity("pas", 0.25, "non_specific", -92.5)),
        Paint("soma", MembraneProperty("specific_capacitance", 1.0)),
        Paint("dend", MembraneProperty("specific_capacitance", 2.125)),
        Paint("all", MembraneProperty("axial_resistivity", 138.25)),
        Paint("soma", ReversalPotential("k", -107.0)),
    )
    population = Population(
        "bio",
        2,
        table(1, id=[100], cell=["bio_100"]),
        table=table(2, id=[0, 1], x=[0.0, 10.0], y=[0.0, 0.0], z=[0.0, 0.0], rotation_angle_yaxis=[0.0, 1.25]),
    )
    projection = Projection(
        "bio_to_bio",
        "bio",
        "bio",
        table(1, id=[100], synapse=["bio_to_bio_100"], weight_unit=["uS"], delay=[2.0]),
        edges([0, 1], [1, 0], weight=[0.035, 0.002], afferent_section_id=[1, 0], afferent_section_pos=[0.5, 0.25]),
        section_order="specification",
    )
    return Document(
        Network(
            "cable",
            {"bio": population},
            {"bio_to_bio": projection},
            {"bio_100": CableCell("ball_and_stick", decor, ("fullaxon",))},
            {"bio_to_bio_100": Synapse("nrn:Exp2Syn", {"tau1": 1.0, "tau2": 3.0, "erev": 0.0})},
            {name: Opaque("nmodl", name) for name in ("NaTs", "Ih", "pas")},
            {"ball_and_stick": ball_and_stick()},
        )
    )


def patchwork() -> Document:
    """Unsorted ids above 2**33, columns of some rows only, parameters of single cells, no edges in a projection."""
    masked = np.ma.array([0.5, 0.0, 25.0, 0.0], mask=[False, True, False, True])
    population = Population(
        "patch",
        4,
        table(2, id=[10, 20], cell=["patch_10", "patch_20"], layer=[4, 5]),
        Column(np.array([0, 1, 0, 1])),
        table(4, id=[2**33 + 7, 3, 5, 4], group=[0, 1, 0, 1], parameters_V_th=[-50.0, -51.0, -52.0, -53.0]).updated(
            {"tuning_angle": Column(masked, extra=True), "note": column("note", ["a", None, "b b", None])}
        ),
    )
    types = table(1, id=[1], synapse=["s"], weight_unit=["pA"], weight=[1.0], delay=[1.0])
    projections = {
        "none": Projection("none", "patch", "patch", types, edges([], [])),
        "some": Projection("some", "patch", "patch", types, edges([3, 0, 0, 2], [0, 0, 3, 1], label=[1, 2, 3, 4])),
    }
    cells = {
        "patch_10": PointCell("nest:iaf_psc_exp", {"tau_m": 10.0}),
        "patch_20": PointCell("nest:iaf_psc_exp", {"tau_m": 20.0}),
    }
    return Document(
        Network("patchwork", {"patch": population}, projections, cells, {"s": Synapse("nest:static_synapse")})
    )


def _rate(kind: str, rate: float, midpoint: float, scale: float) -> Component:
    return Component(kind, "", {"rate": rate, "midpoint": midpoint, "scale": scale})


def _gate(name: str, instances: float, forward: Component, reverse: Component) -> tuple[str, Component]:
    rates = (("forwardRate", forward), ("reverseRate", reverse))
    return "gateHHrates", Component("gateHHrates", name, {"instances": instances}, children=rates)


def components() -> Document:
    """A cable cell with Hodgkin and Huxley's channels as NeuroML components, groups with notes, a calcium pool."""
    sodium = (
        _gate("m", 3.0, _rate("HHExpLinearRate", 1.0, -40.0, 10.0), _rate("HHExpRate", 4.0, -65.0, -18.0)),
        _gate("h", 1.0, _rate("HHExpRate", 0.07, -65.0, -20.0), _rate("HHSigmoidRate", 1.0, -35.0, 10.0)),
    )
    channels = {
        "na": Component("ionChannelHH", "na", {"conductance": 1e-5}, {"species": "na"}, sodium),
        "leak": Component("ionChannelPassive", "leak", {"conductance": 1e-5}),
        "pool": Component("poolOfMine", "pool", {"rest": 5e-5, "tau": 30.0}, {"ion": "ca"}),
    }
    rest = Assignment("concentration", parse("initialConcentration"))
    pool = ComponentType(
        "poolOfMine",
        "concentrationModel",
        parameters={"rest": "concentration", "tau": "time"},
        texts=("ion",),
        states={"concentration": "concentration"},
        derivatives={"concentration": parse("(rest - concentration)/tau")},
        on_start=(rest,),
    )
    groups = {"all": np.arange(6), "dendrites": np.array([2, 3, 4])}
    path = PathParameter("along", "p", 0.0, None)
    morphology = replace(
        ball_and_stick(),
        id=np.arange(6),  # jNeuroML wants the root to be 0
        groups=groups,
        names={0: "soma", 5: "apical"},
        notes={"dendrites": GroupNotes("GO:0030425", 5, (), (path,), (("colour", "red"),), "thin")},
    )
    profile = Profile("dendrites", "along", parse("5*exp(-p/200)"))
    decor = (
        Paint("all", ChannelDensity("leak", 0.3, "non_specific", -54.387, name="leaks", law=Law.OHMIC)),
        Paint("segment:1", ChannelDensity("na", 120.0, "na", 50.0, name="nas", v_shift=5.0)),
        Paint("all", ChannelDensity("na", ion="na", reversal=50.0, name="far", profiles=(profile,))),
        Paint("dendrites", ChannelPopulation("na", 300.0, "na", 50.0, "few")),
        Paint("all", ConcentrationModel("pool", "ca", {}, 1e-4, 2.0, "ca")),
        Paint("all", MembraneProperty("specific_capacitance", 1.0)),
        Paint("all", MembraneProperty("initial_potential", -65.0)),
    )
    population = Population("cells", 2, table(1, cell=["pyr"]), table=table(2, x=[0.0, 1.0], y=[0, 0], z=[0, 0]))
    return Document(
        Network(
            "components",
            {"cells": population},
            cells={"pyr": CableCell("ball_and_stick", decor)},
            channels=channels,
            morphologies={"ball_and_stick": morphology},
            component_types={"poolOfMine": pool},
        )
    )


def neuroml_points() -> Document:
    """NeuroML's point cells and sources with its synapses, gap junctions, graded synapses and inputs."""
    cells = {
        "iaf": PointCell(
            "neuroml:iafCell",
            {"leakReversal": -50.0, "thresh": -55.0, "reset": -70.0, "C": 0.2, "leakConductance": 0.01},
            children=(("notes", Component("notes", texts={"text": "leaky"})),),
        ),
        "clock": SpikeSource("neuroml:spikeGenerator", {"period": 20.0}),
    }
    block = Component(
        "voltageConcDepBlockMechanism",
        "",
        {"blockConcentration": 1.2, "scalingConc": 1.92, "scalingVolt": 16.13},
        {"species": "mg"},
    )
    rise = {"gbase": 5e-4, "erev": 0.0, "tauRise": 1.0, "tauDecay": 13.0}
    synapses = {
        "nmda": Synapse("neuroml:blockingPlasticSynapse", rise, children=(("blockMechanism", block),)),
        "gap": Synapse("neuroml:gapJunction", {"conductance": 1e-5}),
        "silent": Synapse("neuroml:silentSynapse"),
        "slow": Synapse("neuroml:linearGradedSynapse", {"conductance": 5e-6}),
    }
    one = {"weight_unit": ["1"]}
    projections = {
        "drive": Projection(
            "drive",
            "clocks",
            "iafs",
            table(1, synapse=["nmda"], **one),
            edges([0, 0], [0, 2], weight=[1.0, 0.5], delay=[1.0, 2.0]),
        ),
        "gaps": Projection(
            "gaps", "iafs", "iafs", table(1, synapse=["gap"], **one), edges([0], [1], weight=[2.0]), kind="electrical"
        ),
        "graded": Projection(
            "graded",
            "iafs",
            "iafs",
            table(1, synapse=["slow"], pre_synapse=["silent"], **one),
            edges([1], [2], weight=[3.0]),
            kind="graded",
        ),
    }
    amplitudes = {"startAmplitude": 0.0, "finishAmplitude": 0.1, "baselineAmplitude": 0.0}
    ramp = Component("rampGenerator", "ramp", {"delay": 5.0, "duration": 50.0, **amplitudes})
    targets = Targets("iafs", np.array([0, 2]), weight=np.array([1.0, 2.5]))
    pulses = CurrentPulses(np.array([0.08]), np.array([10.0]), np.array([100.0]))
    plan = SimulationPlan(
        "sim",
        duration=300.0,
        timestep=0.01,
        celsius=32.0,
        stimuli=(
            Stimulus("ramp", ComponentInput(ramp), None, targets=targets),
            Stimulus("pulse", pulses, None, targets=Targets("iafs", np.array([1]))),
        ),
        recordings=(Recording("of", "", None, kind="quantities", file="v.dat", columns=(("v", "iafs[0]/v"),)),),
        extra={"displays": ({"id": "d", "lines": ({"quantity": "iafs[0]/v"},)},)},
    )
    populations = {
        "iafs": Population("iafs", 3, table(1, cell=["iaf"]), table=table(3, id=[7, 2, 5])),
        "clocks": Population("clocks", 1, table(1, cell=["clock"])),
    }
    return Document(Network("neuroml_points", populations, projections, cells, synapses), plan)


MODELS: dict[str, Callable[[], Document]] = {
    function.__name__: function
    for function in (
        two_types,
        standard_models,
        integrate_and_fire,
        cable,
        patchwork,
        components,
        neuroml_points,
    )
}
