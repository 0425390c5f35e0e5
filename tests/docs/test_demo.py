"""`make demo`, as a newcomer runs it, into a folder of the test's."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def loaded() -> ModuleType:
    """demo.py as a module."""
    spec = importlib.util.spec_from_file_location("demo", ROOT / "demo.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "demo.py", folder]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.slow
def test_demo_leaves_what_it_says(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    folder = tmp_path / "out"
    done = demo(folder)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (folder / "synfire.png").stat().st_size > 10_000
    assert list((folder / "synfire_neuroml").glob("LEMS_*.xml"))
    assert (folder / "synfire_allen/circuit_config.json").exists()
    assert (folder / "synfire_obi/circuit_config.json").exists()
    assert not (folder / "mixed_strict").exists()
    assert {"pair_v.dat", "pair_gates.dat", "pair.spikes"} <= {path.name for path in (folder / "run_neuroml").iterdir()}
    losses = json.loads((folder / "mixed_losses.json").read_text())["issues"]
    lost = " ".join(str(issue) for issue in losses if issue["kind"] == "LOST")
    assert all(channel in lost for channel in ("NaTs", "Kv3_1", "Ih")), "channels are lost by name"


def test_its_own_folder_is_made_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made, folder = loaded(), tmp_path / "out"
    monkeypatch.setattr(
        made, "STEPS", [("", "pynn-convert fixtures/mixed/circuit_config.json demo_output/one --to swc", 0)]
    )
    monkeypatch.setattr(sys, "argv", ["demo.py", str(folder)])
    for _ in range(2):
        assert made.main() == 0
        assert {path.name for path in folder.iterdir()} == {"one", made.MARK}
        (folder / "one").rename(folder / "two")


def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all there is")
    done = demo(tmp_path)
    assert done.returncode == 5
    assert (tmp_path / "thesis.txt").read_text() == "all there is"


def test_steps_on_a_simulator_that_is_not_here_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    made = loaded()
    monkeypatch.setattr(made, "find_spec", lambda name: name == "neuron")
    monkeypatch.setattr(made.shutil, "which", lambda name: None)
    lines = [line for _, line, _ in made.STEPS]
    found = {line.split()[0]: made.missing(line) for line in lines if line.startswith(("pynn-run", "pynn-convert"))}
    assert found == {"pynn-convert": "", "pynn-run": "a C++ compiler for NEURON's mechanisms (Debian: apt install g++)"}
    assert "NEST" in made.missing(next(line for line in lines if "--backend nest" in line))
