"""A web server on this machine that misbehaves on request."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class BadServer(ThreadingHTTPServer):
    """Serves `content` at each of these paths, every one with its own manners.

    /good      as it should be, with ranges
    /cut/N     each answer is cut after N bytes of body
    /norange   ignores Range
    /cutnorange/N  both
    /wrong     other content of the same length
    /short     other content of another length
    /endless   sends for ever, without a length
    /offset    answers a Range with another one
    /hang      accepts the request and never answers
    /steady    sends all, but in small pieces with pauses
    /drip      sends a byte at a time, slowly
    /busy/N    HTTP 503 to the first N requests, then good
    otherwise  HTTP 404
    """

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.requests: list[tuple[str, str | None]] = []  # path, Range
        self.stop = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # clients that hang up are part of the tests


class _Handler(BaseHTTPRequestHandler):
    server: BadServer

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers["Range"]))
        manner, _, number = self.path.strip("/").partition("/")
        body = self.server.content
        if manner == "hang":
            self.server.stop.wait(20)
            return
        if manner == "busy" and len(self.server.requests) <= int(number):
            self.send_error(503)
        elif manner in ("good", "busy"):
            self._answer(body)
        elif manner == "cut":
            self._answer(body, stop_after=int(number))
        elif manner == "norange":
            self._answer(body, ranges=False)
        elif manner == "cutnorange":
            self._answer(body, ranges=False, stop_after=int(number))
        elif manner == "wrong":
            self._answer(bytes(255 - byte for byte in body))
        elif manner == "short":
            self._answer(b"<html>please log in</html>")
        elif manner == "endless":
            self._endless(bytes(1 << 16), pause=0)
        elif manner == "drip":
            self._endless(b"x", pause=0.05)
        elif manner == "steady":
            self._answer(body, pause=0.02)
        elif manner == "offset":
            self._answer(body, shift=1)
        else:
            self.send_error(404)

    def _answer(
        self,
        body: bytes,
        *,
        ranges: bool = True,
        stop_after: int | None = None,
        shift: int = 0,
        pause: float = 0.0,
    ) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "") if ranges else None
        start = int(asked[1]) + shift if asked else 0
        if asked and start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        sent = body[start:][:stop_after]
        for begin in range(0, len(sent), 20_000):
            self.wfile.write(sent[begin : begin + 20_000])
            self.server.stop.wait(pause)

    def _endless(self, block: bytes, pause: float) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.server.stop.wait(pause):
            self.wfile.write(block)
            self.wfile.flush()


@contextmanager
def bad_server(content: bytes) -> Iterator[BadServer]:
    with BadServer(content) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.stop.set()
        server.shutdown()
