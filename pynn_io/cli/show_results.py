"""``pynn-show`` of the results of a run, whoever wrote them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pynn_io.cli.common import counted, say
from pynn_io.cli.losses import print_losses
from pynn_io.cli.tables import console_of_stdout, print_table, print_title
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.results.files import read_results
from pynn_io.results.record import plain

#: What of the provenance is told, in this order; all of it stands in ``--json``.
_FACTS = {
    "simulator": "simulator",
    "simulator_version": "version",
    "timestep": "timestep (ms)",
    "seed": "seed",
    "threads": "threads",
    "processes": "processes",
    "date": "date",
    "source": "source",
    "pynn_io_version": "pynn_io",
}


def show_results(arguments: argparse.Namespace) -> int:
    """Print and draw the results at ``arguments.source``. Raises ReadError for broken ones."""
    report = Report()
    results = read_results(arguments.source, report=report)
    if arguments.json:
        content = {
            "source": str(arguments.source),
            "results": results.summary(),
            "provenance": plain(results.provenance),
            "report": report.as_dict()["issues"],
        }
        print(json.dumps(content, indent=2))
    else:
        _print(results, arguments.source)
        print_losses(report, sys.stdout)
    if arguments.plot is not None:
        from pynn_io.show.plot_results import draw_results

        draw_results(results, arguments.plot, title=arguments.source.resolve().stem)
        sys.stdout.flush()
        say(f"drawn   {arguments.plot}")
    return 0


def _print(results: Results, source: Path) -> None:
    console, summary = console_of_stdout(), results.summary()
    duration = "" if results.duration is None else f", {results.duration:,g} ms"
    print_title(console, f"{source}: results of a run{duration}, {counted(results.spike_count, 'spike')}")
    facts = [(name, str(results.provenance[key])) for key, name in _FACTS.items() if key in results.provenance]
    if facts:
        print_table(console, ("what", "value"), facts)
    if summary["populations"]:
        print_title(console, "Spikes")
        rows = [_population(name, one) for name, one in summary["populations"].items()]
        print_table(console, ("population", ">cells", ">of them spiked", ">spikes", ">mean rate (Hz)"), rows)
    if summary["traces"]:
        print_title(console, "Recordings")
        rows = [_trace(one) for one in summary["traces"]]
        print_table(console, ("report", "population", "variable", ">places", ">samples", "time (ms)"), rows)


def _population(name: str, one: dict[str, Any]) -> tuple[str, ...]:
    cells = "-" if one["cells"] is None else f"{one['cells']:,}"
    rate = "-" if one["rate"] is None else f"{one['rate']:.2f}"
    return name, cells, f"{one['active']:,}", f"{one['spikes']:,}", rate


def _trace(one: dict[str, Any]) -> tuple[str, ...]:
    unit = f" ({one['unit']})" if one["unit"] else ""
    end = one["start"] + one["interval"] * (one["samples"] - 1)
    time = f"{one['start']:g} .. {end:g} in steps of {one['interval']:g}"
    return one["report"], one["population"], one["variable"] + unit, f"{one['elements']:,}", f"{one['samples']:,}", time
