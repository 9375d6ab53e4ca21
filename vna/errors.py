"""One tree of errors, a class for each decision that a caller can take.

VnaError
├── BadRequest              what was asked is wrong; asking again the same way cannot work
│   ├── InvalidValue            a named value is out of its domain
│   ├── UnknownName             an attribute, option or parameter nobody knows; names the nearest
│   ├── KeyNotIndexed           the filter would need a scan that is too large
│   ├── MalformedObject         the bytes are not what they claim to be
│   ├── MalformedBody           a request body (multipart, JSON) breaks its grammar
│   └── UnsupportedMedia        the body's media type is not one we read
├── NotFound                no such thing, or not for this caller
│   └── Gone                    it was there and has been deleted (trash)
├── NotAcceptable           nothing we can send satisfies what the client accepts
│   ├── Undecodable             no codec here reads the pixel data; they leave only as stored
│   └── Unencodable             the transfer syntax cannot hold these pixels without loss
├── RangeNotSatisfiable     the byte range lies outside the representation
├── Unauthenticated         nobody knows who is asking
├── TooManyAttempts         somebody tried to sign in too often
├── Forbidden               the caller lacks a right
├── Conflict                the state of the archive stands against it
│   └── ObjectRefused           one object of many is not taken; knows its UIDs
│       ├── Refused                 the policy of the source rejects a different object of the UID
│       ├── OtherStudy              it belongs to another study than the sender named
│       ├── OtherInstance           it is another instance than the sender named
│       └── Unfit                   its metadata and bulk data do not make one object
├── Unavailable             try again later: budget, database, storage
│   ├── Overloaded              the byte budget at the door is spent
│   ├── StorageUnavailable      the store failed or is full; nothing was acknowledged
│   └── IndexUnavailable        the database failed; nothing was acknowledged
├── Damaged                 stored bytes are missing or differ from their digest
├── RemoteFailed            another machine could not be reached, or refused
├── DecoderFailed           a process that decodes crashed, hung or ran out of memory
└── InvalidConfiguration    a setting is unknown or out of its domain

`code` is stable and public; attributes hold facts; the text is for people and carries no patient
data, only UIDs and codes. The core knows no protocol: status numbers live at the edges.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class VnaError(Exception):
    """Base of all; never raised itself."""

    code = "error"


class BadRequest(VnaError):
    """What was asked is wrong."""

    code = "bad-request"


class InvalidValue(BadRequest):
    """`name` has a value outside its domain; `rule` completes "it must …"."""

    code = "invalid-value"

    def __init__(self, name: str, value: str, rule: str) -> None:
        self.name, self.value, self.rule = name, value, rule
        super().__init__(f"{name} is {value[:80]!r}; it must {rule}")


class UnknownName(BadRequest):
    """A name that is not known; `nearest` is the closest known one, or None."""

    code = "unknown-name"

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name = kind, name
        found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
        self.nearest = found[0] if found else None
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        super().__init__(f"{kind} {name[:80]!r} is not known{hint}")


class KeyNotIndexed(BadRequest):
    """Filtering by this key would read too many rows (architecture decision 7)."""

    code = "key-not-indexed"

    def __init__(self, name: str, rows: int) -> None:
        self.name, self.rows = name, rows
        super().__init__(
            f"{name} has no index and the other filters leave more than {rows} rows; "
            f"narrow the query, or index it with: vna index-tag add {name}"
        )


class MalformedObject(BadRequest):
    """The bytes cannot be identified as what they claim to be; `offset` in bytes if known."""

    code = "malformed-object"

    def __init__(self, reason: str, offset: int | None = None) -> None:
        self.reason, self.offset = reason, offset
        super().__init__(reason if offset is None else f"{reason} (at byte {offset})")


class MalformedBody(BadRequest):
    """A request body breaks the grammar of its media type."""

    code = "malformed-body"


class UnsupportedMedia(BadRequest):
    """The media type of the body is not one the resource reads."""

    code = "unsupported-media-type"


class NotFound(VnaError):
    """No such thing, or none that this caller may see."""

    code = "not-found"


class Gone(NotFound):
    """It was there and has been deleted."""

    code = "gone"


class NotAcceptable(VnaError):
    """No representation satisfies the Accept header."""

    code = "not-acceptable"


class Undecodable(NotAcceptable):
    """No codec of the archive reads the pixel data; they can be had only as they are stored."""

    code = "undecodable"


class Unencodable(NotAcceptable):
    """The transfer syntax that is asked for cannot hold these pixels without loss."""

    code = "unencodable"


class RangeNotSatisfiable(VnaError):
    """A byte range outside the representation of `size` bytes."""

    code = "range-not-satisfiable"

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"the range lies outside the {size} bytes of this representation")


class Unauthenticated(VnaError):
    """The request does not say who is asking, or says it wrongly."""

    code = "unauthenticated"


class TooManyAttempts(VnaError):
    """Too many attempts to sign in have failed; try again after `retry_after_seconds`."""

    code = "too-many-attempts"

    def __init__(self, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"too many attempts failed; try again in {retry_after_seconds} seconds")


class Forbidden(VnaError):
    """The caller lacks a right."""

    code = "forbidden"


class Conflict(VnaError):
    """The state of the archive stands against the request."""

    code = "conflict"


class ObjectRefused(Conflict):
    """An identified object is not taken, and nothing of it is kept."""

    code = "object-refused"

    def __init__(self, reason: str, *, sop_class: str, sop_uid: str) -> None:
        self.sop_class, self.sop_uid = sop_class, sop_uid
        super().__init__(reason)


class Refused(ObjectRefused):
    """A different object of the same UID, and the source's policy is `reject`."""

    code = "refused-by-policy"


class OtherStudy(ObjectRefused):
    """The object belongs to another study than the one it was sent to (PS3.18 §10.5.1)."""

    code = "other-study"


class OtherInstance(ObjectRefused):
    """The object is another SOP Instance than its command says (PS3.7 §9.3.1.1)."""

    code = "other-instance"


class Unfit(ObjectRefused):
    """Metadata and bulk data make no object: the text names what is missing or contradicts."""

    code = "unfit-object"


class Unavailable(VnaError):
    """Try again later; nothing was acknowledged. `retry_after_seconds` is a hint."""

    code = "unavailable"
    retry_after_seconds = 5


class Overloaded(Unavailable):
    """The byte budget at the door is spent."""

    code = "overloaded"
    retry_after_seconds = 2


class StorageUnavailable(Unavailable):
    """The store failed or is full."""

    code = "storage-unavailable"


class SegmentClosed(StorageUnavailable):
    """The segment was closed to further records while a batch was on its way."""

    code = "segment-closed"


class IndexUnavailable(Unavailable):
    """The database failed or is out of reach."""

    code = "index-unavailable"


class Damaged(VnaError):
    """Stored bytes are missing or differ from their digest; `sha256` names the object."""

    code = "damaged"

    def __init__(self, sha256: str, reason: str) -> None:
        self.sha256, self.reason = sha256, reason
        super().__init__(f"object {sha256} is damaged: {reason}")


class RemoteFailed(VnaError):
    """Another machine could not be reached, or refused what we asked of it."""

    code = "remote-failed"


class DecoderFailed(VnaError):
    """The process that decoded it crashed, hung or ran out of memory."""

    code = "decoder-failed"


class InvalidConfiguration(VnaError):
    """A setting is unknown, missing or out of its domain."""

    code = "invalid-configuration"
