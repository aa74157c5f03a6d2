"""Requests to the control process and their answers. Runs in the backend's event loop."""

from __future__ import annotations

import asyncio

from cell_robot.backends.rtde.controller_queries import ControllerQueries
from cell_robot.backends.rtde.script_restart import ScriptRestart
from cell_robot.backends.rtde.steps import ArmOptions, StepError
from cell_robot.control_process.codec import ControlReport, ControlRequest, RequestDone
from cell_robot.control_process.supervisor import ControlProcess
from cell_robot.motion.recipe import CellRecipe

REQUEST_TIMEOUT_S = 2.0


class ControlRequests(ControllerQueries):
    """Data of a robot, and the control process that moves it."""

    def __init__(self, options: ArmOptions, recipe: CellRecipe) -> None:
        super().__init__(options, recipe)
        self._control: ControlProcess | None = None
        self._answers: dict[int, asyncio.Future[RequestDone]] = {}
        self._restart = ScriptRestart()

    @property
    def ready(self) -> bool:
        """Whether the control script runs."""
        return self._control is not None and self._control.ready

    @property
    def control_pid(self) -> int:
        """Process id of the control process, 0 without one."""
        return self._control.pid if self._control is not None and not self._control.over else 0

    def _on_report(self, report: ControlReport) -> None:
        if isinstance(report, RequestDone):
            answer = self._answers.pop(report.number, None)
            if answer is not None and not answer.done():
                answer.set_result(report)

    async def request(self, request: ControlRequest, timeout_s: float = REQUEST_TIMEOUT_S) -> None:
        """Send a request and wait for its end.

        Raises:
            StepError: No answer, or an error.
        """
        answer = self._send(request)
        await asyncio.wait([answer], timeout=timeout_s)
        if not answer.done():
            raise StepError('no answer')
        if not answer.result().ok:
            raise StepError(answer.result().text)

    def _send(self, request: ControlRequest) -> asyncio.Future[RequestDone]:
        """Send a request to the control process and return its answer.

        Raises:
            StepError: There is no control process.
        """
        if self._control is None or not self._control.ready:
            raise StepError('the control program has ended')
        answer: asyncio.Future[RequestDone] = self._loop.create_future()
        # Marks an exception as seen: nobody may be waiting for this answer any more.
        answer.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._answers[self._control.send(request)] = answer
        return answer

    def _fail_answers(self, reason: str) -> None:
        """End all requests with an error: their process has ended."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(StepError(reason))
