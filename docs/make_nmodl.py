"""Print docs/nmodl_mechanisms.md: what of NMODL is translated, file by file, and how near it is.

The files are those of installed packages (BMTK, NEURON, PyNN); the differences are measured in NEURON by
tests/nmodl_in/clamp.py.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from pynn_io.errors import PynnIOError
from pynn_io.formats.nmodl import read_mechanism
from pynn_io.importers.nmodl_channels import translate
from tests.nmodl_in.clamp import Difference, case_of, measured

PAGE = Path(__file__).with_name("nmodl_mechanisms.md")
#: Title, package, folder in it.
FOLDERS = (
    ("Mechanisms of the Allen Institute (BMTK)", "bmtk", "utils/scripts/bionet/mechanisms/modfiles"),
    ("NEURON's own", "neuron", ".data/share/modfile"),
    ("NEURON's demonstration", "neuron", ".data/share/nrn/demo/release"),
    ("PyNN's for NEURON", "pyNN", "neuron/nmodl"),
    ("PyNN's for Arbor", "pyNN", "arbor/nmodl"),
)
HEAD = """\
# NMODL, translated

`pynn-convert --mechanisms DIR` and `pynn-convert FILE.mod --to neuroml` turn mechanisms into equations: *gates* of
NeuroML's own channels, a *scheme* of states, *equations* in a LEMS type, a *concentration model*, a *synapse*. This
page is printed by `python -m docs.make_nmodl`.

*Apart*: translated and written as NMODL again, the largest difference of any current or state from the original's
under voltage clamp (3 protocols, 25 and 34 degC; synapses with events), as a part of its largest value, measured by
tests/nmodl_in/clamp.py; a NEURON that interpolates a TABLE was told to compute. The tests hold the Allen Institute's
and NEURON's own to 1e-6 there, and to 1e-4 in jNeuroML's own solver, from the NeuroML that is written
(tests/nmodl_in/test_mechanisms_in_jneuroml.py). *Approximate* differs as the last column says, and is compared where
that is over. What is not translated stays a name, and is reported with the file and the line.

As NeuroML in jNeuroML's code for NEURON, biophysical circuits have the spikes of the SONATA run on NEURON, at their own
0.1 ms: bio_1cell 20 of 20 within 0.1 ms (current clamp) and 39 of 39 within 0.2 ms (synapses), 5_cells_iclamp 124 of
124 within 0.1 ms (tests/nmodl_in/test_circuits_in_jneuroml.py). That is with `--engine neuron-cnexp`, the default
there. As jNeuroML writes it (`--engine neuron`) that code steps gates by explicit Euler, and leaves the conductance of
synapses out of the implicit step: 23 spikes for the 20 at 0.1 ms, the last of 20 early by 24.5, 9.6, 4.8, 2.5 and
1.05 ms at 0.025, 0.01, 0.005, 0.0025 and 0.001 ms; with the synapses at 0.1 ms, potentials that are no numbers.
(5_cells_iclamp itself is not converged at 0.1 ms: NEURON with the circuit's own mechanisms has 3, 20, 23, 28 and 50
spikes there, but 65, 22, 23, 28 and 50 at 0.025 ms.)
"""
#: In the dialect of Arbor, which NEURON does not compile: nothing is compared there.
DIALECT = "arbor/nmodl"
VERDICTS = ("exact", "approximate", "no")


class Row(NamedTuple):
    """A line of the table. verdict: one of `VERDICTS`."""

    file: str
    kind: str
    verdict: str
    apart: str
    how: str

    def text(self) -> str:
        return f"| `{self.file}` | {self.kind} | {self.verdict} | {self.apart} | {self.how} |"


def folder(package: str, inside: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"install {package} to print this page")
    return Path(spec.origin).parent / inside


def row(file: Path, apart: dict[str, dict[str, Difference]]) -> Row:
    try:
        mechanism = read_mechanism(file)
        found = translate(mechanism)
    except PynnIOError as error:
        return Row(file.name, "-", "no", "-", error.message.partition(": ")[2] or error.message)
    measured_here = apart.get(mechanism.name)
    worst = None if measured_here is None else max((each.apart for each in measured_here.values()), default=0.0)
    number = "-" if worst is None else "0" if worst < 1e-15 else f"{worst:.0e}"
    how = "; ".join(found.notes) or ("its TABLE is computed" if found.tables else "")
    return Row(file.name, found.kind, "approximate" if found.notes else "exact", number, how)


def counted(rows: list[Row]) -> str:
    """How many rows have which verdict."""
    numbers = Counter(each.verdict for each in rows)
    return f"{len(rows)} files: " + ", ".join(f"{numbers[verdict]} {verdict}" for verdict in VERDICTS) + "."


def cases(files: list[Path]) -> list:
    made = []
    for file in files:
        try:
            case, _ = case_of(file)
        except PynnIOError:
            continue
        if case.pairs:
            made.append(case)
    return made


def main() -> None:
    lines = [HEAD]
    for title, package, inside in FOLDERS:
        files = sorted(folder(package, inside).glob("*.mod"))
        compiled_in = package == "neuron" and inside.endswith("modfile")
        known = [] if inside == DIALECT else cases(files)
        with tempfile.TemporaryDirectory() as place:
            names = {case.name for case in known}
            needed = [] if compiled_in else [each for each in files if _name(each) in names]
            apart = measured(needed, known, Path(place)) if known else {}
        rows = [row(file, apart) for file in files]
        lines += [f"## {title}\n", "| file | becomes | verdict | apart | how, or why not |", "|---|---|---|---|---|"]
        lines += [*(each.text() for each in rows), "", counted(rows), ""]
    PAGE.write_text("\n".join(lines))


def _name(file: Path) -> str:
    try:
        return read_mechanism(file).name
    except PynnIOError:
        return ""


if __name__ == "__main__":
    main()
