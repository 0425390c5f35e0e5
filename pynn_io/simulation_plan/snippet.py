"""Snippets of HOC or Python in a configuration, read as assignments of numbers. They are never executed.

Grammar (whitespace, a semicolon, or nothing but the end of the number's text separates assignments, as in HOC)::

    snippet    = { assignment [";"] }
    assignment = [ target "." ] NAME operator NUMBER
    target     = "%s" | NAME [ "[" DIGITS "]" ]
    operator   = "=" | "+=" | "-=" | "*=" | "/="

Whatever else stands in a snippet (calls, conditions, other names as values) is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from pynn_io.errors import PlanError
from pynn_io.simulation_plan.plan import Assignment

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_ASSIGNMENT = re.compile(
    rf"(?:(?P<target>%s|{_NAME}(?:\[[0-9]+\])?)\.)?(?P<variable>{_NAME})"
    rf"\s*(?P<operator>[-+*/]?=)\s*(?P<value>{_NUMBER})(?=[\s;]|\Z)"
)
_BETWEEN = re.compile(r"[\s;]*")
#: How much of a snippet an error quotes.
_SHOWN = 40


def parse_snippet(text: str, where: object) -> tuple[Assignment, ...]:
    """The assignments of a snippet, in order. Raises PlanError at ``where``, quoting the part that is none."""
    found = []
    at = _BETWEEN.match(text).end()  # type: ignore[union-attr]  # it matches nothing as well
    while at < len(text):
        match = _ASSIGNMENT.match(text, at)
        if match is None or not math.isfinite(float(match["value"])):
            part = " ".join(text[at : at + _SHOWN].split())
            raise PlanError(
                f"{part!r} is no assignment of a number",
                where=where,
                hint="snippets are not executed: only assignments like '%s.gbar = 0.5' or 'apic[3].cm *= 2' are read",
            )
        found.append(Assignment(match["target"] or "", match["variable"], float(match["value"]), match["operator"]))
        at = _BETWEEN.match(text, match.end()).end()  # type: ignore[union-attr]
    return tuple(found)


def snippet_text(assignments: Iterable[Assignment], separator: str = "; ") -> str:
    """The snippet that reads as these assignments. HOC knows no semicolon: separate them by a space there."""
    return separator.join(
        f"{item.target}{'.' if item.target else ''}{item.variable} {item.operator} {item.value!r}"
        for item in assignments
    )
