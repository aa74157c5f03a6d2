"""Takes over what the web application writes into its tables: jobs that it starts, changes, ends and reopens, and bags.

A job of the application counts from the start that the application names until it is ended there. Jobs that the application
completed before the cell saw them stay its own business.

The clock is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from cell_common.database import read_only
from cell_common.time import NS_PER_S
from sqlalchemy import Engine, Row, func, insert, or_, select
from sqlalchemy.orm import Session

from cell_weighing.domain.jobs import Bag
from cell_weighing.domain.tolerance import ToleranceResult
from cell_weighing.storage.rows import WEB_APP_TOLERANCE, bag_values, utc_ns
from cell_weighing.storage.tables import BagRow, ReopenRow, WeighJobRow
from cell_weighing.storage.web_application import BAG, JOB, POUND, WebApplicationTables, pounds

LOOK_BACK = 500
"""Numbers below the highest known one at which a bag may still appear: a transaction of the application may commit late."""
BAG_CHECK_NS = 5 * NS_PER_S
"""How often bags are looked for without a new number."""
PAGE = 1000
BY_APPLICATION = 'web application'

Change = Callable[[Session], None]


@dataclass
class _Differences:
    """What the application has changed.

    Attributes:
        changes: Each to be applied in a transaction, in this order.
        conflicts: Jobs that cannot be taken over, each with the reason.
    """

    changes: list[Change] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


class ApplicationSync:
    """Compares the tables of the web application with those of the cell. Used by one thread.

    Attributes:
        conflicts: Jobs of the application that cannot be taken over, each with the reason.
    """

    def __init__(self, engine: Engine, application: WebApplicationTables) -> None:
        """Use an open, migrated database."""
        self._engine = engine
        self._read_only = read_only(engine)
        self._application = application
        self._highest_bag = -1
        self._checked_ns = 0
        self.conflicts: list[str] = []

    def adopt(self, now_ns: int) -> int:
        """Take over what has changed, and return the number of changes.

        Args:
            now_ns: UTC, nanoseconds since 1970. A start in the future is local time by mistake: the job then starts now.
        """
        count = 0
        with Session(self._read_only) as session:
            found = self._differences(session, now_ns)
        self.conflicts = found.conflicts
        if found.changes:
            with Session(self._engine) as session, session.begin():
                # Again: without the write lock another process may have changed something meanwhile.
                found = self._differences(session, now_ns)
                for change in found.changes:
                    change(session)
                count = len(found.changes)
        return count + self._adopt_bags(now_ns)

    def _differences(self, session: Session, now_ns: int) -> _Differences:
        active = {row.id: row for row in session.execute(select(JOB).where(JOB.c.status == 'active').order_by(JOB.c.id))}
        mine = select(WeighJobRow).where(or_(WeighJobRow.finished_ns.is_(None), WeighJobRow.id.in_(list(active))))
        own = {row.id: row for row in session.scalars(mine)}
        found = _Differences()
        stations: dict[str, int] = {}
        for row in own.values():
            if row.finished_ns is None and row.id in active:
                stations[row.station] = row.id
            elif row.finished_ns is None:
                found.changes.append(_ender(row.id, now_ns))
        for job in active.values():
            known = own.get(job.id)
            if known is not None and known.finished_ns is None:
                self._compare(job, known, stations, found)
            elif known is None or self._application.records_bags:
                self._take_over(job, known, stations, found, now_ns)
        return found

    def _take_over(
        self, job: Row[Any], row: WeighJobRow | None, stations: dict[str, int], found: _Differences, now_ns: int
    ) -> None:
        """Plan to start or reopen a job of the application."""
        if error := _error_of(job, stations):
            found.conflicts.append(error)
            return
        stations[job.station] = job.id
        if row is not None:
            found.changes.append(_reopener(job, now_ns))
            return
        started_ns = min(utc_ns(job.started_at) if isinstance(job.started_at, datetime) else now_ns, now_ns)

        def start(session: Session) -> None:
            session.add(
                WeighJobRow(
                    id=job.id,
                    company=self._application.company_name(session, job.prepuff_company_id)[:255],
                    quantity=job.quantity,
                    station=job.station,
                    target=str(job.target_weight),
                    unit=POUND,
                    tolerance=WEB_APP_TOLERANCE,
                    started_ns=started_ns,
                )
            )
            session.flush()
            # The bags that it has: they may be older than those that are looked for.
            self._highest_bag = -1

        found.changes.append(start)

    def _compare(self, job: Row[Any], row: WeighJobRow, stations: dict[str, int], found: _Differences) -> None:
        """Plan to follow changes of an active job."""
        moved = job.station != row.station
        target_changed = job.target_weight != pounds(Decimal(row.target), row.unit)
        if not moved and not target_changed and job.quantity == row.quantity:
            return
        if error := _error_of(job, {station: number for station, number in stations.items() if number != job.id}):
            found.conflicts.append(error)
            return
        del stations[row.station]
        stations[job.station] = job.id

        def change(session: Session) -> None:
            stored = session.get_one(WeighJobRow, job.id)
            stored.station, stored.quantity = job.station, job.quantity
            if target_changed:
                stored.target, stored.unit = str(job.target_weight), POUND

        found.changes.append(change)

    def _adopt_bags(self, now_ns: int) -> int:
        """Record the bags that the application has added to active jobs; return their number."""
        if not self._application.records_bags:
            return 0
        with Session(self._read_only) as session:
            highest = session.scalar(select(func.max(BAG.c.id))) or 0
            if highest == self._highest_bag and now_ns - self._checked_ns < BAG_CHECK_NS:
                return 0
            above = self._highest_bag - LOOK_BACK
            rows = session.execute(_unknown_bags(above)).all()
        count = 0
        if rows:
            with Session(self._engine) as session, session.begin():
                rows = session.execute(_unknown_bags(above)).all()
                for row in rows:
                    _record(session, row)
                count = len(rows)
        if count < PAGE:
            self._highest_bag, self._checked_ns = highest, now_ns
        return count


def _error_of(job: Row[Any], stations: dict[str, int]) -> str:
    """Return why a job of the application cannot be taken over; "" = it can."""
    if job.station in stations:
        return (
            f'the web application has a second active job at station {job.station}: job {stations[job.station]} counts, '
            f'job {job.id} waits until that one is ended'
        )
    if not job.station or job.target_weight is None or job.target_weight <= 0 or not job.quantity or job.quantity < 1:
        return f'job {job.id} of the web application has no station, target weight or quantity'
    return ''


def _ender(job_id: int, now_ns: int) -> Change:
    def end(session: Session) -> None:
        row = session.get_one(WeighJobRow, job_id)
        row.finished_ns, row.ended_by = now_ns, BY_APPLICATION
        session.flush()

    return end


def _reopener(job: Row[Any], now_ns: int) -> Change:
    def reopen(session: Session) -> None:
        row = session.get_one(WeighJobRow, job.id)
        session.add(
            ReopenRow(
                prepuff_job_id=row.id,
                ended_ns=row.finished_ns,
                reopened_ns=now_ns,
                reopened_by=BY_APPLICATION,
                reason='',
                quantity_before=row.quantity,
                quantity=job.quantity,
                ended_boot=row.finished_boot,
                ended_monotonic=row.finished_monotonic,
            )
        )
        row.finished_ns = row.finished_boot = row.finished_monotonic = None
        row.quantity, row.station, row.ended_by, row.end_reason = job.quantity, job.station, '', ''
        session.flush()

    return reopen


def _unknown_bags(above: int) -> Any:
    """Select the application's bags of active jobs that the cell has not recorded, with a number above one."""
    return (
        select(BAG)
        .join(WeighJobRow, WeighJobRow.id == BAG.c.prepuff_job_id)
        .outerjoin(BagRow, BagRow.filler_bag_id == BAG.c.id)
        .where(BAG.c.id > above, WeighJobRow.finished_ns.is_(None), BagRow.id.is_(None))
        .order_by(BAG.c.id)
        .limit(PAGE)
    )


def _record(session: Session, row: Row[Any]) -> None:
    """Record a bag of the application and count it."""
    job = session.get_one(WeighJobRow, row.prepuff_job_id)
    weight = row.weight if row.weight is not None else Decimal(0)
    heavy = weight >= pounds(Decimal(job.target), job.unit)
    outcome = ToleranceResult.IN_TOLERANCE if row.in_tolerance else ToleranceResult.OVER if heavy else ToleranceResult.UNDER
    job.bags_numbered += 1
    if row.in_tolerance:
        job.bags_good += 1
    else:
        job.bags_out += 1
    bag = Bag(
        reading_id='',
        scale_id=str(row.scale_id or ''),
        station=job.station,
        weight=str(weight),
        unit=POUND,
        weighed_ns=utc_ns(row.weighed_at) if isinstance(row.weighed_at, datetime) else 0,
        outcome=outcome,
        job_id=job.id,
        number=job.bags_numbered,
        message='recorded by the web application',
        net_weight=str(weight),
    )
    session.execute(insert(BagRow).values(bag_values(bag, row.id)))
