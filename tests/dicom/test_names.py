from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vna.dicom.names import fold, groups, normalise, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MUÑOZ^José", "munoz^JOSE"),
        ("Mª", "María"),
        ("M.ª", "MARIA"),
        ("mª.", "maria"),
        ("GARCÍA^Mª DEL CARMEN", "Garcia^Maria del Carmen"),
        ("GARCÍA^MªCARMEN", "Garcia^María Carmen"),
        ("Peña^Ana^^^", "PENA^ANA"),
        ("Peña^Ana^^^==", "PENA^ANA"),
        (" Peña ^ Ana  Isabel ", "PENA^ANA ISABEL"),
        ("Müller^Jörg", "MULLER^JORG"),
        ("Weiß", "WEISS"),
        ("Yamada^Tarou=山田^太郎", "YAMADA^TAROU=山田^太郎="),
        ("ﾔﾏﾀﾞ", "ヤマダ"),  # half width and full width
        ("Mun\u0303oz", "Mu\u00f1oz"),  # composed and decomposed
    ],
)
def test_names_that_differ_only_in_writing_are_equal(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GARCIA^JOSE", "GARCIA^^JOSE"),
        ("か", "が"),
        ("RAMª", "RAMARIA"),
        ("=山田", "山田"),
        ("ANA ISABEL", "ANAISABEL"),
    ],
)
def test_names_that_differ_in_substance_stay_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize("character", ["≠", "＝", "＾", "＊", "？", "＼"])
def test_no_character_turns_into_a_delimiter_or_a_wildcard(character: str) -> None:
    assert normalise(f"A{character}B^C=D") == "A B^C=D"


def test_the_three_groups_are_told_apart() -> None:
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    assert groups(name) == ("YAMADA^TAROU", "山田^太郎", "やまだ^たろう")
    assert groups("Peña") == ("PENA", "", "")
    assert groups("") == ("", "", "")


def test_words_are_found_by_their_beginning_in_every_group() -> None:
    found = words("García-Lorca^Mª Luisa^^D.=山田^太郎")
    assert found == " GARCIA LORCA MARIA LUISA D 山田 太郎 "
    assert " LOR" in found
    assert " ARCIA" not in found


@pytest.mark.parametrize("nothing", ["", "^^^", "==", " ^ ", "-"])
def test_a_name_without_letters_has_no_words(nothing: str) -> None:
    assert words(nothing) == ""


@given(st.text())
@example("ŉΐǰ")
@example("İıſß")
@example("0 ≠")
def test_normalising_twice_changes_nothing_more(name: str) -> None:
    assert normalise(normalise(name)) == normalise(name)
    assert fold(fold(name)) == fold(name)


@given(st.text())
def test_case_does_not_matter(name: str) -> None:
    assert fold(name.casefold()) == fold(name)
