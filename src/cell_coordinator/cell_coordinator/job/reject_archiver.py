"""Lets the text reader keep the frame of each rejected piece. Nothing waits for it: a job never fails for a picture."""

from __future__ import annotations

from cell_common.calls import ServiceCallError, call_service
from cell_common.ids import new_id
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.duration import Duration
from rclpy.node import Node

from cell_coordinator.job.model import VerdictKind
from cell_interfaces.msg import CommandInfo, MatchResult, ResultCode
from cell_interfaces.srv import KeepFrame

PATIENCE_S = 15.0


class RejectKeeper:
    """Tells `ocr/keep_frame` of rejects."""

    def __init__(self, node: Node) -> None:
        """Make the client."""
        self._node = node
        self._client = node.create_client(KeepFrame, 'ocr/keep_frame', callback_group=ReentrantCallbackGroup())
        self._trouble = ''

    def rejected(self, match: MatchResult) -> None:
        """Let the frame of a verdict be kept; one that matched, or has no request id, is not."""
        executor, wanted = self._node.executor, match.request_id and match.verdict != MatchResult.MATCH
        if executor is None or not wanted or not self._client.service_is_ready():
            return
        command = CommandInfo(
            request_id=new_id(),
            operator_id='coordinator',
            issued_at=self._node.get_clock().now().to_msg(),
            valid_for=Duration(seconds=PATIENCE_S).to_msg(),
        )
        verdict = f'{VerdictKind(match.verdict).name} {match.part_number}'.strip()
        executor.create_task(
            self._tell,
            KeepFrame.Request(
                command=command,
                request_id=match.request_id,
                kind=KeepFrame.Request.REJECT,
                part_number=match.expected_part_number,
                verdict=verdict,
            ),
        )

    async def _tell(self, request: KeepFrame.Request) -> None:
        try:
            answer = await call_service(self._node, self._client, request, PATIENCE_S)
            trouble = answer.message if answer.code not in (ResultCode.OK, ResultCode.NOT_READY) else ''
        except ServiceCallError as problem:
            trouble = str(problem)
        if trouble and trouble != self._trouble:
            self._node.get_logger().warning(f'the frame of a rejected piece was not kept: {trouble}')
        self._trouble = trouble
