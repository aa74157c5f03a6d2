"""Outbox and delivery ledger: which bags wait for the web application, and how each was delivered."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from cell_common.database import read_only
from sqlalchemy import CursorResult, Engine, func, select, update
from sqlalchemy.orm import Session

from cell_weighing.delivery.policy import DeliveryItem, DeliveryItemState, HttpResult, parse_receipt
from cell_weighing.domain.jobs import Bag
from cell_weighing.storage.tables import BagRow, DeliveryRow

LONGEST_RESPONSE = 4000
"""Characters of a response that the ledger keeps."""


@dataclass(frozen=True)
class OutboxCounts:
    """Number of bags by state.

    Attributes:
        waiting: Not delivered yet.
        delivered: Accepted by the web application since the database was created.
        dead: Dead letters.
        oldest_ns: When the oldest waiting bag was weighed, UTC nanoseconds; 0 = none waits.
        last_ns: When the web application last accepted a bag, UTC nanoseconds; 0 = never.
    """

    waiting: int
    delivered: int
    dead: int
    oldest_ns: int = 0
    last_ns: int = 0


@dataclass(frozen=True)
class DeadLetter:
    """A bag that the web application rejected.

    Attributes:
        bag_id: Number of the bag record.
        station: Station of the bag.
        weight: Decimal digits in `unit`.
        unit: kg, g, lb, oz or t.
        http_status: Status of the rejection.
        reason: Message for the operator.
        rejected_ns: UTC nanoseconds since 1970.
    """

    bag_id: int
    station: str
    weight: str
    unit: str
    http_status: int
    reason: str
    rejected_ns: int


@dataclass(frozen=True)
class BagDelivery:
    """Progress of the delivery of one bag.

    Attributes:
        attempts: Requests so far.
        http_status: HTTP status of the latest response; 0 = none.
        error: Why the latest request failed; "" = it did not.
        response: Body of the latest response; "" = none.
        posted_ns: When the latest request was sent, UTC nanoseconds; 0 = never.
        acknowledged_ns: When the web application accepted the bag, UTC nanoseconds; 0 = never.
    """

    state: DeliveryItemState
    attempts: int
    http_status: int
    error: str
    response: str
    posted_ns: int
    acknowledged_ns: int


def read_delivery(engine: Engine, reading_id: str) -> BagDelivery | None:
    """Return the progress of a bag's delivery; None = the bag is not for the web application.

    Args:
        engine: The database, for reading.
        reading_id: Id of the bag's reading.
    """
    with Session(engine) as session:
        row = session.scalars(select(DeliveryRow).where(DeliveryRow.reading_id == reading_id)).first()
        if row is None:
            return None
        return BagDelivery(
            DeliveryItemState(row.state),
            row.attempts,
            row.http_status or 0,
            row.error,
            row.response or '',
            row.posted_ns or 0,
            row.acknowledged_ns or 0,
        )


class NotDeadLetterError(LookupError):
    """The bag has not been rejected by the web application."""


def delivery_row(bag: Bag, validated_ns: int) -> DeliveryRow:
    """Return the ledger entry of a new bag, to be stored in one transaction with the bag.

    Args:
        bag: New bag.
        validated_ns: When it was judged, UTC nanoseconds since 1970.
    """
    return DeliveryRow(
        reading_id=bag.reading_id,
        station=bag.station,
        scale_id=bag.posted_scale,
        weight=bag.weight,
        unit=bag.unit,
        state=int(DeliveryItemState.WAITING),
        attempts=0,
        received_ns=bag.weighed_ns,
        validated_ns=validated_ns,
        error='',
    )


class Outbox:
    """Reads and updates the ledger; each call has its own session, so threads may share one outbox."""

    def __init__(self, engine: Engine) -> None:
        """Use an open, migrated database."""
        self._engine = engine
        self._read_only = read_only(engine)
        self._lock = threading.Lock()
        self._delivered: tuple[int, int] | None = None
        """Number of delivered bags and time of the last one: counted once, then updated by `mark_delivered`."""

    def stations(self) -> list[str]:
        """Return the stations that have bags waiting."""
        with Session(self._read_only) as session:
            waiting = DeliveryRow.state == DeliveryItemState.WAITING
            return list(session.scalars(select(DeliveryRow.station).where(waiting).distinct()))

    def next(self, station: str) -> DeliveryItem | None:
        """Return the first waiting bag of a station, in the order in which the bags were stored."""
        with Session(self._read_only) as session:
            row = session.scalars(
                select(DeliveryRow)
                .where(DeliveryRow.station == station, DeliveryRow.state == DeliveryItemState.WAITING)
                .order_by(DeliveryRow.id)
                .limit(1)
            ).first()
            if row is None:
                return None
            unanswered = row.attempts > 0 and not row.http_status
            return DeliveryItem(row.reading_id, row.station, row.scale_id, row.weight, row.unit, row.attempts, unanswered)

    def mark_delivered(self, item: DeliveryItem, result: HttpResult, posted_ns: int, acknowledged_ns: int) -> None:
        """Record that the web application accepted a bag, with its receipt.

        Args:
            item: The bag.
            result: The response.
            posted_ns: When it was posted, UTC nanoseconds.
            acknowledged_ns: When the response arrived, UTC nanoseconds.
        """
        receipt = parse_receipt(result)
        with self._lock:
            self._update(
                item,
                state=int(DeliveryItemState.DELIVERED),
                posted_ns=posted_ns,
                acknowledged_ns=acknowledged_ns,
                http_status=result.status,
                error='',
                response=_stored_body(result),
                bag_id=receipt.bag_id,
                bag_num=receipt.bag_num,
                in_tolerance=receipt.in_tolerance,
                job_complete=receipt.job_complete,
            )
            # Counting a million delivered rows each second would be the slowest query of the node.
            if self._delivered:
                self._delivered = self._delivered[0] + 1, max(self._delivered[1], acknowledged_ns)

    def mark_failed(self, item: DeliveryItem, result: HttpResult, posted_ns: int, error: str, *, dead: bool) -> None:
        """Record a failed attempt.

        Args:
            item: The bag.
            result: The response, or why there was none.
            posted_ns: When it was posted, UTC nanoseconds.
            error: Message for the operator.
            dead: Make the bag a dead letter, which is not sent again before an operator's command.
        """
        self._update(
            item,
            state=int(DeliveryItemState.DEAD_LETTER if dead else DeliveryItemState.WAITING),
            posted_ns=posted_ns,
            http_status=result.status,
            error=error[:200],
            response=_stored_body(result),
        )

    def _update(self, item: DeliveryItem, **values: object) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(DeliveryRow)
                .where(DeliveryRow.reading_id == item.reading_id)
                .values(attempts=DeliveryRow.attempts + 1, **values)
            )

    def requeue(self, reading_ids: Sequence[str] | None = None) -> int:
        """Move dead letters back to the waiting bags.

        Args:
            reading_ids: The dead letters; None = all.

        Returns:
            Number of bags that wait again.
        """
        dead = DeliveryRow.state == DeliveryItemState.DEAD_LETTER
        statement = update(DeliveryRow).where(dead).values(state=int(DeliveryItemState.WAITING), error='')
        if reading_ids is not None:
            statement = statement.where(DeliveryRow.reading_id.in_(reading_ids))
        with self._engine.begin() as connection:
            result: CursorResult[tuple[()]] = connection.execute(statement)
            return int(result.rowcount)

    def requeue_bag(self, bag_id: int) -> None:
        """Move one dead letter back to the waiting bags.

        Raises:
            NotDeadLetterError: There is no such bag, or it is not a dead letter.
        """
        with Session(self._read_only) as session:
            reading_id = session.scalar(select(BagRow.reading_id).where(BagRow.id == bag_id))
        if reading_id is None or not self.requeue([reading_id]):
            raise NotDeadLetterError(f'bag {bag_id} has not been rejected by the web application')

    def counts(self) -> OutboxCounts:
        """Return the number of bags by state."""
        with self._lock, Session(self._read_only) as session:
            if self._delivered is None:
                self._delivered = _count_delivered(session)
            rows = session.execute(
                select(DeliveryRow.state, func.count(), func.min(DeliveryRow.received_ns))
                .where(DeliveryRow.state.in_([DeliveryItemState.WAITING, DeliveryItemState.DEAD_LETTER]))
                .group_by(DeliveryRow.state)
            ).all()
            numbers = {state: (count, oldest) for state, count, oldest in rows}
            waiting, oldest = numbers.get(DeliveryItemState.WAITING, (0, 0))
            dead, _ = numbers.get(DeliveryItemState.DEAD_LETTER, (0, 0))
            return OutboxCounts(waiting, self._delivered[0], dead, oldest, self._delivered[1])

    def dead_letters(self, limit: int = 50) -> list[DeadLetter]:
        """Return the dead letters, newest first, at most `limit`."""
        with Session(self._read_only) as session:
            rows = session.execute(
                select(DeliveryRow, BagRow.id)
                .join(BagRow, BagRow.reading_id == DeliveryRow.reading_id)
                .where(DeliveryRow.state == DeliveryItemState.DEAD_LETTER)
                .order_by(DeliveryRow.posted_ns.desc(), DeliveryRow.id.desc())
                .limit(limit)
            )
            return [
                DeadLetter(
                    bag_id=bag_id,
                    station=row.station,
                    weight=row.weight,
                    unit=row.unit,
                    http_status=row.http_status or 0,
                    reason=row.error,
                    rejected_ns=row.posted_ns or 0,
                )
                for row, bag_id in rows
            ]


def _count_delivered(session: Session) -> tuple[int, int]:
    delivered = DeliveryRow.state == DeliveryItemState.DELIVERED
    count, last = session.execute(select(func.count(), func.max(DeliveryRow.acknowledged_ns)).where(delivered)).one()
    return count, last or 0


def _stored_body(result: HttpResult) -> str:
    """Return the response body as the ledger stores it; PostgreSQL's text cannot hold NUL."""
    return result.body[:LONGEST_RESPONSE].replace('\0', '\ufffd')
