"""How a store is written in the settings: `NAME LOCATION [key=value …]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vna.config import values

TIERS = ("hot", "warm", "cold")
S3_OPTIONS = ("endpoint", "region", "credentials")
LEAST_CACHE = 1 << 30  # bytes: eight objects of the largest size that is kept as a whole, and more
_RULE = "be stores such as: main /srv/vna, far s3://bucket/vna domain=north endpoint=https://…"


@dataclass(frozen=True, slots=True)
class StoreSetting:
    """One store. `tier`: hot ones take new objects. `domain`: what fails as one, a site or a zone.
    `folder` or `bucket` says where it is; `prefix`, `endpoint`, `region` and `credentials` (a file)
    belong to a bucket. `cache`: bytes of the data folder for what was read of it; 0: none."""

    name: str
    tier: str = "hot"
    domain: str = ""
    folder: str = ""
    bucket: str = ""
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    credentials: str = ""
    cache: int = 0

    @property
    def location(self) -> str:
        """Where it is, for people."""
        return self.folder or "s3://" + "/".join(filter(None, (self.bucket, self.prefix)))

    def __str__(self) -> str:
        """As it is written."""
        options = {"class": self.tier, "domain": self.domain}
        options |= {name: getattr(self, name) for name in S3_OPTIONS}
        options |= {"cache": str(self.cache or "")}
        said = [f"{key}={value}" for key, value in options.items() if value]
        return " ".join((self.name, self.location, *said))


def stores(value: object) -> tuple[StoreSetting, ...]:
    """Stores divided by commas, or a TOML list of them; in the order in which they are used."""
    found = tuple(_store(each) for each in values.words(value))
    names = [each.name for each in found]
    if len(set(names)) != len(names):
        raise ValueError("give each store a name of its own")
    if found and all(each.tier != "hot" for each in found):
        raise ValueError("have a hot store, which takes what is new")
    return found


def place(location: str) -> StoreSetting:
    """A place of a backup: a folder, or a bucket with its options, as in a store's setting."""
    found = _store(f"backup {location}")
    if found.domain or found.tier != "hot" or found.cache:
        raise ValueError(f"{_RULE} (a backup has neither class nor domain nor cache)")
    return found


def _store(written: str) -> StoreSetting:
    name, _, rest = written.partition(" ")
    location, *options = rest.split() or [""]
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", name):
        raise ValueError(f"{_RULE} (a name is small letters, digits and -)")
    said: dict[str, str] = {}
    for option in options:
        key, found, text = option.partition("=")
        if not found or key in said or key not in ("class", "domain", "cache", *S3_OPTIONS):
            raise ValueError(f"{_RULE} ({option!r} is none of class, domain, cache, {S3_OPTIONS})")
        said[key] = text
    tier = said.pop("class", "hot")
    if tier not in TIERS:
        raise ValueError(f"give {name} a class of {', '.join(TIERS)}")
    domain = said.pop("domain", "")
    cache: Any = values.size(LEAST_CACHE)(said.pop("cache")) if "cache" in said else 0
    if location.startswith("s3://"):
        parts = urlsplit(location)
        if not parts.netloc:
            raise ValueError(f"{_RULE} ({location} names no bucket)")
        return StoreSetting(
            name,
            tier,
            domain,
            bucket=parts.netloc,
            prefix=parts.path.strip("/"),
            cache=cache,
            **said,
        )
    if said or not Path(location).is_absolute():
        raise ValueError(f"{_RULE} ({location} is no absolute path or s3:// URL)")
    return StoreSetting(name, tier, domain, folder=location, cache=cache)
