"""Database table of the matcher."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, DateTime, Integer, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class VisionBase(DeclarativeBase):
    """Tables of cell_vision."""


class BenchmarkRow(VisionBase):
    """One version of a benchmark. Versions are added, never changed; the highest one of a part counts."""

    __tablename__ = 'vision_benchmarks'
    __table_args__ = (UniqueConstraint('part_number', 'version'),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    part_number: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    texts: Mapped[list[str]] = mapped_column(JSON)
    identifying: Mapped[list[str]] = mapped_column(JSON)
    frames: Mapped[int] = mapped_column(Integer, default=1)
    operator_id: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
