"""What every HTTP face owes its clients, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest

from storage_backends.prompt import takes_time
from tests.http.server import serving
from vna.errors import Damaged, NotFound, Overloaded
from vna.http.answer import Answer, Stream, json_answer
from vna.http.body import Body
from vna.http.edge import Edge
from vna.http.request import Request
from vna.http.router import Intake, Route
from vna.http.settings import Answered, EdgeSettings
from vna.services.budget import Budget

MIB = 1 << 20


@dataclass
class House:
    """A face with a resource for each thing that may happen."""

    budget: Budget = field(default_factory=lambda: Budget(4 * MIB))
    answered: list[Answered] = field(default_factory=list)
    settled: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    aborted: threading.Event = field(default_factory=threading.Event)
    pulled: int = 0

    def observe(self, answered: Answered) -> None:
        self.answered.append(answered)
        self.settled.set()

    def routes(self) -> list[Route | Intake]:
        return [
            Route("GET", "/echo/{name}", lambda r: json_answer(dict(r.parameters))),
            Route("POST", "/small", lambda r: json_answer(len(r.body)), body_bytes=100),
            Route("POST", "/whole", lambda r: json_answer(len(r.body)), body_bytes=3 * MIB),
            Route("GET", "/missing", _missing),
            Route("GET", "/bug", lambda r: json_answer(1 // 0)),
            Route("GET", "/sized", lambda r: Answer(200, (), Stream(3 * MIB, _chunks))),
            Route("GET", "/unsized", lambda r: Answer(200, (), Stream(None, _chunks))),
            Route("GET", "/damaged", lambda r: Answer(200, (), Stream(9, _damaged_at_once))),
            Route("GET", "/torn", lambda r: Answer(200, (), Stream(5 * MIB, _damaged_later))),
            Route("GET", "/endless", lambda r: Answer(200, (), Stream(None, self.endless))),
            Route("GET", "/where/{pace}", _where, prompt=True),
            Intake("POST", "/take", self.take),
            Intake("POST", "/refuse", _refuse),
        ]

    def endless(self) -> Iterator[bytes]:
        try:
            while True:
                self.pulled += 1
                yield bytes(MIB)
        finally:
            self.closed.set()

    async def take(self, request: Request, body: Body) -> Answer:
        total = 0
        try:
            async for chunk in body.chunks():
                total += len(chunk)
        except BaseException:
            self.aborted.set()
            raise
        return json_answer(total)


def _where(request: Request) -> Answer:
    if request.parameters["pace"] == "slow":
        takes_time()
    return json_answer(threading.current_thread().name)


def _missing(request: Request) -> Answer:
    raise NotFound("it is not here")


def _chunks() -> Iterator[bytes]:
    for number in range(48):
        yield bytes([number]) * (MIB // 16)


def _damaged_at_once() -> Iterator[bytes]:
    raise Damaged("00", "a byte flipped")
    yield b""


def _damaged_later() -> Iterator[bytes]:
    yield bytes(2 * MIB)
    raise Damaged("00", "a byte flipped")


async def _refuse(request: Request, body: Body) -> Answer:
    raise Overloaded("not now")


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def port(house: House) -> Iterator[int]:
    settings = EdgeSettings(
        "http://here", body_idle_seconds=0.3, drain_seconds=5, observe=house.observe, embedded=True
    )
    pools = [ThreadPoolExecutor(2, "pool")]
    edge = Edge(house.routes(), settings, root="/root", pools=pools, budget=house.budget)
    with serving(lambda _: edge) as port:
        yield port
    edge.close()


@pytest.fixture
def client(port: int) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/root") as client:
        yield client


def test_a_path_is_answered_below_the_root(client: httpx.Client) -> None:
    answer = client.get("/echo/a%20b")

    assert (answer.status_code, answer.json()) == (200, {"name": "a b"})
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_takes_time_is_done_on_a_thread_and_nothing_else_of_a_prompt_route(
    client: httpx.Client,
) -> None:
    assert client.get("/where/slow").json().startswith("pool")
    assert not client.get("/where/quick").json().startswith("pool")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/echo/a/b", 404, "not-found"),
        ("GET", "/missing", 404, "not-found"),
        ("PUT", "/echo/a", 405, "method-not-allowed"),
        ("GET", "/echo/a?%ff=1", 400, "invalid-value"),
        ("GET", "/bug", 500, "internal"),
        ("GET", "/damaged", 500, "damaged"),
    ],
)
def test_an_error_is_a_problem_with_a_stable_code(
    client: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert answer.json()["status"] == status


def test_what_a_resource_allows_can_be_asked(client: httpx.Client) -> None:
    assert client.put("/echo/a").headers["allow"] == "GET, HEAD, OPTIONS"
    asked = client.options("/small")
    assert (asked.status_code, asked.headers["allow"]) == (204, "OPTIONS, POST")


def test_head_has_the_headers_of_get_and_no_body(client: httpx.Client) -> None:
    answer = client.head("/sized")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(3 * MIB)


@pytest.mark.parametrize("path", ["/sized", "/unsized"])
def test_a_stream_arrives_whole(client: httpx.Client, path: str) -> None:
    answer = client.get(path)

    assert answer.content == b"".join(_chunks())
    assert ("content-length" in answer.headers) is (path == "/sized")


def test_a_stream_that_breaks_never_looks_complete(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/torn")


def test_nothing_is_read_for_a_client_that_has_left(port: int, house: House) -> None:
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(b"GET /root/endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        peer.recv(100)

    assert house.closed.wait(10)
    assert house.settled.wait(10)
    assert house.answered[0].whole is False


def test_a_small_body_has_a_limit(client: httpx.Client) -> None:
    assert client.post("/small", content=b"x" * 100).json() == 100
    assert client.post("/small", content=b"x" * 101).status_code == 413
    assert client.post("/small", content=iter([b"x" * 60, b"x" * 60])).status_code == 413


def test_a_body_arrives_with_a_length_or_in_chunks(client: httpx.Client) -> None:
    assert client.post("/take", content=bytes(3 * MIB)).json() == 3 * MIB
    assert client.post("/take", content=iter([bytes(MIB)] * 3)).json() == 3 * MIB


def test_over_budget_the_answer_comes_before_the_body_and_can_be_read(
    port: int, house: House
) -> None:
    with house.budget.acquire(4 * MIB), socket.create_connection(("127.0.0.1", port)) as peer:
        peer.settimeout(10)
        peer.sendall(
            b"POST /root/take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 33554432\r\n\r\n"
        )
        head = peer.recv(65536)
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 2\r\n" in head
        assert b"connection: close\r\n" in head
        for _ in range(32):
            peer.sendall(bytes(MIB))  # a reset would raise here
        rest = head + b"".join(iter(lambda: peer.recv(65536), b""))

    assert b'"code":"overloaded"' in rest
    assert house.answered[0].received == 32 * MIB


def test_a_client_that_waits_for_100_hears_503_instead(port: int, house: House) -> None:
    with house.budget.acquire(4 * MIB), socket.create_connection(("127.0.0.1", port)) as peer:
        peer.settimeout(10)
        peer.sendall(
            b"POST /root/take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 33554432\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        answer = b"".join(iter(lambda: peer.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 503 ")


def test_a_refused_small_body_leaves_the_connection_usable(client: httpx.Client) -> None:
    assert client.post("/refuse", content=b"x" * 1000).status_code == 503
    refused = client.post("/refuse", content=b"x" * 1000)
    assert "connection" not in refused.headers
    assert client.get("/echo/a").status_code == 200


def test_the_budget_is_given_back(client: httpx.Client, house: House) -> None:
    client.post("/take", content=bytes(MIB))
    client.post("/refuse", content=bytes(MIB))

    assert house.budget.taken == 0


def test_a_large_body_that_is_read_whole_asks_the_budget_too(
    client: httpx.Client, house: House
) -> None:
    with house.budget.acquire(2 * MIB):
        assert client.post("/whole", content=bytes(3 * MIB)).status_code == 503
        assert client.post("/whole", content=iter([b"in chunks"])).status_code == 503
        assert client.post("/whole", content=bytes(MIB)).json() == MIB

    assert client.post("/whole", content=bytes(3 * MIB)).json() == 3 * MIB
    assert house.budget.taken == 0


def test_a_silent_client_is_given_up(port: int, house: House) -> None:
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.settimeout(10)
        peer.sendall(
            b"POST /root/take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345"
        )
        answer = peer.recv(65536)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert house.aborted.is_set()


def test_a_client_that_leaves_inside_its_body_ends_the_intake(port: int, house: House) -> None:
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(
            b"POST /root/take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345"
        )

    assert house.settled.wait(10)
    assert house.aborted.is_set()
    assert house.answered[0].status == 499


def test_each_answer_is_observed_with_its_route(client: httpx.Client, house: House) -> None:
    client.get("/sized")
    assert house.settled.wait(10)

    (seen,) = house.answered
    assert (seen.method, seen.template, seen.status) == ("GET", "/root/sized", 200)
    assert (seen.sent, seen.whole) == (3 * MIB, True)


def test_one_long_answer_does_not_starve_another(port: int) -> None:
    async def both() -> None:
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/root") as client,
            client.stream("GET", "/endless") as endless,
        ):
            endless_bytes = endless.aiter_bytes()
            await anext(endless_bytes)
            assert (await client.get("/sized")).status_code == 200
            await anext(endless_bytes)

    asyncio.run(both())
