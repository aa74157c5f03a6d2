import asyncio

import pytest
from cell_weighing.bridge import dialing
from cell_weighing.bridge.dialing import CLOSED_AT_ONCE, keep_dialing


class Line:
    def __init__(self, received, closed):
        self.received, self.closed = received, asyncio.Event()
        if closed:
            self.closed.set()


@pytest.fixture
def dial(monkeypatch):
    """Dials until the attempts are used up, and returns what was reported."""
    for name in ('FIRST_DIAL_S', 'LONGEST_DIAL_S', 'AT_ONCE_S'):
        monkeypatch.setattr(dialing, name, 0.001)

    async def run(attempts):
        events, waiting, done = [], iter(attempts), asyncio.Event()

        async def connect(host, port):
            assert (host, port) == ('10.0.0.4', 4001)
            attempt = next(waiting, None)
            if attempt is None:
                done.set()
                await asyncio.Event().wait()
            if isinstance(attempt, Exception):
                raise attempt
            return Line(*attempt)

        task = asyncio.ensure_future(keep_dialing('10.0.0.4:4001', connect, lambda event: events.append(event.error)))
        await done.wait()
        task.cancel()
        return events

    return lambda *attempts: asyncio.run(run(attempts))


def test_a_line_that_another_program_holds_is_reported_once_and_not_called_connected(dial):
    assert dial((False, True), (False, True), (False, True)) == ['', CLOSED_AT_ONCE]


def test_an_indicator_that_sends_and_closes_is_reached(dial):
    assert dial((False, True), (True, True), (True, True)) == ['', CLOSED_AT_ONCE, '', '']


def test_each_reason_is_reported_once_in_plain_words(dial):
    refused = ConnectionRefusedError(111, "Connect call failed ('10.0.0.4', 4001)")
    assert dial(refused, refused, OSError(113, 'x'), (True, True)) == ['Connection refused', 'No route to host', '']
