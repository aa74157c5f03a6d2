"""Asks the OCR node to keep the frames of rejected pieces. Best effort: a job never waits for it or fails by it."""

from __future__ import annotations

from cell_common.calls import ServiceCallError, call_service
from cell_common.ids import new_id
from cell_common.services import create_client
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.duration import Duration
from rclpy.node import Node

from cell_coordinator.job.events import ArchiveReject
from cell_interfaces.msg import CommandInfo, ResultCode
from cell_interfaces.srv import KeepFrame

# Longer than the time that the ocr node gives its own disk.
CALL_TIMEOUT_S = 15.0


class RejectArchiver:
    """Client of ocr/keep_frame."""

    def __init__(self, node: Node) -> None:
        """Create the client on a node."""
        self._node = node
        self._client = create_client(node, KeepFrame, 'ocr/keep_frame', ReentrantCallbackGroup())
        self._last_error = ''

    def archive(self, reject: ArchiveReject) -> None:
        """Ask for the frame of a verdict to be kept; does nothing if the OCR node keeps no frames.

        Args:
            reject: Verdict, job and piece. The `request_id` of the verdict names the reading, whose frame the OCR node holds in
                memory for a while.
        """
        executor, verdict = self._node.executor, reject.verdict
        # Not awaited: the frame is evidence for later, and the job goes on.
        if executor is None or not verdict.request_id or not self._client.service_is_ready():
            return
        command = CommandInfo(
            request_id=new_id(),
            operator_id='coordinator',
            issued_at=self._node.get_clock().now().to_msg(),
            valid_for=Duration(seconds=CALL_TIMEOUT_S).to_msg(),
        )
        request = KeepFrame.Request(
            command=command,
            request_id=verdict.request_id,
            kind=KeepFrame.Request.REJECT,
            part_number=verdict.expected,
            job_id=reject.job_id,
            piece=reject.piece,
            verdict=f'{verdict.kind.name} {verdict.recognized}'.strip(),
        )
        executor.create_task(self._call, request)

    async def _call(self, request: KeepFrame.Request) -> None:
        """Call the OCR node; an error is logged once, until it changes."""
        try:
            response = await call_service(self._node, self._client, request, CALL_TIMEOUT_S)
            error = response.message if response.code not in (ResultCode.OK, ResultCode.NOT_READY) else ''
        except ServiceCallError as call_error:
            error = str(call_error)
        # Once per cause: with a full disk every rejected piece would add the same line.
        if error and error != self._last_error:
            self._node.get_logger().warning(f'frame of a rejected piece not kept: {error}')
        self._last_error = error
