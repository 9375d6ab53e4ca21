"""From what clients send to dataclasses: nothing unknown, nothing of the wrong type."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import orjson

from vna.api.schema import is_required, members_of
from vna.errors import InvalidValue, MalformedBody, UnknownName

T = TypeVar("T")


def from_query(kind: type[T], pairs: tuple[tuple[str, str], ...]) -> T:
    """A dataclass of a query. Raises `UnknownName`, `InvalidValue`."""
    values: dict[str, Any] = {}
    members = members_of(kind)
    for name, text in pairs:
        if name not in members:
            raise UnknownName("parameter", name, members)
        if name in values:
            raise InvalidValue(name, text, "be given once")
        values[name] = _from_text(name, members[name][1], text)
    return _made(kind, values)


def from_json(kind: type[T], body: bytes) -> T:
    """A dataclass of a JSON body. Raises `MalformedBody`, `UnknownName`, `InvalidValue`."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"the body is not JSON: {error}") from error
    found: T = _from_value("the body", kind, value)
    return found


def _from_text(name: str, kind: Any, text: str) -> Any:
    for each in _alternatives(kind):
        if each is bool and text in ("true", "false", ""):
            return text != "false"
        if each is int and text.isascii() and text.isdigit() and len(text) < 19:
            return int(text)
        if each is str:
            return text
        if get_origin(each) is Literal or (isinstance(each, type) and issubclass(each, Enum)):
            return _one_of(name, each, text)
    raise InvalidValue(name, text, f"be {_described(kind)}")


def _from_value(name: str, kind: Any, value: Any) -> Any:
    if kind is Any:
        return value
    for each in _alternatives(kind):
        origin = get_origin(each)
        if each in (str, int, bool, types.NoneType):
            if type(value) is each:
                return value
        elif origin in (list, tuple):
            if isinstance(value, list):
                (item, *_) = get_args(each)
                found = (_from_value(name, item, member) for member in value)
                return list(found) if origin is list else tuple(found)
        elif origin in (dict, Mapping):
            if isinstance(value, dict):
                _, item = get_args(each)
                return {key: _from_value(key, item, member) for key, member in value.items()}
        elif is_dataclass(each) and isinstance(each, type):
            if isinstance(value, dict):
                return _from_object(each, value)
        elif isinstance(value, str):
            return _one_of(name, each, value)
    raise InvalidValue(name, "", f"be {_described(kind)}")


def _from_object(kind: type[T], value: dict[str, Any]) -> T:
    members = members_of(kind)
    for name in value:
        if name not in members:
            raise UnknownName("member", name, members)
    return _made(
        kind, {name: _from_value(name, members[name][1], each) for name, each in value.items()}
    )


def _made(kind: type[T], values: dict[str, Any]) -> T:
    for name, (field, _) in members_of(kind).items():
        if is_required(field) and name not in values:
            raise InvalidValue(name, "", "be given")
    return kind(**values)


def _one_of(name: str, kind: Any, text: str) -> Any:
    if get_origin(kind) is Literal:
        if text in get_args(kind):
            return text
    elif text in [each.value for each in kind]:
        return kind(text)
    raise InvalidValue(name, text, f"be {_described(kind)}")


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _described(kind: Any) -> str:
    words: list[str] = []
    for each in _alternatives(kind):
        origin = get_origin(each)
        if origin is Literal:
            words += map(str, get_args(each))
        elif origin in (list, tuple):
            words.append("a list")
        elif origin in (dict, Mapping) or is_dataclass(each):
            words.append("an object")
        elif isinstance(each, type) and issubclass(each, Enum):
            words += [member.value for member in each]
        else:
            words.append(
                {str: "text", int: "a number from 0", bool: "true or false"}.get(each, "null")
            )
    return " or ".join(words)
