"""The leads of an electrocardiogram, by the codes and words that objects use for them."""

from __future__ import annotations

import re

TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
COLUMNS = (("I", "II", "III"), ("aVR", "aVL", "aVF"), ("V1", "V2", "V3"), ("V4", "V5", "V6"))
RHYTHM = "II"

# Last number of SCP-ECG "5.6.3-9-N" and of MDC "2:N" (PS3.16 CID 3001); PS3.16 since 2020 prints
# the MDC reference name, MDC_ECG_LEAD_V1, in places too.
_NUMBERS = {1: "I", 2: "II", 61: "III", 62: "aVR", 63: "aVL", 64: "aVF"} | {
    2 + number: f"V{number}" for number in range(1, 7)
}
_CODE = re.compile(r"(?:5\.6\.3-9-|2:)(\d+)")
_BY_NAME = {name.lower(): name for name in TWELVE}
_WORD = re.compile(r"(?i)(?:^|.*\b|MDC_ECG_LEAD_)(a?v[rlf]|v[1-6]|i{1,3})(?:\s*\(einthoven\))?\s*")


def lead_of(code: str, *names: str) -> str:
    """The lead that a channel source code means, else that of the first name that ends in one
    ("Lead aVR", "Derivación V1", "MDC_ECG_LEAD_II"); "" where nothing says so."""
    found = _CODE.fullmatch(code)
    if found is not None and int(found[1]) in _NUMBERS:
        return _NUMBERS[int(found[1])]
    for name in (*names, code):
        word = _WORD.fullmatch(name)
        if word is not None:
            spelled = word[1].lower()
            return _BY_NAME.get(spelled) or _BY_NAME.get(f"a{spelled}", "")
    return ""
