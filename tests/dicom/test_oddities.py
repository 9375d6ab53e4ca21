"""Every code of an oddity is explained in the documentation."""

from __future__ import annotations

from pathlib import Path

from vna.dicom.oddities import ALL

DOCS = Path(__file__).parents[2] / "docs"


def test_every_oddity_is_in_the_page_of_formats() -> None:
    pages = "".join(page.read_text() for page in DOCS.glob("formats*.md"))
    assert ALL
    assert [code for code in sorted(ALL) if f"| `{code}` |" not in pages] == []
