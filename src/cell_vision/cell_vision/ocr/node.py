"""The `ocr` node: reads text in the latest camera frame on request, in a worker process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cell_common.calls import wait_for
from cell_common.diagnostics import Diagnostics, Health
from cell_common.inbox import ExecutorQueue
from cell_common.parameters import declare_parameters
from cell_common.qos import events, sensor_stream
from cell_common.ros_time import to_msg
from cell_common.runner import node_main
from cell_common.services import create_service, publish_events
from cell_common.time import NS_PER_S, now_ns, seconds_to_ns, to_ns
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage

from cell_interfaces.msg import MatchResult, OcrResult, ResultCode
from cell_interfaces.srv import ReadText
from cell_vision.ocr.arrival import Pick
from cell_vision.ocr.conversions import RESULT_CODES, fill_result
from cell_vision.ocr.crop_service import CropService
from cell_vision.ocr.frame_archive_service import FrameArchiveService
from cell_vision.ocr.frame_buffer import LatestFrame, SerializedFrame, stamp_of
from cell_vision.ocr.fusion import MultiFrameReading, is_certain
from cell_vision.ocr.overlay_publisher import OverlayPublisher
from cell_vision.ocr.parameters import OcrParameters
from cell_vision.ocr.part_watch import PartWatch
from cell_vision.ocr.worker.supervisor import ReadJob, ReadResult, WorkerStatus, WorkerSupervisor
from cell_vision.types import Point, ReadOptions

BYTES_PER_MB = 1_000_000
LONGEST_TIMEOUT_S = 600.0
NEXT_FRAME_TIMEOUT_S = 0.5
"""Timeout for a further frame; the reading is then made of the frames so far."""
# Decision 0008.
TIME_BUDGET_SHARE = 0.4
"""Share of the remaining time for further passes over a frame, so that a busy machine also answers in time."""
NEXT_FRAME_FACTOR = 1.5
"""A further frame is read if the remaining time is at least this many times the last reading time."""
LEAST_LOOK_S = 2.0
"""A piece that was picked long ago, as before a pause, is looked for this long."""
ALIVE_NS = 2 * NS_PER_S
"""A camera whose frames have been the same for this long is frozen."""
OK, ERROR = 0, 2
"""Diagnostic levels."""


@dataclass
class ReadRequest:
    """A reading in progress.

    Attributes:
        result: Result that is being filled.
        fusion: Readings of the frames so far.
        deadline: ROS time, nanoseconds.
        careful: Read the first frame in several ways.
        pick: Pick whose piece is to be read; None = any frame counts.
        region: Region to read first; empty = none.
        images: Frames that were read.
        ages: Age of each frame when its reading started, seconds.
        code: Result code of the response.
        message: Message of the response.
    """

    result: OcrResult
    fusion: MultiFrameReading
    deadline: int
    careful: bool = False
    pick: Pick | None = None
    region: Sequence[Point] = ()
    images: list[CompressedImage] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    code: int = ResultCode.OK
    message: str = ''


class OcrNode(Node):
    """Serves `ocr/read`, `ocr/get_crop` and `ocr/keep_frame`; publishes `ocr/result` and `ocr/overlay/compressed`.

    Its PartWatch serves `camera/learn_background` and publishes `camera/image_age`.

    A request waits for a frame, has the worker read it, and repeats that until the reading is
    certain, the wanted number of frames is read, or the time is used up. Requests are coroutines in
    the executor's thread; the worker's results arrive through an ExecutorQueue.
    """

    def __init__(self, **options: Any) -> None:
        """Start the worker process, then create subscriptions and services; readings before it is ready wait for it.

        Args:
            options: Passed to `rclpy.node.Node`, e.g. `parameter_overrides` in tests.

        Raises:
            ParameterError: A parameter is out of range.
        """
        super().__init__('ocr', **options)
        self._options = declare_parameters(self, OcrParameters)
        self._frames = LatestFrame()
        self._active_reads = 0
        self._last_read_stamp = 0
        self._region: Sequence[Point] = ()
        self._results_queue: ExecutorQueue[tuple[Future, ReadResult]] = ExecutorQueue(self, self._finish)
        self._worker = WorkerSupervisor(
            self._options.worker_arguments(),
            python=self._options.engine_python,
            deadline=self._options.engine_deadline,
            most_memory=self._options.memory_limit * BYTES_PER_MB,
            spare=self._options.spare_worker,
        )
        self._results = self.create_publisher(OcrResult, 'ocr/result', events())
        self._parts = PartWatch(
            self, self._options.least_part_share, self._options.background_file, self._options.longest_image_age
        )
        self._overlay = OverlayPublisher(self, self._options.overlay_quality)
        self._crops = CropService(self)
        self._archive = FrameArchiveService(
            self, self._options.kept_frames_folder, self._options.kept_frames_limit * BYTES_PER_MB
        )
        # Raw: most frames are never read, and a frame that is read goes to the worker as compressed bytes.
        self.create_subscription(CompressedImage, 'camera/image_raw/compressed', self._on_frame, sensor_stream(), raw=True)
        self.create_subscription(MatchResult, 'matching/result', self._overlay.show_verdict, events())
        publish_events(self, create_service(self, ReadText, 'ocr/read', self._handle_read, ReentrantCallbackGroup()))
        if self._options.continuous_rate:
            self.create_timer(1 / self._options.continuous_rate, self._read_continuously)
        self._diagnostics = Diagnostics(self)
        self._diagnostics.add('engine', self._health)
        self._diagnostics.add('pictures', self._parts.health)

    @property
    def worker_status(self) -> WorkerStatus:
        """State of the worker process."""
        return self._worker.state

    @property
    def newest_frame(self) -> SerializedFrame | None:
        """The latest received frame, None before the first."""
        return self._frames.newest

    def destroy_node(self) -> None:
        """Stop the worker and destroy the node."""
        self._worker.close()
        self._overlay.close()
        self._archive.close()
        super().destroy_node()

    def _on_frame(self, data: bytes) -> None:
        frame = SerializedFrame(stamp_of(data), data)
        self._parts.update(frame)
        self._frames.update(frame)

    async def _read_continuously(self) -> None:
        """Read the latest frame, unless it was read or a reading is in progress."""
        newest = self._frames.newest
        if self._active_reads or newest is None or newest.stamp == self._last_read_stamp:
            return
        await self._handle_read(ReadText.Request(frames=1), ReadText.Response(), self._region)

    async def _handle_read(
        self, request: ReadText.Request, response: ReadText.Response, region: Sequence[Point] = ()
    ) -> ReadText.Response:
        self._active_reads += 1
        try:
            return await self._read(request, response, region)
        finally:
            self._active_reads -= 1

    async def _read(self, request: ReadText.Request, response: ReadText.Response, region: Sequence[Point]) -> ReadText.Response:
        """Wait for a frame, read it, repeat while needed; every way out publishes the result and fills the response."""
        timeout = to_ns(request.timeout) / NS_PER_S or self._options.read_timeout
        if not 0 < timeout <= LONGEST_TIMEOUT_S:
            response.code = ResultCode.INVALID_ARGUMENT
            response.message = f'timeout is {timeout:g} s: give 0 for the default, or at most {LONGEST_TIMEOUT_S:g} s'
            return response
        given = len(request.image.data) > 0
        reading = ReadRequest(
            OcrResult(request_id=request.request_id),
            MultiFrameReading(1 if given else request.frames or self._options.frames),
            now_ns(self) + seconds_to_ns(timeout),
            request.careful,
            pick_of(request),
            region,
        )
        # An image in the request is read as it is, for `cell workflow` and tests; no camera is
        # needed.
        image = request.image if given else await self._first_frame(reading, to_ns(request.newer_than), timeout)
        while image is not None and await self._run_engine(reading, image) and self._needs_more_frames(reading):
            stamp, wait = to_ns(image.header.stamp), min(NEXT_FRAME_TIMEOUT_S, self._time_left(reading))
            image = await self._wait_for_frame(stamp, wait, reading.pick)
        if reading.images:
            self._finalize(reading)
        response.code, response.message, response.result = reading.code, reading.message, reading.result
        self._results.publish(reading.result)
        return response

    async def _first_frame(self, reading: ReadRequest, newer_than: int, timeout: float) -> CompressedImage | None:
        """Return the first frame of a reading; None if there is none, and the reading then has its result."""
        pick = reading.pick
        if pick is None:
            image = await self._wait_for_frame(newer_than, timeout)
            if image is None:
                self._fail(reading, ResultCode.NO_FRAME, self._no_frame_message(timeout), OcrResult.NO_FRAME)
            return image
        latest = pick.picked_ns + seconds_to_ns(self._options.latest_arrival)
        wait = max(LEAST_LOOK_S, (latest - now_ns(self)) / NS_PER_S)
        image = await self._wait_for_frame(newer_than, min(timeout, wait), pick)
        if image is not None:
            return image
        reason, newest = self._parts.reason(pick), self._frames.newest
        if newest is None or now_ns(self) < latest or not self._parts.is_alive(now_ns(self) - ALIVE_NS):
            self._fail(reading, ResultCode.NO_FRAME, reason, OcrResult.NO_FRAME)
        else:
            # The camera works, but the moment was missed: without evidence the piece is not readable.
            reading.result.status, reading.result.message = OcrResult.NO_TEXT, reason
            reading.result.header.stamp = to_msg(newest.stamp)
            self.get_logger().warning(f'not read: {reason}')
        return None

    async def _wait_for_frame(self, newer_than: int, timeout: float, pick: Pick | None = None) -> CompressedImage | None:
        """Return a frame with a later stamp, and of a pick one that is evidence for its piece; None after the timeout."""
        future: Future = Future(executor=self.executor)
        if pick is None:
            cancel = self._frames.on_newer(newer_than, future.set_result)
        else:
            pick = replace(pick, newer_than_ns=max(newer_than, pick.newer_than_ns))
            cancel = self._parts.on_evidence(pick, self._frames.newest, future.set_result)
        try:
            if not await wait_for(self, future, timeout):
                return None
        finally:
            cancel()
        frame = future.result()
        assert frame is not None
        return deserialize_message(frame.data, CompressedImage)

    async def _run_engine(self, reading: ReadRequest, image: CompressedImage) -> bool:
        """Have the worker read a frame; return whether it did. A failure only counts if no frame was read before.

        Args:
            reading: Request in progress; reading, frame and age are appended, or its failure is
                set.
            image: Frame to read; its bytes go to the worker as they are.
        """
        now = now_ns(self)
        future: Future = Future(executor=self.executor)
        options = ReadOptions(
            fast=self._options.fast,
            # A careful reading takes seconds, so only the first frame gets one; further frames just vote on it.
            careful=reading.careful and not reading.images,
            codes=self._options.codes,
            crop_side=self._options.crop_side,
            region=reading.region,
            budget=TIME_BUDGET_SHARE * min(self._time_left(reading), self._options.engine_deadline),
        )
        self._worker.submit(ReadJob(bytes(image.data), lambda result: self._results_queue.put((future, result)), options))
        # The request ends in time even if the worker does not; its late result then settles a
        # future that nobody awaits.
        if not await wait_for(self, future, max(0.001, self._time_left(reading))):
            status = self._worker.state
            code = ResultCode.TIMED_OUT if status.ready else ResultCode.ENGINE_FAILED
            self._fail(reading, code, status.message or 'OCR timed out')
            return False
        result = future.result()
        assert result is not None
        if result.reading is None:
            self._fail(reading, RESULT_CODES[result.failure], result.message)
            return False
        found = result.reading
        kept = self._parts.without_fixture(bytes(image.data), found.readings, (found.width, found.height))
        reading.fusion.readings.append(replace(found, readings=kept))
        reading.images.append(image)
        stamp = to_ns(image.header.stamp)
        reading.ages.append(max(0.0, (now - stamp) / NS_PER_S) if stamp else 0.0)
        self._last_read_stamp = stamp
        return True

    def _needs_more_frames(self, reading: ReadRequest) -> bool:
        """Return whether another frame may improve the reading and could be read in the remaining time."""
        last = reading.fusion.readings[-1]
        return reading.fusion.needs_more and self._time_left(reading) > NEXT_FRAME_FACTOR * last.seconds

    def _finalize(self, reading: ReadRequest) -> None:
        """Fill the result from all frames; show and remember the frame whose coordinates it has."""
        reference = reading.fusion.reference_index
        image, fused = reading.images[reference], reading.fusion.fuse()
        fill_result(reading.result, fused, len(reading.images))
        reading.result.header, reading.result.frame_age = image.header, reading.ages[reference]
        reading.result.frame_stamps = [read.header.stamp for read in reading.images]
        reading.code, reading.message = ResultCode.OK, ''
        # A region is only kept from a certain reading: it must not hide a part that lies elsewhere.
        self._region = fused.crop.polygon if fused.crop is not None and is_certain(fused.readings) else ()
        self._crops.remember(reading.result, fused.crop)
        self._overlay.show_reading(image, reading.result)
        self._archive.remember(image, reading.result)

    def _time_left(self, reading: ReadRequest) -> float:
        return (reading.deadline - now_ns(self)) / NS_PER_S

    def _fail(self, reading: ReadRequest, code: int, message: str, status: int = OcrResult.FAILED) -> None:
        """Set the failure of a request and log it; frames that were read before keep their result."""
        reading.code, reading.message = code, message
        reading.result.status, reading.result.message = status, message
        self.get_logger().warning(f'no reading: {message}')

    def _no_frame_message(self, timeout: float) -> str:
        if self._frames.newest is None:
            return f'no camera frame received for {timeout:g} s: check that the camera runs'
        return f'no new camera frame received for {timeout:g} s: check the camera'

    def _finish(self, item: tuple[Future, ReadResult]) -> None:
        future, result = item
        if not future.done():
            future.set_result(result)

    def _health(self) -> Health:
        """Return the worker's line of /diagnostics: ERROR while no worker is ready, with its reason."""
        status = self._worker.state
        return Health(
            OK if status.ready else ERROR,
            status.message,
            {
                'engine': status.engine,
                'worker pid': str(status.pid),
                'worker starts': str(status.starts),
                'spare worker pid': str(status.spare_pid),
                'readings': str(status.reads),
                'worker memory MB': str(status.memory // BYTES_PER_MB),
            },
        )


def pick_of(request: ReadText.Request) -> Pick | None:
    """Return the pick whose piece is to be read, None if any frame counts."""
    picked = to_ns(request.picked_at)
    return Pick(picked, to_ns(request.newer_than), to_ns(request.shown_at)) if picked else None


main = node_main(OcrNode)

if __name__ == '__main__':
    main()
