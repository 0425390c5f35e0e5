"""The equations of a written file give the spikes of the network that it was written from.

No reader of NIR that runs a graph is light enough for these tests (Spyx and jaxsnn need JAX, the others PyTorch or a
container). So files are read by nir itself, which infers and checks all types, and its published equations are
integrated by `tests.nir.equations`, which knows nothing of pynn_io.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.pipeline import write
from pynn_io.simulate import simulate
from tests.nir.equations import spikes
from tests.nir.nets import TIMESTEP, busy

nir = pytest.importorskip("nir")
pytest.importorskip("nest")


def by_equations(document: Document, folder: Path) -> np.ndarray:
    """``(row, step)`` of every spike, by the file alone."""
    write(document, folder / "net.nir", "nir")
    graph = nir.read(folder / "net.nir")
    what = document.plan.stimuli[0].what
    size = document.network.populations["in"].size
    trains = [what.times[what.node_ids == node].tolist() for node in range(size)]
    found = spikes(graph, {"in": trains}, -65.0, TIMESTEP, document.plan.duration)["exc"]
    return np.column_stack([found[:, 0], np.rint(found[:, 1] / TIMESTEP)]).astype(int)


def in_nest(document: Document) -> np.ndarray:
    found = simulate(document.network, document.plan, "nest").spikes["exc"]
    return np.column_stack([found.node_ids, np.rint(found.times / TIMESTEP)]).astype(int)


def ordered(rows: np.ndarray) -> list[tuple[int, int]]:
    return sorted(map(tuple, rows.tolist()))


@pytest.mark.parametrize("model", ["IF_curr_exp", "IF_curr_delta"])
def test_the_written_equations_spike_as_nest_does(model: str, tmp_path: Path) -> None:
    document = busy(model)
    expected = ordered(in_nest(document))
    assert len(expected) > 300
    assert ordered(by_equations(document, tmp_path)) == expected
