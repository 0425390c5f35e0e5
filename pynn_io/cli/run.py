"""``pynn-run``: a simulation plan on a simulator, with an account of what that could not honour."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pynn_io.cli.common import UsageError, add_version, existing_parent, progress_bars, run, say, written_lines
from pynn_io.cli.losses import changes_model, loss_counts, print_losses
from pynn_io.cli.numbers import as_path, count, milliseconds, not_negative, seed
from pynn_io.cli.reader_options import add_script_options
from pynn_io.cli.report_file import add_allow, allowed_codes, check_report_file, write_report
from pynn_io.cli.run_queue import check_queue, queue_arguments
from pynn_io.errors import LossError
from pynn_io.report import Report

COMMAND = "pynn-run"
PICTURES = (".png", ".svg", ".pdf")
#: As in `pynn_io.results`, which is not loaded for --help.
MAPPED, EMITTED, EMULATED = "maps", "emits", "emulates"
#: What runners call the run itself when they report progress.
SIMULATING = "simulating"

EXAMPLES = """\
examples:
  pynn-run simulation_config.json
      on the simulator that the config was written for; spikes and reports in a new folder of the current directory
  pynn-run simulation_config.json --backend nest --threads 4 -o results --plot results.png
      on NEST with 4 threads, results in the folder results, and a picture of them
  pynn-run simulation_config.json --duration 200 --timestep 0.05 --seed 7
      shorter, finer, other random numbers
  pynn-run simulation_config.json --backend neuron --mechanisms mod --processes 2
      on NEURON under MPI, with the mechanisms (.mod files) of the folder mod
  pynn-run LEMS_sim.xml --backend neuron -o results
      a NeuroML model on NEURON, its channels compiled the first time; beside the results the files that the
      simulation names (OutputFile, EventOutputFile), in SI units
  pynn-run LEMS_sim.xml --backend jneuroml --engine neuron
      the same by jNeuroML, as code that it writes for NEURON; without --engine, cells of one compartment are run by its
      own solver
  pynn-run simulation_config.json --backend "cortex=neuron,thalamus=nest"
      the population cortex on NEURON and thalamus on NEST, side by side, spikes going from one to the other; each part
      between commas is a process (L4+L5=nest: two populations in one), and *=nest stands for all that are not named
  pynn-run simulation_config.json --to nix -o run.nix
      the results as one NIX file
  pynn-run simulation_config.json --backend brainscales2 --check --report check.json
      run nothing: what of it the chip cannot hold, where, and what would help
  pynn-run simulation_config.json --backend nmpi:SpiNNaker --bundle job
      a job for the neuromorphic queue of EBRAINS, in the folder job: one script, run.py, that needs PyNN and the
      backend and no other file; nothing is submitted. `python job/run.py nest` tries it here
  EBRAINS_TOKEN=... pynn-run simulation_config.json --backend nmpi:SpiNNaker --submit --collab ID -o results
      the same, submitted, waited for, and its results fetched
  pynn-run simulation_config.json --strict
      run only if the backend can honour everything that network and plan state
  pynn-run LEMS_sim.xml --backend neuron,arbor,jneuroml --compare -o all
      one after the other, results in all/neuron, all/arbor and all/jneuroml; how they compare with the first: a table,
      all/comparison.json, and rasters and traces laid over each other in all/comparison.png
  pynn-run simulation_config.json --backend nest,neuron --compare --tolerance 0.1 --plot both.png
      the same spikes within 0.1 ms, or exit status 8; the picture elsewhere
  pynn-run --list
      backends, whether they are installed, and what to install for each

output:
  The path of the results goes to stdout, alone, for use in scripts; with --compare it comes after the table, and alone
  with --quiet. What the backend cannot honour, the summary, errors and progress bars (on a terminal only) go to stderr.
  Results are written whole or not at all, and never into the config's own output_dir unless -o says so.

exit status:
  0    done; what could not be honoured has been listed
  1    a bug in pynn_io
  2    wrong usage, or an unknown backend or format
  3    --strict refused because the backend cannot honour something, or --check because a chip cannot hold it;
       nothing was run
  4    the plan or the network cannot be read, or is wrong
  5    the results cannot be written, or exist already
  6    the backend, or a package that is needed, is not installed
  7    the simulation failed; the message holds the end of the simulator's log, and says where its files are
  8    --compare: results differ from those of the first backend
  9    --compare: a backend could not run, or gave nothing that can be compared
  130  interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns its exit status."""
    parser = _parser()
    arguments = parser.parse_intermixed_args(argv)
    if arguments.list:
        return run(COMMAND, lambda: _list(arguments.json))
    if arguments.plan is None:
        parser.error("PLAN is needed (pynn-run --list names the backends)")
    return run(COMMAND, lambda: _run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        usage="%(prog)s PLAN [--backend BACKEND] [-o OUT] [options]\n       %(prog)s --list [--json]",
        description="Run a simulation on a simulator, write its spikes and recordings, and say what was not honoured.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _what_arguments(parser)
    _how_arguments(parser)
    _chip_arguments(parser)
    queue_arguments(parser)
    _output_arguments(parser)
    add_script_options(parser)
    add_version(parser)
    return parser


def _what_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("what to run")
    what.add_argument(
        "plan",
        metavar="PLAN",
        nargs="?",
        type=as_path,
        help="SONATA simulation config or joined config, a folder that holds exactly one, a LEMS simulation, or a PyNN "
        "script",
    )
    what.add_argument("--from", dest="source_format", metavar="FORMAT", help="format of PLAN, where it cannot be told")
    what.add_argument("--duration", metavar="MS", type=milliseconds, help="instead of the plan's (ms)")
    what.add_argument("--timestep", metavar="MS", type=milliseconds, help="instead of the plan's (ms)")
    what.add_argument("--seed", metavar="N", type=seed, help="of everything random, instead of the plan's")
    what.add_argument(
        "--spike-times",
        choices=("precise", "grid"),
        help="when an input spike between two steps arrives: at its time (as BMTK does; NEURON always; NEST then takes "
        "its cells that fire between steps), or at the next step (NEST's default)",
    )


def _how_arguments(parser: argparse.ArgumentParser) -> None:
    how = parser.add_argument_group("how to run it")
    how.add_argument(
        "-b",
        "--backend",
        type=_backends,
        default="auto",
        help="nest, neuron, arbor, brian2, jneuroml, spinnaker, pynn:NAME, nmpi:NAME (--list has all), or auto, the"
        " default: what the plan was written for, or what the cells are of; several for --compare, commas between them;"
        " or one for each population, POPULATION=BACKEND with commas between them, to run them side by side",
    )
    how.add_argument(
        "--compare",
        action="store_true",
        help="run the plan on every backend named and compare the results with those of the first",
    )
    how.add_argument("--tolerance", metavar="MS", type=not_negative, help="--compare: spikes so far apart (1)")
    how.add_argument("--trace-mv", metavar="MV", type=not_negative, help="--compare: voltages, root mean square (1)")
    how.add_argument("--threads", metavar="N", type=count, default=1, help="threads of one process")
    how.add_argument("--processes", metavar="N", type=count, default=1, help="MPI processes (NEURON)")
    how.add_argument(
        "--mechanisms",
        metavar="DIR",
        action="append",
        type=as_path,
        default=[],
        help="folder of .mod files, which NEURON compiles beside those that the config names, and whose equations Arbor"
        " and jNeuroML run; may be repeated",
    )
    how.add_argument(
        "--engine",
        metavar="NAME",
        choices=("jlems", "neuron", "neuron-cnexp", "numpy", "cython", "cpp_standalone"),
        help="of jNeuroML: jlems, its own solver; neuron, the code that it writes for NEURON, with gates stepped by"
        " explicit Euler; or neuron-cnexp, that code with the steps of NEURON's own mechanisms (by default what the"
        " network needs: jlems for cells of one compartment, else neuron for NeuroML and neuron-cnexp for other"
        " formats); of Brian2: cython (default where there is a compiler), numpy, or cpp_standalone, one C++ program of"
        " the whole run",
    )
    how.add_argument("--coreneuron", action="store_true", help="run NEURON's model on its CoreNEURON engine")
    how.add_argument("--strict", action="store_true", help="run nothing if anything cannot be honoured (exit status 3)")
    add_allow(how)


def _backends(text: str) -> str:
    """Backends, commas between them, by their names in the table; ``auto`` and places of populations as they are."""
    from pynn_io.registry import spelt

    return text if text == "auto" or "=" in text else ",".join(spelt(name.strip()) for name in text.split(","))


def _chip_arguments(parser: argparse.ArgumentParser) -> None:
    chips = parser.add_argument_group("neuromorphic chips")
    chips.add_argument(
        "--check",
        action="store_true",
        help="run nothing: say what of it a chip (spinnaker, brainscales2, loihi2) cannot hold, where, and what helps; "
        "exit status 3 if there is such a thing. Needs no package of the chip",
    )
    chips.add_argument("--board", metavar="HOST", help="SpiNNaker: run on the board with this address")
    chips.add_argument(
        "--spalloc",
        metavar="URL",
        help="SpiNNaker: run on a board that this server gives; name and password come from SPALLOC_USER and "
        "SPALLOC_PASSWORD. With neither option the network is mapped onto a virtual board, and nothing is executed",
    )
    chips.add_argument(
        "--emulate",
        action="store_true",
        help="SpiNNaker: map the network, then run NEST with the weights, delays and input spikes that the chip "
        "stores: an approximation of the chip",
    )


def _output_arguments(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument_group("what to write")
    output.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        type=as_path,
        help="new folder, or file; by default named after PLAN and the backend, in the current directory",
    )
    output.add_argument("--to", metavar="FORMAT", default="sonata", help="sonata (default), nix, nwb or neo")
    output.add_argument("--plot", metavar="FILE", type=as_path, help=f"draw them: {', '.join(PICTURES)} (extra: plot)")
    output.add_argument("--report", metavar="FILE", type=as_path, help="write what was not honoured to FILE as JSON")
    output.add_argument("--overwrite", action="store_true", help="replace the files of existing results")
    output.add_argument(
        "-q", "--quiet", action="store_true", help="no progress, no account; one line if something is not honoured"
    )
    output.add_argument(
        "-v", "--verbose", action="store_true", help="show what the simulator prints, in place of progress"
    )
    output.add_argument("--list", action="store_true", help="list backends, and what to install for each")
    output.add_argument("--json", action="store_true", help="with --list: as JSON")


def _run(arguments: argparse.Namespace) -> int:
    report = Report(allowed_codes(arguments.allow))
    _check_arguments(arguments)
    if arguments.check:
        from pynn_io.cli.run_check import run_check

        return run_check(arguments)
    if arguments.compare:
        from pynn_io.cli.run_compare import run_all

        return run_all(arguments, SIMULATING)
    from pynn_io.cli.run_job import RunJob

    try:
        with progress_bars(not (arguments.quiet or arguments.verbose), timed=SIMULATING) as progress:
            job = RunJob.read(arguments, report, progress)
            results = job.simulate(progress)
            files = job.write(results)
            if arguments.plot is not None:
                job.draw(results)
    except LossError as error:
        if not arguments.quiet:
            print_losses(error.report)
        raise
    finally:
        if arguments.report is not None:
            write_report(report, arguments.report)
    if not arguments.quiet:
        from pynn_io.cli.run_account import account_lines

        job.tell_rest()
        for line in [*account_lines(job.document, arguments.plan, results), *written_lines(job.dest, files)]:
            say(line)
        if arguments.plot is not None:
            say(f"drawn   {arguments.plot}")
    _sum_up(arguments, report, results.level)
    print(job.dest if job.dest.exists() else files[0])
    return 0


def _check_arguments(arguments: argparse.Namespace) -> None:
    """What can be refused before anything is read."""
    from pynn_io.lowering.cosimulation.placement import is_placement

    if arguments.plot is not None:
        if arguments.plot.suffix.lower() not in PICTURES:
            raise UsageError(f"--plot {arguments.plot}: not one of {', '.join(PICTURES)}")
        existing_parent(arguments.plot, "--plot")
    for folder in arguments.mechanisms:
        if not folder.is_dir():
            raise UsageError(f"--mechanisms {folder}: there is no such folder")
    if arguments.report is not None:
        check_report_file(arguments.report, arguments.plan, arguments.overwrite)
    if is_placement(arguments.backend):
        if arguments.compare:
            raise UsageError("--compare is for backends that run the whole plan", hint="pynn-compare takes its results")
    elif "," in arguments.backend and not arguments.compare:
        raise UsageError(
            f"--backend {arguments.backend}: several backends are for --compare",
            hint="To run each population on one of its own: --backend cortex=neuron,thalamus=nest",
        )
    check_queue(arguments)
    if arguments.emulate and (arguments.board or arguments.spalloc):
        raise UsageError("--emulate is for a network that is mapped, not executed: leave --board and --spalloc out")
    if arguments.emulate and "spinnaker" not in arguments.backend.split(","):
        raise UsageError("--emulate is for --backend spinnaker")
    for option, value in (("--tolerance", arguments.tolerance), ("--trace-mv", arguments.trace_mv)):
        if value is not None and not arguments.compare:
            raise UsageError(f"{option} is for --compare")
    if arguments.compare and arguments.report is not None:
        raise UsageError("--report is for one backend", hint="comparison.json holds that of each.")


def _sum_up(arguments: argparse.Namespace, report: Report, level: str) -> None:
    """One line on what was honoured; in quiet mode only if something was not."""
    counts = loss_counts(report)
    beside = f" ({counts})." if counts else "."
    if level == MAPPED:
        say(f"Done: mapped, not executed{beside}")
    elif level == EMULATED:
        say(f"Done: an approximation of the chip ran, not the chip{beside}")
    elif changes_model(report):
        what = "the job that was written" if level == EMITTED else "what ran"
        say(f"Done: {what} differs from what was asked for ({counts}).")
    elif not arguments.quiet:
        say(f"Done: everything was honoured{beside}")


def _list(as_json: bool) -> int:
    from pynn_io.cli.listing import backend_listing, backend_listing_json

    sys.stdout.write(backend_listing_json() if as_json else backend_listing())
    return 0


if __name__ == "__main__":
    sys.exit(main())
