"""What NEST says of its connections, as columns.

NEST has one call for weights and delays, which makes a mapping of eleven entries for every connection (NEST 3.10,
``llapi_get_connection_status``). That is nearly all the time an export takes, and it cannot be asked for less; so the
processors share it: forked readers, each with its part of the connections, write into memory that they have in common.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from multiprocessing import get_all_start_methods, get_context
from operator import itemgetter
from typing import Any

import numpy as np

#: Connections that NEST is asked for at once; mappings of larger blocks no longer fit the processor's cache (1000 took
#: a third longer, 10 a tenth).
_BLOCK = 50
#: Connections that are worth a reader of their own: to start one takes some 10 ms, as long as 3000 of them.
_WORTH = 10_000
_MOST = 8


def status(nest: Any, handles: Sequence[Any], keys: Sequence[str]) -> np.ndarray:
    """float64 (connections, keys): the values under these keys, in NEST's units.

    handles: of a SynapseCollection. keys: two or more names of numbers.
    """
    table = _shared_table(len(handles), len(keys))
    first, *others = _shares(len(handles), readers(len(handles), nest.total_num_virtual_procs))
    # forked even where Python would rather spawn (3.14 on): the connections are in this process alone
    children = [get_context("fork").Process(target=_fill, args=(table, nest, handles, keys, *each)) for each in others]
    for child in children:
        child.start()
    _fill(table, nest, handles, keys, *first)
    for child, share in zip(children, others, strict=True):
        child.join()
        if child.exitcode:  # it was killed; what it had to read is still there to be read
            _fill(table, nest, handles, keys, *share)
    return table


def readers(size: int, virtual_processes: int) -> int:
    """How many processes read: one beside threads or ranks of NEST, or threads of the program: a fork could hang."""
    if "fork" not in get_all_start_methods() or virtual_processes > 1 or threading.active_count() > 1:
        return 1
    return max(1, min(_processors(), _MOST, size // _WORTH))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shares(size: int, count: int) -> Iterator[tuple[int, int]]:
    return pairwise(np.linspace(0, size, count + 1).astype(int).tolist())


def _shared_table(rows: int, columns: int) -> np.ndarray:
    """Memory without a name that children share; it goes with the last array on it."""
    memory = mmap.mmap(-1, max(rows * columns, 1) * np.dtype(np.float64).itemsize)
    return np.frombuffer(memory, dtype=np.float64, count=rows * columns).reshape(rows, columns)


def _fill(table: np.ndarray, nest: Any, handles: Sequence[Any], keys: Sequence[str], start: int, stop: int) -> None:
    """Rows start to stop, by the kernel's own call: ``get`` of a SynapseCollection takes twice the time."""
    ask, entries = nest.ll_api.nestkernel.llapi_get_connection_status, itemgetter(*keys)
    found = chain.from_iterable(ask(handles[at : min(at + _BLOCK, stop)]) for at in range(start, stop, _BLOCK))
    values = chain.from_iterable(map(entries, found))
    table[start:stop] = np.fromiter(values, np.float64, (stop - start) * len(keys)).reshape(-1, len(keys))
