"""A TABLE content item (PS3.3 §C.18.10): rows of cells, whatever order they were written in."""

from __future__ import annotations

from dataclasses import dataclass

from vna.dicom.item import Item
from vna.render.report.wording import code, moment, name

CELLS_MOST = 20_000  # drawn; beyond, the page says how many there are


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: headings, perhaps none. `rows`: each with its heading, perhaps "", and its cells.
    `left_out`: cells that are too many to be drawn."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    left_out: int = 0


def table(item: Item) -> Table | None:
    """The table of an item, None where it has none."""
    found = item.item(0x0040A801)
    if found is None:
        return None
    heads = _definitions(found, 0x0040A806, 0x0040A804)
    columns = _definitions(found, 0x0040A807, 0x0040A805)
    cells = found.items(0x0040A808)
    values: dict[tuple[int, int], str] = {}
    for cell in cells[:CELLS_MOST]:
        where = (cell.integer(0x0040A804), cell.integer(0x0040A805))
        values[where] = "; ".join(filter(None, (values.get(where), _cell(cell))))
    row_numbers = sorted({row for row, _ in values} | set(heads))
    column_numbers = sorted({column for _, column in values} | set(columns))
    if len(row_numbers) * len(column_numbers) > 4 * CELLS_MOST:  # sparse beyond sense
        rows = tuple((f"{row}, {column}", (text,)) for (row, column), text in values.items())
        return Table((), rows, max(0, len(cells) - CELLS_MOST))
    return Table(
        tuple(columns.get(each, str(each)) for each in column_numbers),
        tuple(
            (heads.get(row, ""), tuple(values.get((row, column), "") for column in column_numbers))
            for row in row_numbers
        ),
        max(0, len(cells) - CELLS_MOST),
    )


def _definitions(item: Item, sequence: int, number: int) -> dict[int, str]:
    """Headings by number. The concept of a row or column is a code, its unit may follow."""
    found = {}
    for at, each in enumerate(item.items(sequence), start=1):
        unit = each.item(0x004008EA)
        said = f" ({unit.first(0x00080100)})" if unit else ""
        found[each.integer(number, at)] = code(each.item(0x0040A043)) + said
    return found


def _cell(cell: Item) -> str:
    """The value of a cell, whichever of the value attributes holds it."""
    parts = [code(each) for each in cell.items(0x0040A168)]
    parts += [cell.text(0x0040A160), name(cell.text(0x0040A123))]
    parts += [moment(cell.first(tag)) for tag in (0x0040A120, 0x0040A121)]
    parts += [moment("", cell.first(0x0040A122)), *cell.texts(0x0040A124)]
    for tag in (0x0040A30A, 0x0040A161, 0x0040A162, 0x0072006C):
        parts.append(cell.text(tag).replace("\\", ", "))
    selectors = (tag for tag in range(0x0072005E, 0x00720084) if cell.has(tag))
    parts += [cell.text(tag).replace("\\", ", ") for tag in selectors if tag != 0x0072006C]
    return "; ".join(part for part in parts if part)
