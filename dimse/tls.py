"""TLS for associations by BCP 195 (PS3.15 §B.12, §B.13): 1.2 with forward secrecy and
authenticated encryption only, or 1.3."""

from __future__ import annotations

import ssl
from pathlib import Path

from vna.errors import InvalidConfiguration

# Of TLS 1.2: no CBC, no RSA key exchange, nothing below SHA-256 (PS3.15 §B.13).
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL:!SHA1:!MD5"


def server_context(
    certificate: str, key: str, client_ca: str, wanted: ssl.VerifyMode = ssl.CERT_REQUIRED
) -> ssl.SSLContext:
    """For peers that call us. With `client_ca` each must (`wanted`: or may) show a certificate of
    one of its authorities. Paths of PEM files. Raises `InvalidConfiguration`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(context, certificate, key)
    if client_ca:
        context.verify_mode = wanted
        _trust(context, client_ca)
    return context


def client_context(certificate: str, key: str, trusted: str) -> ssl.SSLContext:
    """For peers that we call; ours is shown where they ask for it. `trusted`: authorities of
    their certificates, '' for those of the system. Raises `InvalidConfiguration`."""
    context = ssl.create_default_context()
    if trusted:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _trust(context, trusted)
    if certificate:
        _load(context, certificate, key)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    return context


def _load(context: ssl.SSLContext, certificate: str, key: str) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise InvalidConfiguration(f"{certificate} and {key} do not go together: {error}") from None


def _trust(context: ssl.SSLContext, authorities: str) -> None:
    try:
        context.load_verify_locations(cafile=str(Path(authorities)))
    except (OSError, ssl.SSLError) as error:
        raise InvalidConfiguration(f"{authorities} holds no certificates: {error}") from None
