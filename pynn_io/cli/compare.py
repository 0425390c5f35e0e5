"""``pynn-compare``: whether two networks, or the results of two runs, are the same; and where they part."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynn_io.cli.common import UsageError, add_version, existing_parent, progress_bars, run, write_file
from pynn_io.cli.numbers import any_number, as_path, whole
from pynn_io.errors import FormatError, WriteError

if TYPE_CHECKING:
    from pynn_io.document import Document
    from pynn_io.progress import Progress
    from pynn_io.results.compare import Options
    from pynn_io.results.compare.sources import Opened

COMMAND = "pynn-compare"
PICTURES = (".png", ".svg", ".pdf")
KINDS = ("network", "results")
#: As `pynn_io.results.compare.TIERS`; the help must not import numpy for it.
TIERS = ("auto", "exact", "deterministic", "statistical")
STATUS = {"equal": 0, "within": 0, "differs": 8, "not_comparable": 9}
LISTED = 10

EXAMPLES = """\
examples:
  pynn-compare out_nest reference/spikes.h5
      spikes and traces of two runs: equal, within 1 ms spike by spike, or where they part
  pynn-compare out_nest out_neuron --tolerance 0.2 --plot differences.png
      at most 0.2 ms apart; rasters, deviations and traces as a picture
  pynn-compare a.nix b.nix --steps 1 --only spikes
      at most one timestep apart, traces not looked at
  pynn-compare old new --null seeds/* --perturbed 2%:w102 5%:w105 --start 500
      a recurrent network: rates, irregularity and correlations against what other seeds do, and the smallest
      weight change that would have been seen
  pynn-compare circuit_config.json v1_obi/circuit_config.json
      two networks, value by value, whatever their formats and dialects
  pynn-compare A B --json | jq .verdict
      the same for a script

tiers, the first that applies:
  exact          the same spikes, bit for bit, in any order; the same samples
  deterministic  as many spikes in every cell, each within the tolerance of its partner:
                 |dt| <= max(--tolerance, --steps * timestep, --relative * |t|); traces: root mean square of the
                 difference away from spikes
  statistical    with --null, five or more runs of one backend with other seeds: every distance over its mean in the
                 null, the largest of them at most the null's 95th percentile

exit status:
  0    equal, or within the tolerance
  1    a bug in pynn_io
  2    wrong usage, or a format that is unknown or cannot be told
  4    a file cannot be read
  5    the picture or the JSON file cannot be written
  6    a package that is needed is not installed
  8    they differ
  9    they cannot be compared: empty, not finite, other populations, cells, times or units; never taken for a pass
  130  interrupted
"""


#: Options by which results are compared, and networks are not.
_OF_RESULTS = (
    *("tier", "tolerance", "steps", "timestep", "relative", "trace_mv", "trace_relative", "margin", "allow_empty"),
    *("only", "population", "map", "start", "stop", "null", "perturbed", "measure", "plot"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns its exit status."""
    arguments = _parser().parse_intermixed_args(argv)
    return run(COMMAND, lambda: _compare(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        usage="%(prog)s A B [options]",
        description="Compare two neuronal networks, or the results of two runs, and say where they differ.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "a", metavar="A", type=as_path, help="a network, or results: a folder of a run, or a file of spikes"
    )
    parser.add_argument("b", metavar="B", type=as_path, help="what is compared with it, of the same kind")
    parser.add_argument("--kind", choices=KINDS, help="what A and B are, where a file or folder holds both")
    parser.add_argument(
        "--from", dest="source_format", metavar="FORMAT", help="format of both, where it cannot be told"
    )
    _add_tolerances(parser.add_argument_group("what is the same"))
    _add_selection(parser.add_argument_group("what is compared"))
    _add_statistics(parser.add_argument_group("recurrent networks"))
    output = parser.add_argument_group("output")
    output.add_argument(
        "--measure",
        metavar="NAME",
        action="append",
        default=[],
        help="also victor-purpura, van-rossum, sttc (with :NUMBER their parameter), efel:FEATURE; extra: compare",
    )
    output.add_argument("--limit", metavar="N", type=whole, default=LISTED, help="differences listed (%(default)s)")
    output.add_argument(
        "--json", metavar="FILE", nargs="?", const="-", help="one JSON object, to FILE or in place of the tables"
    )
    output.add_argument("--plot", metavar="FILE", type=as_path, help=f"draw it: {', '.join(PICTURES)} (extra: plot)")
    output.add_argument("-q", "--quiet", action="store_true", help="the verdict only")
    add_version(parser)
    return parser


def _add_tolerances(group: Any) -> None:
    group.add_argument(
        "--tier", choices=TIERS, default="auto", help="how to judge (%(default)s: the first that applies)"
    )
    group.add_argument(
        "--tolerance", metavar="MS", type=any_number, help="spikes: so far apart (1, if nothing else is given)"
    )
    group.add_argument("--steps", metavar="K", type=any_number, default=0.0, help="spikes: so many timesteps apart")
    group.add_argument("--timestep", metavar="MS", type=any_number, help="for --steps, where the results do not tell")
    group.add_argument(
        "--relative", metavar="R", type=any_number, default=0.0, help="spikes: apart by this part of their time"
    )
    group.add_argument(
        "--trace-mv", metavar="MV", type=any_number, default=1.0, help="voltages: root mean square (%(default)s)"
    )
    group.add_argument(
        "--trace-relative",
        metavar="F",
        type=any_number,
        default=0.01,
        help="other variables: root mean square, as a part of A's range (%(default)s)",
    )
    group.add_argument(
        "--margin", metavar="MS", type=any_number, default=2.0, help="traces: left out around spikes (%(default)s)"
    )
    group.add_argument("--allow-empty", action="store_true", help="no spikes are data, not a run that failed")


def _add_selection(group: Any) -> None:
    group.add_argument("--only", choices=("spikes", "traces"), help="compare these alone")
    group.add_argument(
        "--population", metavar="P", action="append", default=[], help="compare this one only (A's name); repeatable"
    )
    group.add_argument(
        "--map", metavar="P=Q", action="append", default=[], help="A's population P is B's Q; repeatable"
    )
    group.add_argument("--start", metavar="MS", type=any_number, help="leave out what is before: a warm-up")
    group.add_argument("--stop", metavar="MS", type=any_number, help="leave out what is later")


def _add_statistics(group: Any) -> None:
    group.add_argument(
        "--null",
        metavar="RUN",
        type=as_path,
        nargs="+",
        default=[],
        help="results of one backend with other seeds, 5 or more",
    )
    group.add_argument(
        "--perturbed",
        metavar="W:RUN",
        nargs="+",
        default=[],
        help="results after the weights were changed by W (5%% or 0.05): what would have been seen",
    )


# --- The command --------------------------------------------------------------------------------------------------


def _compare(arguments: argparse.Namespace) -> int:
    _check_outputs(arguments)
    kind = _kind_of_both(arguments)
    if kind == "network":
        _refuse_options_of_results(arguments)
    with progress_bars(not arguments.quiet) as progress:
        account = (_networks if kind == "network" else _results)(arguments, progress)
    if arguments.json is not None:
        text = json.dumps({"a": str(arguments.a), "b": str(arguments.b), "kind": kind} | account["json"], indent=2)
        if arguments.json != "-":
            write_file(Path(arguments.json), text + "\n", "JSON file")
        else:
            print(text)
    if arguments.json != "-":
        from pynn_io.cli import compare_tables

        compare_tables.print_account(account, arguments)
    return STATUS[account["json"]["verdict"]]


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Whatever is wrong with the arguments themselves is said before anything is read."""
    if arguments.plot is not None:
        if arguments.plot.suffix.lower() not in PICTURES:
            raise UsageError(f"--plot {arguments.plot}: not one of {', '.join(PICTURES)}")
        existing_parent(arguments.plot, "--plot")
    for option, path in (("--json", arguments.json), ("--plot", arguments.plot)):
        if path is None or path == "-":
            continue
        existing_parent(Path(path), option)
        for source in (arguments.a, arguments.b):
            if Path(path).is_dir() or (Path(path).exists() and source.exists() and source.samefile(path)):
                raise WriteError(
                    f"{option} would replace {'a folder' if Path(path).is_dir() else 'a source'}", where=path
                )
    for name in ("tolerance", "steps", "timestep", "relative", "trace_mv", "trace_relative", "margin", "limit"):
        value = getattr(arguments, name)
        if value is not None and not 0 <= value < float("inf"):
            raise UsageError(f"--{name.replace('_', '-')} {value}: not a number of at least 0")


def _refuse_options_of_results(arguments: argparse.Namespace) -> None:
    """Raises UsageError for an option that two networks would leave without effect."""
    parser = _parser()
    stated = [name for name in _OF_RESULTS if getattr(arguments, name) != parser.get_default(name)]
    if stated:
        option = f"--{stated[0].replace('_', '-')}"
        raise UsageError(
            f"{option} is for results, and {arguments.a} and {arguments.b} are networks",
            hint="Networks are compared value by value; pynn-show --plot draws one.",
        )


def _kind_of_both(arguments: argparse.Namespace) -> str:
    """A folder with nothing in it is taken for results beside results: a run that failed quietly leaves one."""
    paths = (arguments.a, arguments.b)
    kinds = [_kind(path, arguments.kind) for path in paths]
    nothing = [path for path, kind in zip(paths, kinds, strict=True) if kind is None]
    if nothing and set(kinds) != {None, "results"}:
        raise FormatError("neither a network nor results", where=nothing[0], hint="Is it the output folder of a run?")
    if set(kinds) == {"network", "results"}:
        texts = [
            f"{path} is {'a network' if kind == 'network' else 'results'}"
            for path, kind in zip(paths, kinds, strict=True)
        ]
        raise UsageError(" and ".join(texts), hint="Compare two of a kind.")
    return "network" if "network" in kinds else "results"


def _kind(path: Path, stated: str | None) -> str | None:
    """``network`` or ``results``, by content; None for a folder without either. Raises ReadError, FormatError."""
    from pynn_io.detect import detect, require
    from pynn_io.results.files import holds_results

    require(path)
    if stated is not None:
        return stated
    results = holds_results(path)
    try:
        detect(path)
    except FormatError as error:
        if results or path.is_dir():
            return "results" if results else None
        raise FormatError(f"neither a network nor results: {error.message}", where=path) from None
    if results:
        raise UsageError(f"{path} holds a network and results", hint="Say which with --kind network or --kind results.")
    return "network"


def _networks(arguments: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    from pynn_io.graph.compare import diff
    from pynn_io.pipeline import read
    from pynn_io.report import Report

    reports = [Report(), Report()]
    documents = [
        read(path, format=arguments.source_format, report=report, progress=progress)
        for path, report in zip((arguments.a, arguments.b), reports, strict=True)
    ]
    empty = [name for name, one in zip("AB", documents, strict=True) if not _content(one)]
    found = [] if empty else diff(documents[0].network, documents[1].network)
    verdict = "not_comparable" if empty else "differs" if found else "equal"
    reasons = [f"{name} holds no cells and no morphologies" for name in empty]
    unread = [
        f"{name}: {issue.where}: {issue.message}" for name, one in zip("AB", reports, strict=True) for issue in one
    ]
    shown = [{"where": one.where, "message": one.message} for one in found]
    return {
        "kind": "network",
        "documents": documents,
        "differences": found,
        "json": {"verdict": verdict, "reasons": reasons, "notes": unread, "count": len(found), "differences": shown},
    }


def _content(document: Document) -> bool:
    network = document.network
    return bool(network.morphologies) or any(one.size for one in network.populations.values())


def _results(arguments: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    options, changes = _options(arguments), [_change(text) for text in arguments.perturbed]
    from pynn_io.results.compare import Ensembles
    from pynn_io.results.compare.sources import compare_opened, open_results, with_timestep

    paths = [arguments.a, arguments.b, *arguments.null, *(path for _, path in changes)]
    opened: list[Opened] = []
    for number, path in enumerate(paths):
        opened.append(open_results(path, format=arguments.source_format))
        progress("reading results", number + 1, len(paths))
    a, b, *others = opened
    if options.tolerance.steps and not with_timestep(options.tolerance, a.results, b.results).timestep:
        raise UsageError("--steps: neither result tells its timestep", hint="Give it with --timestep MS.")
    null, perturbed = others[: len(arguments.null)], others[len(arguments.null) :]
    measures = [name.strip() for text in arguments.measure for name in text.split(",") if name.strip()]
    found = compare_opened(
        a,
        b,
        options,
        null=null,
        perturbed=[(change, one) for (change, _), one in zip(changes, perturbed, strict=True)],
        measures=measures,
    )
    if arguments.plot is not None:
        from pynn_io.show.plot_compare import draw_comparison

        options = replace(options, ensembles=Ensembles(tuple(one.results for one in null)))
        names = (str(arguments.a), str(arguments.b))
        draw_comparison(a.results, b.results, found, options, arguments.plot, names=names)
    return {"kind": "results", "results": (a.results, b.results), "comparison": found, "json": found.as_dict()}


def _options(arguments: argparse.Namespace) -> Options:
    """Raises UsageError for a --map that is none, and windows without extent."""
    rename = {}
    for text in arguments.map:
        ours, sign, theirs = text.partition("=")
        if not (ours and sign and theirs):
            raise UsageError(f"--map {text}: not of the form P=Q")
        rename[ours] = theirs
    start = float("-inf") if arguments.start is None else arguments.start
    stop = float("inf") if arguments.stop is None else arguments.stop
    if not start < stop:
        raise UsageError(f"nothing lies between --start {start:g} and --stop {stop:g}")
    from pynn_io.results.compare import Options, Tolerance

    other = arguments.steps or arguments.relative
    absolute = arguments.tolerance if arguments.tolerance is not None else 0.0 if other else 1.0
    return Options(
        tier=arguments.tier,
        tolerance=Tolerance(
            absolute,
            arguments.steps,
            arguments.timestep or 0.0,
            arguments.relative,
            arguments.trace_mv,
            arguments.trace_relative,
            arguments.margin,
        ),
        rename=rename,
        populations=tuple(arguments.population),
        only=arguments.only,
        start=start,
        stop=stop,
        allow_empty=arguments.allow_empty,
        listed=arguments.limit,
    )


def _change(text: str) -> tuple[float, Path]:
    """``5%:folder`` or ``0.05:folder``."""
    change, sign, path = text.partition(":")
    try:
        number = float(change.removesuffix("%")) / (100.0 if change.endswith("%") else 1.0)
    except ValueError:
        number = float("nan")
    if not sign or not path or not abs(number) < float("inf") or number == 0:
        raise UsageError(
            f"--perturbed {text}: not of the form CHANGE:RUN", hint="For example 5%:folder or 0.05:folder."
        )
    return number, Path(path)


if __name__ == "__main__":
    sys.exit(main())
