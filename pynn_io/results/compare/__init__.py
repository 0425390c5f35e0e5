"""Two results compared: spike by spike, sample by sample, or by what other seeds do. Nothing is printed."""

from pynn_io.results.compare.compare import STATISTICAL, TIERS, Options, compare
from pynn_io.results.compare.spikes import DETERMINISTIC, EXACT
from pynn_io.results.compare.statistics import Ensembles
from pynn_io.results.compare.values import Comparison, Tolerance, Verdict

__all__ = [
    "DETERMINISTIC",
    "EXACT",
    "STATISTICAL",
    "TIERS",
    "Comparison",
    "Ensembles",
    "Options",
    "Tolerance",
    "Verdict",
    "compare",
]
