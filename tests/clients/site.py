"""One origin for a browser: a client's own files, and below /dicomweb/ the archive.

What a reverse proxy does in a hospital, in the fewest lines: files with a fall-back to index.html,
everything else handed on byte for byte.
"""

from __future__ import annotations

import http.client
import mimetypes
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.http.archive import running
from vna.config import Settings
from vna.config.settings import Server

ROOT = "/dicomweb"
HOP_BY_HOP = frozenset(("connection", "keep-alive", "transfer-encoding", "upgrade", "te", "date"))


@dataclass(frozen=True, slots=True)
class Site:
    """`url`: the origin, without a trailing slash. `requests`: what the archive was asked."""

    url: str
    requests: list[Asked]

    @property
    def dicomweb(self) -> str:
        """The DICOMweb root as a browser sees it."""
        return self.url + ROOT


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that was handed on, and the status it got. Header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    status: int


@contextmanager
def serving(data: Path, files: Path, own: Mapping[str, str | bytes]) -> Iterator[Site]:
    """A new archive in `data` behind a site of `files`; `own` are files by their path instead."""
    asked: list[Asked] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    url = f"http://127.0.0.1:{server.server_port}"
    settings = replace(Settings(), server=Server(public_url=url))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    with running(data, settings) as archive:
        port = urlsplit(archive).port
        assert port is not None
        server.RequestHandlerClass = _handler(files, own, port, asked)
        thread.start()
        try:
            yield Site(url, asked)
        finally:
            server.shutdown()
            server.server_close()
            thread.join(20)


def _handler(
    files: Path, own: Mapping[str, str | bytes], port: int, asked: list[Asked]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            path = unquote(urlsplit(self.path).path)
            with suppress(ConnectionError):  # a browser may leave before the end of an answer
                if path == ROOT or path.startswith(f"{ROOT}/"):
                    self._hand_on()
                else:
                    self._file(path)

        do_GET = do_HEAD = do_POST = do_DELETE = do_OPTIONS = _answer

        def _file(self, path: str) -> None:
            found = (files / path.lstrip("/")).resolve()
            if path in own:
                content = own[path]
                data = content.encode() if isinstance(content, str) else content
                kind = mimetypes.guess_type(path)[0]
            elif found.is_relative_to(files.resolve()) and found.is_file():
                data, kind = found.read_bytes(), mimetypes.guess_type(found.name)[0]
            else:
                data, kind = (files / "index.html").read_bytes(), "text/html"
            self.send_response(200)
            self.send_header("Content-Type", kind or "application/octet-stream")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _hand_on(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            headers = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in HOP_BY_HOP
            }
            upstream.request(self.command, self.path, self.rfile.read(length), headers)
            answer = upstream.getresponse()
            data = answer.read()
            upstream.close()
            asked.append(
                Asked(
                    self.command,
                    self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    answer.status,
                )
            )
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP | {"content-length"}:
                    self.send_header(name, value)
            if answer.status not in (204, 304):
                self.send_header(
                    "Content-Length",
                    answer.headers.get("Content-Length", str(len(data)))
                    if self.command == "HEAD"
                    else str(len(data)),
                )
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test reads `requests`."""

    return Handler
