"""Keys in a bucket of any S3 service, through obstore.

Nothing of a key is there before it is whole (`Capabilities.append` is false). A PUT signs the
SHA-256 of its body, which services check, and its ETag is compared with the MD5 where it is one.
`If-None-Match: *` is sent with every PUT that is not multipart; a service that ignores it
overwrites, which only two writers of the same key can see: the archive's keys are ULIDs. Bytes that
arrive wrong but in the right number are for the layer above to find, which knows their digests.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore.store import S3Config

from storage_backends.base import (
    BackendError,
    BackendFull,
    Buffer,
    Capabilities,
    KeyExists,
    KeyMissing,
    StoredKey,
    WriterPoisoned,
    check_key,
)
from storage_backends.prompt import takes_time

PART_BYTES = 16 * 1024**2  # up to this a key is one PUT; a multipart upload beyond it
LIST_PAGE = 1000
TOKEN = "vna-put"  # says in the metadata of a key which PUT made it
_MD5 = re.compile(r'"?([0-9a-f]{32})"?')


@dataclass(frozen=True, slots=True)
class S3Options:
    """Where a bucket is. Without keys, those of the environment or the machine are used.

    `timeout_seconds` of one request, `retry_seconds` of all attempts at one.
    """

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: str = ""
    timeout_seconds: float = 30.0
    retry_seconds: float = (
        100.0  # longer than a request may take, so that one that hangs is repeated
    )


class S3Backend:
    """A bucket, or what lies below a prefix of it. See `storage_backends.base.Backend`.

    In a bucket that is not there every key is missing, and none can be made.
    """

    capabilities = Capabilities(append=False)

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._store = _opened(options)

    def create(self, key: str) -> S3Writer:
        """Begin a key; nothing of it is there before it is sealed."""
        if self._size(check_key(key)) is not None:
            raise KeyExists(key)
        return S3Writer(self, key)

    def put_new(self, key: str, buffers: Sequence[Buffer]) -> None:
        """One PUT, refused where the key is there."""
        if self._size(check_key(key)) is not None:
            raise KeyExists(key)
        self._put(key, b"".join(buffers))

    def open(self, key: str) -> S3Reader:
        size = self._size(check_key(key))
        if size is None:
            raise KeyMissing(key)
        return S3Reader(self, key, size)

    def delete(self, key: str) -> None:
        if self._size(check_key(key)) is None:
            raise KeyMissing(key)
        with self._asking(key):
            obstore.delete(self._store, key)

    def free(self) -> None:
        """Unknown: S3 has no question for it."""

    def list(self, prefix: str = "") -> Iterator[StoredKey]:
        if prefix:
            check_key(prefix)
        after, again = "", True
        while True:
            try:
                for found in self._listed(prefix, after):
                    after, again = found.key, True
                    yield found
            except BackendError:  # the library asks again, but not where an answer breaks off
                if not again:
                    raise
                again = False
            else:
                return

    def _listed(self, prefix: str, after: str) -> Iterator[StoredKey]:
        with self._asking(prefix):
            for page in obstore.list(
                self._store, prefix or None, offset=after or None, chunk_size=LIST_PAGE
            ):
                for found in page:
                    yield StoredKey(str(found["path"]), int(found["size"]))

    def _put(self, key: str, data: bytes) -> None:
        token = uuid.uuid4().hex
        with self._asking(key):
            try:
                done = self._put_once(key, data, token)
            except AlreadyExistsError:
                if self._token(key) != token:  # else the answer to an earlier attempt was lost
                    raise KeyExists(key) from None
                done = obstore.head(self._store, key)
        said = _MD5.fullmatch(done.get("e_tag") or "")
        if said and said[1] != hashlib.md5(data, usedforsecurity=False).hexdigest():
            raise BackendError(key, "the service stored other bytes than it was sent")

    def _put_once(self, key: str, data: bytes, token: str) -> Mapping[str, Any]:
        attributes = {TOKEN: token}
        try:
            return obstore.put(
                self._store, key, data, mode="create", attributes=attributes, use_multipart=False
            )
        except NotSupportedError:
            return obstore.put(self._store, key, data, attributes=attributes, use_multipart=False)

    def _token(self, key: str) -> object:
        return obstore.get(self._store, key).attributes.get(TOKEN)

    def _size(self, key: str) -> int | None:
        with self._asking(key):
            try:
                return int(obstore.head(self._store, key)["size"])
            except FileNotFoundError:
                return None

    def _read(self, key: str, offset: int, length: int) -> bytes:
        with self._asking(key):
            data = bytes(obstore.get_range(self._store, key, start=offset, length=length))
        if len(data) != length:
            raise BackendError(key, f"the service sent {len(data)} bytes of {length}")
        return data

    @contextmanager
    def _asking(self, key: str) -> Iterator[None]:
        takes_time()
        try:
            yield
        except BackendError:
            raise
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise BackendError(key, f"there is no bucket {self._options.bucket}") from error
            raise KeyMissing(key) from error
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise BackendError(
                key, f"the service at {self._where} refuses the credentials"
            ) from error
        except (BaseError, OSError, TimeoutError) as error:
            if "QuotaExceeded" in str(error) or " 507 " in str(error):
                raise BackendFull(key, "the bucket's quota is used up") from error
            raise BackendError(
                key, f"the service at {self._where} failed: {_short(error)}"
            ) from error

    @property
    def _where(self) -> str:
        return self._options.endpoint or self._options.region


class S3Writer:
    """One key on its way: in memory up to `PART_BYTES`, a multipart upload beyond it."""

    def __init__(self, backend: S3Backend, key: str) -> None:
        self.key = key
        self.size = 0
        self._backend = backend
        self._pending = bytearray()
        self._upload: Any = None
        self._usable = True

    def append(self, buffers: Sequence[Buffer]) -> int:
        self._check()
        offset = self.size
        self._usable = False
        for buffer in buffers:
            self._pending += memoryview(buffer).cast("B")
            if len(self._pending) > PART_BYTES:
                self._send()
        self.size = offset + sum(memoryview(buffer).nbytes for buffer in buffers)
        self._usable = True
        return offset

    def sync(self) -> None:
        """Nothing: only what is sealed is durable."""
        self._check()

    def seal(self) -> None:
        self._check()
        self._usable = False
        if self._upload is None:
            self._backend._put(self.key, bytes(self._pending))
            return
        if self._backend._size(self.key) is not None:  # an upload in parts knows no condition
            raise KeyExists(self.key)
        self._send()
        with self._backend._asking(self.key):
            self._upload.close()
        stored = self._backend._size(self.key)
        if stored != self.size:
            raise BackendError(self.key, f"the service stored {stored} bytes of {self.size}")

    def abandon(self) -> None:
        self._usable = False
        self._pending.clear()
        self._upload = None

    def _send(self) -> None:
        with self._backend._asking(self.key):
            if self._upload is None:
                self._upload = obstore.open_writer(
                    self._backend._store, self.key, buffer_size=PART_BYTES, max_concurrency=2
                )
            self._upload.write(bytes(self._pending))
        self._pending.clear()

    def _check(self) -> None:
        if not self._usable:
            raise WriterPoisoned(self.key, "the writer failed before or is closed")


class S3Reader:
    """One key open for reading."""

    def __init__(self, backend: S3Backend, key: str, size: int) -> None:
        self._backend, self._key, self._size = backend, key, size

    def size(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        length = min(length, self._size - offset)
        return self._backend._read(self._key, offset, length) if length > 0 else b""

    def close(self) -> None:
        """Nothing to give back."""


def _opened(options: S3Options) -> S3Store:
    config: S3Config = {"region": options.region}
    if options.endpoint:
        config["endpoint"] = options.endpoint
    if options.access_key:
        config["access_key_id"] = options.access_key
        config["secret_access_key"] = options.secret_key
    return S3Store(
        options.bucket,
        prefix=options.prefix or None,
        config=config,
        client_options={
            "allow_http": options.endpoint.startswith("http://"),
            "timeout": timedelta(seconds=options.timeout_seconds),
            "connect_timeout": timedelta(seconds=min(5.0, options.timeout_seconds)),
        },
        retry_config={
            "max_retries": 4,
            "retry_timeout": timedelta(seconds=options.retry_seconds),
            "backoff": {
                "init_backoff": timedelta(milliseconds=50),
                "max_backoff": timedelta(seconds=2),
                "base": 2,
            },
        },
    )


def _short(error: BaseException) -> str:
    """The first line of what the library says; it knows no secrets."""
    return str(error).strip().splitlines()[0][:200]
