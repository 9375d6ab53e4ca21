"""`vna verify`: are the stored bytes still those that were received?"""

from __future__ import annotations

from collections import Counter

from vna.cli.exits import Exit
from vna.cli.selection import Instance, Patient, Series, Since, Study, Until, selection
from vna.cli.verb import Desk, finish, verb


@verb
def verify(
    desk: Desk,
    study: Study = None,
    series: Series = None,
    instance: Instance = None,
    patient: Patient = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Read every stored object and compare it with its SHA-256.

    Without a filter: everything, also old versions, held objects and the trash. Damaged and missing
    objects are listed; then the exit code is 5.

    \b
    Examples:
      vna verify
      vna verify --since 2026-03-01 --json
    """
    from vna.services.verify import Health

    wanted = selection(study, series, instance, patient, since, until)
    found: Counter[Health] = Counter()
    size = 0
    bad = []
    with desk.archive() as archive, desk.out.progress("verifying") as tell:
        for result in archive.verify.run(desk.caller, wanted):
            found[result.health] += 1
            size += result.size
            tell(result.done, result.total, f"{size / 1e6:.0f} MB")
            if result.health is not Health.GOOD:
                bad.append(
                    {
                        "health": result.health.value,
                        "sha256": result.sha256,
                        "size": result.size,
                        "name": result.name,
                        "reason": result.reason,
                    }
                )
    desk.out.record(
        {
            "objects": found.total(),
            "bytes": size,
            "good": found[Health.GOOD],
            "damaged": found[Health.DAMAGED],
            "missing": found[Health.MISSING],
        }
    )
    if bad:
        desk.out.table(bad, {"health": "health", "sha256": "sha256", "name": "object"})
        desk.out.note("Send the same objects again to heal them.")
    finish(Exit.DAMAGED if bad else Exit.OK)
