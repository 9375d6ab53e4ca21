"""Every setting: one declaration with its default and its meaning.

The names of flags, environment variables and TOML keys, `vna config show` and the table in
docs/operate.md are derived from these declarations (tests/config and tests/test_house.py check).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from vna.config import values
from vna.config.stores import StoreSetting, stores
from vna.config.values import Reader

MIB = 1 << 20
GIB = 1 << 30
DATA_FOLDER = Path("vna-data")


def _setting(default: Any, doc: str, read: Reader, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"doc": doc, "read": read, "secret": secret})


@dataclass(frozen=True, slots=True)
class Server:
    """[server]"""

    workers: int = _setting(
        min(os.cpu_count() or 1, 8), "HTTP worker processes.", values.number(1, 256)
    )
    threads: int = _setting(
        8, "Threads of each worker that commit, read and query.", values.number(1, 256)
    )
    public_url: str = _setting(
        "",
        "Where clients reach this server: scheme, host and path prefix of every URL in an answer. "
        "Empty: the listening address.",
        values.web_url,
    )
    budget: int = _setting(
        256 * MIB,
        "Bytes of requests under way that each worker holds in memory; beyond it 503.",
        values.size(16 * MIB),
    )
    drain_seconds: int = _setting(
        30, "How long SIGTERM waits for requests under way.", values.number(0, 3600)
    )


@dataclass(frozen=True, slots=True)
class Dicomweb:
    """[dicomweb]"""

    root: str = _setting("/dicomweb", "Path of the DICOMweb services.", values.url_path)
    max_results: int = _setting(
        5000, "Most results of one search; more are told by a Warning.", values.number(1, 1_000_000)
    )
    strict_accept: bool = _setting(
        False, "406 for a retrieval without Accept header (PS3.18 §8.7.5).", values.switch
    )
    ignored_parameters: tuple[str, ...] = _setting(
        (), "Unknown search parameters that get a Warning and not a 400.", values.words
    )


@dataclass(frozen=True, slots=True)
class Ingest:
    """[ingest]"""

    duplicates: str = _setting(
        "version",
        "A different object of a known SOP Instance UID: kept as a version that may become "
        "current (version), kept but never current (first-wins), or not kept (reject).",
        values.choice("version", "first-wins", "reject"),
    )
    authority: str = _setting("", "Issuer of patient identifiers that name none.", values.text)
    quiet_seconds: int = _setting(
        30, "A study without news for so long is settled.", values.number(1, 86_400)
    )
    organisation: str = _setting(
        "default", "Code of the organisation that owns what is received.", values.text
    )


@dataclass(frozen=True, slots=True)
class Store:
    """[store]"""

    segment_size: int = _setting(GIB, "A segment is sealed at this size.", values.size(MIB))
    ack_copies: int = _setting(
        1, "In how many stores an object is durable before it is acknowledged.", values.number(1, 8)
    )
    copies: int = _setting(
        1,
        "How many copies of everything are kept in the end, in different domains where there are "
        "any.",
        values.number(1, 8),
    )
    reserve: int = _setting(
        GIB,
        "Bytes that new objects leave free in a hot store, for decisions and for what gives space "
        "back, and in the data folder.",
        values.size(16 * MIB),
    )
    scrub_days: int = _setting(
        90, "Every copy is read and checked once in so many days.", values.number(1, 36_500)
    )
    scrub_rate: int = _setting(
        32 * MIB,
        "Bytes a second that are read for that; 0: as many as come.",
        values.size(0),
    )
    renditions: int = _setting(
        4 * GIB,
        "Bytes of transcoded and rendered images kept in the data folder; 0: none.",
        values.size(0),
    )


@dataclass(frozen=True, slots=True)
class Decoders:
    """[decoders]"""

    processes: int = _setting(
        2, "Most processes of each HTTP worker that decode and render.", values.number(1, 64)
    )
    seconds: int = _setting(
        30, "Most time of one decoding; then its process is ended.", values.number(1, 3600)
    )
    memory: int = _setting(2 * GIB, "Most memory of a decoder process.", values.size(256 * MIB))


@dataclass(frozen=True, slots=True)
class Access:
    """[access]"""

    control: str = _setting(
        "off",
        "on: every request shows who is asking (vna token, vna user). off: whoever can connect is "
        "the administrator; on loopback only.",
        values.choice("off", "on"),
    )
    behind_proxy: bool = _setting(
        False,
        "A proxy in front ends TLS, so that plain HTTP may be served beyond loopback; the last "
        "address of its X-Forwarded-For counts as the client's.",
        values.switch,
    )
    session_idle_minutes: int = _setting(
        30, "A session that is not used for so long has ended.", values.number(1, 1440)
    )
    session_hours: int = _setting(
        12, "A session ends after so long, used or not.", values.number(1, 720)
    )


@dataclass(frozen=True, slots=True)
class Tls:
    """[tls]"""

    certificate: str = _setting(
        "", "PEM file of the server's certificate and its chain: HTTPS.", values.text
    )
    key: str = _setting("", "PEM file of its private key.", values.text)
    client_ca: str = _setting(
        "",
        "PEM file of authorities; who calls over DIMSE with TLS must show a certificate of one, "
        "over HTTPS it may, where access control is on.",
        values.text,
    )
    trusted: str = _setting(
        "",
        "PEM file of authorities of those whom we call with TLS. Empty: the system's.",
        values.text,
    )


@dataclass(frozen=True, slots=True)
class Scp:
    """[scp]"""

    workers: int = _setting(
        min(os.cpu_count() or 1, 8),
        "Processes that serve DIMSE associations.",
        values.number(1, 256),
    )
    limit: int = _setting(
        400, "Most associations at once, of all callers.", values.number(1, 10_000)
    )
    limit_per_peer: int = _setting(
        100, "Most associations at once of one calling AE title.", values.number(1, 10_000)
    )
    unknown_callers: str = _setting(
        "open",
        "Callers whose AE title is not known: let in (open), refused (known), or refused and "
        "listed by `vna ae strangers` for approval (ask).",
        values.choice("open", "known", "ask"),
    )
    idle_seconds: int = _setting(
        600, "How long a peer may leave an association unused.", values.number(1, 86_400)
    )
    network_seconds: int = _setting(
        60, "How long a peer may take for one PDU.", values.number(1, 3600)
    )
    reply_seconds: int = _setting(
        120, "How long a response to a request of ours may take.", values.number(1, 3600)
    )
    association_log_days: int = _setting(
        90, "How long an association stays in the log.", values.number(1, 36_500)
    )


@dataclass(frozen=True, slots=True)
class Log:
    """[log]"""

    format: str = _setting(
        "auto",
        "json, human, or auto: human on a terminal.",
        values.choice("auto", "json", "human"),
    )
    level: str = _setting(
        "info",
        "The least level that is written.",
        values.choice("debug", "info", "warning", "error"),
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `data`, `http` and `database` are also flags of every verb that uses them."""

    data: Path = _setting(  # noqa: RUF009  it returns a dataclasses.field
        DATA_FOLDER, "Folder of objects, database and run files.", values.folder
    )
    http: str = _setting(
        "127.0.0.1:8080",
        "HOST:PORT to listen on; beyond loopback with access control only; port 0: a free one.",
        values.address,
    )
    dimse: str = _setting(
        "127.0.0.1:11112",
        "HOST:PORT for DIMSE, on the same terms; off: none.",
        values.address_or_off,
    )
    dimse_tls: str = _setting(
        "", "HOST:PORT for DIMSE over TLS, such as 0.0.0.0:2762; off: none.", values.address_or_off
    )
    ae_title: tuple[str, ...] = _setting(
        ("VNA",), "AE titles that the archive answers to; it calls by the first.", values.ae_titles
    )
    database: str = _setting(
        "",
        "URL of a PostgreSQL database. Empty: SQLite, index.db in the data folder.",
        values.database_url,
        secret=True,
    )
    stores: tuple[StoreSetting, ...] = _setting(
        (),
        "Where objects are kept, in order of preference, each as NAME LOCATION [class=hot, warm or "
        "cold] [domain=SITE] [cache=SIZE]; a location is an absolute path, or s3://BUCKET/PREFIX "
        "with endpoint=, region= and credentials=FILE. Empty: main, in the data folder.",
        stores,
    )
    signing_key: str = _setting(
        "",
        "PEM file of the Ed25519 key that signs reports and exports, the same on every node. "
        "Empty: signing-key.pem in the data folder, made when it is needed.",
        values.text,
    )
    server: Server = field(default_factory=Server)
    dicomweb: Dicomweb = field(default_factory=Dicomweb)
    ingest: Ingest = field(default_factory=Ingest)
    store: Store = field(default_factory=Store)
    decoders: Decoders = field(default_factory=Decoders)
    access: Access = field(default_factory=Access)
    tls: Tls = field(default_factory=Tls)
    scp: Scp = field(default_factory=Scp)
    log: Log = field(default_factory=Log)

    @property
    def database_url(self) -> str:
        """The URL to open; SQLite by absolute path."""
        return self.database or f"sqlite:///{(self.data / 'index.db').absolute()}"

    @property
    def signing(self) -> Path:
        """The file of the key that signs."""
        return Path(self.signing_key) if self.signing_key else self.data / "signing-key.pem"

    @property
    def mounted(self) -> tuple[StoreSetting, ...]:
        """The stores, the one in the data folder where none is named."""
        here = StoreSetting("main", domain="here", folder=str(self.data.absolute() / "store"))
        return self.stores or (here,)

    @property
    def scheme(self) -> str:
        """Of the URLs that the server itself answers."""
        return "https" if self.tls.certificate else "http"

    @property
    def public_url(self) -> str:
        """Scheme, host and prefix of every URL in an answer, without a trailing slash."""
        return self.server.public_url or f"{self.scheme}://{self.http}"


@dataclass(frozen=True, slots=True)
class Setting:
    """One declaration. `name` is dotted; `secret`: masked when shown, readable from a file."""

    name: str
    default: object
    doc: str
    read: Reader
    secret: bool

    @property
    def env(self) -> str:
        """Its environment variable; with `_FILE` appended, where a secret, the file to read."""
        return "VNA_" + self.name.replace(".", "__").upper()


def settings_reference() -> Iterator[Setting]:
    """Yield every setting, top level first."""
    sections: list[tuple[str, Any]] = []
    for entry in fields(Settings):
        if entry.metadata:
            yield _declared(entry.name, entry)
        else:
            sections.append((entry.name, entry.default_factory))
    for name, section in sections:
        for entry in fields(section):
            yield _declared(f"{name}.{entry.name}", entry)


def _declared(name: str, entry: Any) -> Setting:
    meta = entry.metadata
    return Setting(name, entry.default, meta["doc"], meta["read"], meta["secret"])
