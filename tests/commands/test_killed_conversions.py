"""Conversions that are interrupted, killed, or run out of disk: no target stands there half-written."""

import os
import resource
import signal
import subprocess
import time

import pytest

from pynn_io.staging import STAGING
from tests.commands.circuits import big_edges, command, environment, run, tree, write_circuit

#: Enough for a write that takes long enough to be stopped.
EDGES = 2_000_000


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    return write_circuit(tmp_path_factory.mktemp("big"), edges=big_edges(EDGES))


def stop_while_writing(config, folder, number):
    """Start a conversion, send the signal as soon as the writer has begun. Gives the finished process."""
    process = subprocess.Popen(
        command("pynn-convert", config, "out", "--to", "sonata+allen"),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    deadline = time.monotonic() + 60
    while not any(path.is_file() and path.stat().st_size for path in folder.rglob("*")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, error)


@pytest.mark.parametrize("attempt", range(4))
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_leaves_nothing(tmp_path, big, number, status, attempt):
    """Tried several times: one signal in four met h5py's weak references, where exceptions are only printed."""
    done = stop_while_writing(big, tmp_path, number)
    assert (done.returncode, done.stdout) == (status, "")
    assert "Traceback" not in done.stderr
    assert tree(tmp_path) == []


def test_an_interruption_that_compiled_code_turned_into_an_error_is_one(capsys):
    from pynn_io.cli.common import Stopped
    from pynn_io.cli.common import run as run_body

    def body() -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except Stopped as error:
            raise RuntimeError("error return without exception set") from error
        return 0

    assert run_body("pynn-convert", body) == 130
    assert capsys.readouterr().err == "pynn-convert: interrupted\n"


def test_killed_leaves_no_target(tmp_path, big):
    done = stop_while_writing(big, tmp_path, signal.SIGKILL)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    left = list(tmp_path.iterdir())
    assert all(path.name.startswith(".out-") and path.name.endswith(STAGING) for path in left)


@pytest.mark.parametrize("to", ["sonata+allen", "sonata+obi", "neuroml", "neuroml+hdf5", "nix"])
def test_a_full_disk_is_a_write_error(tmp_path, to):
    """A file-size limit stands for the full disk: the system refuses to write on, with the signal ignored."""
    config = write_circuit(tmp_path / "circuit", edges=big_edges(50_000))
    (tmp_path / "work").mkdir()

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = run("pynn-convert", config, "out", "--to", to, cwd=tmp_path / "work", preexec_fn=limit)
    assert (done.returncode, done.stdout) == (5, ""), done.stderr
    assert done.stderr.startswith("pynn-convert: error: ") and "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert tree(tmp_path / "work") == []


def test_a_folder_without_permission_is_a_write_error(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    (tmp_path / "file").write_text("not a folder")
    done = run("pynn-convert", config, "file/out", "--to", "sonata+allen", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (5, "")
    assert "Traceback" not in done.stderr
