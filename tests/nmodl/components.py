"""Components by hand, for the tests of what is made of them."""

from __future__ import annotations

from pynn_io.graph.dynamics import Component


def rate(type_: str, **numbers: float) -> Component:
    return Component(type_, parameters=numbers)


def gate(name: str, instances: int, forward: Component, reverse: Component) -> tuple[str, Component]:
    parts = (("forwardRate", forward), ("reverseRate", reverse))
    return "gateHHrates", Component("gateHHrates", name, {"instances": instances}, {}, parts)


#: Hodgkin and Huxley (1952) as NEURON's ``hh`` has them, and their leak.
SODIUM = Component(
    "ionChannelHH",
    "na",
    {"conductance": 1e-5},
    {"species": "na"},
    (
        gate(
            "m",
            3,
            rate("HHExpLinearRate", rate=1, midpoint=-40, scale=10),
            rate("HHExpRate", rate=4, midpoint=-65, scale=-18),
        ),
        gate(
            "h",
            1,
            rate("HHExpRate", rate=0.07, midpoint=-65, scale=-20),
            rate("HHSigmoidRate", rate=1, midpoint=-35, scale=10),
        ),
    ),
)
POTASSIUM = Component(
    "ionChannelHH",
    "k",
    {"conductance": 1e-5},
    {"species": "k"},
    (
        gate(
            "n",
            4,
            rate("HHExpLinearRate", rate=0.1, midpoint=-55, scale=10),
            rate("HHExpRate", rate=0.125, midpoint=-65, scale=-80),
        ),
    ),
)
LEAK = Component("ionChannelPassive", "pas", {"conductance": 1e-5})
NMDA = Component(
    "blockingPlasticSynapse",
    "nmda",
    {"gbase": 0.001, "erev": 0.0, "tauRise": 2.0, "tauDecay": 50.0},
    {},
    (
        (
            "plasticityMechanism",
            Component("tsodyksMarkramDepFacMechanism", "", {"initReleaseProb": 0.5, "tauRec": 100.0, "tauFac": 50.0}),
        ),
        (
            "blockMechanism",
            Component(
                "voltageConcDepBlockMechanism",
                "",
                {"blockConcentration": 1.2, "scalingConc": 1.9, "scalingVolt": 16.0},
                {"species": "mg"},
            ),
        ),
    ),
)
ADEX = Component(
    "adExIaFCell",
    "adex",
    {
        "C": 0.281,
        "gL": 0.03,
        "EL": -70.6,
        "reset": -48.5,
        "VT": -50.4,
        "thresh": -40.4,
        "refract": 2.0,
        "delT": 2.0,
        "tauw": 40.0,
        "a": 0.004,
        "b": 0.08,
    },
)
POOL = Component(
    "fixedFactorConcentrationModel", "pool", {"restingConc": 1e-4, "decayConstant": 5.0, "rho": 1.7e-7}, {"ion": "ca"}
)
KS = Component(
    "ionChannelKS",
    "ks",
    {"conductance": 1e-5},
    {"species": "k"},
    (
        (
            "gateKS",
            Component(
                "gateKS",
                "n",
                {"instances": 1},
                {},
                (
                    ("closedState", Component("closedState", "c1")),
                    ("openState", Component("openState", "o1")),
                    (
                        "forwardTransition",
                        Component(
                            "forwardTransition",
                            "ft",
                            {},
                            {"from": "c1", "to": "o1"},
                            (("rate", rate("HHExpLinearRate", rate=0.1, midpoint=-55, scale=10)),),
                        ),
                    ),
                    (
                        "reverseTransition",
                        Component(
                            "reverseTransition",
                            "rt",
                            {},
                            {"from": "c1", "to": "o1"},
                            (("rate", rate("HHExpRate", rate=0.125, midpoint=-65, scale=-80)),),
                        ),
                    ),
                ),
            ),
        ),
    ),
)
