"""The export for jNeuroML, and jNeuroML's own process."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lxml import etree

from pynn_io.document import Document
from pynn_io.errors import BackendUnavailable, RunError, SimulationFailed
from pynn_io.graph.cells import CableCell
from pynn_io.graph.network import Network
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.runners.algorithms import CNEXP, EULER, EULER_BACKWARD, Algorithm, told
from pynn_io.runners.base import Profile
from pynn_io.runners.jneuroml.stepping import Stepping, explicit, step_exactly
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.units import quantity_in

#: ``engine`` -> what it is.
ENGINES = {
    "jlems": "jNeuroML's own solver",
    "neuron": "the code that jNeuroML writes for NEURON",
    "neuron-cnexp": "that code, with its states stepped as NEURON's own mechanisms are",
}
#: Where a jar is, if not the one that pyNeuroML brings.
JAR_VARIABLE = "PYNN_IO_JNEUROML_JAR"
_MEMORY = "-Xmx2G"
_ERROR = re.compile(r"(?:Exception|ERROR|Error|error)\b.*")


@dataclass(frozen=True, slots=True)
class Model:
    """What is run. lems: the exported LEMS file; command: what runs it, in its folder."""

    lems: Path
    command: tuple[str, ...]
    duration: float
    provenance: Mapping[str, Any]


def build(network: Network, plan: SimulationPlan, profile: Profile, report: Report, progress: Progress) -> Model:
    """Export the model and find what runs it. Raises BackendUnavailable without Java or the jar, and WriteError."""
    engine, chosen = str(profile.options.get("engine", "")), "asked for"
    if not engine:
        engine, chosen = choose_engine(network)
    if engine not in ENGINES:
        raise RunError(f"unknown engine {engine!r}", hint=f"engines of jNeuroML: {', '.join(ENGINES)}")
    java, jar = _java(), _jar()
    if profile.work is None:
        raise RunError("jNeuroML needs a work folder")
    folder = profile.work / "model"
    module, _, name = profile.writer.partition(":")
    writer = getattr(import_module(module), name)
    # the exporter wants to know that equations of .mod files stand in a circuit of another format
    translated = {"mechanisms": profile.mechanisms} if profile.mechanisms and "neuroml" not in network.extra else {}
    writer(Document(network, plan, translated), folder, report, progress=progress)
    lems = next(folder.glob("LEMS_*.xml"))
    _make_folders(plan, folder)
    jneuroml = (java, _MEMORY, "-Djava.awt.headless=true", "-jar", str(jar), lems.name)
    provenance: dict[str, Any] = {"engine": engine, "engine_chosen": chosen, "jar": jar.name}
    step = _step(lems)
    if engine == "jlems":
        provenance |= told([Algorithm("all components", *EULER, step)])
        return Model(lems, (*jneuroml, "-nogui"), float(plan.duration or 0), provenance)
    _call((*jneuroml, "-neuron", "-nogui"), folder)
    provenance |= _stepping(engine, folder, step, report)
    _compile(folder, progress)
    script = (sys.executable, "-P", f"{lems.stem}_nrn.py", "-nogui")
    return Model(lems, script, float(plan.duration or 0), provenance)


def _step(lems: Path) -> float:
    """ms, as the file for jNeuroML states it."""
    return quantity_in(etree.parse(lems).find(".//{*}Simulation").get("step"), "ms")


def choose_engine(network: Network) -> tuple[str, str]:
    """The engine where none is asked for, and why.

    jNeuroML's own solver has cells of one compartment alone. A model of NeuroML runs as jNeuroML has it; one of another
    format was meant for steps of NEURON's own kind.
    """
    for name, cell in network.cells.items():
        if isinstance(cell, CableCell) and (not cell.morphology or network.morphologies[cell.morphology].size > 1):
            engine = "neuron" if "neuroml" in network.extra else "neuron-cnexp"
            return engine, f"the cell {name} has more than one segment, and jLEMS runs cells of one compartment"
    return "jlems", "all cells are of one compartment"


def _make_folders(plan: SimulationPlan, folder: Path) -> None:
    """The folders of the files that a simulation asks for (``results/v.dat``): jNeuroML makes none."""
    for recording in plan.recordings:
        place = (folder / recording.file).resolve().parent if recording.file else folder
        if place.is_relative_to(folder.resolve()):
            place.mkdir(parents=True, exist_ok=True)


def _stepping(engine: str, folder: Path, step: float, report: Report) -> dict[str, Any]:
    """Have jNeuroML's code step as the engine says; what is stepped by explicit Euler is reported."""
    stepping = step_exactly(folder) if engine == "neuron-cnexp" else Stepping((), explicit(folder))
    if stepping.euler:
        message = "jNeuroML's code for NEURON steps these by explicit Euler, an error in proportion to the time step"
        hint = "; --engine neuron-cnexp has NEURON solve them" if engine == "neuron" else ""
        report.approximated("explicit-euler", "mechanisms", message + hint, examples=list(stepping.euler))
    found = [
        Algorithm("membranes", *EULER_BACKWARD, step),  # the script sets a fixed step, and nothing else
        *(Algorithm(name, *CNEXP, step) for name in stepping.exact),
        *(Algorithm(name, *EULER, step) for name in stepping.euler),
    ]
    return {"stepped_exactly": list(stepping.exact), "stepped_by_euler": list(stepping.euler), **told(found)}


def _java() -> str:
    found = shutil.which("java")
    if found is None:
        raise BackendUnavailable("jNeuroML needs Java", hint="install Java 17 (Debian: openjdk-17-jre-headless)")
    return found


def _jar() -> Path:
    """pyNeuroML's, or the one that the environment names."""
    stated = os.environ.get(JAR_VARIABLE)
    if stated:
        if not Path(stated).is_file():
            raise BackendUnavailable(f"{JAR_VARIABLE}: there is no file {stated}")
        return Path(stated)
    spec = find_spec("pyneuroml")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    found = sorted(jar for folder in folders for jar in Path(folder, "lib").glob("jNeuroML-*.jar"))
    if not found:
        raise BackendUnavailable("jNeuroML is not installed", hint="pip install 'pynn_io[neuroml]'")
    return found[-1]


def _compile(folder: Path, progress: Progress) -> None:
    """Compile a folder's mechanisms, or take them from the cache, to where NEURON looks for them."""
    if find_spec("neuron") is None:
        raise BackendUnavailable("jNeuroML's code for NEURON needs NEURON", hint="pip install 'pynn_io[neuron]'")
    from pynn_io.runners.neuron.compiler import compiled

    if sources := sorted(folder.glob("*.mod")):
        built = compiled(sources, progress).parent
        (folder / built.name).symlink_to(built, target_is_directory=True)


def run(model: Model, progress: Progress = quiet) -> None:
    """Run it to its end. Raises SimulationFailed with what jNeuroML said."""
    progress("simulating", 0.0, model.duration)
    _call(model.command, model.lems.parent)
    progress("simulating", model.duration, model.duration)


def _call(command: tuple[str, ...], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout.decode(errors="replace")
    sys.stdout.write(said)
    if done.returncode:
        raise SimulationFailed(_message(command, said), log=said[-8000:], folder=folder)


def _message(command: tuple[str, ...], said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if _ERROR.search(line)]
    return f"{Path(command[0]).name} failed: {lines[0] if lines else 'it gives no reason'}"
