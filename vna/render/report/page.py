"""A report as HTML that is XML, too: one page without scripts, pictures or anything to fetch.

Every text of the document is escaped and set apart in its direction of writing; `CSP` is the header
that lets a browser do no more with it than show it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from html import escape

from vna.dicom.item import Item
from vna.render.report.content import Content, content
from vna.render.report.heading import heading
from vna.render.report.references import Reference, sop_class_name
from vna.render.report.relationships import RELATIONSHIPS
from vna.render.report.tables import Table

Link = Callable[[Reference], str | None]

STYLE = """
body { font: 1rem/1.45 sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }
dt { color: #555; } dd { margin: 0; }
section, .item { margin: .5rem 0 .5rem 1.2rem; }
main > section { margin-left: 0; }
.value { unicode-bidi: isolate; white-space: pre-wrap; overflow-wrap: anywhere; }
.note { color: #555; font-size: .85rem; }
.concept { font-weight: bold; }
table { border-collapse: collapse; } th, td { border: 1px solid #999; padding: .1rem .5rem; }
:target { background: #ffc; }
@media print { a { color: inherit; text-decoration: none; } }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CSP = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups"
)
# What HTML may not hold, or what would turn the reading of the rest around.
_UNSAFE: Mapping[int, str] = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), *range(127, 160), 0xFFFE, 0xFFFF,
     *range(0xD800, 0xE000)], "\ufffd"
)  # fmt: skip


def page(document: Item, link: Link) -> bytes:
    """The document, UTF-8. `link` gives the URL where a reference is shown, or None."""
    root = content(document)
    title = root.concept or sop_class_name(document.first(0x00080016))
    return "".join(_page(document, root, title, link)).encode()


def _page(document: Item, root: Content, title: str, link: Link) -> Iterator[str]:
    yield (
        '<!DOCTYPE html>\n<html lang="en" xmlns="http://www.w3.org/1999/xhtml">\n<head>\n'
        '<meta charset="utf-8"/>\n<meta name="viewport" content="width=device-width"/>\n'
        f"<title>{_safe(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        "<header>\n<dl>\n"
    )
    for what, text in heading(document):
        yield f"<dt>{what}</dt><dd>{_value(text)}</dd>\n"
    yield "</dl>\n</header>\n<main>\n"
    yield from _item(root, title, link)
    yield "</main>\n</body>\n</html>\n"


def _item(item: Content, concept: str, link: Link) -> Iterator[str]:
    """One content item with all below; `concept` is its heading."""
    place = _place(item.position)
    if item.value_type == "CONTAINER" and not item.target:
        level = min(len(item.position), 6)
        yield f'<section id="{place}" data-type="CONTAINER">\n'
        if item.relationship not in ("", "CONTAINS"):
            yield f'<span class="note">{_relationship(item)}</span>\n'
        if concept:
            yield f"<h{level}>{_value(concept)}</h{level}>\n"
        yield from _observed(item)
        yield from _below(item, link)
        yield "</section>\n"
        return
    kind = "by-reference" if item.target else item.value_type
    yield f'<div class="item" id="{place}" data-type="{_safe(kind)}">\n'
    if item.relationship not in ("", "CONTAINS"):
        yield f'<span class="note">{_relationship(item)}</span>\n'
    if concept:
        yield f'<span class="concept">{_value(concept)}</span>\n'
    yield from _values(item, link)
    yield from _observed(item)
    yield from _below(item, link)
    yield "</div>\n"


def _below(item: Content, link: Link) -> Iterator[str]:
    for child in item.children:
        yield from _item(child, child.concept, link)


def _values(item: Content, link: Link) -> Iterator[str]:
    if item.target:
        name = ".".join(map(str, item.target))
        yield f'<a href="#{_place(item.target)}">item {name}</a>\n'
    if item.unknown:
        yield f'<span class="note">of the unknown type {_value(item.value_type or "?")}</span>\n'
    for line in item.lines:
        yield f"<div>{_value(line)}</div>\n"
    for each in item.references:
        yield f"<div>{_reference(each, link)}</div>\n"
    if item.table is not None:
        yield from _table(item.table)
    nothing = not (item.lines or item.references or item.table or item.target)
    if nothing:
        yield '<span class="note">(no value)</span>\n'


def _reference(each: Reference, link: Link) -> str:
    words = [each.kind, each.sop_uid]
    if each.frames:
        numbers = ", ".join(map(str, each.frames))
        words.append(f"frame {numbers}" if len(each.frames) == 1 else f"frames {numbers}")
    shown = _value(", ".join(word for word in (*words, *each.details) if word))
    url = link(each)
    if url is not None:
        shown = f'<a href="{_safe(url)}" rel="noreferrer">{shown}</a>'
    also = "".join(f" ({_reference(other, link)})" for other in each.also)
    return shown + also


def _table(found: Table) -> Iterator[str]:
    heads = any(head for head, _ in found.rows)
    yield "<table>\n"
    if found.columns:
        cells = "".join(f"<th>{_value(each)}</th>" for each in found.columns)
        yield f"<tr>{'<th></th>' if heads else ''}{cells}</tr>\n"
    for head, row in found.rows:
        first = f"<th>{_value(head)}</th>" if heads else ""
        yield f"<tr>{first}{''.join(f'<td>{_value(each)}</td>' for each in row)}</tr>\n"
    yield "</table>\n"
    if found.left_out:
        yield f'<p class="note">{found.left_out} more cells are not shown.</p>\n'


def _observed(item: Content) -> Iterator[str]:
    if item.observed:
        yield f'<div class="note">observed {_value(item.observed)}</div>\n'


def _relationship(item: Content) -> str:
    return _safe(RELATIONSHIPS.get(item.relationship, item.relationship.lower()))


def _place(position: tuple[int, ...]) -> str:
    return "item-" + "-".join(map(str, position))


def _value(text: str) -> str:
    return f'<span class="value">{_safe(text)}</span>'


def _safe(text: str) -> str:
    return escape(text.replace("\r\n", "\n").replace("\r", "\n").translate(_UNSAFE))
