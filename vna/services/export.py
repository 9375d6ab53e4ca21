"""Objects copied to a directory, with a manifest that `sha256sum -c` can check.

studies/STUDY/SERIES/SOP.dcm        version 1, or with corrections applied
studies/STUDY/SERIES/SOP.v2.dcm     a later version
held/STUDY/SERIES/SOP.DIGEST.dcm    a held object; the first 16 digits of its SHA-256
documents/UID.EXTENSION
manifest-sha256.txt
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from vna.errors import Damaged, NotAcceptable, NotFound
from vna.index import holdings
from vna.index.engine import Index
from vna.index.holdings import Kept, Selection, Sort
from vna.model.caller import Caller, Right
from vna.objects import ObjectStore
from vna.services.destination import MANIFEST, Destination, Different
from vna.services.retrieve import Form, Retrieve
from vna.services.rights import require
from vna.services.verify import each_page

if TYPE_CHECKING:
    from vna.services.signing import SigningKey

__all__ = ["MANIFEST", "Export", "Exported"]

PAYLOAD = "data/"  # in a bag
LONGEST_NAME = 120  # characters of a UID in a file name; file systems allow 255 bytes


@dataclass(frozen=True, slots=True)
class Exported:
    """One file of an export. `outcome`: "written", "present" (equal bytes stood there), "damaged",
    "conflict" (a different file stood there and was left alone), "unavailable" (no corrected file
    can be made of a broken structure; it is there with `original`)."""

    outcome: str
    path: str
    sha256: str
    size: int
    done: int
    total: int
    reason: str = ""


class Export:
    """Writes holdings as files."""

    def __init__(self, index: Index, objects: ObjectStore, retrieve: Retrieve) -> None:
        self._index, self._objects, self._retrieve = index, objects, retrieve

    def run(
        self,
        caller: Caller,
        directory: Path,
        selection: Selection,
        *,
        original: bool,
        key: SigningKey | None = None,
    ) -> Iterator[Exported]:
        """Yield a result for each file once it is durable; then write the manifest.

        With a `key` the directory is a bag, signed by it (see `bag`).

        `original`: byte for byte as received, every version, held and trashed ones too; otherwise
        the current versions that are shown, with their corrections applied. Documents are exported
        as received. Running it again continues. Raises `Forbidden`, `OSError` where the directory
        cannot be written, and `Conflict` where its manifest is none.
        """
        require(caller, Right.READ)
        with self._index.reading() as session:
            total = holdings.count(session, caller, selection)
        destination = Destination(directory, PAYLOAD if key else "")
        done = 0
        try:
            for found in each_page(self._index, caller, selection):
                for kept in found:
                    done += 1
                    if original or (kept.shown and (kept.current or kept.sort is Sort.DOCUMENT)):
                        yield self._one(caller, destination, kept, original, done, max(total, done))
        finally:
            if key is None:
                destination.write_manifest()
            else:
                from vna.services.bag import seal  # loads a library of 10 MB

                sort = "originals" if original else "current versions"
                seal(destination, {"External-Description": f"vna export, {sort}"}, key)

    def _one(
        self,
        caller: Caller,
        destination: Destination,
        kept: Kept,
        original: bool,
        done: int,
        total: int,
    ) -> Exported:
        path = path_of(kept, original=original)
        sha256, size = kept.sha256.hex(), kept.size
        reason = ""
        try:
            if original or kept.sort is Sort.DOCUMENT:
                pieces = self._objects.stream(kept.place, sha256=kept.sha256)
                outcome = destination.write(path, pieces, sha256).outcome
            else:
                written = destination.write(path, self._corrected(caller, kept))
                outcome, sha256, size = written.outcome, written.sha256, written.size
        except Damaged as error:
            outcome, reason = "damaged", error.reason
        except Different:
            outcome, reason = "conflict", "another file stands there"
        except (NotAcceptable, NotFound) as error:
            outcome, reason = "unavailable", str(error)
        return Exported(outcome, path, sha256, size, done, total, reason)

    def _corrected(self, caller: Caller, kept: Kept) -> Iterator[bytes]:
        (stored,) = self._retrieve.instances(
            caller, kept.study_uid, kept.series_uid, kept.sop_uid, purpose="export"
        )
        return self._retrieve.file(stored, Form.STORED).chunks()


def path_of(kept: Kept, *, original: bool) -> str:
    """Where an object is written, relative to the directory: the same in every export."""
    sop = _name(kept.sop_uid)
    if kept.sort is Sort.DOCUMENT:
        extension = mimetypes.guess_extension(kept.media_type.partition(";")[0].strip()) or ".bin"
        return f"documents/{sop}{extension}"
    folder = f"{_name(kept.study_uid)}/{_name(kept.series_uid)}"
    if kept.sort is Sort.HELD:
        return f"held/{folder}/{sop}.{kept.sha256.hex()[:16]}.dcm"
    version = f".v{kept.version}" if original and kept.version > 1 else ""
    return f"studies/{folder}/{sop}{version}.dcm"


def _name(uid: str) -> str:
    """A UID as a file name; what is no UID cannot leave its folder."""
    name = quote(uid, safe="").replace("%", "=")  # a manifest may have to escape what has a %
    if re.fullmatch(r"[0-9][0-9.]*", name) and len(name) <= LONGEST_NAME:
        return name
    return "_" + name.replace(".", "=2E")[:LONGEST_NAME]
