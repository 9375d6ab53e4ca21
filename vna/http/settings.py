"""What the HTTP faces need to be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from vna.http.callers import Anybody, Callers

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Answered:
    """One request that was answered, for metrics and the log. `template` is "" for no resource.

    `sent`: bytes of the body handed to the server; `whole`: whether that was all of it.
    """

    method: str
    template: str
    status: int
    seconds: float
    received: int
    sent: int
    whole: bool


def _unobserved(answered: Answered) -> None:
    return None


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """`public_url`: scheme, host and path prefix of every URL in an answer, without a trailing
    slash and without `root`. `root`: path of the DICOMweb services ("/dicomweb")."""

    public_url: str
    root: str = "/dicomweb"
    threads: int = 8  # that read and query; as many more receive
    budget_bytes: int = 256 * MIB  # of request bodies under way, in this process
    request_bytes: int = 16 * MIB  # the most one body holds in memory: 8 MiB and what is queued
    body_idle_seconds: float = 60.0
    drain_bytes: int = 64 * MIB  # read after an early answer, so that the client sees it
    drain_seconds: float = 15.0
    strict_accept: bool = False  # 406 for a request without Accept, as PS3.18 §8.7.5 has it
    max_results: int = 5000  # of one search
    ignored_parameters: tuple[str, ...] = ()  # unknown QIDO names that get a Warning, not a 400
    embedded: bool = False  # the database is in this process: some answers need no thread
    behind_proxy: bool = False  # whose X-Forwarded-For says the client's address
    callers: Callers = Anybody()  # noqa: RUF009  it has no state
    observe: Callable[[Answered], None] = _unobserved

    @property
    def host(self) -> str:
        """The name by which clients know the server, in lower case."""
        return urlsplit(self.public_url).hostname or ""

    @property
    def secure(self) -> bool:
        """Whether clients come by HTTPS, so that cookies are for that only."""
        return self.behind_proxy or urlsplit(self.public_url).scheme == "https"

    @property
    def service_url(self) -> str:
        """The DICOMweb root that clients see, without a trailing slash."""
        return self.public_url + self.root
