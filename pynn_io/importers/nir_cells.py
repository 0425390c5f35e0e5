"""NIR's neurons as PyNN's standard cells, where a file has no note of what they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.nir import Node
from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Population
from pynn_io.graph.schema import PARAMETER
from pynn_io.report import Report

Values = dict[str, np.ndarray]
#: A threshold that is never reached, mV, and a leak that does nothing, ms.
NEVER = 1e9


@dataclass(frozen=True, slots=True)
class Times:
    """What the numbers of a file mean. unit: ms of its unit of time. spike: how long a spike is 1, in that unit."""

    unit: float = 1.0
    spike: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Membrane:
    """A node as a standard cell. parameters: float64[size] each. jump: by one entry of a matrix, in ``unit``. bias: the
    constant current, nA, by one of the signal."""

    model: str
    parameters: Values
    unit: str
    jump: np.ndarray
    bias: np.ndarray


def membrane(node: Node, times: Times) -> Membrane:
    """The cells of a node that is no Input. Raises ReadError for a time constant or resistance that is not positive."""
    p = {name: np.asarray(value, dtype=np.float64).ravel() for name, value in node.values.items()}
    for name in ("tau", "tau_mem", "tau_syn", "r"):
        if name in p and not (p[name] > 0).all():
            raise ReadError(f"{name} of a {node.type} is not positive", where=f"{node.where}/{name}")
    zero = np.zeros_like(p["r"])
    # nir's own defaults of what a file may leave out.
    p = {"v_reset": zero, "w_in": zero + 1.0, "v_threshold": zero + NEVER, **p}
    return _FORMS[node.type](p, times)


def _leaky(p: Values, tau: np.ndarray, times: Times) -> Values:
    return {
        "tau_m": tau * times.unit,
        "cm": tau * times.unit / p["r"],
        "v_rest": p["v_leak"],
        "v_thresh": p["v_threshold"],
        "v_reset": p["v_reset"],
        "tau_refrac": np.zeros_like(tau),
        "v": p["v_leak"],
    }


def _impulse(p: Values, times: Times) -> Membrane:
    jump = p["r"] / p["tau"] * times.spike
    return Membrane("IF_curr_delta", _leaky(p, p["tau"], times), "mV", jump, np.ones_like(jump))


def _filtered(p: Values, times: Times) -> Membrane:
    tau_syn = p["tau_syn"] * times.unit
    parameters = {**_leaky(p, p["tau_mem"], times), "tau_syn_E": tau_syn, "tau_syn_I": tau_syn}
    jump = p["w_in"] / p["tau_syn"] * times.spike
    return Membrane("IF_curr_exp", parameters, "nA", jump, p["w_in"])


def _not_leaking(p: Values, times: Times) -> Membrane:
    """``dv/dt = R I``, with a time constant that no simulation outlives."""
    still = {**p, "v_leak": p["v_reset"]}
    tau = np.full_like(p["r"], NEVER)
    parameters = {**_leaky(still, tau, Times()), "cm": times.unit / p["r"]}
    return Membrane("IF_curr_delta", parameters, "mV", p["r"] * times.spike, np.ones_like(tau))


_FORMS: Mapping[str, Callable[[Values, Times], Membrane]] = MappingProxyType(
    {
        "LIF": _impulse,
        "LI": _impulse,
        "CubaLIF": _filtered,
        "CubaLI": _filtered,
        "IF": _not_leaking,
        "I": _not_leaking,
    }
)


def source(name: str, size: int) -> tuple[Population, SpikeSource]:
    """The population of an Input: trains that something else has to give."""
    return Population(name, size, Table(1, {"cell": text_column([name])})), SpikeSource()


def population(name: str, made: Membrane, bias: np.ndarray) -> tuple[Population, PointCell]:
    """A population and its cell: a number that all cells share is the cell's, others are columns."""
    offset = bias * made.bias
    stated: dict[str, Any] = {}
    columns: dict[str, Column] = {}
    for key, values in {**made.parameters, **({"i_offset": offset} if offset.any() else {})}.items():
        if len(values) and (values == values[0]).all():
            stated[key] = float(values[0])
        else:
            columns[f"{PARAMETER}{key}"] = Column(values)
    size = len(made.jump)
    made_population = Population(name, size, Table(1, {"cell": text_column([name])}), table=Table(size, columns))
    return made_population, PointCell(made.model, stated)


def tell(node: Node, name: str, bias: np.ndarray, report: Report) -> None:
    """What a node of somebody else's file becomes, where that is not the same thing in other words."""
    where, size = f"population {name}", int(np.size(node.values["r"]))
    report.defaulted(
        "initial-potential", where, "NIR does not say where a simulation begins; the cells begin at v_leak.", count=size
    )
    if node.type in ("IF", "I"):
        message = f"PyNN has no cell without a leak; a time constant of {NEVER} ms stands for none."
        report.approximated("no-leak", where, message, count=size, examples=[node.type])
    if node.type in ("I", "LI", "CubaLI"):
        message = f"A neuron that does not spike is one with a threshold of {NEVER} mV."
        report.expanded("non-spiking", where, message, count=size, examples=[node.type])
    if node.type.startswith("Cuba"):
        message = (
            "A bias is filtered by the synapse in NIR, and reaches its value after some tau_syn; here it is there "
        )
        report.approximated("filtered-bias", where, message + "from the start.", count=int(np.count_nonzero(bias)))
