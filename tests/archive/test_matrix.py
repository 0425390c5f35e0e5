"""The matrix of runs: fresh copies, limits, what is kept, and what happens to the others when one goes wrong.

On backends without a simulator (`tests.running.fake`), which the processes of the runs find as an installed package's.
"""

import json
import os
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pynn_io import registry
from pynn_io.archive import offline
from pynn_io.archive.container import opened
from pynn_io.archive.entries import find_entries
from pynn_io.archive.inputs import inputs_of
from pynn_io.archive.matrix import Options, backends_of, is_native, run_matrix, split_backend
from pynn_io.archive.process import Limits, run_limited
from pynn_io.archive.task import CELLS, read_outcome
from pynn_io.archive.values import Kind, Verdict
from pynn_io.errors import FormatError
from pynn_io.report import Report
from tests.commands.circuits import tree, write_circuit, write_simulation
from tests.running import fake


@pytest.fixture
def backends(fakes, monkeypatch):
    """Fake backends here and in every child."""
    for name in ("well", "silent", "raises", "hangs", "crashes"):
        monkeypatch.setitem(registry.BACKENDS, name, getattr(fake, name))
    for path in fakes["PYTHONPATH"].split(os.pathsep)[:2]:
        monkeypatch.syspath_prepend(path)


@pytest.fixture
def circuit(tmp_path):
    write_circuit(tmp_path / "circuit")
    write_simulation(tmp_path / "circuit")
    return tmp_path / "circuit"


_SERVERS = []


def open_port():
    """Of a server here, that lives as long as the tests."""
    server = socket.create_server(("127.0.0.1", 0))
    _SERVERS.append(server)
    return server.getsockname()[1]


def reproduce(source, folder, **options):
    folder.mkdir(exist_ok=True)
    report = Report()
    with opened(source, report) as container:
        entries = find_entries(container, report)
        return list(run_matrix(container, entries, Options(**options), folder))


def test_entries_on_backends(backends, circuit, tmp_path):
    before = {path: (circuit / path).read_bytes() for path in tree(circuit) if (circuit / path).is_file()}
    found = reproduce(circuit, tmp_path / "out", backends=("well", "raises", "silent"), jobs=3)
    verdicts = {cell.backend: cell.verdict for cell in found}
    assert verdicts == {
        "well": Verdict.NO_EXPECTATION,
        "silent": Verdict.NOT_COMPARABLE,  # nothing was published of it, and it yields nothing
        "raises": Verdict.CANNOT_RUN,
    }
    assert before == {path: (circuit / path).read_bytes() for path in before}
    well = next(cell for cell in found if cell.backend == "well")
    assert (well.folder / "results/spikes.h5").is_file()
    # The copy of the inputs is gone, their sums are known.
    assert not (well.folder / "inputs").exists()
    assert set(well.outcome["inputs"]) == {path.as_posix() for path in inputs_of(well.entry.path, Kind.SONATA).files}


def test_what_is_finished_is_kept_and_what_changed_is_run_again(backends, circuit, tmp_path):
    first = reproduce(circuit, tmp_path / "out", backends=("well",))
    again = reproduce(circuit, tmp_path / "out", backends=("well",))
    assert [cell.reused for cell in (*first, *again)] == [False, True]
    assert again[0].folder == first[0].folder
    other = reproduce(circuit, tmp_path / "out", backends=("well",), seed=3)
    assert (other[0].reused, other[0].folder == first[0].folder) == (False, False)
    config = circuit / "simulation_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "run": {"tstop": 50.0, "dt": 0.1}}))
    changed = reproduce(circuit, tmp_path / "out", backends=("well",))
    assert (changed[0].reused, changed[0].folder == first[0].folder) == (False, False)


def test_the_same_files_elsewhere_are_the_same_run(backends, circuit, tmp_path):
    first = reproduce(circuit, tmp_path / "out", backends=("well",))
    moved = circuit.rename(tmp_path / "moved")
    assert reproduce(moved, tmp_path / "out", backends=("well",))[0].folder == first[0].folder


def test_a_run_that_takes_too_long(backends, circuit, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_MARK", str(tmp_path / "mark"))
    started = time.monotonic()
    (cell,) = reproduce(circuit, tmp_path / "out", backends=("hangs",), limits=Limits(seconds=15))
    assert time.monotonic() - started < 60
    assert cell.verdict == Verdict.TIMED_OUT
    assert "stopped after 15 s" in cell.outcome["error"]["text"]
    pid = int((tmp_path / "mark").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not [path for path in (tmp_path / "out" / CELLS).iterdir() if path.name.startswith(".")]


def test_failures_that_may_pass_are_run_again(backends, circuit, tmp_path):
    limits = Limits(seconds=0.3)
    for _ in range(2):
        (cell,) = reproduce(circuit, tmp_path / "out", backends=("well",), limits=limits)
        assert (cell.verdict, cell.reused) == (Verdict.TIMED_OUT, False)
    (cell,) = reproduce(circuit, tmp_path / "out", backends=("well",))
    assert (cell.verdict, cell.reused) == (Verdict.NO_EXPECTATION, False)


def test_too_much_memory(tmp_path):
    code = "import time; block = bytearray(400 * 2**20); block[::4096] = b'x' * len(block[::4096]); time.sleep(60)"
    limits = Limits(memory=200 * 2**20)
    ended = run_limited(["python3", "-c", code], tmp_path, tmp_path / "log", limits, threading.Event())
    assert ended.stopped == "memory"
    assert ended.memory > 200 * 2**20


def test_nothing_is_left_of_a_process_and_its_children(tmp_path):
    code = (
        "import subprocess, pathlib, time\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "pathlib.Path('child').write_text(str(child.pid))\n"
        "time.sleep(600)"
    )
    ended = run_limited(["python3", "-c", code], tmp_path, tmp_path / "log", Limits(seconds=5), threading.Event())
    assert ended.stopped == "time"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "child").read_text()), 0)


def test_two_calls_at_once_on_one_folder(backends, circuit, tmp_path):
    (tmp_path / "out").mkdir()
    found = []
    calls = [
        threading.Thread(target=lambda: found.extend(reproduce(circuit, tmp_path / "out", backends=("well",))))
        for _ in range(3)
    ]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert [cell.verdict for cell in found] == [Verdict.NO_EXPECTATION] * 3
    assert [path.name for path in (tmp_path / "out" / CELLS).iterdir()] == [found[0].folder.name]
    assert (found[0].folder / "results/spikes.h5").is_file()


def test_an_unknown_backend_is_refused_before_anything_runs(circuit, tmp_path):
    with pytest.raises(FormatError, match="unknown backend 'nets'"):
        reproduce(circuit, tmp_path / "out", backends=("nets",))
    assert tree(tmp_path / "out") == [CELLS]


def test_backends_of_tests(data):
    report = Report()
    with opened(data / "archives/FitzHugh-Nagumo", report) as container:
        (entry,) = find_entries(container, report)
    assert backends_of(entry, Options()) == ("jneuroml:jlems", "jneuroml:neuron")
    assert backends_of(entry, Options(backends=("neuron",))) == ("neuron",)
    assert backends_of(replace(entry, expectations=()), Options()) == ("auto",)


def test_engines_of_jneuroml_are_named_with_it():
    assert split_backend("jneuroml:neuron") == ("jneuroml", {"engine": "neuron"})
    assert split_backend("pynn:nest") == ("pynn:nest", {})


def test_a_report_in_the_folder_of_a_script_is_no_input_of_it(tmp_path):
    for name in ("network.py", "data/table.dat", "out/report.html", "out/cells/0123/task.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    inputs = inputs_of(tmp_path / "network.py", Kind.PYNN)
    assert [path.as_posix() for path in inputs.files] == ["data/table.dat", "network.py"]


def test_inputs_lie_where_the_entry_says(tmp_path):
    write_circuit(tmp_path / "a/circuit")
    (tmp_path / "a/circuit/components").rename(tmp_path / "shared")
    config = tmp_path / "a/circuit/circuit_config.json"
    config.write_text(config.read_text().replace("$DIR/components", "../../shared"))
    inputs = inputs_of(write_simulation(tmp_path / "a/circuit"), Kind.SONATA)
    assert inputs.base == tmp_path
    assert inputs.entry == Path("a/circuit/simulation_config.json")
    copy = inputs.copy(tmp_path / "copy")
    assert copy == tmp_path / "copy/a/circuit/simulation_config.json"
    assert (tmp_path / "copy/shared/cells/exc.json").is_file()


def test_a_backend_that_only_the_archive_names_is_never_imported(circuit, tmp_path, monkeypatch):
    (tmp_path / "trap.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')")
    monkeypatch.syspath_prepend(tmp_path)
    with opened(circuit, Report()) as container:
        (entry,) = find_entries(container, Report())
        entry = replace(entry, backends=("pynn:trap", "nmpi:SpiNNaker", "nets"))
        (tmp_path / "out").mkdir()
        found = list(run_matrix(container, [entry], Options(), tmp_path / "out"))
    assert [cell.verdict for cell in found] == [Verdict.CANNOT_RUN] * 3
    assert {cell.outcome["error"]["kind"] for cell in found} == {"UnsafeArchive"}
    texts = {cell.backend: cell.outcome["error"]["text"] for cell in found}
    assert "the archive asks for the backend pynn:trap" in texts["pynn:trap"]
    assert not (tmp_path / "sprung").exists()


def test_other_seeds_are_others_than_that_of_the_run_itself(backends, circuit, tmp_path):
    (cell,) = reproduce(circuit, tmp_path / "out", backends=("well",), seed=3, seeds=2, jobs=2)
    assert cell.outcome["other_seeds"] == [4, 5]
    tasks = [json.loads(path.read_text()) for path in (tmp_path / "out" / CELLS).glob("*/task.json")]
    assert sorted(task["seed"] for task in tasks) == [3, 4, 5]


@pytest.mark.parametrize(
    ("kind", "provenance", "native"),
    [
        (Kind.LEMS, {"backend": "jneuroml", "engine": "jlems", "engine_chosen": "asked for"}, True),
        (Kind.LEMS, {"backend": "jneuroml", "engine": "neuron", "engine_chosen": "a cell has a morphology"}, True),
        # It integrates otherwise than what made the results of a cell of one compartment.
        (Kind.SEDML, {"backend": "jneuroml", "engine": "neuron", "engine_chosen": "asked for"}, False),
        (Kind.SEDML, {"backend": "neuron", "engine": "NEURON"}, False),
        (Kind.SONATA, {"backend": "nest", "backend_chosen": "the simulation was written for NEST"}, True),
        (Kind.SONATA, {"backend": "nest", "backend_chosen": "asked for; the simulation was written for X"}, False),
    ],
)
def test_whose_results_are_held_to_the_tighter_tolerance(circuit, kind, provenance, native):
    with opened(circuit, Report()) as container:
        (entry,) = find_entries(container, Report())
    assert is_native(replace(entry, kind=kind), provenance) == native


def test_messages_do_not_name_folders_that_are_gone(backends, circuit, tmp_path):
    nodes = next(circuit.rglob("*.h5"))
    nodes.write_bytes(b"damaged")
    (cell,) = reproduce(circuit, tmp_path / "out", backends=("well",))
    assert cell.verdict == Verdict.CANNOT_RUN
    text = cell.outcome["error"]["text"]
    assert text.startswith(f"{nodes.relative_to(circuit)}:") and str(tmp_path / "out") not in text


def test_a_run_has_no_network_but_itself(tmp_path):
    """Where the system allows that, which the run tells; without it proxies point nowhere."""
    (tmp_path / "tries.py").write_text(
        "import os, socket\n"
        "server = socket.socket()\n"
        "server.bind(('127.0.0.1', 0)); server.listen()\n"
        "socket.create_connection(server.getsockname(), timeout=20)\n"
        f"try: socket.create_connection(('127.0.0.1', {open_port()}), timeout=20)\n"
        "except OSError as error: print(os.environ['PYNN_IO_NETWORK'], os.getuid(), error, sep='|')\n"
        "else: print(os.environ['PYNN_IO_NETWORK'], os.getuid(), '', sep='|')\n"
    )
    command = [sys.executable, "-I", "-S", offline.__file__, sys.executable, str(tmp_path / "tries.py")]
    ended = run_limited(command, tmp_path, tmp_path / "log", Limits(seconds=100), threading.Event())
    assert ended.status == 0, (tmp_path / "log").read_text()
    state, user, error = (tmp_path / "log").read_text().strip().split("|")
    assert int(user) == os.getuid()
    assert state in (offline.CUT_OFF, offline.OPEN)
    # A server of this machine stands for the world: with a network of its own a run does not reach it.
    assert ("refused" in error) == (state == offline.CUT_OFF)


def test_a_failure_does_not_replace_what_another_call_has_finished_meanwhile(backends, circuit, tmp_path, monkeypatch):
    """Two calls run the same; one of them is stopped after the other has finished."""
    (well,) = reproduce(circuit, tmp_path / "out", backends=("well",))
    looked = []

    def not_yet_there(place):  # the first look of the second call, before the first has finished
        looked.append(place)
        return {} if len(looked) == 1 else read_outcome(place)

    monkeypatch.setattr("pynn_io.archive.matrix.read_outcome", not_yet_there)
    (late,) = reproduce(circuit, tmp_path / "out", backends=("well",), limits=Limits(seconds=0.2))
    assert (late.verdict, late.folder) == (Verdict.TIMED_OUT, well.folder)
    monkeypatch.undo()
    assert read_outcome(well.folder)["ran"]
    assert [path.name for path in (tmp_path / "out" / CELLS).iterdir()] == [well.folder.name]
