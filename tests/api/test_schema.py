"""Types describe themselves as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

import pytest

from vna.api.schema import Schemas


class Colour(Enum):
    RED = "red"


@dataclass
class Leaf:
    """A leaf."""

    name: str
    size: int = 0


@dataclass
class Tree:
    leaves: list[Leaf]
    parent: Tree | None = None


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (str, {"type": "string"}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (Colour, {"enum": ["red"]}),
        (tuple[str, ...], {"type": "array", "items": {"type": "string"}}),
        (Mapping[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Any, {}),
    ],
)
def test_a_type_has_its_schema(kind: Any, schema: dict[str, Any]) -> None:
    assert Schemas().of(kind) == schema


def test_a_dataclass_is_described_once_even_if_it_mentions_itself() -> None:
    schemas = Schemas()

    assert schemas.of(Tree) == {"$ref": "#/components/schemas/Tree"}
    assert set(schemas.components) == {"Tree", "Leaf"}
    assert schemas.components["Leaf"] == {
        "type": "object",
        "description": "A leaf.",
        "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
        "required": ["name"],
        "additionalProperties": False,
    }


def test_a_type_without_json_form_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="no JSON form"):
        Schemas().of(bytes)
