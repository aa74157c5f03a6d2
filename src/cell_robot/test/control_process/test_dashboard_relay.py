"""Relay that gives the replies of a padded dashboard one line and no blanks."""

from __future__ import annotations

import asyncio
import random

import pytest
from cell_robot.control_process.dashboard_relay import DASHBOARD, RTDE, SCRIPT, DashboardReplies, is_misread, serve

BANNER = b'Connected: Universal Robots Dashboard Server\n'


def test_blanks_and_lines_around_a_reply_are_left_out():
    replies = DashboardReplies()
    assert replies.take(b'\r\n') == b'' and replies.take(b'  ' + BANNER) == BANNER
    assert replies.take(BANNER) == b'' and replies.take(b'12345\n') == b'', 'nothing was asked'
    replies.command = 'get serial number'
    assert [replies.take(line) for line in (b'\n', b'Popup closed\n', b'  20205500001 \t\r\n', b'\n')] == [
        b'',
        b'',
        b'20205500001\n',
        b'',
    ]


@pytest.mark.parametrize(
    ('error', 'misread'),
    [
        ('getSerialNumber() function did not return a number. The following was returned:  1', True),
        ('PolyScopeVersion::parse failed.', True),
        ('Failed to start control script, before timeout of 5 seconds', False),
    ],
)
def test_only_a_misread_reply_needs_the_relay(error, misread):
    assert is_misread(error) is misread


def test_commands_and_bytes_get_through_and_a_closed_end_closes_the_other():
    async def talk():
        before = asyncio.all_tasks()
        address = f'127.{random.randint(1, 90)}.{random.randint(1, 254)}.{random.randint(2, 254)}'

        async def dashboard(reader, writer):
            writer.write(BANNER)
            while line := await reader.readline():
                writer.write(b'\n  URSoftware   5.11.1 (x) \n\n' if b'Polyscope' in line else b'Stopped\n')
            writer.close()

        async def echo(reader, writer):
            while data := await reader.read(100):
                writer.write(data[::-1])
            writer.close()

        servers = [await asyncio.start_server(dashboard, address, DASHBOARD)]
        servers += [await asyncio.start_server(echo, address, port) for port in (SCRIPT, RTDE)]
        relay = await serve(address)
        reader, writer = await asyncio.open_connection(relay, DASHBOARD)
        assert await reader.readline() == BANNER
        writer.write(b'PolyscopeVersion\n')
        assert await reader.readline() == b'URSoftware 5.11.1 (x)\n'
        writer.write(b'stop\n')
        assert await reader.readline() == b'Stopped\n'
        data, sender = await asyncio.open_connection(relay, RTDE)
        sender.write(b'\x00\x01\x02')
        assert await data.readexactly(3) == b'\x02\x01\x00'
        for server in servers:
            server.close()
        for end in (writer, sender):
            end.close()
            await end.wait_closed()
        if left := asyncio.all_tasks() - before:
            assert not (await asyncio.wait(left, timeout=3.0))[1]

    asyncio.run(asyncio.wait_for(talk(), 10.0))
