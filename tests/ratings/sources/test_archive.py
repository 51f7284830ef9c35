"""Archives made to do harm: nothing may be written outside, and nothing be left behind."""

import io
import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from igmc.errors import DataError
from igmc.ratings.sources import archive as archive_module
from igmc.ratings.sources.archive import is_archive, unpack

Content = dict[str, bytes]


def make_zip(path: Path, content: Content) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in content.items():
            file.writestr(name, data)
    return path


def make_tar(path: Path, content: Content) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


def add_to_tar(path: Path, name: str, kind: bytes, linkname: str = "") -> Path:
    with tarfile.open(path, "w:gz") as file:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, linkname
        file.addfile(info)
    return path


MAKERS = [pytest.param(make_zip, "a.zip", id="zip"), pytest.param(make_tar, "a.tar.gz", id="tar")]
Maker = Callable[[Path, Content], Path]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw" / "set"


def refuse(archive: Path, target: Path, match: str, files: tuple[str, ...] = ()) -> None:
    around = sorted(archive.parent.rglob("*"))
    with pytest.raises(DataError, match=match):
        unpack(archive, target, inside="top", files=files)
    assert sorted(archive.parent.rglob("*")) == around


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_wanted_folder_is_unpacked_and_the_rest_left_out(
    make: Maker, name: str, tmp_path: Path, target: Path
) -> None:
    content = {"top/u.data": b"1\t2\t3\n", "top/more/x": b"", "__MACOSX/top/._u.data": b"?"}
    unpack(make(tmp_path / name, content), target, inside="top", files=("u.data", "more/x"))
    found = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert found == {"u.data": b"1\t2\t3\n", "more/x": b""}
    assert list(target.parent.iterdir()) == [target]
    assert target.stat().st_mode & 0o077 == (0o077 & ~_umask()), "readable as any folder that one makes"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(("make", "name"), MAKERS)
@pytest.mark.parametrize(
    "evil",
    [
        "/top/absolute",
        "../outside",
        "top/../../outside",
        "top/./x",
        "top//x",
        "top\\..\\..\\x",
        "C:/x",
        "..",
    ],
)
def test_names_that_lead_elsewhere(make: Maker, name: str, evil: str, tmp_path: Path, target: Path) -> None:
    refuse(make(tmp_path / name, {"top/good": b"x", evil: b"x"}), target, "would be written elsewhere")


def test_name_with_a_nul(tmp_path: Path, target: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"top/goodZevil": b"x"})
    path.write_bytes(path.read_bytes().replace(b"goodZevil", b"good\0evil"))
    refuse(path, target, "would be written elsewhere")


@pytest.mark.parametrize(
    "content", [["top/a", "top/a"], ["top/a", "top/a/b"], ["top/a/b", "top/a"], ["top/a/", "top/a"]]
)
def test_the_same_name_twice(content: list[str], tmp_path: Path, target: Path) -> None:
    path = tmp_path / "a.zip"
    warned = pytest.warns(UserWarning, match="Duplicate") if len(set(content)) == 1 else nullcontext()
    with zipfile.ZipFile(path, "w") as file, warned:
        for name in content:
            file.writestr(name, b"")
    refuse(path, target, "is there twice")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (tarfile.SYMTYPE, "is a link"),
        (tarfile.LNKTYPE, "is a link"),
        (tarfile.CHRTYPE, "is a special file"),
        (tarfile.BLKTYPE, "is a special file"),
        (tarfile.FIFOTYPE, "is a special file"),
    ],
)
def test_links_and_devices_in_a_tar(kind: bytes, message: str, tmp_path: Path, target: Path) -> None:
    refuse(add_to_tar(tmp_path / "a.tar.gz", "top/x", kind, "/etc/passwd"), target, message)


@pytest.mark.parametrize(("mode", "message"), [(stat.S_IFLNK, "is a link"), (stat.S_IFIFO, "special file")])
def test_links_and_pipes_in_a_zip(mode: int, message: str, tmp_path: Path, target: Path) -> None:
    info = zipfile.ZipInfo("top/x")
    info.external_attr = (mode | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(info, b"/etc/passwd")
    refuse(tmp_path / "a.zip", target, message)


def test_encrypted_zip(tmp_path: Path, target: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"top/x": b"x"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    refuse(path, target, "encrypted")


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_bomb_by_ratio(make: Maker, name: str, tmp_path: Path, target: Path) -> None:
    bomb = make(tmp_path / name, {f"top/{k}": bytes(10**6) for k in range(20)})
    refuse(bomb, target, r"unpack to more than [\d,]+ bytes")


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_bomb_by_size_and_by_number(
    make: Maker, name: str, tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / name, {f"top/{k}": b"12345" for k in range(10)})
    monkeypatch.setattr(archive_module, "MAX_BYTES", 49)
    refuse(path, target, "more than 49 bytes")
    monkeypatch.setattr(archive_module, "MAX_BYTES", 50)
    monkeypatch.setattr(archive_module, "MAX_ENTRIES", 9)
    refuse(path, target, "one of more than 9")
    monkeypatch.setattr(archive_module, "MAX_ENTRIES", 10)
    unpack(path, target, inside="top", files=("0",))


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_missing_file(make: Maker, name: str, tmp_path: Path, target: Path) -> None:
    path = make(tmp_path / name, {"top/a": b"x", "other/b": b"x"})
    refuse(path, target, "lacks top/b, top/c", files=("a", "b", "c"))


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_damaged_archive(make: Maker, name: str, tmp_path: Path, target: Path) -> None:
    """With a few wrong bits, or cut short: a DataError or no error, and no half of a folder.

    A zip has a checksum for each entry, so that what comes out of it is right.
    """
    rng = np.random.default_rng(0)
    content = {f"top/{k}": rng.bytes(300) + bytes(300) for k in range(4)}
    whole = make(tmp_path / name, content).read_bytes()
    refused = 0
    for _ in range(60):
        data = bytearray(whole[: rng.integers(1, len(whole))] if rng.random() < 0.2 else whole)
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        (tmp_path / name).write_bytes(data)
        try:
            unpack(tmp_path / name, target, inside="top", files=("0",))
        except DataError:
            refused += 1
            assert not target.exists()
        else:
            if make is make_zip:
                assert (target / "0").read_bytes() == content["top/0"]
            shutil.rmtree(target)
        assert list(target.parent.iterdir()) == []
    assert refused > 15


def test_no_archive_at_all(tmp_path: Path, target: Path) -> None:
    for name in ("a.zip", "a.tar.gz"):
        (tmp_path / name).write_text("<html>not found</html>")
        refuse(tmp_path / name, target, "cannot be unpacked")


def test_what_a_kill_left_is_cleared_away(tmp_path: Path, target: Path) -> None:
    half = target.with_name(".set.partial")
    (half / "top").mkdir(parents=True)
    (half / "top" / "x").write_bytes(b"ha")
    unpack(make_zip(tmp_path / "a.zip", {"top/x": b"half"}), target, inside="top", files=["x"])
    assert (target / "x").read_bytes() == b"half"
    assert list(target.parent.iterdir()) == [target]


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"top/x": b"x"})
    with pytest.raises(OSError, match="proc"):
        unpack(path, Path("/proc/raw-set"), inside="top", files=())


@pytest.mark.parametrize("name", ["x.zip", "X.ZIP", "x.tar", "x.tgz", "x.tar.gz", "x.tar.bz2", "x.tar.xz"])
def test_is_archive(name: str) -> None:
    assert is_archive(name)
    assert not is_archive(name + ".mat")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_folders_that_an_archive_names_are_made_even_where_they_are_empty(
    kind: str, tmp_path: Path, target: Path
) -> None:
    (tmp_path / "top" / "empty").mkdir(parents=True)
    (tmp_path / "top" / "x").write_bytes(b"1")
    path = Path(shutil.make_archive(str(tmp_path / "a"), kind, tmp_path, "top"))
    unpack(path, target, inside="top", files=("x",))
    assert sorted(path.name for path in target.iterdir()) == ["empty", "x"]
    assert (target / "empty").is_dir()
