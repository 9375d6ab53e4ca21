"""Malformed requests by the thousand: each is answered with what is wrong, and costs nothing."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.faults import server as servers
from tests.faults.malformed import Malformed, malformed
from tests.faults.synthetic import small
from tests.size import size

REQUESTS = size(1000, 10_000)
WARM_UP = 300
SECONDS = 5.0  # of one answer; three orders of magnitude above what it takes
GROWTH = 20 << 20


def test_every_malformed_request_is_told_what_is_wrong(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    dice = random.Random(20260312)
    stored = small(0, 0)
    codes: Counter[str] = Counter()
    slowest = 0.0
    with servers.running(tmp_path / "data", environment={"VNA_SERVER__WORKERS": "1"}) as server:
        store = Malformed("", "POST", "/dicomweb/studies", _OBJECT, stored.data)
        assert ask(server.port, store)[0] == 200
        before = 0
        for number in range(WARM_UP + REQUESTS):
            if number == WARM_UP:
                before = sum(server.rss_bytes())
            wrong = malformed(dice, stored)
            began = time.perf_counter()
            status, content = ask(server.port, wrong)
            slowest = max(slowest, time.perf_counter() - began)
            assert 400 <= status < 500, (status, wrong, content[:500])
            assert content.startswith(b"{"), (status, wrong, content[:500])
            codes[json.loads(content)["code"]] += 1
        grown = sum(server.rss_bytes()) - before
    record_property("requests", REQUESTS)
    record_property("codes", len(codes))
    record_property("slowest ms", round(slowest * 1000))
    record_property("growth KiB", grown // 1024)
    assert slowest < SECONDS
    assert grown < GROWTH


_OBJECT = {"Content-Type": "application/dicom"}


def ask(port: int, wrong: Malformed) -> tuple[int, bytes]:
    """Status and body; a refused store answers in a module of its own, which has its reasons."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.putrequest(wrong.method, wrong.path, skip_accept_encoding=True)
        for name, value in wrong.headers.items():
            connection.putheader(name, value)
        if wrong.body or wrong.method == "POST":
            connection.putheader("Content-Length", str(len(wrong.body)))
        connection.endheaders(wrong.body)
        answer = connection.getresponse()
        content = answer.read()
        if answer.headers["content-type"] == "application/dicom+json":
            content = json.dumps({"code": _reasons(json.loads(content))}).encode()
        return answer.status, content
    finally:
        connection.close()


def _reasons(module: dict[str, dict[str, list[dict[str, dict[str, list[int]]]]]]) -> str:
    failed = [
        *module.get("00081198", {}).get("Value", ()),
        *module.get("0008119A", {}).get("Value", ()),
    ]
    return " ".join(f"{each['00081197']['Value'][0]:04X}" for each in failed)
