"""Expressions of the graph in Brian2's language, and names that are free there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pynn_io.graph.dynamics import Derived
from pynn_io.graph.expressions import Expression, Language, render

LANGUAGE = Language(
    {"Pow": "**", "And": "and", "Or": "or", "Not": "not"},
    {
        "ln": "log",
        "asin": "arcsin",
        "acos": "arccos",
        "atan": "arctan",
        "H": lambda x: f"int({x} >= 0)",
        "power": lambda x, y: f"({x})**({y})",
        "min": lambda x, y: f"choose(int({x} < {y}), {x}, {y})",
        "max": lambda x, y: f"choose(int({x} < {y}), {y}, {x})",
        "random": lambda x: f"(({x}) * rand())",
    },
)
#: Functions of expressions that Brian2 has not.
MISSING = ("factorial(",)
#: Names that mean something in every text of Brian2 or of ours.
_WORDS = """
i j N t dt e pi inf xi rand randn int exp log sqrt abs sin cos tan sinh cosh tanh arcsin arccos arctan ceil floor clip
sign choose linoid lastspike not_refractory timestep stride fired regime was i_stim course currents weight delay
lastupdate and or not is in if else for lambda del True False None
"""
_TAKEN = frozenset(_WORDS.split())
#: What Brian2's units may be called: ``cm``, ``mV``, ``nS`` ...
_UNIT = re.compile(
    r"(y|z|a|f|p|n|u|m|c|d|da|h|k|M|G|T|P|E|Z|Y)?"
    r"(metre|meter|gram|gramme|second|amp|ampere|kelvin|mole|candela|radian|steradian|hertz|newton|pascal|joule|watt"
    r"|coulomb|volt|farad|ohm|siemens|weber|tesla|henry|lumen|lux|becquerel|gray|sievert|katal|molar|liter|litre"
    r"|m|g|s|A|K|mol|cd|rad|sr|Hz|N|Pa|J|W|C|V|F|S|Wb|T|H|lm|lx|Bq|Gy|Sv|kat|M|l|L)[234]?"
)


def free(name: str, prefix: str = "") -> str:
    """The name of a variable in Brian2: its own, with a letter behind it where that means something there."""
    made = f"{prefix}{name}"
    taken = made in _TAKEN or _UNIT.fullmatch(made) or made.endswith(("_pre", "_post", "_"))
    return f"{made}_q" if taken else f"q{made}" if made.startswith("_") else made


def text(expression: Expression) -> str:
    """An expression whose names are Brian2's."""
    return render(expression, LANGUAGE)


def derived_text(each: Derived) -> str:
    """The value of a derived variable, its cases as choices."""
    *others, last = each.cases
    found = text(last.value)
    if last.condition is not None:
        others, found = [*others, last], "0.0 / 0.0"
    for case in reversed(others):
        if case.condition is not None:
            found = f"choose(int({text(case.condition)}), {text(case.value)}, {found})"
    return found


def unsaid(expressions: Iterable[Expression]) -> str:
    """A function that some expression uses and Brian2 has not; empty where there is none."""
    return next((name[:-1] for one in expressions for name in MISSING if name in one.text), "")
