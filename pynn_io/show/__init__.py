"""What a document holds, as plain values and as a picture, and what other projects say of its files.

Nothing is printed here: `pynn-show` (`pynn_io.cli.show`) prints these values, as tables or as JSON.
"""

from pynn_io.show.definitions import definitions_summary
from pynn_io.show.parts import file_sizes, morphologies_summary, morphology_summary, node_set_summaries
from pynn_io.show.peers import Verdict, verdicts
from pynn_io.show.plot import draw
from pynn_io.show.summary import Summary, summarise

__all__ = [
    "Summary",
    "Verdict",
    "definitions_summary",
    "draw",
    "file_sizes",
    "morphologies_summary",
    "morphology_summary",
    "node_set_summaries",
    "summarise",
    "verdicts",
]
