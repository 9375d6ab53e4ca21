"""From a TLS connection to the certificate that the other side showed."""

from __future__ import annotations

import hashlib
import ssl
from typing import Any

from vna.model.certificate import Certificate


def shown_by(connection: ssl.SSLSocket | ssl.SSLObject | None) -> Certificate | None:
    """The certificate of the other side; None without TLS, or where it showed none.

    Only one whose chain and dates TLS has checked is told: Python gives the fields of no other.
    """
    if connection is None:
        return None
    der, fields = connection.getpeercert(binary_form=True), connection.getpeercert()
    if not der or not fields:
        return None
    return Certificate(hashlib.sha256(der).hexdigest(), _names(fields))


def _names(fields: dict[str, Any]) -> frozenset[str]:
    named = {
        value.lower()
        for kind, value in fields.get("subjectAltName", ())
        if kind in ("DNS", "email") and value
    }
    common = {
        value.lower()
        for relative in fields.get("subject", ())
        for kind, value in relative
        if kind == "commonName" and value
    }
    return frozenset(named or common)
