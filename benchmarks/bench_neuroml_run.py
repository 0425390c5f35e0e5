"""A NeuroML model's first and later runs: `pynn-run` on NEURON against jNeuroML, in one run.

First: nothing is compiled yet (an empty PYNN_IO_CACHE; jNeuroML exports for NEURON, compiles, runs). Again: what was
compiled is there (our cache; of jNeuroML only the exported script runs, without Java, which is the least it can cost).
Solver: jNeuroML's own, without NEURON. Everything is a process of its own, and CPU seconds are those of all of them;
peak memory is that of the largest. Models are those of ../shared/data/neuroml, or any LEMS files named with --model.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from measure import MB, run, serve, start, stop, table

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "neuroml"
MODELS = (
    "hh_tutorial/Tutorial/Source/LEMS_HH_Simulation.xml",
    "l5pc_soma/neuroConstruct/generatedNeuroML2/LEMS_L5bPyrCellHayEtAl2011_LowDt.xml",
)


def _timed(*commands: list[str], folder: Path, **environment: str) -> dict:
    """Commands one after another in a folder: CPU seconds of them and all that they start. Raises if one fails."""
    start()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for command in commands:
        done = subprocess.run(
            command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {(done.stderr or done.stdout)[-300:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return stop(cpu=cpu, peak=after.ru_maxrss * 1024 / MB)


def _pynn_run(lems: str, out: Path) -> list[str]:
    return [sys.executable, "-m", "pynn_io.cli.run", lems, "--backend", "neuron", "-o", str(out), "--quiet"]


def _fresh(settings: dict, name: str) -> Path:
    """An empty folder that the next case finds as this one leaves it."""
    folder = Path(settings["kept"]) / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _copy(lems: Path, folder: Path) -> Path:
    """jNeuroML writes beside its source: a copy of that folder."""
    return Path(shutil.copytree(lems.parent, folder / "model"))


def _java(lems: str, *options: str) -> list[str]:
    return ["java", "-Xmx2G", "-Djava.awt.headless=true", "-jar", str(_jar()), lems, *options, "-nogui"]


def _jar() -> Path:
    spec = find_spec("pyneuroml")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    return next(jar for folder in folders for jar in Path(folder, "lib").glob("jNeuroML-*.jar"))


def _exported(lems: Path) -> list[list[str]]:
    """What jNeuroML needs before its NEURON script runs."""
    return [_java(lems.name, "-neuron"), [str(Path(sys.executable).with_name("nrnivmodl"))]]


def _script(lems: Path) -> list[str]:
    return [sys.executable, f"{lems.stem}_nrn.py", "-nogui"]


def ours_first(settings: dict) -> dict:
    return _ours(settings, _fresh(settings, "cache"))


def ours_again(settings: dict) -> dict:
    return _ours(settings, Path(settings["kept"]) / "cache")


def _ours(settings: dict, cache: Path) -> dict:
    folder = Path(settings["folder"])
    return _timed(_pynn_run(settings["lems"], folder / "out"), folder=folder, PYNN_IO_CACHE=str(cache))


def jneuroml_first(settings: dict) -> dict:
    lems = Path(settings["lems"])
    return _timed(*_exported(lems), _script(lems), folder=_copy(lems, _fresh(settings, "exported")))


def jneuroml_again(settings: dict) -> dict:
    return _timed(_script(Path(settings["lems"])), folder=Path(settings["kept"]) / "exported" / "model")


def jneuroml_solver(settings: dict) -> dict:
    lems = Path(settings["lems"])
    return _timed(_java(lems.name), folder=_copy(lems, Path(settings["folder"])))


CASES = {case.__name__: case for case in (ours_first, jneuroml_first, ours_again, jneuroml_again, jneuroml_solver)}
LABELS = {
    "ours_first": "pynn-run, first (compiles)",
    "jneuroml_first": "jNeuroML to NEURON, first (compiles)",
    "ours_again": "pynn-run, again (from its cache)",
    "jneuroml_again": "jNeuroML to NEURON, again (only its script)",
    "jneuroml_solver": "jNeuroML's own solver",
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, action="append", help="LEMS file; may be repeated")
    parser.add_argument("--repeat", type=int, default=2, help="runs of each case; the best counts")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--settings", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(lems: Path, repeat: int) -> None:
    with tempfile.TemporaryDirectory() as kept:
        results = run(list(CASES), {"lems": str(lems), "kept": kept}, repeat)
    table(f"{lems.name}: ratio to pynn-run's first", [(LABELS[c], results[c]) for c in CASES], "ours_first", results)
    for ours, theirs in (("ours_first", "jneuroml_first"), ("ours_again", "jneuroml_again")):
        if "error" not in results[ours] and "error" not in results[theirs]:
            ratio = results[theirs]["cpu"] / results[ours]["cpu"]
            print(f"stated  {LABELS[theirs]}: {ratio:.2f} times the CPU seconds of {LABELS[ours]}")


def main() -> None:
    options = _options()
    serve(CASES, options)
    models = options.model or [DATA / name for name in MODELS if (DATA / name).is_file()]
    if not models or not all(find_spec(name) for name in ("pyneuroml", "neuron")) or shutil.which("java") is None:
        sys.exit("needs NEURON, pyNeuroML, Java, and the models of ../shared/data/neuroml or --model")
    for lems in models:
        _measure(lems.resolve(), options.repeat)


if __name__ == "__main__":
    main()
