"""Which service an abstract syntax belongs to (PS3.4, PS3.6 annex A)."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

VERIFICATION = "1.2.840.10008.1.1"
COMMITMENT_PUSH = "1.2.840.10008.1.20.1"
COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
INSTANCE_AVAILABILITY = "1.2.840.10008.5.1.4.33"
STORAGE_SERVICE = "1.2.840.10008.4.2"

_QUERY_RETRIEVE = "1.2.840.10008.5.1.4.1.2."
PATIENT_ROOT, STUDY_ROOT, PATIENT_STUDY_ONLY = (f"{_QUERY_RETRIEVE}{n}" for n in (1, 2, 3))
FIND = {f"{root}.1": root for root in (PATIENT_ROOT, STUDY_ROOT, PATIENT_STUDY_ONLY)}
MOVE = {f"{root}.2": root for root in (PATIENT_ROOT, STUDY_ROOT, PATIENT_STUDY_ONLY)}
GET = {f"{root}.3": root for root in (PATIENT_ROOT, STUDY_ROOT, PATIENT_STUDY_ONLY)}


class Service(Enum):
    """What we do with an abstract syntax."""

    ECHO = "verification"
    STORE = "storage"
    FIND = "query"
    MOVE = "retrieve by C-MOVE"
    GET = "retrieve by C-GET"
    COMMIT = "storage commitment"
    NONE = "not supported"


@lru_cache(maxsize=1024)
def service_of(uid: str) -> Service:
    """The service of an abstract syntax. One that no table knows, private or newer than we are, is
    taken for storage: nothing clinical is refused because its class is new."""
    if uid == VERIFICATION:
        return Service.ECHO
    if uid == COMMITMENT_PUSH:
        return Service.COMMIT
    for table, service in ((FIND, Service.FIND), (MOVE, Service.MOVE), (GET, Service.GET)):
        if uid in table:
            return service
    # Loads its tables, which only the processes that speak DIMSE need.
    from pydicom._uid_dict import UID_dictionary
    from pynetdicom.service_class import ServiceClass, StorageServiceClass
    from pynetdicom.sop_class import uid_to_service_class

    found = uid_to_service_class(uid)
    if issubclass(found, StorageServiceClass):
        return Service.STORE
    if found is not ServiceClass:
        return Service.NONE
    row = UID_dictionary.get(uid)
    if row is not None and "Storage" not in row[0]:
        return Service.NONE
    return Service.STORE


# What is asked for by C-GET where the peer does not say what it has: at most 63 fit with two
# contexts each.
_STORAGE = "1.2.840.10008.5.1.4.1.1."
COMMON_STORAGE = tuple(
    _STORAGE + suffix
    for suffix in (
        *("1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "2", "2.1", "2.2", "3.1", "4", "4.1", "4.2"),
        *("4.3", "6.1", "6.2", "7", "7.1", "7.2", "7.3", "7.4", "9.1.1", "9.1.2", "9.1.3", "9.2.1"),
        *("11.1", "11.2", "12.1", "12.1.1", "12.2", "13.1.1", "13.1.2", "13.1.3", "20", "30"),
        *("66", "66.4", "66.5", "77.1.1", "77.1.1.1", "77.1.2", "77.1.3", "77.1.4", "77.1.4.1"),
        *("77.1.5.1", "77.1.5.4", "77.1.6", "78.1", "88.11", "88.22", "88.33", "88.59", "88.67"),
        *("104.1", "104.2", "128", "130", "481.1", "481.2", "481.3", "481.5"),
    )
)
