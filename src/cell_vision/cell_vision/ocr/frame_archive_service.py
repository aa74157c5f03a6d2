"""Serves `ocr/keep_frame`: files are written in a thread beside the node's own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cell_common.calls import wait_for
from cell_common.commands import expiry_error
from cell_common.inbox import ExecutorQueue
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage

from cell_interfaces.msg import OcrResult, ResultCode
from cell_interfaces.srv import KeepFrame
from cell_vision.ocr.frame_archive import CORRECTION, REJECT, FrameFolder, RecentFrames, Seen, Told, UnknownReadingError

PATIENCE_S = 10.0
KINDS = {KeepFrame.Request.REJECT: REJECT, KeepFrame.Request.CORRECTION: CORRECTION}
Outcome = tuple[int, str, str]
"""Result code, message, file."""


class FrameKeeper:
    """Remembers the frames of the latest readings and keeps those that it is told to."""

    def __init__(self, node: Node, folder: str, most_bytes: int) -> None:
        """Offer the service on a node.

        Args:
            node: The node.
            folder: Where frames are kept; "" = they are not.
            most_bytes: Size of the folder.
        """
        self._node = node
        self._shown = folder
        self._folder = FrameFolder(Path(folder).expanduser(), most_bytes) if folder else None
        self._recent = RecentFrames()
        self._pool = ThreadPoolExecutor(1, 'kept frames')
        self._inbox: ExecutorQueue[tuple[Future, Outcome]] = ExecutorQueue(node, self._deliver)
        node.create_service(KeepFrame, 'ocr/keep_frame', self._keep, callback_group=ReentrantCallbackGroup())

    def read(self, image: CompressedImage, result: OcrResult) -> None:
        """Remember the frame of a reading."""
        if self._folder is None or not result.request_id:
            return
        stamp = result.header.stamp
        facts = {
            'read': [text.text for text in result.texts],
            'scores': [round(float(text.score), 3) for text in result.texts],
            'codes': [code.text for code in result.codes],
            'engine': result.engine,
            'frames': int(result.frames),
            'frame_stamp': f'{stamp.sec}.{stamp.nanosec:09d}',
        }
        self._recent.remember(result.request_id, Seen(bytes(image.data), facts))

    def close(self) -> None:
        """Wait for the file being written."""
        self._pool.shutdown(cancel_futures=True)

    async def _keep(self, request: KeepFrame.Request, response: KeepFrame.Response) -> KeepFrame.Response:
        response.code, response.message = self._refusal(request)
        if response.code != ResultCode.OK:
            return response
        future: Future = Future(executor=self._node.executor)
        told = Told(request.request_id, KINDS[request.kind], request.part_number, request.verdict, request.command.operator_id)
        now = self._node.get_clock().now().nanoseconds
        self._pool.submit(self._write, future, told, self._recent.get(request.request_id), now)
        if not await wait_for(self._node, future, PATIENCE_S):
            response.code = ResultCode.TIMED_OUT
            response.message = f'the disk of {self._shown} does not answer; the frame may be kept later'
            return response
        response.code, response.message, response.file = future.result()
        return response

    def _refusal(self, request: KeepFrame.Request) -> tuple[int, str]:
        """Say why a frame cannot be kept, (OK, "") when it can."""
        if late := expiry_error(request.command, self._node.get_clock().now().nanoseconds):
            return ResultCode.EXPIRED, late
        if self._folder is None:
            return ResultCode.NOT_READY, 'frames are not kept: parameter kept_frames_folder of the ocr node is empty'
        if request.kind not in KINDS:
            return ResultCode.INVALID_ARGUMENT, f'kind is {request.kind}: give 0 (REJECT) or 1 (CORRECTION)'
        if not request.request_id:
            return ResultCode.INVALID_ARGUMENT, 'request_id is empty: name the reading whose frame is to be kept'
        return ResultCode.OK, ''

    def _write(self, future: Future, told: Told, seen: Seen | None, now: int) -> None:
        """Called in the thread that writes."""
        assert self._folder is not None
        try:
            file = self._folder.keep(told, seen, now)
            outcome = (ResultCode.OK, f'kept as {file}', file)
        except UnknownReadingError:
            outcome = (ResultCode.UNKNOWN_READING, 'the frame of this reading is not kept any more: only the latest are', '')
        except OSError as problem:
            why = f'the frame cannot be kept in {self._shown}: {problem.strerror or problem}; free space or check its rights'
            outcome = (ResultCode.STORAGE_FAILED, why, '')
        self._inbox.put((future, outcome))

    def _deliver(self, item: tuple[Future, Outcome]) -> None:
        future, outcome = item
        if not future.done():
            future.set_result(outcome)
