"""Runs components with jLEMS: a document written here, by no code of the writers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest

from pynn_io.exporters.neuroml_components import Component, recorded_exposure, spike_array_component
from pynn_io.graph.cells import PointCell
from pynn_io.vocabulary.neuroml import CARRIER

NEUROML = 'xmlns="http://www.neuroml.org/schema/neuroml2"'
SCHEMA = (
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.neuroml.org/schema/neuroml2 '
    'https://raw.github.com/NeuroML/NeuroML2/development/Schemas/NeuroML2/NeuroML_v2.3.1.xsd"'
)
#: Order of core elements in a NeuroML document, as far as these tests use them.
ORDER = [
    "expOneSynapse",
    "expTwoSynapse",
    "pulseGenerator",
    "spikeArray",
    "IF_curr_alpha",
    "IF_curr_exp",
    "IF_cond_alpha",
    "IF_cond_exp",
    "EIF_cond_exp_isfa_ista",
    "EIF_cond_alpha_isfa_ista",
    "expCondSynapse",
    "alphaCondSynapse",
    "expCurrSynapse",
    "alphaCurrSynapse",
    "SpikeSourcePoisson",
]


@dataclass
class Setup:
    """One cell, its inputs, and what was recorded: ``exposure`` and spike times, after `run`."""

    cell: PointCell
    component: Component
    inputs: list[tuple[Component, Sequence[float], float, float]] = field(default_factory=list)
    pulses: list[Component] = field(default_factory=list)


def jar() -> Path:
    """The jNeuroML jar of pyNeuroML, or a skip."""
    pyneuroml = pytest.importorskip("pyneuroml", reason="jNeuroML comes with pyNeuroML")
    if shutil.which("java") is None:
        pytest.skip("jNeuroML needs Java")
    return next((Path(pyneuroml.__file__).parent / "lib").glob("jNeuroML*.jar"))


def element(component: Component, kind: str) -> str:
    """A component as XML: a core element, or the carrier of an own type."""
    attributes = dict(component.attributes)
    tag = component.type
    if component.definitions:
        tag, attributes = CARRIER[kind], {"type": component.type, **attributes}
    text = "".join(f" {key}={quoteattr(value)}" for key, value in {"id": component.id, **attributes}.items())
    inside = "".join(element(child, kind) for child in component.children)
    return f"<{tag}{text}>{inside}</{tag}>" if inside else f"<{tag}{text}/>"


def write(folder: Path, setups: Mapping[str, Setup], duration: float, step: float) -> None:
    """``net.net.nml``, ``net.components.xml``, the type files and ``LEMS_net.xml``."""
    core, own, definitions, network, columns, events = [], [], set(), [], [], []

    def add(component: Component, kind: str) -> None:
        (own if component.definitions else core).append((component, kind))
        definitions.update(component.definitions)

    def population(name: str, component: Component) -> None:
        network.append((0, f'<population id="{name}" component="{component.id}" size="1"/>'))

    for name, setup in setups.items():
        add(setup.component, "cell")
        population(name, setup.component)
        exposure = recorded_exposure(setup.cell)
        columns.append(f'<OutputColumn id="{name}" quantity="{name}[0]/{exposure}"/>')
        events.append(f'<EventSelection id="{name}" select="{name}[0]" eventPort="spike"/>')
        for number, (synapse, times, weight, delay) in enumerate(setup.inputs):
            source = spike_array_component(f"{name}_source{number}", times)
            add(synapse, "synapse")
            add(source, "input")
            population(f"{name}_from{number}", source)
            network.append(
                (
                    1,
                    f'<projection id="{name}_to{number}" presynapticPopulation="{name}_from{number}"'
                    f' postsynapticPopulation="{name}" synapse="{synapse.id}"><connectionWD id="0"'
                    f' preCellId="../{name}_from{number}[0]" postCellId="../{name}[0]" weight="{weight!r}"'
                    f' delay="{delay}ms"/></projection>',
                )
            )
        for number, pulse in enumerate(setup.pulses):
            add(pulse, "input")
            network.append(
                (
                    2,
                    f'<inputList id="{name}_pulse{number}" population="{name}" component="{pulse.id}">'
                    f'<input id="0" target="../{name}[0]" destination="synapses"/></inputList>',
                )
            )
    core.sort(key=lambda item: ORDER.index(item[0].type))
    network.sort(key=lambda item: item[0])
    (folder / "net.net.nml").write_text(
        f'<neuroml {NEUROML} {SCHEMA} id="net_doc">'
        + ('<include href="net.components.xml"/>\n' if own else "")
        + "\n".join(element(*item) for item in core)
        + '\n<network id="net">'
        + "\n".join(text for _, text in network)
        + "</network></neuroml>\n"
    )
    for name in definitions:
        shutil.copy(str(files("pynn_io.vocabulary").joinpath("lems", name)), folder / name)
    (folder / "net.components.xml").write_text(
        f'<neuroml {NEUROML} id="net_components">'
        + "".join(f'<include href="{name}"/>' for name in sorted(definitions))
        + "\n".join(element(*item) for item in own)
        + "</neuroml>\n"
    )
    (folder / "LEMS_net.xml").write_text(
        '<Lems><Target component="sim"/><Include file="Cells.xml"/><Include file="Networks.xml"/>'
        '<Include file="PyNN.xml"/>'
        '<Include file="Simulation.xml"/><Include file="net.net.nml"/>'
        f'<Simulation id="sim" length="{duration}ms" step="{step}ms" target="net">'
        f'<OutputFile id="traces" fileName="traces.dat">{"".join(columns)}</OutputFile>'
        f'<EventOutputFile id="spikes" fileName="spikes.dat" format="TIME_ID">{"".join(events)}</EventOutputFile>'
        "</Simulation></Lems>\n"
    )


def run(
    folder: Path, setups: Mapping[str, Setup], duration: float, step: float
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """``(t in ms, {name: trace in mV or 1}, {name: spike times in ms})``."""
    write(folder, setups, duration, step)
    done = subprocess.run(
        ["java", "-Xmx1500M", "-jar", str(jar()), "LEMS_net.xml", "-nogui"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (folder / "traces.dat").exists(), done.stdout[-3000:] + done.stderr[-3000:]
    table = np.loadtxt(folder / "traces.dat")
    scales = [1e3 if recorded_exposure(setup.cell) == "v" else 1.0 for setup in setups.values()]
    traces = {name: table[:, i + 1] * scales[i] for i, name in enumerate(setups)}
    spikes: dict[str, list[float]] = {name: [] for name in setups}
    for line in (folder / "spikes.dat").read_text().splitlines():
        time, name = line.split()
        spikes[name].append(float(time) * 1e3)
    return table[:, 0] * 1e3, traces, {name: np.asarray(times) for name, times in spikes.items()}


def validate(folder: Path) -> str:
    """What ``jnml -validate`` says of the document."""
    done = subprocess.run(
        ["java", "-jar", str(jar()), "-validate", "net.net.nml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout + done.stderr
