"""Reads a NeuroML HDF5 file 200 times, each time with other bytes flipped: ``read_damaged.py FILE SEED``.

A process of its own, since HDF5 itself crashes or loops for ever on some damage.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from pynn_io import Report
from pynn_io.errors import PynnIOError
from pynn_io.importers.neuroml import read
from tests.results.read_damaged import flipped

CASES = 200


def check(path: Path) -> bool:
    """Whether it is refused; the error is ours and names the file. What is read is of the right shape."""
    try:
        network = read(path, Report()).network
    except PynnIOError as error:
        assert str(path) in str(error)
        return True
    for population in network.populations.values():
        assert population.table.size == population.size
    for projection in network.projections.values():
        for start, stop, columns in projection.blocks(list(projection.edges.columns)):
            assert all(np.shape(column) in ((), (stop - start,)) for column in columns.values())
    return False


def main() -> None:
    path, random = Path(sys.argv[1]), np.random.default_rng(int(sys.argv[2]))
    sound = path.read_bytes()
    assert not check(path)
    refused = 0
    for _ in range(CASES):
        path.write_bytes(flipped(sound, random))
        refused += check(path)
    assert refused, "no damage was seen"


if __name__ == "__main__":
    main()
