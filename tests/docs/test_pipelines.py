"""The examples for pipelines in docs/reproduce.md: they can be read, and what they call is there."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from pynn_io.cli.reproduce import _parser
from pynn_io.cli.reproduce_job import JUNIT, PAGE

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/reproduce.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def steps() -> list[dict[str, Any]]:
    (text,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    workflow = yaml.safe_load(text)
    assert workflow["name"] == "reproduce"
    assert workflow[True] == ["push"]  # YAML 1.1 takes "on" for a truth value
    assert list(workflow["jobs"]) == ["reproduce"]
    return workflow["jobs"]["reproduce"]["steps"]


def commands(steps: list[dict[str, Any]]) -> list[list[str]]:
    return [shlex.split(step["run"]) for step in steps if "run" in step]


def test_it_installs_extras_that_there_are(steps: list[dict[str, Any]]) -> None:
    install, _ = commands(steps)
    match = re.fullmatch(r"pynn_io\[(.*)\]", install[-1])
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert install[:2] == ["pip", "install"]
    assert match is not None and {*match[1].split(",")} <= extras.keys()


def test_it_calls_what_there_is_and_keeps_what_that_writes(steps: list[dict[str, Any]]) -> None:
    _, call = commands(steps)
    arguments = _parser().parse_args(call[1:])
    assert call[0] == "pynn-reproduce"
    folder = str(arguments.output)
    with_paths = [step["with"]["path"] for step in steps if "path" in step.get("with", {})]
    assert with_paths == [f"{folder}/cells", f"{folder}/{PAGE}\n{folder}/{JUNIT}"]
    # The page is kept when something differs, too.
    assert steps[-1]["if"] == "always()"


def test_snakemake_calls_what_there_is() -> None:
    (text,) = re.findall(r"```python\n(# Snakefile.*?)```", TEXT, re.DOTALL)
    shell = "".join(re.findall(r'shell:\n((?:\s+".*"\n)+)', text))
    call = "".join(re.findall(r'"(.*)"', shell)).split("||")[0]
    words = shlex.split(re.sub(r"\{[^}]*\}", "2", call))
    assert words[0] == "pynn-reproduce"
    assert _parser().parse_args(words[1:]).quiet
