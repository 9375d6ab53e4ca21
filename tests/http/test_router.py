"""A method and a path find their handler."""

from __future__ import annotations

import pytest

from vna.http.answer import Answer
from vna.http.request import Request
from vna.http.router import Route, Router


def handle(request: Request) -> Answer:
    """Never called here."""
    raise AssertionError


ROUTER = Router(
    [
        Route("GET", "/studies", handle),
        Route("POST", "/studies", handle),
        Route("GET", "/studies/{study}", handle),
        Route("GET", "/studies/{study}/bulk.data/{path:rest}", handle),
        Route("DELETE", "/studies/{study}", handle),
    ]
)


@pytest.mark.parametrize(
    ("path", "template", "parameters"),
    [
        ("/studies", "/studies", {}),
        ("/studies/1.2", "/studies/{study}", {"study": "1.2"}),
        (
            "/studies/1.2/bulk.data/54000100/1/54001010",
            "/studies/{study}/bulk.data/{path:rest}",
            {"study": "1.2", "path": "54000100/1/54001010"},
        ),
    ],
)
def test_a_path_gives_its_parameters(path: str, template: str, parameters: dict[str, str]) -> None:
    found = ROUTER.find("GET", path)

    assert found is not None
    assert (found.template, found.parameters) == (template, parameters)


@pytest.mark.parametrize("path", ["", "/", "/studies/", "/studies/1/", "/studies/1/bulkxdata/2"])
def test_another_path_finds_nothing(path: str) -> None:
    assert ROUTER.find("GET", path) is None


def test_head_finds_get_and_other_methods_are_told_what_is_allowed() -> None:
    head, patch = ROUTER.find("HEAD", "/studies/1"), ROUTER.find("PATCH", "/studies/1")

    assert head is not None
    assert head.target is not None
    assert patch is not None
    assert (patch.target, patch.allowed) == (None, ("DELETE", "GET", "HEAD", "OPTIONS"))
