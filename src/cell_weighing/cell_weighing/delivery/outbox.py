"""The outbox: bags on their way to the web application, and the ledger of how each has got there."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from cell_common.database import read_only
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from cell_weighing.delivery.policy import DeliveryItem, DeliveryItemState, HttpResult, parse_receipt
from cell_weighing.domain.jobs import Bag
from cell_weighing.storage.tables import BagRow, DeliveryRow

LONGEST_RESPONSE = 4000
"""Characters of an answer that the ledger keeps."""


@dataclass(frozen=True)
class OutboxCounts:
    """How the outbox stands."""

    waiting: int
    delivered: int
    dead: int
    oldest_ns: int = 0
    """When the oldest waiting bag was weighed; 0 = none waits."""
    last_ns: int = 0
    """When the web application last took a bag; 0 = never."""


@dataclass(frozen=True)
class DeadLetter:
    """A bag that the web application refused."""

    bag_id: int
    station: str
    weight: str
    unit: str
    http_status: int
    reason: str
    rejected_ns: int


class NotDeadLetterError(LookupError):
    """There is no such refused bag."""


def delivery_row(bag: Bag, validated_ns: int) -> DeliveryRow:
    """Return the ledger entry of a new bag; it is stored in one transaction with the bag."""
    return DeliveryRow(
        reading_id=bag.reading_id,
        station=bag.station,
        scale_id=bag.scale_id,
        weight=bag.weight,
        unit=bag.unit,
        state=int(DeliveryItemState.WAITING),
        attempts=0,
        received_ns=bag.weighed_ns,
        validated_ns=validated_ns,
        error='',
    )


def _kept(answer: HttpResult) -> str:
    """Return an answer as it came; without NUL, which PostgreSQL's text cannot hold."""
    return answer.body[:LONGEST_RESPONSE].replace('\0', '\ufffd')


class Outbox:
    """Used by several threads: each call has a session of its own."""

    def __init__(self, engine: Engine) -> None:
        """Use an open, migrated database."""
        self._engine = engine
        self._reading = read_only(engine)
        self._lock = threading.Lock()
        self._done: tuple[int, int] | None = None
        """Parcels delivered and when the last one was, once counted: what this outbox delivers is added without counting."""

    def stations(self) -> list[str]:
        """Return the stations that have parcels waiting."""
        with Session(self._reading) as session:
            return list(
                session.scalars(select(DeliveryRow.station).where(DeliveryRow.state == DeliveryItemState.WAITING).distinct())
            )

    def next(self, station: str) -> DeliveryItem | None:
        """Return the first waiting parcel of a station, in the order in which the bags were stored."""
        with Session(self._reading) as session:
            row = session.scalars(
                select(DeliveryRow)
                .where(DeliveryRow.station == station, DeliveryRow.state == DeliveryItemState.WAITING)
                .order_by(DeliveryRow.id)
                .limit(1)
            ).first()
            return DeliveryItem(row.reading_id, row.station, row.scale_id, row.weight, row.unit, row.attempts) if row else None

    def mark_delivered(self, item: DeliveryItem, answer: HttpResult, posted_ns: int, acknowledged_ns: int) -> None:
        """Enter that the web application has taken a parcel, and what it said of it."""
        told = parse_receipt(answer)
        with self._lock:
            self._enter(
                item,
                state=int(DeliveryItemState.DELIVERED),
                posted_ns=posted_ns,
                acknowledged_ns=acknowledged_ns,
                http_status=answer.status,
                error='',
                response=_kept(answer),
                bag_id=told.bag_id,
                bag_num=told.bag_num,
                in_tolerance=told.in_tolerance,
                job_complete=told.job_complete,
            )
            if self._done:
                self._done = self._done[0] + 1, max(self._done[1], acknowledged_ns)

    def mark_failed(self, item: DeliveryItem, answer: HttpResult, posted_ns: int, error: str, *, dead: bool) -> None:
        """Enter that an attempt failed; a dead parcel is not tried again until a person says so."""
        self._enter(
            item,
            state=int(DeliveryItemState.DEAD_LETTER if dead else DeliveryItemState.WAITING),
            posted_ns=posted_ns,
            http_status=answer.status,
            error=error[:200],
            response=_kept(answer),
        )

    def _enter(self, item: DeliveryItem, **values: object) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(DeliveryRow)
                .where(DeliveryRow.reading_id == item.reading_id)
                .values(attempts=DeliveryRow.attempts + 1, **values)
            )

    def requeue(self, reading_ids: Sequence[str] | None = None) -> int:
        """Let dead parcels (None = all) wait again; return how many."""
        with Session(self._engine) as session, session.begin():
            wanted = (
                update(DeliveryRow)
                .where(DeliveryRow.state == DeliveryItemState.DEAD_LETTER)
                .values(state=int(DeliveryItemState.WAITING), error='')
            )
            if reading_ids is not None:
                wanted = wanted.where(DeliveryRow.reading_id.in_(reading_ids))
            return int(session.execute(wanted).rowcount)  # type: ignore[attr-defined]

    def requeue_bag(self, bag_id: int) -> None:
        """Let one refused bag wait again.

        Raises:
            NotRefusedError: There is no such bag, or it is not refused.
        """
        with Session(self._reading) as session:
            reading_id = session.scalar(select(BagRow.reading_id).where(BagRow.id == bag_id))
        if reading_id is None or not self.requeue([reading_id]):
            raise NotDeadLetterError(f'bag {bag_id} is none that the web application has refused')

    def counts(self) -> OutboxCounts:
        """Return how the outbox stands; delivered parcels are counted once, later ones are added."""
        with self._lock, Session(self._reading) as session:
            if self._done is None:
                self._done = self._count_delivered(session)
            rows = session.execute(
                select(DeliveryRow.state, func.count(), func.min(DeliveryRow.received_ns))
                .where(DeliveryRow.state.in_([DeliveryItemState.WAITING, DeliveryItemState.DEAD_LETTER]))
                .group_by(DeliveryRow.state)
            ).all()
            numbers = {state: (count, oldest) for state, count, oldest in rows}
            waiting, oldest = numbers.get(DeliveryItemState.WAITING, (0, 0))
            return OutboxCounts(
                waiting, self._done[0], numbers.get(DeliveryItemState.DEAD_LETTER, (0, 0))[0], oldest, self._done[1]
            )

    def dead_letters(self, limit: int = 50) -> list[DeadLetter]:
        """Return the refused bags, newest first."""
        with Session(self._reading) as session:
            rows = session.execute(
                select(DeliveryRow, BagRow.id)
                .join(BagRow, BagRow.reading_id == DeliveryRow.reading_id)
                .where(DeliveryRow.state == DeliveryItemState.DEAD_LETTER)
                .order_by(DeliveryRow.posted_ns.desc(), DeliveryRow.id.desc())
                .limit(limit)
            )
            return [
                DeadLetter(bag_id, row.station, row.weight, row.unit, row.http_status or 0, row.error, row.posted_ns or 0)
                for row, bag_id in rows
            ]

    @staticmethod
    def _count_delivered(session: Session) -> tuple[int, int]:
        count, last = session.execute(
            select(func.count(), func.max(DeliveryRow.acknowledged_ns)).where(DeliveryRow.state == DeliveryItemState.DELIVERED)
        ).one()
        return count, last or 0
