"""Certificates of callers, as far as they say who is calling."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate whose chain and dates were checked.

    `fingerprint`: SHA-256 of its DER in hex. `names`: what its authority vouches for, in lower
    case: the DNS names and mail addresses of the alternative names, or where there are none, the
    common name (RFC 9525 §2).
    """

    fingerprint: str
    names: frozenset[str]

    def fits(self, registered: str) -> bool:
        """Whether it is the one that was `registered`: by fingerprint, else by a name."""
        return registered == self.fingerprint or registered in self.names


def is_fingerprint(registered: str) -> bool:
    """Whether a certificate is registered by its fingerprint, not by a name."""
    return _FINGERPRINT.fullmatch(registered) is not None


def registered(text: str) -> str:
    """A fingerprint or name as it is kept: in lower case, a fingerprint without colons."""
    plain = text.strip().lower()
    hex_digits = plain.removeprefix("sha256:").replace(":", "")
    return hex_digits if is_fingerprint(hex_digits) else plain
