"""One way to see an instance, and who gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from vna.services.payload import Payload
from vna.services.stored import Stored

Headers = tuple[tuple[str, str], ...]

# What is text of a stranger is shown, and can do nothing else in a browser.
SANDBOX: Headers = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'; sandbox",
    ),
)


@dataclass(frozen=True, slots=True)
class View:
    """A representation to send. `media_type`: with its parameters; `headers`: that belong to it;
    `warning`: what the client should hear, "" for nothing."""

    media_type: str
    payload: Payload
    headers: Headers = ()
    warning: str = ""


class Viewer(Protocol):
    """Gives views of one kind of instance.

    `media_types`: those that it can give of an instance, without parameters, the default first.
    `parameters`: of the query, that it knows; others are `UnknownName`.
    """

    @property
    def parameters(self) -> tuple[str, ...]: ...

    def media_types(self, stored: Stored) -> tuple[str, ...]: ...

    def show(self, stored: Stored, media_type: str, asked: Mapping[str, str]) -> View:
        """The view in one of its media types. `asked`: query parameters by name.

        Raises `InvalidValue`, `UnknownName`, `NotAcceptable`, `NotFound`, `DecoderFailed`.
        """
        ...


def whole(data: bytes) -> Payload:
    """Bytes in memory as a payload."""

    def part(start: int, length: int | None) -> Iterator[bytes]:
        yield data[start : None if length is None else start + length]

    return Payload("", len(data), part)


def disposition(stored: Stored, suffix: str, *, inline: bool = True) -> tuple[str, str]:
    """The header that names the file: by its UID, never by its patient."""
    kind = "inline" if inline else "attachment"
    name = "".join(each for each in stored.sop_uid if each.isascii() and each in "0123456789.")
    return ("Content-Disposition", f'{kind}; filename="{name}.{suffix}"')
