"""What ``pynn-run --backend spinnaker`` says and writes of a network that was mapped: the fidelity report."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from pynn_io.cli.common import counted, size_text, write_file
from pynn_io.cli.tables import PLAIN_WIDTH, PlainConsole, print_table
from pynn_io.errors import WriteError
from pynn_io.results.fidelity import Fidelity, ProjectionFidelity, SpikeFidelity, lines_of
from pynn_io.results.mapped import Mapped

#: The report for programs, beside results where there are any.
FILE = "fidelity.json"
_HEADER = ("projection", "receptor", ">edges", ">weight step", ">largest error", ">mean error", ">to 0", ">signs lost")
_DELAYS = (">delays moved", ">by at most")
_SPIKES = ("source", ">spikes", ">moved", ">by at most", ">on average")


def write_fidelity(results: Mapped, fidelity: Fidelity, dest: Path, *, single: bool) -> Path:
    """``fidelity.json``, with the provenance of ``results``, in a folder of results, which may be new; beside results
    that are one file. Raises WriteError.

    single: whether ``dest`` is a file.
    """
    path = dest.with_name(f"{dest.stem}.{FILE}") if single else dest / FILE
    content = {**fidelity.as_dict(), "provenance": dict(results.provenance)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot write here: {error.strerror or error}", where=path.parent) from error
    write_file(path, json.dumps(content, indent=2) + "\n", "fidelity report")
    return path


def mapped_lines(source: Path, results: Mapped) -> list[str]:
    """That nothing was executed, in plain words."""
    facts = results.provenance
    simulator = f"{facts['simulator']} by sPyNNaker {facts['simulator_version']}"
    return [
        f"mapped  {source} onto {simulator} (virtual board)",
        "        mapped, not executed: there are no spikes and no recordings",
        f"        mapped in {sum(facts['seconds'].values()):.1f} s, {size_text(facts['peak_memory'])} of memory",
    ]


def fidelity_lines(fidelity: Fidelity) -> Iterator[str]:
    """The report as a table and what is worth a sentence."""
    yield from (f"        {line}" for line in _machine(fidelity))
    yield from _table((*_HEADER, *_DELAYS), [_row(one) for one in fidelity.projections])
    if fidelity.sources:
        yield from _table(_SPIKES, [_source_row(one) for one in fidelity.sources])
    yield from (f"        {line}" for line in lines_of(fidelity))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    text = io.StringIO()
    print_table(PlainConsole(file=text, width=PLAIN_WIDTH, highlight=False, markup=False), header, rows)
    yield from (f"        {line}" for line in text.getvalue().splitlines())


def _machine(fidelity: Fidelity) -> Iterator[str]:
    machine = fidelity.machine
    parts = [counted(machine.cores, "core"), counted(machine.chips, "chip"), counted(machine.boards, "board")]
    yield f"{counted(machine.neurons, 'neuron')} on {', '.join(parts)}; {size_text(machine.sdram)} of SDRAM"
    slower = f", {fidelity.time_scale_factor} times slower than real time" if fidelity.time_scale_factor > 1 else ""
    yield f"steps of {fidelity.timestep:g} ms{slower}"


def _row(one: ProjectionFidelity) -> Sequence[str]:
    return (
        one.label,
        one.receptor,
        f"{one.connections:,}",
        f"{one.resolution:.3g} {one.unit}",
        f"{one.largest_weight_error:.3g}",
        f"{one.mean_weight_error:.3g}",
        f"{one.underflows:,}",
        f"{one.dropped_signs:,}",
        f"{one.delays_moved:,}",
        f"{one.largest_delay_error:.3g} ms",
    )


def _source_row(one: SpikeFidelity) -> Sequence[str]:
    move = f"{one.largest_move:.3g} ms", f"{one.mean_move:.3g} ms"
    return one.population, f"{one.spikes:,}", f"{one.moved:,}", *move
