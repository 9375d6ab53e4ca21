"""AE titles and addresses as people write them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from vna.errors import InvalidValue

_TITLE = re.compile(r"[ -\[\]-~]{1,16}")  # default repertoire without backslash (PS3.5 §6.2)
AE = "ae:"  # what the target that is an AE begins with
_UNPRINTABLE = re.compile(r"[^ -~]")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,255}")
_ADDRESS = re.compile(r"(?P<title>[^@]+)@(?P<host>\[[^\]]+\]|[^:\[\]@]+):(?P<port>[0-9]{1,5})")


def ae_title(text: str, name: str = "AE title") -> str:
    """An AE title without the spaces around it, which mean nothing. Raises `InvalidValue`."""
    title = text.strip(" ")
    if _TITLE.fullmatch(title) is None:
        raise InvalidValue(name, text, "have 1 to 16 ASCII characters and no backslash")
    return title


def printable(title: str) -> str:
    """What anybody may have sent as a title, as text that can be kept and printed."""
    return _UNPRINTABLE.sub("?", title.strip(" "))[:16]


def endpoint(host: str, port: int) -> tuple[str, int]:
    """Where a peer listens, or ('', 0) for one that is never called. Raises `InvalidValue`."""
    host = host.strip().removeprefix("[").removesuffix("]")
    if bool(host) != bool(port):
        raise InvalidValue("port", str(port), "be given together with a host, or neither")
    if not 0 <= port < 65536:
        raise InvalidValue("port", str(port), "be from 1 to 65535")
    if host and _HOST.fullmatch(host) is None:
        raise InvalidValue("host", host, "be a name or an address")
    return host, port


def parse_address(text: str) -> tuple[str, str, int]:
    """(AE title, host, port) of "AET@HOST:PORT". Raises `InvalidValue`."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None or not int(found["port"]):
        raise InvalidValue("peer", text, "be AET@HOST:PORT, such as CT1@10.0.0.5:104")
    return ae_title(found["title"]), *endpoint(found["host"], int(found["port"]))


def target(text: str) -> str:
    """Where things are sent, in the one form that it is kept in: "ae:TITLE", or the http or https
    URL of a DICOMweb service without its trailing slash. Raises `InvalidValue`."""
    written = text.strip()
    if written.startswith(AE):
        return AE + ae_title(written.removeprefix(AE), "destination")
    parts = urlsplit(written)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        rule = "be ae:TITLE or the URL of a DICOMweb service, such as https://pacs.example/dicomweb"
        raise InvalidValue("destination", written, rule)
    if "@" in parts.netloc:
        raise InvalidValue("destination", f"{parts.scheme}://…", "name no user and no password")
    return written.rstrip("/")
