"""Waiting in tests: for a condition with a timeout, or for a time during which a condition must hold.

Two forms of each: the async ones let the devices' event loop run, the plain one is for tests whose
devices run in another thread. Conditions are polled every 5 ms; a condition must be cheap and have
no side effects.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

__all__ = ['assert_holds', 'assert_holds_async', 'wait_stable_async', 'wait_until_async']

POLL_S = 0.005
TIMEOUT_S = 10.0


async def wait_until_async(condition: Callable[[], object], timeout: float = TIMEOUT_S, what: str = '') -> None:
    """Wait until a condition is true, while the event loop runs.

    Args:
        condition: Its result is tested for truth.
        timeout: Seconds. The default is about ten times the longest expected wait.
        what: Description of the condition, for the error.

    Raises:
        AssertionError: The condition was not true within `timeout` seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while not condition():
        assert loop.time() < deadline, f'not within {timeout:g} s: {what or condition}'
        await asyncio.sleep(POLL_S)


async def wait_stable_async(value: Callable[[], object], seconds: float, timeout: float = TIMEOUT_S) -> None:
    """Wait until a value has not changed for a time, while the event loop runs.

    Args:
        value: Returns a value that can be compared.
        seconds: Time without a change.
        timeout: Seconds for the value to become stable.

    Raises:
        AssertionError: The value still changed after `timeout` seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    last, since = value(), loop.time()
    while loop.time() - since < seconds:
        assert loop.time() < deadline + seconds, f'still changing after {timeout:g} s: {last}'
        await asyncio.sleep(POLL_S)
        if (current := value()) != last:
            last, since = current, loop.time()


async def assert_holds_async(condition: Callable[[], object], seconds: float, what: str = '') -> None:
    """Let a time pass while the event loop runs, and check that a condition is true throughout.

    Args:
        condition: Its result is tested for truth.
        seconds: Time to pass.
        what: Description of the condition, for the error.

    Raises:
        AssertionError: The condition was false at some time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline:
        assert condition(), f'not for {seconds:g} s: {what or condition}'
        await asyncio.sleep(POLL_S)


def assert_holds(condition: Callable[[], object], seconds: float, what: str = '') -> None:
    """Let a time pass, and check that a condition is true throughout.

    Args:
        condition: Its result is tested for truth; called in this thread.
        seconds: Time to pass; blocks the thread.
        what: Description of the condition, for the error.

    Raises:
        AssertionError: The condition was false at some time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f'not for {seconds:g} s: {what or condition}'
        time.sleep(POLL_S)
