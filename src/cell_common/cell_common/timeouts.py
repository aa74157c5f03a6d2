"""Timeout for an awaitable of asyncio, without a lost cancellation.

`asyncio.wait_for` of Python 3.10 and 3.11 returns its result when a cancellation arrives together with it (python/cpython
gh-86296, mended in 3.12). A task that loops then goes on after its owner has canceled it, and `AsyncioThread.close` waits for
its end in vain. The cell runs on Python 3.10 and newer, so it uses `with_timeout` everywhere; a house rule finds `wait_for`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

__all__ = ['with_timeout']

T = TypeVar('T')


async def with_timeout(awaitable: Awaitable[T], timeout_s: float | None) -> T:
    """Await with a timeout, as `asyncio.wait_for` does.

    Args:
        awaitable: Coroutine, task or future. It is canceled on timeout, and when the caller is canceled.
        timeout_s: Seconds of the loop's clock; None = no limit.

    Returns:
        The result of the awaitable.

    Raises:
        asyncio.TimeoutError: No result in time. Python 3.10 has it apart from the built-in TimeoutError; from 3.11 on both
            are one.
        asyncio.CancelledError: The caller was canceled, also at the moment of the result.
    """
    timeout = getattr(asyncio, 'timeout', None)
    if timeout is None:
        return await _in_a_task(awaitable, timeout_s)
    # From Python 3.11 on. Awaited in the caller's own task, so that no result, such as an open connection, can be lost
    # between two tasks.
    async with timeout(timeout_s):
        return await awaitable


async def _in_a_task(awaitable: Awaitable[T], timeout_s: float | None) -> T:
    """Await with a timeout on Python 3.10, which has no `asyncio.timeout`."""
    task = asyncio.ensure_future(awaitable)
    try:
        # Unlike `wait_for`, `wait` raises a cancellation in any case.
        await asyncio.wait([task], timeout=timeout_s)
        if task.done():
            return task.result()
    finally:
        task.cancel()
        # The awaitable has released what it holds before the caller goes on.
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # retrieved: asyncio would otherwise log it as lost
    raise asyncio.TimeoutError
