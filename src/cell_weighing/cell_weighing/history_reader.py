"""Reads bags with the steps of their delivery, for the history. Read-only."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.history_page import HistoryFilter, Page, PageRequest, in_time, matches_text, read_page
from sqlalchemy import ColumnElement, Connection, FromClause, Row, select

from cell_weighing.delivery.policy import DeliveryItemState
from cell_weighing.domain.reading import Stability
from cell_weighing.domain.tolerance import ToleranceResult, WeightZone
from cell_weighing.storage.tables import BagRow, DeliveryRow, WeightReadingRow

__all__ = ['BagItem', 'DeliverySteps', 'LineItem', 'read_bag', 'read_bag_line', 'read_bags', 'read_delivery']

_BAG, _DELIVERY, _LINE = (
    BagRow.__table__,
    DeliveryRow.__table__,
    WeightReadingRow.__table__,
)


@dataclass(frozen=True)
class BagItem:
    """One weighed bag. Weights are texts with the digits of the indicator."""

    bag_id: int
    weigh_job_id: int
    """0 = the station had no job."""
    bag_number: int
    station: str
    scale_id: str
    weight: str
    unit: str
    net_weight: str
    outcome: str
    zone: str
    stability: str
    message: str
    reading_id: str
    """"" = recorded by the web application."""
    weighed_ns: int


@dataclass(frozen=True)
class DeliverySteps:
    """Delivery of a bag to the web application: the time of each step, 0 = not reached."""

    state: str
    attempts: int
    http_status: int
    error: str
    received_ns: int
    validated_ns: int
    stored_ns: int
    posted_ns: int
    acknowledged_ns: int


@dataclass(frozen=True)
class LineItem:
    """The line of the indicator that a bag was made of."""

    sequence: int
    raw: str
    peer: str
    received_ns: int


def read_bags(connection: Connection, wanted: HistoryFilter, page: PageRequest) -> Page[BagItem]:
    """Return bags by the time they were weighed; see `read_page` for the errors.

    A part is looked for in the messages: weigh jobs name none. A job is the number of a weigh job, else nothing is found.
    """
    query = select(_BAG).where(*in_time(wanted, _BAG.c.weighed_ns))
    if wanted.station:
        query = query.where(_BAG.c.station == wanted.station)
    if wanted.job:
        number = int(wanted.job) if wanted.job.isascii() and wanted.job.isdigit() and len(wanted.job) < 19 else -1
        query = query.where(_BAG.c.prepuff_job_id == number)
    texts = [text for text in (wanted.text, wanted.part) if text]

    def scanned(rows: FromClause) -> list[ColumnElement[bool]]:
        names = ('scale_id', 'station', 'weight_exact', 'message', 'reading_id')
        found = [matches_text(text, *(rows.c[name] for name in names)) for text in texts]
        return [*found, rows.c.outcome != int(ToleranceResult.IN_TOLERANCE)] if wanted.faults else found

    return read_page(connection, query, ('weighed_ns', 'id'), page, scanned if texts or wanted.faults else None).map(_bag_of)


def read_bag(connection: Connection, bag_id: int) -> BagItem | None:
    """Return one bag; None if there is none with this id."""
    row = connection.execute(select(_BAG).where(_BAG.c.id == bag_id)).first()
    return _bag_of(row) if row else None


def read_bag_line(connection: Connection, reading_id: str) -> LineItem | None:
    """Return the journal line of a bag; None if it is not kept any more."""
    row = connection.execute(select(_LINE).where(_LINE.c.reading_id == reading_id)).first()
    if row is None:
        return None
    return LineItem(row.sequence, bytes(row.raw).decode('ascii', 'backslashreplace'), row.peer, row.received_ns)


def read_delivery(connection: Connection, reading_id: str) -> DeliverySteps | None:
    """Return the delivery of a bag; None if there was none."""
    row = connection.execute(select(_DELIVERY).where(_DELIVERY.c.reading_id == reading_id)).first()
    if row is None:
        return None
    return DeliverySteps(
        DeliveryItemState(row.state).name,
        row.attempts,
        row.http_status or 0,
        row.error,
        row.received_ns,
        row.validated_ns,
        row.stored_ns or 0,
        row.posted_ns or 0,
        row.acknowledged_ns or 0,
    )


def _bag_of(row: Row[tuple[object, ...]]) -> BagItem:
    return BagItem(
        bag_id=row.id,
        weigh_job_id=row.prepuff_job_id or 0,
        bag_number=row.bag_number,
        station=row.station,
        scale_id=row.scale_id,
        weight=row.weight_exact,
        unit=row.weight_unit,
        net_weight=row.net_weight,
        outcome=ToleranceResult(row.outcome).name,
        zone=WeightZone(row.zone).name,
        stability=Stability(row.stability).name,
        message=row.message,
        reading_id=row.reading_id or '',
        weighed_ns=row.weighed_ns,
    )
