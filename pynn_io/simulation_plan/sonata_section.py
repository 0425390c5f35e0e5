"""One object of a configuration, taken key by key, so that malformed values have a place and leftovers a name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from pynn_io.errors import PlanError


class Section:
    """A mapping whose keys are consumed. ``path`` is where it stands in its file (``inputs.clamp``)."""

    def __init__(self, content: Mapping[str, Any], file: str, path: str) -> None:
        self._rest = dict(content)
        self._file, self._path = file, path

    def __iter__(self) -> Iterator[str]:
        return iter(self._rest)

    def place(self, key: str) -> str:
        """``file:path.key``."""
        path = ".".join(part for part in (self._path, key) if part)
        return f"{self._file}:{path}" if path else self._file

    def wrong(self, key: str, message: str) -> PlanError:
        return PlanError(message, where=self.place(key))

    def drop(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._rest.pop(key, None)

    def rest(self) -> dict[str, Any]:
        """What nobody took."""
        return dict(self._rest)

    def refuse_rest(self) -> None:
        """Raises PlanError for a key that nobody took."""
        for key in self._rest:
            raise self.wrong(key, "this key is unknown")

    def get(self, key: str, default: Any = None) -> Any:
        return self._rest.get(key, default)

    def take(self, key: str, default: Any = None) -> Any:
        return self._rest.pop(key, default)

    def section(self, key: str) -> Section:
        """The object under a key; an empty one where the key is absent or null."""
        content = self._rest.pop(key, None)
        if content is None:
            content = {}
        if not isinstance(content, Mapping):
            raise self.wrong(key, f"an object is expected, here it is {content!r}")
        path = ".".join(part for part in (self._path, key) if part)
        return Section(content, self._file, path)

    def number(self, *keys: str) -> float | None:
        """The number under the first of ``keys`` that is there; the others are older names for it."""
        for key in keys:
            if self._rest.get(key) is not None:
                return _number(self._rest.pop(key), self.place(key))
        return None

    def sections(self, key: str) -> list[Section]:
        """The list of objects under a key; an empty one where the key is absent or null."""
        content = self._rest.pop(key, None)
        if content is None:
            return []
        if not isinstance(content, list) or not all(isinstance(entry, Mapping) for entry in content):
            raise self.wrong(key, f"a list of objects is expected, here it is {content!r}")
        path = ".".join(part for part in (self._path, key) if part)
        return [Section(entry, self._file, f"{path}[{number}]") for number, entry in enumerate(content)]

    def needed(self, key: str) -> float:
        if self._rest.get(key) is None:
            raise self.wrong(key, "this number is missing")
        return _number(self._rest.pop(key), self.place(key))

    def numbers(self, key: str) -> np.ndarray:
        """One number, or a list of them, as float64[n]."""
        value = self._rest.get(key)
        if value is None:
            raise self.wrong(key, "this number is missing")
        del self._rest[key]
        values = value if isinstance(value, list | tuple) else [value]
        return np.asarray([_number(entry, self.place(key)) for entry in values], dtype=np.float64)

    def optional_numbers(self, key: str) -> np.ndarray:
        return self.numbers(key) if self._rest.get(key) is not None else np.empty(0)

    def integer(self, key: str) -> int | None:
        value = self.number(key)
        if value is not None and not value.is_integer():
            raise self.wrong(key, f"a whole number is expected, here it is {value!r}")
        return None if value is None else int(value)

    def text(self, key: str, default: str | None = None) -> str | None:
        value = self._rest.pop(key, None)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.wrong(key, f"a text is expected, here it is {value!r}")
        return value

    def choice(self, key: str, known: Mapping[str, str]) -> str | None:
        """A text that is one of ``known``'s keys, as its value there; upper and lower case are one."""
        value = self.text(key)
        if value is None:
            return None
        found = known.get(value) or known.get(value.lower())
        if found is None:
            raise self.wrong(key, f"{value!r} is unknown; known are {', '.join(sorted(set(known.values())))}")
        return found

    def optional_flag(self, key: str) -> bool | None:
        return self.flag(key, False) if self._rest.get(key) is not None else None

    def texts(self, key: str) -> list[str]:
        """A text, or a list of texts; an empty list where the key is absent."""
        value = self._rest.pop(key, None)
        values = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(entry, str) for entry in values):
            raise self.wrong(key, f"a text or a list of texts is expected, here it is {value!r}")
        return values

    def flag(self, key: str, default: bool) -> bool:
        value = self._rest.pop(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, f"true or false is expected, here it is {value!r}")
        return value


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PlanError(f"a number is expected, here it is {value!r}", where=place)
    return float(value)
