"""How one content item stands to another, in words (PS3.3 §C.17.3.2.4)."""

from __future__ import annotations

RELATIONSHIPS = {
    "HAS OBS CONTEXT": "observation context",
    "HAS ACQ CONTEXT": "acquisition context",
    "HAS CONCEPT MOD": "concept modifier",
    "HAS PROPERTIES": "property",
    "INFERRED FROM": "inferred from",
    "SELECTED FROM": "selected from",
}
