"""Writes docs/pynn_models.md: our lowering to NEST, NEURON and Brian2 against PyNN by hand, measured.

``python -m docs.make_pynn_models``; needs PyNN, NEST, NEURON and Brian2, and a compiler.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.vocabulary_pynn.cases import CELLS, DURATION, TIMESTEP, Case, Outcome, run_ours, run_pynn
from tests.vocabulary_pynn.measure import EXAMPLES, apart, drawn, every

PAGE = Path(__file__).with_name("pynn_models.md")
#: The smaller step of the comparison on NEURON.
FINE = TIMESTEP / 8
HEAD = f"""\
# PyNN's models here and in PyNN

Written by `python -m docs.make_pynn_models`: every standard cell and synapse with random parameters, {CELLS} cells
of each for {DURATION:g} ms at steps of {TIMESTEP} ms, as a network of ours on NEST, NEURON and Brian2, and as a
script of PyNN on `pyNN.nest`, `pyNN.neuron` and `pyNN.brian2`. Spikes: ours and PyNN's. ms: the largest difference
of a spike time. mV: the largest difference of the membrane potential until the first spike, and at any time. Weight
dependences are those of `STDPMechanism` with `SpikePairRule`. `tests/vocabulary_pynn` repeats it.

Not here: `StochasticTsodyksMarkramSynapse`, which PyNN has on NEURON alone (NEST needs an extension that its wheel
cannot have; ours runs it as a static synapse and reports it), `ElectricalSynapse`, which no cell without extent
takes in PyNN 0.13, and sources that draw, whose laws are tested (`tests/lowering/test_renewal.py`).
`SpikeSourceInhGamma` is on no backend of PyNN's and none of ours, and is reported.
"""
NOTES = {
    "nest": f"""\
Both build the same models: of {EXAMPLES} drawn networks of all models every sample and every spike is the same. The
worst of them is shown. `IF_curr_delta`: PyNN 0.13 cannot record its potential. `IF_cond_exp_gsfa_grr`: PyNN 0.13
cannot build it. Synapses that draw are at the end where they draw nothing (`p` and `U` are 1): NEST's own numbers
depend on how many objects there are. At 0.1 ms PyNN's sources are a step late for some times (4.4 ms), since they
take a step from them first; this step is a binary fraction, for which that does not happen.
""",
    "neuron": f"""\
Ours compute what NEST's models compute. PyNN's are other cells and point processes of NEURON, solved by implicit
Euler, with spikes between steps: for the models without an upstroke the difference until the first spike falls
eight times where the step is an eighth of it (the last column, at {FINE} ms), so that the equations are the same
and the method is not. The upstrokes of `Izhikevich`, `EIF_*` and `HH_cond_exp` are steeper than a step (single
cells of PyNN were seen to converge, too). Our NEURON runner runs plastic synapses onto cells without extent as
static ones (Tsodyks-Markram, STDP), has no `GIF_cond_exp`, and reports both; `pynn:neuron` has them.
""",
    "brian2": """\
`pyNN.brian2` works on every event a step later than its delay says, and names a spike by the beginning of its step;
it is given delays a step shorter here, and the first cell's parameters for all cells, which it demands. Then cells
that both integrate exactly, or both by one step of Euler, agree to rounding until the first spike. What is left, by
what PyNN 0.13 does: `IF_cond_*`, `EIF_*` and `HH_cond_exp` are integrated by Euler (ours: Runge-Kutta of fourth
order, as near to NEST); `IF_curr_alpha` gives inhibition the time constant of excitation;
`EIF_cond_alpha_isfa_ista` has jumps in place of alpha functions; `IF_cond_exp_gsfa_grr` does not adapt;
`HH_cond_exp` has no refractory time and diverges; `TsodyksMarkramSynapse` lets what has not recovered grow; STDP
takes no dendritic delay, and its weights are additive.
""",
}


def row(name: str, ours: Outcome, theirs: Outcome, fine: float | None) -> str:
    if ours.error or theirs.error:
        whose = "ours" if ours.error else "PyNN"
        words = " ".join((ours.error or theirs.error).split())
        return f"| `{name}` | {whose}: {words[:90]} | | | |" + " |" * (fine is not None)
    found = apart(ours, theirs)
    numbers = (found.times, found.before, found.whole, *(() if fine is None else (fine,)))
    cells = " | ".join("-" if math.isnan(value) else f"{value:.2g}" for value in numbers)
    return f"| `{name}` | {found.spikes[0]} / {found.spikes[1]} | {cells} |"


def both(chosen: Mapping[str, Case], backend: str, step: float = TIMESTEP, early: float = 0.0, **options: Any) -> Any:
    """Ours and PyNN's."""
    with tempfile.TemporaryDirectory() as folder:
        return run_ours(chosen, backend, step, **options), run_pynn(chosen, backend, Path(folder), step, early)


def nest() -> list[str]:
    """Of every model the example that differs most."""
    ours, theirs = both(every(), "nest")
    worst: dict[str, tuple[tuple[float, int], str]] = {}
    for name, one in theirs.items():
        model, far = name.rpartition(".")[0], (-1.0, 0)
        if not (one.error or ours[name].error):
            found = apart(ours[name], one)
            far = (0.0 if math.isnan(found.whole) else found.whole, sum(found.spikes))
        if model not in worst or far > worst[model][0]:
            worst[model] = (far, name)
    return [row(model, ours[name], theirs[name], None) for model, (_, name) in worst.items()]


def neuron() -> list[str]:
    """At two steps."""
    chosen = drawn()
    coarse, small = both(chosen, "neuron"), both(chosen, "neuron", FINE)
    fine = {}
    for name in chosen:
        failed = small[0][name].error or small[1][name].error
        fine[name] = math.nan if failed else apart(small[0][name], small[1][name]).before
    return [row(name, coarse[0][name], coarse[1][name], fine[name]) for name in chosen]


def brian2() -> list[str]:
    """With alike cells and shorter delays."""
    chosen = {name: case.alike for name, case in drawn().items()}
    ours, theirs = both(chosen, "brian2", early=TIMESTEP, engine="numpy")
    return [row(name, ours[name], theirs[name], None) for name in chosen]


def main() -> None:
    lines = [HEAD]
    for measure, title in ((nest, "NEST"), (neuron, "NEURON"), (brian2, "Brian2")):
        more = f" mV, first, at {FINE} ms |" if title == "NEURON" else ""
        lines += [f"## {title}\n", NOTES[title.lower()]]
        lines += [f"| model | spikes | ms | mV, first | mV |{more}", "|---|---|---|---|---|" + "---|" * bool(more)]
        lines += [*measure(), ""]
    PAGE.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
