"""`cell robot teach` from nothing to a recipe that works, on the simulated arm."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cell_bringup.client import CellClient, CellError
from cell_bringup.jobs import exit_code_of
from cell_bringup.keys import END
from cell_bringup.robot import work_with_robot
from cell_bringup.teach import TeachScreen, walk
from cell_bringup.teach_recipe import write_new_recipe
from cell_common.testing import wait_until
from cell_robot.node import RobotNode
from cell_robot.recipe_file import load_recipe
from cell_sim.node import WorldNode
from rich.console import Console

from cell_bringup import cli
from cell_interfaces.srv import GetPlaces

pytestmark = pytest.mark.slow
CONFIG = Path(__file__).parents[3] / 'config'


class Keys:
    """Keys of an operator who does what the screen asks for."""

    def __init__(self, keys: list[str]) -> None:
        self.left = keys

    def poll(self, _seconds: float) -> str:
        return self.left.pop(0) if self.left else END


class Bench:
    """A simulated arm, the robot node with a new recipe, and a terminal."""

    def __init__(self, graph: Any, domain: int, folder: Path) -> None:
        pytest.importorskip('rtde_control', reason='ur_rtde has no wheel for this machine')
        self.domain, self.recipe = domain, folder / 'recipe.yaml'
        address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
        catalogue = str(CONFIG / 'parts.yaml')
        code, shown = self.new_recipe('--trays 1 --rows 4 --columns 6')
        assert code == 0, shown
        self.world = graph.add(
            WorldNode(
                **graph.options(
                    catalogue_file=catalogue, camera=False, scale_port=0, robot_port=0, ur_address=address,
                    recipe_file=str(CONFIG / 'recipe.yaml'), time_scale=20.0, stock_wait=0.0,
                )
            )
        )  # fmt: skip
        options = {'backend': 'rtde', 'recipe_file': str(self.recipe), 'robot_address': address, 'allow_moves': True}
        slow = {'watchdog_frequency': 1.0, 'stale_data': 1.5}
        self.robot = graph.add(RobotNode(**graph.options(catalogue_file=catalogue, **options, **slow)))
        self.client = CellClient(domain_id=domain)
        wait_until(lambda: self.robot.backend.state().connected, 10.0, 'connected')

    def new_recipe(self, line: str) -> tuple[int, str]:
        shown = Console(file=io.StringIO(), width=200)
        words = ['robot', 'new-recipe', str(self.recipe), '--catalogue', str(CONFIG / 'parts.yaml'), *line.split()]
        return write_new_recipe(cli.parser().parse_args(words), shown), shown.file.getvalue()  # type: ignore[attr-defined]

    def type(self, line: str) -> tuple[int, str]:
        shown = Console(file=io.StringIO(), width=220)
        options = cli.parser().parse_args(['robot', *line.split()])
        code = exit_code_of(shown, lambda: work_with_robot(self.client, shown, options))
        return code, shown.file.getvalue()  # type: ignore[attr-defined]

    def screen(self) -> TeachScreen:
        places = list(self.client.call(GetPlaces, 'robot/teaching/get', GetPlaces.Request()).places)
        return TeachScreen(self.client, places, 0)


@pytest.fixture
def bench(graph: Any, domain: int, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(graph, domain, tmp_path)
    yield made
    made.client.close()


def test_a_recipe_is_taught_from_nothing_and_the_arm_moves_by_it(bench: Bench) -> None:
    code, shown = bench.type('move camera')
    assert code == 1 and 'not complete' in shown and 'cell robot teach' in shown
    assert 'not taught' in bench.type('teach --list')[1] and 'not complete' in bench.type('state')[1]
    screen, console = bench.screen(), Console(file=io.StringIO(), width=200)
    began = time.monotonic()
    walk(screen, Keys(['f', *['g', 't'] * len(screen.places), 'q']), console)
    assert all(place.taught for place in screen.places), [(p.name, screen.message) for p in screen.places if not p.taught]
    assert time.monotonic() - began < 60.0
    taught, truth = load_recipe(bench.recipe), load_recipe(CONFIG / 'recipe.yaml')
    for key, target in truth.targets.items():
        assert taught.targets[key].pose == pytest.approx(target.pose, abs=1e-4)
    assert len(list(bench.recipe.parent.glob('recipe.yaml.20*'))) == len(screen.places)
    assert not bench.robot.backend.teaching.freedrive, 'the arm is held at the end'
    code, shown = bench.type('move above_place')
    assert code == 0, shown
    code, shown = bench.type('state')
    assert 'agree' in shown and 'kg' in shown and 'serial number' in shown and 'complete' in shown


def test_in_freedrive_the_arm_follows_no_trigger_and_a_wrong_place_is_refused(bench: Bench) -> None:
    screen = bench.screen()
    screen.handle('g')
    assert 'freedrive is off' in screen.message, 'nobody moves an arm that is held'
    assert screen.handle('f') and bench.robot.backend.teaching.freedrive
    before = bench.recipe.read_text()
    assert 'Freedrive is on' in bench.type('move home')[1] or 'not complete' in bench.type('move home')[1]
    screen.handle('n')
    screen.handle('n')
    assert screen.place.name == 'targets.place'
    screen.handle('t')
    assert 'Teach the camera waypoint first' in screen.message and bench.recipe.read_text() == before
    code, shown = bench.type('teach targets.nowhere --take')
    assert code == 1 and 'has no place' in shown
    assert not screen.handle(END) and not bench.robot.backend.teaching.freedrive


def test_freedrive_is_switched_off_at_the_end_although_an_answer_was_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = bench.screen()
    assert screen.handle('f') and screen.freedrive

    def lost(*_arguments: object) -> None:
        raise CellError('The cell did not answer.')

    with monkeypatch.context() as patch:
        patch.setattr(bench.client, 'call', lost)
        screen.update(float('inf'))
    assert not screen.freedrive and bench.robot.backend.teaching.freedrive, 'the screen does not know it'
    assert not screen.handle(END) and not bench.robot.backend.teaching.freedrive


def test_freedrive_ends_by_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('cell_bringup.teach.FREEDRIVE_S', 1.0)
    screen = bench.screen()
    screen.handle('f')
    assert bench.robot.backend.teaching.freedrive
    wait_until(lambda: not bench.robot.backend.teaching.freedrive, 10.0, 'freedrive has ended')
    motion = bench.world.simulation.ur.controller.motion
    wait_until(lambda: not motion.freedrive, 5.0, 'the arm is held')


def test_an_existing_recipe_is_never_replaced(tmp_path: Path) -> None:
    def write(words: list[str]) -> int:
        console = Console(file=io.StringIO())
        return write_new_recipe(cli.parser().parse_args(['robot', 'new-recipe', *words]), console)

    file = tmp_path / 'recipe.yaml'
    catalogue = ['--catalogue', str(CONFIG / 'parts.yaml')]
    assert write([str(file), *catalogue]) == 0 and 'targets' in file.read_text()
    file.write_text('mine')
    assert write([str(file), *catalogue]) == 1 and file.read_text() == 'mine'
    assert write([str(tmp_path / 'x.yaml'), '--model', 'ur4']) == 1
    assert write([str(tmp_path / 'y.yaml'), '--catalogue', str(tmp_path / 'none.yaml')]) == 1
