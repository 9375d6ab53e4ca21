"""Media types as values: read from headers, written back (RFC 9110 §8.3, PS3.18 §8.7)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vna.errors import InvalidValue

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ESSENCE = re.compile(rf"\s*({_TOKEN})/({_TOKEN})\s*")
# A bare value may hold "/": clients write type=application/dicom without the quotes it needs.
_PARAMETER = re.compile(rf';\s*(?:({_TOKEN})\s*=\s*({_QUOTED}|[^;,"\s]*)\s*)?')
_LIST_MEMBER = re.compile(rf"(?:[^\",]|{_QUOTED})+")
_IS_TOKEN = re.compile(_TOKEN)
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class MediaType:
    """`type/subtype` in lower case and its parameters, names in lower case, values unquoted."""

    type: str
    subtype: str
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def essence(self) -> str:
        """`type/subtype` without parameters."""
        return f"{self.type}/{self.subtype}"

    def parameter(self, name: str) -> str | None:
        """The value of the first parameter called `name` (lower case), or None."""
        return next((value for key, value in self.parameters if key == name), None)

    def __str__(self) -> str:
        return self.essence + "".join(f"; {key}={quoted(value)}" for key, value in self.parameters)


def quoted(value: str) -> str:
    """`value` as a parameter value: bare if it is a token, else a quoted string."""
    if _IS_TOKEN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_media_type(text: str, name: str = "Content-Type") -> MediaType:
    """Read one media type; `name` says where it stood. Raises `InvalidValue`."""
    essence = _ESSENCE.match(text)
    if essence is None:
        raise InvalidValue(name, text, "be a media type")
    parameters: list[tuple[str, str]] = []
    position = essence.end()
    while position < len(text):
        parameter = _PARAMETER.match(text, position)
        if parameter is None:
            raise InvalidValue(name, text, "be a media type")
        if parameter[1]:
            parameters.append((parameter[1].lower(), _unquoted(parameter[2])))
        position = parameter.end()
    return MediaType(essence[1].lower(), essence[2].lower(), tuple(parameters))


def split_list(text: str) -> list[str]:
    """The members of a comma list; commas inside quotes do not count, empty ones are left out."""
    return [member.strip() for member in _LIST_MEMBER.findall(text) if member.strip()]


def _unquoted(value: str) -> str:
    if value.startswith('"'):
        return _ESCAPED.sub(r"\1", value[1:-1])
    return value
