"""Weighs recorded readings again, and asks recorded commands again, by the rules of today.

The database is one of the replay's own. Nothing is delivered, and no journal is read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, TypeVar, cast

from cell_common.database import migrate, open_database
from cell_common.time import to_ns
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from cell_interfaces import msg
from cell_weighing.delivery.settings import WebAppSettings
from cell_weighing.domain.event_order import MonotonicStamp
from cell_weighing.domain.jobs import Bag, JobRequest
from cell_weighing.domain.station_map import StationMap
from cell_weighing.domain.tolerance import ToleranceBand
from cell_weighing.station.conversions import bag_message, job_message, reading_of
from cell_weighing.station.parameters import WeighStationParameters, parse_share, station_map
from cell_weighing.station.services import WeighingServices, WeighJobRules
from cell_weighing.station.store import StationSnapshot, WeighStore
from cell_weighing.storage.rows import utc_datetime
from cell_weighing.storage.tables import WeighJobRow
from cell_weighing.storage.web_application import JOB, WebApplicationTables

__all__ = ['RecordedWeighing', 'Weighed']

T = TypeVar('T')
BOOT = 'replay'
"""Stands for the boot of the machine: the order in which the replay asks decides, as the monotonic clock did live."""
NOT_ASKED = ('retry', 'get_bag')
"""Commands that decide nothing: they deliver, or only look."""


@dataclass(frozen=True)
class Weighed:
    """What one recorded reading or command led to.

    Attributes:
        bags: The new bags.
        code: ResultCode of a command; OK for a reading.
        message: Message of a command's response.
    """

    bags: tuple[msg.BagRecord, ...] = ()
    code: int = 0
    message: str = ''


class RecordedWeighing:
    """The station of a replay."""

    def __init__(
        self, database_url: str, parameters: Mapping[str, object], jobs: Sequence[msg.WeighJob], stations: Sequence[str]
    ) -> None:
        """Create the tables and restore the weigh jobs of the recording's start.

        Args:
            database_url: A database of the replay's own, which is empty.
            parameters: Recorded parameters of weigh_station; unknown ones are left out.
            jobs: The active or latest job of each station.
            stations: All stations at that time.

        Raises:
            DatabaseError: The database cannot be used.
            ParameterError: A recorded parameter cannot be used any more.
        """
        known = {field.name for field in fields(WeighStationParameters)}
        settings = WeighStationParameters(**{name: value for name, value in parameters.items() if name in known})  # type: ignore[arg-type]
        self._now_ns = 0
        self._engine = open_database(database_url, durable=False)
        migrate(self._engine, 'cell_weighing')
        _restore_jobs(self._engine, jobs)
        places = _with_default(station_map(settings, WebAppSettings()), stations)
        warn_share = parse_share('warn_share', settings.warn_share, whole=True)
        self._store = WeighStore(self._engine, places, lambda: self._now_ns, warn_share=warn_share)
        rules = WeighJobRules(places.names, parse_share('default_tolerance', settings.default_tolerance))
        self._changed: list[Bag] = []
        # It needs the clock of a node only; delivery is needed by a command that is not asked.
        self._services = WeighingServices(
            cast('Any', self), self._store, cast('Any', None), cast('Any', _Inline()), rules, self._on_changed, self._stamp
        )
        self._stations = places.names

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def get_clock(self) -> RecordedWeighing:
        """Return the clock of the replay, as a node would."""
        return self

    def now(self) -> RecordedWeighing:
        """Return the moment of the replay."""
        return self

    @property
    def nanoseconds(self) -> int:
        """Moment of the replay, ROS time in nanoseconds."""
        return self._now_ns

    @property
    def commands(self) -> tuple[str, ...]:
        """Names of the commands that `ask` knows, relative to the cell's namespace."""
        return tuple(f'weighing/{name}' for name in self._services.handlers() if name not in NOT_ASKED)

    def weigh(self, reading: msg.ScaleReading) -> Weighed:
        """Judge one recorded reading.

        Args:
            reading: As published live; one that makes no bag leads to nothing.
        """
        self._now_ns = to_ns(reading.received_at)
        bags = self._store.process_readings([reading_of(reading)])
        return Weighed(tuple(bag_message(bag) for bag in bags))

    def ask(self, name: str, request: Any, response: Any, now_ns: int) -> Weighed:
        """Ask a recorded command again.

        Args:
            name: One of `commands`.
            request: The recorded request.
            response: An empty response of that service, which is filled.
            now_ns: When it was received, ROS time in nanoseconds.
        """
        self._now_ns, self._changed = now_ns, []
        handler = self._services.handlers()[name.removeprefix('weighing/')]
        _finish(handler(request, response))
        return Weighed(tuple(bag_message(bag) for bag in self._changed), int(response.code), str(response.message))

    def jobs(self) -> msg.WeighJobList:
        """Return the jobs as topic weighing/job holds them, without its stamp."""
        return msg.WeighJobList(jobs=[job_message(job) for job in self._store.jobs()], stations=self._stations)

    def latest_bags(self) -> msg.BagList:
        """Return the bags as topic weighing/bags holds them, without its stamp."""
        return msg.BagList(bags=[bag_message(bag) for bag in self._store.latest_bags()])

    def _on_changed(self, changed: StationSnapshot) -> None:
        self._changed += changed.bags

    def _stamp(self) -> MonotonicStamp:
        return MonotonicStamp(BOOT, self._now_ns)


class _Inline:
    """Stands for the thread of the database: the work is done at once."""

    async def run(self, work: Callable[[], T]) -> T:
        return work()


def _finish(work: Awaitable[T]) -> T:
    """Run a coroutine that waits for nothing to its end and return its result."""
    steps: Generator[Any, Any, T] = work.__await__()
    try:
        next(steps)
    except StopIteration as done:
        return cast('T', done.value)
    raise RuntimeError('the command waits for something that a replay does not have')


def _with_default(places: StationMap, stations: Sequence[str]) -> StationMap:
    """Return the stations, with the one that the settings file gave to every scale: the list of the live cell names it."""
    others = [name for name in stations if name not in places.names]
    if places.by_scale and not others:
        return places
    named = {scale: station for scale, station in places.by_scale.items() if station in stations}
    return StationMap(named, places.aliases, others[0] if others else '')


def _restore_jobs(engine: Engine, jobs: Sequence[msg.WeighJob]) -> None:
    """Insert jobs with their numbers and counts; bags of before the recording are not restored."""
    application = WebApplicationTables(engine, posts=False)
    with Session(engine) as session, session.begin():
        for job in jobs:
            band = ToleranceBand(Decimal(job.target_weight), job.unit, Decimal(job.tolerance))
            tare = Decimal(job.tare or '0')
            request = JobRequest(job.company or '?', job.station, band, job.quantity, tare)
            started, finished = to_ns(job.started_at), to_ns(job.finished_at)
            number = application.add_job(session, request, utc_datetime(started), job.started_by)
            session.execute(
                update(JOB)
                .where(JOB.c.id == number)
                .values(
                    id=job.weigh_job_id,
                    bags_completed=job.bags_completed + job.bags_out,
                    status='active' if job.state == msg.WeighJob.ACTIVE else 'completed',
                )
            )
            session.add(
                WeighJobRow(
                    id=job.weigh_job_id,
                    company=job.company,
                    quantity=job.quantity,
                    bags_good=job.bags_completed,
                    bags_out=job.bags_out,
                    bags_voided=job.bags_voided,
                    bags_numbered=job.bags_completed + job.bags_out + job.bags_voided,
                    station=job.station,
                    target=job.target_weight,
                    unit=job.unit,
                    tolerance=job.tolerance,
                    tare=str(tare),
                    started_by=job.started_by,
                    started_ns=started,
                    finished_ns=finished or None,
                )
            )
            session.flush()
