"""S3 over a wire that fails: a real gateway behind a proxy that breaks what it is told to."""

from __future__ import annotations

import dataclasses
import json
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage_backends.base import BackendError
from storage_backends.s3 import PART_BYTES, S3Backend, S3Options
from tests.faults import proxy as wires
from tests.faults import server as servers
from tests.faults.client import check, offer_again, unkept
from tests.faults.proxy import Fault, Proxy
from tests.faults.synthetic import Sent, small
from tests.objects.archive import content_of
from tests.peers import ceph
from tests.peers.ceph import Ceph
from tests.size import size
from tests.storage_backends.contract import stored
from vna.objects.ulid import new_ulid

ROUNDS = size(5, 200)
BATCHES, OBJECTS = 8, 3
BUCKET = "wire"


@pytest.fixture
def wire(s3: Ceph) -> Iterator[Proxy]:
    with wires.running(s3.port) as proxy:
        yield proxy


@pytest.fixture
def options(s3: Ceph, wire: Proxy) -> S3Options:
    s3.make_bucket(BUCKET)
    return S3Options(
        BUCKET,
        prefix=new_ulid(),
        endpoint=wire.endpoint,
        access_key=ceph.ACCESS_KEY,
        secret_key=ceph.SECRET_KEY,
        timeout_seconds=15.0,
        retry_seconds=60.0,
    )


def impatient(options: S3Options) -> S3Options:
    """The same for who wants to see a service hang."""
    return dataclasses.replace(options, timeout_seconds=1.5, retry_seconds=20.0)


def once(fault: Fault, *methods: str) -> Callable[[str, str], Fault | None]:
    """The first request of these methods meets the fault, no other."""
    left = [fault]
    lock = threading.Lock()

    def choose(method: str, path: str) -> Fault | None:
        with lock:
            return left.pop() if left and method in methods else None

    return choose


@pytest.mark.parametrize("fault", [each for each in Fault if each is not Fault.WRONG])
def test_one_failure_of_the_wire_is_not_noticed(
    wire: Proxy, options: S3Options, fault: Fault
) -> None:
    backend = S3Backend(impatient(options) if fault is Fault.HANG else options)
    small_one, large = content_of(1, 100_000), content_of(2, PART_BYTES + 5)
    wire.choose = once(fault, "PUT")
    if fault is Fault.HANG:  # what may have been done is asked again by whoever knows why
        with pytest.raises(BackendError, match="failed"):
            backend.put_new("small", [small_one])
    backend.put_new("small", [small_one])
    wire.choose = once(fault, "PUT") if fault is not Fault.HANG else wire.choose
    writer = backend.create("large")
    writer.append([large])
    writer.seal()
    for key, content in (("small", small_one), ("large", large)):
        wire.choose = once(fault, "GET")
        assert stored(backend, key) == content
        wire.choose = once(fault, "HEAD")
        assert backend.open(key).size() == len(content)
    wire.choose = once(fault, "GET")
    assert [each.key for each in backend.list()] == ["large", "small"]
    wire.choose = once(fault, "DELETE")
    backend.delete("small")
    assert [each.key for each in backend.list()] == ["large"]
    assert wire.met[fault] >= 4


@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.RESET, Fault.HANG])
def test_a_service_that_stays_away_is_told_and_nothing_is_promised(
    wire: Proxy, options: S3Options, fault: Fault
) -> None:
    backend = S3Backend(impatient(options))
    wire.choose = lambda method, path: fault
    with pytest.raises(BackendError, match="failed"):
        backend.put_new("a", [b"1"])
    wire.choose = lambda method, path: None
    assert list(backend.list()) == []
    backend.put_new("a", [b"2"])
    assert stored(backend, "a") == b"2"


def test_an_archive_over_a_failing_wire_loses_nothing_acknowledged(
    tmp_path: Path, s3: Ceph, wire: Proxy, record_property: Callable[[str, object], None]
) -> None:
    s3.make_bucket(BUCKET)
    data, kept, failed = tmp_path / "data", dict[str, Sent](), 0
    (tmp_path / "keys").write_text(
        f'access_key = "{ceph.ACCESS_KEY}"\nsecret_key = "{ceph.SECRET_KEY}"\n'
    )
    environment = {
        "VNA_STORES": f"bucket s3://{BUCKET}/{new_ulid()} endpoint={wire.endpoint} "
        f"credentials={tmp_path}/keys"
    }
    dice, lock, wrong = random.Random(1), threading.Lock(), set[str]()
    kinds = [each for each in Fault if each is not Fault.HANG]

    def choose(method: str, path: str) -> Fault | None:
        with lock:
            if dice.random() > 0.2:
                return None
            readable = method == "GET" and path not in wrong  # wrong twice would be damaged
            fault = min(
                (each for each in kinds if readable or each is not Fault.WRONG),
                key=lambda each: wire.met[each],
            )
            if fault is Fault.WRONG:
                wrong.add(path)
            return fault

    with servers.running(data, environment=environment) as server:
        for turn in range(ROUNDS):
            batches = [
                [small(turn * BATCHES + batch, one) for one in range(OBJECTS)]
                for batch in range(BATCHES)
            ]
            wire.choose = choose
            again = unkept(server.port, batches, kept)
            check(server.port, dice.sample(list(kept.values()), 6))
            wire.choose = lambda method, path: None
            failed += len(again)
            offer_again(server.port, again, kept)
    record_property("requests that failed", failed)
    record_property("faults met", sum(wire.met.values()))
    assert all(wire.met[each] for each in kinds)
    with servers.running(data, environment=environment) as server:
        check(server.port, list(kept.values()))
        said = servers.vna_with(environment, "fsck", "--json", data=data, codes=(0, 5))
        found = json.loads(said.stdout.split("\n")[0])
        assert (found["missing"], found["no-copy"]) == (0, 0)
