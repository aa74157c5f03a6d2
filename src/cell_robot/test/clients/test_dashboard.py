"""The question for remote control over connections that lead nowhere, end, or were made in local mode."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

import pytest
from cell_robot.clients import RemoteControlQuestion
from cell_robot.clients import dashboard as client
from cell_robot.protocols.dashboard.codec import BANNER, DashboardError, DashboardTimeouts

TIMEOUTS = DashboardTimeouts(2.0, 20.0)
Answer = Callable[[int, int], str | None]
"""(number of the connection, number of the question on it), from 0 -> answer; None = none, "" = the connection ends."""


async def serve(answer: Answer, work: Callable[[str, list[int]], Awaitable[None]]) -> None:
    """Run a dashboard at a loopback address of its own, and `work` with its address and the questions of each connection."""
    questions: list[int] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(questions)
        questions.append(0)
        with contextlib.closing(writer):
            writer.write(f'{BANNER}\n'.encode())
            while await reader.readline():
                text = answer(number, questions[number])
                questions[number] += 1
                if text == '':
                    return
                if text is not None:
                    writer.write(f'{text}\n'.encode())

    address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
    server = await asyncio.start_server(connected, address, client.PORT)
    try:
        await work(address, questions)
    finally:
        server.close()


def answers_of(answer: Answer, count: int) -> tuple[list[bool], list[int]]:
    """Return the answers to some questions, and how often each connection was asked."""
    found: list[bool] = []
    asked: list[int] = []

    async def work(address: str, questions: list[int]) -> None:
        question = RemoteControlQuestion(address, TIMEOUTS)
        for _ in range(count):
            found.append(await question.ask())
        question.close()
        asked.extend(questions)

    asyncio.run(serve(answer, work))
    return found, asked


def test_one_connection_serves_many_questions() -> None:
    assert answers_of(lambda _connection, _question: 'true', 5) == ([True] * 5, [5])


def test_an_open_connection_that_leads_nowhere_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, 'OLD_CONNECTION_S', 0.05)
    found, asked = answers_of(lambda connection, question: 'true' if connection or not question else None, 3)
    assert (found, asked) == ([True] * 3, [2, 2])


def test_a_closed_connection_is_replaced() -> None:
    found, asked = answers_of(lambda connection, question: 'true' if connection or not question else '', 3)
    assert (found, asked) == ([True] * 3, [2, 2])


def test_a_connection_from_local_mode_is_not_believed_for_ever() -> None:
    found, asked = answers_of(lambda connection, _question: 'true' if connection else 'false', 3)
    assert (found, asked) == ([False, True, True], [2, 2])


def test_local_mode_is_reported_when_a_new_connection_says_so_too() -> None:
    found, asked = answers_of(lambda connection, question: 'true' if not connection and not question else 'false', 2)
    assert (found, asked) == ([True, False], [2, 1])


def test_a_new_connection_without_an_answer_is_an_error() -> None:
    async def work(address: str, _questions: list[int]) -> None:
        with pytest.raises(DashboardError, match=r'within 0\.05 s'):
            await RemoteControlQuestion(address, DashboardTimeouts(2.0, 0.05)).ask()

    asyncio.run(serve(lambda _connection, _question: None, work))
