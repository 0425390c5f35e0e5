"""COMBINE archives: manifests read, written, and what is wrong with them, with the line."""

import os
import zipfile

import h5py
import pytest

from pynn_io.archive.container import opened
from pynn_io.errors import ReadError, UnsafeArchive
from pynn_io.formats.omex import MANIFEST, NAMESPACE, Entry, format_of, manifest_text, read_manifest, write_omex
from pynn_io.report import Report
from tests.archive.hostile import zipped

LEMS = "http://purl.org/NET/mediatypes/application/lems+xml"


def manifest(folder, *lines, namespace=NAMESPACE):
    path = folder / MANIFEST
    path.write_text("\n".join([f'<omexManifest xmlns="{namespace}">', *lines, "</omexManifest>"]))
    return path


def content(location, form=LEMS, **attributes):
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<content location="{location}" format="{form}"{more}/>'


def test_a_manifest(tmp_path):
    path = manifest(tmp_path, content("."), content("./model.xml", master="true"), content("data/v.dat", "text"))
    assert read_manifest(path) == (Entry("model.xml", LEMS, True, 3), Entry("data/v.dat", "text", False, 4))


@pytest.mark.parametrize(
    ("lines", "line", "text"),
    [
        (['<content format="a"/>'], 2, "an entry without location"),
        (['<content location="a"/>'], 2, "an entry without format"),
        ([content("a"), content("../a")], 3, "'../a' is not a place in the archive"),
        ([content("/etc/passwd")], 2, "not a place in the archive"),
        ([content("http://example.org/a")], 2, "not a place in the archive"),
        ([content("a"), content("b"), content("./a")], 4, "'a' is listed twice, in line 2 too"),
        ([content("a", master="maybe")], 2, "neither true nor false"),
        (["<content"], 3, "not well-formed XML"),
    ],
)
def test_what_is_wrong_with_a_manifest(tmp_path, lines, line, text):
    path = manifest(tmp_path, *lines)
    with pytest.raises(ReadError) as caught:
        read_manifest(path)
    assert caught.value.where == f"{path}:{line}"
    assert text in str(caught.value)


def test_another_document_is_no_manifest(tmp_path):
    with pytest.raises(ReadError, match="<omexManifest> is not the manifest of a COMBINE archive"):
        read_manifest(manifest(tmp_path, namespace="http://example.org"))


def test_a_document_type_is_refused(tmp_path):
    path = tmp_path / MANIFEST
    path.write_text(f'<!DOCTYPE x [<!ENTITY e SYSTEM "/etc/hostname">]><omexManifest xmlns="{NAMESPACE}"/>')
    with pytest.raises(ReadError, match="a document type definition is not read"):
        read_manifest(path)


def test_a_bomb_of_entities_is_refused_at_once(tmp_path):
    path = tmp_path / MANIFEST
    bomb = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    path.write_text(f'<!DOCTYPE x [<!ENTITY a0 "ha">{bomb}]><omexManifest xmlns="{NAMESPACE}">&a9;</omexManifest>')
    with pytest.raises(ReadError, match=r"document type definition|amplification"):
        read_manifest(path)


def test_what_is_written_is_read(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.xml").write_text("<Lems/>")
    (tmp_path / "b & c.dat").write_bytes(b"\x00\x01")
    entries = [Entry("sub/a.xml", LEMS, True), Entry("b & c.dat", format_of("b.dat"))]
    target = tmp_path / "made.omex"
    write_omex(target, tmp_path, entries)
    with opened(target, Report()) as container:
        assert container.kind == "omex"
        assert [(each.location, each.format, each.master) for each in container.entries] == [
            (each.location, each.format, each.master) for each in entries
        ]
        assert (container.root / "b & c.dat").read_bytes() == b"\x00\x01"
        assert [path.as_posix() for path in container.masters] == ["sub/a.xml"]
    again = tmp_path / "again.omex"
    write_omex(again, tmp_path, entries)
    assert again.read_bytes() == target.read_bytes()


def test_other_libraries_read_what_is_written(tmp_path):
    (tmp_path / "a.xml").write_text("<Lems/>")
    write_omex(tmp_path / "made.omex", tmp_path, [Entry("a.xml", LEMS, True)])
    with zipfile.ZipFile(tmp_path / "made.omex") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [MANIFEST, "a.xml"]


def test_files_that_a_manifest_does_not_list_are_told(tmp_path):
    text = manifest_text([Entry("there.xml", LEMS)])
    source = zipped(tmp_path / "a.omex", (MANIFEST, text), ("there.xml", b"<Lems/>"), ("extra.dat", b""))
    report = Report()
    with opened(source, report):
        pass
    assert [(issue.code, list(issue.examples)) for issue in report] == [("manifest-unlisted", ["extra.dat"])]


def test_files_that_a_manifest_lists_and_that_are_not_there(tmp_path):
    text = manifest_text([Entry("there.xml", LEMS), Entry("missing.xml", LEMS)])
    source = zipped(tmp_path / "a.omex", (MANIFEST, text), ("there.xml", b"<Lems/>"))
    with (
        pytest.raises(ReadError, match=r"lists files that are not there: missing\.xml") as caught,
        opened(source, Report()),
    ):
        pass
    assert caught.value.where == str(source)


def test_a_file_that_only_says_to_be_an_archive(tmp_path):
    source = tmp_path / "a.omex"
    source.write_text("not a zip file")
    with pytest.raises(ReadError, match="not a zip file, which this ending promises"), opened(source, Report()):
        pass


@pytest.mark.parametrize("target", ["/etc/hostname", "link.xml"], ids=["out", "in a loop"])
def test_a_link_that_leads_nowhere_inside_of_a_folder(tmp_path, target):
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "link.xml").symlink_to(target)
    with pytest.raises(UnsafeArchive, match="leads out of the archive"), opened(folder, Report()):
        pass


@pytest.mark.parametrize("name", [MANIFEST, "ro-crate-metadata.json", ".test.omt", "model.xml"])
def test_a_pipe_in_a_folder_is_refused_and_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(UnsafeArchive, match="neither a file nor a folder"), opened(tmp_path, Report()):
        pass


def _external_link(file, other):
    file["spikes/timestamps"] = h5py.ExternalLink(other, "/a")


def _soft_link_and_external_link(file, other):
    file["a"] = h5py.SoftLink("/nowhere")
    _external_link(file, other)


def _raw_storage(file, other):
    file.create_dataset("timestamps", (2,), "f8", external=[(other, 0, 16)])


def _virtual(file, other):
    layout = h5py.VirtualLayout((2,), "f8")
    layout[:] = h5py.VirtualSource(other, "a", (2,))
    file.create_virtual_dataset("timestamps", layout)


@pytest.mark.parametrize("link", [_external_link, _soft_link_and_external_link, _raw_storage, _virtual])
@pytest.mark.parametrize("name", ["/etc/hostname", "../../other.h5", "missing.h5"])
def test_hdf5_files_that_read_from_elsewhere(tmp_path, link, name):
    """HDF5 follows all of these by itself."""
    folder = tmp_path / "deep/repository"
    (folder / "output").mkdir(parents=True)
    with h5py.File(folder / "output/spikes.dat", "w") as file:
        link(file, name)
    with (
        pytest.raises(UnsafeArchive, match="reads from what is not in the archive: ") as caught,
        opened(folder, Report()),
    ):
        pass
    assert caught.value.message.endswith(name)
    assert caught.value.where == f"{folder}:output/spikes.dat"


@pytest.mark.parametrize("link", [_external_link, _virtual])
def test_hdf5_files_that_read_from_each_other(tmp_path, link):
    (tmp_path / "output").mkdir()
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["a"] = [1.0, 2.0]
    with h5py.File(tmp_path / "output/spikes.h5", "w") as file:
        link(file, "../other.h5")
    with opened(tmp_path, Report()) as container:
        assert [path.as_posix() for path in container.files] == ["other.h5", "output/spikes.h5"]


def test_the_folder_around_everything_is_not_part_of_the_names(tmp_path):
    source = zipped(tmp_path / "a.zip", ("repository-1.0/a/model.xml", b"<Lems/>"))
    with opened(source, Report()) as container:
        assert [path.as_posix() for path in container.files] == ["a/model.xml"]
        unpacked = container.root
    assert not unpacked.exists()
