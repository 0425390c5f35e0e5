"""What NEST says of its connections, as columns.

NEST has one call for weights and delays, which makes a mapping of eleven entries for every connection (NEST 3.10,
``llapi_get_connection_status``). That is nearly all the time an export takes, and it cannot be asked for less; so the
processors share it: forked readers, each with its part of the connections, write into memory that they have in common.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from multiprocessing import current_process, get_all_start_methods, get_context
from operator import itemgetter
from typing import IO, Any

import numpy as np

#: Connections that NEST is asked for at once; mappings of larger blocks no longer fit the processor's cache (1000 took
#: a third longer, 10 a tenth).
_BLOCK = 50
#: A reader's last turns have this part of the sources: as long as one takes, the others may wait for it.
_LAST = 0.01
#: Bytes of the number of a turn; the numbers of all turns fit into any pipe.
_WIDTH = 4
#: Connections that are worth a reader of their own: to start one takes some 10 ms, as long as 3000 of them.
_WORTH = 10_000
_MOST = 8


def status(
    nest: Any, model: str, labels: Sequence[int], sources: Sequence[int] | np.ndarray, keys: Sequence[str]
) -> np.ndarray:
    """float64 (connections, keys): the values under these keys, in NEST's units and in NEST's order for each label.

    Of the connections of a synapse model from these nodes that have these labels; of any label where none is named.
    NEST looks at all connections of the model for every label. keys: two or more names of numbers.
    """
    most = nest.GetDefaults(model, "num_connections")
    count = readers(most, nest.total_num_virtual_procs)
    asked = [{"synapse_model": model, "synapse_label": label} for label in labels] or [{"synapse_model": model}]
    nodes = nest.NodeCollection(np.unique(sources).tolist())
    parts = [nodes] if count == 1 else list(_parts(nodes, count, _LAST * len(asked)))
    asked = [{**question, "source": part} for question in asked for part in parts]
    if count == 1:
        return np.concatenate([_answer(nest, question, keys) for question in asked])
    with tempfile.TemporaryFile() as lock:
        return _Shared(nest, asked, keys, most, lock).read(count)


def ask_from_this_thread(nest: Any) -> None:
    """Make NEST's parallel regions as wide as its kernel is, which OpenMP remembers for each thread of a program.

    In others than the one that set the kernel up they have a part for every processor, and NEST (3.10) crashes.
    """
    library = ctypes.CDLL(nest.ll_api.nestkernel.__file__)
    if hasattr(library, "omp_set_num_threads"):
        library.omp_set_num_threads(int(nest.local_num_threads))


def readers(size: int, virtual_processes: int) -> int:
    """How many processes read: one beside threads or ranks of NEST, or threads of the program: a fork could hang.

    One, too, in a worker of a pool, which may have no children.
    """
    alone = virtual_processes == 1 and threading.active_count() == 1 and not current_process().daemon
    if "fork" not in get_all_start_methods() or not alone:
        return 1
    return max(1, min(_processors(), _MOST, size // _WORTH))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _parts(nodes: Any, readers: int, smallest: float) -> Iterator[Any]:
    """Large parts first, so that NEST is asked a few times, and small ones, so that readers end at the same time."""
    least = max(1, int(smallest * len(nodes)))
    start = 0
    while left := len(nodes) - start:
        stop = start + min(left, max(least, left // (2 * readers)))
        yield nodes[start:stop]
        start = stop


def _answer(nest: Any, question: Mapping[str, Any], keys: Sequence[str]) -> np.ndarray:
    """float64 (connections, keys), by the kernel's own call: ``get`` of a SynapseCollection takes twice the time."""
    found = nest.GetConnections(**question)
    handles = found._datum if found else ()
    ask = nest.ll_api.nestkernel.llapi_get_connection_status
    entries = chain.from_iterable(ask(handles[at : at + _BLOCK]) for at in range(0, len(handles), _BLOCK))
    values = chain.from_iterable(map(itemgetter(*keys), entries))
    return np.fromiter(values, np.float64, len(handles) * len(keys)).reshape(len(handles), len(keys))


class _Shared:
    """What the readers share. Each question is a turn; its answer has the next rows of a table that are free."""

    def __init__(
        self, nest: Any, questions: Sequence[Mapping[str, Any]], keys: Sequence[str], most: int, lock: IO[bytes]
    ) -> None:
        self._nest, self._questions, self._keys = nest, questions, keys
        self._table = _memory((most, len(keys)), np.float64)
        #: Whether each turn is over, and its first row and the one after its last.
        self._turns = _memory((len(questions), 3), np.int64)
        #: Rows in use, counted by who has the lock; the system opens it for a reader that is killed.
        self._used, self._lock = _memory((1,), np.int64), lock

    def read(self, readers: int) -> np.ndarray:
        """The rows of all questions."""
        # forked even where Python would rather spawn (3.14 on): the connections are in this process alone
        with _numbers(len(self._questions)) as numbers:
            children = [get_context("fork").Process(target=self._fill, args=(numbers,)) for _ in range(1, readers)]
            try:
                for child in children:
                    child.start()
                self._fill(numbers)
                for child in children:
                    child.join()
            except BaseException:  # the others need not end what nobody waits for
                for child in children:
                    if child.pid is not None:
                        child.kill()
                        child.join()
                raise
        return np.concatenate([self._rows(turn) for turn in range(len(self._questions))])

    def _fill(self, turns: Iterable[int]) -> None:
        for turn in turns:
            answer = _answer(self._nest, self._questions[turn], self._keys)
            first, end = self._take(len(answer))
            self._table[first:end] = answer
            self._turns[turn, 1:] = first, end
            self._turns[turn, 0] = True

    def _take(self, count: int) -> tuple[int, int]:
        import fcntl

        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        first = int(self._used[0])
        self._used[0] += count
        fcntl.lockf(self._lock, fcntl.LOCK_UN)
        return first, first + count

    def _rows(self, turn: int) -> np.ndarray:
        over, first, end = self._turns[turn].tolist()
        if not over:  # its reader was killed
            return _answer(self._nest, self._questions[turn], self._keys)
        return self._table[first:end]


def _memory(shape: tuple[int, ...], dtype: type[np.generic]) -> np.ndarray:
    """Zeros without a name that children share; they go with the last array on them."""
    count = math.prod(shape)
    memory = mmap.mmap(-1, max(count * np.dtype(dtype).itemsize, 1))
    return np.frombuffer(memory, dtype=dtype, count=count).reshape(shape)


@contextmanager
def _numbers(size: int) -> Iterator[Iterator[int]]:
    """The numbers of turns, each for one of the processes that iterate over them; a killed one cannot stop the rest."""
    read, write = os.pipe()
    os.write(write, b"".join(turn.to_bytes(_WIDTH) for turn in range(size)))
    os.close(write)
    try:
        yield (int.from_bytes(number) for number in iter(partial(os.read, read, _WIDTH), b""))
    finally:
        os.close(read)
