"""`vna doctor`: is everything fit to keep an archive?"""

from __future__ import annotations

from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, listening_verb


@listening_verb
def doctor(desk: Desk) -> None:
    """Check machine, folder, database and address; say what to do. Changes nothing.

    Exit code 4 where a check fails; warnings are no failure.

    \b
    Examples:
      vna doctor
      vna doctor --data /srv/vna --json
    """
    from vna.app.doctor import Verdict, examine

    findings = list(examine(desk.settings))
    rows = [
        {
            "verdict": finding.verdict.value,
            "check": finding.check,
            "said": finding.said,
            "fix": finding.fix,
        }
        for finding in findings
    ]
    desk.out.table(rows, {"verdict": "", "check": "check", "said": "found", "fix": "to do"})
    failed = any(finding.verdict is Verdict.FAIL for finding in findings)
    finish(Exit.PARTIAL if failed else Exit.OK)
