"""JSON text with the limits that every other reader of it has, and errors that name the line.

Python's own parser takes what is no JSON (``NaN``, ``Infinity``), numbers of any length, and text that no file can hold
(half a surrogate pair, a NUL in a name). Circuits with these would pass here and fail in the next tool.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pynn_io.errors import ReadError

_WIDE = 2**63
#: Digits of the longest integer that fits 64 bits, with a sign.
_DIGITS = 20


class _NotJson(ValueError):
    def __init__(self, token: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.token, self.remedy = token, remedy


def parse_json(
    text: str, path: Path | str, *, object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None
) -> Any:
    """The content of a JSON file. Whole numbers beyond 64 bits are floats, as in other languages.

    Raises ReadError with ``file:line``.
    """
    try:
        content = json.loads(
            text,
            object_pairs_hook=object_pairs_hook,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except json.JSONDecodeError as error:
        # Python 3.13 points at the comma itself, earlier ones behind it.
        trailing = text[error.pos : error.pos + 1] == "," or text[: error.pos].rstrip().endswith(",")
        hint = "a comma before a closing bracket is not JSON: delete it" if trailing else ""
        if not text.strip():
            raise ReadError("the file is empty", where=path, hint="write it again, or fetch it again") from None
        raise ReadError(f"not valid JSON: {error.msg}", where=f"{path}:{error.lineno}", hint=hint) from None
    except _NotJson as error:
        place = re.search(rf"(?<![\w.+-]){re.escape(error.token)}(?![\w.])", text)
        line = text.count("\n", 0, place.start()) + 1 if place else 1
        raise ReadError(str(error), where=f"{path}:{line}", hint=error.remedy) from None
    except RecursionError:
        hint = "a configuration has a few levels: is this one?"
        raise ReadError("not readable JSON: it is nested too deeply", where=path, hint=hint) from None
    if "\\u" in text:
        _check_text(content, path)
    return content


def _constant(token: str) -> Any:
    raise _NotJson(token, f"not valid JSON: {token} is no number", "write a number, or null")


def _integer(token: str) -> int | float:
    if len(token) <= _DIGITS and -_WIDE <= (value := int(token)) < 2 * _WIDE:
        return value
    return _float(token)


def _float(token: str) -> float:
    value = float(token)
    if math.isinf(value):
        reason = f"the number {token[:20]}{'...' if len(token) > 20 else ''} is too large"
        raise _NotJson(token, reason, "write a number that fits 64 bits")
    return value


def _check_text(content: Any, path: Path | str) -> None:
    """Raises ReadError for strings that cannot be written to any file."""
    if isinstance(content, dict):
        for key, value in content.items():
            _check_text(key, path)
            _check_text(value, path)
    elif isinstance(content, list):
        for value in content:
            _check_text(value, path)
    elif isinstance(content, str) and ("\0" in content or any("\ud800" <= char <= "\udfff" for char in content)):
        raise ReadError(
            f"the text {content[:40]!a} holds a character that no name or file can have",
            where=path,
            hint="delete the \\u escape",
        )
