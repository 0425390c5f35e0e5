"""``tauRise`` equal to ``tauDecay``: the height of NeuroML's two exponentials is 0 / 0, and no NaN is silent."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from pynn_io.document import Document
from pynn_io.errors import GraphError, SimulationFailed
from pynn_io.exporters.nmodl import write as write_nmodl
from pynn_io.pipeline import read
from pynn_io.registry import BACKENDS
from pynn_io.report import Report
from pynn_io.runners.worker import load_runner
from pynn_io.simulate import simulate

_SYNAPSES = {
    "expTwoSynapse": 'gbase="1nS" tauRise="2ms" tauDecay="2ms"',
    "expThreeSynapse": 'gbase1="1nS" gbase2="1nS" tauRise="2ms" tauDecay1="9ms" tauDecay2="2ms"',
}
_FIXED = {"expTwoSynapse": "peakTime", "expThreeSynapse": "peakTime2"}
_DECAY = {"expTwoSynapse": "tauDecay", "expThreeSynapse": "tauDecay2"}


def _document(folder: Path, kind: str) -> Document:
    path = folder / "LEMS_equal.xml"
    path.write_text(f"""<Lems><Target component="sim"/>
<Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
<{kind} id="same" erev="0mV" {_SYNAPSES[kind]}/>
<spikeGenerator id="gen" period="5ms"/>
<iafCell id="iaf" leakReversal="-60mV" thresh="-35mV" reset="-65mV" C="1nF" leakConductance="0.01uS"/>
<network id="net"><population id="in" component="gen" size="1"/><population id="cells" component="iaf" size="1"/>
<projection id="p" presynapticPopulation="in" postsynapticPopulation="cells" synapse="same">
<connection id="0" preCellId="../in[0]" postCellId="../cells[0]"/></projection></network>
<Simulation id="sim" length="20ms" step="0.1ms" target="net"><OutputFile id="out" fileName="v.dat">
<OutputColumn id="v" quantity="cells[0]/v"/></OutputFile></Simulation></Lems>""")
    return read(path)


@pytest.mark.parametrize("kind", _SYNAPSES)
def test_a_run_on_neuron_is_refused(tmp_path: Path, kind: str) -> None:
    document = _document(tmp_path, kind)
    with pytest.raises(GraphError) as caught:
        load_runner(BACKENDS["neuron"].runner).lower(document.network, document.plan, Report())
    stated = f"{_DECAY[kind]} = 2, tauRise = 2"
    expected = f"{_FIXED[kind]} of this {kind}, which follows from {stated}, is not a number"
    assert (caught.value.message, caught.value.where) == (expected, "components/same")
    assert "0.9999" in caught.value.hint


def test_no_mechanism_is_written_of_it(tmp_path: Path) -> None:
    report = Report()
    write_nmodl(_document(tmp_path, "expTwoSynapse"), tmp_path / "out", report)
    (issue,) = [issue for issue in report if issue.code == "synapse"]
    assert (issue.where, issue.examples) == ("synapses/same", ["same"])
    assert "peakTime of this expTwoSynapse" in issue.message
    assert not list((tmp_path / "out").glob("same*"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("java") is None or find_spec("pyneuroml") is None, reason="needs Java and pyNeuroML")
def test_jlems_ends_with_an_error_at_the_first_event(tmp_path: Path) -> None:
    """What is written as NeuroML is what was read, and it says so itself."""
    document = _document(tmp_path, "expTwoSynapse")
    with pytest.raises(SimulationFailed) as caught:
        simulate(document.network, document.plan, "jneuroml")
    assert "peakTime = NaN" in str(caught.value)
