"""Time steps as Brian2's statements: Runge-Kutta of fourth order in parts of a step, and a step forward by Euler.

Brian2's own methods take one step a time step, which Hodgkin-Huxley cells at 0.1 ms do not survive. A part is the same
text each time, so that it is compiled once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

#: Local variables: the length of a part of a step (ms), and the time (ms) at which slopes are taken.
STRIDE, NOW = "stride", "now"
_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
#: Where in a part of a step the four slopes are taken, and what they weigh.
_STAGES = ((0.0, 1), (0.5, 2), (0.5, 2), (1.0, 1))
#: The slopes before which half a part has gone by since the last ones.
_AFTER_HALVES = (2, 4)


def renamed(text: str, names: Mapping[str, str]) -> str:
    """An expression or a statement with variables renamed."""
    return _WORD.sub(lambda match: names.get(match[0], match[0]), text)


def words(text: str) -> set[str]:
    """Every name in a text."""
    return set(_WORD.findall(text))


def copied(name: str) -> str:
    """The value of a variable at this moment: numpy's code may change it in place later."""
    return f"choose(1, {name}, {name})"


def euler(rates: Mapping[str, str], derived: Mapping[str, str]) -> str:
    """One step forward, all slopes taken at its beginning."""
    lines = [f"{STRIDE} = dt / ms", f"{NOW} = t / ms"]
    lines = [line for line in lines if line.split()[0] in {STRIDE} | _used(rates, derived)]
    lines += [f"{name} = {text}" for name, text in derived.items()]
    lines += [f"{name}_slope = {text}" for name, text in rates.items()]
    lines += [f"{name} = {name} + {STRIDE} * {name}_slope" for name in rates]
    return "\n".join(lines)


def runge_kutta(
    rates: Mapping[str, str],
    derived: Mapping[str, str],
    parts: int,
    *,
    start: Sequence[str] = (),
    halves: Sequence[str] = (),
    each: Sequence[str] = (),
) -> str:
    """A part of a time step, of which there are ``parts``, by one step of fourth order.

    rates: state -> its change per ms. derived: variables that follow from states, in order. start, each: statements
    before and after it. halves: statements that take what moves by itself through half of it.
    """
    lines = [f"{STRIDE} = dt / ms / {parts}", *start]
    for number, (along, _) in enumerate(_STAGES, 1):
        lines += halves if number in _AFTER_HALVES else ()
        lines += _stage(rates, derived, number, along)
    for name in rates:
        slopes = " + ".join(f"{weight} * {name}_k{number}" for number, (_, weight) in enumerate(_STAGES, 1))
        lines.append(f"{name} = {name} + {STRIDE} / 6 * ({slopes})")
    return "\n".join([*lines, *each])


def _used(*texts: Mapping[str, str]) -> set[str]:
    return set().union(*(words(text) for group in texts for text in group.values()))


def _stage(rates: Mapping[str, str], derived: Mapping[str, str], number: int, along: float) -> Iterator[str]:
    """The slopes at one of the four places."""
    names = {} if number == 1 else {name: f"{name}_x" for name in rates}
    for name in names:
        yield f"{name}_x = {name} + {along} * {STRIDE} * {name}_k{number - 1}"
    names = {**names, **{name: f"{name}_y" for name in derived}}
    for name, text in derived.items():
        yield f"{name}_y = {renamed(text, names)}"
    for name, text in rates.items():
        yield f"{name}_k{number} = {renamed(text, names)}"
