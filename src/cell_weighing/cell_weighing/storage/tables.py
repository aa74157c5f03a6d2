"""Tables of the weighing package, and their owners.

scale_bridge writes `weigh_reading` (the journal) and `weigh_scale`. weigh_station reads both through `journal_reader`, and
deletes old journal lines that no bag needs (`retention`). weigh_station alone writes all other tables. Other packages read
through `cell_weighing.reader`.

The tables of the web application are not here: see `web_application`. Weights are text, with the digits that an indicator sent.
Times are whole nanoseconds since 1970, UTC.

The columns `*_boot` and `*_monotonic` decide which job a reading belongs to (see `event_order`); they are NULL in rows of older
releases.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite numbers rows automatically only in a column of type INTEGER.
BigKey = BigInteger().with_variant(Integer, 'sqlite')


class WeighingBase(DeclarativeBase):
    """Base of the tables of this package."""


class WeightReadingRow(WeighingBase):
    """The journal: one line of an indicator. Rows are never changed; `retention` removes old ones."""

    __tablename__ = 'weigh_reading'
    __table_args__ = (UniqueConstraint('scale_id', 'sequence'),)

    reading_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    scale_id: Mapped[str] = mapped_column(String(32))
    sequence: Mapped[int] = mapped_column(BigInteger)
    received_ns: Mapped[int] = mapped_column(BigInteger)
    monotonic_ns: Mapped[int] = mapped_column(BigInteger)
    boot_id: Mapped[str] = mapped_column(String(36))
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    weight: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str] = mapped_column(String(2))
    stability: Mapped[int] = mapped_column(SmallInteger)
    mode: Mapped[int] = mapped_column(SmallInteger)
    tare: Mapped[str] = mapped_column(String(20))
    message: Mapped[str] = mapped_column(String(200))
    peer: Mapped[str] = mapped_column(String(64))


class ScaleRow(WeighingBase):
    """One indicator: its last stored sequence number, its count of valid readings, and the state of its capture."""

    __tablename__ = 'weigh_scale'

    scale_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    valid_readings: Mapped[int] = mapped_column(BigInteger)
    armed: Mapped[bool] = mapped_column(Boolean, default=True)
    captured: Mapped[str] = mapped_column(String(24), default='')


class CursorRow(WeighingBase):
    """Sequence number of the last reading of one indicator that weigh_station has processed."""

    __tablename__ = 'weigh_cursor'

    scale_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)


class WeighJobRow(WeighingBase):
    """A weigh job. Its `id` is that of its counterpart in `prepuff_job`; it is active while `finished_ns` is NULL."""

    __tablename__ = 'weigh_job'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    company: Mapped[str] = mapped_column(String(255), default='')
    quantity: Mapped[int] = mapped_column(Integer)
    station: Mapped[str] = mapped_column(String(64), index=True)
    target: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str] = mapped_column(String(10))
    tolerance: Mapped[str] = mapped_column(String(20))
    tare: Mapped[str] = mapped_column(String(20), default='0')
    bags_good: Mapped[int] = mapped_column(Integer, default=0)
    bags_out: Mapped[int] = mapped_column(Integer, default=0)
    bags_numbered: Mapped[int] = mapped_column(Integer, default=0)
    bags_voided: Mapped[int] = mapped_column(Integer, default=0)
    started_by: Mapped[str] = mapped_column(String(64), default='')
    started_ns: Mapped[int] = mapped_column(BigInteger)
    finished_ns: Mapped[int | None] = mapped_column(BigInteger)
    started_boot: Mapped[str | None] = mapped_column(String(36))
    started_monotonic: Mapped[int | None] = mapped_column(BigInteger)
    finished_boot: Mapped[str | None] = mapped_column(String(36))
    finished_monotonic: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[str] = mapped_column(String(64), default='')
    end_reason: Mapped[str] = mapped_column(String(200), default='')


class BagRow(WeighingBase):
    """A weighed bag.

    `prepuff_job_id` is NULL when the station had no job. `filler_bag_id` is the number of its counterpart in `filler_bag`; NULL
    when it has none: without a job, or when the web application records the bags that are posted to it. `reading_id` is NULL
    for a bag that the web application recorded.
    """

    __tablename__ = 'weigh_bag'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    prepuff_job_id: Mapped[int | None] = mapped_column(ForeignKey('weigh_job.id'), index=True)
    filler_bag_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    scale_id: Mapped[str] = mapped_column(String(32))
    reading_id: Mapped[str | None] = mapped_column(String(36), unique=True)
    weight_exact: Mapped[str] = mapped_column(String(20), default='')
    weight_unit: Mapped[str] = mapped_column(String(10), default='')
    station: Mapped[str] = mapped_column(String(64))
    bag_number: Mapped[int] = mapped_column(Integer, default=0)
    outcome: Mapped[int] = mapped_column(SmallInteger)
    weighed_ns: Mapped[int] = mapped_column(BigInteger)
    stability: Mapped[int] = mapped_column(SmallInteger)
    message: Mapped[str] = mapped_column(String(200), default='')
    zone: Mapped[int] = mapped_column(SmallInteger, default=0)
    net_weight: Mapped[str] = mapped_column(String(40), default='')
    stands_for: Mapped[str] = mapped_column(String(32), default='')


class VoidRow(WeighingBase):
    """A voided bag: the compensating record, the row of the bag is unchanged."""

    __tablename__ = 'weigh_void'

    bag_id: Mapped[int] = mapped_column(ForeignKey('weigh_bag.id'), primary_key=True, autoincrement=False)
    voided_ns: Mapped[int] = mapped_column(BigInteger)
    voided_by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))


class UndoneVoidRow(WeighingBase):
    """A voiding that was taken back, with the record of the voiding."""

    __tablename__ = 'weigh_undone_void'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    bag_id: Mapped[int] = mapped_column(ForeignKey('weigh_bag.id'), index=True)
    voided_ns: Mapped[int] = mapped_column(BigInteger)
    voided_by: Mapped[str] = mapped_column(String(64))
    void_reason: Mapped[str] = mapped_column(String(200))
    undone_ns: Mapped[int] = mapped_column(BigInteger)
    undone_by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))


class OperatorRow(WeighingBase):
    """An operator who has started a weigh job, with the number for `started_by_id` where that refers to no table of users."""

    __tablename__ = 'weigh_operator'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)


class ApplicationRow(WeighingBase):
    """One row: whether the cell made the tables of the web application."""

    __tablename__ = 'weigh_application'

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    made_tables: Mapped[bool] = mapped_column(Boolean)


class ReopenRow(WeighingBase):
    """A reopened job: from `ended_ns` until `reopened_ns` no bag was counted for it."""

    __tablename__ = 'weigh_reopen'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    prepuff_job_id: Mapped[int] = mapped_column(ForeignKey('weigh_job.id'), index=True)
    ended_ns: Mapped[int] = mapped_column(BigInteger)
    reopened_ns: Mapped[int] = mapped_column(BigInteger)
    ended_boot: Mapped[str | None] = mapped_column(String(36))
    ended_monotonic: Mapped[int | None] = mapped_column(BigInteger)
    reopened_boot: Mapped[str | None] = mapped_column(String(36))
    reopened_monotonic: Mapped[int | None] = mapped_column(BigInteger)
    reopened_by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    quantity_before: Mapped[int] = mapped_column(Integer)
    quantity: Mapped[int] = mapped_column(Integer)


class CommandRow(WeighingBase):
    """Audit of one operator command, executed or rejected, with its result."""

    __tablename__ = 'weigh_command'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    received_ns: Mapped[int] = mapped_column(BigInteger)
    command: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64))
    operator_id: Mapped[str] = mapped_column(String(64))
    issued_ns: Mapped[int] = mapped_column(BigInteger)
    arguments: Mapped[str] = mapped_column(Text)
    code: Mapped[int] = mapped_column(Integer)
    message: Mapped[str] = mapped_column(Text)


class DeliveryRow(WeighingBase):
    """Delivery ledger: one bag for the web application, with the time of each stage."""

    __tablename__ = 'weigh_delivery'
    __table_args__ = (Index('weigh_delivery_lane', 'state', 'station', 'id'),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    reading_id: Mapped[str] = mapped_column(String(36), unique=True)
    station: Mapped[str] = mapped_column(String(64))
    scale_id: Mapped[str] = mapped_column(String(32))
    weight: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str] = mapped_column(String(2))
    state: Mapped[int] = mapped_column(SmallInteger)
    attempts: Mapped[int] = mapped_column(Integer)
    received_ns: Mapped[int] = mapped_column(BigInteger)
    validated_ns: Mapped[int] = mapped_column(BigInteger)
    stored_ns: Mapped[int | None] = mapped_column(BigInteger)
    posted_ns: Mapped[int | None] = mapped_column(BigInteger)
    acknowledged_ns: Mapped[int | None] = mapped_column(BigInteger)
    http_status: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str] = mapped_column(String(200))
    response: Mapped[str | None] = mapped_column(Text)
    bag_id: Mapped[int | None] = mapped_column(BigInteger)
    bag_num: Mapped[int | None] = mapped_column(BigInteger)
    in_tolerance: Mapped[bool | None] = mapped_column(Boolean)
    job_complete: Mapped[bool | None] = mapped_column(Boolean)


READING_TABLE = cast('Table', WeightReadingRow.__table__)
"""The journal as a core table: the bridge writes and the station reads thousands of rows, without the cost of objects."""
SCALE_TABLE = cast('Table', ScaleRow.__table__)
CURSOR_TABLE = cast('Table', CursorRow.__table__)
BAG_TABLE = cast('Table', BagRow.__table__)
