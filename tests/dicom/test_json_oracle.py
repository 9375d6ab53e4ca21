"""DICOM JSON of every bundled object against pydicom's, through eight rules at most."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.dicom.bundled import identifiable, name
from tests.dicom.json_oracle import RULES, Comparison


@pytest.mark.parametrize("path", identifiable(), ids=name)
def test_the_json_of_a_bundled_object_is_that_of_pydicom(path: Path) -> None:
    comparison = Comparison(path.read_bytes())
    assert json.dumps(comparison.ours) == json.dumps(comparison.theirs)


def test_the_rules_are_eight_at_most_and_each_cites_its_clause(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert len(RULES) <= 8
    assert all("§" in (rule.__doc__ or "") for rule in RULES)
    used: Counter[str] = Counter()
    unruled = 0
    for path in identifiable():
        rules = Comparison(path.read_bytes()).used
        used.update(rules)
        unruled += not rules
    with capsys.disabled():
        print(f"\n{len(identifiable())} objects, {unruled} need no rule; rules: {dict(used)}")
    assert len(identifiable()) >= 140
