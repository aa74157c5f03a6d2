"""Client of a Robotiq gripper's URCap: reads its status several times a second and moves its fingers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from cell_common.timeouts import with_timeout

from cell_robot.protocols.robotiq.codec import (
    ACK,
    MAX_LINE,
    PORT,
    STATUS,
    GripperStatus,
    RobotiqError,
    decode_value,
    encode_get,
    encode_move,
    is_complete,
    is_value,
)

CONNECT_TIMEOUT_S = ANSWER_TIMEOUT_S = 1.0
POLL_S, RETRY_S = 0.03, 0.5
PAUSE_S = 0.02
"""Pause after which a value without a line end is complete."""


class RobotiqClient:
    """Keeps one connection; use in one event loop.

    Status and moves share it, one question at a time: answers carry no id.
    """

    def __init__(self, address: str, on_status: Callable[[GripperStatus | None], None]) -> None:
        """Store the settings; `run` connects.

        Args:
            address: Address of the robot, or of the gripper's own controller.
            on_status: Called with each status, and with None when the connection is lost.
        """
        self._address, self._on_status = address, on_status
        self._writer: asyncio.StreamWriter | None = None
        self._talking = asyncio.Lock()
        self.error = f'no Robotiq URCap answers at {address}:{PORT}'
        """Why there is no connection."""

    async def run(self) -> None:
        """Connect, read the status, and reconnect until canceled."""
        while True:
            try:
                await self._run_connection()
            except (OSError, RobotiqError, asyncio.TimeoutError, ValueError) as error:
                self.error = str(error) or f'the Robotiq URCap at {self._address}:{PORT} does not answer'
            finally:
                self._close()
            self._on_status(None)
            await asyncio.sleep(RETRY_S)

    async def move(self, position: int, speed: int, force: int) -> None:
        """Move the fingers; returns when the gripper has accepted the request.

        Args:
            position: 0 (open) to 255.
            speed: 0..255, share of the gripper's range.
            force: 0..255, share of the gripper's range.

        Raises:
            RobotiqError: There is no connection, or the gripper did not accept it.
        """
        if self._writer is None:
            raise RobotiqError(self.error)
        try:
            answer = await self._ask(encode_move(position, speed, force))
        except (OSError, asyncio.TimeoutError, ValueError) as error:
            self._close()
            raise RobotiqError('the gripper did not answer') from error
        if answer.lower() != ACK:
            raise RobotiqError(f'the gripper answered {answer[:40]!r} to a move')

    async def _run_connection(self) -> None:
        opening = asyncio.open_connection(self._address, PORT, limit=MAX_LINE)
        self._reader, self._writer = await with_timeout(opening, CONNECT_TIMEOUT_S)
        while self._writer is not None:
            values = [decode_value(name, await self._ask(encode_get(name))) for name in STATUS]
            self._on_status(GripperStatus(*values))
            await asyncio.sleep(POLL_S)

    async def _ask(self, request: bytes) -> str:
        """Send a request and return its answer.

        Raises:
            RobotiqError: There is no connection, or it was closed.
            asyncio.TimeoutError: No answer in time.
        """
        async with self._talking:
            if self._writer is None:
                raise RobotiqError(self.error)
            self._writer.write(request)
            answer = await with_timeout(self._answer(), ANSWER_TIMEOUT_S)
            return answer.decode('ascii', 'replace').strip()

    async def _answer(self) -> bytes:
        """Return an answer; the URCap ends some of them with a line end, others not.

        Raises:
            RobotiqError: The gripper closed the connection, or its answer is longer than MAX_LINE.
        """
        answer = b''
        while not is_complete(answer):
            # A value without a line end may go on in the next segment.
            try:
                received = await with_timeout(self._reader.read(MAX_LINE), PAUSE_S if is_value(answer) else None)
            except asyncio.TimeoutError:
                return answer
            if not received or len(answer) > MAX_LINE:
                raise RobotiqError('the gripper closed the connection')
            answer += received
        return answer

    def _close(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.close()
        self._writer = None
