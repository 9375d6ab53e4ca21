"""The protocol data units of the DICOM upper layer as values and bytes (PS3.8 §9.3, PS3.7 §D.3.3).

Sans-IO. `decode` takes the body of one PDU, `encode` gives a whole one. P-DATA-TF, the hot one, is
read in place by `fragments`. What breaks the grammar is a `MalformedPdu` that says where; unknown
items are skipped, as the standard asks of a receiver (PS3.8 §9.3.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from struct import error as out_of_data
from struct import pack, unpack_from

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
HEAD = 6  # bytes: type, reserved, length (4)
FRAGMENT_HEAD = 6  # bytes of a PDV item: length (4), context, control
IS_COMMAND, IS_LAST = 1, 2  # bits of a PDV's message control header (PS3.8 §E.2)


class Kind(IntEnum):
    """PDU types."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    DATA = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


class MalformedPdu(Exception):
    """Bytes that are no PDU of ours. `reason`: of the A-ABORT that answers them (PS3.8 §9.3.8)."""

    def __init__(self, text: str, reason: int = 6) -> None:
        self.reason = reason
        super().__init__(text)


UNRECOGNISED_PDU = 1
UNEXPECTED_PDU = 2
INVALID_PARAMETER = 6


@dataclass(frozen=True, slots=True)
class Proposed:
    """A presentation context as it is asked for; `id` is odd, 1 to 255."""

    id: int
    abstract: str
    transfers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A presentation context as it was answered. `result`: 0 accepted, 1 user rejection, 2 no
    reason, 3 abstract syntax not supported, 4 transfer syntaxes not supported."""

    id: int
    result: int
    transfer: str


@dataclass(frozen=True, slots=True)
class Role:
    """SCP/SCU role selection for one SOP class (PS3.7 §D.3.3.4)."""

    sop_class: str
    scu: bool
    scp: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """User identity (PS3.7 §D.3.3.7). `kind`: 1 name, 2 name and passcode, 3 Kerberos, 4 SAML,
    5 JWT."""

    kind: int
    wants_answer: bool
    primary: bytes = field(repr=False)
    secondary: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class CommonExtended:
    """What service class an unknown SOP class belongs to (PS3.7 §D.3.3.6)."""

    sop_class: str
    service_class: str
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """User information of a request or an acceptance. `longest`: bytes of the largest P-DATA PDU
    body that the sender of this takes; 0 = no limit. `window`: asynchronous operations (invoked,
    performed), None where it is not negotiated. `identity_answer`: of an acceptance."""

    longest: int = 0
    implementation: str = ""
    version: str = ""
    roles: tuple[Role, ...] = ()
    extended: tuple[tuple[str, bytes], ...] = ()  # SOP class, service class application information
    common: tuple[CommonExtended, ...] = ()
    window: tuple[int, int] | None = None
    identity: Identity | None = None
    identity_answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class AssociateRequest:
    """A-ASSOCIATE-RQ."""

    called: str
    calling: str
    contexts: tuple[Proposed, ...]
    user: User
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1


@dataclass(frozen=True, slots=True)
class AssociateAccept:
    """A-ASSOCIATE-AC; the titles are those of the request."""

    called: str
    calling: str
    contexts: tuple[Answered, ...]
    user: User


@dataclass(frozen=True, slots=True)
class AssociateReject:
    """A-ASSOCIATE-RJ (PS3.8 table 9-21)."""

    result: int
    source: int
    reason: int


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """A-RELEASE-RQ."""


@dataclass(frozen=True, slots=True)
class ReleaseReply:
    """A-RELEASE-RP."""


@dataclass(frozen=True, slots=True)
class Abort:
    """A-ABORT. `source`: 0 the other application, 2 its upper layer (PS3.8 table 9-26)."""

    source: int = 2
    reason: int = 0


Pdu = AssociateRequest | AssociateAccept | AssociateReject | ReleaseRequest | ReleaseReply | Abort


def decode(kind: int, body: bytes | memoryview) -> Pdu:
    """The PDU of this type whose body (all after the length) is `body`; not P-DATA-TF.

    Raises `MalformedPdu`.
    """
    body = bytes(body)
    try:
        match kind:
            case Kind.ASSOCIATE_RQ:
                return _request(body)
            case Kind.ASSOCIATE_AC:
                return _accept(body)
            case Kind.ASSOCIATE_RJ:
                return AssociateReject(*unpack_from("BBB", body, 1))
            case Kind.RELEASE_RQ:
                return ReleaseRequest()
            case Kind.RELEASE_RP:
                return ReleaseReply()
            case Kind.ABORT:
                return Abort(*unpack_from("BB", body, 2))
    except out_of_data:
        raise MalformedPdu(f"a PDU of type {kind:02X} ends too early") from None
    raise MalformedPdu(f"there is no PDU of type {kind:02X}", UNRECOGNISED_PDU)


def encode(pdu: Pdu) -> bytes:
    """A whole PDU."""
    match pdu:
        case AssociateRequest():
            contexts = [_item(0x20, _proposed(each)) for each in pdu.contexts]
            return _pdu(Kind.ASSOCIATE_RQ, _association(pdu, pdu.protocol_version, contexts))
        case AssociateAccept():
            contexts = [_item(0x21, _answered(each)) for each in pdu.contexts]
            return _pdu(Kind.ASSOCIATE_AC, _association(pdu, 1, contexts))
        case AssociateReject():
            return _pdu(Kind.ASSOCIATE_RJ, bytes((0, pdu.result, pdu.source, pdu.reason)))
        case ReleaseRequest():
            return _pdu(Kind.RELEASE_RQ, bytes(4))
        case ReleaseReply():
            return _pdu(Kind.RELEASE_RP, bytes(4))
        case Abort():
            return _pdu(Kind.ABORT, bytes((0, 0, pdu.source, pdu.reason)))


def fragments(body: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """(context id, message control header, bytes) of each PDV in the body of a P-DATA-TF.

    The bytes lie in `body`. Raises `MalformedPdu`.
    """
    at, end = 0, len(body)
    while at < end:
        if end - at < FRAGMENT_HEAD:
            raise MalformedPdu("a PDV item ends in its head")
        length, context, control = unpack_from(">IBB", body, at)
        stop = at + 4 + length
        if length < 2 or stop > end:
            raise MalformedPdu("a PDV item is longer than its PDU")
        yield context, control, body[at + FRAGMENT_HEAD : stop]
        at = stop


def data_head(context: int, control: int, length: int) -> bytes:
    """What stands before `length` bytes that are sent as a P-DATA-TF with one PDV."""
    return pack(">BBIIBB", Kind.DATA, 0, length + FRAGMENT_HEAD, length + 2, context, control)


# ── from bytes ───────────────────────────────────────────────────────────────────────────────────


def _title(raw: bytes) -> str:
    return raw.decode("latin-1").strip(" \0")


def _uid(raw: bytes) -> str:
    return raw.decode("latin-1").strip("\0 ")


def _items(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at < len(data):
        kind, length = unpack_from(">BxH", data, at)
        value = data[at + 4 : at + 4 + length]
        if len(value) != length:
            raise MalformedPdu(f"an item of type {kind:02X} is longer than what it lies in")
        yield kind, value
        at += 4 + length


def _request(body: bytes) -> AssociateRequest:
    version, called, calling = unpack_from(">H2x16s16s32x", body)
    contexts: list[Proposed] = []
    user, application = User(), ""
    for kind, value in _items(body, 68):
        if kind == 0x10:
            application = _uid(value)
        elif kind == 0x20:
            contexts.append(_read_proposed(value))
        elif kind == 0x50:
            user = _read_user(value)
    seen = [each.id for each in contexts]
    if len(set(seen)) != len(seen) or any(not id % 2 for id in seen):
        raise MalformedPdu("presentation context ids must be odd and different", INVALID_PARAMETER)
    return AssociateRequest(
        _title(called), _title(calling), tuple(contexts), user, application, version
    )


def _accept(body: bytes) -> AssociateAccept:
    _, called, calling = unpack_from(">H2x16s16s32x", body)
    contexts: list[Answered] = []
    user = User()
    for kind, value in _items(body, 68):
        if kind == 0x21:
            id, result = unpack_from("BxBx", value)
            transfer = next((_uid(v) for kind, v in _items(value, 4) if kind == 0x40), "")
            contexts.append(Answered(id, result, transfer))
        elif kind == 0x50:
            user = _read_user(value)
    return AssociateAccept(_title(called), _title(calling), tuple(contexts), user)


def _read_proposed(data: bytes) -> Proposed:
    (id,) = unpack_from("B3x", data)
    abstract, transfers = "", []
    for kind, value in _items(data, 4):
        if kind == 0x30:
            abstract = _uid(value)
        elif kind == 0x40:
            transfers.append(_uid(value))
    return Proposed(id, abstract, tuple(transfers))


def _read_user(data: bytes) -> User:
    longest, implementation, version = 0, "", ""
    roles, extended, common = [], [], []
    window = identity = answer = None
    for kind, value in _items(data, 0):
        match kind:
            case 0x51:
                (longest,) = unpack_from(">I", value)
            case 0x52:
                implementation = _uid(value)
            case 0x53:
                window = unpack_from(">HH", value)
            case 0x54:
                name, rest = _counted(value, 0)
                scu, scp = unpack_from("BB", value, rest)
                roles.append(Role(_uid(name), bool(scu), bool(scp)))
            case 0x55:
                version = _title(value)
            case 0x56:
                name, rest = _counted(value, 0)
                extended.append((_uid(name), value[rest:]))
            case 0x57:
                common.append(_read_common(value))
            case 0x58:
                form, wants = unpack_from("BB", value)
                primary, rest = _counted(value, 2)
                secondary, _ = _counted(value, rest)
                identity = Identity(form, bool(wants), primary, secondary)
            case 0x59:
                answer, _ = _counted(value, 0)
    return User(
        longest,
        implementation,
        version,
        tuple(roles),
        tuple(extended),
        tuple(common),
        window,
        identity,
        answer,
    )


def _read_common(value: bytes) -> CommonExtended:
    sop_class, at = _counted(value, 0)
    service_class, at = _counted(value, at)
    (length,) = unpack_from(">H", value, at)
    related, end = [], at + 2 + length
    at += 2
    while at < end:
        uid, at = _counted(value, at)
        related.append(_uid(uid))
    return CommonExtended(_uid(sop_class), _uid(service_class), tuple(related))


def _counted(data: bytes, at: int) -> tuple[bytes, int]:
    """The value behind a 16-bit length, and where it ends."""
    (length,) = unpack_from(">H", data, at)
    value = data[at + 2 : at + 2 + length]
    if len(value) != length:
        raise MalformedPdu("a field is longer than its item")
    return value, at + 2 + length


# ── to bytes ─────────────────────────────────────────────────────────────────────────────────────


def _pdu(kind: Kind, body: bytes) -> bytes:
    return pack(">BBI", kind, 0, len(body)) + body


def _item(kind: int, value: bytes) -> bytes:
    return pack(">BBH", kind, 0, len(value)) + value


def _count(value: bytes) -> bytes:
    return pack(">H", len(value)) + value


def _association(
    pdu: AssociateRequest | AssociateAccept, version: int, contexts: list[bytes]
) -> bytes:
    titles = (
        each.encode("latin-1", "replace").ljust(16)[:16] for each in (pdu.called, pdu.calling)
    )
    head = pack(">HH", version, 0) + b"".join(titles) + bytes(32)
    name = getattr(pdu, "application_context", APPLICATION_CONTEXT)
    return b"".join((head, _item(0x10, name.encode()), *contexts, _item(0x50, _user(pdu.user))))


def _proposed(context: Proposed) -> bytes:
    transfers = b"".join(_item(0x40, uid.encode("latin-1")) for uid in context.transfers)
    return (
        bytes((context.id, 0, 0, 0)) + _item(0x30, context.abstract.encode("latin-1")) + transfers
    )


def _answered(context: Answered) -> bytes:
    name = _item(0x40, context.transfer.encode("latin-1"))
    return bytes((context.id, 0, context.result, 0)) + name


def _user(user: User) -> bytes:
    out = [_item(0x51, pack(">I", user.longest))]
    if user.implementation:
        out.append(_item(0x52, user.implementation.encode()))
    if user.window is not None:
        out.append(_item(0x53, pack(">HH", *user.window)))
    for role in user.roles:
        out.append(_item(0x54, _count(role.sop_class.encode()) + bytes((role.scu, role.scp))))
    if user.version:
        out.append(_item(0x55, user.version.encode()))
    for name, information in user.extended:
        out.append(_item(0x56, _count(name.encode()) + information))
    for each in user.common:
        related = b"".join(_count(uid.encode()) for uid in each.related)
        names = _count(each.sop_class.encode()) + _count(each.service_class.encode())
        out.append(_item(0x57, names + _count(related)))
    if user.identity is not None:
        who = user.identity
        head = bytes((who.kind, who.wants_answer))
        out.append(_item(0x58, head + _count(who.primary) + _count(who.secondary)))
    if user.identity_answer is not None:
        out.append(_item(0x59, _count(user.identity_answer)))
    return b"".join(out)
