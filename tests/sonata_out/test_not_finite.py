"""Parameters that are not finite, as NEST's ``V_min`` of -inf, for which JSON has no word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pynn_io
from pynn_io.document import Document
from pynn_io.graph import Column, Network, PointCell, Population, Projection, Synapse, text_column
from pynn_io.graph.network import Edges
from pynn_io.report import Kind
from tests.models import table

CELLS = {
    "free": PointCell("nest:iaf_psc_alpha", {"V_min": -np.inf, "C_m": 200.0}),
    "bound": PointCell("nest:iaf_psc_alpha", {"V_min": -80.0, "C_m": 250.0}),
}


@pytest.mark.parametrize("dialect", ["sonata", "sonata+allen", "sonata+obi"])
def test_of_cells_they_are_stated_by_every_row(tmp_path: Path, dialect: str) -> None:
    population = Population("p", 3, table(2, cell=list(CELLS)), Column(np.array([0, 1, 0])))
    report = pynn_io.write(Document(Network(populations={"p": population}, cells=CELLS)), tmp_path / "out", dialect)
    assert "parameter-not-finite" in report.codes() and not list(report.of_kind(Kind.LOST))
    found = pynn_io.read(tmp_path / "out").network.populations["p"]
    np.testing.assert_array_equal(found.column("parameters:V_min").read(3), [-np.inf, -80.0, -np.inf])


def test_of_synapses_they_are_reported(tmp_path: Path) -> None:
    types = table(1, synapse=["s"]).updated({"weight_unit": text_column(["pA"])})
    edges = Edges(Column(np.array([0])), Column(np.array([0])), table(1))
    net = Network(
        populations={"p": Population("p", 1, table(1, cell=["bound"]))},
        cells={"bound": CELLS["bound"]},
        synapses={"s": Synapse("nest:stdp_synapse", {"Wmax": np.inf, "alpha": 0.5})},
        projections={"e": Projection("e", "p", "p", types, edges)},
    )
    report = pynn_io.write(Document(net), tmp_path / "out", "sonata+allen")
    (issue,) = [one for one in report if one.code == "parameter-not-finite"]
    assert (issue.kind, issue.where, list(issue.examples)) == (Kind.LOST, "synapse s", ["Wmax"])
    (synapse,) = pynn_io.read(tmp_path / "out").network.synapses.values()
    assert dict(synapse.parameters) == {"alpha": 0.5}
