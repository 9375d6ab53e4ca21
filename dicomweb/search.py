"""QIDO-RS (PS3.18 §10.6): rows that hold their JSON, joined."""

from __future__ import annotations

import uuid

from dicomweb import cursor
from dicomweb.links import Links
from dicomweb.model_parts import model_parts
from dicomweb.negotiation import DICOM_XML, model_type
from dicomweb.question import question_of
from dicomweb.representation import warning
from vna.http.answer import PRIVATE, Answer
from vna.http.request import Request
from vna.http.settings import EdgeSettings
from vna.model.answer import Page, Row
from vna.model.query import Query
from vna.services.search import Search


class SearchResource:
    """One of the search resources; `template` says which."""

    def __init__(
        self, search: Search, links: Links, settings: EdgeSettings, template: Query
    ) -> None:
        self._search, self._links, self._settings = search, links, settings
        self._template = template

    def __call__(self, request: Request) -> Answer:
        """Answer GET: 200 with what was found, 204 with nothing."""
        media_type = model_type(request, strict=self._settings.strict_accept)
        question = question_of(
            request,
            self._template,
            max_results=self._settings.max_results,
            ignored=self._settings.ignored_parameters,
        )
        page = self._search.find(request.caller, question.query)
        texts = [*question.warnings, *_remaining(page)]
        said = tuple(warning(self._links.base, text) for text in texts)
        if page.remaining and page.cursor is not None:
            link = cursor.link(request, self._links.base, self._settings.root, page.cursor)
            said = (*said, link)
        if not page.rows:
            return Answer(204, (*said, *PRIVATE))
        if media_type == DICOM_XML:
            trees = [row.tree(self._retrieve_url(row)) for row in page.rows]
            content_type, parts = model_parts(uuid.uuid4().hex, lambda: trees)
            return Answer(200, (("Content-Type", content_type), *said, *PRIVATE), parts)
        body = b"[" + b",".join(row.json(self._retrieve_url(row)) for row in page.rows) + b"]"
        return Answer(200, (("Content-Type", media_type), *said, *PRIVATE), body)

    def _retrieve_url(self, row: Row) -> str | None:
        if row.sop_uid:
            return self._links.instance(row.study_uid, row.series_uid, row.sop_uid)
        if row.series_uid:
            return self._links.series(row.study_uid, row.series_uid)
        return self._links.study(row.study_uid) if row.study_uid else None


def _remaining(page: Page) -> list[str]:
    if not page.remaining:
        return []
    count = f"{page.remaining} or more" if page.remaining_capped else str(page.remaining)
    return [f"There are {count} additional results that can be requested"]
