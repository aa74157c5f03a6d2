"""Watches the camera's stream for parts that come into view; serves `camera/learn_background`, publishes `camera/image_age`."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from cell_common.diagnostics import Health
from cell_common.qos import latched
from cell_common.services import create_service
from cell_common.time import NS_PER_S, now_ns
from cell_common.timers import create_steady_timer
from numpy.typing import NDArray
from rclpy.node import Node
from std_msgs.msg import Float32
from std_srvs.srv import Trigger

from cell_vision.ocr.arrival import ArrivalWatch, Evidence, NotStillError, Pick
from cell_vision.ocr.frame_buffer import SerializedFrame
from cell_vision.ocr.thumbnail import jpeg_of, thumbnail_of
from cell_vision.types import UNREAD, Reading

AGE_PERIOD_S = 1.0
SHORTEST_PERIOD_NS = NS_PER_S // 25
"""A faster camera is watched at this period, so that the watch costs little."""
RECONNECTED_NS = 2 * NS_PER_S
"""After a gap of this length the camera may have been repaired, so its measured delay no longer counts."""
OK, ERROR = 0, 2
"""Diagnostic levels."""
Waiting = tuple[Pick, Callable[[SerializedFrame], None]]


class PartWatch:
    """Finds the frames that are evidence for the piece of a pick.

    All methods run in the node's thread. Each frame costs a thumbnail, which is decoded at an
    eighth of the frame's size.

    Attributes:
        image_age: Delay of the frames as last measured, seconds.
    """

    def __init__(self, node: Node, least_share: float, background_file: str, longest_delay: float) -> None:
        """Load the learned empty view and create service and topic.

        Args:
            node: The node.
            least_share: Least share of the frame that a part covers.
            background_file: PNG of the learned empty view; "" = it is learned again after each start.
            longest_delay: Delay of the frames in seconds from which on no job may start.
        """
        self._node = node
        self._file = Path(background_file).expanduser() if background_file else None
        self._longest_delay = longest_delay
        self._watch = ArrivalWatch(least_share, self._load())
        self._stamp = self._transit_ns = 0
        self._waiting: list[Waiting] = []
        self._age = node.create_publisher(Float32, 'camera/image_age', latched())
        create_service(node, Trigger, 'camera/learn_background', self._learn)
        create_steady_timer(node, AGE_PERIOD_S, self._publish_age)

    @property
    def image_age(self) -> float:
        """Delay of the frames as last measured, seconds."""
        return max(self._watch.late_ns, self._transit_ns) / NS_PER_S

    def update(self, frame: SerializedFrame) -> None:
        """Look at a received frame, and pass it to the readings that wait for a frame like it.

        Args:
            frame: As received; a stamp in the future counts as now.
        """
        received = now_ns(self._node)
        # A camera with a clock that runs ahead must not make all later frames look old.
        stamp = min(frame.stamp, received)
        # A stamp that goes back is not skipped: the clock was set, and the watch must go on.
        if 0 < stamp - self._stamp < SHORTEST_PERIOD_NS:
            return
        if stamp - self._stamp > RECONNECTED_NS:
            self._watch.late_ns = 0
        try:
            jpeg = jpeg_of(frame.data)
        except ValueError:
            return
        thumbnail = thumbnail_of(jpeg)
        if thumbnail is None:
            return
        self._stamp, self._transit_ns = stamp, received - stamp
        self._watch.add(stamp, thumbnail, zlib.crc32(jpeg))
        for item in list(self._waiting):
            if self._evidence(item[0]).counts:
                self._waiting.remove(item)
                item[1](frame)

    def on_evidence(
        self, pick: Pick, newest: SerializedFrame | None, callback: Callable[[SerializedFrame], None]
    ) -> Callable[[], None]:
        """Call back once with a frame that is evidence for a piece, now or when it is received.

        Args:
            pick: Pick of the piece.
            newest: Latest frame, which is checked first.
            callback: Called in the node's thread.

        Returns:
            A function that cancels the callback.
        """
        if newest is not None and newest.stamp == self._stamp and self._evidence(pick).counts:
            callback(newest)
            return lambda: None
        item = (pick, callback)
        self._waiting.append(item)

        def cancel() -> None:
            if item in self._waiting:
                self._waiting.remove(item)

        return cancel

    def reason(self, pick: Pick) -> str:
        """Return why the newest frame is no evidence, and what to do."""
        return self._watch.evidence(pick).message

    def is_alive(self, after_ns: int) -> bool:
        """Return whether the view has changed after a time, be it only by the noise of the sensor."""
        return self._watch.alive(after_ns)

    def without_fixture(self, jpeg: bytes, readings: Sequence[Reading], size: tuple[int, int]) -> tuple[Reading, ...]:
        """Return readings without those that stand in the empty view, too: unread regions and texts of the fixture.

        Args:
            jpeg: The frame, compressed.
            readings: Of the frame.
            size: Its width and height, pixels.
        """
        thumbnail = thumbnail_of(jpeg) if readings else None
        if thumbnail is None:
            return tuple(readings)

        def stands_always(item: Reading) -> bool:
            polygon = [(x / size[0], y / size[1]) for x, y in item.polygon]
            return self._watch.is_region_empty(thumbnail, polygon, unchanged=item.text != UNREAD)

        return tuple(item for item in readings if not stands_always(item))

    def health(self) -> Health:
        """Return the diagnostic status: how late the frames are."""
        learned = 'no' if self._watch.background is None else 'yes'
        values = {'image age s': f'{self.image_age:.2f}', 'empty view known': learned}
        if self.image_age <= self._longest_delay:
            return Health(OK, '', values)
        remedy = 'use a stream with low latency, then restart the camera or call camera/learn_background'
        return Health(ERROR, f'the pictures of the camera are {self.image_age:.1f} s late: {remedy}', values)

    def _evidence(self, pick: Pick) -> Evidence:
        evidence = self._watch.evidence(pick)
        if evidence.counts and pick.shown_ns:
            self._watch.late_ns = max(0, evidence.stood_ns - pick.shown_ns)
        return evidence

    def _publish_age(self) -> None:
        self._age.publish(Float32(data=self.image_age))

    def _learn(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            background = self._watch.learn(now_ns(self._node))
            if self._file is not None:
                self._store(background)
        except (NotStillError, OSError) as error:
            response.success, response.message = False, f'the empty view was not learned: {error}'
            return response
        response.success, response.message = True, 'the empty view is learned'
        return response

    def _store(self, background: NDArray[np.float32]) -> None:
        assert self._file is not None
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix('.tmp')
        temporary.write_bytes(bytes(cv2.imencode('.png', np.round(background).astype(np.uint8))[1]))
        # Renamed in one step: a power cut leaves the old view or the new one.
        temporary.replace(self._file)

    def _load(self) -> NDArray[np.float32] | None:
        """Return the stored empty view, None if there is none; a damaged file is reported and ignored."""
        if self._file is None or not self._file.is_file():
            return None
        image = cv2.imread(str(self._file), cv2.IMREAD_GRAYSCALE)
        if image is None:
            self._node.get_logger().warning(f'{self._file} is no picture: call camera/learn_background')
            return None
        return np.asarray(image, np.float32)
