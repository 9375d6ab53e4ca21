"""DELETE of a study, a series or an instance: into the trash, from which it can be restored."""

from __future__ import annotations

from vna.http.answer import Answer
from vna.http.request import Request
from vna.services.trash import Trash

REASON = "deleted over DICOMweb"


class Delete:
    """Answers 204; afterwards the resource is 410 until it is restored."""

    def __init__(self, trash: Trash) -> None:
        self._trash = trash

    def __call__(self, request: Request) -> Answer:
        """Answer DELETE; `?reason=` says why."""
        self._trash.put(
            request.caller,
            request.one("reason") or REASON,
            study_uid=request.parameters["study"],
            series_uid=request.parameters.get("series"),
            sop_uid=request.parameters.get("instance"),
        )
        return Answer(204)
