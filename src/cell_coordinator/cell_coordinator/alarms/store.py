"""Alarms in the database: open ones for the next start, closed ones for the history.

Columns serve queries, the snapshot serves the state machine. Nothing is deleted here: the history is evidence.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping

from cell_common.database import read_only, storage_error
from sqlalchemy import BigInteger, Connection, Engine, Text, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cell_coordinator.alarms.book import AlarmRecord, AlarmState, from_json, to_json
from cell_coordinator.alarms.event_filter import SessionKey

KEPT_SESSIONS = 20
"""Of each sender; an ended process sends nothing any more."""


class Base(DeclarativeBase):
    """Table of the alarms; migrations/versions creates it."""


class AlarmRow(Base):
    """One occurrence of an alarm; `snapshot` is the JSON of `alarms.book.to_json`."""

    __tablename__ = 'alarm'
    alarm_id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    key: Mapped[str]
    open: Mapped[bool]
    raised_ns: Mapped[int] = mapped_column(BigInteger)
    last_event_ns: Mapped[int] = mapped_column(BigInteger)
    snapshot: Mapped[str] = mapped_column(Text)


class SessionRow(Base):
    """Number of the latest event that was received in one session of a sender."""

    __tablename__ = 'alarm_session'
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    session: Mapped[str]
    sequence: Mapped[int] = mapped_column(BigInteger)


class AlarmStore:
    """Stores alarm records."""

    def __init__(self, engine: Engine) -> None:
        """Store the engine of an open database; its tables must be migrated."""
        self._engine = engine

    def open_alarms(self) -> list[AlarmRecord]:
        """Return the open alarms; a record of an incompatible release is left out, until its node raises it again.

        Raises:
            StorageFailedError: The database failed.
        """
        records = []
        try:
            with read_only(self._engine).connect() as connection:
                for snapshot in connection.execute(select(AlarmRow.snapshot).where(AlarmRow.open)).scalars():
                    with contextlib.suppress(ValueError):
                        records.append(from_json(snapshot))
        except SQLAlchemyError as error:
            raise storage_error(error) from error
        return records

    def last_event_times(self) -> dict[tuple[str, str], int]:
        """Return the stamp of the latest event by (source, key), closed alarms included.

        Raises:
            StorageFailedError: The database failed.
        """
        latest = func.max(AlarmRow.last_event_ns)
        query = select(AlarmRow.source, AlarmRow.key, latest).group_by(AlarmRow.source, AlarmRow.key)
        try:
            with read_only(self._engine).connect() as connection:
                return {(source, key): int(event_ns) for source, key, event_ns in connection.execute(query)}
        except SQLAlchemyError as error:
            raise storage_error(error) from error

    def sessions(self) -> dict[SessionKey, int]:
        """Return the sequence of the latest event by (source, session).

        Raises:
            StorageFailedError: The database failed.
        """
        query = select(SessionRow.source, SessionRow.session, SessionRow.sequence)
        try:
            with read_only(self._engine).connect() as connection:
                return {(source, session): int(sequence) for source, session, sequence in connection.execute(query)}
        except SQLAlchemyError as error:
            raise storage_error(error) from error

    def save(self, records: Iterable[AlarmRecord], sessions: Mapping[SessionKey, int] | None = None) -> None:
        """Insert or replace records, and the latest events of sessions.

        Args:
            records: Changed alarms.
            sessions: Sequence of the latest event by (source, session), of the sessions with new events.

        Raises:
            StorageFailedError: The database failed; nothing was stored.
        """
        try:
            with self._engine.begin() as connection:
                for record in records:
                    # Delete and insert: an "upsert" has another syntax in each database.
                    connection.execute(delete(AlarmRow).where(AlarmRow.alarm_id == record.alarm_id))
                    connection.execute(
                        insert(AlarmRow).values(
                            alarm_id=record.alarm_id,
                            source=record.source,
                            key=record.key,
                            raised_ns=record.raised_ns,
                            last_event_ns=record.last_event_ns,
                            open=record.state is not AlarmState.CLOSED,
                            snapshot=to_json(record),
                        )
                    )
                for key, sequence in (sessions or {}).items():
                    _save_session(connection, key, sequence)
        except SQLAlchemyError as error:
            raise storage_error(error) from error


def _save_session(connection: Connection, key: SessionKey, sequence: int) -> None:
    """Store the latest event of a session; of each source the newest sessions are kept."""
    source, session = key
    known = (SessionRow.source == source) & (SessionRow.session == session)
    if connection.execute(update(SessionRow).where(known).values(sequence=sequence)).rowcount:
        return
    connection.execute(insert(SessionRow).values(source=source, session=session, sequence=sequence))
    ids = select(SessionRow.id).where(SessionRow.source == source).order_by(SessionRow.id.desc())
    if old := connection.scalars(ids.offset(KEPT_SESSIONS)).all():
        connection.execute(delete(SessionRow).where(SessionRow.id.in_(old)))
