"""Downloads from a server that misbehaves in every way we could think of."""

import hashlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from igmc.errors import DataError
from igmc.ratings.sources.download import download, sha256_of
from tests.ratings.sources.bad_server import BadServer, bad_server

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()

Get = Callable[..., Path]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[BadServer]:
    with bad_server(CONTENT) as running:
        yield running


@pytest.fixture
def get(server: BadServer, tmp_path: Path) -> Get:
    def run(*paths: str, **options: object) -> Path:
        target = tmp_path / "data.zip"
        urls = [path if path.startswith("http") else server.url(path) for path in paths]
        settings = {"timeout": 5.0, "tries": 3, "pause": 0.001, "size": len(CONTENT), "sha256": SHA256}
        download(urls, target, **(settings | options))  # type: ignore[arg-type]
        return target

    return run


def left(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def test_good_server(get: Get, tmp_path: Path) -> None:
    assert get("/good").read_bytes() == CONTENT
    assert left(tmp_path) == {"data.zip": len(CONTENT)}
    assert sha256_of(tmp_path / "data.zip") == SHA256


def test_cut_body_is_continued_where_it_ended(get: Get, server: BadServer) -> None:
    # Seven answers of 50,000 bytes, although no more than three tries in a row may fail.
    assert get("/cut/50000").read_bytes() == CONTENT
    assert server.requests == [
        ("/cut/50000", None if start == 0 else f"bytes={start}-") for start in range(0, 300_000, 50_000)
    ]


def test_next_call_goes_on_where_the_last_one_ended(get: Get, server: BadServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cut at 70,000 of 300,000 bytes.*--from-zip"):
        get("/cutnorange/70000", tries=1)
    assert left(tmp_path) == {"data.zip.partial": 70_000}
    assert get("/good").read_bytes() == CONTENT
    assert server.requests[-1] == ("/good", "bytes=70000-")


def test_server_that_ignores_range(get: Get, tmp_path: Path) -> None:
    (tmp_path / "data.zip.partial").write_bytes(CONTENT[:1000])
    assert get("/norange").read_bytes() == CONTENT


def test_cut_without_ranges_ends_after_the_tries(get: Get, server: BadServer) -> None:
    with pytest.raises(DataError, match="cut at 70,000"):
        get("/cutnorange/70000")
    assert len(server.requests) == 4  # one that brings the first bytes, three without progress


def test_wrong_content_leaves_nothing(get: Get, server: BadServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"not the expected one: sha256 [0-9a-f]{{64}}, not {SHA256}"):
        get("/wrong")
    assert left(tmp_path) == {}
    assert len(server.requests) == 1  # asking the same server again is no use


def test_spoilt_beginning_is_fetched_again(get: Get, tmp_path: Path) -> None:
    (tmp_path / "data.zip.partial").write_bytes(bytes(1000))
    assert get("/good").read_bytes() == CONTENT


@pytest.mark.parametrize("length", [300_000, 400_000])
def test_leftovers_as_long_as_the_file_or_longer(get: Get, tmp_path: Path, length: int) -> None:
    (tmp_path / "data.zip.partial").write_bytes(bytes(length))
    assert get("/good").read_bytes() == CONTENT


def test_verified_file_that_was_not_used_is_not_fetched_again(
    get: Get, server: BadServer, tmp_path: Path
) -> None:
    (tmp_path / "data.zip").write_bytes(CONTENT)
    assert get("/good").read_bytes() == CONTENT
    assert server.requests == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/none", "HTTP 404"),
        ("/short", "it has 26 bytes where 300,000 are expected"),
        ("/endless", "more than the expected 300,000 bytes"),
    ],
)
def test_hopeless_server_is_asked_once(
    get: Get, server: BadServer, tmp_path: Path, path: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        get(path)
    assert len(server.requests) == 1
    assert left(tmp_path) == {}


def test_answer_with_another_range_is_refused(get: Get, tmp_path: Path) -> None:
    (tmp_path / "data.zip.partial").write_bytes(CONTENT[:1000])
    with pytest.raises(DataError, match="another range"):
        get("/offset")


def test_busy_server_is_asked_again(get: Get, server: BadServer) -> None:
    assert get("/busy/2").read_bytes() == CONTENT
    assert len(server.requests) == 3


def test_hanging_server_times_out(get: Get, server: BadServer) -> None:
    with pytest.raises(DataError, match="timed out"):
        get("/hang", timeout=0.1, tries=2)
    assert len(server.requests) == 2


def test_crawling_server_times_out(get: Get) -> None:
    with pytest.raises(DataError, match=r"only \d+ bytes in"):
        get("/drip", timeout=0.3, tries=1)


def test_steady_server_may_take_longer_than_the_timeout(get: Get, server: BadServer) -> None:
    assert get("/steady", timeout=0.15).read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_dead_server(get: Get) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file"
        with pytest.raises(DataError, match=r"no connection .*refused"):
            get(url)


def test_mirrors_are_tried_in_order(get: Get, server: BadServer) -> None:
    assert get("/none", "/wrong", "/good", "/cut/10").read_bytes() == CONTENT
    assert [path for path, _ in server.requests] == ["/none", "/wrong", "/good"]


def test_mirror_continues_what_another_began(get: Get, server: BadServer) -> None:
    assert get("/cutnorange/70000", "/good").read_bytes() == CONTENT
    assert server.requests[-1] == ("/good", "bytes=70000-")


def test_every_address_is_named_when_all_fail(get: Get, server: BadServer) -> None:
    with pytest.raises(DataError, match=r"/none: HTTP 404.*/short: it has 26"):
        get("/none", "/short")


def test_trouble_with_the_disk_is_not_taken_for_the_network(get: Get, tmp_path: Path) -> None:
    (tmp_path / "data.zip.partial").mkdir()
    with pytest.raises(IsADirectoryError):
        get("/good")


def test_bar_goes_to_stderr_only_on_a_terminal(get: Get, capfd: pytest.CaptureFixture[str]) -> None:
    get("/good", progress=True)
    assert capfd.readouterr() == ("", "")
