"""Structured reports and key object selections as HTML, XML and text."""

from __future__ import annotations

from collections.abc import Mapping

from vna.decoders import Decoders
from vna.dicom.item import Item
from vna.services.data_set import data_set
from vna.services.renditions import Rendition, Renditions
from vna.services.retrieve import Retrieve
from vna.services.stored import Stored
from vna.services.views import parameters
from vna.services.views.view import View, disposition, whole

MEDIA_TYPES = ("text/html", "text/plain", "text/xml")
_SUFFIX = {"text/html": "html", "text/plain": "txt", "text/xml": "xml"}


class Reports:
    """Shows what has a content tree. `studies_url`: the absolute URL that images are linked to."""

    parameters = ("annotation", "charset", "iccprofile", "quality", "viewport")

    def __init__(
        self, retrieve: Retrieve, decoders: Decoders, renditions: Renditions, studies_url: str
    ) -> None:
        self._retrieve, self._decoders, self._renditions = retrieve, decoders, renditions
        self._studies = studies_url

    def media_types(self, stored: Stored) -> tuple[str, ...]:
        """See `Viewer`."""
        return MEDIA_TYPES

    def show(self, stored: Stored, media_type: str, asked: Mapping[str, str]) -> View:
        """See `Viewer`. A report names its patient always; `charset` other than UTF-8 is no choice
        (PS3.18 §8.7.4)."""
        from vna.render.report.page import CSP

        parameters.refuse_others(asked, self.parameters)
        _, warning = parameters.written(asked)
        header = data_set(self._retrieve.values(stored), stored)
        facts = {"media_type": media_type, "links": self._links(Item.decode(header))}

        def make() -> Rendition:
            return Rendition(*self._decoders.run("report", facts, header))

        made = self._renditions.get({"report": facts, "of": stored.etag}, make)
        headers = (
            disposition(stored, _SUFFIX[media_type]),
            ("Content-Security-Policy", CSP),
            ("Referrer-Policy", "no-referrer"),
        )
        return View(f"{media_type}; charset=utf-8", whole(made.data), headers, warning)

    def _links(self, document: Item) -> dict[str, str]:
        from vna.render.report.references import is_uid, places

        return {
            sop_uid: f"{self._studies}/{place.study_uid}/series/"
            f"{place.series_uid}/instances/{sop_uid}"
            for sop_uid, place in places(document).items()
            if is_uid(sop_uid) and is_uid(place.series_uid) and is_uid(place.study_uid)
        }
