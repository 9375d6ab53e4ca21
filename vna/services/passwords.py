"""Passwords: hashed slowly (scrypt, RFC 7914), and compared without telling anything by time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import threading
import unicodedata

from vna.errors import InvalidValue, Overloaded

SHORTEST, LONGEST = 12, 200  # characters
# 32 MiB and about a fifth of a second; OWASP's list of equal strengths (N = 2^15, r = 8, p = 3).
_LOG2_N, _R, _P = 15, 8, 3
_MEMORY = 64 << 20
_AT_ONCE = 2  # of a process: whoever knocks often must not take memory and threads of the others
_WAIT_SECONDS = 2.0
_turns = threading.BoundedSemaphore(_AT_ONCE)


def hashed(password: str) -> str:
    """What is kept of a password: the parameters, a salt and the hash.

    Raises `InvalidValue` for one that is too short or long.
    """
    if not SHORTEST <= len(password) <= LONGEST or not password.strip():
        raise InvalidValue("password", "", f"have {SHORTEST} to {LONGEST} characters")
    salt = os.urandom(16)
    made = _scrypt(password, salt, _LOG2_N, _R, _P)
    words = (_LOG2_N, _R, _P, _text(salt), _text(made))
    return "$".join(("scrypt", *map(str, words)))


def verified(password: str, kept: str) -> bool:
    """Whether `password` is the one that is `kept`; '' is nobody's, and takes as long.

    Raises `Overloaded` where too many ask at once.
    """
    _, log2_n, r, p, salt, made = (kept or _NOBODYS).split("$")
    found = _scrypt(password[: LONGEST + 1], _bytes(salt), int(log2_n), int(r), int(p))
    return hmac.compare_digest(found, _bytes(made)) and bool(kept)


def _scrypt(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    secret = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    if not _turns.acquire(timeout=_WAIT_SECONDS):
        raise Overloaded("too many sign in at once")
    try:
        return hashlib.scrypt(secret, salt=salt, n=1 << log2_n, r=r, p=p, maxmem=_MEMORY, dklen=32)
    finally:
        _turns.release()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


_NOBODYS = f"scrypt${_LOG2_N}${_R}${_P}${_text(bytes(16))}${_text(bytes(32))}"
