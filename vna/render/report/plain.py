"""A report as plain text: one line for each content item, indented by its depth."""

from __future__ import annotations

from collections.abc import Iterator

from vna.dicom.item import Item
from vna.render.report.content import Content, content
from vna.render.report.heading import heading
from vna.render.report.references import Reference, sop_class_name
from vna.render.report.relationships import RELATIONSHIPS

_CONTROLS = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0xD800, 0xE000)], "\ufffd"
)


def plain(document: Item) -> bytes:
    """The document, UTF-8, lines ended by LF."""
    root = content(document)
    lines = [f"{what}: {text}" if what else text for what, text in heading(document)]
    title = root.concept or sop_class_name(document.first(0x00080016))
    lines += ["", *_lines(root, title)]
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS).encode()


def _lines(item: Content, concept: str) -> Iterator[str]:
    indent = "  " * (len(item.position) - 1)
    words = [RELATIONSHIPS.get(item.relationship, item.relationship.lower())
             if item.relationship not in ("", "CONTAINS") else "", concept]  # fmt: skip
    values = [*item.lines, *map(_reference, item.references)]
    if item.target:
        values.append(f"item {'.'.join(map(str, item.target))}")
    if item.unknown:
        values.insert(0, f"(of the unknown type {item.value_type or '?'})")
    if item.observed:
        values.append(f"(observed {item.observed})")
    head = " – ".join(word for word in words if word)
    body = "; ".join(values).replace("\r\n", "\n").replace("\r", "\n")
    if item.value_type != "CONTAINER" or item.target:
        body = body or "(no value)"
    joined = f"{head}: {body}" if head and body else head or body
    yield from (indent + line for line in joined.split("\n"))
    if item.table is not None:
        for name, row in ((" ", item.table.columns), *item.table.rows):
            yield indent + "  " + " | ".join((name, *row) if name.strip() else row)
    for child in item.children:
        yield from _lines(child, child.concept)


def _reference(each: Reference) -> str:
    frames = f"frames {', '.join(map(str, each.frames))}" if each.frames else ""
    words = ", ".join(filter(None, (each.kind, each.sop_uid, frames, *each.details)))
    return words + "".join(f" ({_reference(other)})" for other in each.also)
