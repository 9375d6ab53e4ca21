"""What a report points at: images, waveforms and other objects (PS3.3 §C.18.3 to .5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.uid import UID

from vna.dicom.item import Item

_SERIES, _SOPS, _SOP_UID = 0x00081115, 0x00081199, 0x00081155
# Identical documents, predecessors, current and other evidence: trees of studies and series.
_TREES = (0x0040A375, 0x0040A385, 0x0040A360, 0x0040A525)


@dataclass(frozen=True, slots=True)
class Reference:
    """A referenced instance. `frames` from 1; `details`: what else the reference says, in words.
    `also`: the presentation state that it is to be shown with, and the like."""

    kind: str
    sop_uid: str
    frames: tuple[int, ...]
    details: tuple[str, ...]
    also: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance is."""

    study_uid: str
    series_uid: str


def reference(item: Item) -> Reference:
    """The reference that an item of a Referenced SOP Sequence is."""
    details = []
    channels = [f"{each:.0f}" for each in item.numbers(0x0040A0B0)]
    if channels:
        pairs = zip(channels[::2], channels[1::2], strict=False)
        details.append("channels " + ", ".join(f"{group}/{channel}" for group, channel in pairs))
    segments = [f"{each:.0f}" for each in item.numbers(0x0062000B)]
    if segments:
        details.append("segments " + ", ".join(segments))
    return Reference(
        sop_class_name(item.first(0x00081150)),
        item.first(_SOP_UID),
        tuple(int(each) for each in item.numbers(0x00081160)),
        tuple(details),
        tuple(reference(each) for each in item.items(_SOPS)),
    )


def is_uid(text: str) -> bool:
    """Whether `text` can stand in a URL as a UID."""
    return 0 < len(text) <= 64 and not text.strip("0123456789.")


def sop_class_name(uid: str) -> str:
    """The name of a SOP class without "Storage"; the UID itself where it has none."""
    return str(UID(uid).name).removesuffix(" Storage") if uid else "object"


def places(document: Item) -> dict[str, Place]:
    """Where the referenced instances are, by SOP Instance UID, as far as the document says."""
    found: dict[str, Place] = {}
    for tag in _TREES:
        for study in document.items(tag):
            for sop_uid, series_uid in _below(study):
                found.setdefault(sop_uid, Place(study.first(0x0020000D), series_uid))
    return found


def _below(study: Item) -> Iterator[tuple[str, str]]:
    for series in study.items(_SERIES):
        for each in series.items(_SOPS):
            yield each.first(_SOP_UID), series.first(0x0020000E)
