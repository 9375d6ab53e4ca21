"""What becomes of received objects: one set-based step in the caller's transaction.

The rules are architecture decision 4 (docs/design.md, "Sameness"). Uniqueness is arbitrated by the
database's constraints; a transaction that loses a race is run again as a whole by `Index.transact`
and then sees what the winner wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import bindparam, insert, update

from vna.errors import Refused, VnaError
from vna.index import (
    attention,
    coerce,
    columns,
    identity,
    jobs,
    parents,
    received_patients,
    refresh,
    requests,
    segments,
)
from vna.index.candidate import Candidate, Finding, Placed, Standing
from vna.index.engine import Change, Session
from vna.index.enrich import enrich, name_patient
from vna.index.fixed import Fixed
from vna.index.headers import compressed
from vna.index.insertion import keys_of
from vna.index.keys import indexed, sop_key
from vna.index.known import known
from vna.index.tables import (
    held,
    instance,
    instance_version,
    item,
    object_,
    series,
    sop,
    study,
)
from vna.model.archive import Disposition, DuplicatePolicy, HeldReason, ItemKind, Outcome, Place
from vna.model.query import Level

Result = Outcome | VnaError

_RAISE_STUDY = Fixed(
    update(study)
    .where(study.c.pk == bindparam("key"))
    .values(
        instance_count=study.c.instance_count + bindparam("added"),
        version=study.c.version + 1,
        last_received_at=bindparam("now"),
        settled_at=0,
    )
)
_RAISE_SERIES = Fixed(
    update(series)
    .where(series.c.pk == bindparam("key"))
    .values(
        instance_count=series.c.instance_count + bindparam("added"), version=series.c.version + 1
    )
)
_ADD_SOP = Fixed(insert(sop))
_ADD_VERSION = Fixed(insert(instance_version))
SETTLE = "settle"


@dataclass(slots=True)
class _Kept:
    """A candidate whose bytes are kept, and what is known of its rows so far."""

    position: int
    candidate: Candidate
    place: Place
    object_fk: int = 0
    identifier_fk: int = 0
    instance_fk: int = 0
    version: int = 1
    current: bool = True
    hidden: bool = False


class _Batch:
    """The state of one batch while its candidates are decided in order."""

    def __init__(self, session: Session, placed: Sequence[Placed], quiet_milliseconds: int) -> None:
        self.session = session
        self.placed = placed
        self.quiet = quiet_milliseconds
        self.results: list[Result | None] = [None] * len(placed)
        candidates = [candidate for candidate, _ in placed]
        self.partition = candidates[0].partition
        self.standing = known(session, self.partition, {c.sop_uid for c in candidates})
        self.parents = parents.load(
            session,
            self.partition,
            {c.study_uid for c in candidates},
            {c.series_uid for c in candidates},
        )
        self.identifiers = received_patients.identifiers(
            session, self.partition, [c.identifier for c in candidates]
        )
        self.segments = segments.segment_keys(session, [place for _, place in placed])
        self.new: list[_Kept] = []
        self.versions: list[_Kept] = []
        self.held: list[tuple[_Kept, HeldReason, dict[str, Any]]] = []
        self.first_of_batch: dict[str, _Kept] = {}

    def decide(self) -> None:
        """Sort every candidate into one of the lists, or answer it at once."""
        for position, (candidate, place) in enumerate(self.placed):
            kept = _Kept(position, candidate, place)
            kept.identifier_fk = self.identifiers[candidate.identifier]
            standing = self.standing.get(candidate.sop_uid, [])
            if candidate.sop_uid in self.first_of_batch:
                self._again_in_batch(kept)
            elif same := _same(standing, candidate):
                self._same(kept, same)
            elif versions := [each for each in standing if each.version]:
                self._version(kept, versions)
            else:
                self._first(kept)

    def _same(self, kept: _Kept, same: Standing) -> None:
        candidate = kept.candidate
        if same.released:
            self._answer(kept, Disposition.SAME)
        elif not same.version:
            self._answer(kept, Disposition.HELD, warning="held")
        elif candidate.finding is Finding.HEALS:
            self._heal(kept, same)
            self._answer(kept, Disposition.HEALED, version=same.version, current=same.current)
        elif same.hidden:
            self._answer(kept, Disposition.HIDDEN, version=same.version, warning="hidden")
        else:
            self._answer(kept, Disposition.SAME, version=same.version, current=same.current)

    def _heal(self, kept: _Kept, same: Standing) -> None:
        candidate = kept.candidate
        row = segments.object_row(
            self.segments, kept.place, candidate.sha256, candidate.xxh3, candidate.size
        )
        self.session.execute(
            update(object_).where(object_.c.pk == same.object_fk).values(**row, state=0)
        )
        # Another file around the same data set moves what lies behind its head.
        self.session.execute(
            update(instance_version)
            .where(
                instance_version.c.instance_fk == same.instance_fk,
                instance_version.c.number == same.version,
            )
            .values(anatomy=candidate.anatomy)
        )
        self._change("object healed", candidate)

    def _version(self, kept: _Kept, versions: list[Standing]) -> None:
        candidate = kept.candidate
        first = versions[0]
        current = next(each for each in versions if each.current)
        if (first.study_uid, first.series_uid) != (candidate.study_uid, candidate.series_uid):
            self._hold(kept, HeldReason.SOP_ELSEWHERE, _where(first))
        elif candidate.finding is Finding.EQUIVALENT:
            self._answer(kept, Disposition.EQUIVALENT, version=current.version)
        elif candidate.policy is DuplicatePolicy.REJECT:
            self.results[kept.position] = Refused(
                f"instance {candidate.sop_uid} is stored with another content, "
                "and the policy of this source is to reject",
                sop_class=candidate.sop_class,
                sop_uid=candidate.sop_uid,
            )
        else:
            kept.instance_fk = first.instance_fk
            kept.version = versions[-1].version + 1
            kept.hidden = first.hidden
            kept.current = (
                candidate.policy is DuplicatePolicy.VERSION
                and candidate.pixel_xxh3 == current.pixel_xxh3
                and indexed(candidate.patient_id) == current.patient_id
            )
            self._keep_version(kept)

    def _keep_version(self, kept: _Kept) -> None:
        candidate = kept.candidate
        self.versions.append(kept)
        self.first_of_batch[candidate.sop_uid] = kept
        above = self.parents.series[candidate.series_uid]
        above.touched = above.study.touched = True
        if kept.current:
            enrich(self.session, above.study, above, candidate, kept.identifier_fk)
        else:
            detail = {"version": kept.version, "policy": candidate.policy.value}
            self._attention("different-content", candidate, detail)
        self._answer(
            kept,
            Disposition.HIDDEN if kept.hidden else Disposition.VERSION,
            version=kept.version,
            current=kept.current,
            warning="hidden" if kept.hidden else "version",
        )

    def _again_in_batch(self, kept: _Kept) -> None:
        """A second object of a SOP Instance UID that this very batch brings first: it is decided
        in a transaction of its own, which sees the first one's rows."""
        self.results[kept.position] = None

    def _first(self, kept: _Kept) -> None:
        candidate = kept.candidate
        below = self.parents.series.get(candidate.series_uid)
        above = self.parents.studies.get(candidate.study_uid)
        if below is not None and below.study.uid != candidate.study_uid:
            detail = {"series": candidate.series_uid, "study": below.study.uid}
            self._hold(kept, HeldReason.SERIES_ELSEWHERE, detail)
        elif above is not None and self._other_patient(kept, above):
            self._hold(kept, HeldReason.OTHER_PATIENT, {"study": above.uid})
        else:
            self._new(kept, above, below)

    def _other_patient(self, kept: _Kept, above: parents.Study) -> bool:
        if not kept.candidate.patient_id:
            if not above.anonymous:
                attention.raise_once(
                    self.session,
                    "patient-id-missing",
                    study_uid=above.uid,
                    sop_uid=kept.candidate.sop_uid,
                    detail={},
                )
            return False
        if above.identifier_fk == kept.identifier_fk:
            return False
        if above.anonymous and not identity.is_merged(self.session, above.identifier_fk):
            above.identifier_fk, above.anonymous = kept.identifier_fk, False
            name_patient(self.session, above, kept.candidate)
            return False
        return not identity.shown_alike(self.session, above.identifier_fk, kept.identifier_fk)

    def _new(self, kept: _Kept, above: parents.Study | None, below: parents.Series | None) -> None:
        candidate = kept.candidate
        if above is None:
            above = self._new_study(kept)
        if below is None:
            below = self._new_series(kept, above)
        enrich(self.session, above, below, candidate, kept.identifier_fk)
        kept.hidden = below.hidden
        above.added += not kept.hidden
        above.touched = True
        below.added += 1
        self.new.append(kept)
        self.first_of_batch[candidate.sop_uid] = kept
        self._answer(
            kept,
            Disposition.HIDDEN if kept.hidden else Disposition.NEW,
            warning="hidden" if kept.hidden else _warning(candidate),
        )

    def _new_study(self, kept: _Kept) -> parents.Study:
        candidate, now = kept.candidate, self.session.now()
        (item_fk,) = keys_of(
            self.session,
            item,
            [
                {
                    "partition": self.partition,
                    "kind": int(ItemKind.STUDY),
                    "organisation_fk": candidate.organisation_fk,
                    "created_at": now,
                }
            ],
        )
        said = _json(candidate.study)
        (key,) = keys_of(
            self.session,
            study,
            [
                {
                    "item_fk": item_fk,
                    "partition": self.partition,
                    "uid": candidate.study_uid,
                    "demographics_fk": received_patients.demographics_key(
                        self.session, kept.identifier_fk, candidate
                    ),
                    "received_at": now,
                    "last_received_at": now,
                    "attributes": said,
                    **columns.study(candidate.study),
                }
            ],
        )
        made = parents.Study(
            uid=candidate.study_uid,
            pk=key,
            item_fk=item_fk,
            identifier_fk=kept.identifier_fk,
            anonymous=not candidate.patient_id,
            said=said,
            patient=_json(candidate.patient),
        )
        self.parents.studies[made.uid] = made
        self._change("study new", candidate)
        return made

    def _new_series(self, kept: _Kept, above: parents.Study) -> parents.Series:
        candidate = kept.candidate
        said = _json(candidate.series)
        (key,) = keys_of(
            self.session,
            series,
            [
                {
                    "study_fk": above.pk,
                    "partition": self.partition,
                    "uid": candidate.series_uid,
                    "attributes": said,
                    "dictionary": candidate.header,
                    **columns.series(candidate.series),
                }
            ],
        )
        if "00400275" in candidate.series:
            requests.replace(self.session, [(key, candidate.series)])
        made = parents.Series(
            uid=candidate.series_uid,
            study=above,
            pk=key,
            hidden=above.hidden,
            said=said,
            dictionary=candidate.header,
        )
        above.new_series = True
        self.parents.series[made.uid] = made
        return made

    def _hold(self, kept: _Kept, reason: HeldReason, detail: dict[str, Any]) -> None:
        self.held.append((kept, reason, detail))
        self.first_of_batch[kept.candidate.sop_uid] = kept
        self._attention("held", kept.candidate, {"reason": reason.value, **detail})
        self._answer(kept, Disposition.HELD, warning="held")

    def write(self) -> None:
        """Insert what was decided: objects, held rows, instances, versions; then the parents."""
        session = self.session
        kept = [*self.new, *self.versions, *(each for each, _, _ in self.held)]
        for each in kept:
            each.object_fk = each.candidate.object_fk
        added = [each for each in kept if not each.object_fk]
        rows = [
            segments.object_row(
                self.segments, k.place, k.candidate.sha256, k.candidate.xxh3, k.candidate.size
            )
            for k in added
        ]
        for each, key in zip(added, segments.add_objects(session, rows), strict=True):
            each.object_fk = key
        self._write_held()
        self._write_instances()
        self._write_versions()
        self._raise_parents()
        self._coerce()
        self._catch_up()

    def _coerce(self) -> None:
        """Rules of senders are laid over what has just been added."""
        sent = []
        for each in (*self.new, *(each for each in self.versions if each.current)):
            candidate = each.candidate
            if candidate.coerced is None:
                continue
            below = self.parents.series[candidate.series_uid]
            keys = {Level.STUDY: below.study.pk, Level.SERIES: below.pk}
            uids = candidate.study_uid, candidate.series_uid
            sent.append(coerce.Sent(candidate.coerced, below.study.item_fk, keys, *uids))
        if sent:
            coerce.lay(self.session, sent)

    def _catch_up(self) -> None:
        """Corrections that stand over a study reach what has just been added below it. Now that
        the study's row is locked, none can be laid unseen."""
        kept = [*self.new, *(each for each in self.versions if each.current)]
        added: dict[int, list[refresh.Added]] = {}
        for each in kept:
            below = self.parents.series[each.candidate.series_uid]
            added.setdefault(below.study.pk, []).append(refresh.Added(below.pk, each.instance_fk))
        refresh.catch_up(self.session, added)

    def _write_held(self) -> None:
        now = self.session.now()
        for kept, reason, detail in self.held:
            candidate = kept.candidate
            key = received_patients.demographics_key(self.session, kept.identifier_fk, candidate)
            self.session.execute(
                insert(held).values(
                    partition=self.partition,
                    reason=reason.value,
                    sop_key=sop_key(self.partition, candidate.sop_uid),
                    dataset_xxh3=candidate.dataset_xxh3,
                    study_uid=candidate.study_uid,
                    series_uid=candidate.series_uid,
                    sop_uid=candidate.sop_uid,
                    demographics_fk=key,
                    object_fk=kept.object_fk,
                    reception_fk=candidate.reception_fk,
                    organisation_fk=candidate.organisation_fk,
                    at=now,
                    detail=orjson.dumps(detail),
                )
            )
            self._change("object held", candidate)

    def _write_instances(self) -> None:
        rows = [
            {
                "series_fk": self.parents.series[kept.candidate.series_uid].pk,
                "uid": kept.candidate.sop_uid,
                "sop_class": kept.candidate.sop_class,
                "attributes": _json(kept.candidate.instance),
                **columns.instance(kept.candidate.instance),
            }
            for kept in self.new
        ]
        for kept, key in zip(self.new, keys_of(self.session, instance, rows), strict=True):
            kept.instance_fk = key
        arbiter = [
            {
                "key": sop_key(self.partition, kept.candidate.sop_uid),
                "instance_fk": kept.instance_fk,
            }
            for kept in self.new
        ]
        self.session.run(_ADD_SOP, arbiter)

    def _write_versions(self) -> None:
        newly_current = [kept.instance_fk for kept in self.versions if kept.current]
        if newly_current:
            self.session.execute(
                update(instance_version)
                .where(instance_version.c.instance_fk.in_(newly_current))
                .values(current=0)
            )
            for kept in self.versions:
                if kept.current:
                    self._show_version(kept)
        rows = [self._version_row(kept) for kept in (*self.new, *self.versions)]
        self.session.run(_ADD_VERSION, rows)

    def _show_version(self, kept: _Kept) -> None:
        """The instance's row follows the version that is current now."""
        said = kept.candidate.instance
        self.session.execute(
            update(instance)
            .where(instance.c.pk == kept.instance_fk)
            .values(
                attributes=_json(said),
                received=None,  # until `_catch_up` lays the corrections over it
                sop_class=kept.candidate.sop_class,
                **columns.instance(said),
            )
        )

    def _version_row(self, kept: _Kept) -> dict[str, Any]:
        candidate = kept.candidate
        below = self.parents.series[candidate.series_uid]
        body, needs_dictionary = compressed(candidate.header, below.dictionary)
        return {
            "instance_fk": kept.instance_fk,
            "number": kept.version,
            "current": int(kept.current),
            "object_fk": kept.object_fk,
            "reception_fk": candidate.reception_fk,
            "received_at": self.session.now(),
            "dataset_xxh3": candidate.dataset_xxh3,
            "pixel_xxh3": candidate.pixel_xxh3,
            "transfer_syntax": candidate.transfer_syntax,
            "patient_id": indexed(candidate.patient_id),
            "anatomy": candidate.anatomy,
            "header": body,
            "dictionary": int(needs_dictionary),
            "oddities": " ".join(candidate.oddities),
        }

    def _raise_parents(self) -> None:
        """Counts and versions, in key order so that two batches cannot wait for each other."""
        session, now = self.session, self.session.now()
        changed = sorted(
            (s for s in self.parents.studies.values() if s.added or s.touched), key=lambda s: s.pk
        )
        rows = [{"key": each.pk, "added": each.added, "now": now} for each in changed]
        session.run(_RAISE_STUDY, rows)
        for each in changed:
            if each.settled:
                session.changes.append(
                    Change("study reopened", item_fk=each.item_fk, study_uid=each.uid)
                )
        below = sorted(
            (s for s in self.parents.series.values() if s.added or s.touched), key=lambda s: s.pk
        )
        session.run(_RAISE_SERIES, [{"key": s.pk, "added": s.added} for s in below])
        for each in changed:
            if each.new_series:
                parents.count_series(session, each.pk)
        jobs.put(session, SETTLE, [each.uid for each in changed], after=self.quiet)
        for kept in self.new:
            self._change("instance new", kept.candidate)
        for kept in self.versions:
            self._change("instance version", kept.candidate, {"version": kept.version})

    def _answer(
        self,
        kept: _Kept,
        disposition: Disposition,
        *,
        version: int = 1,
        current: bool = True,
        warning: str | None = None,
    ) -> None:
        candidate = kept.candidate
        self.results[kept.position] = Outcome(
            disposition=disposition,
            sop_class=candidate.sop_class,
            sop_uid=candidate.sop_uid,
            series_uid=candidate.series_uid,
            study_uid=candidate.study_uid,
            sha256=candidate.sha256,
            size=candidate.size,
            version=version,
            current=current,
            warning=warning,
            oddities=candidate.oddities,
        )

    def _attention(self, kind: str, candidate: Candidate, detail: dict[str, Any]) -> None:
        attention.raise_(
            self.session,
            kind,
            study_uid=candidate.study_uid,
            series_uid=candidate.series_uid,
            sop_uid=candidate.sop_uid,
            detail=detail,
        )

    def _change(
        self, kind: str, candidate: Candidate, detail: dict[str, Any] | None = None
    ) -> None:
        above = self.parents.studies.get(candidate.study_uid)
        self.session.changes.append(
            Change(
                kind,
                item_fk=above.item_fk if above else None,
                study_uid=candidate.study_uid,
                series_uid=candidate.series_uid,
                sop_uid=candidate.sop_uid,
                detail=detail,
            )
        )


def store(
    session: Session, placed: Sequence[Placed], *, quiet_milliseconds: int = 30_000
) -> list[Result]:
    """Decide and index a batch whose bytes are durable; results in order.

    `quiet_milliseconds`: how long a study must stay quiet before it counts as settled. A `VnaError`
    in the list is one object's own refusal. Nothing is durable before the transaction commits.
    """
    if not placed:
        return []
    batch = _Batch(session, placed, quiet_milliseconds)
    batch.decide()
    batch.write()
    again = [position for position, result in enumerate(batch.results) if result is None]
    if again:
        late = store(session, [placed[n] for n in again], quiet_milliseconds=quiet_milliseconds)
        for position, result in zip(again, late, strict=True):
            batch.results[position] = result
    return [result for result in batch.results if result is not None]


def _same(standing: Sequence[Standing], candidate: Candidate) -> Standing | None:
    """The version, else the held object, that has an equal data set and is not itself."""
    equal = [
        each
        for each in standing
        if each.dataset_xxh3 == candidate.dataset_xxh3 and each.object_fk != candidate.object_fk
    ]
    return next((each for each in equal if each.version), equal[0] if equal else None)


def _warning(candidate: Candidate) -> str | None:
    if candidate.oddities:
        return "odd"
    return "coerced" if candidate.coerced else None


def _where(standing: Standing) -> dict[str, Any]:
    return {"study": standing.study_uid, "series": standing.series_uid}


def _json(attributes: Any) -> bytes:
    return orjson.dumps(dict(attributes), option=orjson.OPT_SORT_KEYS)
