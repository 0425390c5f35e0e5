"""``pynn-run --backend nmpi:...`` from the command line."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from pynn_io.cli.run import main
from pynn_io.document import Document
from pynn_io.pipeline import write
from pynn_io.results.files import read_results
from tests.nmpi.server import TOKEN, Faults, serving
from tests.runners.nets import current_network

pytest.importorskip("nmpi")
pytest.importorskip("pyNN")


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SONATA simulation of 100 ms in the current directory."""
    write(Document(*current_network()), tmp_path / "net", "sonata")
    monkeypatch.chdir(tmp_path)
    return next((tmp_path / "net").glob("simulation_config.json"))


def test_a_job_is_written_and_nothing_sent(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main([str(plan), "--backend", "nmpi:SpiNNaker", "--bundle", "job", "--duration", "50"])
    out, err = capsys.readouterr()
    assert (status, out.strip()) == (0, "job")
    assert "nothing was submitted" in err
    assert {path.name for path in Path("job").iterdir()} == {"run.py", "provenance.json"}
    assert main([str(plan), "--backend", "nmpi:SpiNNaker", "--bundle", "job"]) == 5


@pytest.mark.slow
@pytest.mark.skipif(find_spec("nest") is None, reason="NEST is not installed")
def test_a_job_is_submitted_and_its_results_written(
    plan: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EBRAINS_TOKEN", TOKEN)
    Path("config.json").write_text('{"spynnaker_version": "7"}')
    with serving("nest") as queue:
        monkeypatch.setenv("EBRAINS_JOB_SERVICE", queue.url)
        words = ["--submit", "--collab", "c", "--hardware-config", "config.json", "--duration", "100", "-o", "out"]
        status = main([str(plan), "--backend", "nmpi:SpiNNaker", "--bundle", "job", *words])
    out, err = capsys.readouterr()
    assert (status, out.strip()) == (0, "out"), err
    assert TOKEN not in out + err
    results = read_results(Path("out"))
    assert results.spike_count > 50
    assert json.loads(Path("job/provenance.json").read_text())["digest"]
    assert queue.jobs[0]["hardware_config"] == {"spynnaker_version": "7"}
    assert not any(TOKEN in path.read_text(errors="replace") for path in Path().rglob("*") if path.is_file())


def test_a_refusal_has_its_exit_status(
    plan: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EBRAINS_TOKEN", TOKEN)
    with serving(faults=Faults(refuse=403)) as queue:
        monkeypatch.setenv("EBRAINS_JOB_SERVICE", queue.url)
        words = ["--submit", "--collab", "c", "--duration", "50", "-o", "out"]
        assert main([str(plan), "--backend", "nmpi:SpiNNaker", *words]) == 7
    err = capsys.readouterr().err
    assert "refused: 403" in err
    assert "no quota for this platform" in err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--backend", "nmpi:SpiNNaker"], "--bundle DIR for the job alone, or --submit"),
        (["--backend", "nmpi:SpiNNaker", "--submit"], "--submit needs --collab ID"),
        (["--backend", "nmpi:SpiNNaker", "--submit", "--job", "/jobs/1"], "--submit submits anew"),
        (["--backend", "nmpi:SpiNNaker", "--bundle", "x", "-o", "y"], "without --submit there are none"),
        (["--backend", "nest", "--bundle", "x"], "--bundle is for --backend nmpi:PLATFORM"),
        (["--backend", "nmpi:Spinaker", "--bundle", "x"], "is no platform of the EBRAINS queue"),
    ],
)
def test_wrong_usage(words: list[str], text: str, plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(plan), *words]) == 2
    assert text in " ".join(capsys.readouterr().err.split())


def test_a_config_that_is_no_object(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.json").write_text("[1]")
    words = ["--bundle", "x", "--hardware-config", "config.json"]
    assert main([str(plan), "--backend", "nmpi:SpiNNaker", *words]) == 2
    assert "a JSON object is wanted" in capsys.readouterr().err
