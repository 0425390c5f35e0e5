"""`pynn-convert` as a user runs it: exit status, stdout, stderr, and what is on disk afterwards."""

import json
import subprocess
import sys

import h5py
import numpy as np
import pytest

from tests.commands.circuits import RECURRENT, command, environment, run, tree, write_circuit, write_simulation


def edges_in(folder, name):
    """Source, target and weight of one edge population in whatever file of ``folder`` holds it, by plain h5py."""
    for path in sorted(folder.rglob("*.h5")):
        with h5py.File(path) as file:
            if f"edges/{name}" in file:
                group = file[f"edges/{name}"]
                weight = next(
                    group["0"][key][:] for key in ("syn_weight", "weight", "conductance") if key in group["0"]
                )
                return group["source_node_id"][:].tolist(), group["target_node_id"][:].tolist(), weight.tolist()
    raise AssertionError(f"no file holds {name}")


def test_a_circuit_is_converted_and_the_path_is_all_of_stdout(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    done = run("pynn-convert", config, "out", "--to", "sonata+allen", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "out\n"
    source, target, weight = edges_in(tmp_path / "out", "cells_to_cells")
    rows = sorted(zip(source, target, weight, strict=True))
    assert rows == sorted(zip(*RECURRENT.values(), strict=True))


def test_the_account_counts_cells_and_edges(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    done = run("pynn-convert", config, "out", "--to", "sonata+allen", cwd=tmp_path)
    assert "2 populations, 6 cells" in done.stderr
    assert "2 projections, 7 edges" in done.stderr
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert f"wrote   out: {len(files)} files" in done.stderr


@pytest.mark.parametrize("option", ["-o", "--output"])
def test_the_destination_as_an_option(tmp_path, option):
    config = write_circuit(tmp_path / "circuit")
    done = run("pynn-convert", config, "--to", "sonata+allen", option, "there", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "there\n")
    assert (tmp_path / "there").is_dir()


def test_the_default_destination_is_named_after_source_and_format(tmp_path):
    config = write_circuit(tmp_path / "synfire")
    (tmp_path / "work").mkdir()
    done = run("pynn-convert", config, "--to", "sonata+obi", cwd=tmp_path / "work")
    assert (done.returncode, done.stdout) == (0, "synfire-sonata-obi\n")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["synfire-sonata-obi"]


def test_a_folder_as_the_source(tmp_path):
    write_circuit(tmp_path / "circuit")
    done = run("pynn-convert", tmp_path / "circuit", "out", "--to", "sonata+allen", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(edges_in(tmp_path / "out", "inputs_to_cells")[0]) == 2


def test_a_simulation_config_as_the_source(tmp_path):
    write_circuit(tmp_path / "circuit")
    config = write_simulation(tmp_path / "circuit")
    done = run("pynn-convert", config, "out", "--to", "sonata+allen", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 input" in done.stderr


def test_quiet_says_nothing_where_nothing_is_lost(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    done = run("pynn-convert", config, "out", "--to", "sonata+allen", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "")


def test_check_writes_nothing(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    before = tree(tmp_path)
    done = run("pynn-convert", config, "out", "--to", "sonata+allen", "--check", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing written" in done.stderr
    assert tree(tmp_path) == before


def test_a_morphology_file(tmp_path):
    rows = ["1 1 0 0 0 5 -1", "2 3 0 5 0 1 1", "3 3 0 105 0 1 2", "4 3 30 105 0 0.5 3"]
    (tmp_path / "fork.swc").write_text("\n".join(rows))
    done = run("pynn-convert", "fork.swc", "copy.swc", "--to", "swc", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "copy.swc\n"), done.stderr
    assert "1 morphology" in done.stderr
    content = np.loadtxt(tmp_path / "copy.swc")
    assert content[-1].tolist()[1:6] == [3, 30, 105, 0, 0.5]
    assert tree(tmp_path) == ["copy.swc", "fork.swc"]


# --- losses -----------------------------------------------------------------------------------------------------------


def lossy(tmp_path):
    """A circuit with an attribute that NeuroML has no place for."""
    return write_circuit(tmp_path / "circuit", extra={"quality": [0.1, 0.2, 0.3, 0.4]})


def test_losses_are_printed_and_reported_as_json(tmp_path):
    done = run("pynn-convert", lossy(tmp_path), "out", "--to", "neuroml", "--report", "losses.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    issues = json.loads((tmp_path / "losses.json").read_text())["issues"]
    about = [issue for issue in issues if "quality" in json.dumps(issue)]
    assert about and about[0]["kind"] == "LOST"
    assert "LOST: " in done.stderr
    assert f"x {about[0]['code']}" in done.stderr
    assert "differs from the source" in done.stderr


def test_strict_refuses_and_writes_nothing_but_the_report(tmp_path):
    config = lossy(tmp_path)
    before = tree(tmp_path)
    done = run("pynn-convert", config, "out", "--to", "neuroml", "--strict", "--report", "losses.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "pynn-convert: error: " in done.stderr and "--allow" in done.stderr
    assert sorted(set(tree(tmp_path)) - set(before)) == ["losses.json"]
    assert any(issue["kind"] == "LOST" for issue in json.loads((tmp_path / "losses.json").read_text())["issues"])


@pytest.mark.parametrize("separate", [True, False])
def test_strict_with_every_code_allowed_writes(tmp_path, separate):
    config = lossy(tmp_path)
    run("pynn-convert", config, "--check", "--to", "neuroml", "--report", "losses.json", cwd=tmp_path)
    issues = json.loads((tmp_path / "losses.json").read_text())["issues"]
    codes = sorted({issue["code"] for issue in issues if issue["kind"] in {"LOST", "APPROXIMATED", "NOT_READ"}})
    assert codes
    allow = [word for code in codes for word in ("--allow", code)] if separate else ["--allow", ", ".join(codes)]
    done = run("pynn-convert", config, "out", "--to", "neuroml", "--strict", *allow, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "out\n"), done.stderr
    assert f"{codes[0]} (allowed)" in done.stderr


def test_a_code_that_excuses_nothing_is_mentioned(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    done = run("pynn-convert", config, "out", "--to", "sonata+allen", "--allow", "mis-spelt", cwd=tmp_path)
    assert done.returncode == 0
    assert "mis-spelt" in done.stderr


def test_quiet_still_says_that_something_is_lost(tmp_path):
    done = run("pynn-convert", lossy(tmp_path), "out", "--to", "neuroml", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "out\n")
    assert len(done.stderr.splitlines()) == 1
    assert "lost" in done.stderr


# --- targets that are in the way --------------------------------------------------------------------------------------


def test_an_existing_target_is_refused(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("do not touch")
    before = tree(tmp_path)
    done = run("pynn-convert", config, "out", "--to", "sonata+allen", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (5, "")
    assert "out: exists already" in done.stderr and "--overwrite" in done.stderr
    assert tree(tmp_path) == before


def test_overwrite_replaces_only_what_it_writes(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    run("pynn-convert", config, "out", "--to", "sonata+allen", cwd=tmp_path)
    written = tree(tmp_path / "out")
    (tmp_path / "out" / "thesis.txt").write_text("do not touch")
    other = write_circuit(tmp_path / "other", edges={**RECURRENT, "weight": [9.0, 8.0, 7.0, 6.0, 5.0]})
    done = run("pynn-convert", other, "out", "--to", "sonata+allen", "--overwrite", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "thesis.txt").read_text() == "do not touch"
    assert tree(tmp_path / "out") == sorted([*written, "thesis.txt"])
    assert sorted(edges_in(tmp_path / "out", "cells_to_cells")[2]) == [5.0, 6.0, 7.0, 8.0, 9.0]


def test_a_report_does_not_replace_the_source(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    content = config.read_bytes()
    done = run("pynn-convert", config, "out", "--to", "sonata+allen", "--report", config, cwd=tmp_path)
    assert done.returncode == 2
    assert config.read_bytes() == content
    assert not (tmp_path / "out").exists()


def test_a_report_does_not_replace_another_file(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    components = tmp_path / "circuit" / "components" / "cells" / "exc.json"
    content = components.read_bytes()
    done = run("pynn-convert", config, "out", "--to", "sonata+allen", "--report", components, cwd=tmp_path)
    assert done.returncode == 5
    assert str(components) in done.stderr
    assert components.read_bytes() == content


def test_a_report_replaces_an_earlier_report(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    said = []
    for target in ("sonata+obi", "neuroml"):
        done = run("pynn-convert", config, target, "--to", target, "--report", "losses.json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        said.append(json.loads((tmp_path / "losses.json").read_text()))
    assert said[0] != said[1]


# --- wrong usage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "SRC and --to FORMAT are needed"),
        (["circuit/circuit_config.json"], "SRC and --to FORMAT are needed"),
        (["circuit/circuit_config.json", "--to", "nwb"], "unknown format 'nwb'"),
        (["circuit/circuit_config.json", "--to", "sonata+blue"], "has no dialect 'blue'"),
        (["circuit/circuit_config.json", "--to", "sonata", "a", "-o", "b"], "two destinations: a and -o b"),
        (["circuit/circuit_config.json", "--to", "sonata", "--report", "nowhere/r.json"], "nowhere/r.json"),
        (["circuit/circuit_config.json", "--to", "sonata", "--colour"], "--colour"),
        (["circuit/cell_types.csv", "--to", "sonata"], "not a format that pynn_io knows"),
    ],
)
def test_wrong_usage(tmp_path, arguments, words):
    write_circuit(tmp_path / "circuit")
    before = tree(tmp_path)
    done = run("pynn-convert", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pynn-convert: error: " in done.stderr and words in done.stderr
    assert "Traceback" not in done.stderr
    assert tree(tmp_path) == before


# --- malformed input --------------------------------------------------------------------------------------------------


def trailing_comma(folder):
    path = folder / "circuit_config.json"
    path.write_text(path.read_text().replace('"target_simulator": "NEST",', '"target_simulator": "NEST",,'))
    return "circuit_config.json"


def truncated(folder):
    path = folder / "recurrent.h5"
    path.write_bytes(path.read_bytes()[:600])
    return "recurrent.h5"


def missing_file(folder):
    (folder / "forward.h5").unlink()
    return "forward.h5"


def odd_csv(folder):
    path = folder / "cell_types.csv"
    path.write_text(path.read_text() + "102 stray\n")
    return "cell_types.csv"


def dangling_type(folder):
    with h5py.File(folder / "cells.h5", "r+") as file:
        file["nodes/cells/node_type_id"][2] = 999
    return "999"


def edge_out_of_range(folder):
    with h5py.File(folder / "recurrent.h5", "r+") as file:
        file["edges/cells_to_cells/target_node_id"][1] = 17
    return "17"


def wrong_magic(folder):
    with h5py.File(folder / "cells.h5", "r+") as file:
        file.attrs["magic"] = np.uint32(0xBAD)
    return "cells.h5"


BREAKAGES = [trailing_comma, truncated, missing_file, odd_csv, dangling_type, edge_out_of_range, wrong_magic]


@pytest.mark.parametrize("breakage", BREAKAGES)
@pytest.mark.parametrize("to", ["sonata+allen", "neuroml"])
def test_malformed_input_is_a_read_error_that_names_the_place(tmp_path, breakage, to):
    config = write_circuit(tmp_path / "circuit")
    named = breakage(tmp_path / "circuit")
    before = tree(tmp_path)
    done = run("pynn-convert", config, "out", "--to", to, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert done.stderr.startswith("pynn-convert: error: ")
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert tree(tmp_path) == before


def test_no_such_source(tmp_path):
    done = run("pynn-convert", "nowhere.json", "--to", "sonata", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert "nowhere.json" in done.stderr
    assert tree(tmp_path) == []


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_list_as_json_agrees_with_the_registry():
    from pynn_io.registry import formats

    done = run("pynn-convert", "--list", "--json")
    listed = json.loads(done.stdout)
    assert {name: (row["reads"], row["writes"]) for name, row in listed.items()} == {
        name: (bool(row.reader), bool(row.writer)) for name, row in formats().items()
    }
    assert set(listed["sonata"]["dialects"]) >= {"allen", "obi"}


def test_list_names_formats_and_dialects():
    done = run("pynn-convert", "--list")
    assert done.returncode == 0
    for word in ("sonata: ", "neuroml: ", "swc: ", "+allen", "+obi", "+hdf5", "reads .json, writes a folder"):
        assert word in done.stdout


def test_a_reader_that_leaves_is_no_error():
    process = subprocess.Popen(
        command("pynn-convert", "--list"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 141


def test_a_bug_shows_the_traceback_and_asks_for_a_report(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    program = (
        "import sys, pynn_io.pipeline\n"
        "def broken(*_, **__): raise ZeroDivisionError('oops')\n"
        "pynn_io.pipeline.convert = broken\n"
        "from pynn_io.cli.convert import main\n"
        f"sys.exit(main([{str(config)!r}, 'out', '--to', 'sonata']))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" in done.stderr and "ZeroDivisionError: oops" in done.stderr
    assert "report" in done.stderr.splitlines()[-1]
