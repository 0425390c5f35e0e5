"""``pynn-show``: what a file holds, whether it keeps its format's rules, and what it looks like."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynn_io.cli.common import UsageError, add_version, existing_parent, progress_bars, run, say
from pynn_io.cli.numbers import as_path
from pynn_io.cli.reader_options import add_nir_options, add_script_options, reader_options
from pynn_io.errors import FormatError
from pynn_io.report import Report

if TYPE_CHECKING:
    from pynn_io.document import Document
    from pynn_io.progress import Progress

COMMAND = "pynn-show"
PICTURES = (".png", ".svg", ".pdf")
BROKEN_RULES = 4
#: Morphologies of a file without a network that are described one by one.
DESCRIBED = 10

EXAMPLES = """\
examples:
  pynn-show circuit_config.json
      populations, cell models, projections, weights, morphologies, node sets, sizes on disk
  pynn-show circuit_config.json --plot network.png
      positions, degree distributions, connectivity and morphologies as one picture
  pynn-show simulation_config.json --validate
      our rules, and what libsonata and bluepysnap say of it where they are installed
  pynn-show LEMS_net/net.nml --validate
      our rules for NeuroML, and jNeuroML's verdict
  pynn-show simulation_config.json --html network.html --results results
      one page for a browser: the network in 3D, tables, histograms, what each target would lose, and a run's spikes
      and traces; it needs nothing but itself
  pynn-show cell.swc --plot cell.svg
      sections, lengths, areas and a drawing of one morphology
  pynn-show results --plot results.png
      spikes, rates and recordings of a run: the folder or file that pynn-run, or another simulator, wrote
  pynn-show circuit_config.json --json | jq '.summary.populations[].size'
      the same for a script

exit status:
  0    done
  1    a bug in pynn_io
  2    wrong usage, or a format that is unknown or cannot be told
  4    the file cannot be read, or --validate finds that it breaks our rules (other tools' verdicts do not count)
  5    the picture cannot be written
  6    a package that is needed is not installed
  130  interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns its exit status."""
    arguments = _parser().parse_intermixed_args(argv)
    return run(COMMAND, lambda: _show(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Show what a neuronal network, a simulation, a morphology or the results of a run hold.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", metavar="SRC", type=as_path, help="config, folder that holds exactly one, results, or other file"
    )
    parser.add_argument("--from", dest="source_format", metavar="FORMAT", help="format of SRC, where it cannot be told")
    parser.add_argument("--validate", action="store_true", help="check SRC against its format's rules (exit status 4)")
    parser.add_argument("--plot", metavar="FILE", type=as_path, help=f"draw it: {', '.join(PICTURES)} (extra: plot)")
    parser.add_argument(
        "--html", metavar="FILE", type=as_path, help="one page for a browser, with all of it (extra: html)"
    )
    parser.add_argument("--results", metavar="RUN", type=as_path, help="with --html: results of a run, shown with it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="no progress bars; with --validate, only the verdicts"
    )
    add_script_options(parser)
    add_nir_options(parser)
    add_version(parser)
    return parser


def _show(arguments: argparse.Namespace) -> int:
    if arguments.plot is not None:
        if arguments.plot.suffix.lower() not in PICTURES:
            raise UsageError(f"--plot {arguments.plot}: not one of {', '.join(PICTURES)}")
        existing_parent(arguments.plot, "--plot")
    if arguments.html is not None:
        existing_parent(arguments.html, "--html")
    elif arguments.results is not None:
        raise UsageError("--results is for --html", hint="pynn-show RUN shows results by themselves")
    if arguments.source_format is None and not arguments.validate and _is_results(arguments.source):
        from pynn_io.cli.show_results import show_results

        return show_results(arguments)
    report = Report()
    with progress_bars(not arguments.quiet) as progress:
        account = _account(arguments, report, progress)
    if arguments.json:
        print(json.dumps(_as_json(account), indent=2))
    else:
        from pynn_io.cli.tables import print_account

        print_account(account, contents=not (arguments.quiet and arguments.validate))
    if arguments.plot is not None and "summary" in account:
        sys.stdout.flush()
        say(f"drawn   {arguments.plot}")
    if arguments.html is not None and "summary" in account:
        sys.stdout.flush()
        say(f"wrote   {arguments.html}")
    return BROKEN_RULES if arguments.validate and account["rules"] else 0


def _is_results(source: Path) -> bool:
    """Whether a path holds results of a run and nothing that is read as a network."""
    from pynn_io.pipeline import detect
    from pynn_io.results.files import holds_results

    try:
        detect(source)
    except FormatError:
        return holds_results(source)
    return False


def _account(arguments: argparse.Namespace, report: Report, progress: Progress) -> dict[str, Any]:
    """Everything there is to say, as values."""
    from pynn_io.pipeline import detect, read
    from pynn_io.registry import find

    name = (arguments.source_format or detect(arguments.source)).partition("+")[0]
    if arguments.validate:
        rules, document = _rules_and_document(arguments, name, report, progress)
    elif find(name)[0].reader is None:
        raise FormatError(
            f"{find(name)[0].title}: pynn_io writes this format and does not read it yet",
            where=arguments.source,
            hint="--validate checks such a file all the same",
        )
    else:
        options = reader_options(arguments, arguments.source, name)
        rules, document = [], read(arguments.source, format=name, report=report, progress=progress, **options)
    account: dict[str, Any] = {"source": arguments.source, "format": name, "report": report, "rules": rules}
    if document is not None:
        account |= _contents(document, arguments.source, progress)
    if arguments.validate:
        from pynn_io.show import verdicts

        account["verdicts"] = verdicts(arguments.source, name)
    if arguments.html is not None and document is not None:
        from pynn_io.results import read_results
        from pynn_io.show.page import write_page

        results = read_results(arguments.results, report=report) if arguments.results is not None else None
        title = _title(arguments.source)
        write_page(document, arguments.html, results=results, report=report, title=title, progress=progress)
    if arguments.plot is not None and document is None:
        say(f"not drawn: {arguments.source} cannot be read as a network")
    elif arguments.plot is not None and document is not None:
        from pynn_io.show import draw

        draw(document, arguments.plot, title=_title(arguments.source), progress=progress)
    return account


def _rules_and_document(
    arguments: argparse.Namespace, name: str, report: Report, progress: Progress
) -> tuple[list[str], Document | None]:
    """Problems by our rules, and the document if it can be read at all. An unreadable file is a verdict here."""
    from pynn_io.errors import GraphError, ReadError
    from pynn_io.graph.validate import problems
    from pynn_io.pipeline import read
    from pynn_io.registry import find

    rules = _neuroml_rules(arguments.source) if name == "neuroml" else []
    if find(name)[0].reader is None:
        return rules, None  # a format that is only written can still be checked
    try:
        options = reader_options(arguments, arguments.source, name)
        document = read(arguments.source, format=name, report=report, progress=progress, **options)
        # Edges are read here, so what is wrong with them comes to light only now.
        return [*rules, *problems(document.network, progress=progress)], document
    except GraphError as error:
        return [*rules, *(error.problems or (str(error),))], None
    except ReadError as error:
        return [*rules, str(error)], None


def _neuroml_rules(source: Path) -> list[str]:
    from pynn_io.formats.neuroml_check import check, documents

    return [str(problem) for document in documents(source) for problem in check(document)]


def _contents(document: Document, source: Path, progress: Progress) -> dict[str, Any]:
    from pynn_io.show import (
        definitions_summary,
        file_sizes,
        morphologies_summary,
        morphology_summary,
        node_set_summaries,
        summarise,
    )

    network = document.network
    cells = sum(one.size for one in network.populations.values())
    of_morphologies = document.provenance.get("format") != "sonata" and cells == len(network.morphologies)
    lone = not network.projections and (cells <= 1 or (of_morphologies and cells <= DESCRIBED))
    return {
        "summary": summarise(document, progress=progress),
        "morphologies": morphologies_summary(network),
        "morphology": [morphology_summary(network.morphologies[name]) for name in network.morphologies] if lone else [],
        "definitions": definitions_summary(network),
        "node_sets": list(node_set_summaries(document)),
        "files": file_sizes(document, source),
    }


def _title(source: Path) -> str:
    """``300_pointneurons/circuit_config.json``: a config's own name says little without its folder's."""
    source = source.resolve()
    return os.path.join(source.parent.name, source.name) if source.suffix == ".json" else source.name


def _as_json(account: dict[str, Any]) -> dict[str, Any]:
    from dataclasses import asdict

    plain: dict[str, Any] = {"source": str(account["source"]), "format": account["format"]}
    if "summary" in account:
        plain["summary"] = account["summary"].as_dict()
        plain["morphologies"] = asdict(account["morphologies"]) if account["morphologies"] else None
        plain["morphology"] = [asdict(one) for one in account["morphology"]]
        plain["definitions"] = [asdict(one) for one in account["definitions"]]
        plain["node_sets"] = [asdict(one) for one in account["node_sets"]]
        plain["files"] = [{"path": str(path), "bytes": size} for path, size in account["files"]]
    if "verdicts" in account:
        plain["problems"] = account["rules"]
        plain["verdicts"] = [asdict(one) for one in account["verdicts"]]
    plain["report"] = account["report"].as_dict()["issues"]
    return plain


if __name__ == "__main__":
    sys.exit(main())
