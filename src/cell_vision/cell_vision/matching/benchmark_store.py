"""Stores benchmarks in the database of the cell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from cell_vision.matching.benchmark import Benchmark
from cell_vision.tables import BenchmarkRow


class BenchmarkStore:
    """Table of benchmarks; every version is kept. One session per call, so any thread may call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        part_number: str,
        texts: Sequence[str],
        identifying: Sequence[str],
        *,
        operator_id: str,
        at: datetime,
        frames: int = 1,
    ) -> Benchmark:
        """Store a benchmark as the part's next version.

        Args:
            part_number: Part of the catalogue.
            texts: All lines read, in reading order.
            identifying: Those with the number of the part.
            operator_id: The operator who set it.
            at: Time, UTC.
            frames: Number of frames from which it was read.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: The transaction failed; nothing was stored.
        """
        with Session(self._engine) as session, session.begin():
            # In the transaction of the insert: the unique constraint refuses a version that another
            # process has taken meanwhile.
            last = session.scalar(select(func.max(BenchmarkRow.version)).where(BenchmarkRow.part_number == part_number))
            row = BenchmarkRow(
                part_number=part_number,
                version=(last or 0) + 1,
                texts=list(texts),
                identifying=list(identifying),
                frames=frames,
                operator_id=operator_id,
                created_at=at,
            )
            session.add(row)
            session.flush()
            return _benchmark(row)

    def latest(self) -> dict[str, Benchmark]:
        """Return part number -> its latest benchmark."""
        with Session(self._engine) as session:
            rows = session.scalars(select(BenchmarkRow).order_by(BenchmarkRow.version))
            return {row.part_number: _benchmark(row) for row in rows}

    def history(self, part_number: str) -> list[Benchmark]:
        """Return every version of a part's benchmark, newest first.

        Args:
            part_number: A part without a benchmark, or outside the catalogue, has none.
        """
        with Session(self._engine) as session:
            chosen = select(BenchmarkRow).where(BenchmarkRow.part_number == part_number)
            return [_benchmark(row) for row in session.scalars(chosen.order_by(BenchmarkRow.version.desc()))]


def _benchmark(row: BenchmarkRow) -> Benchmark:
    at = row.created_at if row.created_at.tzinfo else row.created_at.replace(tzinfo=timezone.utc)  # SQLite keeps no zone
    return Benchmark(row.part_number, row.version, tuple(row.texts), tuple(row.identifying), row.frames, row.operator_id, at)
