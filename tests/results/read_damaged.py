"""Reads a result file 150 times, each time with other bytes flipped: ``read_damaged.py FILE SEED``.

A process of its own, since HDF5 itself crashes or loops for ever on some damage (one file in some hundreds).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from pynn_io import read_results
from pynn_io.errors import PynnIOError

CASES = 150


def flipped(whole: bytes, random: np.random.Generator) -> bytes:
    damaged = bytearray(whole)
    for place in random.integers(len(damaged), size=random.integers(1, 9)).tolist():
        damaged[place] ^= int(random.integers(1, 256))
    return bytes(damaged)


def check(path: Path) -> None:
    """What is read is of the right shape, or the error is ours and names the file."""
    try:
        found = read_results(path)
    except PynnIOError as error:
        assert str(path) in str(error)
        return
    for spikes in found.spikes.values():
        assert spikes.node_ids.shape == spikes.times.shape
    for trace in found.traces:
        assert trace.data.shape[1] == len(trace.node_ids)


def main() -> None:
    path, random = Path(sys.argv[1]), np.random.default_rng(int(sys.argv[2]))
    sound = path.read_bytes()
    for _ in range(CASES):
        path.write_bytes(flipped(sound, random))
        check(path)


if __name__ == "__main__":
    main()
