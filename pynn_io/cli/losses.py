"""The account of losses as a modeller reads it: what changes the model first, one paragraph for one thing.

A report names every place apart, which is right for a program (``--report``) and too long for a person: here issues
that say the same of several places, or of several names, are told together. The report itself is not changed.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from pynn_io.report import EXAMPLES, Issue, Kind, Report

#: What each kind means to somebody who reads it for the first time, in the order of importance.
HEADINGS: dict[Kind, str] = {
    Kind.LOST: "LOST: the target has no place for it, so it is gone",
    Kind.APPROXIMATED: "APPROXIMATED: written as something close, not the same",
    Kind.NOT_READ: "NOT READ: stated by the source, and left out",
    Kind.DEFAULTED: "DEFAULTED: not stated where it is needed, and filled in",
    Kind.EXPANDED: "EXPANDED: written out in full, same meaning",
}

#: Codes of what no cell computes with: told after everything else of their kind, in this order.
LAST = ("reversal-potential", "rotation-column", "recording", "node-sets", "extra-column")
#: Names or places in one list before it is cut short.
LISTED = 16
#: Of two sentences that are told as one, so many words must agree at least, and differ at most.
AGREEING, DIFFERING = 4, 6


@dataclass(slots=True)
class Group:
    """Issues of one code and kind, told together.

    head, tail: the words in which their messages agree; issues: in the report's order. The words between differ.
    """

    head: list[str]
    tail: list[str]
    issues: list[Issue] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(issue.count for issue in self.issues)

    def middles(self) -> list[str]:
        """What stands between head and tail, without repetition (``na, k`` is ``k, na``)."""
        found: dict[tuple[str, ...], str] = {}
        for issue in self.issues:
            words = _words(issue.message)
            middle = " ".join(words[len(self.head) : len(words) - len(self.tail)])
            found.setdefault(tuple(sorted(middle.split(", "))), middle)
        return list(found.values())

    def message(self) -> str:
        """The sentence with the differing words listed in their place."""
        middles, tail = self.middles(), self.tail
        if not any(middles):
            return " ".join([*self.head, *tail])
        marks = {one[-1:] for one in middles}
        mark = marks.pop() if len(marks) == 1 and marks & {":", ",", ";", "."} else ""
        names = [one[: len(one) - len(mark)] for one in middles]
        if self.head:
            return " ".join([*self.head, _listed(names, " / ") + mark, *tail])
        subject = "" if mark or len(names) == 1 else "Each of "
        return " ".join([subject + _listed(sorted(names, key=_natural), ", ") + mark, *tail])

    def place(self) -> str:
        """``population a (3), b (1)``: every place, with its count where the counts differ."""
        counts: dict[str, int] = {}
        for issue in self.issues:
            counts[issue.where] = counts.get(issue.where, 0) + issue.count
        if len(counts) == 1:
            return next(iter(counts))
        kind = _place_kind(self.issues[0].where) or _folder(counts)
        names = [where.removeprefix(kind).strip(" /") for where in counts]
        if len(set(counts.values())) > 1:
            names = [f"{name} ({count:,})" for name, count in zip(names, counts.values(), strict=True)]
        return f"{kind}{':' if '/' in kind else ''} {_listed(names, ', ')}".strip()

    def examples(self) -> tuple[str, list[str], bool]:
        """``("namely", [...], False)`` if that is all of them, ``("for example", [...], cut)`` if not.

        Without what was said. cut: whether the issues have more of them.
        """
        found = _distinct(example for issue in self.issues for example in issue.examples)
        said = f"{self.place()} {self.message()}"
        complete = all(issue.count == len(issue.examples) for issue in self.issues) and len(found) <= EXAMPLES
        if complete:
            found.sort(key=_natural)
        # One example that the place or the message already names says nothing new.
        shown = [one for one in found[:EXAMPLES] if one not in said]
        return "namely" if complete else "for example", shown, len(found) > EXAMPLES


def grouped(issues: Iterable[Issue]) -> list[Group]:
    """``issues`` of one kind, those that say the same told together; what matters most first.

    Two belong together if code and sort of place (population, cell, file ...) agree and their sentences agree in all
    but a few words in one position.
    """
    by_code: dict[tuple[str, str], list[Group]] = {}
    for issue in issues:
        groups = by_code.setdefault((issue.code, _place_kind(issue.where)), [])
        words = _words(issue.message)
        for group in groups:
            if _joins(group, words):
                group.issues.append(issue)
                break
        else:
            groups.append(Group(words, [], [issue]))
    rank = {code: number for number, code in enumerate(LAST, 1)}
    every = [group for groups in by_code.values() for group in groups]
    return sorted(every, key=lambda one: (rank.get(one.issues[0].code, 0), -one.count, one.issues[0].code, one.place()))


def _joins(group: Group, words: list[str]) -> bool:
    """Whether a sentence differs from those of a group in one short place only; if so, the group makes room for it."""
    whole = _words(group.issues[0].message)
    if words == whole and not group.tail:
        return True
    head = _agreeing(group.head, words)
    while head and words[head - 1].endswith(","):  # a list is told whole
        head -= 1
    rest = group.tail if group.tail else whole[head:]
    tail = min(_agreeing(rest[::-1], words[head:][::-1]), len(whole) - head)
    lengths = [len(words), *(len(_words(issue.message)) for issue in group.issues)]
    if head + tail < AGREEING or max(lengths) - head - tail > DIFFERING or min(lengths) == head + tail:
        return False
    if any(";" in " ".join(one[head : len(one) - tail])[:-1] for one in (words, whole)):  # more than a name differs
        return False
    group.head, group.tail = words[:head], words[len(words) - tail :]
    return True


def _agreeing(one: list[str], other: list[str]) -> int:
    """How many words agree from the beginning on."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _words(text: str) -> list[str]:
    return text.split()


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _natural(text: str) -> list[tuple[int, str]]:
    """A sort key by which ``v1_9`` comes before ``v1_10``."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text.lower())]


def _folder(places: Iterable[str]) -> str:
    """The folder that several files share; an empty text where there is none."""
    parents = [os.path.dirname(place) for place in places]
    if not all(parents) or len({os.path.isabs(one) for one in parents}) > 1:
        return ""
    return os.path.commonpath(parents)


def _listed(names: list[str], joint: str) -> str:
    more = f"{joint.rstrip()} and {len(names) - LISTED} more" if len(names) > LISTED + 1 else ""
    return joint.join(names[:LISTED] if more else names) + more


def _place_kind(where: str) -> str:
    """``population`` of ``population exc``; an empty text for a file, whose name comes first."""
    found = re.match(r"[a-z]+(?= \S)", where)
    return found.group() if found else ""


def print_losses(report: Report, stream: IO[str] | None = None) -> None:
    """Everything in the report by kind, what changes the model first."""
    stream = stream or sys.stderr
    width = max(60, min(shutil.get_terminal_size((100, 24)).columns, 120))
    for kind, heading in HEADINGS.items():
        groups = grouped(report.of_kind(kind))
        if not groups:
            continue
        print(heading, file=stream)
        for group in groups:
            for line in _lines(group, group.issues[0].code in report.allowed, width):
                print(line, file=stream)
        print(file=stream)


def _lines(group: Group, allowed: bool, width: int) -> Iterator[str]:
    head = f"  {group.count:,} x {group.issues[0].code}" + (" (allowed)" if allowed else "")
    place = group.place()
    yield from _wrapped(f"{head}  at {place}" if place else head, width, "", "        ")
    yield from _wrapped(group.message(), width, "      ", "      ")
    word, examples, cut = group.examples()
    if examples:
        yield from _wrapped(f"{word}: {', '.join(examples)}{', ...' if cut else ''}", width, "      ", "        ")


def _wrapped(text: str, width: int, first: str, later: str) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )


def loss_counts(report: Report) -> str:
    """``3 lost, 1 approximated``: how many things met each kind; the empty string where there is nothing to say."""
    words = ("lost", "approximated", "not read", "defaulted", "expanded")
    counts = [sum(issue.count for issue in report.of_kind(kind)) for kind in HEADINGS]
    return ", ".join(f"{count:,} {word}" for count, word in zip(counts, words, strict=True) if count)


def changes_model(report: Report) -> bool:
    """Whether anything in the report changes what the target computes."""
    return bool(report.of_kind(Kind.LOST, Kind.APPROXIMATED, Kind.NOT_READ))
