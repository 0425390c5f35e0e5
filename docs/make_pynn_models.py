"""Writes docs/pynn_models.md: our lowering to NEST and NEURON against PyNN by hand, measured.

``python -m docs.make_pynn_models``; needs PyNN, NEST and NEURON, and a compiler.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from tests.vocabulary_pynn.cases import CELLS, DURATION, TIMESTEP, Outcome, run_ours, run_pynn
from tests.vocabulary_pynn.measure import apart, drawn

PAGE = Path(__file__).with_name("pynn_models.md")
HEAD = f"""\
# PyNN's models here and in PyNN

Written by `python -m docs.make_pynn_models`: every standard cell and synapse with random parameters, {CELLS} cells of
each for {DURATION:g} ms at steps of {TIMESTEP} ms, as a network of ours on NEST and NEURON, and as a script of PyNN on
`pyNN.nest` and `pyNN.neuron`. Spikes: ours and PyNN's. ms: the largest difference of a spike time. mV: the largest
difference of the membrane potential until the first spike, and at any time.

- On NEST both build the same models. `IF_curr_delta`: PyNN 0.13 cannot record its potential, and cannot set it at the
  start. `IF_cond_exp_gsfa_grr`: PyNN 0.13 cannot build it. At 0.1 ms PyNN's sources are a step late for some times
  (4.4 ms), since they take a step from them first; this step is a binary fraction, for which that does not happen.
- On NEURON ours compute what NEST's models compute. PyNN's are other cells and point processes of NEURON, solved by
  implicit Euler at this step with spikes between steps, so that potentials and spike times differ, and cells near their
  threshold fire or do not. Our NEURON runner runs plastic synapses onto cells without extent as static ones, and
  reports it.

"""


def row(name: str, ours: Outcome, theirs: Outcome) -> str:
    if ours.error or theirs.error:
        return f"| `{name}` | PyNN: {(ours.error or theirs.error)[:90]} | | | |"
    found = apart(ours, theirs)
    numbers = (found.times, found.before, found.whole)
    cells = " | ".join("-" if math.isnan(value) else f"{value:.2g}" for value in numbers)
    return f"| `{name}` | {found.spikes[0]} / {found.spikes[1]} | {cells} |"


def main() -> None:
    chosen = drawn()
    lines = [HEAD]
    for backend, title in (("nest", "NEST"), ("neuron", "NEURON")):
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = run_ours(chosen, backend), run_pynn(chosen, backend, Path(folder))
        lines += [f"## {title}\n", "| model | spikes | ms | mV, first | mV |", "|---|---|---|---|---|"]
        lines += [row(name, ours[name], theirs[name]) for name in chosen]
        lines.append("")
    PAGE.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
