"""Objects put together from metadata and bulk data (PS3.18 §10.5.2)."""

from vna.services.assembly.assembly import Assembly
from vna.services.assembly.bulk import BulkPart, BulkParts
from vna.services.assembly.spool import Spool

__all__ = ["Assembly", "BulkPart", "BulkParts", "Spool"]
