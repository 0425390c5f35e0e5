"""NMODL files as the plain records of `pynn_io.formats.nmodl_records`.

Parsing is done by the package ``nmodl`` of the Blue Brain Project (extra ``nmodl``), whose syntax tree is read here.
The language: Hines & Carnevale 2000, doi:10.1162/089976600300015475.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pynn_io.errors import BackendUnavailable, ReadError
from pynn_io.formats.nmodl_includes import Included, included
from pynn_io.formats.nmodl_records import (
    Assign,
    Block,
    Branch,
    Call,
    Conserve,
    Equation,
    Ion,
    Loop,
    Mechanism,
    Other,
    Rate,
    Reaction,
    Solve,
    Statement,
    Table,
)

_HINT = "pip install 'pynn_io[nmodl]'"


def read_mechanism(path: Path) -> Mechanism:
    """The mechanism of a ``.mod`` file.

    Raises ReadError for a file that cannot be read or parsed, or that names no mechanism, and BackendUnavailable
    without the package ``nmodl``.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ReadError(f"cannot read this mechanism: {error.strerror or error}", where=path) from None
    return parse_mechanism(text, path)


def parse_mechanism(text: str, path: Path) -> Mechanism:
    """The same, of a text; ``path`` is for messages."""
    nmodl = _package()
    whole = included(text, path)
    try:
        program = nmodl.NmodlDriver().parse_string(whole.text)
    except RuntimeError as error:
        raise ReadError(_syntax(str(error)), where=_place(whole, path, str(error))) from None
    return _Reader(nmodl, whole, path).mechanism(program)


def _package() -> Any:
    try:
        import nmodl
    except ModuleNotFoundError as error:
        raise BackendUnavailable("reading NMODL needs the package 'nmodl'", hint=_HINT) from error
    return nmodl


def _syntax(message: str) -> str:
    """The parser's complaint in one line."""
    first = message.splitlines()[0] if message else "syntax error"
    return re.sub(r"\s*\[Location.*", "", first.replace("NMODL Parser Error : ", "this is not NMODL: "))


def _place(whole: Included, path: Path, message: str) -> str:
    line = re.search(r"\[Location : (\d+)\.", message)
    return whole.place(int(line[1])) if line else str(path)


#: Blocks of statements by the parser's name for them.
_BLOCKS = {
    "BreakpointBlock": "BREAKPOINT",
    "InitialBlock": "INITIAL",
    "DerivativeBlock": "DERIVATIVE",
    "KineticBlock": "KINETIC",
    "LinearBlock": "LINEAR",
    "NonLinearBlock": "NONLINEAR",
    "DiscreteBlock": "DISCRETE",
    "ProcedureBlock": "PROCEDURE",
    "FunctionBlock": "FUNCTION",
    "NetReceiveBlock": "NET_RECEIVE",
}
#: Blocks and comments that say nothing about what a mechanism computes.
_SILENT = frozenset({"UnitState", "BlockComment", "LineComment", "IndependentBlock", "InlineComment"})


class _Reader:
    """The parser's tree as a `Mechanism`."""

    def __init__(self, nmodl: Any, whole: Included, path: Path) -> None:
        self._words, self._whole, self._path = nmodl.to_nmodl, whole, path
        self._found: dict[str, Any] = {"ions": [], "nonspecific": [], "electrode": [], "ranges": [], "pointers": []}
        self._parameters: dict[str, float] = {}
        self._units: dict[str, str] = {}
        self._constants: dict[str, float] = {}
        self._factors: dict[str, tuple[str, str]] = {}
        self._assigned: list[str] = []
        self._arrays: list[str] = []
        self._states: list[str] = []
        self._blocks: dict[str, Block] = {}
        self._extra: list[tuple[str, int]] = []
        self._name, self._kind, self._title = "", "", ""

    def mechanism(self, program: Any) -> Mechanism:
        for node in program.blocks:
            self._take(node)
        if not self._name:
            hint = "NEURON { SUFFIX name } gives it one"
            raise ReadError("this NMODL file names no mechanism", where=self._path, hint=hint)
        return Mechanism(
            name=self._name,
            kind=self._kind,
            file=self._path,
            title=self._title,
            **{key: tuple(value) for key, value in self._found.items()},
            parameters=self._parameters,
            units=self._units,
            constants=self._constants,
            factors=self._factors,
            assigned=tuple(self._assigned),
            arrays=tuple(self._arrays),
            states=tuple(self._states),
            blocks=self._blocks,
            extra=tuple(self._extra),
        )

    def _take(self, node: Any) -> None:
        kind = node.get_node_type_name()
        if kind in _BLOCKS:
            block = self._block(node, _BLOCKS[kind])
            self._blocks[block.name or block.kind] = block
        elif kind == "NeuronBlock":
            for each in node.statement_block.statements:
                self._declare(each)
        elif kind == "UnitBlock":
            self._factor_definitions(node)
        elif kind == "ParamBlock":
            for each in node.statements:
                self._variable(each)
                self._parameters[self._words(each.name)] = _value(each)
        elif kind == "Define":
            self._constants[self._words(node.name)] = float(self._words(node.value))
        elif kind == "ConstantBlock":
            for each in node.statements:
                self._constants[self._words(each.constant.name)] = _value(each.constant)
        elif kind in ("AssignedBlock", "StateBlock"):
            names = self._assigned if kind == "AssignedBlock" else self._states
            for each in node.definitions:
                self._variable(each)
                names.append(self._words(each.name))
        elif kind == "Model":
            self._title = self._words(node).removeprefix("TITLE").strip()
        elif kind == "LocalListStatement":
            self._assigned += [self._words(each) for each in node.variables]
        elif kind not in _SILENT:
            word = self._words(node).split(maxsplit=1)[0]
            self._extra.append((word, self._line(word, "")))

    def _declare(self, node: Any) -> None:
        kind, found = node.get_node_type_name(), self._found
        if kind == "Suffix":
            self._kind, self._name = self._words(node.type), self._words(node.name)
        elif kind == "Useion":
            read, write = (tuple(map(self._words, each)) for each in (node.readlist, node.writelist))
            valence = None if node.valence is None else float(self._words(node.valence.value))
            found["ions"].append(Ion(self._words(node.name), read, write, valence))
        elif kind in ("Nonspecific", "ElectrodeCurrent"):
            found["nonspecific" if kind == "Nonspecific" else "electrode"] += map(self._words, node.currents)
        elif kind == "Range":
            found["ranges"] += map(self._words, node.variables)
        elif kind in ("Pointer", "BbcorePointer"):
            found["pointers"] += map(self._words, node.variables)

    def _variable(self, node: Any) -> None:
        name = self._words(node.name)
        if node.unit is not None:
            self._units[name] = self._words(node.unit).strip("()")
        if "[" in name or getattr(node, "length", None) is not None:
            self._arrays.append(name.partition("[")[0])

    def _factor_definitions(self, node: Any) -> None:
        for each in node.definitions:
            if each.get_node_type_name() != "FactorDef":
                continue
            name = self._words(each.name)
            if each.value is not None:
                self._constants[name] = float(self._words(each.value))
            else:
                unit = "" if each.unit2 is None else self._words(each.unit2).strip("()")
                self._factors[name] = (self._words(each.unit1).strip("()"), unit)

    def _block(self, node: Any, kind: str) -> Block:
        name = self._words(node.name) if getattr(node, "name", None) is not None else ""
        stated = [self._words(each.name) for each in getattr(node, "parameters", None) or ()]
        body = node.statement_block.statements
        local = [
            self._words(each)
            for one in body
            if one.get_node_type_name() == "LocalListStatement"
            for each in one.variables
        ]
        statements = tuple(self._statements(body))
        return Block(kind, name, tuple(stated), tuple(local), statements, self._line(kind, name))

    def _line(self, kind: str, name: str) -> int:
        """Where a block begins: the parser's Python tree does not say."""
        text = self._whole.text
        found = re.search(rf"^[^:?\n]*\b{kind}\b\s*{re.escape(name)}", text, re.MULTILINE)
        return 1 if found is None else self._whole.lines[text.count("\n", 0, found.start())]

    def _statements(self, nodes: list[Any]) -> Iterator[Statement]:
        for node in nodes:
            kind = node.get_node_type_name()
            if kind == "ExpressionStatement":
                yield self._expression(node.expression)
            elif kind == "IfStatement":
                yield self._branch(node)
            elif kind == "FromStatement":
                yield self._loop(node)
            elif kind == "ReactionStatement":
                yield self._reaction(node)
            elif kind == "Conserve":
                yield Conserve(self._words(node.react).strip(), self._words(node.expr))
            elif kind == "TableStatement":
                yield Table(tuple(map(self._words, node.table_vars)))
            elif kind not in _SILENT and kind != "LocalListStatement":
                text = self._words(node)
                yield Other(text.split(maxsplit=1)[0], text)

    def _expression(self, node: Any) -> Statement:
        kind, text = node.get_node_type_name(), self._words(node)
        if kind == "BinaryExpression" and self._words(node.op).strip() == "=":
            return Assign(self._words(node.lhs), self._words(node.rhs))
        if kind == "DiffEqExpression":
            sides = node.expression
            return Rate(self._words(sides.lhs).rstrip("'"), self._words(sides.rhs))
        if kind == "WrappedExpression":
            return self._expression(node.expression)
        if kind == "FunctionCall":
            return Call(self._words(node.name), tuple(map(self._words, node.arguments)))
        if kind == "SolveBlock":
            steady = node.steadystate is not None or "STEADYSTATE" in text
            method = node.steadystate or node.method
            return Solve(self._words(node.block_name), "" if method is None else self._words(method), steady)
        if kind == "LinEquation":
            left, _, right = text.removeprefix("~").rpartition("=")
            return Equation(left.strip(), right.strip())
        return Other(text.split(maxsplit=1)[0], text)

    def _branch(self, node: Any) -> Branch:
        cases: list[tuple[str | None, tuple[Statement, ...]]] = [
            (self._words(each.condition), tuple(self._statements(each.statement_block.statements)))
            for each in (node, *node.elseifs)
        ]
        if node.elses is not None:
            cases.append((None, tuple(self._statements(node.elses.statement_block.statements))))
        return Branch(tuple(cases))

    def _loop(self, node: Any) -> Loop:
        first, last = self._words(getattr(node, "from")), self._words(node.to)
        step = "1" if node.increment is None else self._words(node.increment)
        return Loop(self._words(node.name), first, last, step, tuple(self._statements(node.statement_block.statements)))

    def _reaction(self, node: Any) -> Reaction:
        sign = self._words(node.op).strip()
        left = _terms(self._words(node.reaction1))
        right = () if node.reaction2 is None else _terms(self._words(node.reaction2))
        reverse = "0" if node.expression2 is None else self._words(node.expression2)
        return Reaction(left, right, sign, self._words(node.expression1), reverse)


def _terms(text: str) -> tuple[tuple[int, str], ...]:
    """``2a+b`` -> ((2, "a"), (1, "b"))."""
    pairs = []
    for term in text.split("+"):
        count, name = re.fullmatch(r"\s*(\d*)\s*(.*?)\s*", term).groups()  # type: ignore[union-attr]
        pairs.append((int(count or 1), name))
    return tuple(pairs)


def _value(node: Any) -> float:
    """The number behind a name; 0 where none is stated."""
    if node.value is None:
        return 0.0
    value = node.value.value
    return float(value if isinstance(value, int | float | str) else 0.0)
