"""The letters program on the simulated controller: the arm moves the pieces, and what stops the arm stops the program."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cell_common.catalogue import Catalogue
from cell_robot.motion import CellRecipe
from cell_robot.recipe_file import load_recipe
from cell_robot.robot_modes import RobotMode, RuntimeState
from cell_sim.letters.client import LettersSettings
from cell_sim.simulation import Simulation, SimulationConfig
from cell_sim.testing.waiting import assert_holds_async, wait_until_async
from cell_sim.world.parts import TrayMix
from cell_sim.world.world import ViewPhase

pytestmark = pytest.mark.slow

PART = 'EM1-2U1'
FAST = 40.0
TIMEOUT_S = 5.0


@pytest.fixture(scope='module')
def recipe() -> CellRecipe:
    return load_recipe(Path(__file__).resolve().parents[4] / 'config' / 'recipe.yaml')


class Cell:
    """The robot node's side of the link, and the simulation behind it."""

    def __init__(self, simulation: Simulation, links: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
        self.simulation, self._links = simulation, links
        self.world = simulation.world
        assert simulation.ur is not None
        self.controller = simulation.ur.controller

    async def answer(self) -> None:
        self.reader, self.writer = await asyncio.wait_for(self._links.get(), TIMEOUT_S)

    def send(self, text: str) -> None:
        self.writer.write(text.encode())

    async def receive(self, timeout: float = TIMEOUT_S) -> str:
        """Return the next line that is no heartbeat; "" at the end of the link."""

        async def listen() -> str:
            while (line := (await self.reader.readline()).decode()) == 'HB\n':
                pass
            return line

        return await asyncio.wait_for(listen(), timeout)

    async def until(self, condition: Callable[[], object]) -> None:
        await wait_until_async(condition, TIMEOUT_S)

    def hang_up(self) -> None:
        self.writer.close()
        while not self._links.empty():
            self._links.get_nowait()[1].close()


def in_cell(
    catalogue: Catalogue, recipe: CellRecipe, scenario: Callable[[Cell], Awaitable[None]], time_scale: float = FAST
) -> None:
    async def run() -> None:
        links: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        server = await asyncio.start_server(lambda *link: links.put_nowait(link), '127.0.0.1', 0)
        address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
        simulation = Simulation(
            SimulationConfig(
                catalogue,
                TrayMix(tuple(catalogue.parts)),
                ur_address=address,
                recipe=recipe,
                robot=LettersSettings(port=server.sockets[0].getsockname()[1]),
                time_scale=time_scale,
            )
        )
        simulation.world.fill([(PART, 1, 3)])
        simulation.world.present_part(PART)
        await simulation.start()
        cell = Cell(simulation, links)
        try:
            await cell.answer()
            await scenario(cell)
        finally:
            await simulation.stop()
            cell.hang_up()
            server.close()
            await asyncio.sleep(0)

    asyncio.run(run())


def test_the_arm_picks_shows_and_places(catalogue: Catalogue, recipe: CellRecipe) -> None:
    async def scenario(cell: Cell) -> None:
        cell.send('A t1 1\n')
        assert [await cell.receive(), await cell.receive()] == ['ACK t1\n', 'DONE t1\n']
        assert cell.world.view(0.0).phase is ViewPhase.STILL
        assert cell.controller.registers.digital_inputs & 1
        cell.send('P t2\n')
        assert [await cell.receive(), await cell.receive()] == ['ACK t2\n', 'DONE t2\n']
        assert ([piece.part_number for piece in cell.world.placed], cell.world.held) == ([PART], None)
        assert not cell.controller.registers.digital_inputs & 1

    in_cell(catalogue, recipe, scenario)


@pytest.mark.parametrize(('text', 'reason'), [('A t 3\n', 'tray 3 is empty'), ('P t\n', 'gripper is empty')])
def test_what_the_arm_finds_out_on_its_way_is_reported(
    catalogue: Catalogue, recipe: CellRecipe, text: str, reason: str
) -> None:
    async def scenario(cell: Cell) -> None:
        cell.send(text)
        assert [await cell.receive(), await cell.receive()] == ['ACK t\n', f'ERR t {reason}\n']

    in_cell(catalogue, recipe, scenario)


def test_the_known_good_piece_goes_back_into_its_nest(catalogue: Catalogue, recipe: CellRecipe) -> None:
    async def scenario(cell: Cell) -> None:
        cell.send('B t1\n')
        assert [await cell.receive(), await cell.receive()] == ['ACK t1\n', 'DONE t1\n']
        assert cell.world.view(0.0).phase is ViewPhase.STILL
        cell.send('H t2\n')
        assert [await cell.receive(), await cell.receive()] == ['ACK t2\n', 'DONE t2\n']
        assert cell.world.held is None
        assert not cell.world.dropped

    in_cell(catalogue, recipe, scenario)


def test_in_a_protective_stop_nothing_is_sent_and_nothing_moves(catalogue: Catalogue, recipe: CellRecipe) -> None:
    async def scenario(cell: Cell) -> None:
        cell.send('A t1 1\n')
        assert await cell.receive() == 'ACK t1\n'
        await cell.until(lambda: cell.controller.motion.moving)
        await cell.simulation.inject('ur', 'protective_stop', 0.0)
        stand = cell.controller.motion.joints
        with pytest.raises(asyncio.TimeoutError):
            await cell.receive(0.5)
        assert cell.controller.motion.joints == stand
        cell.controller.unlock_protective_stop(1e9)
        assert cell.controller.play()
        assert await cell.receive() == 'DONE t1\n'

    in_cell(catalogue, recipe, scenario, 10.0)


def test_a_letter_that_waited_during_a_stop_is_not_executed_after_a_reset_of_the_connection(
    catalogue: Catalogue, recipe: CellRecipe
) -> None:
    async def scenario(cell: Cell) -> None:
        await cell.simulation.inject('ur', 'protective_stop', 0.0)
        cell.send('A t1 1\n')
        await assert_holds_async(lambda: cell.world.held is None, 0.1)
        cell.writer.transport.abort()
        await assert_holds_async(lambda: cell.world.held is None, 0.2)
        cell.controller.unlock_protective_stop(1e9)
        cell.controller.play()
        await cell.answer()
        await assert_holds_async(lambda: (cell.world.held, cell.controller.motion.moving) == (None, False), 0.3)

    in_cell(catalogue, recipe, scenario)


def test_a_program_that_has_ended_has_no_connection_until_the_operator_starts_it(
    catalogue: Catalogue, recipe: CellRecipe
) -> None:
    async def scenario(cell: Cell) -> None:
        cell.send('A t1 1\n')
        assert await cell.receive() == 'ACK t1\n'
        await cell.simulation.inject('ur', 'emergency_stop', 0.1)
        assert await cell.receive() == ''
        assert cell.controller.mode == RobotMode.POWER_OFF
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(cell.answer(), 0.6)
        await cell.simulation.inject('ur', 'attend', 0.0)
        await cell.until(lambda: cell.controller.runtime == RuntimeState.PLAYING)
        await cell.answer()
        cell.send('H t2\n')
        assert [await cell.receive(), await cell.receive()] == ['ACK t2\n', 'DONE t2\n']

    in_cell(catalogue, recipe, scenario, 10.0)


def test_a_reboot_opens_the_gripper_and_the_truth_says_that_the_piece_fell(catalogue: Catalogue, recipe: CellRecipe) -> None:
    async def scenario(cell: Cell) -> None:
        cell.send('A t1 1\n')
        assert [await cell.receive(), await cell.receive()] == ['ACK t1\n', 'DONE t1\n']
        await cell.simulation.inject('ur', 'reboot', 0.1)
        await cell.until(lambda: cell.world.dropped)
        assert (cell.world.held, len(cell.world.placed)) == (None, 0)

    in_cell(catalogue, recipe, scenario)
