"""Mechanisms: found, named when missing, compiled once, and what happens when they are broken or there twice."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io.errors import MissingPart, PlanError, RunError
from pynn_io.graph import CableCell, Column, Network, PointCell, Population, Table, text_column
from pynn_io.graph.biophysics import ChannelDensity, Opaque, Paint
from pynn_io.progress import quiet
from pynn_io.report import Report
from pynn_io.runners.neuron import compiler
from pynn_io.runners.neuron.mechanisms import mechanism_name, mod_files
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.models import ball_and_stick

pytest.importorskip("neuron", reason="NEURON is not installed")

#: A leak of our own.
LEAK = """
NEURON {
    SUFFIX NAME
    NONSPECIFIC_CURRENT i
    RANGE g, e
}
PARAMETER {
    g = 0.001 (siemens/cm2)
    e = -65 (millivolt)
}
ASSIGNED {
    v (millivolt)
    i (milliamp/cm2)
}
BREAKPOINT { i = g * (v - e) }
"""
PLAN = SimulationPlan(duration=1.0, timestep=0.1, celsius=34.0, v_init=-70.0, section_length=20.0, spike_threshold=0.0)


def write(folder: Path, name: str, text: str = LEAK) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.mod"
    path.write_text(text.replace("NAME", name))
    return path


def network(*channels: str) -> Network:
    """One cell with these channels."""
    cell = CableCell("ball_and_stick", tuple(Paint("all", ChannelDensity(name, 0.1)) for name in channels))
    types = Table(1, {"cell": text_column(["thick"])})
    return Network(
        populations={"cortex": Population("cortex", 1, types)},
        cells={"thick": cell},
        channels={name: Opaque("nmodl", name) for name in channels},
        morphologies={"ball_and_stick": ball_and_stick()},
    )


def test_the_name_is_that_of_the_neuron_block(tmp_path: Path) -> None:
    text = "COMMENT\nSUFFIX wrong\nENDCOMMENT\n: SUFFIX too\nNEURON { \n  POINT_PROCESS Right\n}\n"
    assert mechanism_name(write(tmp_path, "file", text)) == "Right"
    assert mechanism_name(write(tmp_path, "bare", "NEURON { }")) == "bare"


def test_a_folder_and_its_modfiles_are_looked_through_and_the_first_stands(tmp_path: Path) -> None:
    one = write(tmp_path / "one", "leak")
    write(tmp_path / "two" / "modfiles", "leak", LEAK.replace("-65", "-60"))
    other = write(tmp_path / "two" / "modfiles", "other")
    report = Report()
    assert mod_files([tmp_path / "one", tmp_path / "two", tmp_path / "nowhere"], report) == {
        "leak": one,
        "other": other,
    }
    assert [issue.code for issue in report] == ["duplicate-mechanism"]


def test_two_files_that_are_the_same_are_no_issue(tmp_path: Path) -> None:
    write(tmp_path / "one", "leak")
    write(tmp_path / "two", "leak")
    report = Report()
    mod_files([tmp_path / "one", tmp_path / "two"], report)
    assert not list(report)


def test_what_is_missing_is_named_with_the_cells_that_need_it(tmp_path: Path) -> None:
    write(tmp_path, "leak")
    with pytest.raises(MissingPart) as caught:
        simulate(network("leak", "Ghost"), PLAN, "neuron", mechanisms=[tmp_path])
    assert "Ghost: needed by cortex (thick)" in str(caught.value)
    assert "leak:" not in str(caught.value)
    assert caught.value.exit_status == 7
    assert "--mechanisms" in caught.value.hint


def test_a_mechanism_that_does_not_compile_says_where(tmp_path: Path) -> None:
    write(tmp_path, "leak", LEAK.replace("BREAKPOINT {", "BREAKPOINT { nonsense nonsense"))
    with pytest.raises(RunError) as caught:
        simulate(network("leak"), PLAN, "neuron", mechanisms=[tmp_path])
    text = str(caught.value)
    assert "leak.mod" in text and "line" in text
    assert "nonsense" in text
    assert "Traceback" not in text


def test_a_broken_file_that_nobody_needs_does_not_matter(tmp_path: Path) -> None:
    write(tmp_path, "leak", LEAK.replace("-65", "-64"))  # of no other test, which may have compiled it
    write(tmp_path, "broken", "NEURON { SUFFIX broken")
    said: list[str] = []
    results = simulate(
        network("leak"),
        PLAN,
        "neuron",
        mechanisms=[tmp_path],
        progress=lambda what, done, total: said.append(what),
    )
    assert results.nodes["cortex"].tolist() == [0]
    assert "compiling mechanisms" in said
    again: list[str] = []
    simulate(
        network("leak"), PLAN, "neuron", mechanisms=[tmp_path], progress=lambda what, done, total: again.append(what)
    )
    assert "compiling mechanisms" not in again


def test_a_file_of_a_mechanism_that_neuron_has_is_left_alone(tmp_path: Path) -> None:
    """Loading a second ``pas`` would end the process."""
    write(tmp_path, "pas")
    write(tmp_path, "leak")
    results = simulate(network("pas", "leak"), PLAN, "neuron", mechanisms=[tmp_path])
    assert results.nodes["cortex"].tolist() == [0]


def test_another_content_or_option_is_another_library(tmp_path: Path) -> None:
    from pynn_io.runners.neuron.compiler import _key

    path = write(tmp_path, "leak")
    keys = {_key([path], ()), _key([path], ("-coreneuron",))}
    write(tmp_path, "leak", LEAK.replace("-65", "-66"))
    keys.add(_key([path], ()))
    assert len(keys) == 3


def test_another_content_of_an_included_file_is_another_library(tmp_path: Path) -> None:
    """A library of the old one would go on to run, in silence."""
    text = LEAK.replace("PARAMETER {", 'INCLUDE "rest.inc"\nPARAMETER {')
    assert text != LEAK
    write(tmp_path, "leak", text)
    sources, found = [tmp_path / "leak.mod"], []
    for unit in ("uS", "nS"):
        (tmp_path / "rest.inc").write_text(f"UNITS {{ ({unit}) = (siemens) }}\n")
        found.append(compiler._key(sources, ()))
    assert found[0] != found[1]
    (tmp_path / "rest.inc").write_text("UNITS { (uS) = (siemens) }\n")
    assert compiler._key(sources, ()) == found[0]


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYNN_IO_CACHE", str(tmp_path))
    assert compiler.cache_folder() == tmp_path
    monkeypatch.delenv("PYNN_IO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    if sys.platform != "darwin":
        assert compiler.cache_folder() == tmp_path / "xdg" / "pynn_io"


def test_a_cache_that_cannot_be_written_is_a_typed_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PYNN_IO_CACHE", str(tmp_path / "file"))
    with pytest.raises(RunError, match="cannot compile") as caught:
        compiler.compiled([write(tmp_path / "mod", "leak")], quiet)
    assert "PYNN_IO_CACHE" in caught.value.hint


@pytest.mark.slow
def test_two_processes_may_compile_the_same_at_one_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write(tmp_path / "mod", "leak")
    monkeypatch.setenv("PYNN_IO_CACHE", str(tmp_path / "cache"))
    code = (
        "import sys; from pathlib import Path; from pynn_io.progress import quiet;"
        "from pynn_io.runners.neuron.compiler import compiled; print(compiled([Path(sys.argv[1])], quiet))"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = {child.communicate(timeout=120)[0].strip().splitlines()[-1] for child in children}
    assert [child.returncode for child in children] == [0, 0]
    (library,) = said
    assert Path(library).is_file()
    assert len(list((tmp_path / "cache" / "mechanisms").iterdir())) == 1


@pytest.mark.slow
def test_what_one_library_compiled_is_not_compiled_again_for_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """NEURON writes the folder that it compiles in, which is never the same twice, into its code."""
    monkeypatch.setenv("PYNN_IO_CACHE", str(tmp_path / "cache"))
    leak, other = write(tmp_path, "leak"), write(tmp_path, "other")
    first = compiler.compiled([leak, other], quiet)
    write(tmp_path, "leak", LEAK.replace("-65", "-66"))
    second = compiler.compiled([leak, other], quiet)
    assert second.with_name("other.cpp").read_bytes() == first.with_name("other.cpp").read_bytes()
    assert second.with_name("leak.cpp").read_bytes() != first.with_name("leak.cpp").read_bytes()
    code = "from neuron import h; import sys; h.nrn_load_dll(sys.argv[1]); s = h.Section()\n"
    code += "for name in ('leak', 'other'): s.insert(name); print(getattr(s(0.5), name).e)"
    done = subprocess.run([sys.executable, "-c", code, str(second)], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == ["-66.0", "-65.0"]


def test_mechanisms_that_lie_in_the_working_folder_are_not_loaded(tmp_path: Path) -> None:
    """NEURON itself would load ``x86_64/libnrnmech.so`` unasked."""
    library = compiler.compiled([write(tmp_path / "mod", "leak")], quiet)
    shutil.copytree(library.parent, tmp_path / library.parent.name)
    code = "from pynn_io.runners.neuron.start import interpreter; h = interpreter(); print("
    code += "'leak' in __import__('pynn_io.runners.neuron.mechanisms', fromlist=['x']).names_of(h))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1].endswith("False")


def test_an_artificial_cell_by_its_name_and_parameters_it_does_not_have(tmp_path: Path) -> None:
    cell = PointCell("nrn:IntFire2", {"taum": 10.0, "taus": 20.0, "ib": 1.5, "nonsense": 3.0})
    types = Table(1, {"cell": text_column(["fast"])})
    point = Network(populations={"p": Population("p", 3, types, Column(0))}, cells={"fast": cell})
    report = Report()
    results = simulate(point, replace(PLAN, duration=100.0), "neuron", report=report)
    # with a constant input above threshold all three fire alike, again and again
    ids, counts = np.unique(results.spikes["p"].node_ids, return_counts=True)
    assert ids.tolist() == [0, 1, 2]
    assert counts.min() == counts.max() > 0
    assert "unknown-parameter" in report.codes()


def test_an_interrupted_compilation_leaves_nothing(tmp_path: Path) -> None:
    """An interrupted run sends SIGTERM to its processes, here while the compiler works."""
    code = (
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from pynn_io.progress import quiet\n"
        "from pynn_io.runners.neuron import compiler\n"
        "def compile(build, *_):\n"
        "    assert (build / 'mod' / 'Leak.mod').is_file()\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(10)\n"
        "compiler._compile = compile\n"
        "compiler.compiled([Path(sys.argv[1])], quiet)\n"
    )
    path, cache = write(tmp_path / "mod", "Leak"), tmp_path / "cache"
    environment = {**os.environ, compiler.CACHE_VARIABLE: str(cache)}
    done = subprocess.run([sys.executable, "-c", code, path], env=environment, timeout=60, check=False)
    assert done.returncode == 128 + signal.SIGTERM
    assert list((cache / "mechanisms").iterdir()) == []


def test_a_variable_that_points_do_not_have_is_refused_with_those_that_they_have() -> None:
    types = Table(1, {"cell": text_column(["quick"])})
    quick = PointCell("nrn:IntFire1", {"tau": 0.02})
    made = Network(populations={"cortex": Population("cortex", 2, types)}, cells={"quick": quick})
    asked = replace(PLAN, recordings=(Recording("r", "charisma", node_set="cortex"),))
    with pytest.raises(PlanError, match="charisma") as caught:
        simulate(made, asked, "neuron")
    assert caught.value.hint == "IntFire1 has: m, refrac, tau"
