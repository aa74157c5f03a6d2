"""Tables of the weighing package, and their owners.

scale_bridge writes `weigh_reading` (the journal) and `weigh_scale`. weigh_station reads both through `journal_reader`, and
deletes old journal lines that no bag needs (`retention`). weigh_station alone writes all other tables. Other packages read
through `cell_weighing.reader`.

`prepuff_company`, `prepuff_job` and `filler_bag` have the columns of the existing web application (DECIMAL(10,2), ENUM,
DATETIME in UTC), followed by additional ones with defaults, so that its own INSERTs work. `weight` and `target_weight` are
pounds there, and `bags_completed` counts all bags that are not voided; `bags_good` counts those in tolerance. DECIMAL(10,2)
cannot hold every weight that an indicator sends, so the exact digits are stored as text, and they are judged. Times are whole
nanoseconds since 1970, UTC.

The columns `*_boot` and `*_monotonic` decide which job a reading belongs to (see `event_order`); they are NULL in rows of older
releases.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

# SQLite numbers rows automatically only in a column of type INTEGER.
BigKey = BigInteger().with_variant(Integer, 'sqlite')


class Hundredths(TypeDecorator[Decimal]):
    """DECIMAL(10,2); text on SQLite, which has no decimal type."""

    impl = Numeric(10, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column type of a dialect."""
        return dialect.type_descriptor(String(16) if dialect.name == 'sqlite' else Numeric(10, 2))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | str | None:
        """Round to two places before a value is stored.

        Args:
            value: Any number of places.
            dialect: SQLite has no decimal type and gets a text.
        """
        rounded = None if value is None else value.quantize(Decimal('0.01'))
        return str(rounded) if rounded is not None and dialect.name == 'sqlite' else rounded

    def process_result_value(self, value: Decimal | str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Return a stored value as a Decimal."""
        return None if value is None else Decimal(str(value)).quantize(Decimal('0.01'))


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


class CompanyRow(WeighingBase):
    """A customer."""

    __tablename__ = 'prepuff_company'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)


class WeighJobRow(WeighingBase):
    """A weigh job."""

    __tablename__ = 'prepuff_job'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    prepuff_company_id: Mapped[int] = mapped_column(ForeignKey('prepuff_company.id'))
    target_weight: Mapped[Decimal] = mapped_column(Hundredths)
    quantity: Mapped[int] = mapped_column(Integer)
    bags_completed: Mapped[int] = mapped_column(Integer, default=0)
    station: Mapped[str] = mapped_column(String(64), index=True)
    status: Mapped[str] = mapped_column(Enum('active', 'completed', name='prepuff_job_status'), default='active')
    started_by_id: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(DateTime)

    target: Mapped[str] = mapped_column(String(20), default='')
    unit: Mapped[str] = mapped_column(String(10), default='lb')
    tolerance: Mapped[str] = mapped_column(String(20), default='')
    bags_good: Mapped[int] = mapped_column(Integer, default=0)
    bags_out: Mapped[int] = mapped_column(Integer, default=0)
    bags_numbered: Mapped[int] = mapped_column(Integer, default=0)
    started_by: Mapped[str] = mapped_column(String(64), default='')
    started_ns: Mapped[int] = mapped_column(BigInteger, default=0)
    finished_ns: Mapped[int | None] = mapped_column(BigInteger)
    started_boot: Mapped[str | None] = mapped_column(String(36))
    started_monotonic: Mapped[int | None] = mapped_column(BigInteger)
    finished_boot: Mapped[str | None] = mapped_column(String(36))
    finished_monotonic: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[str] = mapped_column(String(64), default='')
    end_reason: Mapped[str] = mapped_column(String(200), default='')
    tare: Mapped[str] = mapped_column(String(20), default='0')
    bags_voided: Mapped[int] = mapped_column(Integer, default=0)


class BagRow(WeighingBase):
    """A weighed bag; `prepuff_job_id` is NULL when the station had no job."""

    __tablename__ = 'filler_bag'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    prepuff_job_id: Mapped[int | None] = mapped_column(ForeignKey('prepuff_job.id'), index=True)
    weight: Mapped[Decimal] = mapped_column(Hundredths)
    unit: Mapped[str] = mapped_column(String(10))
    scale_id: Mapped[str] = mapped_column(String(32))
    in_tolerance: Mapped[bool] = mapped_column(Boolean)
    weighed_at: Mapped[datetime] = mapped_column(DateTime)

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

    bag_id: Mapped[int] = mapped_column(ForeignKey('filler_bag.id'), primary_key=True, autoincrement=False)
    voided_ns: Mapped[int] = mapped_column(BigInteger)
    voided_by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))


class UndoneVoidRow(WeighingBase):
    """A voiding that was taken back, with the record of the voiding."""

    __tablename__ = 'weigh_undone_void'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    bag_id: Mapped[int] = mapped_column(ForeignKey('filler_bag.id'), index=True)
    voided_ns: Mapped[int] = mapped_column(BigInteger)
    voided_by: Mapped[str] = mapped_column(String(64))
    void_reason: Mapped[str] = mapped_column(String(200))
    undone_ns: Mapped[int] = mapped_column(BigInteger)
    undone_by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))


class OperatorRow(WeighingBase):
    """An operator who has started a weigh job; `started_by_id` refers to it."""

    __tablename__ = 'weigh_operator'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)


class ReopenRow(WeighingBase):
    """A reopened job: from `ended_ns` until `reopened_ns` no bag was counted for it."""

    __tablename__ = 'weigh_reopen'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    prepuff_job_id: Mapped[int] = mapped_column(ForeignKey('prepuff_job.id'), index=True)
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
