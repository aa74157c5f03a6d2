"""Calls from the server's event loop into the thread that spins the node, where ROS entities are created and destroyed.

rclpy's entities may be created in any thread, but a wait set that is being built while one is destroyed ends the executor.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from rclpy.node import Node

T = TypeVar('T')


class RosThread:
    """Runs functions in the node's executor, in the order in which they were handed over."""

    def __init__(self, node: Node, loop: asyncio.AbstractEventLoop) -> None:
        """Create the guard condition that wakes the node's executor."""
        self._loop = loop
        self._work: deque[Callable[[], object]] = deque()
        self._guard = node.create_guard_condition(self._run_all)

    def post(self, function: Callable[[], object]) -> None:
        """Queue a function that does not raise, without waiting for it; from any thread."""
        self._work.append(function)
        self._guard.trigger()

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function in the executor; return its result, or raise its exception.

        Args:
            function: Must not block.
            arguments: Its arguments.
        """
        future: asyncio.Future[T] = self._loop.create_future()

        def work() -> None:
            try:
                result = function(*arguments)
            except Exception as problem:  # handed to whoever waits
                self._settle(future, None, problem)
            else:
                self._settle(future, result, None)

        self.post(work)
        return await future

    def _settle(self, future: asyncio.Future[Any], result: Any, problem: Exception | None) -> None:
        def settle() -> None:
            if future.cancelled():
                return
            if problem is None:
                future.set_result(result)
            else:
                future.set_exception(problem)

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(settle)

    def _run_all(self) -> None:
        while self._work:
            self._work.popleft()()
