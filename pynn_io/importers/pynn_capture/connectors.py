"""PyNN's connectors; they say so where they are called as they were before PyNN 0.8."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from pyNN import connectors

from pynn_io.errors import UnsupportedInput
from pynn_io.importers.pynn_capture import on_spinnaker
from pynn_io.importers.pynn_capture.old_calls import CONNECTOR_ARGUMENTS, refuse_arguments


class _Present:
    """A connector that knows the old arguments."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        refuse_arguments(type(self).__name__, named, CONNECTOR_ARGUMENTS)
        on_spinnaker.take_hints("Connector", named)
        super().__init__(*arguments, **named)


class OneToOneConnector(_Present, connectors.OneToOneConnector):
    """Cell i to cell i; between populations of one cell too, where PyNN 0.13 stumbles over numpy 2.1 and later."""

    def _standard_connect(
        self, projection: Any, connection_map_generator: Callable[..., Any], distance_map: Any = None
    ) -> None:
        def columns(*mask: Any) -> Iterator[Any]:
            for column in connection_map_generator(*mask):
                yield np.atleast_1d(column) if projection.pre.size == 1 else column

        super()._standard_connect(projection, columns, distance_map)


class SmallWorldConnector(_Present, connectors.SmallWorldConnector):
    """PyNN 0.13 lists it, and its backends cannot connect it."""

    def connect(self, projection: Any) -> None:
        """Raises UnsupportedInput."""
        message = "PyNN 0.13 has no backend that connects a SmallWorldConnector"
        raise UnsupportedInput(message, hint="a FromListConnector takes its connections as a list")


class ArrayConnector(_Present, connectors.ArrayConnector):
    """As PyNN's, which takes numbers for indices of cells; to sPyNNaker all but 0 are connections."""

    def __init__(self, array: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(np.asarray(array, dtype=bool) if on_spinnaker.is_used() else array, *arguments, **named)


class _Expression(connectors.IndexBasedExpression):
    """A probability as sPyNNaker has it: Python's text, of the indices ``i`` and ``j`` and numpy's functions."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._code = compile(text, "<index_expression>", "eval")

    def __call__(self, i: Any, j: Any) -> Any:
        names = {**vars(np), "numpy": np, "math": math, "i": i, "j": j}
        return np.broadcast_to(eval(self._code, names), np.broadcast_shapes(np.shape(i), np.shape(j)))


class IndexBasedProbabilityConnector(_Present, connectors.IndexBasedProbabilityConnector):
    """As PyNN's; its expression may be text, if the script is for sPyNNaker."""

    def __init__(self, index_expression: Any, *arguments: Any, **named: Any) -> None:
        if isinstance(index_expression, str) and on_spinnaker.is_used():
            index_expression = _Expression(index_expression)
        super().__init__(index_expression, *arguments, **named)


def _all() -> dict[str, type]:
    found = {}
    for name, item in vars(connectors).items():
        if isinstance(item, type) and issubclass(item, connectors.Connector) and item is not connectors.Connector:
            found[name] = type(name, (_Present, item), {"__doc__": item.__doc__, "__module__": __name__})
    own = (OneToOneConnector, SmallWorldConnector, ArrayConnector, IndexBasedProbabilityConnector)
    return {**found, **{item.__name__: item for item in own}}


#: By name.
CONNECTORS = _all()
