"""The archive's own signature under what it states: Ed25519 (RFC 8032), detached.

`openssl pkeyutl -verify -rawin -pubin -inkey PUBLIC -in FILE -sigfile FILE.sig` checks it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from vna.errors import InvalidConfiguration

SIGNATURE = ".sig"  # behind the name of what was signed
PUBLIC_KEY = "signing-key.pub.pem"


class SigningKey:
    """A private key that states what it has signed."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def open(cls, path: Path) -> SigningKey:
        """The key in a PEM file; made there, for its owner alone, where there is none.

        Raises `InvalidConfiguration` where the file is none or cannot be made.
        """
        try:
            if not path.exists():
                _make(path)
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise InvalidConfiguration(f"{path} cannot be used to sign: {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidConfiguration(
                f"{path} is no Ed25519 key: openssl genpkey -algorithm ed25519"
            )
        return cls(key)

    @property
    def public(self) -> bytes:
        """The public key as PEM (SubjectPublicKeyInfo)."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key (DER), in hexadecimal: to be read to somebody on the phone."""
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(data)


def _make(path: Path) -> None:
    made = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)  # of two processes that make one, both use the first
    except FileExistsError:
        return
    finally:
        part.unlink(missing_ok=True)
