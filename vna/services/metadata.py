"""DICOM JSON metadata of studies, series and instances, from the index alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vna.model.caller import Caller


@dataclass(frozen=True, slots=True)
class MetadataDocument:
    """One JSON array (PS3.18 §F.2), plain or as one gzip member, sizes known.

    `etag` is an unquoted token that changes with anything the answer depends on.
    """

    etag: str
    size: int
    gzip_size: int
    plain: Callable[[], Iterator[bytes]]
    gzip: Callable[[], Iterator[bytes]]


class Metadata:
    """Metadata of what the caller may see; never opens an object."""

    def find(
        self,
        caller: Caller,
        study_uid: str,
        series_uid: str | None = None,
        sop_uid: str | None = None,
        *,
        base_url: str,
    ) -> MetadataDocument:
        """The array of the current versions, by series and instance number.

        `base_url` is the DICOMweb root without a trailing slash; BulkDataURIs begin with
        `{base_url}/studies/…/instances/…/bulkdata`. Raises `NotFound` or `Gone`.
        """
        raise NotImplementedError
