"""The certificate that a client showed, from the connection to the request."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from vna.http.request import Scope
from vna.model.certificate import Certificate
from vna.services.peer_certificate import shown_by

_KEY = "vna.certificate"


class CertifiedProtocol(HttpToolsProtocol):
    """HTTP over TLS that tells applications the client's certificate.

    It is that of the connection, and never what a header says.
    """

    _certificate: Certificate | None = None

    def connection_made(self, transport: Any) -> None:
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._certificate = shown_by(transport.get_extra_info("ssl_object"))

    def on_message_begin(self) -> None:
        """See `HttpToolsProtocol`."""
        super().on_message_begin()
        self.scope["extensions"] = {_KEY: {"certificate": self._certificate}}


def certificate_of(scope: Scope) -> Certificate | None:
    """The client's certificate, None where it showed none."""
    found: Certificate | None = scope.get("extensions", {}).get(_KEY, {}).get("certificate")
    return found
