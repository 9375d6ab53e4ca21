"""The smallest HTTP/1.1 client that keeps its connection: one cheap client for every server."""

from __future__ import annotations

import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, and the length of the body, which is read and dropped."""

    status: int
    body_bytes: int


class Connection:
    """One keep-alive connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._socket = _connect(port)
        self._buffer = bytearray(1 << 20)
        self._room = memoryview(self._buffer)
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
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        if body:
            self._socket.sendall(body)
        return self._answer()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _answer(self) -> Answer:
        got, end = 0, -1
        while end < 0:
            count = self._socket.recv_into(self._room[got:])
            if not count:
                raise ConnectionError("the server closed before it answered")
            got += count
            end = self._buffer.find(b"\r\n\r\n", 0, got)
        end += 4
        head = bytes(self._room[:end]).lower()
        status = int(head[9:12])
        if b"\r\ntransfer-encoding: chunked" in head:
            return Answer(status, self._chunked(bytes(self._room[end:got])))
        at = head.find(b"\r\ncontent-length:")
        if at < 0 and status not in (204, 304):
            return Answer(status, self._until_closed(got - end))
        length = int(head[at + 17 : head.index(b"\r", at + 2)]) if at >= 0 else 0
        left = length - (got - end)
        while left > 0:
            # Woken once, and not for every piece: the server has the processor meanwhile.
            count = self._socket.recv_into(self._room[:left], 0, socket.MSG_WAITALL)
            if not count:
                raise ConnectionError("the server closed inside the body")
            left -= count
        return Answer(status, length)

    def _until_closed(self, total: int) -> int:
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
