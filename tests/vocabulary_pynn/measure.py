"""How far two outcomes of one case are apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from tests.vocabulary_pynn.cases import CELLS, TIMESTEP, Case, Outcome, Seeded, case_of_each, cases

#: Examples of hypothesis.
EXAMPLES = 3
#: Of numpy's, for what differs between simulators by a stated amount.
_SEED = 1


class Apart(NamedTuple):
    """spikes: of both. times: largest difference of the k-th spike of a cell, ms; NaN where the numbers differ.
    whole, before: largest difference of the potential, mV, and until the first spike of the cell; NaN for none."""

    spikes: tuple[int, int]
    times: float
    whole: float
    before: float


def examples() -> list[dict[str, Case]]:
    """Those of hypothesis."""
    found: list[dict[str, Case]] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def draw(example: dict[str, Case]) -> None:
        found.append(example)

    draw()
    return found


def drawn() -> dict[str, Case]:
    """One network that is the same in every run."""
    return case_of_each(Seeded(np.random.default_rng(_SEED)))


def every() -> dict[str, Case]:
    """Those of hypothesis side by side: ``IF_cond_exp.2`` is of the third."""
    return {f"{name}.{number}": case for number, one in enumerate(examples()) for name, case in one.items()}


def apart(ours: Outcome, theirs: Outcome) -> Apart:
    """Raises ValueError for an outcome that is an error."""
    if ours.error or theirs.error:
        raise ValueError(ours.error or theirs.error)
    pairs = [(ours.i, ours.t), (theirs.i, theirs.t)]
    counts = [np.bincount(cells, minlength=CELLS) for cells, _ in pairs]
    same = counts[0].tolist() == counts[1].tolist()
    times = float(np.abs(ours.t - theirs.t).max(initial=0.0)) if same else float("nan")
    samples = min(len(ours.v), len(theirs.v))
    if not samples:
        return Apart((len(ours.t), len(theirs.t)), times, float("nan"), float("nan"))
    difference = np.abs(ours.v[:samples] - theirs.v[:samples])
    before = [0.0]
    for cell in range(CELLS):
        first = min((when[cells == cell].min(initial=np.inf) for cells, when in pairs), default=np.inf)
        end = samples if np.isinf(first) else max(int(first / TIMESTEP) - 1, 0)
        before.append(float(difference[:end, cell].max(initial=0.0)))
    return Apart((len(ours.t), len(theirs.t)), times, float(difference.max()), max(before))
