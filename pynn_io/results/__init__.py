"""Results of a run: columnar spikes and traces, their files, and other projects' objects on request."""

from pynn_io.results.results import Results, Spikes, Trace

__all__ = ["Results", "Spikes", "Trace"]
