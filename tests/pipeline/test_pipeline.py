"""The pipeline, with a format that exists only here: staging, refusing, overwriting, strictness, what stays behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pynn_io import Document, Report, registry
from pynn_io.detect import detect
from pynn_io.errors import BackendUnavailable, FormatError, GraphError, LossError, ReadError, WriteError
from pynn_io.pipeline import convert, default_destination, write
from tests.models import MODELS

Writer = Callable[..., None]


def two_files(document: Document, dest: Path, report: Report, **options: Any) -> None:
    (dest / "sub").mkdir()
    (dest / "a.txt").write_text(document.network.name)
    (dest / "sub" / "b.txt").write_text("b")
    report.lost("colour", "population cortex", "this format has no colours", examples=["ei"])


def read_model(source: Path, report: Report, **options: Any) -> Document:
    return MODELS[source.read_text()]()


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Writer], None]]:
    """Registers the toy format with a given writer."""

    def register(writer: Writer) -> None:
        functions = {"reader": read_model, "writer": writer, "sniff": lambda path: path.suffix == ".toy"}
        row = registry.Format("sonata", "A toy", "reader", "writer", (".toy",), sniff="sniff")
        monkeypatch.setattr(registry, "FORMATS", {"sonata": row})
        monkeypatch.setattr(registry, "load", lambda row, role: functions[role])

    yield register


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "net.toy"
    path.write_text("two_types")
    return path


def test_a_new_folder_appears_whole(toy: Callable[[Writer], None], source: Path, tmp_path: Path) -> None:
    toy(two_files)
    result = convert(source, tmp_path / "out", to="sonata")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in result.files] == ["a.txt", "sub/b.txt"]
    assert (tmp_path / "out" / "a.txt").read_text() == "two_types"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.toy", "out"]


def test_a_writer_that_fails_half_way_leaves_nothing(
    toy: Callable[[Writer], None], source: Path, tmp_path: Path
) -> None:
    def fails(document: Document, dest: Path, report: Report, **options: Any) -> None:
        two_files(document, dest, report)
        raise OSError(28, "No space left on device")

    toy(fails)
    with pytest.raises(WriteError, match="No space left on device") as caught:
        convert(source, tmp_path / "out", to="sonata")
    assert caught.value.where == str(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["net.toy"]


def test_an_existing_target_is_refused_before_reading(
    toy: Callable[[Writer], None], source: Path, tmp_path: Path
) -> None:
    toy(two_files)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("precious")
    source.write_text("no such model")
    with pytest.raises(WriteError, match="exists already"):
        convert(source, tmp_path / "out", to="sonata")


def test_overwrite_replaces_only_what_it_writes(toy: Callable[[Writer], None], source: Path, tmp_path: Path) -> None:
    toy(two_files)
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "mine.txt").write_text("precious")
    (out / "a.txt").write_text("old")
    convert(source, out, to="sonata", overwrite=True)
    assert (out / "mine.txt").read_text() == "precious"
    assert (out / "a.txt").read_text() == "two_types"
    assert (out / "sub" / "b.txt").read_text() == "b"


def test_strict_refuses_and_writes_nothing(toy: Callable[[Writer], None], source: Path, tmp_path: Path) -> None:
    toy(two_files)
    with pytest.raises(LossError) as caught:
        convert(source, tmp_path / "out", to="sonata", strict=True)
    assert caught.value.exit_status == 3
    assert caught.value.report.codes() == {"colour"}
    assert "--allow colour" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["net.toy"]


def test_an_allowed_loss_passes_strict(toy: Callable[[Writer], None], source: Path, tmp_path: Path) -> None:
    toy(two_files)
    result = convert(source, tmp_path / "out", to="sonata", strict=True, report=Report(allowed=["colour"]))
    assert [(issue.code, issue.count, issue.examples) for issue in result.report] == [("colour", 1, ["ei"])]
    assert (tmp_path / "out" / "a.txt").is_file()


def test_check_reports_and_writes_nothing(toy: Callable[[Writer], None], source: Path, tmp_path: Path) -> None:
    toy(two_files)
    result = convert(source, tmp_path / "out", to="sonata", check=True)
    assert result.dest is None
    assert result.files == ()
    assert result.report.codes() == {"colour"}
    assert [path.name for path in tmp_path.iterdir()] == ["net.toy"]


def test_a_broken_network_is_never_written(toy: Callable[[Writer], None], tmp_path: Path) -> None:
    from dataclasses import replace

    toy(two_files)
    document = MODELS["two_types"]()
    broken = replace(document, network=replace(document.network, cells={}))
    with pytest.raises(GraphError, match="no such cell: cortex_100, cortex_101"):
        write(broken, tmp_path / "out", "sonata")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "to", "name"),
    [
        ("ring/circuit_config.json", "neuroml", "ring-neuroml"),
        ("ring/config.simulation_iclamp.json", "sonata+obi", "ring-sonata-obi"),
        ("cells/my_cell.swc", "neuroml+hdf5", "my_cell-neuroml-hdf5"),
        ("ring", "sonata", "ring-sonata"),
    ],
)
def test_the_default_target_is_named_after_the_source(source: str, to: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / source
    if path.suffix:
        path.parent.mkdir()
        path.write_text("")
    else:
        path.mkdir()
    assert default_destination(path, to) == Path(name)


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("sonatta", "unknown format 'sonatta'"),
        ("sonata+bbp", "format 'sonata' has no dialect 'bbp'"),
        ("asc", "pynn_io has no writer for Neurolucida ASC morphology"),
    ],
)
def test_unknown_targets(to: str, message: str, source: Path) -> None:
    with pytest.raises(FormatError) as caught:
        convert(source, to=to)
    assert caught.value.message == message
    assert caught.value.exit_status == 2


def test_detection_goes_by_content_then_extension(tmp_path: Path) -> None:
    files = {
        "a.json": ('{"networks": {}}', "sonata"),
        "b.json": ('{"networks": {},}', "sonata"),
        "LEMS_sim.xml": ('<Lems xmlns="y"><Target component="sim"/></Lems>', "neuroml"),
        "c.xml": ('<?xml version="1.0"?>\n<!-- <cell> -->\n<neuroml xmlns="x" id="n"/>', "neuroml"),
        "d.swc": ("# a cell\n1 1 0 0 0 5 -1\n", "swc"),
        "e.asc": ("(Color Red)", "asc"),
        "empty.nml": ("", "neuroml"),
    }
    for name, (text, expected) in files.items():
        (tmp_path / name).write_text(text)
        assert detect(tmp_path / name) == expected, name


def test_what_cannot_be_detected(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"\0\1")
    with pytest.raises(FormatError, match="not a format that pynn_io knows"):
        detect(tmp_path / "x.bin")
    with pytest.raises(ReadError, match="no such file or folder"):
        detect(tmp_path / "nowhere")


def test_a_missing_package_names_the_extra() -> None:
    row = registry.Format("f", "Format F", reader="surely_not_installed.module:read", extra="f")
    with pytest.raises(BackendUnavailable, match=r"pip install 'pynn_io\[f\]'") as caught:
        registry.load(row, "reader")
    assert caught.value.exit_status == 6


def test_one_refusal_names_everything_that_is_to_be_allowed(tmp_path: Path) -> None:
    """The audit's codes and the writer's: who allows what the first refusal names is not refused again."""
    source = Path(__file__).resolve().parents[2] / "fixtures/mixed/circuit_config.json"
    with pytest.raises(LossError) as refused:
        convert(source, tmp_path / "out", to="neuroml", strict=True, report=Report(allowed=["channel"]))
    assert not list(tmp_path.iterdir())
    hint = refused.value.hint
    codes = hint.partition("--allow ")[2].split(",")
    assert "channel" in codes and len(codes) > 3
    assert convert(source, tmp_path / "out", to="neuroml", strict=True, report=Report(allowed=codes)).dest is not None
