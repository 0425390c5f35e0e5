"""Components of our own making run by jNeuroML: what its solver makes of the core types.

A probe is a cell whose potential is a given function of time; channels, synapses and pools of calcium stand in it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from pynn_io.graph.dynamics import Component
from pynn_io.importers.neuroml_components import Components, Kinds
from pynn_io.importers.neuroml_context import Context
from pynn_io.report import Report
from tests.dynamics import official

#: The probe: v = BASE + SWING sin(2 pi t / PERIOD), mV and ms; calcium 1e-4 mM and 4 times as much at the peak.
BASE, SWING, PERIOD = -45.0, 40.0, 20.0
TEMPERATURE = 300.0
AREA = 1000.0

_PROBE = f"""
<ComponentType name="probe" extends="baseCellMembPot">
  <Children name="populations" type="baseChannelPopulation"/>
  <Children name="pools" type="concentrationModel"/>
  <Attachments name="synapses" type="basePointCurrent"/>
  <Constant name="MSEC" dimension="time" value="1ms"/>
  <Constant name="MVOLT" dimension="voltage" value="1mV"/>
  <Constant name="MMOLAR" dimension="concentration" value="1mM"/>
  <Constant name="NAMP" dimension="current" value="1nA"/>
  <Constant name="UM2" dimension="area" value="1um2"/>
  <Exposure name="iSyn" dimension="current"/>
  <Exposure name="caConc" dimension="concentration"/>
  <Exposure name="caConcExt" dimension="concentration"/>
  <Exposure name="iCa" dimension="current"/>
  <Exposure name="surfaceArea" dimension="area"/>
  <Exposure name="initialConcentration" dimension="concentration"/>
  <Exposure name="initialExtConcentration" dimension="concentration"/>
  <Dynamics>
    <DerivedVariable name="wave" dimension="none" value="sin(6.283185307179586 * t / ({PERIOD} * MSEC))"/>
    <DerivedVariable name="v" exposure="v" dimension="voltage" value="({BASE} + {SWING} * wave) * MVOLT"/>
    <DerivedVariable name="caConc" exposure="caConc" dimension="concentration"
                     value="(2.5e-4 + 1.5e-4 * wave) * MMOLAR"/>
    <DerivedVariable name="caConcExt" exposure="caConcExt" dimension="concentration" value="2 * MMOLAR"/>
    <DerivedVariable name="iCa" exposure="iCa" dimension="current" value="(0.001 + 0.005 * wave) * NAMP"/>
    <DerivedVariable name="surfaceArea" exposure="surfaceArea" dimension="area" value="{AREA} * UM2"/>
    <DerivedVariable name="initialConcentration" exposure="initialConcentration" dimension="concentration"
                     value="5e-5 * MMOLAR"/>
    <DerivedVariable name="initialExtConcentration" exposure="initialExtConcentration" dimension="concentration"
                     value="2 * MMOLAR"/>
    <DerivedVariable name="iSyn" exposure="iSyn" dimension="current" select="synapses[*]/i" reduce="add"/>
  </Dynamics>
</ComponentType>
"""


def wave(t: float) -> float:
    return float(np.sin(2 * np.pi * t / PERIOD))


GIVEN = {
    "v": lambda t: BASE + SWING * wave(t),
    "caConc": lambda t: 2.5e-4 + 1.5e-4 * wave(t),
    "caConcExt": 2.0,
    "iCa": lambda t: 0.001 + 0.005 * wave(t),
    "surfaceArea": AREA,
    "initialConcentration": 5e-5,
    "initialExtConcentration": 2.0,
    "temperature": TEMPERATURE,
}


@dataclass
class Script:
    """One LEMS simulation of many populations of one cell. columns: name -> path of a quantity."""

    types: str = _PROBE
    components: list[str] = field(default_factory=list)
    populations: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    spikes: list[str] = field(default_factory=list)

    def population(self, name: str, component: str) -> None:
        self.populations.append(f'<population id="{name}" component="{component}" size="1"/>')

    def text(self, length: float, step: float) -> str:
        newline = "\n"
        columns = newline.join(f'<OutputColumn id="{key}" quantity="{path}"/>' for key, path in self.columns.items())
        events = newline.join(
            f'<EventSelection id="{row}" select="{each}[0]" eventPort="spike"/>' for row, each in enumerate(self.spikes)
        )
        return f"""<Lems>
<Target component="sim"/>
<Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/><Include file="PyNN.xml"/>
{self.types}
{newline.join(self.components)}
<networkWithTemperature id="net" temperature="{TEMPERATURE}K">
{newline.join(self.populations)}
{newline.join(self.links)}
</networkWithTemperature>
<Simulation id="sim" length="{length}ms" step="{step}ms" target="net">
<OutputFile id="out" fileName="out.dat">{columns}</OutputFile>
<EventOutputFile id="spikes" fileName="spikes.dat" format="ID_TIME">{events}</EventOutputFile>
</Simulation>
</Lems>"""

    def run(
        self, folder: Path, length: float, step: float
    ) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, list]]:
        """Times in ms, columns in SI units, and the spike times of the populations of ``spikes``, ms."""
        if shutil.which("java") is None:
            pytest.skip("needs Java")
        (folder / "LEMS_run.xml").write_text(self.text(length, step))
        command = [
            "java",
            "-Xmx600m",
            "-Djava.awt.headless=true",
            "-jar",
            str(official.jar()),
            "LEMS_run.xml",
            "-nogui",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if not (folder / "out.dat").exists():
            said = [line for line in done.stdout.splitlines() if "WARNING" not in line]
            pytest.fail("\n".join(said)[-3000:])
        table = np.loadtxt(folder / "out.dat")
        found: dict[str, list[float]] = {name: [] for name in self.spikes}
        for line in (folder / "spikes.dat").read_text().splitlines():
            row, time = line.split()
            found[self.spikes[int(row)]].append(float(time) * 1e3)
        return table[:, 0] * 1e3, dict(zip(self.columns, table.T[1:], strict=True)), found


def component(text: str) -> Component:
    """The component of an XML text, by the importer."""
    return Components(Context(Report()), Kinds({})).read(official.element(etree.fromstring(text)))


def named(components: Sequence[Component]) -> dict[str, Component]:
    return {each.id: each for each in components}
