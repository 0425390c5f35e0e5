"""The network that a chip stores, run by NEST at the chip's time step: an approximation of the chip, and called so."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from pynn_io.errors import RunError
from pynn_io.results import Results
from pynn_io.results.mapped import EMULATED, Mapped
from pynn_io.simulate import simulate

#: What runs it.
SIMULATOR = "nest"
APPROXIMATION = (
    "weights, delays and input spikes are those that the chip stores; NEST integrates the cells in double precision, "
    "where the chip has its own fixed-point arithmetic"
)


def emulate(mapped: Results, **options: Any) -> Mapped:
    """Run what `simulate` on a chip gave. options: of `pynn_io.simulate.simulate`, but for those that change the plan.

    The results say in their level (``emulates``) and in their provenance that they are an approximation. Raises
    RunError for results that are of no chip, and what `simulate` raises.
    """
    if not isinstance(mapped, Mapped) or mapped.fidelity is None or mapped.network is None or mapped.plan is None:
        raise RunError("these results are of no chip: there is nothing to emulate")
    results = simulate(mapped.network, mapped.plan, SIMULATOR, **options)
    emulated = {
        "emulates": mapped.fidelity.chip,
        "approximation": APPROXIMATION,
        "mapped_by": f"{mapped.provenance['simulator']} {mapped.provenance['simulator_version']}",
        "plan": mapped.provenance["plan"],
        "backend_chosen": f"an emulation of {mapped.fidelity.chip}",
    }
    return replace(
        mapped,
        **{
            **{item.name: getattr(results, item.name) for item in fields(Results)},
            "level": EMULATED,
            "provenance": {**results.provenance, **emulated},
        },
    )
