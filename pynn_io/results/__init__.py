"""Results of a run: columnar spikes and traces, their files, and other projects' objects on request."""

from pynn_io.results.files import read_results, write_results
from pynn_io.results.results import Results, Spikes, Trace, sorted_spikes
from pynn_io.results.table import RESULT_FORMATS

__all__ = ["RESULT_FORMATS", "Results", "Spikes", "Trace", "read_results", "sorted_spikes", "write_results"]
