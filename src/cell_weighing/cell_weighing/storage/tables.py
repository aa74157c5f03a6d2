"""The tables of the weigh side.

`prepuff_company`, `prepuff_job` and `filler_bag` have the columns that the existing web application gives them (DECIMAL(10,2),
ENUM, DATETIME in UTC), followed by ours: DECIMAL(10,2) cannot hold every weight that an indicator sends, so the exact digits
stand beside it as text and are what is judged. Times are whole nanoseconds since 1970, UTC.

What decides which job a reading belongs to are the columns `*_boot` and `*_monotonic` (see moments.py), NULL in rows of older
releases.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

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
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

BigKey = BigInteger().with_variant(Integer, 'sqlite')


class Hundredths(TypeDecorator[Decimal]):
    """DECIMAL(10,2); text on SQLite, which has no decimals."""

    impl = Numeric(10, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Choose the column type."""
        return dialect.type_descriptor(String(16) if dialect.name == 'sqlite' else Numeric(10, 2))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Round to two places on the way in."""
        rounded = None if value is None else value.quantize(Decimal('0.01'))
        return str(rounded) if rounded is not None and dialect.name == 'sqlite' else rounded

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Return a Decimal on the way out."""
        return None if value is None else Decimal(str(value)).quantize(Decimal('0.01'))


class Base(DeclarativeBase):
    """Base of the tables."""


class ReadingRow(Base):
    """The journal: every line that came from an indicator. Rows are added and never changed; see pruning.py."""

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


class ScaleRow(Base):
    """One indicator: how far its consecutive numbers had come when this was last stored, and where its capture stands."""

    __tablename__ = 'weigh_scale'

    scale_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    valid_readings: Mapped[int] = mapped_column(BigInteger)
    armed: Mapped[bool] = mapped_column(Boolean, default=True)
    captured: Mapped[str] = mapped_column(String(24), default='')


class CursorRow(Base):
    """How far weigh_station has worked through the readings of one indicator."""

    __tablename__ = 'weigh_cursor'

    scale_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)


class CompanyRow(Base):
    """A customer."""

    __tablename__ = 'prepuff_company'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)


class JobRow(Base):
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

    target: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str] = mapped_column(String(2))
    tolerance: Mapped[str] = mapped_column(String(20))
    bags_out: Mapped[int] = mapped_column(Integer, default=0)
    bags_numbered: Mapped[int] = mapped_column(Integer, default=0)
    started_by: Mapped[str] = mapped_column(String(64), default='')
    started_ns: Mapped[int] = mapped_column(BigInteger)
    finished_ns: Mapped[int | None] = mapped_column(BigInteger)
    started_boot: Mapped[str | None] = mapped_column(String(36))
    started_monotonic: Mapped[int | None] = mapped_column(BigInteger)
    finished_boot: Mapped[str | None] = mapped_column(String(36))
    finished_monotonic: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[str] = mapped_column(String(64), default='')
    end_reason: Mapped[str] = mapped_column(String(200), default='')
    tare: Mapped[str] = mapped_column(String(20), default='0')
    bags_voided: Mapped[int] = mapped_column(Integer, default=0)


class BagRow(Base):
    """A weighed bag; `prepuff_job_id` is NULL when the station had no job."""

    __tablename__ = 'filler_bag'

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    prepuff_job_id: Mapped[int | None] = mapped_column(ForeignKey('prepuff_job.id'), index=True)
    weight: Mapped[Decimal] = mapped_column(Hundredths)
    unit: Mapped[str] = mapped_column(String(2))
    scale_id: Mapped[str] = mapped_column(String(32))
    in_tolerance: Mapped[bool] = mapped_column(Boolean)
    weighed_at: Mapped[datetime] = mapped_column(DateTime)

    reading_id: Mapped[str] = mapped_column(String(36), unique=True)
    weight_exact: Mapped[str] = mapped_column(String(20))
    station: Mapped[str] = mapped_column(String(64))
    bag_number: Mapped[int] = mapped_column(Integer, default=0)
    outcome: Mapped[int] = mapped_column(SmallInteger)
    weighed_ns: Mapped[int] = mapped_column(BigInteger)
    stability: Mapped[int] = mapped_column(SmallInteger)
    message: Mapped[str] = mapped_column(String(200), default='')
    zone: Mapped[int] = mapped_column(SmallInteger, default=0)
    net_weight: Mapped[str] = mapped_column(String(40), default='')


class VoidRow(Base):
    """A bag taken back by a person: the compensating record, the bag itself stays as it is."""

    __tablename__ = 'weigh_void'

    bag_id: Mapped[int] = mapped_column(ForeignKey('filler_bag.id'), primary_key=True, autoincrement=False)
    voided_ns: Mapped[int] = mapped_column(BigInteger)
    voided_by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))


class ReopenRow(Base):
    """A completed job made active again: from `ended_ns` until `reopened_ns` no bag was counted for it."""

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


class CommandRow(Base):
    """The audit: one command that somebody gave, carried out or refused, and what was answered."""

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


class DeliveryRow(Base):
    """The delivery ledger: how a bag has got to the web application, with the time of each stage."""

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
