"""Print docs/nmodl_mechanisms.md: what of NMODL is translated, file by file, and how near it is.

The files are those of installed packages (BMTK, NEURON, PyNN); the differences are measured in NEURON by
tests/nmodl_in/clamp.py.
"""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path

from pynn_io.errors import PynnIOError
from pynn_io.formats.nmodl import read_mechanism
from pynn_io.importers.nmodl_channels import translate
from tests.nmodl_in.clamp import case_of, measured

PAGE = Path(__file__).with_name("nmodl_mechanisms.md")
#: Title, package, folder in it.
FOLDERS = (
    ("Mechanisms of the Allen Institute (BMTK)", "bmtk", "utils/scripts/bionet/mechanisms/modfiles"),
    ("NEURON's own", "neuron", ".data/share/modfile"),
    ("NEURON's demonstration", "neuron", ".data/share/nrn/demo/release"),
    ("PyNN's for NEURON", "pyNN", "neuron/nmodl"),
)
HEAD = """\
# NMODL, translated

`pynn-convert --mechanisms DIR` and `pynn-convert FILE.mod --to neuroml` turn mechanisms into equations: *gates* of
NeuroML's own channels, a *scheme* of states, *equations* in a LEMS type, a *concentration model*, a *synapse*. This
page is printed by `python -m docs.make_nmodl`. *Apart*: translated and written as NMODL again, the largest difference
of any current or state from the original's under voltage clamp (3 protocols, 25 and 34 degC), as a part of its largest
value (tests/nmodl_in/test_mechanisms_in_neuron.py). A dash: not measured. What is not translated stays a name, and is
reported.
"""


def folder(package: str, inside: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"install {package} to print this page")
    return Path(spec.origin).parent / inside


def row(file: Path, apart: dict[str, dict[str, float]]) -> str:
    try:
        mechanism = read_mechanism(file)
        found = translate(mechanism)
    except PynnIOError as error:
        return f"| `{file.name}` | no | - | {error.message.partition(': ')[2] or error.message} |"
    worst = max(apart[mechanism.name].values(), default=0.0) if mechanism.name in apart else None
    number = "-" if worst is None else "0" if worst < 1e-15 else f"{worst:.0e}"
    how = "; ".join(found.notes) or ("its TABLE is computed" if found.tables else "")
    return f"| `{file.name}` | {found.kind} | {number} | {how} |"


def cases(files: list[Path]) -> list:
    made = []
    for file in files:
        try:
            case, found = case_of(file)
        except PynnIOError:
            continue
        if found.synapse is None and case.pairs:
            made.append(case)
    return made


def main() -> None:
    lines = [HEAD]
    for title, package, inside in FOLDERS:
        files = sorted(folder(package, inside).glob("*.mod"))
        compiled_in = package == "neuron" and inside.endswith("modfile")
        known = cases(files) if package == "bmtk" or compiled_in else []
        with tempfile.TemporaryDirectory() as place:
            names = {case.name for case in known}
            needed = [] if compiled_in else [each for each in files if _name(each) in names]
            apart = measured(needed, known, Path(place)) if known else {}
        lines += [f"## {title}\n", "| file | becomes | apart | how, or why not |", "|---|---|---|---|"]
        lines += [row(file, apart) for file in files]
        lines.append("")
    PAGE.write_text("\n".join(lines))


def _name(file: Path) -> str:
    try:
        return read_mechanism(file).name
    except PynnIOError:
        return ""


if __name__ == "__main__":
    main()
