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
PAGES = tuple(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), ROOT / "fixtures/README.md", *ROOT.glob("docs/*.md"))
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


def anchors(page: Path) -> set[str]:
    """The places in a page that a link may name."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for link in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in link:
            file, _, place = link.partition("#")
            target = path.parent / file if file else path
            assert target.exists() and (not place or place in anchors(target)), link


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
