"""Publishes `ocr/overlay/compressed`; drawn in a separate thread, and only while the topic has subscribers."""

from __future__ import annotations

import array
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cell_common.inbox import ExecutorQueue
from cell_common.qos import latched
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from cell_interfaces.msg import MatchResult, OcrResult
from cell_vision.ocr.conversions import codes_of, polygon_of, readings_of

if TYPE_CHECKING:
    from cell_vision.ocr.overlay import OverlayVerdict

FORMAT = 'bgr8; jpeg compressed bgr8'
VERDICT_NAMES = {
    MatchResult.MATCH: 'MATCH',
    MatchResult.MISMATCH: 'MISMATCH',
    MatchResult.AMBIGUOUS: 'AMBIGUOUS',
    MatchResult.UNREADABLE: 'UNREADABLE',
    MatchResult.UNKNOWN: 'UNKNOWN',
}


class OverlayPublisher:
    """Draws the last reading, and again with the verdict on the same frame.

    Frames and verdicts arrive in the node's thread; drawing and compressing
    have a thread of their own.
    """

    def __init__(self, node: Node, quality: int) -> None:
        """Create the publisher.

        Args:
            node: The node.
            quality: JPEG quality, 1..100.
        """
        self._quality = quality
        self._publisher = node.create_publisher(CompressedImage, 'ocr/overlay/compressed', latched())
        self._queue: ExecutorQueue[tuple[Header, bytes]] = ExecutorQueue(node, self._publish)
        self._pool = ThreadPoolExecutor(1, 'overlay')
        self._last: tuple[CompressedImage, OcrResult] | None = None

    def show_reading(self, image: CompressedImage, result: OcrResult) -> None:
        """Draw a reading.

        Args:
            image: Frame that was read; kept until the next one, for the verdict.
            result: The reading.
        """
        self._last = (image, result)
        self._draw(None)

    def show_verdict(self, match: MatchResult) -> None:
        """Draw a verdict over the last reading, if it is of the same frame.

        Args:
            match: Its header is that of the frame.
        """
        if self._last is not None and match.header.stamp == self._last[1].header.stamp:
            self._draw(match)

    def close(self) -> None:
        """Wait until the current overlay is drawn."""
        self._pool.shutdown(cancel_futures=True)

    def _draw(self, match: MatchResult | None) -> None:
        # Checked for each reading: drawing without viewers would cost more than the node itself.
        if self._last is None or not self._publisher.get_subscription_count():
            return
        image, result = self._last
        self._pool.submit(self._render, image, result, match)

    def _render(self, image: CompressedImage, result: OcrResult, match: MatchResult | None) -> None:
        """Draw and compress an overlay; runs in the thread of the pool."""
        # OpenCV takes memory that a node without viewers does not need.
        import cv2
        from cv_bridge import CvBridge, CvBridgeError

        from cell_vision.ocr.overlay import draw_overlay

        try:
            pixels = CvBridge().compressed_imgmsg_to_cv2(image, 'bgr8')
        except CvBridgeError:
            return
        draw_overlay(pixels, readings_of(result), _overlay_verdict(match), codes_of(result))
        jpeg = bytes(cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, self._quality])[1])
        self._queue.put((result.header, jpeg))

    def _publish(self, item: tuple[Header, bytes]) -> None:
        header, jpeg = item
        self._publisher.publish(CompressedImage(header=header, format=FORMAT, data=array.array('B', jpeg)))


def _overlay_verdict(match: MatchResult | None) -> OverlayVerdict | None:
    """Return what the overlay shows of a verdict, None without one; UNKNOWN has the cross of a mismatch."""
    from cell_vision.ocr.overlay import OverlayVerdict, VerdictIcon

    if match is None:
        return None
    icons = {
        MatchResult.MATCH: VerdictIcon.TICK,
        MatchResult.MISMATCH: VerdictIcon.CROSS,
        MatchResult.UNKNOWN: VerdictIcon.CROSS,
    }
    certainty = f'  {match.score:.0%}' if match.verdict == MatchResult.MATCH else ''
    return OverlayVerdict(
        f'{VERDICT_NAMES[match.verdict]} {match.part_number}'.strip() + certainty,
        icons.get(match.verdict, VerdictIcon.QUESTION),
        polygon_of(match.polygon),
    )
