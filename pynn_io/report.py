"""What a conversion could not carry, as values: grouped, counted, printable, machine-readable.

A `Report` is passed as an argument to every reader, audit and writer; there is no global one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

#: How many examples of one issue are shown to a reader; the issue keeps them all, and so does its JSON.
EXAMPLES = 20


class Kind(StrEnum):
    """What happened to a piece of the model. LOST and APPROXIMATED change what the target computes."""

    LOST = "LOST"  # has no place in the target: gone
    APPROXIMATED = "APPROXIMATED"  # written as something close, and the message says how it differs
    EXPANDED = "EXPANDED"  # written in full where the source had a short form; same meaning
    DEFAULTED = "DEFAULTED"  # the source did not state it, the target demands it
    NOT_READ = "NOT_READ"  # present in the source, and no importer took it


@dataclass(slots=True)
class Issue:
    """One group of losses. ``code`` and ``kind`` and ``where`` and ``message`` identify the group."""

    code: str
    kind: Kind
    where: str
    message: str
    count: int = 1
    examples: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values, for JSON."""
        return {
            "code": self.code,
            "kind": str(self.kind),
            "where": self.where,
            "message": self.message,
            "count": self.count,
            "examples": list(self.examples),
        }


class Report:
    """A growing, grouped list of `Issue`.

    ``allowed`` are codes that strict mode excuses; they are still listed.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self.allowed = frozenset(allowed)
        self._issues: dict[tuple[str, Kind, str, str], Issue] = {}
        self._named: dict[tuple[str, Kind, str, str], set[str]] = {}

    def add(
        self, code: str, kind: Kind, where: object, message: str, *, count: int = 1, examples: Iterable[object] = ()
    ) -> None:
        """Record that ``count`` things at ``where`` met ``kind``; the same words again only raise the count.

        examples: names of the things, all of them where they have names; each is kept once.
        """
        if count < 1:
            return
        key = (code, kind, str(where), message)
        issue = self._issues.get(key)
        if issue is None:
            issue = self._issues[key] = Issue(code, kind, str(where), message, 0)
        issue.count += count
        named = self._named.setdefault(key, set(issue.examples))
        for example in map(str, examples):
            if example not in named:
                named.add(example)
                issue.examples.append(example)

    def include(self, other: Report, once: Collection[str] = ()) -> Report:
        """Add every issue of another report; gives this one. once: places that both tell of: what is known is not
        counted again."""
        for issue in other:
            if issue.where in once and (issue.code, issue.kind, issue.where, issue.message) in self._issues:
                continue
            self.add(issue.code, issue.kind, issue.where, issue.message, count=issue.count, examples=issue.examples)
        return self

    def without(self, other: Report) -> Report:
        """The issues that another report does not have in these words; their counts may differ."""
        rest = Report(self.allowed)
        rest._issues = {key: issue for key, issue in self._issues.items() if key not in other._issues}
        return rest

    def lost(self, code: str, where: object, message: str, **more: Any) -> None:
        """`add` of the kind LOST."""
        self.add(code, Kind.LOST, where, message, **more)

    def approximated(self, code: str, where: object, message: str, **more: Any) -> None:
        """`add` of the kind APPROXIMATED."""
        self.add(code, Kind.APPROXIMATED, where, message, **more)

    def expanded(self, code: str, where: object, message: str, **more: Any) -> None:
        """`add` of the kind EXPANDED."""
        self.add(code, Kind.EXPANDED, where, message, **more)

    def defaulted(self, code: str, where: object, message: str, **more: Any) -> None:
        """`add` of the kind DEFAULTED."""
        self.add(code, Kind.DEFAULTED, where, message, **more)

    def not_read(self, code: str, where: object, message: str, **more: Any) -> None:
        """`add` of the kind NOT_READ."""
        self.add(code, Kind.NOT_READ, where, message, **more)

    def __iter__(self) -> Iterator[Issue]:
        return iter(self._issues.values())

    def __len__(self) -> int:
        return len(self._issues)

    def __bool__(self) -> bool:
        return True

    def of_kind(self, *kinds: Kind) -> list[Issue]:
        """The issues of these kinds, in order."""
        return [issue for issue in self if issue.kind in kinds]

    def codes(self) -> set[str]:
        """The codes of all issues."""
        return {issue.code for issue in self}

    def refusals(self) -> list[Issue]:
        """The issues for which strict mode refuses: everything that changes the model and is not allowed."""
        changing = self.of_kind(Kind.LOST, Kind.APPROXIMATED, Kind.NOT_READ)
        return [issue for issue in changing if issue.code not in self.allowed]

    def as_dict(self) -> dict[str, Any]:
        """The issues and the allowed codes as plain values; `from_dict` reads them."""
        return {"issues": [issue.as_dict() for issue in self], "allowed": sorted(self.allowed)}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Report:
        """What `as_dict` gave."""
        report = cls(content["allowed"])
        for issue in content["issues"]:
            report.add(**{**issue, "kind": Kind(issue["kind"])})
        return report

    def to_json(self) -> str:
        """`as_dict` as JSON text."""
        return json.dumps(self.as_dict(), indent=2) + "\n"
