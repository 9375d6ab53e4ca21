"""OPTIONS tells what there is, from the table that a test holds against the routes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import fields
from typing import Any

import httpx
import pytest

from dicomweb.application import Services, build
from dicomweb.capabilities import WADL
from dicomweb.offers import OFFERS
from vna.http.settings import EdgeSettings
from vna.services.budget import Budget

NAMESPACE = {"w": "http://wadl.dev.java.net/2009/02"}


def filled(template: str) -> str:
    for name in ("study", "series", "instance", "frames", "transaction"):
        template = template.replace(f"{{{name}}}", "1")
    for name, value in (("region", "full"), ("size", "max"), ("rotation", "0")):
        template = template.replace(f"{{{name}}}", value)
    return template.replace("{path:rest}", "7FE00010").replace("{file}", "default.jpg")


def test_the_service_tells_all_it_offers(client: httpx.Client) -> None:
    """PS3.18 §8.9: WADL is the default."""
    answer = client.options("/")

    assert (answer.status_code, answer.headers["content-type"]) == (200, WADL)
    resources = ET.fromstring(answer.content).findall("w:resources/w:resource", NAMESPACE)
    told = {
        (method.get("name"), f"/{resource.get('path')}")
        for resource in resources
        for method in resource.findall("w:method", NAMESPACE)
    }
    assert told == {(each.method, each.template.replace(":rest", "")) for each in OFFERS}
    ids = [each.get("id") for each in ET.fromstring(answer.content).iter() if each.get("id")]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("offer", OFFERS, ids=lambda each: f"{each.method} {each.template}")
def test_every_offer_has_a_route(client: httpx.Client, offer: object) -> None:
    """What is not a route is 404 without a resource, or 405."""
    assert isinstance(offer, type(OFFERS[0]))
    asked = client.options(filled(offer.template), headers={"Accept": "application/json"})

    assert asked.status_code == 200
    assert offer.method in asked.headers["allow"].split(", ")
    answer = client.request(offer.method, filled(offer.template))
    assert answer.status_code != 405
    if answer.status_code == 404:
        assert answer.json()["detail"] != "no resource has this path"


def test_a_resource_tells_its_own(client: httpx.Client) -> None:
    (resource,) = client.options("/studies", headers={"Accept": "application/json"}).json()[
        "resources"
    ]

    assert resource["path"] == "/studies"
    assert {each["name"] for each in resource["methods"]} == {"GET", "POST"}


def test_what_is_held_already_is_not_sent_again(client: httpx.Client) -> None:
    etag = client.options("/").headers["etag"]

    assert client.options("/", headers={"If-None-Match": etag}).status_code == 304


def test_every_route_is_offered() -> None:
    nothing: Any = None
    services = Services(*(nothing for _ in fields(Services)))
    edge = build(services, EdgeSettings("http://127.0.0.1"), Budget(1))
    edge.close()

    told = {(each.method, each.template) for each in OFFERS}
    assert {each for each in edge.known if each[0] != "OPTIONS"} | {("OPTIONS", "/")} == told


def test_other_media_types_are_not_acceptable(client: httpx.Client) -> None:
    assert client.options("/studies", headers={"Accept": "image/png"}).status_code == 406
