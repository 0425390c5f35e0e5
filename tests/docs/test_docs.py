"""The documentation says what is there: the matrix is the code's, links lead somewhere, options and codes exist."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import pynn_io
from pynn_io import errors, report

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/guide.md",
    "docs/api.md",
    "docs/hardware.md",
    "fixtures/README.md",
)


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    if spec is None or spec.loader is None:
        pytest.fail(f"docs/{name}.py is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_matrix_is_printed_from_the_tables() -> None:
    made = script("make_support")
    assert (ROOT / "docs/support.md").read_text(encoding="utf-8") == made.page(), "make docs"
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert made.readme(text) == text, "make docs"


def test_columns_are_printed_from_the_schema() -> None:
    assert (ROOT / "docs/fields.md").read_text(encoding="utf-8") == script("make_fields").page(), "make docs"


def test_hardware_is_printed_from_the_profiles() -> None:
    text = (ROOT / "docs/hardware.md").read_text(encoding="utf-8")
    assert script("make_hardware").page(text) == text, "make docs"


def test_every_public_name_is_documented() -> None:
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in ("docs/api.md", "docs/guide.md", "README.md"))
    assert [name for name in pynn_io.__all__ if name not in text and name != "__version__"] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES)
def test_options_exist(page: str) -> None:
    """Every --option that a page shows in a line of a command is one of the parsers'."""
    from pynn_io.cli import compare, convert, run, show

    known = {
        "pynn-compare": compare._parser(),
        "pynn-convert": convert._parser(),
        "pynn-run": run._parser(),
        "pynn-show": show._parser(),
    }
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        for command, parser in known.items():
            if line.startswith(command):
                options = {option for action in parser._actions for option in action.option_strings}
                assert set(re.findall(r"(?<!\S)--[a-z-]+", line)) <= options, line


def test_guide_lists_every_kind_and_exit_status() -> None:
    guide = (ROOT / "docs/guide.md").read_text(encoding="utf-8")
    assert all(f"| {kind} |" in guide for kind in report.Kind)
    classes = [item for item in vars(errors).values() if isinstance(item, type)]
    statuses = {item.exit_status for item in classes if issubclass(item, errors.PynnIOError)} | {8, 9, 130}
    assert all(f"| {status} |" in guide for status in statuses)


def test_readme_names_public_functions() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in set(re.findall(r"pynn_io\.([a-zA-Z_]+)\(", text)):
        assert callable(getattr(pynn_io, name)), name


def test_picture_is_small() -> None:
    assert (ROOT / "docs/synfire.png").stat().st_size < 200_000
