"""Zip files of strangers: what is refused, that nothing is written then, and that honest ones come out whole."""

import random
import resource
import zipfile
from types import SimpleNamespace

import pytest

from pynn_io.errors import ReadError, UnsafeArchive, UnsupportedInput, WriteError
from pynn_io.formats.safe_zip import Limits, extract, names
from tests.archive.hostile import HOSTILE, patched, zipped


@pytest.fixture
def place(tmp_path):
    """A folder to unpack into, with nothing beside it but what a test makes."""
    folder = tmp_path / "inner" / "target"
    folder.mkdir(parents=True)
    return folder


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused_and_leave_nothing(name, tmp_path, place):
    make, words = HOSTILE[name]
    source = make(tmp_path / "archive.zip")
    before = everything(tmp_path)
    with pytest.raises(UnsafeArchive) as caught:
        extract(source, place)
    assert words in str(caught.value)
    assert str(source) in caught.value.where
    assert everything(tmp_path) == before


@pytest.mark.parametrize("name", HOSTILE)
def test_listing_refuses_the_same(name, tmp_path):
    make, words = HOSTILE[name]
    with pytest.raises(UnsafeArchive, match=words):
        names(make(tmp_path / "archive.zip"))


def test_more_entries_than_allowed(tmp_path, place):
    source = zipped(tmp_path / "a.zip", *((f"{number}.txt", b"") for number in range(5)))
    with pytest.raises(UnsafeArchive, match="5 entries are more than the 4 allowed"):
        extract(source, place, Limits(entries=4))
    assert len(extract(source, place, Limits(entries=5))) == 5


def test_more_bytes_than_allowed(tmp_path, place):
    source = zipped(tmp_path / "a.zip", ("a", bytes(600)), ("b", bytes(600)))
    with pytest.raises(UnsafeArchive, match="unpacks to 1200 bytes, more than the 1000 allowed"):
        extract(source, place, Limits(size=1000))
    assert everything(place) == []


def test_an_honest_archive_comes_out_whole(tmp_path, place):
    content = {"model.xml": b"<Lems/>", "deep/er/data.dat": bytes(range(256)) * 100, "empty.txt": b""}
    source = zipped(tmp_path / "a.zip", ("deep/", b""), *content.items())
    files = extract(source, place)
    assert [path.as_posix() for path in files] == list(content)
    assert {path.as_posix(): (place / path).read_bytes() for path in files} == content


def test_a_large_file_that_packs_well_is_no_bomb_below_the_ratio(tmp_path, place):
    # 11 MB of text, of which half is the same: a table of numbers looks like that.
    text = b"".join(b"%d\t0.000000\n" % number for number in range(700_000))
    extract(zipped(tmp_path / "a.zip", ("table.dat", text)), place)
    assert (place / "table.dat").read_bytes() == text


def test_an_entry_that_is_longer_than_it_states(tmp_path, place):
    source = tmp_path / "a.zip"
    with zipfile.ZipFile(source, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.txt", b"12345678")
    # The sizes in both headers say 4 of the 8 bytes.
    patched(source, (8).to_bytes(4, "little") * 2, (4).to_bytes(4, "little") * 2)
    with pytest.raises(ReadError, match=r"not a readable zip file|longer than it states"):
        extract(source, place)


def test_no_room_is_told_before_anything_is_unpacked(tmp_path, place, monkeypatch):
    source = zipped(tmp_path / "a.zip", ("a.dat", bytes(3_000_000)))
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(WriteError, match=r"it unpacks to 3.0 MB, and 1.0 MB are free for it in ") as caught:
        extract(source, place)
    assert (caught.value.where, caught.value.exit_status) == (str(source), 5)
    assert "TMPDIR" in caught.value.hint
    assert everything(place) == []


def test_a_disk_that_is_full_on_the_way_is_told_as_that_and_nothing_is_left(tmp_path, place):
    source = zipped(tmp_path / "a.zip", ("small/a.dat", bytes(100)), ("b.dat", random.Random(0).randbytes(200_000)))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # larger files fail, as on a full disk
    try:
        with pytest.raises(WriteError, match=r"'b.dat' cannot be unpacked: File too large") as caught:
            extract(source, place)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.where == str(source)
    assert everything(place) == []


@pytest.mark.parametrize("damage", [lambda content: content[:-30], lambda content: b"PK\x03\x04" + bytes(100)])
def test_damaged_files(damage, tmp_path, place):
    source = zipped(tmp_path / "a.zip", ("a.txt", b"text"))
    source.write_bytes(damage(source.read_bytes()))
    with pytest.raises(ReadError, match="not a readable zip file") as caught:
        extract(source, place)
    assert not isinstance(caught.value, UnsafeArchive)
    assert caught.value.where == str(source)


def test_a_way_of_packing_that_python_does_not_know(tmp_path, place):
    """Fetching it again does not help: it has to be unpacked by another program."""
    source = zipped(tmp_path / "a.zip", ("a.txt", b"text" * 100))
    content = bytearray(source.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(signature) + offset] = 93
    source.write_bytes(content)
    with pytest.raises(UnsupportedInput, match="the entry is packed by Zstandard, which is not read here") as caught:
        extract(source, place)
    assert (caught.value.where, caught.value.exit_status) == (f"{source}:'a.txt'", 4)
    assert "pack it anew, with Deflate" in caught.value.hint and "again" not in caught.value.hint
    with pytest.raises(UnsupportedInput, match="Zstandard"):
        names(source)


@pytest.mark.parametrize("flag", [0x20, 0x40])  # patched data, strong encryption
def test_flags_that_python_does_not_know(tmp_path, place, flag):
    source = zipped(tmp_path / "a.zip", ("a.txt", b"text" * 100))
    content = bytearray(source.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= flag
    source.write_bytes(content)
    with pytest.raises(UnsupportedInput, match="the entry cannot be unpacked") as caught:
        extract(source, place)
    assert "pack it anew" in caught.value.hint
    assert everything(place) == []


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_content_of_every_way_of_packing(tmp_path, place, method):
    source = tmp_path / "a.zip"
    with zipfile.ZipFile(source, "w", method) as archive:
        archive.writestr("a.txt", random.Random(0).randbytes(5000))
    content = bytearray(source.read_bytes())
    content[45:300] = bytes(255)
    source.write_bytes(content)
    with pytest.raises(ReadError, match="not a readable zip file: the entry is damaged") as caught:
        extract(source, place)
    assert caught.value.where == f"{source}:'a.txt'"
    assert everything(place) == []


def test_damaged_content_is_found_by_its_sum(tmp_path, place):
    source = tmp_path / "a.zip"
    with zipfile.ZipFile(source, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.txt", b"0123456789")
    patched(source, b"0123456789", b"0123456780")
    with pytest.raises(ReadError, match="CRC"):
        extract(source, place)
    assert everything(place) == []
