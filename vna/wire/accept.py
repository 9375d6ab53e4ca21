"""What a client accepts, in its order of preference (RFC 9110 §12.5.1, PS3.18 §8.7.5)."""

from __future__ import annotations

from dataclasses import dataclass

from vna.errors import InvalidValue
from vna.wire.media_type import MediaType, parse_media_type, split_list


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One member of an Accept header. `media_type` may hold `*`; `q` is from 0 to 1, 0 refuses."""

    media_type: MediaType
    q: float = 1.0

    @property
    def wildcard(self) -> bool:
        """Whether the range stands for more than one media type."""
        return self.media_type.subtype == "*"

    def covers(self, essence: str) -> bool:
        """Whether `essence` ("type/subtype") lies in the range, parameters aside."""
        return matches(self.media_type.essence, essence)


ANYTHING = MediaRange(MediaType("*", "*"))


def matches(pattern: str, essence: str) -> bool:
    """Whether "type/subtype" lies in "*/*", "type/*" or "type/subtype"."""
    if pattern == "*/*":
        return True
    kind, _, subtype = pattern.partition("/")
    return essence == pattern or (subtype == "*" and essence.partition("/")[0] == kind)


def parse_accept(text: str) -> tuple[MediaRange, ...]:
    """The ranges of an Accept header, best first; equal ones as written, the more specific first.

    A member that is no media type, or whose `q` is no number from 0 to 1, is left out (PS3.18
    §8.7.5: invalid members are ignored one by one).
    """
    found: list[MediaRange] = []
    for member in split_list(text):
        try:
            found.append(_media_range(member))
        except InvalidValue:
            continue
    return tuple(sorted(found, key=lambda each: (-each.q, -_specificity(each.media_type))))


def parse_accept_parameter(
    text: str, header: tuple[MediaRange, ...], name: str = "accept"
) -> tuple[MediaRange, ...]:
    """The ranges of the `accept` query parameter, best first (PS3.18 §8.3.3.1); `name`: as it is
    called, "contentType" in WADO-URI.

    Raises `InvalidValue` for a wildcard, for a member that is no media type, and for one that the
    Accept `header` does not cover.
    """
    found = [_media_range(member, name) for member in split_list(text)]
    if not found:
        raise InvalidValue(name, text, "name a media type")
    for each in found:
        if each.wildcard:
            raise InvalidValue(name, text, "name media types without wildcards")
        if not any(range_.q > 0 and _compatible(range_, each) for range_ in header):
            raise InvalidValue(name, text, "agree with the Accept header")
    return tuple(sorted(found, key=lambda each: -each.q))


def accepts_coding(text: str, coding: str) -> bool:
    """Whether an Accept-Encoding header allows `coding`; an absent header ("") does not."""
    allowed = False
    for member in split_list(text.lower()):
        name, _, weight = member.partition(";")
        if name.strip() in (coding, "*"):
            refused = weight.replace(" ", "").rstrip("0.") == "q="
            if name.strip() == coding:
                return not refused
            allowed = not refused
    return allowed


def _compatible(header: MediaRange, named: MediaRange) -> bool:
    if not header.covers(named.media_type.essence):
        return False
    part, asked = header.media_type.parameter("type"), named.media_type.parameter("type")
    return part is None or asked is None or matches(part.lower(), asked.lower())


def _media_range(member: str, name: str = "Accept") -> MediaRange:
    parsed = parse_media_type(member, name)
    if parsed.type == "*" and parsed.subtype != "*":
        raise InvalidValue(name, member, "be a media range")
    parameters = tuple(each for each in parsed.parameters if each[0] != "q")
    return MediaRange(MediaType(parsed.type, parsed.subtype, parameters), _quality(parsed))


def _quality(parsed: MediaType) -> float:
    text = parsed.parameter("q")
    if text is None:
        return 1.0
    try:
        q = float(text)
    except ValueError:
        q = -1.0
    if not 0 <= q <= 1:
        raise InvalidValue("q", text, "be a number from 0 to 1")
    return q


def _specificity(media_type: MediaType) -> int:
    if media_type.type == "*":
        return 0
    if media_type.subtype == "*":
        return 1
    return 2 + len(media_type.parameters)
