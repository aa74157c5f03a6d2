"""The `ocr` node: reads text in the camera's newest frame, on request, in a worker process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cell_common.calls import wait_for
from cell_common.diagnostics import Diagnostics, Health
from cell_common.inbox import ExecutorQueue
from cell_common.parameters import declare_parameters
from cell_common.qos import events, sensor_stream
from cell_common.runner import node_main
from cell_common.time import NS_PER_S, to_ns
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage

from cell_interfaces.msg import MatchResult, OcrResult, ResultCode
from cell_interfaces.srv import ReadText
from cell_vision.ocr.conversions import code_of, fill_result
from cell_vision.ocr.crop_service import CropService
from cell_vision.ocr.frame_archive_service import FrameKeeper
from cell_vision.ocr.frame_buffer import FrameSlot, SerializedFrame, stamp_of
from cell_vision.ocr.multi_frame import SeveralFrames
from cell_vision.ocr.overlay_publisher import OverlayPublisher
from cell_vision.ocr.parameters import OcrParameters
from cell_vision.ocr.voting import is_certain
from cell_vision.ocr.worker.supervisor import Answer, EngineHost, Job
from cell_vision.types import Point

MEGABYTE = 1_000_000
DIAGNOSTIC = {True: 0, False: 2}
PATIENCE_S = 0.5
"""A further frame that does not come within this is not waited for: what was read is answered."""
OF_THE_TIME = 0.4
"""A frame is looked at in further ways for this share of the time that is left: on a busy machine it is answered, too."""
LIKE_THE_LAST = 1.5
"""A further frame is read when so many times the last one's reading time is left."""


@dataclass
class Asked:
    """One reading being made."""

    result: OcrResult
    several: SeveralFrames
    deadline: int
    """ROS time, nanoseconds."""
    careful: bool = False
    """Read the first frame in several ways."""
    region: Sequence[Point] = ()
    """Where to look first."""
    images: list[CompressedImage] = field(default_factory=list)
    """Those that were read."""
    ages: list[float] = field(default_factory=list)
    """Of each image when its reading began, seconds."""
    code: int = ResultCode.OK
    message: str = ''


class OcrNode(Node):
    """Serves `ocr/read`, `ocr/get_crop` and `ocr/keep_frame`; publishes `ocr/result` and `ocr/overlay/compressed`."""

    def __init__(self, **options: Any) -> None:
        super().__init__('ocr', **options)
        self._options = declare_parameters(self, OcrParameters)
        self._frames = FrameSlot()
        self._reading = 0
        self._last_read = 0
        self._region: Sequence[Point] = ()
        self._inbox: ExecutorQueue[tuple[Future, Answer]] = ExecutorQueue(self, self._deliver)
        self._host = EngineHost(
            self._options.worker_arguments(),
            python=self._options.engine_python,
            deadline=self._options.engine_deadline,
            most_memory=self._options.memory_limit * MEGABYTE,
            spare=self._options.spare_worker,
        )
        self._results = self.create_publisher(OcrResult, 'ocr/result', events())
        self._overlay = OverlayPublisher(self, self._options.overlay_quality)
        self._crops = CropService(self)
        self._keeper = FrameKeeper(self, self._options.kept_frames_folder, self._options.kept_frames_limit * MEGABYTE)
        self.create_subscription(CompressedImage, 'camera/image_raw/compressed', self._on_frame, sensor_stream(), raw=True)
        self.create_subscription(MatchResult, 'matching/result', self._judged, events())
        self.create_service(ReadText, 'ocr/read', self._read, callback_group=ReentrantCallbackGroup())
        if self._options.continuous_rate:
            self.create_timer(1 / self._options.continuous_rate, self._read_unasked)
        self._diagnostics = Diagnostics(self)
        self._diagnostics.add('engine', self._health)

    def destroy_node(self) -> None:
        """End the worker, then the node."""
        self._host.close()
        self._overlay.close()
        self._keeper.close()
        super().destroy_node()

    def _on_frame(self, data: bytes) -> None:
        self._frames.put(SerializedFrame(stamp_of(data), data))

    def _judged(self, match: MatchResult) -> None:
        self._overlay.judged(match)

    async def _read_unasked(self) -> None:
        """Read the newest frame unless something is being read, or this frame was."""
        newest = self._frames.newest
        if self._reading or newest is None or newest.stamp == self._last_read:
            return
        await self._read(ReadText.Request(frames=1), ReadText.Response(), self._region)

    async def _read(
        self, request: ReadText.Request, response: ReadText.Response, region: Sequence[Point] = ()
    ) -> ReadText.Response:
        self._reading += 1
        try:
            return await self._answer(request, response, region)
        finally:
            self._reading -= 1

    async def _answer(
        self, request: ReadText.Request, response: ReadText.Response, region: Sequence[Point]
    ) -> ReadText.Response:
        timeout = to_ns(request.timeout) / NS_PER_S or self._options.read_timeout
        given = len(request.image.data) > 0
        asked = Asked(
            OcrResult(request_id=request.request_id),
            SeveralFrames(1 if given else request.frames or self._options.frames),
            self.get_clock().now().nanoseconds + round(timeout * NS_PER_S),
            request.careful,
            region,
        )
        image = request.image if given else await self._frame(to_ns(request.newer_than), timeout)
        if image is None:
            self._fail(asked, ResultCode.NO_FRAME, self._why_no_frame(timeout), OcrResult.NO_FRAME)
        while image is not None and await self._recognise(asked, image) and self._goes_on(asked):
            image = await self._frame(to_ns(image.header.stamp), min(PATIENCE_S, self._left(asked)))
        if asked.images:
            self._conclude(asked)
        response.code, response.message, response.result = asked.code, asked.message, asked.result
        self._results.publish(asked.result)
        return response

    async def _frame(self, newer_than: int, timeout: float) -> CompressedImage | None:
        """Return a frame with a later stamp, None when none comes in time."""
        future: Future = Future(executor=self.executor)
        cancel = self._frames.when_newer(newer_than, future.set_result)
        try:
            if not await wait_for(self, future, timeout):
                return None
        finally:
            cancel()
        frame = future.result()
        assert frame is not None
        return deserialize_message(frame.data, CompressedImage)

    async def _recognise(self, asked: Asked, image: CompressedImage) -> bool:
        """Let the worker read a frame; return whether it did. A failure counts only when no frame was read before."""
        now = self.get_clock().now().nanoseconds
        future: Future = Future(executor=self.executor)
        careful = asked.careful and not asked.images  # a careful reading takes seconds; further frames only vote on it
        options = {
            'fast': self._options.fast,
            'careful': careful,
            'codes': self._options.codes,
            'crop_side': self._options.crop_side,
            'region': asked.region,
            'budget': OF_THE_TIME * min(self._left(asked), self._options.engine_deadline),
        }
        self._host.submit(Job(bytes(image.data), lambda answer: self._inbox.put((future, answer)), options))
        if not await wait_for(self, future, max(0.001, self._left(asked))):
            state = self._host.state
            code = ResultCode.TIMED_OUT if state.ready else ResultCode.ENGINE_FAILED
            self._fail(asked, code, state.message or 'the text reader was not done in time')
            return False
        answer = future.result()
        assert answer is not None
        if answer.reading is None:
            self._fail(asked, code_of(answer), answer.message)
            return False
        asked.several.readings.append(answer.reading)
        asked.images.append(image)
        stamp = to_ns(image.header.stamp)
        asked.ages.append(max(0.0, (now - stamp) / NS_PER_S) if stamp else 0.0)
        self._last_read = stamp
        return True

    def _goes_on(self, asked: Asked) -> bool:
        """Say whether another frame may tell more, and would be read in time if it takes as long as the last."""
        return asked.several.more and self._left(asked) > LIKE_THE_LAST * asked.several.readings[-1].seconds

    def _conclude(self, asked: Asked) -> None:
        """Put what all frames say into the result, and show and remember the frame that it belongs to."""
        image = asked.images[asked.several.judged]
        reading = asked.several.result()
        fill_result(asked.result, reading, len(asked.images))
        self._crops.remember(asked.result, reading.crop)
        self._region = reading.crop.polygon if reading.crop is not None and is_certain(reading.readings) else ()
        asked.result.header, asked.result.frame_age = image.header, asked.ages[asked.several.judged]
        asked.code, asked.message = ResultCode.OK, ''
        self._overlay.read(image, asked.result)
        self._keeper.read(image, asked.result)

    def _left(self, asked: Asked) -> float:
        return (asked.deadline - self.get_clock().now().nanoseconds) / NS_PER_S

    def _fail(self, asked: Asked, code: int, message: str, status: int = OcrResult.FAILED) -> None:
        asked.code, asked.message = code, message
        asked.result.status, asked.result.message = status, message
        self.get_logger().warning(f'not read: {message}')

    def _why_no_frame(self, timeout: float) -> str:
        if self._frames.newest is None:
            return f'no camera frame came within {timeout:g} s; check that the camera runs'
        return f'no camera frame newer than asked for came within {timeout:g} s; check the camera'

    def _deliver(self, item: tuple[Future, Answer]) -> None:
        future, answer = item
        if not future.done():
            future.set_result(answer)

    def _health(self) -> Health:
        state = self._host.state
        return Health(
            DIAGNOSTIC[state.ready],
            state.message,
            {
                'engine': state.engine,
                'worker pid': str(state.pid),
                'worker starts': str(state.starts),
                'spare worker pid': str(state.spare_pid),
                'readings': str(state.reads),
                'worker memory MB': str(state.memory // MEGABYTE),
            },
        )


main = node_main(OcrNode)

if __name__ == '__main__':
    main()
