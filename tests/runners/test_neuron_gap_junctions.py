"""Gap junctions as Allen's circuits state them, one edge for both halves: the steady state worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.graph import (
    CableCell,
    ChannelDensity,
    Column,
    Edges,
    Network,
    Opaque,
    Paint,
    Population,
    Projection,
    Synapse,
    Table,
    text_column,
)
from pynn_io.graph.morphology import Morphology, SomaKind
from pynn_io.graph.stimuli import CurrentPulses, Stimulus
from pynn_io.lowering.cables.junctions import lower
from pynn_io.report import Kind, Report
from pynn_io.simulation_plan import Recording, SimulationPlan

pytest.importorskip("neuron", reason="NEURON is not installed")

REST, CURRENT, JUNCTION = -70.0, 0.01, 0.001  # mV, nA, uS
#: A cylinder of 20 um by 20 um at 0.1 mS/cm2, in uS.
LEAK = 0.1 * np.pi * 20.0 * 20.0 * 1e-5


def soma() -> Morphology:
    one, root = np.array([1]), np.array([-1])
    ends = np.array([[0.0, -10, 0, 20]]), np.array([[0.0, 10, 0, 20]])
    return Morphology("soma", one, root, np.array([0.0]), *ends, np.array([1]), SomaKind.CYLINDERS)


def network() -> Network:
    cell = CableCell("soma", (Paint("all", ChannelDensity("pas", 0.1, None, REST)),))
    edge = Edges(Column(np.array([0])), Column(np.array([1])), Table(1, {"weight": Column(JUNCTION)}))
    types = {"synapse": text_column(["gap"]), "weight_unit": text_column(["uS"])}
    return Network(
        populations={"cells": Population("cells", 2, Table(1, {"cell": text_column(["cell"])}))},
        projections={"gaps": Projection("gaps", "cells", "cells", Table(1, types), edge, kind="electrical")},
        cells={"cell": cell},
        synapses={"gap": Synapse("")},
        channels={"pas": Opaque("nmodl", "pas")},
        morphologies={"soma": soma()},
    )


def test_one_edge_couples_both_cells() -> None:
    """I = G (v0 - E) + g (v0 - v1) and 0 = G (v1 - E) + g (v1 - v0)."""
    pulse = CurrentPulses(np.array([CURRENT]), np.array([0.0]), np.array([1000.0]))
    plan = SimulationPlan(
        "gap",
        duration=500.0,
        timestep=0.1,
        v_init=REST,
        stimuli=(Stimulus("i", pulse, {"population": "cells", "node_id": 0}),),
        recordings=(Recording("v", "v", {"population": "cells"}),),
    )
    report = Report()
    trace = plan.run(network(), backend="neuron", report=report).traces[0]
    assert report.of_kind(Kind.LOST, Kind.APPROXIMATED, Kind.NOT_READ) == []
    (issue,) = [issue for issue in report if issue.code == "junction-section"]
    assert (issue.kind, issue.count, issue.where) == (Kind.DEFAULTED, 2, "projections/gaps")
    first = CURRENT / (LEAK + JUNCTION * LEAK / (LEAK + JUNCTION))
    expected = REST + first * np.array([1.0, JUNCTION / (LEAK + JUNCTION)])
    np.testing.assert_allclose(trace.data[-1, np.argsort(trace.node_ids)], expected, atol=1e-6)


def sites(**stated: Column) -> list[tuple[Kind, int]]:
    """What is said of the sections of three junctions; the first cell is at both ends of the last."""
    whole = network()
    edge = Edges(Column(np.array([0, 1, 0])), Column(np.array([1, 0, 0])), Table(3, {"weight": Column(0.1), **stated}))
    gaps = {"gaps": replace(whole.projections["gaps"], edges=edge)}
    report = Report()
    ids = {"cells": np.ones(2, dtype=bool)}
    lower(replace(whole, projections=gaps), ids, {"cells": 0}, report)
    return [(issue.kind, issue.count) for issue in report if issue.code == "junction-section"]


def test_sites_without_a_section_are_counted() -> None:
    """An edge has two sites; that on the source is at the section of the target where it states none itself."""
    some = Column(np.ma.masked_array([0, 0, 0], [False, True, False]))
    assert sites() == [(Kind.DEFAULTED, 6)]
    assert sites(afferent_section_id=Column(np.zeros(3, dtype=np.int64))) == []
    assert sites(afferent_section_id=some) == [(Kind.DEFAULTED, 2)]
    assert sites(afferent_section_id=Column(np.zeros(3, dtype=np.int64)), efferent_section_id=some) == [
        (Kind.DEFAULTED, 1)
    ]


def test_a_rule_for_the_sites_is_not_followed_and_that_is_no_default() -> None:
    assert sites(target_sections=text_column(["basal"] * 3)) == [(Kind.APPROXIMATED, 6)]
