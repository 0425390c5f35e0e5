"""jNeuroML as a backend: networks of other formats run on it, and come back under their own names."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.errors import BackendUnavailable, FormatError
from pynn_io.pipeline import read
from pynn_io.progress import quiet
from pynn_io.runners.cache import CACHE_VARIABLE
from pynn_io.runners.jneuroml import run as jneuroml
from pynn_io.simulate import simulate

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.mark.skipif(shutil.which("java") is None or find_spec("pyneuroml") is None, reason="needs Java and pyNeuroML")
@pytest.mark.slow
def test_a_sonata_network_converges_to_nest_as_the_step_shrinks() -> None:
    """jLEMS integrates by forward Euler: its error is of the order of the step, and NEST's is not."""
    pytest.importorskip("nest")
    document = read(FIXTURES / "synfire" / "simulation_config.json")
    exact = _times(document, "nest", 0.01)
    errors = []
    for step in (0.1, 0.01):
        found = _times(document, "jneuroml", step)
        assert found.keys() == exact.keys()
        errors.append(max(np.abs(np.subtract(found[cell], exact[cell])).max() for cell in exact))
    assert errors[1] < errors[0] / 5
    assert errors[1] < 0.3


def _times(document: Document, backend: str, step: float) -> dict[tuple[str, int], list[float]]:
    """Spike times by cell; as many of each cell on every backend, or subtracting them fails."""
    results = simulate(document.network, document.plan, backend, timestep=step)
    found: dict[tuple[str, int], list[float]] = {}
    for name, spikes in results.spikes.items():
        for cell, time in zip(spikes.node_ids.tolist(), spikes.times.tolist(), strict=True):
            found.setdefault((name, cell), []).append(time)
    return found


def test_an_unknown_engine_is_refused() -> None:
    document = read(FIXTURES / "synfire" / "simulation_config.json")
    with pytest.raises(FormatError, match="no option 'motor'"):
        simulate(document.network, document.plan, "jneuroml", motor="v8")


def test_the_engine_is_chosen_by_the_cells() -> None:
    """jLEMS refuses cells of more than one segment."""
    points = read(FIXTURES / "synfire" / "simulation_config.json").network
    assert jneuroml.choose_engine(points) == ("jlems", "all cells are of one compartment")
    branched = read(FIXTURES / "neuroml" / "LEMS_pair.xml").network
    engine, why = jneuroml.choose_engine(branched)
    assert (engine, why.split(",")[0]) == ("neuron", "the cell pyramid has more than one segment")


def test_without_java_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BackendUnavailable, match="needs Java") as caught:
        jneuroml._java()
    assert "install Java 17" in caught.value.hint


def test_a_stated_jar_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(jneuroml.JAR_VARIABLE, "/nowhere/jNeuroML.jar")
    with pytest.raises(BackendUnavailable, match="there is no file"):
        jneuroml._jar()


def test_what_jneuroml_writes_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("neuron")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "leak.mod").write_text(
            "NEURON { SUFFIX leak\nNONSPECIFIC_CURRENT i }\nASSIGNED { i }\nBREAKPOINT { i = 0 }\n"
        )
        jneuroml._compile(folder, quiet)
        assert next(folder.glob("*/libnrnmech.*")).is_file()
    links = [path for name in ("first", "second") for path in (tmp_path / name).iterdir() if path.is_symlink()]
    places = {link.resolve() for link in links}
    assert len(links) == 2
    assert len(places) == 1 and places.pop().is_relative_to(tmp_path / "cache")


def test_without_neuron_its_engine_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jneuroml, "find_spec", lambda name: None)
    with pytest.raises(BackendUnavailable, match="code for NEURON") as caught:
        jneuroml._compile(tmp_path, quiet)
    assert "pynn_io[neuron]" in caught.value.hint
