"""What NEST says of its connections, as columns.

NEST has one call for weights and delays, which makes a mapping of eleven entries for every connection (NEST 3.10,
``llapi_get_connection_status``). That is nearly all the time an export takes, and it cannot be asked for less; so the
processors share it: forked readers, each with its part of the connections, write into memory that they have in common.
"""

from __future__ import annotations

import math
import mmap
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from multiprocessing import get_all_start_methods, get_context
from operator import itemgetter
from typing import Any

import numpy as np

#: Connections that NEST is asked for at once; mappings of larger blocks no longer fit the processor's cache (1000 took
#: a third longer, 10 a tenth).
_BLOCK = 50
#: Connections that a reader takes in one turn, at least: as long as the last turn takes, the others may wait for it.
_TURN = 2000
#: Turns at most, and bytes of the number of one: all numbers fit into any pipe.
_TURNS = 1000
_WIDTH = 4
#: Connections that are worth a reader of their own: to start one takes some 10 ms, as long as 3000 of them.
_WORTH = 10_000
_MOST = 8


def status(nest: Any, ask: Callable[[], Sequence[Any]], most: int, keys: Sequence[str]) -> np.ndarray:
    """float64 (connections, keys): the values under these keys, in NEST's units.

    ask: gives what NEST calls the connections, of a SynapseCollection, `most` or fewer. Every reader asks for itself:
    of an answer that they share each would copy the pages, since to count a reference writes to the object.
    keys: two or more names of numbers.
    """
    rows = max(_TURN, -(-most // _TURNS))
    turns = range(-(-most // rows))
    work = _Work(nest, ask, keys, rows, _shared((most, len(keys)), np.float64), _shared((len(turns),), np.bool_))
    # forked even where Python would rather spawn (3.14 on): the connections are in this process alone
    others = range(1, readers(most, nest.total_num_virtual_procs))
    with _numbers(turns) as numbers:
        children = [get_context("fork").Process(target=work.share, args=(numbers,)) for _ in others]
        for child in children:
            child.start()
        handles = work.share(numbers)
        for child in children:
            child.join()
    work.fill(handles, [turn for turn in turns if not work.done[turn]])  # of a reader that was killed
    return work.table[: len(handles)]


def readers(size: int, virtual_processes: int) -> int:
    """How many processes read: one beside threads or ranks of NEST, or threads of the program: a fork could hang."""
    if "fork" not in get_all_start_methods() or virtual_processes > 1 or threading.active_count() > 1:
        return 1
    return max(1, min(_processors(), _MOST, size // _WORTH))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shared(shape: tuple[int, ...], dtype: type[np.generic]) -> np.ndarray:
    """Memory of zeros without a name that children share; it goes with the last array on it."""
    count = math.prod(shape)
    memory = mmap.mmap(-1, max(count * np.dtype(dtype).itemsize, 1))
    return np.frombuffer(memory, dtype=dtype, count=count).reshape(shape)


@contextmanager
def _numbers(turns: Sequence[int]) -> Iterator[Iterator[int]]:
    """The numbers of turns, each for one of the processes that iterate over them; a killed one cannot stop the rest."""
    read, write = os.pipe()
    os.write(write, b"".join(turn.to_bytes(_WIDTH) for turn in turns))
    os.close(write)
    try:
        yield (int.from_bytes(number) for number in iter(partial(os.read, read, _WIDTH), b""))
    finally:
        os.close(read)


@dataclass(frozen=True, slots=True)
class _Work:
    """What the readers share. rows: of a turn; table: (connections, keys); done: whether a turn is over."""

    nest: Any
    ask: Callable[[], Sequence[Any]]
    keys: Sequence[str]
    rows: int
    table: np.ndarray
    done: np.ndarray

    def share(self, turns: Iterable[int]) -> Sequence[Any]:
        """Fill the parts of these turns; the connections."""
        handles = self.ask()
        self.fill(handles, turns)
        return handles

    def fill(self, handles: Sequence[Any], turns: Iterable[int]) -> None:
        """These turns' parts, by the kernel's own call: ``get`` of a SynapseCollection takes twice the time."""
        ask, entries = self.nest.ll_api.nestkernel.llapi_get_connection_status, itemgetter(*self.keys)
        for turn in turns:
            part = range(len(handles))[turn * self.rows : (turn + 1) * self.rows]
            found = chain.from_iterable(ask(handles[at : min(at + _BLOCK, part.stop)]) for at in part[::_BLOCK])
            values = chain.from_iterable(map(entries, found))
            shape = len(part), len(self.keys)
            self.table[part.start : part.stop] = np.fromiter(values, np.float64, math.prod(shape)).reshape(shape)
            self.done[turn] = True
