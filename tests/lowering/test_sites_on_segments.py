"""Synapses on cells of segments: their places are segments, and sections that edges state are not passed over."""

from dataclasses import replace

import numpy as np

from pynn_io.graph.columns import Column, Table
from pynn_io.pipeline import read
from pynn_io.report import Report
from pynn_io.runners.neuron import NeuronRunner
from tests.conftest import ROOT

PAIR = ROOT / "fixtures/neuroml/LEMS_pair.xml"


def lowered(change):
    """The report of NEURON's lowering of the pair, the columns of whose edges onto the cable cell were changed."""
    document = read(PAIR)
    network = document.network
    projections = dict(network.projections)
    (name,) = [each.name for each in projections.values() if network.populations[each.post].cells == ("pyramid",)]
    projection = projections[name]
    columns = change(projection.edges.columns)
    projections[name] = replace(projection, edges=replace(projection.edges, columns=columns))
    report = Report()
    model = NeuronRunner().lower(replace(network, projections=projections), document.plan, report)
    everything = np.ones(sum(each.size for each in network.populations.values()), dtype=bool)
    for connection in model.connections:
        list(connection.blocks(everything, report))
    return [issue for issue in report if issue.code == "synapse-site"]


def by_section(table):
    """The same edges, which state a section and no segment."""
    kept = {key: column for key, column in table.items() if not key.startswith("afferent_segment")}
    return Table(table.size, {**kept, "afferent_section_id": Column(np.zeros(table.size, np.int64))})


def test_segments_are_places():
    assert lowered(lambda table: table) == []


def test_sections_on_a_cell_of_segments_are_reported():
    (issue,) = lowered(by_section)
    assert (str(issue.kind), issue.count) == ("APPROXIMATED", 1)
    assert "put in the middle of the root" in issue.message
