"""Gap junctions and quantities of NeuroML on NEURON: against the steady state by hand, on one rank and on two."""

from __future__ import annotations

import numpy as np
import pytest

from pynn_io.graph.biophysics import ChannelDensity, MembraneProperty, Paint
from pynn_io.graph.cells import CableCell
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.segments import Morphology
from pynn_io.graph.stimuli import CurrentPulses, Stimulus, Targets
from pynn_io.graph.synapses import Synapse
from pynn_io.results.results import QuantityTable, Results
from pynn_io.runners import mpi
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import Recording, SimulationPlan

pytestmark = pytest.mark.slow
#: Area 1000 um2: 0.3 mS/cm2 are 3 nS.
_DIAMETER = (1000 / np.pi) ** 0.5
_LEAK, _JUNCTION, _CURRENT, _REST = 0.003, 0.002, 0.01, -65.0


def _network() -> Network:
    ends = np.array([[0, 0, 0, _DIAMETER], [0, _DIAMETER, 0, _DIAMETER]])
    zero = np.zeros(1, dtype=np.int64)
    ball = Morphology("ball", zero, zero - 1, np.zeros(1), ends[:1], ends[1:], zero + 1)
    density = ChannelDensity("pas", 0.3, "non_specific", _REST, name="leak")
    decor = (
        Paint("all", density),
        *(Paint("all", MembraneProperty(kind, value)) for kind, value in (
            ("specific_capacitance", 1.0), ("axial_resistivity", 100.0), ("initial_potential", _REST),
            ("spike_threshold", 0.0),
        )),
    )  # fmt: skip
    types = Table(1, {"synapse": text_column(["gap"]), "weight_unit": text_column(["1"])})
    edges = Edges(Column(np.array([0])), Column(np.array([1])), Table(1))
    return Network(
        populations={"cells": Population("cells", 2, Table(1, {"cell": text_column(["cell"])}))},
        projections={"gaps": Projection("gaps", "cells", "cells", types, edges, kind="electrical")},
        cells={"cell": CableCell("ball", decor)},
        synapses={"gap": Synapse("neuroml:gapJunction", {"conductance": _JUNCTION})},
        channels={"pas": Component("ionChannelPassive", "pas", {"conductance": 1e-5})},
        morphologies={"ball": ball},
    )


def _plan() -> SimulationPlan:
    columns = (("a", "cells[0]/v"), ("b", "cells[1]/v"), ("c", "cells/0/cell/bio/membraneProperties/leak/iDensity"))
    pulse = CurrentPulses(np.array([_CURRENT]), np.array([0.0]), np.array([1000.0]))
    return SimulationPlan(
        duration=100.0,
        timestep=0.025,
        stimuli=(Stimulus("step", pulse, None, targets=Targets("cells", np.array([0]))),),
        recordings=(Recording("of", "", None, kind="quantities", file="v.dat", columns=columns),),
    )


def _table(results: Results) -> QuantityTable:
    (table,) = results.tables
    assert isinstance(table, QuantityTable)
    return table


def test_the_steady_state_by_hand() -> None:
    """Two leaks and a junction: ``I = gL u + gJ (u - w)`` and ``gJ (u - w) = gL w``."""
    pytest.importorskip("neuron")
    results = simulate(_network(), _plan(), "neuron")
    table = _table(results)
    other = _JUNCTION / (_LEAK + _JUNCTION)
    first = _CURRENT / (_LEAK + _JUNCTION * (1 - other))
    np.testing.assert_allclose(table.data[-1, :2] * 1000, [_REST + first, _REST + other * first], atol=1e-4)
    np.testing.assert_allclose(table.data[-1, 2], -3.0 * first / 1000, rtol=1e-5)  # S/m2 * V, inwards
    np.testing.assert_allclose(results.traces[0].data[:, 0], table.data[:, 0] * 1000)
    assert table.times[-1] == pytest.approx(100.0)


def test_two_ranks_give_the_same_file() -> None:
    pytest.importorskip("neuron")
    try:
        mpi.under_mpirun(["true"], 2, {})
    except Exception as error:  # noqa: BLE001 - whatever is missing for MPI here
        pytest.skip(f"no MPI here: {error}")
    one, two = (_table(simulate(_network(), _plan(), "neuron", processes=number)) for number in (1, 2))
    np.testing.assert_array_equal(one.data, two.data)
