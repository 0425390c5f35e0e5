"""What ``pynn-run`` says of a run that went well: cells, spikes, rates, time and memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pynn_io.cli.common import counted, size_text
from pynn_io.cli.run_queue import job_lines
from pynn_io.document import Document
from pynn_io.results import Results
from pynn_io.results.mapped import Mapped
from pynn_io.results.results import EMITTED, MAPPED

#: Populations told one by one.
POPULATIONS = 20


def account_lines(document: Document, source: Path, results: Results) -> list[str]:
    """The run, the mapping, or the job that was written, in lines of text; with the fidelity report of a chip."""
    if results.level == EMITTED:
        return job_lines(results)
    if not isinstance(results, Mapped) or results.fidelity is None:
        return summary_lines(document, source, results)
    from pynn_io.cli.run_mapped import fidelity_lines, mapped_lines

    mapped = results.level == MAPPED
    head = mapped_lines(source, results) if mapped else summary_lines(document, source, results)
    return [*head, *fidelity_lines(results.fidelity)]


def summary_lines(document: Document, source: Path, results: Results) -> list[str]:
    """The run in lines of text, its populations as a table."""
    facts, network = results.provenance, document.network
    simulator = f"{facts['simulator']} {facts['simulator_version']}".rstrip()
    cells = sum(len(ids) for ids in results.nodes.values())
    edges = sum(projection.size for projection in network.projections.values())
    reason = "" if facts["backend_chosen"] == "asked for" else f" ({facts['backend_chosen']})"
    emulated = [f"        approximation: {facts['approximation']}"] if "approximation" in facts else []
    return [
        f"ran     {source} on {simulator}{reason}",
        *emulated,
        f"        {_span(results)}; {counted(cells, 'cell')}, {counted(edges, 'edge')}, "
        + counted(results.spike_count, "spike"),
        *_placement(results),
        *_populations(results),
        *(f"        {line}" for line in _traces(results)),
        f"        {_cost(results)}",
    ]


def _placement(results: Results) -> Iterator[str]:
    """Of a co-simulation: what ran where, and how often spikes went across."""
    facts = results.provenance
    if "placement" in facts:
        where = ", ".join(f"{name} on {backend}" for name, backend in facts["placement"].items())
        yield f"        {where}; spikes exchanged every {facts['epoch']:g} ms, {counted(facts['epochs'], 'epoch')}"


def _span(results: Results) -> str:
    timestep = results.provenance.get("timestep")
    steps = "" if timestep is None else f" in steps of {timestep:g} ms"
    return f"{results.duration or 0:,g} ms{steps}"


def _populations(results: Results) -> Iterator[str]:
    """Cells, spikes and mean rate of each population, aligned."""
    rows = [("population", "cells", "spikes", "mean rate")]
    seconds = (results.duration or 0) / 1000
    for name, ids in list(results.nodes.items())[:POPULATIONS]:
        spikes = len(results.spikes[name].times) if name in results.spikes else 0
        rate = f"{spikes / len(ids) / seconds:,.2f} Hz" if len(ids) and seconds else ""
        rows.append((name, f"{len(ids):,}", f"{spikes:,}", rate))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for name, *numbers in rows:
        cells = [f"{text:>{width}}" for text, width in zip(numbers, widths[1:], strict=True)]
        yield f"        {name:<{widths[0]}}  " + "  ".join(cells)
    if len(results.nodes) > POPULATIONS:
        yield f"        and {len(results.nodes) - POPULATIONS} more"


def _traces(results: Results) -> Iterator[str]:
    for trace in results.traces:
        unit = f" ({trace.unit})" if trace.unit else ""
        values, places = trace.data.shape
        what = f"{trace.variable}{unit} of {trace.population}"
        yield f"recorded {what} in {trace.report}: {counted(places, 'place')}, {counted(values, 'sample')}"


def _cost(results: Results) -> str:
    facts = results.provenance
    seconds = facts["seconds"]
    parts = [f"built in {_seconds(seconds.get('lower', 0) + seconds.get('build', 0))}"]
    parts.append(f"ran in {_seconds(seconds.get('run', 0))}")
    where = [f"{facts[name]} {name}" for name in ("threads", "processes") if facts[name] > 1]
    return ", ".join(
        [*parts, *([f"with {' and '.join(where)}"] if where else []), f"{size_text(facts['peak_memory'])} of memory"]
    )


def _seconds(value: float) -> str:
    if value < 100:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    return f"{int(value) // 60}:{int(value) % 60:02} min"
