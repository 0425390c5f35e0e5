"""``pynn-convert``: one network description into another, with an account of what could not be carried."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pynn_io.cli.common import (
    UsageError,
    add_version,
    counted,
    dialect_text,
    progress_bars,
    run,
    say,
    written_lines,
)
from pynn_io.cli.losses import changes_model, loss_counts, print_losses
from pynn_io.cli.numbers import as_path
from pynn_io.cli.reader_options import add_nir_options, add_script_options, reader_options
from pynn_io.cli.report_file import add_allow, allowed_codes, check_report_file, write_report
from pynn_io.errors import LossError
from pynn_io.report import Report

if TYPE_CHECKING:
    from pynn_io.document import Document
    from pynn_io.pipeline import Conversion

COMMAND = "pynn-convert"

EXAMPLES = """\
examples:
  pynn-convert circuit_config.json --to neuroml
      a SONATA circuit as NeuroML, in a new folder of the current directory
  pynn-convert simulation_config.json v1_nml --to neuroml+hdf5
      circuit, inputs and a LEMS simulation file into the folder v1_nml, the connections in HDF5
  pynn-convert config.json --to sonata+obi -o v1_obi --report losses.json
      an Allen/BMTK circuit in the Open Brain Institute's dialect; the losses also as JSON
  pynn-convert circuit_config.json --to neuroml --check
      only say what would be lost; write nothing
  pynn-convert circuit_config.json --to neuroml --strict --allow extra-column,node-set
      write only if nothing but the two allowed kinds would be lost
  pynn-convert circuit_config.json --to neuroml --mechanisms mod
      cells with the ion channels of the .mod files in the folder mod, as NeuroML's own or in LEMS
  pynn-convert circuit_config.json --to neuroml --allow-exec
      cells of hoc templates too: NEURON builds them, with the circuit's own .mod files and those of --mechanisms
  pynn-convert synfire.py --to sonata --script-args "nest"
      what a PyNN script builds and runs; the script is EXECUTED, against a backend that only keeps what it is told
  pynn-convert cell.asc cell.swc --to swc
      a Neurolucida morphology as SWC
  pynn-convert --list
      formats, their dialects, and what to install for each

output:
  The path of the result goes to stdout, alone, for use in scripts. What was read and written, the losses, errors,
  progress bars (on a terminal only) and what a PyNN script prints go to stderr.

exit status:
  0    done; whatever was lost has been listed
  1    a bug in pynn_io
  2    wrong usage, or a format that is unknown or cannot be told
  3    --strict refused because something would be lost; nothing was written
  4    the source cannot be read
  5    the result cannot be written, or it exists already
  6    a package that the format needs is not installed
  7    a hoc template, or a mechanism that it needs, failed in NEURON (--allow-exec)
  130  interrupted; nothing was written
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns its exit status."""
    parser = _parser()
    arguments = parser.parse_intermixed_args(argv)
    if arguments.list:
        return run(COMMAND, lambda: _list(arguments.json))
    if arguments.source is None or arguments.to is None:
        parser.error("SRC and --to FORMAT are needed (pynn-convert --list names the formats)")
    return run(COMMAND, lambda: _convert(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        usage="%(prog)s SRC [DEST] --to FORMAT[+DIALECT] [options]\n       %(prog)s --list [--json]",
        description="Convert a neuronal network or a morphology from one format into another, and say what was lost.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _what_arguments(parser.add_argument_group("what to convert"))
    _loss_arguments(parser.add_argument_group("what may be lost"))
    add_script_options(parser)
    add_nir_options(parser)
    parser.add_argument("--list", action="store_true", help="list formats, their dialects, and what to install")
    parser.add_argument("--json", action="store_true", help="with --list: as JSON")
    add_version(parser)
    return parser


def _what_arguments(what: argparse._ActionsContainer) -> None:
    what.add_argument(
        "source",
        metavar="SRC",
        nargs="?",
        type=as_path,
        help="SONATA circuit, simulation or joined config, or a folder that holds exactly one; NeuroML or LEMS file; "
        "PyNN script; NIX, NIR, .mod or morphology file",
    )
    what.add_argument(
        "dest",
        metavar="DEST",
        nargs="?",
        type=as_path,
        help="new folder, or file; by default named after SRC and the format, in the current directory",
    )
    what.add_argument("-o", "--output", metavar="DEST", type=as_path, help="the same as DEST")
    what.add_argument("--to", metavar="FORMAT", help="format to write, with its dialect: sonata+obi (see --list)")
    what.add_argument("--from", dest="source_format", metavar="FORMAT", help="format of SRC, where it cannot be told")
    what.add_argument(
        "--mechanisms",
        metavar="DIR",
        type=as_path,
        action="append",
        default=[],
        help="folder of .mod files whose equations the cells get that only name their mechanisms (may be repeated)",
    )
    what.add_argument(
        "--allow-exec",
        action="store_true",
        help="execute the hoc templates of SRC, which are programs, in NEURON, and convert the cells that they build",
    )
    what.add_argument(
        "--overwrite", action="store_true", help="replace the files of an existing result; others there stay"
    )


def _loss_arguments(losses: argparse._ActionsContainer) -> None:
    losses.add_argument("--check", action="store_true", help="say what would be lost and write nothing")
    losses.add_argument("--strict", action="store_true", help="write nothing if anything would be lost (exit status 3)")
    add_allow(losses)
    losses.add_argument("--report", metavar="FILE", type=as_path, help="write the losses to FILE as JSON")
    losses.add_argument(
        "-q", "--quiet", action="store_true", help="no progress, no account; one line if something is lost"
    )


def _convert(arguments: argparse.Namespace) -> int:
    dest = _destination(arguments)
    report = Report(allowed_codes(arguments.allow))
    if arguments.report is not None:
        check_report_file(arguments.report, arguments.source, arguments.overwrite)
    from pynn_io.pipeline import convert

    try:
        with progress_bars(not arguments.quiet) as progress:
            conversion = convert(
                arguments.source,
                dest,
                to=arguments.to,
                format=arguments.source_format,
                report=report,
                check=arguments.check,
                strict=arguments.strict,
                overwrite=arguments.overwrite,
                mechanisms=arguments.mechanisms,
                allow_exec=arguments.allow_exec,
                progress=progress,
                reader_options=reader_options(arguments, arguments.source, arguments.source_format),
            )
    except LossError as error:
        if not arguments.quiet:
            print_losses(error.report)
        raise
    finally:
        if arguments.report is not None:
            write_report(report, arguments.report)
    _tell(conversion, arguments, report)
    if conversion.dest is not None:
        print(conversion.dest)
    return 0


def _destination(arguments: argparse.Namespace) -> Path | None:
    if arguments.dest is not None and arguments.output is not None and arguments.dest != arguments.output:
        raise UsageError(f"two destinations: {arguments.dest} and -o {arguments.output}", hint="Give one of them.")
    return arguments.output if arguments.dest is None else arguments.dest


def _tell(conversion: Conversion, arguments: argparse.Namespace, report: Report) -> None:
    """The account: what was read, what was written, what was lost, and one line to sum up."""
    if not arguments.quiet:
        for line in read_lines(conversion.document, arguments.source):
            say(line)
        if conversion.dest is not None:
            for line in written_lines(conversion.dest, conversion.files):
                say(line)
        say()
        print_losses(report)
        unused = sorted(report.allowed - report.codes())
        if unused:
            say(f"note: --allow {','.join(unused)} excused nothing: no loss has this code")
    counts = loss_counts(report)
    if arguments.quiet and not changes_model(report):
        return
    done = "Checked, nothing written" if arguments.check else "Done"
    if changes_model(report):
        say(f"{done}: the result differs from the source ({counts}).")
    else:
        say(f"{done}: nothing is lost" + (f" ({counts})." if counts else "."))


def read_lines(document: Document, source: Path) -> list[str]:
    """What was read: populations, cells, projections, edges."""
    network, provenance = document.network, document.provenance
    named, dialect = (str(provenance.get(key) or "") for key in ("format", "dialect"))
    named += f", dialect {dialect_text(dialect)}" if dialect else ""
    cells = sum(population.size for population in network.populations.values())
    edges = sum(projection.size for projection in network.projections.values())
    lines = [f"read    {source}" + (f" ({named})" if named else "")]
    if network.populations or not network.morphologies:
        lines.append(f"        {counted(len(network.populations), 'population')}, {counted(cells, 'cell')}")
    if network.projections:
        lines.append(f"        {counted(len(network.projections), 'projection')}, {counted(edges, 'edge')}")
    if network.morphologies:
        lines.append(f"        {counted(len(network.morphologies), 'morphology')}")
    if document.plan is not None:
        plan = document.plan
        lines.append(f"        {counted(len(plan.stimuli), 'input')}, {counted(len(plan.recordings), 'recording')}")
    return lines


def _list(as_json: bool) -> int:
    from pynn_io.cli.listing import listing, listing_json

    sys.stdout.write(listing_json() if as_json else listing())
    return 0


if __name__ == "__main__":
    sys.exit(main())
