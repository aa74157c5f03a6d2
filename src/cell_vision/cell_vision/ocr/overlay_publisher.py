"""Publishes `ocr/overlay/compressed`: drawn only while somebody looks, in a thread beside the node's own."""

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
    from cell_vision.ocr.overlay import Verdict

NAMES = {
    MatchResult.MATCH: 'MATCH',
    MatchResult.MISMATCH: 'MISMATCH',
    MatchResult.AMBIGUOUS: 'AMBIGUOUS',
    MatchResult.UNREADABLE: 'UNREADABLE',
    MatchResult.UNKNOWN: 'UNKNOWN',
}


class OverlayPublisher:
    """Draws the last reading, and again with the verdict when one comes for the same frame."""

    def __init__(self, node: Node, quality: int) -> None:
        """Advertise the overlay on a node."""
        self._quality = quality
        self._publisher = node.create_publisher(CompressedImage, 'ocr/overlay/compressed', latched())
        self._inbox: ExecutorQueue[tuple[Header, bytes]] = ExecutorQueue(node, self._publish)
        self._pool = ThreadPoolExecutor(1, 'overlay')
        self._last: tuple[CompressedImage, OcrResult] | None = None

    def read(self, image: CompressedImage, result: OcrResult) -> None:
        """Draw a reading."""
        self._last = (image, result)
        self._draw(None)

    def judged(self, match: MatchResult) -> None:
        """Draw the verdict over the reading it belongs to."""
        if self._last is not None and match.header.stamp == self._last[1].header.stamp:
            self._draw(match)

    def close(self) -> None:
        """Wait for the drawing being made."""
        self._pool.shutdown(cancel_futures=True)

    def _draw(self, match: MatchResult | None) -> None:
        if self._last is None or self._publisher.get_subscription_count() == 0:
            return
        image, result = self._last
        self._pool.submit(self._render, bytes(image.data), result, match)

    def _render(self, jpeg: bytes, result: OcrResult, match: MatchResult | None) -> None:
        from cell_vision.ocr import overlay  # OpenCV costs memory that a node nobody looks at does not need.

        drawn = overlay.draw(jpeg, readings_of(result), _verdict(match), self._quality, codes_of(result))
        if drawn:
            self._inbox.put((result.header, drawn))

    def _publish(self, item: tuple[Header, bytes]) -> None:
        header, jpeg = item
        data = array.array('B', jpeg)
        self._publisher.publish(CompressedImage(header=header, format='bgr8; jpeg compressed bgr8', data=data))


def _verdict(match: MatchResult | None) -> Verdict | None:
    from cell_vision.ocr import overlay

    if match is None:
        return None
    shapes = {
        MatchResult.MATCH: overlay.Shape.TICK,
        MatchResult.MISMATCH: overlay.Shape.CROSS,
        MatchResult.UNKNOWN: overlay.Shape.CROSS,
    }
    certainty = f'  {match.score:.0%}' if match.verdict == MatchResult.MATCH else ''
    return overlay.Verdict(
        f'{NAMES[match.verdict]} {match.part_number}'.strip() + certainty,
        shapes.get(match.verdict, overlay.Shape.QUESTION),
        polygon_of(match.polygon),
    )
