"""Node sets: named selections of cells, as SONATA and its OBI extension define them.

A set is an object of rules that all hold (AND), a rule's list of values is a choice (OR), and a list of names is the
union of those sets. A rule's key is an attribute of the cells, or ``population``, ``node_id``, ``node_type_id``; its
value a scalar, a list, or an object of operators (``$regex $gt $lt $gte $lte``). ``$and``, ``$or`` and ``$node_set``
are bluepysnap's. Where a configuration wants a name it may also hold the rules themselves, a list of node ids, the name
of a population, or ``all``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from pynn_io.errors import GraphError
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource, UnknownCell
from pynn_io.graph.columns import Column
from pynn_io.graph.network import Network, Population
from pynn_io.graph.schema import PARAMETER

NodeSet: TypeAlias = Any
#: A boolean per row, or None where the population has no such attribute (or one of another kind).
Mask: TypeAlias = np.ndarray | None

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "$gt": operator.gt,
    "$lt": operator.lt,
    "$gte": operator.ge,
    "$lte": operator.le,
}
_OPERATORS = (*_COMPARE, "$regex")
_LOGIC = ("$and", "$or", "$node_set")
_ID_KEYS = ("node_id", "node_ids", "gids", "gid")
_POPULATION_KEYS = ("population", "populations")
_TYPE_KEYS = ("model_type", "population_type")
#: Attributes that a cell's definition has, whatever the population's columns are.
DERIVED = ("model_type", "model_template", "morphology")


def check(node_sets: Mapping[str, Any]) -> None:
    """Check the form of all sets: rules, operators, names referred to, cycles. Raises GraphError with every problem."""
    problems: list[str] = []
    for name, content in node_sets.items():
        problems += _form(name, content)
        if isinstance(content, list) and all(isinstance(entry, str) for entry in content):
            missing = [entry for entry in content if entry not in node_sets]
            problems += [f"node set {name!r} refers to {entry!r}, which does not exist" for entry in missing]
    problems += _cycles(node_sets)
    if problems:
        raise GraphError("the node sets are broken", problems=problems)


def resolve(node_set: NodeSet, network: Network, node_sets: Mapping[str, Any] | None = None) -> dict[str, np.ndarray]:
    """The ROWS of the cells in a set, by population: int64, ascending, unique; populations without a cell are left out.

    node_set: a name, rules, a list of ids or of names. node_sets: the named sets; the network's own by default, and for
    a simulation ``{**network.node_sets, **plan.node_sets}``, since those of the simulation override the circuit's.

    A population that lacks an attribute contributes nothing. Raises GraphError for an unknown name, key or operator, a
    cycle, and an attribute that no population has, naming the set and what there is.
    """
    masks = _Resolver(network, network.node_sets if node_sets is None else node_sets).masks(node_set, "", ())
    rows = {name: np.flatnonzero(mask).astype(np.int64, copy=False) for name, mask in masks.items()}
    return {name: found for name, found in rows.items() if len(found)}


class _Resolver:
    """One resolution: a boolean mask per population, combined by the rules."""

    def __init__(self, network: Network, node_sets: Mapping[str, Any]) -> None:
        self._network = network
        self._sets = node_sets

    def masks(self, content: NodeSet, name: str, path: tuple[str, ...]) -> dict[str, np.ndarray]:
        """``name``: the set that ``content`` stands in (empty for an inline one); ``path``: the sets around it."""
        if isinstance(content, str):
            return self._named(content, name, path)
        problems = _form(name, content)
        if problems:
            raise GraphError("the node set is broken", problems=problems)
        if isinstance(content, Mapping):
            return self._rules(content, name, path)
        if all(isinstance(entry, str) for entry in content):
            return self._union([self.masks(entry, name, path) for entry in content])
        return self._rules({"node_id": list(content)}, name, path)

    def _named(self, wanted: str, name: str, path: tuple[str, ...]) -> dict[str, np.ndarray]:
        if wanted in path:
            raise GraphError(f"node set {wanted!r} contains itself: {' -> '.join((*path, wanted))}")
        if wanted in self._sets:
            return self.masks(self._sets[wanted], wanted, (*path, wanted))
        if wanted == "all":
            return self._everything()
        if wanted in self._network.populations:
            return self._rules({"population": wanted}, wanted, path)
        context = f" (in node set {name!r})" if name else ""
        known = ", ".join([*self._sets, *self._network.populations]) or "none"
        raise GraphError(f"there is no node set or population {wanted!r}{context}", hint=f"known: {known}")

    def _everything(self) -> dict[str, np.ndarray]:
        return {name: np.ones(pop.size, dtype=bool) for name, pop in self._network.populations.items()}

    def _union(self, parts: Iterable[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        united: dict[str, np.ndarray] = {}
        for part in parts:
            for name, mask in part.items():
                united[name] = united[name] | mask if name in united else mask
        return united

    def _rules(self, rules: Mapping[str, Any], name: str, path: tuple[str, ...]) -> dict[str, np.ndarray]:
        """What fulfils all rules. Those of populations come first: no other needs to be looked at then."""
        masks: dict[str, np.ndarray] | None = None
        for key in sorted(rules, key=lambda each: each not in _POPULATION_KEYS):
            left = self._network.populations if masks is None else masks
            found = self._rule(key, rules[key], name, path, left)
            masks = {
                each: found[each] if masks is None else masks[each] & found[each] for each in left if each in found
            }
        return self._everything() if masks is None else masks

    def _rule(
        self, key: str, value: Any, name: str, path: tuple[str, ...], within: Iterable[str]
    ) -> dict[str, np.ndarray]:
        """What fulfils one rule, at least in the populations ``within``."""
        if key == "$node_set":
            return self._named(value, name, path)
        if key == "$or":
            return self._union([self._rules(part, name, path) for part in value])
        if key == "$and":
            parts = [self._rules(part, name, path) for part in value]
            shared = set(self._network.populations).intersection(*parts)
            return {pop: np.logical_and.reduce([part[pop] for part in parts]) for pop in shared} if parts else {}
        if key in _POPULATION_KEYS:
            return self._populations(value, name)
        found = self._matching(key, value, within)
        if not found and self._network.populations and not self._matching(key, value, self._network.populations):
            self._refuse(key, name)
        return found

    def _matching(self, key: str, value: Any, within: Iterable[str]) -> dict[str, np.ndarray]:
        populations = self._network.populations
        tested = {name: _match(self._network, populations[name], key, value) for name in within}
        return {name: mask for name, mask in tested.items() if mask is not None}

    def _populations(self, value: Any, name: str) -> dict[str, np.ndarray]:
        wanted = [value] if isinstance(value, str) else list(value)
        populations = self._network.populations
        found = {each: np.ones(populations[each].size, dtype=bool) for each in wanted if each in populations}
        if wanted and not found:
            known = ", ".join(populations) or "none"
            raise GraphError(
                f"{_label(name)} asks for population {', '.join(map(repr, wanted))}, which the network does not have",
                hint=f"populations: {known}",
            )
        return found

    def _refuse(self, key: str, name: str) -> None:
        attributes = sorted({attribute for pop in self._network.populations.values() for attribute in _names(pop)})
        raise GraphError(
            f"{_label(name)} has a rule {key!r}, but no population has such an attribute, or none of that kind",
            hint=f"attributes: {', '.join([*_ID_KEYS[:1], *_POPULATION_KEYS[:1], *attributes])}",
        )


def _label(name: str) -> str:
    return f"node set {name!r}" if name else "an inline node set"


def _names(population: Population) -> set[str]:
    """What a rule may ask of a population."""
    columns = (set(population.table) | set(population.types)) - {"id", "cell"}
    return {name.replace(PARAMETER, "@dynamics:") for name in columns} | {"node_type_id", *DERIVED}


def _match(network: Network, population: Population, key: str, rule: Any) -> Mask:
    """Which rows fulfil one rule: by node id, by the column as each cell sees it, and by the cell's definition."""
    if key in _ID_KEYS:
        return _test_array(population.ids(), rule)
    if key == "node_type_id":
        types = population.types.get("id")
        return None if types is None else _by_type(population, _test_array(types.read(population.types.size), rule))
    column = population.column(key.replace("@dynamics:", PARAMETER))
    own = None if column is None else _test_column(column, population.size, key, rule)
    if own is not None and not isinstance(own, np.ma.MaskedArray):
        return own
    defined = _defined(network, population, key)
    if defined is None:
        return None if own is None else np.ma.filled(own, False)
    tested = _test_levels(defined, key, rule)
    below = None if tested is None else _by_type(population, tested)
    if own is None or below is None:
        return below if own is None else np.ma.filled(own, False)
    return np.where(np.ma.getmaskarray(own), below, np.ma.getdata(own))


def _by_type(population: Population, tested: Mask) -> Mask:
    """A mask over types as one over cells."""
    if tested is None:
        return None
    return np.asarray(np.broadcast_to(tested[population.type_index.read(population.size)], (population.size,)))


def _defined(network: Network, population: Population, key: str) -> list[str | None] | None:
    """The attribute as the definition of each type's cell has it; None if none of them does."""
    found = [attribute(network.cells.get(name), key) for name in population.cells]
    return found if any(value is not None for value in found) else None


def attribute(cell: Cell | None, key: str) -> str | None:
    """What a cell definition says of itself: the names kept from its file first, else what its kind implies."""
    if cell is None:
        return None
    kept = cell.origin.names.get("model_type" if key in _TYPE_KEYS else key) if cell.origin else None
    if kept is not None:
        return str(kept)
    if key in _TYPE_KEYS:
        kinds = {PointCell: "point_neuron", SpikeSource: "virtual", CableCell: "biophysical"}
        return cell.kind if isinstance(cell, UnknownCell) else kinds[type(cell)]
    if key == "model_template":
        return cell.template if isinstance(cell, CableCell) else getattr(cell, "model", None)
    return cell.morphology if key == "morphology" and isinstance(cell, CableCell) else None


def _test_column(column: Column, size: int, key: str, rule: Any) -> Any:
    """A boolean per row (masked where the row states nothing), or None if the kinds of values differ."""
    if column.is_scalar:
        value = column.value
        tested = _test_levels([value], key, rule) if isinstance(value, str) else _test_array(np.asarray([value]), rule)
        return None if tested is None else np.full(size, bool(tested[0]))
    rows = column.read(size)
    if not column.is_text:
        return _test_array(rows, rule) if rows.ndim == 1 else None
    levels: Sequence[str | None]
    if column.levels is not None:
        levels, codes = column.levels, np.ma.getdata(rows)
    else:
        text = np.ma.getdata(rows).astype(str)
        distinct, codes = np.unique(text, return_inverse=True)
        levels = distinct.tolist()
    tested = _test_levels(levels, key, rule)
    if tested is None:
        return None
    # codes of rows that state nothing may point anywhere: clip them, the mask hides the answer
    answer = tested[np.clip(codes, 0, len(tested) - 1)] if len(tested) else np.zeros(size, dtype=bool)
    return np.ma.array(answer, mask=np.ma.getmaskarray(rows)) if np.ma.isMaskedArray(rows) else answer


def _test_array(values: np.ndarray, rule: Any) -> Any:
    """Numbers against a rule; None if the rule is about text."""
    data = np.ma.getdata(values)
    if isinstance(rule, Mapping):
        if "$regex" in rule:
            return None
        found = np.logical_and.reduce([_COMPARE[name](data, bound) for name, bound in rule.items()])
    else:
        wanted = list(rule) if isinstance(rule, list | tuple) else [rule]
        numbers = [value for value in wanted if isinstance(value, bool | int | float)]
        if wanted and not numbers:
            return None
        found = np.isin(data, np.asarray(numbers)) if numbers else np.zeros(len(data), dtype=bool)
    return np.ma.array(found, mask=np.ma.getmaskarray(values)) if np.ma.isMaskedArray(values) else found


def _test_levels(levels: Sequence[str | None], key: str, rule: Any) -> Mask:
    """Strings against a rule, one answer a level; None if the rule is about numbers."""
    if isinstance(rule, Mapping):
        if "$regex" not in rule:
            return None
        pattern = re.compile(rule["$regex"])
        return np.asarray([level is not None and pattern.search(level) is not None for level in levels], dtype=bool)
    wanted = [rule] if isinstance(rule, str) or not isinstance(rule, list | tuple) else list(rule)
    texts = {_same(key, value) for value in wanted if isinstance(value, str)}
    if wanted and not texts:
        return None
    return np.asarray([level is not None and _same(key, level) in texts for level in levels], dtype=bool)


def _same(key: str, text: str) -> str:
    """One spelling for values that mean the same: the old ``point_process``, a morphology with its ending."""
    if key in _TYPE_KEYS and text == "point_process":
        return "point_neuron"
    return text.removesuffix(".swc") if key == "morphology" else text


def _form(name: str, content: Any) -> list[str]:
    """What is wrong with the form of one set."""
    label = _label(name)
    if isinstance(content, Mapping):
        return [problem for key, value in content.items() for problem in _rule_form(label, key, value)]
    if isinstance(content, list | tuple):
        kinds = {str if isinstance(entry, str) else int if _is_id(entry) else None for entry in content}
        if None in kinds or len(kinds) > 1:
            return [f"{label} is a list of neither names nor node ids"]
        return []
    return [f"{label} must be an object of rules or a list of names, here it is {content!r}"]


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _rule_form(label: str, key: str, value: Any) -> list[str]:
    if key in ("$and", "$or"):
        if not isinstance(value, list) or not all(isinstance(part, Mapping) for part in value):
            return [f"{label}: {key} takes a list of rule objects"]
        return [problem for part in value for name, rule in part.items() for problem in _rule_form(label, name, rule)]
    if key.startswith("$") and key not in _LOGIC:
        return [f"{label}: unknown operator {key!r} (known here: {', '.join(_LOGIC)})"]
    if isinstance(value, Mapping):
        return _operator_form(label, key, value)
    wanted = value if isinstance(value, list | tuple) else [value]
    kind: Any = str if key in _POPULATION_KEYS or key == "$node_set" else (str, bool, int, float)
    if key in _ID_KEYS and not all(_is_id(entry) for entry in wanted):
        return [f"{label}: {key} takes node ids (whole numbers), here it is {value!r}"]
    if not all(isinstance(entry, kind) for entry in wanted):
        return [f"{label}: the rule {key!r} has the value {value!r}"]
    return []


def _operator_form(label: str, key: str, value: Mapping[str, Any]) -> list[str]:
    problems = []
    for name, bound in value.items():
        if name not in _OPERATORS:
            problems.append(f"{label}: {key!r} has the unknown operator {name!r} (known: {', '.join(_OPERATORS)})")
        elif name == "$regex":
            try:
                re.compile(bound)
            except (re.error, TypeError) as error:
                problems.append(f"{label}: {key!r} has the regular expression {bound!r}: {error}")
        elif isinstance(bound, bool) or not isinstance(bound, int | float):
            problems.append(f"{label}: {name} of {key!r} takes a number, here it is {bound!r}")
    if "$regex" in value and len(value) > 1:
        problems.append(f"{label}: {key!r} mixes $regex with comparisons of numbers")
    if not value:
        problems.append(f"{label}: {key!r} has an empty object of operators")
    return problems


def _cycles(node_sets: Mapping[str, Any]) -> list[str]:
    """Sets that contain themselves, each cycle once."""
    problems, done = [], set()
    for start in node_sets:
        stack: list[tuple[str, tuple[str, ...]]] = [(start, (start,))]
        while stack:
            name, path = stack.pop()
            if name in done:
                continue
            entries = node_sets.get(name)
            for entry in entries if isinstance(entries, list) else ():
                if not isinstance(entry, str):
                    continue
                if entry in path:
                    problems.append(f"node set {entry!r} contains itself: {' -> '.join((*path, entry))}")
                else:
                    stack.append((entry, (*path, entry)))
            done.add(name)
    return problems
