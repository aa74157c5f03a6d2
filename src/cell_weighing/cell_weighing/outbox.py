"""The outbox: bags on their way to the web application, and the ledger of how each has got there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from cell_weighing.delivery import Answer, Parcel, State, receipt
from cell_weighing.models import DeliveryRow
from cell_weighing.records import Bag


@dataclass(frozen=True)
class OutboxCounts:
    """How the outbox stands."""

    waiting: int
    delivered: int
    dead: int


def delivery_row(bag: Bag, validated_ns: int) -> DeliveryRow:
    """Return the ledger entry of a new bag; it is stored in one transaction with the bag."""
    return DeliveryRow(reading_id=bag.reading_id, station=bag.station, scale_id=bag.scale_id, weight=bag.weight, unit=bag.unit,
                       state=int(State.WAITING), attempts=0, received_ns=bag.weighed_ns, validated_ns=validated_ns, error='')


class Outbox:
    """Used by several threads: each call has a session of its own."""

    def __init__(self, engine: Engine) -> None:
        """Use an open, migrated database."""
        self._engine = engine

    def stations(self) -> list[str]:
        """Return the stations that have parcels waiting."""
        with Session(self._engine) as session:
            return list(session.scalars(select(DeliveryRow.station).where(DeliveryRow.state == State.WAITING).distinct()))

    def next(self, station: str) -> Parcel | None:
        """Return the first waiting parcel of a station, in the order in which the bags were stored."""
        with Session(self._engine) as session:
            row = session.scalars(select(DeliveryRow).where(DeliveryRow.station == station, DeliveryRow.state == State.WAITING)
                                  .order_by(DeliveryRow.id).limit(1)).first()
            return Parcel(row.reading_id, row.station, row.scale_id, row.weight, row.unit, row.attempts) if row else None

    def delivered(self, parcel: Parcel, answer: Answer, posted_ns: int, acknowledged_ns: int) -> None:
        """Enter that the web application has taken a parcel, and what it said of it."""
        told = receipt(answer)
        self._enter(parcel, state=int(State.DELIVERED), posted_ns=posted_ns, acknowledged_ns=acknowledged_ns,
                    http_status=answer.status, error='', bag_id=told.bag_id, bag_num=told.bag_num,
                    in_tolerance=told.in_tolerance, job_complete=told.job_complete)

    def failed(self, parcel: Parcel, answer: Answer, posted_ns: int, error: str, *, dead: bool) -> None:
        """Enter that an attempt failed; a dead parcel is not tried again until a person says so."""
        self._enter(parcel, state=int(State.DEAD if dead else State.WAITING), posted_ns=posted_ns, http_status=answer.status,
                    error=error[:200])

    def _enter(self, parcel: Parcel, **values: object) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(update(DeliveryRow).where(DeliveryRow.reading_id == parcel.reading_id).values(
                attempts=DeliveryRow.attempts + 1, **values))

    def revive(self, reading_ids: Sequence[str] | None = None) -> int:
        """Let dead parcels (None = all) wait again; return how many."""
        with Session(self._engine) as session, session.begin():
            wanted = update(DeliveryRow).where(DeliveryRow.state == State.DEAD).values(state=int(State.WAITING), error='')
            if reading_ids is not None:
                wanted = wanted.where(DeliveryRow.reading_id.in_(reading_ids))
            return int(session.execute(wanted).rowcount)  # type: ignore[attr-defined]

    def counts(self) -> OutboxCounts:
        """Return how many parcels wait, are delivered and are dead."""
        with Session(self._engine) as session:
            rows = session.execute(select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state)).all()
        numbers = {row[0]: row[1] for row in rows}
        return OutboxCounts(*(numbers.get(state, 0) for state in (State.WAITING, State.DELIVERED, State.DEAD)))
