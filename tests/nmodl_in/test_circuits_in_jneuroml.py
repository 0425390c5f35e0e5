"""Biophysical SONATA circuits as NeuroML in jNeuroML's code for NEURON: the spikes of the SONATA run."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.pipeline import convert, read
from pynn_io.report import Report
from pynn_io.results.results import Results
from pynn_io.simulate import simulate
from tests.neuroml_out.nml_tools import data

pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")
pytest.importorskip("neuron", reason="jNeuroML writes code for NEURON")
bmtk = pytest.importorskip("bmtk", reason="BMTK ships the mechanisms of the Allen Institute")
MECHANISMS = Path(bmtk.__file__).parent / "utils/scripts/bionet/mechanisms/modfiles"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("java") is None or find_spec("pyneuroml") is None, reason="needs Java and pyNeuroML"
    ),
]


def _run(document: Document, backend: str, report: Report | None = None, **options: str) -> Results:
    assert document.plan is not None
    return simulate(document.network, document.plan, backend, report=report, mechanisms=[MECHANISMS], **options)


@pytest.mark.parametrize(
    ("config", "population", "counts"),
    [
        ("bio_1cell/config.simulation_iclamp.json", "biocell", [20]),
        ("bio_1cell/config.simulation_syns.json", "biocell", [39]),
        ("5_cells_iclamp/config.json", "biophysical", [50, 28, 23, 20, 3]),
    ],
)
def test_jneuromls_code_has_the_spikes_of_the_sonata_run(config: str, population: str, counts: list[int]) -> None:
    """At the circuit's own 0.1 ms, with the gates stepped as NEURON's are: as many, within two steps."""
    document = read(data("sonata") / config)
    ours, theirs = _run(document, "neuron"), _run(document, "jneuroml")
    assert theirs.provenance["engine"] == "neuron-cnexp"
    assert "Euler forward method" not in {each["name"] for each in theirs.provenance["algorithms"]}
    (trace,) = theirs.traces
    assert trace.section_ids is not None and trace.section_ids.tolist() == [0] * len(counts)
    for cell, count in enumerate(counts):
        a, b = (
            np.sort(each.spikes[population].times[each.spikes[population].node_ids == cell]) for each in (ours, theirs)
        )
        assert len(a) == len(b) == count
        np.testing.assert_allclose(b, a, rtol=0, atol=0.2 + 1e-6)


def test_jneuromls_own_steps_are_eulers_and_are_reported(tmp_path: Path) -> None:
    """Converted, and run as NeuroML: gates faster than the step overshoot, and there are 23 spikes for 20."""
    config = data("sonata/bio_1cell") / "config.simulation_iclamp.json"
    folder = convert(config, tmp_path / "out", to="neuroml", mechanisms=[MECHANISMS]).dest
    assert folder is not None
    document = read(next(folder.glob("LEMS_*.xml")))
    report = Report()
    assert len(_run(document, "jneuroml", report).spikes["biocell"].times) == 23
    issue = next(issue for issue in report if issue.code == "explicit-euler")
    assert {"NaTs", "CaDynamics_702538"} <= set(issue.examples) and "--engine neuron-cnexp" in issue.message
    assert len(_run(document, "jneuroml", engine="neuron-cnexp").spikes["biocell"].times) == 20
