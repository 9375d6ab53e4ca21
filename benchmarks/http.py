"""The smallest HTTP/1.1 client that keeps its connection: one cheap client for every server."""

from __future__ import annotations

import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers in lower case, and the length of the body, which is read and dropped."""

    status: int
    headers: dict[str, str]
    body_bytes: int
    head_of_body: bytes


class Connection:
    """One keep-alive connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._socket = _connect(port)
        self._buffer = bytearray(1 << 20)
        self._port = port
        self._host = f"127.0.0.1:{port}"

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Send one request and read the whole answer."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        if body:
            self._socket.sendall(head)
            self._socket.sendall(body)
        else:
            self._socket.sendall(head)
        return self._answer()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _answer(self) -> Answer:
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            piece = self._socket.recv(65536)
            if not piece:
                raise ConnectionError("the server closed before it answered")
            data += piece
        status_line, *rows = data[:end].decode("latin-1").split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, _, v in (r.partition(":") for r in rows)}
        status = int(status_line.split()[1])
        rest = data[end + 4 :]
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return Answer(status, headers, self._chunked(rest), rest[:200])
        if "content-length" not in headers and status not in (204, 304):
            return Answer(status, headers, self._until_closed(rest), rest[:200])
        length = int(headers.get("content-length", "0"))
        left = length - len(rest)
        while left > 0:
            count = self._socket.recv_into(self._buffer, min(left, len(self._buffer)))
            if not count:
                raise ConnectionError("the server closed inside the body")
            left -= count
        return Answer(status, headers, length, rest[:200])

    def _until_closed(self, data: bytes) -> int:
        total = len(data)
        while count := self._socket.recv_into(self._buffer):
            total += count
        self._socket.close()
        self._socket = _connect(self._port)
        return total

    def _chunked(self, data: bytes) -> int:
        total = 0
        pending = bytearray(data)
        while True:
            while (end := pending.find(b"\r\n")) < 0:
                self._more(pending)
            size = int(bytes(pending[:end]).split(b";")[0], 16)
            while len(pending) < end + 2 + size + 2:
                self._more(pending)
            del pending[: end + 2 + size + 2]
            if size == 0:
                return total
            total += size

    def _more(self, pending: bytearray) -> None:
        count = self._socket.recv_into(self._buffer)
        if not count:
            raise ConnectionError("the server closed inside the body")
        pending += memoryview(self._buffer)[:count]


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=120)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def multipart(
    parts: list[bytes], boundary: str = "benchmark-boundary"
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a STOW-RS request that carries `parts` (PS3.18 §10.5)."""
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = b"".join(head + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
    return {"Content-Type": kind, "Accept": "application/dicom+json"}, body
