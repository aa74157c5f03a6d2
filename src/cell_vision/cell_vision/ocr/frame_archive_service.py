"""Serves `ocr/keep_frame`; a separate thread writes the files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cell_common.calls import wait_for
from cell_common.commands import expiry_error
from cell_common.inbox import ExecutorQueue
from cell_common.latest_entries import LatestEntries
from cell_common.services import create_service
from cell_common.time import now_ns
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage

from cell_interfaces.msg import OcrResult, ResultCode
from cell_interfaces.srv import KeepFrame
from cell_vision.ocr.frame_archive import (
    CORRECTION,
    REJECT,
    CapturedFrame,
    FrameArchive,
    FrameLabel,
    UnknownReadingError,
)

REMEMBERED = 20
"""Number of readings whose frames are kept in memory, some 200 kB each."""
WRITE_TIMEOUT_S = 10.0
KINDS = {KeepFrame.Request.REJECT: REJECT, KeepFrame.Request.CORRECTION: CORRECTION}
_Result = tuple[int, str, str]
"""Result code, message, file."""


class FrameArchiveService:
    """Remembers the frames of the latest readings and archives them on request."""

    def __init__(self, node: Node, folder: str, most_bytes: int) -> None:
        """Create the service.

        Args:
            node: The node.
            folder: Folder of the archive; "" = no archive.
            most_bytes: Limit of its size.
        """
        self._node = node
        self._folder = folder
        self._archive = FrameArchive(Path(folder).expanduser(), most_bytes) if folder else None
        self._recent = LatestEntries[str, CapturedFrame](REMEMBERED)
        self._pool = ThreadPoolExecutor(1, 'frame archive')
        self._queue: ExecutorQueue[tuple[Future, _Result]] = ExecutorQueue(node, self._finish)
        create_service(node, KeepFrame, 'ocr/keep_frame', self._handle, ReentrantCallbackGroup())

    def remember(self, image: CompressedImage, result: OcrResult) -> None:
        """Remember the frame of a reading.

        Args:
            image: Frame whose coordinates the result has.
            result: One without a request id cannot be asked for, and is ignored.
        """
        if self._archive is None or not result.request_id:
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
        self._recent[result.request_id] = CapturedFrame(bytes(image.data), facts)

    def close(self) -> None:
        """Wait until the current file is written."""
        self._pool.shutdown(cancel_futures=True)

    async def _handle(self, request: KeepFrame.Request, response: KeepFrame.Response) -> KeepFrame.Response:
        """Answer `ocr/keep_frame`; a pool writes the files, because a full or slow disk must not stop the node."""
        response.code, response.message = self._validation_error(request)
        if response.code != ResultCode.OK:
            return response
        future: Future = Future(executor=self._node.executor)
        label = FrameLabel(
            request.request_id,
            KINDS[request.kind],
            request.part_number,
            request.verdict,
            request.command.operator_id,
            request.job_id,
            request.piece,
        )
        # The frame is looked up here, in the node's thread, which owns the cache.
        self._pool.submit(self._write, future, label, self._recent.get(request.request_id), now_ns(self._node))
        if not await wait_for(self._node, future, WRITE_TIMEOUT_S):
            response.code = ResultCode.TIMED_OUT
            response.message = f'the disk of {self._folder} does not respond; the frame may be stored later'
            return response
        response.code, response.message, response.file = future.result()
        return response

    def _validation_error(self, request: KeepFrame.Request) -> tuple[int, str]:
        """Return code and message of an invalid request, (OK, "") for a valid one."""
        if expired := expiry_error(request.command, now_ns(self._node)):
            return ResultCode.EXPIRED, expired
        if self._archive is None:
            return ResultCode.NOT_READY, 'there is no frame archive: parameter kept_frames_folder of the ocr node is empty'
        if request.kind not in KINDS:
            return ResultCode.INVALID_ARGUMENT, f'kind is {request.kind}: give 0 (REJECT) or 1 (CORRECTION)'
        if not request.request_id:
            return ResultCode.INVALID_ARGUMENT, 'request_id is empty: give the id of the reading'
        return ResultCode.OK, ''

    def _write(self, future: Future, label: FrameLabel, frame: CapturedFrame | None, stamp: int) -> None:
        """Store a frame; runs in the thread of the pool."""
        assert self._archive is not None
        try:
            file = self._archive.store(label, frame, stamp)
            result = (ResultCode.OK, f'stored as {file}', file)
        except UnknownReadingError:
            result = (ResultCode.UNKNOWN_READING, 'the frame of this reading is gone: only the latest are kept', '')
        except OSError as error:
            cause = f'the frame cannot be stored in {self._folder}: {error.strerror or error}'
            result = (ResultCode.STORAGE_FAILED, f'{cause}; free space or check its permissions', '')
        self._queue.put((future, result))

    def _finish(self, item: tuple[Future, _Result]) -> None:
        future, result = item
        if not future.done():
            future.set_result(result)
