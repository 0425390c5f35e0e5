"""`pynn-convert` on every broken fixture: exit status 4, the place on stderr, nothing on stdout, nothing written."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.commands.circuits import run, tree

BROKEN = Path(__file__).resolve().parents[2] / "fixtures" / "broken"
FAULTS = json.loads((BROKEN / "faults.json").read_text(encoding="utf-8"))
#: Faults that a reader may pass over if it says so: strict mode refuses them.
PASSED_OVER = sorted(name for name in FAULTS if FAULTS[name]["error"] == "NOT_READ")
REFUSED = sorted(set(FAULTS) - set(PASSED_OVER))


def copied(name: str, folder: Path) -> tuple[str, str]:
    """The fixtures beside the target, so that damage to the source would show too; the source and its target format."""
    shutil.copytree(BROKEN, folder / "broken")
    if name.endswith(".swc"):
        return f"broken/{name}", "swc"
    return f"broken/{name}/circuit_config.json", "sonata+allen"


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_place_and_nothing_written(name: str, tmp_path: Path) -> None:
    source, to = copied(name, tmp_path)
    before = tree(tmp_path)
    done = run("pynn-convert", source, "out", "--to", to, cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert done.stdout == ""
    assert re.search(FAULTS[name]["says"], done.stderr.replace("\n", " ")), done.stderr
    assert "Traceback" not in done.stderr
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", PASSED_OVER)
def test_what_is_passed_over_is_refused_in_strict_mode(name: str, tmp_path: Path) -> None:
    source, to = copied(name, tmp_path)
    before = tree(tmp_path)
    done = run("pynn-convert", source, "out", "--to", to, "--strict", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert done.stdout == ""
    assert tree(tmp_path) == before


def test_the_issue_is_covered() -> None:
    """The faults that the command must refuse, by the words of the task, each have a fixture above."""
    wanted = {
        "truncated_hdf5",
        "wrong_dtype",
        "dangling_node_type",
        "dangling_edge_type",
        "edge_beyond_population",
        "cyclic_manifest",
        "duplicate_node_id",
        "csv_odd_columns",
        "json_trailing_comma",
        "wrong_magic",
        "missing_morphology",
        "morphologies/repeated_id.swc",
        "morphologies/unknown_parent.swc",
    }
    assert wanted <= set(REFUSED)


def test_an_existing_target_survives_a_broken_source(tmp_path: Path) -> None:
    source, to = copied("truncated_hdf5", tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    before = tree(tmp_path)
    done = run("pynn-convert", source, "out", "--to", to, "--overwrite", cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert tree(tmp_path) == before
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
