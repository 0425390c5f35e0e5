"""Section ids of real edges: the section they name has the type, and the place the position, that the file states."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io.graph.morphology import locate, sections
from pynn_io.importers.morphology import morphology_from_file

EDGES = {"local_edges_A.h5": "CircuitA", "local_edges_B.h5": "CircuitB"}


@pytest.mark.parametrize("name", EDGES)
def test_section_types_of_edges_are_those_of_the_sections(name: str, data: Path) -> None:
    """The local edges of nd_usecase3 state the type of each section beside its id, counting from 0 for the soma."""
    circuit = data / "sonata_obi" / "nd_usecase3"
    with h5py.File(circuit / f"nodes_{EDGES[name][-1]}.h5") as file:
        (nodes,) = file["nodes"].values()
        group = nodes["0"]
        morphology = group["morphology"][()]
        library = group.get("@library/morphology")
    names = [(library[index] if library is not None else index).decode() for index in morphology]
    checked = 0
    with h5py.File(circuit / name) as file:
        (edges,) = file["edges"].values()
        target = edges["target_node_id"][()]
        ids, types, pos = (edges[f"0/afferent_section_{what}"][()] for what in ("id", "type", "pos"))
        source = edges["source_node_id"][()]
        sent, sent_types = edges["0/efferent_section_id"][()], edges["0/efferent_section_type"][()]
    for row, stated in enumerate(names):
        whole = morphology_from_file(circuit / EDGES[name] / "morphologies" / "swc" / f"{stated}.swc")
        here = target == row
        np.testing.assert_array_equal(sections(whole).tag[ids[here]], types[here] + 1)
        segment, fraction = locate(whole, ids[here], pos[here])
        np.testing.assert_array_equal(whole.tag[segment], types[here] + 1)
        assert ((fraction >= 0) & (fraction <= 1)).all()
        np.testing.assert_array_equal(sections(whole).tag[sent[source == row]], sent_types[source == row] + 1)
        checked += int(here.sum())
    assert checked == len(target) > 0
