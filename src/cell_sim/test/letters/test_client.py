"""Simulated UR program over a real socket, against a listener like the one of the robot node."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from cell_common.catalogue import Catalogue
from cell_sim.faults import UnknownFaultError
from cell_sim.letters.client import LettersClient, LettersSettings
from cell_sim.letters.program import LetterCommand, TimedProgram, parse_line
from cell_sim.testing.waiting import assert_holds_async, wait_until_async
from cell_sim.world.parts import TrayMix
from cell_sim.world.world import World

FAST = 40.0
TIMEOUT_S = 5.0


@dataclass
class Cell:
    """Robot node's side of the connection, and the world."""

    world: World
    robot: LettersClient
    links: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, text: str) -> None:
        self.writer.write(text.encode())
        await self.writer.drain()

    async def receive(self) -> str:
        """Return the next line that is no heartbeat; "" at the end of the connection."""
        while True:
            try:
                line = (await asyncio.wait_for(self.reader.readline(), TIMEOUT_S)).decode()
            except ConnectionError:
                return ''
            if line != 'HB\n':
                return line

    async def next_link(self) -> None:
        self.writer.close()
        self.reader, self.writer = await asyncio.wait_for(self.links.get(), TIMEOUT_S)

    async def trigger(self, text: str) -> list[str]:
        await self.send(text)
        return [await self.receive(), await self.receive()]


def in_cell(
    catalogue: Catalogue, scenario: Callable[[Cell], Awaitable[None]], framing: str = 'line', bare_reply: str = 'ack'
) -> None:
    async def run() -> None:
        links: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        server = await asyncio.start_server(lambda *link: links.put_nowait(link), '127.0.0.1', 0)
        world = World(TrayMix(tuple(catalogue.parts)))
        world.fill([('EM1-2U1', 1, 3)])
        robot = LettersClient(
            TimedProgram(world, catalogue, FAST),
            LettersSettings(port=server.sockets[0].getsockname()[1], framing=framing, bare_reply=bare_reply),
            remove_part=world.remove_part,
        )
        await robot.start()
        cell = Cell(world, robot, links, *await asyncio.wait_for(links.get(), TIMEOUT_S))
        try:
            await scenario(cell)
        finally:
            await robot.stop()
            cell.writer.close()
            server.close()
            await asyncio.sleep(0)

    asyncio.run(run())


@pytest.mark.parametrize(
    ('line', 'command'),
    [
        (b'A t-1 2\n', LetterCommand('A', 't-1', 2)),
        (b'P t_2\n', LetterCommand('P', 't_2')),
        (b'H x 0\r\n', LetterCommand('H', 'x')),
        (b'A t 3\n', LetterCommand('A', 't', 3)),
        (b'A\n', None),
        (b'A  t\n', None),
        (b'A t 5\n', None),
        (b'AB t\n', None),
        (b'A t 1 1\n', None),
        (b'A \xd9\xa3\n', None),
        (b'\n', None),
    ],
)
def test_a_line_is_a_command_or_nothing(line: bytes, command: LetterCommand | None) -> None:
    assert parse_line(line) == command


def test_a_piece_is_picked_and_placed(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        assert await cell.trigger('A t1 1\n') == ['ACK t1\n', 'DONE t1\n']
        assert cell.world.held is not None
        assert await cell.trigger('P t2\n') == ['ACK t2\n', 'DONE t2\n']
        assert [piece.part_number for piece in cell.world.placed] == ['EM1-2U1']

    in_cell(catalogue, scenario)


def test_a_rejected_piece_lies_in_the_reject_tray(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        await cell.trigger('A t1 1\n')
        await cell.trigger('R t2\n')
        assert (len(cell.world.rejected), len(cell.world.placed)) == (1, 0)

    in_cell(catalogue, scenario)


@pytest.mark.parametrize('text', ['D t\n', 'H t\n', 'B t\n'])
def test_events_without_a_part_are_done(catalogue: Catalogue, text: str) -> None:
    async def scenario(cell: Cell) -> None:
        assert await cell.trigger(text) == ['ACK t\n', 'DONE t\n']

    in_cell(catalogue, scenario)


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('A t 2\n', 'tray 2 is empty'),
        ('C t\n', 'all trays are empty'),
        ('P t\n', 'gripper is empty'),
        ('R t\n', 'gripper is empty'),
        ('Z t\n', 'unknown letter Z'),
    ],
)
def test_nonsense_is_refused(catalogue: Catalogue, text: str, reason: str) -> None:
    async def scenario(cell: Cell) -> None:
        await cell.send(text)
        assert await cell.receive() == f'ERR t {reason}\n'
        assert cell.world.held is None

    in_cell(catalogue, scenario)


def test_a_second_letter_during_a_movement_is_refused(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        await cell.send('A t1 1\nA t2 1\n')
        assert [await cell.receive() for _ in range(3)] == ['ACK t1\n', 'ERR t2 busy\n', 'DONE t1\n']
        assert cell.world.count('EM1-2U1', 1) == 2

    in_cell(catalogue, scenario)


def test_what_is_no_command_is_ignored(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        assert await cell.trigger('hello\n' + 'x' * 3000 + '\nH t\n') == ['ACK t\n', 'DONE t\n']

    in_cell(catalogue, scenario)


def test_the_heart_beats_while_idle(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        beats = [await asyncio.wait_for(cell.reader.readline(), TIMEOUT_S) for _ in range(2)]
        assert beats == [b'HB\n', b'HB\n']

    in_cell(catalogue, scenario)


def test_bare_framing_answers_once_at_the_end(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        await cell.send('A')
        assert await cell.receive() == 'ack\n'
        await cell.send('P')
        assert await cell.receive() == 'ack\n'
        assert len(cell.world.placed) == 1

    in_cell(catalogue, scenario, 'bare')


def test_bare_framing_may_answer_at_both_ends(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        assert await cell.trigger('A') == ['ack\n', 'done\n']
        assert cell.world.held is not None

    in_cell(catalogue, scenario, 'bare', bare_reply='ack_done')


def test_bare_framing_ignores_impossible_letters_silently(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        await cell.send('P')
        await assert_holds_async(lambda: cell.world.held is None, 0.1)
        await cell.send('A\n')
        assert await cell.receive() == 'ack\n'
        assert cell.world.placed == []

    in_cell(catalogue, scenario, 'bare')


def test_the_program_reconnects_after_a_loss_of_the_connection(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        cell.writer.transport.abort()
        await cell.next_link()
        assert await cell.trigger('H t\n') == ['ACK t\n', 'DONE t\n']

    in_cell(catalogue, scenario)


def test_an_injected_refusal_moves_nothing(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        cell.robot.inject('refuse', 0)
        await cell.send('A t1 1\n')
        assert await cell.receive() == 'ERR t1 refused by the program\n'
        assert cell.world.count('EM1-2U1', 1) == 3
        assert await cell.trigger('A t2 1\n') == ['ACK t2\n', 'DONE t2\n']

    in_cell(catalogue, scenario)


def test_without_acknowledgement_nothing_moves(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        cell.robot.inject('no_ack', 1)
        await cell.send('A t1 1\n')
        await assert_holds_async(lambda: cell.world.held is None, 0.1)
        assert await cell.trigger('H t2\n') == ['ACK t2\n', 'DONE t2\n']

    in_cell(catalogue, scenario)


def test_an_unreported_movement_has_been_made(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        cell.robot.inject('no_done', 1)
        await cell.send('A t1 1\n')
        assert await cell.receive() == 'ACK t1\n'
        await wait_until_async(lambda: cell.world.held is not None)
        await assert_holds_async(lambda: cell.world.held is not None, 0.2)
        assert await cell.trigger('P t2\n') == ['ACK t2\n', 'DONE t2\n']

    in_cell(catalogue, scenario)


def test_a_link_lost_in_mid_movement_leaves_the_movement_made_and_unreported(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        cell.robot.inject('drop_connection', 0.2)
        await cell.send('A t1 1\n')
        assert await cell.receive() == 'ACK t1\n'
        assert await cell.receive() == ''
        await cell.next_link()
        assert cell.world.held is not None
        assert await cell.trigger('P t2\n') == ['ACK t2\n', 'DONE t2\n']

    in_cell(catalogue, scenario)


def test_a_late_report_is_delayed(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        cell.robot.inject('late', 0.3)
        await cell.send('H t1\n')
        assert await cell.receive() == 'ACK t1\n'
        started = asyncio.get_running_loop().time()
        assert await cell.receive() == 'DONE t1\n'
        assert asyncio.get_running_loop().time() - started > 0.25

    in_cell(catalogue, scenario)


def test_an_injected_disconnection_lasts_its_time(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        cell.robot.inject('disconnect', 0.5)
        started = asyncio.get_running_loop().time()
        assert await cell.receive() == ''
        await cell.next_link()
        assert asyncio.get_running_loop().time() - started > 0.45

    in_cell(catalogue, scenario)


def test_a_silent_program_sends_nothing_over_an_open_connection(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        cell.robot.inject('silent', 0.4)
        await cell.send('H t1\n')
        await assert_holds_async(cell.robot.connected.is_set, 0.5)
        assert await cell.trigger('H t2\n') == ['ACK t2\n', 'DONE t2\n']

    in_cell(catalogue, scenario)


def test_the_operator_empties_the_gripper(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        await cell.trigger('A t1 1\n')
        cell.robot.inject('empty_hand', 0)
        assert cell.world.held is None

    in_cell(catalogue, scenario)


def test_an_unknown_fault_is_refused_with_the_list_of_known_ones(catalogue: Catalogue) -> None:
    async def scenario(cell: Cell) -> None:
        with pytest.raises(UnknownFaultError, match='no_ack'):
            cell.robot.inject('explode', 0)

    in_cell(catalogue, scenario)
