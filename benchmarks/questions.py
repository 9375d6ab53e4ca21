"""How a question is asked of any DICOMweb server: by one client or many, once or for a time."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Sequence

from benchmarks.ct import Slice
from benchmarks.http import Connection, multipart
from benchmarks.servers import Server

ASK_SECONDS = 4.0


def stow(server: Server, slices: Sequence[Slice], *, clients: int = 4, parts: int = 1) -> float:
    """Instances per second stored by `clients` at once, `parts` to a request, all acknowledged."""
    requests = [
        multipart([each.data for each in slices[start : start + parts]])
        for start in range(0, len(slices), parts)
    ]
    failures: list[int] = []

    def send(share: Sequence[tuple[dict[str, str], bytes]]) -> None:
        connection = Connection(server.port)
        for headers, body in share:
            answer = connection.request("POST", f"{server.root}/studies", headers, body)
            if answer.status != 200:
                failures.append(answer.status)
        connection.close()

    threads = [
        threading.Thread(target=send, args=(requests[number::clients],))
        for number in range(clients)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if failures:
        raise RuntimeError(f"{server.name} refused {len(failures)} requests: {failures[:5]}")
    return len(slices) / seconds


def ask(server: Server, paths: Sequence[str], headers: dict[str, str]) -> float:
    """Answers per second of one keep-alive client that asks `paths` in turn."""
    connection = Connection(server.port)
    for path in paths[:2]:
        _good(server, connection, path, headers)
    count, began = 0, time.perf_counter()
    while (seconds := time.perf_counter() - began) < ASK_SECONDS:
        _good(server, connection, paths[count % len(paths)], headers)
        count += 1
    connection.close()
    return count / seconds


def once(server: Server, paths: Sequence[str], headers: dict[str, str]) -> float:
    """Answers per second of one keep-alive client that asks each of `paths` one time; the first
    of them is not counted: what it needs is loaded by then."""
    connection = Connection(server.port)
    _good(server, connection, paths[0], headers)
    began = time.perf_counter()
    for path in paths[1:]:
        _good(server, connection, path, headers)
    seconds = time.perf_counter() - began
    connection.close()
    return (len(paths) - 1) / seconds


def first(server: Server, path: str, headers: dict[str, str]) -> float:
    """The inverse of the seconds that the very first such answer takes after a start."""
    connection = Connection(server.port)
    began = time.perf_counter()
    _good(server, connection, path, headers)
    return 1 / (time.perf_counter() - began)


def found(server: Server, patient_id: str) -> int:
    """How many studies the server finds for a patient: both must agree before times count."""
    url = f"http://127.0.0.1:{server.port}{server.root}/studies?PatientID={patient_id}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return len(json.load(answer))


def fetched(server: Server, path: str, headers: dict[str, str]) -> bytes:
    """The whole body of one answer, to be looked at."""
    url = f"http://127.0.0.1:{server.port}{server.root}{path}"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        body: bytes = answer.read()
        return body


def _good(server: Server, connection: Connection, path: str, headers: dict[str, str]) -> None:
    answer = connection.request("GET", f"{server.root}{path}", headers)
    if answer.status != 200 or not answer.body_bytes:
        raise RuntimeError(f"{server.name} answered {answer.status} to {path}")
