"""What clients send becomes typed values, or an error that names what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

import pytest

from vna.api.reading import from_json, from_query
from vna.errors import InvalidValue, MalformedBody, UnknownName


class Colour(Enum):
    RED = "red"


@dataclass
class Inner:
    name: str


@dataclass
class Outer:
    """Everything that may be asked for."""

    text: str
    number: int = 0
    flag: bool = False
    colour: Colour | None = None
    into: Literal["a", "b"] = "a"
    names: list[str] | None = None
    inner: Inner | None = None
    values: dict[str, str | None] = field(default_factory=dict)


def test_a_query_is_read_by_type() -> None:
    pairs = (("text", "x"), ("number", "7"), ("flag", "true"), ("colour", "red"), ("into", "b"))

    assert from_query(Outer, pairs) == Outer("x", 7, True, Colour.RED, "b")


@pytest.mark.parametrize(
    ("pairs", "name"),
    [
        ((), "text"),
        ((("text", "x"), ("text", "y")), "text"),
        ((("text", "x"), ("number", "-1")), "number"),
        ((("text", "x"), ("flag", "maybe")), "flag"),
        ((("text", "x"), ("colour", "blue")), "colour"),
        ((("text", "x"), ("into", "c")), "into"),
    ],
)
def test_a_wrong_query_names_what_is_wrong(pairs: tuple[tuple[str, str], ...], name: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        from_query(Outer, pairs)

    assert raised.value.name == name


def test_an_unknown_parameter_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as raised:
        from_query(Outer, (("tekst", "x"),))

    assert raised.value.nearest == "text"


def test_a_body_is_read_by_type() -> None:
    body = b"""{"text": "x", "names": ["a", "b"], "inner": {"name": "n"}, "colour": "red",
               "values": {"a": null, "b": "c"}}"""

    assert from_json(Outer, body) == Outer(
        "x", colour=Colour.RED, names=["a", "b"], inner=Inner("n"), values={"a": None, "b": "c"}
    )


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"{}", "text"),
        (b"[]", "the body"),
        (b'{"text": 1}', "text"),
        (b'{"text": null}', "text"),
        (b'{"text": "x", "number": true}', "number"),
        (b'{"text": "x", "number": "1"}', "number"),
        (b'{"text": "x", "names": [1]}', "names"),
        (b'{"text": "x", "names": "a"}', "names"),
        (b'{"text": "x", "inner": {}}', "name"),
        (b'{"text": "x", "values": {"k": 1}}', "k"),
        (b'{"text": "x", "into": "c"}', "into"),
    ],
)
def test_a_wrong_body_names_what_is_wrong(body: bytes, name: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        from_json(Outer, body)

    assert raised.value.name == name


def test_what_is_not_json_is_malformed() -> None:
    with pytest.raises(MalformedBody):
        from_json(Outer, b"text=x")
    with pytest.raises(UnknownName):
        from_json(Outer, b'{"text": "x", "numbr": 1}')
