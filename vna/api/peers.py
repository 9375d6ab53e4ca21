"""/api/v1/aes, /strangers and /called-titles: who speaks DIMSE with the archive."""

from __future__ import annotations

from dataclasses import dataclass, field

from vna.api.endpoint import Call, Endpoint, moment
from vna.model.archive import DuplicatePolicy
from vna.model.peer import ALL_SERVICES, CalledView, Peer, Service, Stranger, View
from vna.services.coercions import coercion, name_of, values_of
from vna.services.peers import Peers


@dataclass(frozen=True, slots=True)
class CoercionView:
    """An attribute (keyword or tag) of studies and series that an AE brings. `values`: what is
    shown instead; null takes the attribute away."""

    attribute: str
    values: list[str] | None


@dataclass(frozen=True, slots=True)
class KnownAs:
    """What is known of an AE. Without `host` and `port` it is never called. `duplicates`: null is
    the archive's policy; `authority`, `organisation`, `character_set`: "" is the archive's.
    `own_only`: it finds and fetches only what its `organisation` owns. `certificate`: SHA-256 or
    a name of the one that it must show, "" for none. `coercions`: of what it sends."""

    host: str = ""
    port: int = 0
    tls: bool = False
    services: list[Service] = field(default_factory=lambda: _sorted(ALL_SERVICES))
    authority: str = ""
    organisation: str = ""
    character_set: str = ""
    duplicates: DuplicatePolicy | None = None
    announce: bool = False
    own_only: bool = False
    certificate: str = ""
    coercions: list[CoercionView] = field(default_factory=list)
    description: str = ""


@dataclass(frozen=True, slots=True)
class AeView:
    """An application entity that is known."""

    title: str
    host: str
    port: int
    tls: bool
    services: list[Service]
    authority: str
    organisation: str
    character_set: str
    duplicates: DuplicatePolicy | None
    announce: bool
    own_only: bool
    certificate: str
    coercions: list[CoercionView]
    description: str


@dataclass(frozen=True, slots=True)
class AeList:
    """By title."""

    aes: list[AeView]


@dataclass(frozen=True, slots=True)
class StrangerView:
    """A caller that was not let in. `reason`: of its latest call, in plain words."""

    title: str
    address: str
    called: str
    first_seen: str | None
    last_seen: str | None
    times: int
    reason: str


@dataclass(frozen=True, slots=True)
class StrangerList:
    """The latest first."""

    strangers: list[StrangerView]


@dataclass(frozen=True, slots=True)
class Approval:
    """Whom to let in. With a `port` it is called too, at `host` or else where it called from."""

    title: str
    port: int = 0
    host: str = ""
    services: list[Service] = field(default_factory=lambda: _sorted(ALL_SERVICES))
    organisation: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Shows:
    """What those see who call a title. `organisation`: for the view of one."""

    view: View
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class CalledTitleView:
    """An AE title that the archive answers to."""

    title: str
    view: View
    organisation: str


@dataclass(frozen=True, slots=True)
class CalledTitleList:
    """By title."""

    called_titles: list[CalledTitleView]


def operations(peers: Peers) -> list[Endpoint]:
    """The operations of application entities."""

    def list_aes(call: Call) -> AeList:
        """The application entities that are known."""
        return AeList([_ae(each) for each in peers.all(call.caller)])

    def show_ae(call: Call) -> AeView:
        """One application entity."""
        return _ae(peers.get(call.caller, call.path["title"]))

    def put_ae(call: Call) -> AeView:
        """Make an application entity known, or replace what is known of it, without a restart."""
        body: KnownAs = call.body
        wanted = Peer(
            title=call.path["title"],
            host=body.host,
            port=body.port,
            tls=body.tls,
            services=frozenset(body.services),
            authority=body.authority,
            organisation=body.organisation,
            character_set=body.character_set,
            policy=body.duplicates,
            announce=body.announce,
            own_only=body.own_only,
            certificate=body.certificate,
            coercions=tuple(coercion(each.attribute, each.values) for each in body.coercions),
            description=body.description,
        )
        return _ae(peers.put(call.caller, wanted))

    def remove_ae(call: Call) -> None:
        """Forget an application entity. What it sent stays."""
        peers.remove(call.caller, call.path["title"])

    def list_strangers(call: Call) -> StrangerList:
        """Who called and was not let in, and why."""
        return StrangerList([_stranger(each) for each in peers.strangers(call.caller)])

    def approve_stranger(call: Call) -> AeView:
        """Make a stranger known."""
        body: Approval = call.body
        made = peers.approve(
            call.caller,
            body.title,
            port=body.port,
            host=body.host,
            services=frozenset(body.services),
            organisation=body.organisation,
            description=body.description,
        )
        return _ae(made)

    def list_called_titles(call: Call) -> CalledTitleList:
        """The AE titles that the archive answers to besides its own."""
        return CalledTitleList([_called(each) for each in peers.all_views(call.caller)])

    def put_called_title(call: Call) -> CalledTitleView:
        """Answer to a title, or change what it shows."""
        body: Shows = call.body
        wanted = CalledView(call.path["title"], body.view, body.organisation)
        return _called(peers.put_view(call.caller, wanted))

    def remove_called_title(call: Call) -> None:
        """Answer to a title no more."""
        peers.remove_view(call.caller, call.path["title"])

    return [
        Endpoint("GET", "/aes", list_aes, AeList),
        Endpoint("GET", "/aes/{title:rest}", show_ae, AeView),
        Endpoint("PUT", "/aes/{title:rest}", put_ae, AeView, body=KnownAs),
        Endpoint("DELETE", "/aes/{title:rest}", remove_ae, None),
        Endpoint("GET", "/strangers", list_strangers, StrangerList),
        Endpoint("POST", "/strangers/approve", approve_stranger, AeView, body=Approval),
        Endpoint("GET", "/called-titles", list_called_titles, CalledTitleList),
        Endpoint(
            "PUT", "/called-titles/{title:rest}", put_called_title, CalledTitleView, body=Shows
        ),
        Endpoint("DELETE", "/called-titles/{title:rest}", remove_called_title, None),
    ]


def _sorted(services: frozenset[Service]) -> list[Service]:
    return sorted(services, key=lambda each: each.value)


def _ae(peer: Peer) -> AeView:
    return AeView(
        title=peer.title,
        host=peer.host,
        port=peer.port,
        tls=peer.tls,
        services=_sorted(peer.services),
        authority=peer.authority,
        organisation=peer.organisation,
        character_set=peer.character_set,
        duplicates=peer.policy,
        announce=peer.announce,
        own_only=peer.own_only,
        certificate=peer.certificate,
        coercions=[CoercionView(name_of(each), values_of(each)) for each in peer.coercions],
        description=peer.description,
    )


def _stranger(each: Stranger) -> StrangerView:
    return StrangerView(
        title=each.title,
        address=each.address,
        called=each.called,
        first_seen=moment(each.first_seen),
        last_seen=moment(each.last_seen),
        times=each.times,
        reason=each.reason,
    )


def _called(each: CalledView) -> CalledTitleView:
    return CalledTitleView(each.title, each.view, each.organisation)
