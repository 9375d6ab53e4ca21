"""How the text or TOML value of a setting becomes the value that the program uses.

A reader raises `ValueError` with a rule that completes "it must …".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

Reader = Callable[[object], object]

UNITS = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}


def text(value: object) -> str:
    """Any text, without surrounding blanks."""
    if not isinstance(value, str):
        raise ValueError("be text")
    return value.strip()


def folder(value: object) -> Path:
    """A path; `~` is the home folder. Relative to the working directory."""
    written = text(value)
    if not written:
        raise ValueError("name a folder")
    return Path(written).expanduser()


def number(low: int, high: int) -> Reader:
    """A whole number in [low, high]."""
    rule = f"be a whole number from {low} to {high}"

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise ValueError(rule)
        try:
            found = int(value)
        except ValueError:
            raise ValueError(rule) from None
        if not low <= found <= high:
            raise ValueError(rule)
        return found

    return read


def size(low: int) -> Reader:
    """Bytes, at least `low`; KiB, MiB, GiB and TIB may follow the number."""
    rule = f"be a size of at least {low} bytes, such as 256 MiB"

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise ValueError(rule)
        parts = re.fullmatch(r"(\d+)\s*([a-z]*)", str(value).strip().lower())
        unit = UNITS.get(parts[2]) if parts else None
        if not parts or unit is None or int(parts[1]) * unit < low:
            raise ValueError(rule)
        return int(parts[1]) * unit

    return read


def switch(value: object) -> bool:
    """true or false."""
    if isinstance(value, bool):
        return value
    found = {"true": True, "false": False}.get(str(value).strip().lower())
    if found is None:
        raise ValueError("be true or false")
    return found


def words(value: object) -> tuple[str, ...]:
    """Words divided by commas, or a TOML list of them."""
    parts = value if isinstance(value, (list, tuple)) else text(value).split(",")
    return tuple(word for part in parts if (word := text(part)))


def choice(*allowed: str) -> Reader:
    """One of a few words."""

    def read(value: object) -> str:
        if value not in allowed:
            raise ValueError(f"be one of {', '.join(allowed)}")
        return str(value)

    return read


def address(value: object) -> str:
    """HOST:PORT to listen on; port 0 takes a free one."""
    written = text(value)
    host, _, port = written.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not bare or not port.isdecimal() or int(port) > 65535:
        raise ValueError("be HOST:PORT, such as 127.0.0.1:8080")
    return written


def is_loopback(written: str) -> bool:
    """Whether only this machine reaches an address."""
    host, _ = split_address(written)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address_or_off(value: object) -> str:
    """HOST:PORT as `address`, or '' for off."""
    return "" if text(value) in ("off", "") else address(value)


def ae_titles(value: object) -> tuple[str, ...]:
    """AE titles divided by commas: 1 to 16 characters of ASCII without backslash (PS3.5 §6.2)."""
    titles = words(value)
    if not titles or any(not re.fullmatch(r"[ -\[\]-~]{1,16}", title) for title in titles):
        raise ValueError("be AE titles of 1 to 16 ASCII characters without backslash")
    return titles


def split_address(written: str) -> tuple[str, int]:
    """Host without brackets, and port."""
    host, _, port = written.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def web_url(value: object) -> str:
    """An absolute http or https URL without query, kept without its trailing slash; or ''."""
    written = text(value).rstrip("/")
    if not written:
        return ""
    parts = urlsplit(written)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("be an absolute URL such as https://archive.example.org")
    return written


def url_path(value: object) -> str:
    """A path of a URL: a leading slash, no trailing one."""
    written = text(value).rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", written):
        raise ValueError("be a path such as /dicomweb")
    return written


def database_url(value: object) -> str:
    """A PostgreSQL or SQLite URL in SQLAlchemy's form; '' is the SQLite file in the data folder."""
    written = text(value)
    if not written:
        return ""
    scheme, found, rest = written.partition("://")
    if scheme in {"postgresql", "postgres"}:
        scheme = "postgresql+psycopg"
    if not found or scheme not in {"postgresql+psycopg", "sqlite"} or not rest:
        raise ValueError("be postgresql://USER@HOST/NAME or sqlite:////absolute/path")
    if scheme == "sqlite" and not rest.startswith("//"):
        raise ValueError("name the SQLite file by an absolute path: sqlite:////absolute/path")
    return f"{scheme}://{rest}"
