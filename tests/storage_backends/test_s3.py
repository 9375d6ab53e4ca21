"""S3 against a real service: Ceph's gateway."""

from __future__ import annotations

import dataclasses
from itertools import count

import pytest

from storage_backends.base import BackendError, KeyExists, KeyMissing, WriterPoisoned
from storage_backends.s3 import PART_BYTES, S3Backend, S3Options
from tests.objects.archive import content_of
from tests.peers import ceph
from tests.peers.ceph import Ceph
from tests.size import size
from tests.storage_backends.contract import BackendContract, stored

_prefixes = count()


@pytest.fixture(scope="session")
def bucket(s3: Ceph, worker_id: str) -> S3Options:
    """A bucket of this worker's own."""
    name = f"backend-{worker_id}"
    s3.make_bucket(name)
    return S3Options(
        name, endpoint=s3.endpoint, access_key=ceph.ACCESS_KEY, secret_key=ceph.SECRET_KEY
    )


def below(given: S3Options, **changed: str) -> S3Options:
    """The same with a prefix that nobody has used."""
    prefix = f"some/{next(_prefixes)}"
    return dataclasses.replace(given, prefix=prefix, **changed)  # type: ignore[arg-type]


@pytest.fixture
def backend(bucket: S3Options) -> S3Backend:
    return S3Backend(below(bucket))


class TestS3Backend(BackendContract):
    @pytest.fixture
    def backend(self, bucket: S3Options) -> S3Backend:
        return S3Backend(below(bucket))


def test_nothing_is_there_before_a_key_is_sealed(backend: S3Backend) -> None:
    writer = backend.create("a")
    writer.append([b"one"])
    writer.sync()
    with pytest.raises(KeyMissing):
        backend.open("a")
    writer.append([b"two"])
    writer.seal()
    assert stored(backend, "a") == b"onetwo"


def test_an_abandoned_key_is_never_there(backend: S3Backend) -> None:
    for length in (3, PART_BYTES + 3):
        writer = backend.create("a")
        writer.append([bytes(length)])
        writer.abandon()
        with pytest.raises(WriterPoisoned):
            writer.seal()
    assert list(backend.list()) == []


def test_two_writers_of_one_key_have_one_winner(backend: S3Backend) -> None:
    first, second = backend.create("a"), backend.create("a")
    first.append([b"first"])
    second.append([b"second"])
    first.seal()
    with pytest.raises(KeyExists):
        second.seal()
    assert stored(backend, "a") == b"first"


@pytest.mark.parametrize("length", [PART_BYTES, PART_BYTES + 1, size(2, 30) * PART_BYTES + 7])
def test_a_large_key_is_uploaded_in_parts(backend: S3Backend, length: int) -> None:
    content = content_of(1, 1 << 20) * (length >> 20) + content_of(2, length & 0xFFFFF)
    writer = backend.create("big/a")
    for start in range(0, length, 1_000_003):
        writer.append([content[start : start + 1_000_003]])
    assert writer.size == length
    writer.seal()
    reader = backend.open("big/a")
    assert reader.size() == length
    for start in (0, PART_BYTES - 5, length - 10):
        assert reader.read(start, 10) == content[start : start + 10]
    assert stored(backend, "big/a") == content


def test_many_keys_are_listed_page_by_page(bucket: S3Options) -> None:
    backend = S3Backend(below(bucket))
    names = sorted(f"k/{number:05}" for number in range(size(30, 2500)))
    for name in names:
        backend.put_new(name, [name.encode()])
    assert [each.key for each in backend.list("k")] == names


def test_what_is_wrong_with_a_service_is_said(bucket: S3Options) -> None:
    stranger = S3Backend(below(bucket, access_key="nobody"))
    with pytest.raises(BackendError, match="refuses the credentials"):
        stranger.open("a")
    nowhere = S3Backend(below(bucket, bucket="no-such-bucket"))
    with pytest.raises(BackendError, match="no bucket no-such-bucket"):
        nowhere.put_new("a", [b"1"])
    silent = S3Backend(below(bucket, endpoint="http://127.0.0.1:1"))
    with pytest.raises(BackendError, match="failed"):
        silent.open("a")
    for each in (stranger, nowhere, silent):
        with pytest.raises(BackendError) as caught:
            each.put_new("a", [b"1"])
        assert bucket.secret_key not in str(caught.value)
