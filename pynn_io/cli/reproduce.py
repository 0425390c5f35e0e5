"""``pynn-reproduce``: run what was published, compare it with what was published, and leave a report."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from pynn_io.cli.common import UsageError, add_version, progress_bars, run
from pynn_io.cli.numbers import as_path, count, milliseconds, not_negative, positive, seed, whole
from pynn_io.report import Report

COMMAND = "pynn-reproduce"
DEFAULT_TIMEOUT = 3600.0

EXAMPLES = """\
examples:
  pynn-reproduce model.omex --list
      what the archive asks to run, and what was published of it; nothing runs
  pynn-reproduce model.omex
      run it all on what each simulation is for, and write model-reproduced/report.html
  pynn-reproduce repository/ --backend neuron,jneuroml,jneuroml:neuron --jobs 4
      every simulation on three engines, four at a time; jneuroml:neuron is jNeuroML's code for NEURON
  pynn-reproduce circuit/simulation_config.json --expect spikes.h5 --tolerance 0.1
      one simulation, its spikes within 0.1 ms of those of a file
  pynn-reproduce circuit/ --mechanisms mod/ --seeds 5
      with mechanisms (.mod) from a folder, and five more seeds: where single spikes cannot be compared, the rates,
      variations and correlations are, against those of the other seeds
  pynn-reproduce --pack circuit/simulation_config.json -o model.omex
      an archive of a simulation and of what it gives here, which `pynn-reproduce model.omex` reproduces elsewhere
  pynn-reproduce script.py --allow-exec
      a PyNN script is a program: it is executed only when that is permitted

output:
  A folder (-o, or named after the archive) with report.html, which needs nothing but itself, report.json, junit.xml,
  and cells/, where finished runs are kept: called again, only what is missing, failed or changed is run. Its path goes
  to stdout, alone; everything else to stderr. The archive itself is never written to.

exit status:
  0    all that was published was reproduced
  1    a bug in pynn_io
  2    wrong usage, an unknown backend, or nothing to run in the archive
  4    the archive cannot be read, or is not safe to unpack
  5    the report cannot be written, or there is no room for unpacking the archive
  6    a package that is needed is not installed
  8    something differs from what was published, or is inexact: as close as simulators are to each other, and not what
       the simulator that made it gives
  9    something could not be run or compared, and nothing differs
  130  interrupted; finished runs are kept
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns its exit status."""
    arguments = _parser().parse_intermixed_args(argv)
    return run(COMMAND, lambda: _main(arguments, list(sys.argv[1:] if argv is None else argv)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        usage="%(prog)s ARCHIVE [--backend BACKENDS] [-o OUT] [options]\n       %(prog)s ARCHIVE --list [--json]\n"
        "       %(prog)s --pack PLAN [--backend BACKEND] -o FILE.omex [options]",
        description="Run a published model, compare it with what was published, and leave a report.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _what_arguments(parser)
    how = parser.add_argument_group("how to run it")
    how.add_argument("-b", "--backend", metavar="A,B", default="", help="backends; by default what each is for")
    how.add_argument(
        "--seeds", metavar="N", type=whole, default=0, help="so many more runs, with other seeds (5 or more)"
    )
    how.add_argument(
        "--mechanisms", metavar="DIR", action="append", type=as_path, default=[], help="folder of .mod files"
    )
    how.add_argument("-j", "--jobs", metavar="N", type=count, default=1, help="runs at a time (1)")
    how.add_argument("--timeout", metavar="S", type=positive, default=DEFAULT_TIMEOUT, help="of a run (3600 s)")
    how.add_argument("--memory", metavar="MB", type=positive, help="of a run and all of its processes")
    how.add_argument("--allow-exec", action="store_true", help="execute PyNN scripts of the archive")
    output = parser.add_argument_group("what to write")
    output.add_argument("-o", "--output", metavar="OUT", type=as_path, help="folder of the report, or archive to pack")
    output.add_argument("--overwrite", action="store_true", help="with --pack: replace an archive")
    output.add_argument("-q", "--quiet", action="store_true", help="no progress, no account")
    add_version(parser)
    return parser


def _what_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("what to reproduce")
    what.add_argument(
        "archive",
        metavar="ARCHIVE",
        nargs="?",
        type=as_path,
        help="COMBINE archive (.omex), zip file, RO-Crate, folder (of a repository, with .omt files or without), or one"
        " SONATA, LEMS, SED-ML or PyNN file",
    )
    what.add_argument("--pack", metavar="PLAN", type=as_path, help="run this simulation, and pack it with its results")
    what.add_argument("--list", action="store_true", help="say what would run and what is expected of it; run nothing")
    what.add_argument("--json", action="store_true", help="with --list: as JSON")
    what.add_argument(
        "--entry", metavar="NAME", action="append", default=[], help="only this one (or pattern, or more)"
    )
    what.add_argument(
        "--expect",
        metavar="FILE",
        action="append",
        type=as_path,
        default=[],
        help="results to compare with instead; by its path, or by that in the archive",
    )
    what.add_argument(
        "--tolerance", metavar="MS", type=not_negative, help="spikes so far apart, instead of the archive's"
    )
    what.add_argument(
        "--feature",
        metavar="NAME=T",
        action="append",
        default=[],
        help="judge this feature of voltages, too (eFEL), within T of its unit, or T%%",
    )
    what.add_argument("--duration", metavar="MS", type=milliseconds, help="instead of the plans' (ms)")
    what.add_argument("--timestep", metavar="MS", type=milliseconds, help="instead of the plans' (ms)")
    what.add_argument("--seed", metavar="N", type=seed, help="of everything random, instead of the plans'")


def _main(arguments: argparse.Namespace, command: list[str]) -> int:
    from pynn_io.archive.container import opened
    from pynn_io.archive.entries import chosen, expecting, find_entries
    from pynn_io.cli.reproduce_account import listing, listing_json, print_notes
    from pynn_io.detect import require

    _check(arguments)
    require(arguments.archive or arguments.pack)
    report = Report()
    if arguments.pack is not None:
        from pynn_io.cli.reproduce_job import pack_one

        with progress_bars(not arguments.quiet) as progress:
            return pack_one(arguments, report, progress)
    with (
        progress_bars(not (arguments.quiet or arguments.list)) as progress,
        opened(arguments.archive, report, progress=progress) as container,
    ):
        entries = chosen(find_entries(container, report), arguments.entry, container, report)
        entries = expecting(entries, arguments.expect, container)
        if arguments.list:
            text = json.dumps(listing_json(container, entries, report), indent=1)
            sys.stdout.write(text + "\n" if arguments.json else listing(container, entries, COMMAND))
            print_notes(report)
            return 0
        from pynn_io.cli.reproduce_job import reproduce

        return reproduce(arguments, container, entries, report, [COMMAND, *command], progress)


def _check(arguments: argparse.Namespace) -> None:
    """What can be refused before anything is read."""
    if (arguments.archive is None) == (arguments.pack is None):
        raise UsageError("give either an ARCHIVE to reproduce, or --pack PLAN")
    if arguments.pack is not None and (arguments.output is None or arguments.output.suffix != ".omex"):
        raise UsageError("--pack writes one file, whose name ends in .omex: -o FILE.omex")
    if arguments.json and not arguments.list:
        raise UsageError("--json is for --list; a run writes report.json")
    if arguments.seeds and arguments.seeds < 5:
        raise UsageError(f"--seeds {arguments.seeds}: a distribution needs five or more")
    for folder in arguments.mechanisms:
        if not folder.is_dir():
            raise UsageError(f"--mechanisms {folder}: there is no such folder")
    if arguments.pack is None and arguments.output is not None and arguments.output.is_file():
        raise UsageError(f"-o {arguments.output}: not a folder")


if __name__ == "__main__":
    sys.exit(main())
