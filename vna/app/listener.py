"""A listening TCP socket of one worker; all workers of a server listen on one port."""

from __future__ import annotations

import socket

from vna.config.values import split_address
from vna.errors import InvalidConfiguration

# How many connections the kernel keeps while a worker is busy; more get no answer to their SYN.
BACKLOG = 1024


class Listener:
    """A socket on HOST:PORT with SO_REUSEPORT: the kernel spreads connections over all."""

    def __init__(self, host: str, port: int, flag: str = "--http") -> None:
        self.host, self.port, self._flag = host, port, flag
        self.socket: socket.socket | None = None

    def open(self) -> None:
        """Listen, unless it does. Raises `InvalidConfiguration` where the port cannot be had."""
        if self.socket is not None:
            return
        made = _socket(self.host, self.port)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _bind(made, self.host, self.port, self._flag)
        made.listen(BACKLOG)
        self.port = made.getsockname()[1]
        self.socket = made

    def close(self) -> None:
        """Stop listening; connections go to the other listeners of the port."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def listeners(address: str, count: int, *, flag: str = "--http") -> list[Listener]:
    """`count` open listeners on one port, which is free or ours alone; port 0 takes a free one.

    Raises `InvalidConfiguration` where somebody listens there already: SO_REUSEPORT would let two
    servers of one user share the port without a word.
    """
    host, port = split_address(address)
    if port:
        with _socket(host, port) as probe:
            _bind(probe, host, port, flag)
    made: list[Listener] = []
    for _ in range(count):
        listener = Listener(host, port, flag)
        listener.open()
        port = listener.port
        made.append(listener)
    return made


def _socket(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, _ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, protocol)
    made.setsockopt(
        socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
    )  # also while old ones are in TIME_WAIT
    return made


def _bind(made: socket.socket, host: str, port: int, flag: str) -> None:
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise InvalidConfiguration(
            f"cannot listen on {host}:{port}: {error.strerror}; another server may run there: "
            f"choose another with {flag} {host}:PORT"
        ) from None
