"""`pynn-run` on fake backends, in a folder of its own."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.commands.circuits import command, environment, write_circuit, write_simulation

ROOT = Path(__file__).resolve().parents[2]
FAKES = ("well", "again", "later", "silent", "loses", "raises", "exits", "crashes", "hangs", "absent", "records")


@pytest.fixture(scope="session")
def fakes(tmp_path_factory):
    """The environment in which fake backends are installed, as another package would bring them: by entry points."""
    folder = tmp_path_factory.mktemp("installed")
    info = folder / "pynn_io_fakes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pynn_io_fakes\nVersion: 1.0\n")
    lines = [f"{name} = tests.running.fake:{name}" for name in FAKES]
    (info / "entry_points.txt").write_text("\n".join(["[pynn_io.backends]", *lines, ""]))
    paths = [str(folder), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**environment(), "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.fixture
def run(fakes, tmp_path):
    """Runs `pynn-run` in the folder ``work``, with the run's own files in ``temporary``."""
    for name in ("work", "temporary"):
        (tmp_path / name).mkdir()
    fakes = {**fakes, "TMPDIR": str(tmp_path / "temporary"), "FAKE_MARK": str(tmp_path / "mark")}

    def start(*arguments, **options):
        return subprocess.run(
            command("pynn-run", *arguments),
            cwd=tmp_path / "work",
            env=fakes,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **options,
        )

    start.environment = fakes
    start.folder = tmp_path / "work"
    return start


@pytest.fixture
def config(tmp_path):
    write_circuit(tmp_path / "circuit")
    return write_simulation(tmp_path / "circuit")
