"""What a synapse is: its postsynaptic effect and its plasticity, by model name and parameters.

The same naming rule as for cells: a bare name is a standard one (``Exp2Syn`` kinetics are ``nrn:Exp2Syn``; PyNN's
``StaticSynapse`` has no prefix). What a weight means depends on the synapse and its target, so each synapse type of a
projection states its ``weight_unit``: uS, nA, mV or 1 (dimensionless).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pynn_io.graph.cells import Origin
from pynn_io.graph.columns import empty
from pynn_io.graph.dynamics import Component


@dataclass(frozen=True, slots=True)
class Synapse:
    """One synapse model.

    model: ``static`` (a weight and a delay, nothing else), ``nest:tsodyks_synapse``, ``nrn:Exp2Syn``, ...; the empty
        string where the source names none.
    parameters: as stated (``tau1``, ``tau2``, ``erev``, ``sign`` ...), in the units of the model's vocabulary row.
    children: what stands in a component (``neuroml:blockingPlasticSynapse``), as for cells.
    """

    model: str
    parameters: Mapping[str, Any] = field(default_factory=empty)
    origin: Origin | None = field(default=None, compare=False)
    children: tuple[tuple[str, Component], ...] = ()
