"""Who may speak through a browser: pages of this server, and nobody else.

A page of another site can make its visitor's browser send requests here, and by pointing its own
name at this address (DNS rebinding) it could even read the answers. Neither gets anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from vna.errors import Forbidden

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


def refuse_strangers(method: str, headers: Mapping[str, str], public_host: str) -> None:
    """Raise `Forbidden` unless the request is addressed to this server by a name of its own, and
    comes, if it changes anything, from one of its own pages or from no page at all.

    `public_host`: the name by which clients know the server; loopback names always count.
    """
    own = LOOPBACK | {public_host}
    host = headers.get("host")
    if host is not None and _name(f"//{host}") not in own:
        raise Forbidden("this server does not go by that name: see server.public_url")
    origin = headers.get("origin")
    if method not in SAFE_METHODS and origin is not None and _name(origin) not in own:
        raise Forbidden("a page of another origin may not change the archive")


def refuse_other_pages(method: str, headers: Mapping[str, str], public_url: str) -> None:
    """Raise `Forbidden` where a request that changes something comes from a page of another origin,
    also one of this host's at another port: its browser adds our cookie to it.

    By what browsers say themselves (Fetch Metadata), else by Origin against Host. What says
    neither comes from no page.
    """
    if method in SAFE_METHODS:
        return
    origin = headers.get("origin")
    if origin is not None and _origin(origin) == _origin(public_url):
        return
    site = headers.get("sec-fetch-site")
    if site is not None:
        own = site in ("same-origin", "none")
    else:
        own = origin is None or _authority(origin) == headers.get("host", "").lower()
    if not own:
        raise Forbidden("a page of another origin may not change the archive")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _authority(url: str) -> str:
    return urlsplit(url).netloc.lower()


@lru_cache(maxsize=64)  # of every request; a client sends the same each time
def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
