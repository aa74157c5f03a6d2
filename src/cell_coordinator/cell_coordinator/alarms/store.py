"""Alarms in the database: the open ones for the next start, the closed ones for the history."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from sqlalchemy import BigInteger, Engine, Text, delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cell_coordinator.alarms.book import AlarmRecord, AlarmState, from_json, to_json
from cell_coordinator.job.store import StorageFailedError


class Base(DeclarativeBase):
    """The table of the alarms; migrations/versions makes it."""


class AlarmRow(Base):
    """One occurrence of an alarm."""

    __tablename__ = 'alarm'
    alarm_id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    key: Mapped[str]
    open: Mapped[bool]
    raised_ns: Mapped[int] = mapped_column(BigInteger)
    heard_ns: Mapped[int] = mapped_column(BigInteger)
    snapshot: Mapped[str] = mapped_column(Text)


class AlarmStore:
    """Keeps alarms."""

    def __init__(self, engine: Engine) -> None:
        """Take the open database; its tables must be migrated."""
        self._engine = engine

    def open_alarms(self) -> list[AlarmRecord]:
        """Return the alarms that were open; one that this release does not understand is left out.

        Raises:
            StorageFailedError: The database refused.
        """
        records = []
        try:
            with self._engine.connect() as connection:
                for snapshot in connection.execute(select(AlarmRow.snapshot).where(AlarmRow.open)).scalars():
                    with contextlib.suppress(ValueError):
                        records.append(from_json(snapshot))
        except SQLAlchemyError as problem:
            raise _failed(problem) from problem
        return records

    def last_heard(self) -> dict[tuple[str, str], int]:
        """Return (source, key) -> stamp of the latest event heard of it, closed alarms included.

        Raises:
            StorageFailedError: The database refused.
        """
        query = select(AlarmRow.source, AlarmRow.key, func.max(AlarmRow.heard_ns)).group_by(AlarmRow.source, AlarmRow.key)
        try:
            with self._engine.connect() as connection:
                return {(source, key): int(heard) for source, key, heard in connection.execute(query)}
        except SQLAlchemyError as problem:
            raise _failed(problem) from problem

    def save(self, records: Iterable[AlarmRecord]) -> None:
        """Store records, new or changed.

        Raises:
            StorageFailedError: The database refused; nothing was stored.
        """
        try:
            with self._engine.begin() as connection:
                for record in records:
                    connection.execute(delete(AlarmRow).where(AlarmRow.alarm_id == record.alarm_id))
                    connection.execute(
                        insert(AlarmRow).values(
                            alarm_id=record.alarm_id,
                            source=record.source,
                            key=record.key,
                            raised_ns=record.raised_ns,
                            heard_ns=record.heard_ns,
                            open=record.state is not AlarmState.CLOSED,
                            snapshot=to_json(record),
                        )
                    )
        except SQLAlchemyError as problem:
            raise _failed(problem) from problem


def _failed(problem: SQLAlchemyError) -> StorageFailedError:
    return StorageFailedError(f'the database refused: {getattr(problem, "orig", None) or problem}. Check its disk.')
