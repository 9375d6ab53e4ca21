"""Workers share one port; a port somebody else has is refused."""

from __future__ import annotations

import socket

import pytest

from vna.app.listener import Listener, listeners
from vna.errors import InvalidConfiguration


def close(made: list[Listener]) -> None:
    for listener in made:
        listener.close()


@pytest.mark.parametrize("http", ["127.0.0.1:0", "[::1]:0", "localhost:0"])
def test_port_0_takes_one_free_port_for_all(http: str) -> None:
    made = listeners(http, 3)
    assert len({listener.port for listener in made}) == 1
    assert made[0].port > 0
    with socket.create_connection((made[0].host, made[0].port), timeout=5):
        pass
    close(made)


def test_a_second_server_on_the_port_is_refused_with_a_way_out() -> None:
    made = listeners("127.0.0.1:0", 1)
    with pytest.raises(InvalidConfiguration, match="choose another with --http"):
        listeners(f"127.0.0.1:{made[0].port}", 1)
    close(made)


def test_the_port_can_be_had_again_as_soon_as_it_is_closed() -> None:
    made = listeners("127.0.0.1:0", 2)
    port = made[0].port
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        close(made)
    again = listeners(f"127.0.0.1:{port}", 2)
    assert again[1].port == port
    close(again)


def test_connections_go_to_the_listeners_that_are_left() -> None:
    first, second = listeners("127.0.0.1:0", 2)
    first.close()
    assert second.socket is not None
    for _ in range(8):
        with (
            socket.create_connection(("127.0.0.1", second.port), timeout=5) as client,
            second.socket.accept()[0] as server,
        ):
            assert server.getpeername() == client.getsockname()
    close([second])
