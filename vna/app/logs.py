"""What the archive says of itself: JSON lines for machines, plain lines for a terminal.

No patient data: messages are fixed words, facts are UIDs, codes, counts and times (`extra=`).
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TextIO

# What every record carries; anything else came by `extra=` and is a fact to write.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


def configure(*, format: str, level: str, stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (standard error). `format`: json, human, or auto."""
    out = stream or sys.stderr
    human = format == "human" or (format == "auto" and out.isatty())
    handler = logging.StreamHandler(out)
    handler.setFormatter(Human() if human else Json())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn", "uvicorn.error", "alembic", "sqlalchemy", "pydicom"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def facts(record: logging.LogRecord) -> dict[str, object]:
    """What was passed by `extra=`."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


class Json(logging.Formatter):
    """One JSON object a line: ts (ISO 8601, UTC), level, event, logger, pid, then the facts."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for `record`."""
        whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry: dict[str, object] = {
            "ts": f"{whole}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            "pid": record.process,
        }
        entry.update(facts(record))
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


class Human(logging.Formatter):
    """`10:15:00 INFO  event  name=value …`, local time."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for `record`."""
        when = time.strftime("%H:%M:%S", time.localtime(record.created))
        said = " ".join(f"{name}={value}" for name, value in facts(record).items())
        line = f"{when} {record.levelname:<7} {record.getMessage()}" + (f"  {said}" if said else "")
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
