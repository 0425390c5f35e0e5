"""Expressions: the right-hand sides of `pynn_io.graph.dynamics`, parsed once and printed for any language.

The grammar is LEMS's (Cannon et al. 2014, doi:10.3389/fninf.2014.00079): ``+ - * / ^``, comparisons ``.gt. .lt. .geq.
.leq. .eq. .neq.``, ``.and. .or. .not.``, and the functions of `FUNCTIONS`. Both spellings of a sign are read (``.gt.``
and ``>``, ``^`` and ``**``). A power binds to the right and before a sign, as in mathematics.
"""

from __future__ import annotations

import ast
import keyword
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pynn_io.errors import ReadError

#: function -> how many arguments. ``H`` is the Heaviside step (1 from 0 on), ``random(x)`` uniform in [0, x), drawn
#: anew each time it is evaluated.
FUNCTIONS: Mapping[str, int] = {
    "exp": 1,
    "ln": 1,
    "log": 1,
    "sqrt": 1,
    "abs": 1,
    "sin": 1,
    "cos": 1,
    "tan": 1,
    "sinh": 1,
    "cosh": 1,
    "tanh": 1,
    "asin": 1,
    "acos": 1,
    "atan": 1,
    "ceil": 1,
    "floor": 1,
    "factorial": 1,
    "H": 1,
    "random": 1,
    "power": 2,
    "min": 2,
    "max": 2,
}

_SIGNS = {
    ".gt.": " > ",
    ".geq.": " >= ",
    ".ge.": " >= ",
    ".lt.": " < ",
    ".leq.": " <= ",
    ".le.": " <= ",
    ".eq.": " == ",
    ".neq.": " != ",
    ".ne.": " != ",
    ".and.": " and ",
    ".or.": " or ",
    ".not.": " not ",
    "^": "**",
    "&&": " and ",
    "||": " or ",
}
_SIGN = re.compile("|".join(re.escape(sign) for sign in sorted(_SIGNS, key=len, reverse=True)))
#: A variable that is a word of Python (``lambda``) bears this letter in a normalised text.
_MARK = "\u02d0"
_WORD = re.compile(rf"\b(?:{'|'.join(word for word in keyword.kwlist if word not in ('and', 'or', 'not'))})\b")
_ALLOWED = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.BoolOp,
    ast.IfExp,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.Pow,
    ast.USub,
    ast.UAdd,
    ast.Not,
    ast.And,
    ast.Or,
    ast.Gt,
    ast.GtE,
    ast.Lt,
    ast.LtE,
    ast.Eq,
    ast.NotEq,
)


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression. ``text`` is normalised (Python's signs), so that equal trees are equal expressions.

    Make one with `parse`; numbers are in the coherent units of `pynn_io.units.COHERENT`.
    """

    text: str

    @property
    def tree(self) -> ast.expr:
        """The syntax tree; not to be changed."""
        return _tree(self.text)

    @property
    def names(self) -> frozenset[str]:
        """The variables that it refers to, without functions."""
        return _names(self.text)

    @property
    def number(self) -> float | None:
        """Its value where it is a literal number, with or without a sign."""
        value = _number(self.tree)
        return None if value is None else float(value)

    def renamed(self, new: Mapping[str, str]) -> Expression:
        """The same with variables renamed."""
        return self.replaced({old: variable(name) for old, name in new.items()})

    def replaced(self, new: Mapping[str, Expression]) -> Expression:
        """The same with variables replaced by expressions."""
        if not self.names & new.keys():
            return self
        return Expression(ast.unparse(_Replace(new).visit(ast.parse(self.text, mode="eval")).body))

    def simplified(self) -> Expression:
        """The same without factors and divisors that are 1, terms that are 0, and operations on plain numbers."""
        return Expression(ast.unparse(_Simplify().visit(ast.parse(self.text, mode="eval")).body))

    def __str__(self) -> str:
        return self.text


class _Replace(ast.NodeTransformer):
    def __init__(self, new: Mapping[str, Expression]) -> None:
        self._new = new

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [self.visit(each) for each in node.args]
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        found = self._new.get(node.id.removesuffix(_MARK))
        return node if found is None else ast.parse(found.text, mode="eval").body


class _Simplify(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        left, right = _number(node.left), _number(node.right)
        if left is not None and right is not None and not (isinstance(node.op, ast.Div) and right == 0):
            return _literal(_OPERATIONS[type(node.op)](left, right))
        if right == 1 and isinstance(node.op, ast.Mult | ast.Div | ast.Pow):
            return node.left
        if left == 1 and isinstance(node.op, ast.Mult):
            return node.right
        if right == 0 and isinstance(node.op, ast.Add | ast.Sub):
            return node.left
        if left == 0 and isinstance(node.op, ast.Add):
            return node.right
        return node


_OPERATIONS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def _number(node: ast.AST) -> float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _number(node.operand)
        return None if value is None else -value
    return node.value if isinstance(node, ast.Constant) else None  # type: ignore[return-value]


def _literal(value: float) -> ast.AST:
    return ast.parse(repr(value), mode="eval").body


def variable(name: str) -> Expression:
    """The expression that is one variable."""
    return Expression(_WORD.sub(_mark, name))


def marked(text: str) -> str:
    """A text in which variables that are words of Python (``del``, ``lambda``) can be parsed by Python."""
    return _WORD.sub(_mark, text)


def unmarked(name: str) -> str:
    """The variable behind a name of such a text."""
    return name.removesuffix(_MARK)


def _mark(match: re.Match[str]) -> str:
    return match[0] + _MARK


def parse(text: str, *, where: object = "") -> Expression:
    """The expression of a LEMS text. Raises ReadError (with ``where``) for what is not one, or an unknown function."""
    python = _SIGN.sub(lambda match: _SIGNS[match[0]], _WORD.sub(_mark, " ".join(text.split()))).strip()
    try:
        tree = ast.parse(python, mode="eval")
    except (SyntaxError, ValueError) as error:
        raise ReadError(f"{text!r} is not an expression", where=where) from error
    for node in ast.walk(tree):
        _check(node, text, where)
    return Expression(ast.unparse(tree.body))


def _check(node: ast.AST, text: str, where: object) -> None:
    if not isinstance(node, _ALLOWED):
        raise ReadError(f"{text!r} is not an expression of LEMS ({type(node).__name__})", where=where)
    if isinstance(node, ast.Constant) and (isinstance(node.value, bool) or not isinstance(node.value, int | float)):
        raise ReadError(f"{text!r}: {node.value!r} is not a number", where=where)
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else "?"
        if FUNCTIONS.get(name) != len(node.args) or node.keywords:
            raise ReadError(
                f"{text!r}: there is no function {name} of {len(node.args)} arguments",
                where=where,
                hint=f"known functions: {', '.join(FUNCTIONS)}",
            )


@lru_cache(maxsize=4096)
def _tree(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@lru_cache(maxsize=4096)
def _names(text: str) -> frozenset[str]:
    found: set[str] = set()
    _collect(_tree(text), found)
    return frozenset(found)


def _collect(node: ast.AST, found: set[str]) -> None:
    if isinstance(node, ast.Name):
        found.add(node.id.removesuffix(_MARK))
        return
    children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    for child in children:
        _collect(child, found)


# --- printing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Language:
    """How a target writes an expression.

    signs: Python's operator class name -> its sign, for those that differ. functions: name -> name there; a callable
    gets the printed arguments. number: how a number is written. names: for those that have to change.
    """

    signs: Mapping[str, str]
    functions: Mapping[str, str | Callable[..., str]]
    number: Callable[[float], str] = repr
    name: Callable[[str], str] = str


_SYMBOLS = {
    "Add": "+",
    "Sub": "-",
    "Mult": "*",
    "Div": "/",
    "Pow": "^",
    "Gt": ">",
    "GtE": ">=",
    "Lt": "<",
    "LtE": "<=",
    "Eq": "==",
    "NotEq": "!=",
    "And": "&&",
    "Or": "||",
    "Not": "!",
}
#: How tightly an operator binds; what binds less is put into parentheses.
_BINDS = {"Or": 1, "And": 2, "Not": 3, "Compare": 4, "Add": 5, "Sub": 5, "Mult": 6, "Div": 6, "USub": 7, "Pow": 8}
_ATOM = 9

LEMS = Language(
    {
        "Gt": ".gt.",
        "GtE": ".geq.",
        "Lt": ".lt.",
        "LtE": ".leq.",
        "Eq": ".eq.",
        "NotEq": ".neq.",
        "And": ".and.",
        "Or": ".or.",
        "Not": ".not.",
    },
    {},
)
NMODL = Language({}, {"ln": "log", "abs": "fabs", "power": "pow", "H": lambda x: f"(({x}) >= 0)"})
PYTHON = Language({"Pow": "**", "And": "and", "Or": "or", "Not": "not"}, {"ln": "log"})


def render(expression: Expression, language: Language) -> str:
    """The expression in that language, with the fewest parentheses that keep its meaning."""
    return _render(expression.tree, language)[0]


def _render(node: ast.AST, to: Language) -> tuple[str, int]:
    """The text of a node, and how tightly it binds."""
    if isinstance(node, ast.Constant):
        return to.number(node.value), _ATOM  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return to.name(node.id.removesuffix(_MARK)), _ATOM
    if isinstance(node, ast.Call):
        return _call(node, to), _ATOM
    if isinstance(node, ast.UnaryOp):
        return _unary(node, to)
    if isinstance(node, ast.BinOp):
        return _binary(node, to)
    if isinstance(node, ast.Compare):
        return _compare(node, to)
    if isinstance(node, ast.BoolOp):
        kind = type(node.op).__name__
        parts = [_inside(each, _BINDS[kind], to) for each in node.values]
        return f" {_sign(kind, to)} ".join(parts), _BINDS[kind]
    raise ReadError(f"{ast.unparse(node)!r} has no form in the target language")  # type: ignore[type-var]


def _call(node: ast.Call, to: Language) -> str:
    name = node.func.id  # type: ignore[attr-defined]
    arguments = [_render(each, to)[0] for each in node.args]
    target = to.functions.get(name, name)
    return target(*arguments) if callable(target) else f"{target}({', '.join(arguments)})"


def _unary(node: ast.UnaryOp, to: Language) -> tuple[str, int]:
    kind = type(node.op).__name__
    if kind == "UAdd":
        return _render(node.operand, to)
    if kind == "Not":
        sign = _sign("Not", to)
        return f"{sign}{' ' if sign[-1].isalpha() else ''}{_inside(node.operand, _ATOM, to)}", _BINDS["Not"]
    return f"-{_inside(node.operand, _BINDS['USub'] + 1, to)}", _BINDS["USub"]


def _binary(node: ast.BinOp, to: Language) -> tuple[str, int]:
    kind = type(node.op).__name__
    binds = _BINDS[kind]
    right = kind == "Pow"
    # A chain of the same sign needs none on its own side; a power's exponent is put into them, which nobody misreads.
    left = _inside(node.left, binds + (1 if right else 0), to)
    other = _inside(node.right, binds + 1, to)
    sign = _sign(kind, to)
    return (f"{left}{sign}{other}" if right else f"{left} {sign} {other}"), binds


def _compare(node: ast.Compare, to: Language) -> tuple[str, int]:
    """``a < b < c`` is ``a < b and b < c``."""
    sides = [node.left, *node.comparators]
    parts = []
    for sign, before, after in zip(node.ops, sides, sides[1:], strict=False):
        left, right = _inside(before, _BINDS["Compare"] + 1, to), _inside(after, _BINDS["Compare"] + 1, to)
        parts.append(f"{left} {_sign(type(sign).__name__, to)} {right}")
    if len(parts) == 1:
        return parts[0], _BINDS["Compare"]
    return f" {_sign('And', to)} ".join(parts), _BINDS["And"]


def _inside(node: ast.AST, least: int, to: Language) -> str:
    text, binds = _render(node, to)
    return text if binds >= least else f"({text})"


def _sign(kind: str, to: Language) -> str:
    return to.signs.get(kind, _SYMBOLS[kind])
