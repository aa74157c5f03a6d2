"""Decides again what was asked during a recording: reads, matches, books and weighs, in this process.

It touches nothing outside its own folder: no network, no device, no data of the live cell.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue
from cell_common.database import DatabaseError
from cell_common.parameters import ParameterError
from cell_common.ros_time import to_msg
from cell_common.time import to_ns
from cell_inventory.recorded import RecordedStock
from cell_vision.ocr.engines import base
from cell_vision.recorded import ReadAgain, RecordedJudge, RecordedReader
from cell_weighing.recorded import RecordedWeighing

from cell_history.bags.types import Message
from cell_history.replay import recorded_decisions as made
from cell_history.replay.decisions import DecisionKind, DecisionRecord
from cell_history.replay.recorded_request import RecordedRequest
from cell_history.replay.recording import READINGS, Recording, RecordingError
from cell_interfaces.msg import BenchmarkSet, MatchResult, OcrResult, ResultCode
from cell_interfaces.srv import MatchPart

__all__ = ['ReplayAnswer', 'ReplaySession', 'SessionOptions']

DATABASE = 'replay.db'


@dataclass(frozen=True)
class SessionOptions:
    """How to decide.

    Attributes:
        catalogue: Text of another catalogue; "" = the recorded one.
        engine: Another OCR engine; "" = the recorded one.
        read_again: Read the pictures again; False = the recorded readings are matched.
        folder: Folder for the replay's database, which must not hold one; None = a temporary one, deleted at the end.
    """

    catalogue: str = ''
    engine: str = ''
    read_again: bool = True
    folder: Path | None = None


@dataclass(frozen=True)
class ReplayAnswer:
    """What one request led to.

    Attributes:
        decisions: For the comparison; empty when nothing was decided.
        messages: Topic relative to the cell's namespace -> message, in the order in which a live cell publishes them.
    """

    decisions: tuple[DecisionRecord, ...] = ()
    messages: tuple[tuple[str, Message], ...] = ()


@dataclass
class _State:
    """Readings of this replay, by the id of their request."""

    readings: dict[str, OcrResult] = field(default_factory=dict)
    matches: dict[str, MatchResult] = field(default_factory=dict)


class ReplaySession:
    """One run through a recording; a context manager.

    Attributes:
        problems: What could not be decided as it was asked, one sentence each.
    """

    def __init__(self, recording: Recording, options: SessionOptions | None = None) -> None:
        """Restore the state of the recording's start.

        Raises:
            RecordingError: Catalogue or parameters of the recording cannot be used, or the folder is in use.
        """
        options = options or SessionOptions()
        self._recording = recording
        self._resources = ExitStack()
        self._state = _State()
        self._read_again = options.read_again
        self.problems: list[str] = []
        try:
            self._prepare(recording, options)
        except (CatalogueError, DatabaseError, ParameterError, OSError) as error:
            self._resources.close()
            raise RecordingError(f'{recording.bag.path} cannot be replayed: {error}') from error
        except BaseException:
            self._resources.close()
            raise

    def __enter__(self) -> ReplaySession:
        """Return the session."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the database, and delete a temporary folder."""
        self.close()

    def close(self) -> None:
        """Close the database, and delete a temporary folder."""
        self._resources.close()

    def run(self) -> Iterator[DecisionRecord]:
        """Decide everything again, one after the other, without waiting."""
        for item in self._recording.asked:
            yield from self.decide(item).decisions

    def decide(self, item: RecordedRequest) -> ReplayAnswer:
        """Decide one request again.

        Args:
            item: The next one of the recording: the state depends on all before it.
        """
        if item.name == READINGS:
            weighed = self._weighing.weigh(item.request)
            return self._bags(weighed.bags, ())
        if item.name in self._weighing.commands:
            response = type(item.response)()
            weighed = self._weighing.ask(item.name, item.request, response, item.at_ns)
            return self._bags(weighed.bags, (made.weigh_decision(item, weighed.code),))
        if item.name in self._stock.commands:
            return self._book(item)
        handler: Callable[[RecordedRequest], ReplayAnswer] | None = {
            'ocr/read': self._read,
            'matching/match': self._match,
            'matching/store_benchmark': self._store_benchmark,
        }.get(item.name)
        return handler(item) if handler else ReplayAnswer()

    def state_messages(self, now_ns: int) -> Iterator[tuple[str, Message]]:
        """Yield the state as latched topics hold it.

        Args:
            now_ns: ROS time in nanoseconds, for the stamps.
        """
        yield 'inventory', self._stock.message(now_ns)
        yield from self._weighing_messages(now_ns)

    def match_of(self, request_id: str) -> MatchResult | None:
        """Return the verdict of this replay on a reading; None if it was not judged."""
        return self._state.matches.get(request_id)

    def _prepare(self, recording: Recording, options: SessionOptions) -> None:
        snapshot = recording.snapshot
        folder = options.folder
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix='cell-replay-'))
            self._resources.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / DATABASE).exists():
            raise RecordingError(f'{folder} holds another replay: name an empty folder')
        url = f'sqlite:///{folder / DATABASE}'
        parts = folder / 'parts.yaml'
        parts.write_text(options.catalogue or snapshot.catalogue, encoding='utf-8')
        catalogue = load_catalogue(parts)
        benchmarks = [
            BenchmarkSet(part_number=item.part_number, version=item.version, texts=list(item.texts), frames=item.frames)
            for item in snapshot.benchmarks
        ]
        self._reader = RecordedReader(snapshot.parameters.get('ocr', {}), options.engine, snapshot.empty_view)
        self._judge = RecordedJudge(catalogue, benchmarks)
        self._stock = RecordedStock(url, catalogue, recording.inventory)
        self._resources.callback(self._stock.close)
        jobs = recording.weigh_jobs
        self._weighing = RecordedWeighing(url, snapshot.parameters.get('weigh_station', {}), jobs.jobs, list(jobs.stations))
        self._resources.callback(self._weighing.close)
        self._pieces = {item.key: dict(item.about) for item in recording.decided if item.kind is DecisionKind.READ}

    def _read(self, item: RecordedRequest) -> ReplayAnswer:
        """Read the frames of a reading again; without pictures in the bag the recorded reading stands."""
        request, before = item.request, item.response.result
        if not request.request_id:
            return ReplayAnswer()
        stamps = [to_ns(stamp) for stamp in before.frame_stamps] or ([to_ns(before.header.stamp)] if before.frames else [])
        if not self._read_again:
            self._state.readings[request.request_id] = before
            return ReplayAnswer((made.read_decision(before, item.at_ns, self._pieces),), (('ocr/result', before),))
        frames = self._recording.frames(stamps)
        asked = ReadAgain(request.request_id, len(stamps), request.careful)
        try:
            result = self._reader.read(asked, frames)
        except base.EngineError as error:
            raise RecordingError(str(error)) from error
        if not result.frames and result.status != OcrResult.FAILED:
            result = before
            if stamps:
                self._report('the bag lacks pictures that were read: the recorded readings are matched again')
        self._state.readings[request.request_id] = result
        return ReplayAnswer((made.read_decision(result, item.at_ns, self._pieces),), (('ocr/result', result),))

    def _match(self, item: RecordedRequest) -> ReplayAnswer:
        """Judge the new reading, or the recorded one if this replay has none of that id."""
        request = item.request
        ocr = self._state.readings.get(request.ocr.request_id, request.ocr)
        asked = MatchPart.Request(request_id=request.request_id, expected_part_number=request.expected_part_number, ocr=ocr)
        response = self._judge.match(asked)
        if response.code == ResultCode.OK:
            self._state.matches[request.request_id] = response.result
        decision = made.match_decision(response.result, int(response.code), item.at_ns, self._pieces, request.request_id)
        messages = (('matching/result', response.result),) if response.code == ResultCode.OK else ()
        return ReplayAnswer((decision,) if request.request_id else (), messages)

    def _store_benchmark(self, item: RecordedRequest) -> ReplayAnswer:
        response = self._judge.store_benchmark(item.request)
        return ReplayAnswer((made.benchmark_decision(item.request, response, item.at_ns),))

    def _book(self, item: RecordedRequest) -> ReplayAnswer:
        booked = self._stock.ask(item.name, item.request, item.at_ns)
        if item.name == 'inventory/book':
            decision = made.book_decision(item.request, booked.code, booked.events, item.at_ns)
        else:
            decision = made.stock_decision(item, booked.code, booked.events)
        messages = [('inventory/events', event) for event in booked.events if event.delta]
        return ReplayAnswer((decision,), (*messages, ('inventory', self._stock.message(item.at_ns))))

    def _bags(self, bags: tuple[Message, ...], decisions: tuple[DecisionRecord, ...]) -> ReplayAnswer:
        if not bags and not decisions:
            return ReplayAnswer()
        at_ns = to_ns(bags[-1].weighed_at) if bags else decisions[-1].at_ns
        messages = [('weighing/bag', bag) for bag in bags]
        found = (*decisions, *(made.bag_decision(bag) for bag in bags))
        return ReplayAnswer(found, (*messages, *self._weighing_messages(at_ns)))

    def _weighing_messages(self, now_ns: int) -> Iterator[tuple[str, Message]]:
        jobs, bags = self._weighing.jobs(), self._weighing.latest_bags()
        jobs.stamp = bags.stamp = to_msg(now_ns)
        yield 'weighing/job', jobs
        yield 'weighing/bags', bags

    def _report(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
