"""What arrives at each neuron of a NIR graph: the linear nodes between neurons, composed into weights and delays."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from pynn_io.errors import ReadError, UnsupportedInput
from pynn_io.formats.nir import Graph, Node
from pynn_io.importers.nir_linear import Shape, linear

#: What spikes; what integrates without spiking, so that nothing but an Output may follow; what passes a signal on.
SPIKING = frozenset({"Input", "IF", "LIF", "CubaLIF"})
GRADED = frozenset({"I", "LI", "CubaLI"})
#: Channels of a node whose shape no array of its own confirms.
_MOST = 1 << 26
_WEIGHTED = frozenset({"Linear", "Affine", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Scale"})


@dataclass(frozen=True, slots=True)
class Term:
    """Spikes of one population on their way. label: the last node with weights; empty where there was none. delay: in
    the unit of the file; None where no Delay was passed. matrix: to the place where the signal is now."""

    source: str
    label: str
    delay: float | None
    matrix: sparse.csr_array


@dataclass(frozen=True, slots=True)
class Signal:
    """The terms of a signal, which add up, and a constant."""

    shape: Shape
    terms: tuple[Term, ...]
    bias: np.ndarray


def flattened(graph: Graph) -> Graph:
    """The graph without graphs in it: their nodes are called ``graph.node``, and their Inputs and Outputs pass on."""
    inner = {name: flattened(node) for name, node in graph.nodes.items() if isinstance(node, Graph)}
    nodes = {name: node for name, node in graph.nodes.items() if name not in inner}
    edges: list[tuple[str, str]] = []
    for name, within in inner.items():
        nodes |= {f"{name}.{each}": _passing(node) for each, node in within.nodes.items() if isinstance(node, Node)}
        edges += [(f"{name}.{source}", f"{name}.{target}") for source, target in within.edges]
    ports = {name: (_ports(within, "Input"), _ports(within, "Output")) for name, within in inner.items()}
    for source, target in graph.edges:
        for begin in [f"{source}.{port}" for port in ports[source][1]] if source in ports else [source]:
            edges += [
                (begin, end)
                for end in ([f"{target}.{port}" for port in ports[target][0]] if target in ports else [target])
            ]
    return replace(graph, nodes=nodes, edges=tuple(edges))


def _ports(graph: Graph, kind: str) -> list[str]:
    return [name for name, node in graph.nodes.items() if isinstance(node, Node) and node.type == kind]


def _passing(node: Node) -> Node:
    """An Input or Output of a graph in a graph as a node that changes nothing."""
    return replace(node, type="Pass") if node.type in ("Input", "Output") else node


class Signals:
    """The signals of a graph without graphs in it, by the node that they leave."""

    def __init__(self, graph: Graph, label: Callable[[str, Node], str]) -> None:
        self.nodes: Mapping[str, Node] = {name: node for name, node in graph.nodes.items() if isinstance(node, Node)}
        self._label = label
        self._before: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, target in graph.edges:
            self._before[target].append(source)
        self._known: dict[str, Signal] = {}

    def before(self, name: str) -> tuple[str, ...]:
        """The nodes with an edge to a node."""
        return tuple(self._before[name])

    def arriving(self, name: str, shape: Shape) -> Signal:
        """What arrives at a node of one shape. Raises ReadError for signals that do not fit, and for a loop without a
        neuron in it; UnsupportedInput for a signal that is not one of spikes."""
        node = self.nodes[name]
        return _sum(node, shape, [self._leaving(each) for each in self._before[name]])

    def _leaving(self, name: str) -> Signal:
        """The signal behind a node. Nodes are taken in an order in which all before them are known: no recursion, since
        a graph may be thousands of nodes deep."""
        for each in self._order(name):
            if each not in self._known:
                self._known[each] = self._made(each)
        return self._known[name]

    def _order(self, name: str) -> Iterable[str]:
        """The unknown nodes behind a node, those that others need first."""
        ready: list[str] = []
        open_, closed = [(name, iter(self._needed(name)))], set[str]()
        on_path = {name}
        while open_:
            current, needed = open_[-1]
            for each in needed:
                if each in on_path:
                    raise ReadError("a loop without a neuron in it", where=self.nodes[each].where)
                if each not in closed and each not in self._known:
                    on_path.add(each)
                    open_.append((each, iter(self._needed(each))))
                    break
            else:
                open_.pop()
                on_path.discard(current)
                closed.add(current)
                ready.append(current)
        return ready

    def _needed(self, name: str) -> list[str]:
        node = self.nodes[name]
        return [] if node.type in SPIKING or node.type in GRADED else self._before[name]

    def _made(self, name: str) -> Signal:
        node = self.nodes[name]
        if node.type in SPIKING:
            shape = shape_of(node)
            size = math.prod(map(int, shape))
            if size > _MOST:
                hint = f"up to {_MOST} are read; is the shape that it states right?"
                raise UnsupportedInput(f"a node of {size} channels", where=node.where, hint=hint)
            return Signal(shape, (Term(name, "", None, sparse.eye_array(size, format="csr")),), np.zeros(size))
        if node.type in GRADED:
            raise UnsupportedInput(
                f"{name!r} ({node.type}) passes a potential on to other nodes, and neurons here pass on spikes",
                where=node.where,
            )
        before = [self._known[each] for each in self._before[name]]
        if not before:
            raise ReadError(f"nothing leads to this {node.type}", where=node.where)
        arriving = _sum(node, before[0].shape, before)
        if node.type == "Delay":
            return _delayed(node, arriving)
        return arriving if node.type in ("Pass", "Output") else self._applied(name, node, arriving)

    def _applied(self, name: str, node: Node, signal: Signal) -> Signal:
        made = linear(node, signal.shape)
        label = self._label(name, node) if node.type in _WEIGHTED else ""
        terms = [
            Term(term.source, label or term.label, term.delay, (made.matrix @ term.matrix).tocsr())
            for term in signal.terms
        ]
        bias = made.matrix @ signal.bias
        return Signal(made.shape, tuple(terms), bias if made.bias is None else bias + made.bias)


def shape_of(node: Node) -> Shape:
    """The shape of a node's neurons, or of the signals of an Input."""
    if node.type == "Input":
        return tuple(int(size) for size in np.atleast_1d(node.values["shape"]))
    return np.shape(node.values["r"])


def _sum(node: Node, shape: Shape, signals: list[Signal]) -> Signal:
    """Signals that meet at a node: terms of one source, label and delay become one."""
    found: dict[tuple[str, str, float | None], Term] = {}
    bias = np.zeros(int(np.prod(shape)))
    for signal in signals:
        if signal.shape != shape:
            raise ReadError(f"a signal of the shape {signal.shape} where {shape} is wanted", where=node.where)
        bias = bias + signal.bias
        for term in signal.terms:
            key = (term.source, term.label, term.delay)
            known = found.get(key)
            found[key] = term if known is None else replace(known, matrix=(known.matrix + term.matrix).tocsr())
    return Signal(shape, tuple(found.values()), bias)


def _delayed(node: Node, signal: Signal) -> Signal:
    """A delay for each channel: a term for each delay. A constant stays what it is."""
    delays = np.asarray(node.values["delay"], dtype=np.float64)
    if delays.shape != signal.shape:
        raise ReadError(f"a Delay of {delays.shape}, and signals of the shape {signal.shape}", where=node.where)
    if (delays < 0).any():
        raise ReadError("a negative delay", where=f"{node.where}/delay")
    return replace(signal, terms=tuple(_split(signal.terms, delays.ravel())))


def _split(terms: Iterable[Term], delays: np.ndarray) -> Iterator[Term]:
    values = np.unique(delays).tolist()
    for term in terms:
        for value in values:
            chosen = sparse.diags_array((delays == value).astype(np.float64))
            matrix = term.matrix if len(values) == 1 else (chosen @ term.matrix).tocsr()
            yield replace(term, delay=value + (term.delay or 0.0), matrix=matrix)
