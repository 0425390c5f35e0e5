"""``pynn-show --html``: one page that needs nothing but itself, with the network in space, its tables, and its losses.

Plotly's script is in the page, as its package brings it; nothing is fetched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pynn_io.audit import audit
from pynn_io.document import Document
from pynn_io.errors import WriteError
from pynn_io.optional import needed
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.show import page_figures
from pynn_io.show.page_figures import Figure, as_plain
from pynn_io.show.plot import gather
from pynn_io.show.summary import Range, Summary, summarise
from pynn_io.vocabulary.support import TARGETS

#: Parameters of a cell or synapse that are listed.
LISTED = 40
_NEEDS = "the page needs"


def write_page(
    document: Document,
    path: Path,
    *,
    results: Results | None = None,
    report: Report | None = None,
    title: str = "",
    progress: Progress = quiet,
) -> None:
    """Write the page. report: what reading said. Raises BackendUnavailable without Plotly and Jinja2, WriteError."""
    jinja = needed("jinja2", _NEEDS, "html")
    script = needed("plotly.offline", _NEEDS, "html").get_plotlyjs()
    loader = jinja.PackageLoader("pynn_io.show", ".")
    environment = jinja.Environment(loader=loader, autoescape=True, undefined=jinja.StrictUndefined)
    summary = summarise(document, progress=progress)
    network, run = _figures(document, results, progress)
    page = environment.get_template("page.html.jinja").render(
        title=title or summary.name,
        summary=summary,
        lead=_lead(summary),
        network_figures=network,
        run_figures=run,
        figures=_script_json([as_plain(each) for each in (*network, *run)]),
        script=script,
        definitions=list(_definitions(document)),
        losses=list(_losses(document)),
        read=[issue.as_dict() for issue in report] if report is not None else [],
        words=_words,
        results=results.summary() if results is not None else None,
    )
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise WriteError(f"the page cannot be written: {error.strerror or error}", where=path) from error


def _figures(document: Document, results: Results | None, progress: Progress) -> tuple[list[Figure], list[Figure]]:
    network = document.network
    panels = gather(network, progress)
    drawn = [page_figures.space(network, panels), page_figures.degrees(panels), *page_figures.weights(panels)]
    if results is None:
        return [each for each in drawn if each is not None], []
    run = [page_figures.raster(results, network), *page_figures.traces(results)]
    return [each for each in drawn if each is not None], [each for each in run if each is not None]


def _script_json(value: Any) -> str:
    """JSON that may stand in a script element: ``</script>`` in a name must not end it."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _lead(summary: Summary) -> str:
    cells = sum(population.size for population in summary.populations)
    edges = sum(projection.size for projection in summary.projections)
    parts = [f"{_counted(cells, 'cell')} in {_counted(len(summary.populations), 'population')}"]
    parts.append(f"{_counted(edges, 'edge')} in {_counted(len(summary.projections), 'projection')}")
    origin = "+".join(filter(None, (summary.format, summary.dialect)))
    return "; ".join([*parts, f"read from {origin}"] if origin else parts)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _words(value: Range | None) -> str:
    if value is None:
        return ""
    numbers = f"{value.low:g}" if value.low == value.high else f"{value.low:g} to {value.high:g}"
    return f"{numbers} {value.unit}".rstrip()


def _definitions(document: Document) -> Iterator[dict[str, Any]]:
    """Cells and synapses with their parameters, as stated."""
    network = document.network
    for kind, found in (("cell", network.cells), ("synapse", network.synapses)):
        for name, definition in found.items():
            parameters: Mapping[str, Any] = getattr(definition, "parameters", {})
            model = getattr(definition, "model", None) or getattr(definition, "template", None) or ""
            listed = [(key, str(value)[:120]) for key, value in list(parameters.items())[:LISTED]]
            yield {"kind": kind, "name": name, "model": model, "parameters": listed, "count": len(parameters)}


def _losses(document: Document) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What every target would not carry exactly, by the support tables; nothing is written or run for it."""
    for target in TARGETS:
        report = Report()
        audit(document, target, report)
        yield target, [issue.as_dict() for issue in report]
