"""A network that speaks NeuroML, by hand: something of everything that has a place there."""

from __future__ import annotations

import numpy as np

from pynn_io.document import Document
from pynn_io.graph import CableCell, Column, Network, PointCell, Population, Projection, SpikeSource, Synapse
from pynn_io.graph.biophysics import (
    ChannelDensity,
    ChannelPopulation,
    ConcentrationModel,
    Law,
    MembraneProperty,
    Paint,
    Profile,
)
from pynn_io.graph.dynamics import Case, Component, ComponentType, Derived
from pynn_io.graph.expressions import parse
from pynn_io.graph.segments import GroupNotes, Morphology, PathParameter, SomaKind
from pynn_io.graph.stimuli import ComponentInput, CurrentPulses, SpikeTrains, Stimulus, Targets
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.models import edges, table


def component(kind: str, name: str = "", *children: tuple[str, Component], **values: float | str) -> Component:
    numbers = {key: value for key, value in values.items() if not isinstance(value, str)}
    texts = {key.rstrip("_"): value for key, value in values.items() if isinstance(value, str)}
    return Component(kind, name, numbers, texts, children)


#: A rate of an own type: r = 0.5 per_ms exp(v / 25 mV).
RATE = ComponentType(
    "growing_rate",
    "baseVoltageDepRate",
    constants={"A": ("per_time", 0.5), "SCALE": ("voltage", 25.0)},
    derived=(Derived("r", "per_time", (Case(parse("A * exp(v / SCALE)")),)),),
)


def channels() -> dict[str, Component]:
    rate = component("HHExpLinearRate", rate=1.0, midpoint=-40.0, scale=10.0)
    forward = ("forwardTransition", component("forwardTransition", "c_o", ("rate", rate), from_="c", to="o"))
    reverse = ("reverseTransition", component("reverseTransition", "o_c", ("rate", rate), from_="c", to="o"))
    return {
        "na": component(
            "ionChannelHH",
            "na",
            ("notes", component("notes", text="Sodium & more")),
            (
                "gateHHrates",
                component(
                    "gateHHrates",
                    "m",
                    ("q10Settings", component("q10ExpTemp", q10Factor=3.0, experimentalTemp=279.45)),
                    ("forwardRate", component("growing_rate")),
                    ("reverseRate", rate),
                    instances=3.0,
                ),
            ),
            conductance=1e-5,
            species="na",
        ),
        "shifted": component("ionChannelVShift", "shifted", conductance=1e-5, vShift=-5.0),
        "leak": component("ionChannelPassive", "leak", conductance=1e-5),
        "ks": component(
            "ionChannelKS",
            "ks",
            (
                "gateKS",
                component(
                    "gateKS",
                    "n",
                    ("closedState", component("closedState", "c")),
                    ("openState", component("openState", "o")),
                    forward,
                    reverse,
                    instances=4.0,
                ),
            ),
            conductance=1e-5,
            species="k",
        ),
        "pool": component(
            "decayingPoolConcentrationModel", "pool", restingConc=1e-4, decayConstant=80.0, shellThickness=0.1, ion="ca"
        ),
    }


def morphology() -> Morphology:
    """A spherical soma, a dendrite of two segments at 0.5 of it, and an axon; ids 0, 3, 4, 7."""
    proximal = [[0, -10, 0, 20], [0, 0, 0, 20], [50, 0, 0, 2], [0, 10, 0, 1]]
    distal = [[0, 10, 0, 20], [50, 0, 0, 2], [90, 0, 0, 1], [0, 60, 0, 1]]
    return Morphology(
        "pyr",
        np.array([0, 3, 4, 7]),
        np.array([-1, 0, 1, 0]),
        np.array([0.0, 0.5, 1.0, 1.0]),
        np.array(proximal, dtype=float),
        np.array(distal, dtype=float),
        np.array([1, 0, 0, 0]),
        SomaKind.SPHERE,
        groups={
            "soma_group": np.array([0]),
            "dendrites": np.array([1, 2]),
            "everything": np.array([0, 1, 2, 3]),
        },
        spheres={0: (0.0, 0.0, 0.0)},
        names={0: "soma", 2: "tip"},
        notes={
            "dendrites": GroupNotes(
                "sao864921383", 5, (), (PathParameter("d", "p", 0.0, 1.0),), (("color", "1 0 0"),), "thin & long"
            ),
            "everything": GroupNotes("", None, ("dendrites", "soma_group")),
            "soma_group": GroupNotes("GO:0043025"),
        },
    )


def decor() -> tuple[Paint, ...]:
    profile = Profile("dendrites", "d", parse("5e-7 * exp(-p / 200)"))
    return (
        Paint("all", ChannelPopulation("leak", 1000.0, "non_specific", -54.3, "leaks")),
        Paint("soma_group", ChannelDensity("na", 120.0, "na", 50.0, name="na_soma")),
        Paint("segment:4", ChannelDensity("ks", 36.0, "k", -77.0, name="k_tip")),
        Paint("all", ChannelDensity("shifted", 0.1, "na", 50.0, name="v", v_shift=-5.0)),
        Paint("all", ChannelDensity("na", 0.02, "ca", name="nernst", law=Law.NERNST)),
        Paint("all", ChannelDensity("na", None, "ca", name="ghk", law=Law.GHK, permeability=0.001)),
        Paint("all", ChannelDensity("na", 0.3, "ca", name="ghk2", law=Law.GHK2)),
        Paint("all", ChannelDensity("na", None, "na", 50.0, name="thinning", profiles=(profile,))),
        Paint("all", MembraneProperty("spike_threshold", -20.0)),
        Paint("soma_group", MembraneProperty("specific_capacitance", 1.0)),
        Paint("dendrites", MembraneProperty("specific_capacitance", 2.0)),
        Paint("all", MembraneProperty("initial_potential", -65.0)),
        Paint("all", ConcentrationModel("pool", "ca", initial=1e-4, initial_outside=2.0, name="ca")),
        Paint("all", MembraneProperty("axial_resistivity", 150.0)),
    )


def born_document() -> Document:
    cells = {
        "pyr": CableCell("pyr", decor()),
        "iaf": PointCell(
            "neuroml:iafTauCell", {"leakReversal": -50.0, "thresh": -55.0, "reset": -70.0, "tau": 30.0}
        ),
        "pynn": PointCell(
            "IF_cond_exp",
            {
                "cm": 1.0, "i_offset": 0.0, "tau_syn_E": 5.0, "tau_syn_I": 4.0, "v": -65.0, "tau_m": 20.0,
                "tau_refrac": 5.0, "v_reset": -65.0, "v_rest": -65.0, "v_thresh": -52.0, "e_rev_E": 0.0,
                "e_rev_I": -80.0,
            },
        ),
        "train": SpikeSource(),
    }  # fmt: skip
    populations = {
        # A population may bear the name of a component.
        "pyr": Population("pyr", 2, table(1, cell=["pyr"]), table=table(2, id=[4, 9], x=[0.0, 1.5], y=0.0, z=0.0)),
        "points": Population("points", 3, table(1, cell=["iaf"])),
        "pynn_pop": Population("pynn_pop", 2, table(1, cell=["pynn"])),
        "sources": Population("sources", 2, table(1, cell=["train"])),
    }
    synapses = {
        "ampa": Synapse("neuroml:expOneSynapse", {"gbase": 5e-4, "erev": 0.0, "tauDecay": 3.0}),
        "nmda": Synapse(
            "neuroml:blockingPlasticSynapse",
            {"gbase": 5e-4, "erev": 0.0, "tauDecay": 50.0, "tauRise": 2.0},
            children=(
                (
                    "plasticityMechanism",
                    component("tsodyksMarkramDepMechanism", initReleaseProb=0.5, tauRec=120.0),
                ),
                (
                    "blockMechanism",
                    component(
                        "voltageConcDepBlockMechanism", blockConcentration=1.2, scalingConc=1.9, scalingVolt=16.0,
                        species="mg",
                    ),
                ),
            ),
        ),
        "gap": Synapse("neuroml:gapJunction", {"conductance": 1e-5}),
        "gap2": Synapse("neuroml:gapJunction", {"conductance": 2e-5}),
        "silent": Synapse("neuroml:silentSynapse"),
        "graded": Synapse(
            "neuroml:gradedSynapse", {"conductance": 5e-3, "delta": 5.0, "Vth": -55.0, "k": 0.025, "erev": 0.0}
        ),
        "exc_static": Synapse("static"),
    }  # fmt: skip
    sites = {
        "afferent_segment_id": [3, 4], "afferent_segment_fraction": [0.25, 1.0],
        "efferent_segment_id": [0, 0], "efferent_segment_fraction": [0.5, 0.5],
    }  # fmt: skip
    projections = {
        "bare": Projection(
            "bare", "sources", "points", table(1, synapse=["nmda"], weight_unit=["1"]), edges([0, 1], [2, 0])
        ),
        "sited": Projection(
            "sited", "pyr", "pyr", table(1, synapse=["ampa"], weight_unit=["1"]),
            edges([0, 1], [1, 0], weight=[0.5, 2.0], delay=[1.0, 0.1], **sites),
        ),
        "receptors": Projection(
            "receptors", "sources", "pynn_pop",
            table(1, synapse=["exc_static"], weight_unit=["uS"], receptor=["excitatory"]),
            edges([0, 1], [0, 1], weight=[0.01, 1 / 3], delay=[1.0, 2.0]),
        ),
        "gaps": Projection(
            "gaps", "points", "points", table(2, synapse=["gap", "gap2"], weight_unit=["1", "1"]),
            edges([0, 1], [1, 2], weight=[1.0, 3.0]),
            Column(np.array([0, 1])), "electrical",
        ),
        "analog": Projection(
            "analog", "points", "points", table(1, synapse=["graded"], pre_synapse=["silent"], weight_unit=["1"]),
            edges([0], [2]), kind="graded",
        ),
    }  # fmt: skip
    rows = np.array([1, 0, 1])
    stimuli = (
        Stimulus(
            "clamps", CurrentPulses(np.array([0.3]), np.array([10.0]), np.array([50.0])), None,
            targets=Targets("pyr", rows, np.array([0, 3, 7]), np.array([0.5, 0.1, 1.0]), np.array([1.0, 2.0, -0.5])),
        ),
        Stimulus(
            "background",
            ComponentInput(
                component("poissonFiringSynapse", "noise", averageRate=0.05, synapse="ampa", spikeTarget="./ampa")
            ),
            None,
            targets=Targets("points", np.array([0, 2])),
        ),
        Stimulus("train", SpikeTrains("sources", np.array([0, 0, 1, 1]), np.array([5.0, 7.5, 5.0, 7.5])), "sources"),
    )  # fmt: skip
    plan = SimulationPlan(
        "sim1",
        duration=100.0,
        timestep=0.01,
        seed=7,
        celsius=6.3,
        stimuli=stimuli,
        recordings=(
            Recording("of0", "", None, kind="quantities", file="v.dat", columns=(("v", "pyr/4/pyr/0/v"),)),
            Recording(
                "ev0", "spike", None, kind="events", file="s.dat", columns=(("0", "points[1]"),),
                parameters={"format": "TIME_ID"},
            ),
        ),
        extra={"displays": ({"id": "d0", "title": "v > 0", "lines": ({"id": "l", "quantity": "points[0]/v"},)},)},
    )  # fmt: skip
    return Document(
        Network(
            "net1", populations, projections, cells, synapses, channels(), {"pyr": morphology()},
            component_types={"growing_rate": RATE},
        ),
        plan,
    )  # fmt: skip
