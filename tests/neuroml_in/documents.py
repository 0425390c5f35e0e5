"""Small documents for tests, written by hand; the first line of a body is line 2 of its file."""

from __future__ import annotations

from pathlib import Path

from pynn_io import Report
from pynn_io.document import Document
from pynn_io.importers.neuroml import read

HEAD = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="doc">\n'


def write(folder: Path, body: str, name: str = "doc.nml") -> Path:
    path = folder / name
    path.write_text(f"{HEAD}{body}\n</neuroml>\n")
    return path


def write_lems(folder: Path, body: str, name: str = "LEMS_doc.xml") -> Path:
    path = folder / name
    path.write_text(f"<Lems>\n{body}\n</Lems>\n")
    return path


def load(folder: Path, body: str) -> tuple[Document, Report]:
    report = Report()
    return read(write(folder, body), report), report


IAF = '<iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="10nS"/>'
TWO_POINTS = (
    '<segment id="0" name="soma"><proximal x="0" y="0" z="0" diameter="10"/>'
    '<distal x="10" y="0" z="0" diameter="10"/></segment>'
)
MEMBRANE = (
    '<membraneProperties><channelDensity id="leak" ionChannel="pas" condDensity="0.3 mS_per_cm2" erev="-54 mV" '
    'ion="non_specific"/><spikeThresh value="0mV"/><specificCapacitance value="1 uF_per_cm2"/>'
    '<initMembPotential value="-65mV"/></membraneProperties>'
    '<intracellularProperties><resistivity value="0.1 kohm_cm"/></intracellularProperties>'
)
PAS = '<ionChannelPassive id="pas" conductance="10pS"/>'


def cable(morphology: str, membrane: str = MEMBRANE, name: str = "pyr") -> str:
    return (
        f'{PAS}<cell id="{name}">\n<morphology id="m">\n{morphology}\n</morphology>\n'
        f'<biophysicalProperties id="b">{membrane}</biophysicalProperties></cell>'
    )
