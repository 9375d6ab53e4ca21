"""Hospitals and patients of the synthetic region."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hospital:
    """`code` is its organisation and the issuer of its patient identifiers."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as one hospital knows it."""

    hospital: Hospital
    id: str
    name: str  # DICOM PN
    birth_date: str
    sex: str


AURELIA = Hospital("HSA", "Hospital Universitario Santa Aurelia")
VALLE = Hospital("HCV", "Hospital Comarcal del Valle")
NORTE = Hospital("CPN", "Clínica Puerto Norte")
HOSPITALS = (AURELIA, VALLE, NORTE)

BEGONA = Person(AURELIA, "100231", "MUÑOZ IBÁÑEZ^BEGOÑA", "19570412", "F")
# The same number, issued by another hospital to somebody else.
JOSE_MARIA = Person(VALLE, "100231", "ETXEBERRIA LÓPEZ^JOSÉ Mª", "19830925", "M")
ANGELA = Person(AURELIA, "100544", "PEÑA GÜELL^ÁNGELA", "19910107", "F")
INIGO = Person(VALLE, "200017", "ARÓSTEGUI NÚÑEZ^ÍÑIGO", "19490730", "M")
MARIA = Person(NORTE, "A-77", "CASTAÑO FERNÁNDEZ^Mª DEL CARMEN", "19680315", "F")
NICOLAS = Person(NORTE, "A-91", "SÁNCHEZ-OCAÑA^NICOLÁS", "20150619", "M")
