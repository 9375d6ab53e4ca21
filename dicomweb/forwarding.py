"""Queued instances for another archive's STOW-RS (PS3.18 §10.5): one request each, streamed."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing
from urllib.parse import urlsplit

from vna.errors import NotFound, VnaError
from vna.model.caller import Caller, Right
from vna.model.outgoing import Due
from vna.services.retrieve import Form, Retrieve
from vna.services.stored import Stored

SECONDS = 120.0  # for each read and write
_CALLER = Caller("forward", "local", None, frozenset((Right.READ,)))
_BOUNDARY = "vna-forward-7f3a9c5e21"
_TYPE = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}'


class WebForwarding:
    """Sends to DICOMweb services."""

    def __init__(self, retrieve: Retrieve) -> None:
        self._retrieve = retrieve

    def send(self, url: str, batch: Sequence[Due]) -> Iterator[tuple[Due, str]]:
        """See `vna.services.forward.Send`. Raises `OSError` and `http.client.HTTPException` where
        the service cannot be reached."""
        parts = urlsplit(url)
        with closing(_connection(parts.scheme, parts.hostname or "", parts.port)) as connection:
            for due in batch:
                try:
                    (stored,) = self._retrieve.instances(
                        _CALLER, due.study_uid, due.series_uid, due.sop_uid, purpose="forward"
                    )
                except NotFound:
                    yield due, "it is not shown any more"
                    continue
                yield due, self._one(connection, f"{parts.path}/studies", stored)

    def _one(self, connection: http.client.HTTPConnection, path: str, stored: Stored) -> str:
        """Why it was not taken, '' where it was."""
        try:
            body = self._body(stored)
            connection.request(
                "POST",
                path,
                body,
                {
                    "Content-Type": _TYPE,
                    "Accept": "application/dicom+json",
                    "Transfer-Encoding": "chunked",
                },
                encode_chunked=True,
            )
        except VnaError as error:
            connection.close()  # in the middle of a body
            return str(error)
        answer = connection.getresponse()
        answer.read()
        return "" if answer.status in (200, 202) else f"HTTP {answer.status} {answer.reason}"

    def _body(self, stored: Stored) -> Iterator[bytes]:
        payload = self._retrieve.file(stored, Form.STORED)
        media_type = f"application/dicom; transfer-syntax={payload.transfer_syntax}"
        yield f"--{_BOUNDARY}\r\nContent-Type: {media_type}\r\n\r\n".encode()
        yield from payload.chunks()
        yield f"\r\n--{_BOUNDARY}--\r\n".encode()


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)
    return http.client.HTTPConnection(host, port, timeout=SECONDS)
