"""Who speaks DIMSE with the archive: application entities, and the names we answer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from vna.model.archive import DuplicatePolicy


class Service(Enum):
    """What a peer may ask of the archive."""

    STORE = "store"
    FIND = "find"
    RETRIEVE = "retrieve"
    COMMIT = "commit"


ALL_SERVICES = frozenset(Service)


@dataclass(frozen=True, slots=True)
class Coercion:
    """A change of every study and series that an AE brings. `path`: tag of an attribute of one;
    `value`: the DICOM JSON attribute that it becomes, None takes it away."""

    path: str
    value: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Peer:
    """An application entity that is known. `host` '' and `port` 0: we never call it.

    Of what it sends, `authority` issued the identifiers that name no issuer, and `organisation` (a
    code) is the owner; '' is the archive's default, as None is for `policy`. `character_set`
    (defined terms of PS3.3 §C.12.1.1.2, as an object has them): of its questions that name none.
    `announce`: we tell it of every study that has settled. `own_only`: it finds, retrieves and has
    committed only what its organisation owns. `certificate` (as `vna.model.certificate.registered`
    keeps one): who calls by that title must show it; '' asks for none. `coercions`: overlays that
    are laid over what it sends.
    """

    title: str
    host: str = ""
    port: int = 0
    tls: bool = False
    services: frozenset[Service] = ALL_SERVICES
    authority: str = ""
    organisation: str = ""
    character_set: str = ""
    policy: DuplicatePolicy | None = None
    announce: bool = False
    own_only: bool = False
    certificate: str = ""
    coercions: tuple[Coercion, ...] = ()
    description: str = ""

    @property
    def can_be_called(self) -> bool:
        """Whether its address is known."""
        return bool(self.host and self.port)


class View(Enum):
    """What those see who call one of our AE titles."""

    NORMAL = "normal"
    AS_RECEIVED = "as-received"  # without corrections
    ORGANISATION = "organisation"  # what one organisation owns


@dataclass(frozen=True, slots=True)
class CalledView:
    """One of our AE titles. `organisation`: the code, for that view only, else ''."""

    title: str
    view: View = View.NORMAL
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A caller that was not let in. Times: ms since 1970 UTC by the database's clock.

    `reason`: why, in plain words, of its latest call. `times`: how often it was noted, at most
    once a second by each process.
    """

    title: str
    address: str
    called: str
    first_seen: int
    last_seen: int
    times: int
    reason: str
