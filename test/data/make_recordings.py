#!/usr/bin/env python3
"""Write the bags that tests replay: test/data/recordings (MCAP).

    . ./env.sh && python test/data/make_recordings.py

    normal_job    a pick job of three good pieces, and bags of one weigh job
    rejects       a wrong part and an illegible one are rejected, a tray is reloaded, a booking is undone
    scale_shift   scales only: 40 bags, lines of noise, a gap, two jobs, a void

The frames are rendered labels, as the simulated camera sends them. The recorded decisions are those of the release that wrote
the bags: each request is decided as a replay decides it, and the answers are stored. Afterwards look at the differences of the
golden files (test/data/recordings/*.jsonl) before you commit them.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from cell_common.ros_time import to_msg
from cell_common.time import NS_PER_S, seconds_to_ns
from cell_history.bags.reader import BagReader
from cell_history.bags.snapshot import TOPIC, Snapshot, to_json
from cell_history.bags.writer import BagWriter
from cell_history.replay.decide_again import ReplaySession
from cell_history.replay.decisions import to_lines
from cell_history.replay.recording import RecordedRequest, Recording
from cell_sim.camera.rendered_scene import RenderedScene
from cell_sim.world.parts import PhysicalPart
from cell_sim.world.world import CameraView, ViewPhase
from rclpy.serialization import serialize_message
from rosidl_runtime_py.utilities import get_message
from sensor_msgs.msg import CompressedImage
from service_msgs.msg import ServiceEventInfo
from std_msgs.msg import String

from cell_interfaces import msg, srv

HERE = Path(__file__).resolve().parent
FOLDER = HERE / 'recordings'
CATALOGUE = HERE.parents[1] / 'config' / 'parts.yaml'
START_NS = 1_700_000_000 * NS_PER_S
ORDERED, WRONG = 'G8NB-17SR', 'HF115F-024'
JOB = '018bcfe5-6800-7000-8000-000000000001'
JPEG_QUALITY = 70
SIZE = (480, 360)
RECEIVED, SENT = 1, 2
GOOD, SIMILAR, ILLEGIBLE = (ORDERED, False), ('G8NB-17SU', False), (ORDERED, True)
PLACED, REJECTED = srv.BookPiece.Request.PLACED, srv.BookPiece.Request.REJECTED


@dataclass
class Script:
    """What happens in one bag: messages, and requests without their answers."""

    name: str
    messages: list[tuple[int, str, Any]] = field(default_factory=list)
    asked: list[RecordedRequest] = field(default_factory=list)
    _number: int = 0

    def at(self, seconds: float) -> int:
        """Return a moment of the bag in nanoseconds."""
        return START_NS + seconds_to_ns(seconds)

    def new_id(self) -> str:
        """Return the next id."""
        self._number += 1
        return f'018bcfe5-6800-7000-9000-{self._number:012d}'

    def command(self, seconds: float) -> msg.CommandInfo:
        """Return who commands something."""
        return msg.CommandInfo(request_id=self.new_id(), operator_id='anna', issued_at=to_msg(self.at(seconds)))

    def publish(self, seconds: float, topic: str, message: Any) -> None:
        """Add a message."""
        self.messages.append((self.at(seconds), topic, message))

    def ask(self, seconds: float, name: str, request: Any) -> None:
        """Add a request."""
        kind = get_message(f'cell_interfaces/srv/{type(request).__name__.removesuffix("_Request")}_Response')
        self.asked.append(RecordedRequest(self.at(seconds), name, request, kind()))

    def weigh(self, seconds: float, scale: str, weight: str, sequence: int, unit: str = 'kg') -> None:
        """Add a line of a scale; a weight that is no number is noise."""
        valid = weight[:1].isdigit()
        reading = msg.ScaleReading(
            reading_id=self.new_id(),
            scale_id=scale,
            sequence=sequence,
            received_at=to_msg(self.at(seconds)),
            raw=f'{scale},{weight} {unit}',
            status=msg.ScaleReading.VALID if valid else msg.ScaleReading.MALFORMED,
            weight=weight if valid else '',
            unit=unit if valid else '',
            message='' if valid else 'no number',
        )
        self.publish(seconds, 'weighing/weight', reading)

    def show(self, seconds: float, piece: int, part: tuple[str, bool], *, attempts: int = 1) -> None:
        """Add frames of a piece, its readings and its matches."""
        scene = RenderedScene({}, seed=3 + piece)
        view = CameraView(PhysicalPart(part[0], part[1], f'{self.name}/{piece}'), ViewPhase.STILL)
        for attempt in range(1, attempts + 1):
            moment = seconds + 0.5 * (attempt - 1)
            stamp = to_msg(self.at(moment))
            image = CompressedImage(format='jpeg', data=small_jpeg(scene.frame(view)))
            image.header.stamp, image.header.frame_id = stamp, 'camera_optical_frame'
            self.publish(moment + 0.01, 'camera/image_raw/compressed', image)
            read = srv.ReadText.Request(request_id=self.new_id(), frames=1, newer_than=stamp)
            self.ask(moment + 0.2, 'ocr/read', read)
            self.asked[-1].response.result = msg.OcrResult(request_id=read.request_id, frames=1, frame_stamps=[stamp])
            match = srv.MatchPart.Request(request_id=read.request_id, expected_part_number=ORDERED)
            match.ocr.request_id = read.request_id
            self.ask(moment + 0.21, 'matching/match', match)
            captured = msg.ComponentCaptured(stamp=stamp, job_id=JOB, piece=piece, attempt=attempt)
            captured.match.request_id = captured.ocr.request_id = read.request_id
            self.publish(moment + 0.22, 'component_captured', captured)

    def book(self, seconds: float, piece: int, outcome: int, tray: int = 1) -> None:
        """Add the booking of a piece."""
        request = srv.BookPiece.Request(job_id=JOB, piece=piece, part_number=ORDERED, tray=tray, outcome=outcome)
        self.ask(seconds, 'inventory/book', request)


def small_jpeg(jpeg: bytes) -> bytes:
    """Return a picture in the size of the bags."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    small = cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA)
    return cv2.imencode('.jpg', small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def normal_job() -> Script:
    """Return a job of three good pieces with bags beside it."""
    script = Script('normal_job')
    order = srv.StartWeighJob.Request(
        command=script.command(0.5), company='ACME', station='A', target_weight='2.000', unit='kg', quantity=3
    )
    script.ask(0.5, 'weighing/start_job', order)
    for piece in (1, 2, 3):
        script.show(piece, piece, GOOD)
        script.book(piece + 0.6, piece, PLACED)
        script.weigh(piece + 0.8, '1', f'2.0{piece}0', piece)
    script.weigh(5.0, '1', '2.000', 4)  # the job is complete: it counts for none
    return script


def rejects() -> Script:
    """Return a job with two rejected pieces, a reload and an undo."""
    script = Script('rejects')
    script.show(1.0, 1, SIMILAR, attempts=2)
    script.book(2.2, 1, REJECTED)
    script.show(3.0, 2, ILLEGIBLE, attempts=2)
    script.book(4.2, 2, REJECTED, tray=2)
    script.show(5.0, 3, (WRONG, False))
    script.book(5.8, 3, REJECTED)
    reload = srv.AdjustStock.Request(command=script.command(6.0), part_number=ORDERED, tray=0, count=-1)
    script.ask(6.0, 'inventory/reload', reload)
    script.show(6.5, 4, GOOD)
    script.book(7.1, 4, PLACED)
    script.book(7.2, 4, PLACED)  # repeated: the first answer was lost
    script.ask(7.5, 'inventory/undo', srv.UndoStock.Request(command=script.command(7.5), reason='tray 4 was not filled'))
    return script


def scale_shift() -> Script:
    """Return a shift at two scales with noise, a gap, two jobs, and a bag that is voided."""
    script = Script('scale_shift')
    for station, target, quantity in (('A', '2.000', 30), ('B', '500', 30)):
        order = srv.StartWeighJob.Request(
            command=script.command(0.5),
            company='ACME',
            station=station,
            target_weight=target,
            unit='kg' if station == 'A' else 'g',
            quantity=quantity,
        )
        script.ask(0.5, 'weighing/start_job', order)
    for number in range(1, 21):
        drift = (number * 7 % 11 - 5) / 20
        script.weigh(number, '1', f'{2.0 + drift:.3f}', number if number < 12 else number + 5)  # five lines were lost
        script.weigh(number + 0.4, '2', '--.---' if number % 6 == 0 else f'{500 + 100 * drift:.0f}', number, 'g')
    void = srv.VoidBag.Request(command=script.command(21), bag_id=1, reason='spilled')
    script.ask(21.0, 'weighing/void_bag', void)
    end = srv.EndWeighJob.Request(command=script.command(22), station='A', reason='end of the shift')
    script.ask(22.0, 'weighing/end_job', end)
    script.weigh(23.0, '1', '2.000', 26)
    return script


def state(script: Script) -> Iterator[tuple[int, str, Any]]:
    """Yield the state at the start of a bag."""
    text = CATALOGUE.read_text(encoding='utf-8')
    parameters = {'weigh_station': {'scale_ids': ['1', '2'], 'stations': ['A', 'B']}, 'ocr': {'frames': 3}}
    snapshot = Snapshot(START_NS, 'cell', text, parameters, versions={'cell': 'test'})
    yield START_NS, TOPIC, String(data=to_json(snapshot))
    trays = [msg.TrayStock(tray=tray, count=10, capacity=50) for tray in (1, 2, 3, 4)]
    part = msg.PartStock(part_number=ORDERED, trays=trays, total=40)
    yield START_NS, 'inventory', msg.Inventory(stamp=to_msg(START_NS), sequence=100, parts=[part])
    yield START_NS, 'weighing/job', msg.WeighJobList(stamp=to_msg(START_NS), stations=['A', 'B'], default_tolerance='0.10')
    job = msg.JobState(stamp=to_msg(START_NS), job_id=JOB, part_number=ORDERED, quantity=4, state=msg.JobState.RUNNING)
    yield START_NS, 'job', job if script.name != 'scale_shift' else msg.JobState(stamp=to_msg(START_NS))


def events(asked: list[RecordedRequest]) -> Iterator[tuple[int, str, Any]]:
    """Yield the events that a service publishes for its requests."""
    for number, item in enumerate(asked, 1):
        service = type(item.request).__name__.removesuffix('_Request')
        kind = get_message(f'cell_interfaces/srv/{service}_Event')
        sent = item.at_ns if item.name in ('ocr/read', 'matching/match') else item.at_ns + NS_PER_S // 100
        for type_, at_ns, part in (
            (RECEIVED, min(item.at_ns, sent - NS_PER_S // 100), {'request': [item.request]}),
            (SENT, sent, {'response': [item.response]}),
        ):
            info = ServiceEventInfo(event_type=type_, stamp=to_msg(at_ns), sequence_number=number)
            yield at_ns, f'{item.name}/_service_event', kind(info=info, **part)


def write(path: Path, messages: list[tuple[int, str, Any]]) -> None:
    """Write a bag, replacing an old one."""
    shutil.rmtree(path, ignore_errors=True)
    writer = BagWriter(path)
    for at_ns, topic, message in sorted(messages, key=lambda item: item[0]):
        name = f'/cell/{topic}'
        if not writer.has(name):
            writer.add(name, type_name(message))
        writer.write(name, at_ns, serialize_message(message))
    writer.close()


def type_name(message: Any) -> str:
    """Return the ROS name of a message's type."""
    package, group, _ = type(message).__module__.split('.', 2)
    return f'{package}/{group}/{type(message).__name__}'


def answered(path: Path, script: Script) -> list[tuple[int, str, Any]]:
    """Decide the requests of a bag, and return its messages with the answers."""
    found: list[tuple[int, str, Any]] = []
    with BagReader(path) as bag:
        recording = Recording.read(bag)
        by_id = {item.request.request_id: item for item in script.asked if item.name == 'ocr/read'}
        with ReplaySession(recording) as session:
            for item in recording.asked:
                answer = session.decide(item)
                for topic, message in answer.messages:
                    if topic == 'ocr/result':
                        by_id[message.request_id].response.result = message
                    elif topic == 'matching/result':
                        fill_match(script, message)
                    elif topic in ('inventory/events', 'weighing/bag'):
                        found.append((item.at_ns + NS_PER_S // 50, topic, message))
    return found


def fill_match(script: Script, result: msg.MatchResult) -> None:
    """Store a verdict, and its reading as the matcher received it, in a script."""
    items = {item.name: item for item in script.asked if getattr(item.request, 'request_id', '') == result.request_id}
    items['matching/match'].response.result = result
    items['matching/match'].request.ocr = items['ocr/read'].response.result
    for _, topic, message in script.messages:
        if topic == 'component_captured' and message.match.request_id == result.request_id:
            message.ocr, message.match = items['ocr/read'].response.result, result


def main() -> int:
    """Write the bags and their golden decisions."""
    for script in (normal_job(), rejects(), scale_shift()):
        path = FOLDER / script.name
        begin = list(state(script))
        # Twice: the first bag has no answers, the second one those of the first replay.
        write(path, [*begin, *script.messages, *events(script.asked)])
        published = answered(path, script)
        write(path, [*begin, *script.messages, *events(script.asked), *published])
        with BagReader(path) as bag, ReplaySession(Recording.read(bag)) as session:
            (FOLDER / f'{script.name}.jsonl').write_text(to_lines(session.run()), encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
