"""Rows of numbers as text, by array operations: a million lines in about a second, in bounded memory.

Every field becomes a NUL-padded array of bytes, the fields and the literal text between them are the columns of one
structured array, and dropping its NULs gives the lines.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pynn_io.formats.float_text import shortest_text

#: Lines formatted at once; bounds the memory to a few ten MB whatever the length of the table.
LINES = 2**16
_SAMPLE = 4096
#: Four digits at a time: as they begin a number, and zero-padded as they go on.
_FOUR = 10_000
_HEAD = np.arange(_FOUR).astype("S4")
_TAIL = np.char.zfill(_HEAD, 4)


def integer_text(values: np.ndarray) -> np.ndarray:
    """Integers as text."""
    if not len(values):
        return np.zeros(0, dtype="S1")
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= _FOUR**2:
        return values.astype(np.int64).astype("S")
    if high < _FOUR:
        return _HEAD[values]
    upper, lower = np.divmod(values, _FOUR)
    text = np.empty(len(values), dtype=[("upper", "S4"), ("lower", "S4")])
    text["upper"] = _HEAD[upper]
    text["lower"] = _TAIL[lower]
    short = np.flatnonzero(upper == 0)
    text["upper"][short] = _HEAD[lower[short]]
    text["lower"][short] = b""
    # The upper digits are NUL-padded in the middle; `lines` drops NULs wherever they are.
    return text.view("S8")


def float_text(values: np.ndarray) -> np.ndarray:
    """The shortest text of every float64 that reads back as the same number, as Python's ``repr`` gives it.

    NULs may stand anywhere between the characters (`lines` drops them; `text_of` does it for one). The exponent has no
    plus sign (``1e16``), which NeuroML's patterns for quantities do not allow. Raises ValueError for infinities and
    NaN, which NeuroML has no text for.
    """
    values = np.asarray(values, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("not a finite number")
    if not len(values):
        return np.zeros(0, dtype="S1")
    step = max(1, len(values) // _SAMPLE)
    sample = values[::step]
    if len(np.unique(sample)) > len(sample) // 2:
        return shortest_text(values)
    distinct, index = np.unique(values, return_inverse=True)
    text = shortest_text(distinct)
    width = int((text.view(np.uint8).reshape(len(text), -1) != 0).any(axis=0).nonzero()[0][-1]) + 1
    return text.astype(f"S{width}")[index.reshape(-1)]


def text_of(entry: bytes | np.bytes_) -> str:
    """One entry of such an array as a string."""
    return bytes(entry).replace(b"\0", b"").decode()


def numbers_text(values: np.ndarray) -> str:
    """Numbers with blanks between them, each the shortest text that reads back as the same."""
    text = lines([float_text(values), b" "], len(values)) if len(values) else b""
    return text.decode().rstrip()


def lines(fields: Sequence[bytes | np.ndarray], size: int) -> bytearray:
    """``size`` rows: literal bytes repeated, arrays one entry a row, all concatenated. No literal may hold a NUL."""
    dtype = np.dtype(
        [
            (f"f{number}", f"S{max(1, len(part))}" if isinstance(part, bytes) else part.dtype)
            for number, part in enumerate(fields)
        ]
    )
    buffer = bytearray(size * dtype.itemsize)
    rows = np.frombuffer(buffer, dtype=dtype)
    for number, part in enumerate(fields):
        rows[f"f{number}"] = part
    return buffer.translate(None, b"\0")
