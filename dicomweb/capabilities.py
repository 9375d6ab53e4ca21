"""What a resource can do, told to machines: OPTIONS (PS3.18 §8.9), as WADL or as JSON."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from xml.sax.saxutils import quoteattr

import orjson

from dicomweb.links import Links
from dicomweb.negotiation import JSON, accepted
from dicomweb.offers import OFFERS, Offer
from dicomweb.representation import VARY
from vna.errors import NotAcceptable
from vna.http.answer import PRIVATE, Answer, not_modified
from vna.http.request import Request
from vna.http.router import Route

WADL = "application/vnd.sun.wadl+xml"


def capability_routes(templates: Iterable[str], links: Links) -> Iterator[Route]:
    """OPTIONS of the whole service, "/", and of the resource of each template."""
    for template in dict.fromkeys(("/", *templates)):
        offers = [each for each in OFFERS if template in ("/", each.template)]
        if offers:
            yield Route("OPTIONS", template, partial(_answer, template, offers, links.base))


def _answer(template: str, offers: Sequence[Offer], base: str, request: Request) -> Answer:
    methods = {each.method for each in offers if each.template == template} | {"OPTIONS"}
    allowed = sorted(methods | {"HEAD"} if "GET" in methods else methods)
    allow = ("Allow", ", ".join(allowed))
    for each in accepted(request, strict=False):
        for media_type in (WADL, JSON):
            if each.covers(media_type):
                return _written(request, media_type, base, offers, allow)
    raise NotAcceptable(f"capabilities are sent as {WADL} or {JSON}")


def _written(
    request: Request, media_type: str, base: str, offers: Sequence[Offer], allow: tuple[str, str]
) -> Answer:
    if media_type == WADL:
        body = wadl(base, offers).encode()
    else:
        body = orjson.dumps(described(base, offers))
    etag = hashlib.sha256(body).hexdigest()[:32]
    found = not_modified(request, etag)
    if found is not None:
        return found
    headers = (("Content-Type", media_type), ("ETag", f'"{etag}"'), allow, *VARY, *PRIVATE)
    return Answer(200, headers, body)


def described(base: str, offers: Sequence[Offer]) -> dict[str, object]:
    """The offers as JSON."""
    return {
        "base": base,
        "resources": [
            {
                "path": path,
                "methods": [
                    {
                        "name": each.method,
                        "transaction": each.transaction,
                        "parameters": list(each.parameters),
                        "accepts": list(each.takes),
                        "returns": list(each.answers),
                    }
                    for each in offers
                    if _path(each) == path
                ],
            }
            for path in dict.fromkeys(map(_path, offers))
        ],
    }


def wadl(base: str, offers: Sequence[Offer]) -> str:
    """The offers as a Web Application Description."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<application xmlns="http://wadl.dev.java.net/2009/02">',
        f" <resources base={quoteattr(base + '/')}>",
    ]
    for path in dict.fromkeys(map(_path, offers)):
        lines.append(f"  <resource path={quoteattr(path.removeprefix('/'))}>")
        for name in re.findall(r"\{(\w+)\}", path):
            lines.append(f'   <param name="{name}" style="template" required="true"/>')
        for each in offers:
            if _path(each) == path:
                lines += _method(each)
        lines.append("  </resource>")
    lines += [" </resources>", "</application>", ""]
    return "\n".join(lines)


def _method(offer: Offer) -> list[str]:
    lines = [f'   <method name="{offer.method}" id={quoteattr(_id(offer))}>', "    <request>"]
    lines += [f'     <param name={quoteattr(each)} style="query"/>' for each in offer.parameters]
    lines += [f"     <representation mediaType={quoteattr(each)}/>" for each in offer.takes]
    lines += ["    </request>", "    <response>"]
    lines += [f"     <representation mediaType={quoteattr(each)}/>" for each in offer.answers]
    return [*lines, "    </response>", "   </method>"]


def _path(offer: Offer) -> str:
    return offer.template.replace(":rest", "")


def _id(offer: Offer) -> str:
    words = re.findall(r"\w+", f"{offer.method} {_path(offer)}")
    return "-".join(words).lower()
