"""Which rows the stores do not know yet.

A trigger on every logged table notes the keys of rows that are written, in the transaction that
writes them; what is noted is read, written to the stores as a frame of the log (docs/formats.md)
and then forgotten. So the log misses nothing that is committed, whoever wrote it (ADR 23).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import Text as SqlText

from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.tables import (
    account_session,
    feed_head,
    job,
    log_head,
    metadata,
    series_metadata,
    sign_in_attempt,
    tag_value,
    unlogged,
)

# Answers and values that are made anew from other rows, and what ends with a session.
NOT_LOGGED = {series_metadata, tag_value, account_session, sign_in_attempt, unlogged, log_head}
UPDATES_NOT_LOGGED = {job}  # one that is leased, tried or put off is still the same job
LOGGED = [table for table in metadata.sorted_tables if table not in NOT_LOGGED]
KEYS_AT_ONCE = 500  # in one statement

_FORGET = Fixed(delete(unlogged).where(unlogged.c.seq == bindparam("seq")))

Values = list[Any]


@dataclass(frozen=True, slots=True)
class Head:
    """The last frame of the log that this index knows of. `frame`: its ULID, '' before any."""

    epoch: int
    frame: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table as JSON has them: bytes are Base64. `gone`: keys of rows that are not
    there any more."""

    table: str
    columns: Sequence[str]
    rows: Sequence[Values]
    gone: Sequence[str]


def install(connection: Connection) -> None:
    """Make the triggers of every logged table, in place of those that are there."""
    remove(connection)
    postgresql = connection.dialect.name == "postgresql"
    for table in LOGGED:
        for statement in _postgresql(table) if postgresql else _sqlite(table):
            connection.execute(text(statement))


def remove(connection: Connection) -> None:
    """Take the triggers away; what is written then is not noted."""
    postgresql = connection.dialect.name == "postgresql"
    for table in LOGGED:
        if postgresql:
            connection.execute(text(f'DROP TRIGGER IF EXISTS log_rows ON "{table.name}"'))
        else:
            for occasion in ("insert", "update", "delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS log_{table.name}_{occasion}"))


def note_all(connection: Connection) -> None:
    """Note every row there is: the log begins with them."""
    for table in LOGGED:
        key = _key(table, f'"{table.name}".', postgresql=connection.dialect.name == "postgresql")
        connection.execute(
            text(
                "INSERT INTO unlogged (table_name, row_key) "
                f"SELECT '{table.name}', {key} FROM \"{table.name}\""
            )
        )


def last_note(session: Session) -> int:
    """The number of the last note, 0 where there is none."""
    return int(session.execute(select(func.max(unlogged.c.seq))).scalar() or 0)


def is_up_to_date(session: Session, note: int | None = None) -> bool:
    """Whether the log knows all that is committed, or all up to a note."""
    waiting = select(unlogged.c.seq).limit(1)
    if note is not None:
        waiting = waiting.where(unlogged.c.seq <= note)
    return session.execute(waiting).first() is None


def waiting(session: Session) -> int:
    """About how many notes wait to be written to the stores."""
    first = session.execute(select(func.min(unlogged.c.seq))).scalar()
    return 0 if first is None else last_note(session) - int(first) + 1


def head(session: Session, *, lock: bool = False) -> Head:
    """The last frame; with `lock` it stays so until the transaction ends."""
    wanted = select(log_head.c.epoch, log_head.c.frame)
    row = session.execute(wanted.with_for_update() if lock else wanted).one()
    return Head(row.epoch, row.frame)


def begin_anew(session: Session) -> None:
    """Have the next frames hold every row, and follow no other frame."""
    session.execute(update(log_head).values(frame=""))
    note_all(session.connection)


def feed_position(session: Session) -> int:
    """The number of the last change."""
    return int(session.execute(select(feed_head.c.last)).scalar_one())


def lease(session: Session, owner: str, milliseconds: int) -> bool:
    """Become, or stay, the only one who writes the log; False where somebody else is."""
    now = session.now()
    free = or_(log_head.c.lease_owner == owner, log_head.c.lease_until < now)
    taken = session.execute(
        update(log_head).where(free).values(lease_owner=owner, lease_until=now + milliseconds)
    )
    return taken.rowcount == 1


def release(session: Session, owner: str) -> None:
    """Be it no more."""
    mine = log_head.c.lease_owner == owner
    session.execute(update(log_head).where(mine).values(lease_owner="", lease_until=0))


def noted(session: Session, limit: int) -> tuple[list[int], dict[str, list[str]]]:
    """The oldest notes: their numbers, and the keys of rows by table, each once."""
    found = session.execute(select(unlogged).order_by(unlogged.c.seq).limit(limit)).all()
    keys: dict[str, dict[str, None]] = {}
    for row in found:
        keys.setdefault(row.table_name, {})[row.row_key] = None
    return [row.seq for row in found], {name: list(each) for name, each in keys.items()}


def read(session: Session, name: str, keys: Sequence[str]) -> Iterable[Rows]:
    """The rows of a table as they are now, some at a time."""
    table = metadata.tables[name]
    columns = [column.name for column in table.columns]
    binary = [isinstance(column.type, LargeBinary) for column in table.columns]
    for first in range(0, len(keys), KEYS_AT_ONCE):
        some = keys[first : first + KEYS_AT_ONCE]
        found = session.execute(select(table).where(among(table, some))).all()
        rows = [
            [_text(v) if b and v is not None else v for v, b in zip(row, binary, strict=True)]
            for row in found
        ]
        there = {key_of(table, dict(zip(columns, row, strict=True))) for row in rows}
        yield Rows(name, columns, rows, [key for key in some if key not in there])


def advance(session: Session, old: Head, new: Head, seqs: Sequence[int]) -> bool:
    """The stores have a new frame: forget what it holds. False where another has written one."""
    moved = session.execute(
        update(log_head)
        .where(log_head.c.epoch == old.epoch, log_head.c.frame == old.frame)
        .values(epoch=new.epoch, frame=new.frame)
    )
    if moved.rowcount != 1:
        return False
    session.run(_FORGET, [{"seq": seq} for seq in seqs])
    return True


def key_of(table: Table, row: Mapping[str, Any]) -> str:
    """The key of a row as notes have it; the row is as in `Rows`."""
    parts = []
    for column in table.primary_key.columns:
        value = row[column.name]
        if isinstance(column.type, LargeBinary):
            value = base64.b64decode(value).hex().upper()
        parts.append(str(value))
    return "/".join(parts)


def values(table: Table, rows: Rows) -> list[dict[str, Any]]:
    """Rows of a frame as the database takes them; columns that the table does not have any more
    are left out, and new ones have their default."""
    binary = {c.name for c in table.columns if isinstance(c.type, LargeBinary)}
    wanted = [
        (at, name, name in binary) for at, name in enumerate(rows.columns) if name in table.columns
    ]
    return [
        {
            name: base64.b64decode(row[at]) if b and row[at] is not None else row[at]
            for at, name, b in wanted
        }
        for row in rows.rows
    ]


def begin_again(connection: Connection, at: Head) -> None:
    """Make this index the one that goes on with the log after a frame."""
    connection.execute(delete(unlogged))
    connection.execute(delete(log_head))
    connection.execute(insert(log_head).values(pk=1, epoch=at.epoch, frame=at.frame))


def among(table: Table, keys: Sequence[str]) -> Any:
    """The condition that a row has one of some keys."""
    columns = list(table.primary_key.columns)
    if len(columns) == 1:
        return columns[0].in_([_parsed(columns[0], key) for key in keys])
    return or_(
        *(
            and_(*(c == _parsed(c, part) for c, part in zip(columns, key.split("/"), strict=True)))
            for key in keys
        )
    )


def _parsed(column: Column[Any], key: str) -> Any:
    if isinstance(column.type, LargeBinary):
        return bytes.fromhex(key)
    return key if isinstance(column.type, SqlText) else int(key)


def _text(value: bytes | memoryview) -> str:
    return base64.b64encode(value).decode()


def _key(table: Table, row: str, *, postgresql: bool) -> str:
    """SQL of the key of a row as text."""
    parts = []
    for column in table.primary_key.columns:
        name = f'{row}"{column.name}"'
        if isinstance(column.type, LargeBinary):
            parts.append(f"upper(encode({name}, 'hex'))" if postgresql else f"hex({name})")
        else:
            parts.append(f"CAST({name} AS text)")
    return " || '/' || ".join(parts)


def _sqlite(table: Table) -> list[str]:
    def made(occasion: str, row: str) -> str:
        return (
            f"CREATE TRIGGER log_{table.name}_{occasion} AFTER {occasion.upper()} "
            f'ON "{table.name}" BEGIN INSERT INTO unlogged (table_name, row_key) '
            f"VALUES ('{table.name}', {_key(table, f'{row}.', postgresql=False)}); END"
        )

    rows = {"insert": "NEW", "update": "NEW", "delete": "OLD"}
    return [made(occasion, rows[occasion]) for occasion in _occasions(table)]


def _occasions(table: Table) -> list[str]:
    updates = [] if table in UPDATES_NOT_LOGGED else ["update"]
    return ["insert", *updates, "delete"]


def _postgresql(table: Table) -> list[str]:
    def noted(row: str) -> str:
        key = _key(table, f"{row}.", postgresql=True)
        return f"INSERT INTO unlogged (table_name, row_key) VALUES ('{table.name}', {key});"

    return [
        f"CREATE OR REPLACE FUNCTION log_{table.name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF TG_OP = 'DELETE' THEN {noted('OLD')} ELSE {noted('NEW')} END IF; "
        "RETURN NULL; END $$",
        f'CREATE TRIGGER log_rows AFTER {" OR ".join(_occasions(table))} ON "{table.name}" '
        f"FOR EACH ROW EXECUTE FUNCTION log_{table.name}()",
    ]
