"""The page of `make proof` tells each test, its result, its time and its figures."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from tests.proof import page

REPORT = """<testsuites><testsuite>
<testcase name="test_nothing_acknowledged_is_lost[sqlite]" time="61.4">
<properties><property name="acknowledged" value="3120"/></properties></testcase>
<testcase name="test_b" time="0.2"><failure message="x"/></testcase>
<testcase name="test_c" time="0"><skipped/></testcase>
</testsuite></testsuites>"""


def test_each_test_is_a_row() -> None:
    rows = page(ET.fromstring(REPORT)).splitlines()
    assert "| nothing acknowledged is lost[sqlite] | passed | 61 | acknowledged: 3120 |" in rows
    assert "| b | failure | 0 |  |" in rows
    assert "| c | skipped | 0 |  |" in rows
