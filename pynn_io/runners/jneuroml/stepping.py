"""The code that jNeuroML writes for NEURON, made to step as NEURON's own mechanisms do.

What org.neuroml.export 1.11 writes is two steps of explicit Euler, whatever the word ``cnexp`` in it says:

- a rate of change is computed in ``rates()``, and NEURON is given a constant: ``m_q' = rate_m_q``;
- what depends on states (a gate's ``fcond``, an instantaneous gate, the current of a synapse) is computed there, too,
  before the step, so that the current is of the step before, and a synapse's conductance is none to the solver.

Gates faster than the step overshoot, and strong synapses are unstable. Here the equation itself goes where the constant
is, with all that depends on states put in, and ``rates()`` is called after the step and at each look at the current
(NEURON book, sec. 9.3; Hines & Carnevale 2000, doi:10.1162/089976600300015475).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from pynn_io.errors import ReadError
from pynn_io.graph.expressions import parse
from pynn_io.lowering.nmodl_conditions import is_linear

_NAME = re.compile(r"[A-Za-z_]\w*")
_RATE = re.compile(r"^\s*rate_(\w+) = (.*?) \? Note units.*$", re.MULTILINE)
_DERIVED = re.compile(r"\s*(\w+) = (.*?) \? (?:evaluable|path based)( cdv)?\b")
_BRANCH = re.compile(r"^\s*(\} else )?if \((.*)\)\s*\{")
_LOCAL = re.compile(r"^\s*LOCAL (.*)$", re.MULTILINE)
_HANDED = re.compile(r"^(\s*(\w+)' = )rate_\2\b", re.MULTILINE)
#: ``rates()`` is called more often here, and would draw more numbers.
_DRAWN = re.compile(r"\brandom\w*\(")
_SOLVED = "SOLVE states METHOD cnexp\n"


@dataclass(frozen=True, slots=True)
class Stepping:
    """Names of mechanisms. exact: the states are stepped by ``cnexp``; euler: explicitly, as they were written."""

    exact: tuple[str, ...]
    euler: tuple[str, ...]


def explicit(folder: Path) -> tuple[str, ...]:
    """The names of the mechanisms whose states jNeuroML's code steps by explicit Euler."""
    return tuple(path.stem for path in sorted(folder.glob("*.mod")) if _HANDED.search(path.read_text()))


def step_exactly(folder: Path) -> Stepping:
    """Rewrite the mechanisms of a folder whose states are linear in themselves; the others stay as they are."""
    exact, euler = [], []
    for name in explicit(folder):
        path = folder / f"{name}.mod"
        text = stepped(path.read_text())
        if text is None:
            euler.append(name)
            continue
        path.write_text(text)
        exact.append(name)
    return Stepping(tuple(exact), tuple(euler))


def stepped(text: str) -> str | None:
    """A mechanism with its equations where its constants were; None where one of them is not linear in its state or not
    to be found, and where numbers are drawn."""
    if _SOLVED not in text or _DRAWN.search(text):
        return None
    rates = dict(_RATE.findall(text))
    if {state for _, state in _HANDED.findall(text)} != rates.keys():
        return None
    bound, unseen = _dependent(text, rates.keys())
    equations = {state: _inlined(value, bound) for state, value in rates.items()}
    if not all(_can_step(state, value, unseen) for state, value in equations.items()):
        return None
    text = _HANDED.sub(lambda match: match[1] + equations[match[2]], text)
    return text.replace(_SOLVED, f"{_SOLVED}    rates()\n", 1)


def _dependent(text: str, states: Set[str]) -> tuple[dict[str, str], set[str]]:
    """The derived variables that depend on states, with their values, and names that cannot be put into an equation:
    those that depend on states by way of a branch, and those that are local to ``rates()``.

    jNeuroML writes variables in the order of their use, and ``? evaluable cdv`` behind the values of a branch.
    """
    bound: dict[str, str] = {}
    hidden: set[str] = set()
    tested: set[str] = set()
    for line in text.splitlines():
        if branch := _BRANCH.search(line):
            tested = set(_NAME.findall(branch[2])) | (tested if branch[1] else set())
        elif (found := _DERIVED.match(line)) is not None:
            name, value, conditional = found.groups()
            uses = set(_NAME.findall(value)) | (tested if conditional else set())
            if uses.isdisjoint(states | bound.keys() | hidden):
                continue
            if conditional:
                hidden.add(name)
            else:
                bound[name] = _inlined(value, bound)
    return bound, hidden.union(*(_NAME.findall(names) for names in _LOCAL.findall(text)))


def _inlined(value: str, bound: Mapping[str, str]) -> str:
    return _NAME.sub(lambda match: f"({bound[match[0]]})" if match[0] in bound else match[0], value)


def _can_step(state: str, value: str, unseen: Set[str]) -> bool:
    try:
        equation = parse(value)
    except ReadError:
        return False
    return unseen.isdisjoint(equation.names) and is_linear(equation, state, {})
