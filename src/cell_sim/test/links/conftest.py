"""Robot backends connected to a simulated controller."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from cell_common.background import AsyncioThread
from cell_common.testing import wait_until
from cell_robot.motion import max_joint_difference
from cell_robot.recipe_file import parse_recipe
from cell_robot.testing.arm_backends import (
    ArmOptions,
    ArmSetup,
    ProtectiveStopCounter,
    RtdeBackend,
    TriggerCommand,
    TriggerPhase,
    ros_driver_backend,
)
from cell_sim.letters.arm import controller_server
from cell_sim.ur_controller.controller import Controller, ControllerConfig
from cell_sim.ur_controller.ports.controller import ControllerServer
from cell_sim.ur_controller.states import Timings
from cell_sim.ur_driver.node import UrDriverNode
from cell_sim.world.gripper import SimulatedGripper
from cell_sim.world.parts import TrayMix
from cell_sim.world.world import World
from rclpy.node import Node

RECIPE = Path(__file__).parents[4] / 'config' / 'recipe.yaml'
FAST = {'joint': 170, 'joint_acceleration': 570, 'linear': 900, 'linear_acceleration': 4900, 'approach': 300, 'blend': 50}
TIMINGS = Timings(power_on=0.3, brake_release=0.3, boot=0.5, unlock=5.0)
STALE_S, WATCHDOG_HZ = 0.75, 0.5
"""Tolerant values, because controller and client share busy cores here."""
SAMPLE_S = 0.002
VISIBLE_RAD = 0.01
"""An arm that moved less may have done nothing, and a trigger that did nothing is safe to send again."""


class ArmWithSensor(Controller):
    """Controller with a gripper sensor; the test decides whether a piece is there."""

    piece = True
    part_sensor = True
    """False: the sensor is broken and never reports a piece."""

    def step(self, now: float) -> None:
        super().step(now)
        self.registers.digital_inputs = int(bool(self.registers.digital_outputs & 1) and self.piece and self.part_sensor)


class BackendLink:
    """A backend connected to its simulated robot."""

    def __init__(self, **changes: Any) -> None:
        self._world = AsyncioThread('ur')
        self.address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
        data = yaml.safe_load(RECIPE.read_text()) | changes
        data['parts'], data['speeds'] = {'EM1-2U1': data['parts']['EM1-2U1']}, FAST
        self.recipe = parse_recipe(data)
        self.server = self._make_server()
        self._world.run(self.server.start(), 30.0)
        self.stock = SimpleNamespace(sequence=1, counts={('EM1-2U1', 1): 24, ('EM1-2U1', 2): 0})
        self.phases: list[TriggerPhase] = []
        self.steps: list[tuple[str, int, int]] = []
        lines: list[str] = []
        self.log = SimpleNamespace(info=lines.append, warning=lines.append, error=lines.append)
        self.backend: Any = None
        self.last_id = ''
        """Id of the last trigger."""

    def _make_server(self) -> ControllerServer:
        config = ControllerConfig(timings=TIMINGS)
        return ControllerServer(lambda now: ArmWithSensor(now, config), address=self.address)

    @property
    def robot(self) -> Any:
        return self.server.controller

    def setup(self, options: ArmOptions) -> ArmSetup:
        return ArmSetup(options, self.recipe, self.stock, ProtectiveStopCounter(2, 600.0), self.log)

    def start(self) -> None:
        self.backend.start(lambda: None)
        wait_until(lambda: self.backend.state().connected, what='robot connected')

    def close(self) -> None:
        self.backend.close()
        self._world.run(self.server.stop(), 30.0)
        self._world.close()

    def inject(self, fault: str, value: float = 0.0) -> None:
        self.in_world(lambda: self.server.inject(fault, value))

    def in_world(self, work: Callable[[], object]) -> None:
        """Call a function in the thread of the controller."""

        async def call() -> None:
            work()

        self._world.run(call(), 30.0)

    def begin(self, event: str, tray: int = 0) -> Any:
        self.phases.clear()
        self.last_id = f't{time.monotonic_ns()}'
        return self.backend.trigger(TriggerCommand(self.last_id, event, tray), self.phases.append)

    def do(self, event: str, tray: int = 0) -> Any:
        return self.begin(event, tray).result(30.0)

    def moving(self, event: str, tray: int = 0) -> Any:
        """Begin an event and wait until the arm has moved visibly."""
        start = list(self.robot.motion.joints)
        future = self.begin(event, tray)
        wait_until(lambda: max_joint_difference(self.robot.motion.joints, start) > VISIBLE_RAD or future.done(), 10.0, 'moving')
        assert not future.done(), future.result()
        return future

    def sample(self, value: Callable[[], Any], event: str, tray: int = 0) -> list[Any]:
        """Execute an event and return the distinct values of a function during it."""
        future, values = self.begin(event, tray), []
        while not wait([future], SAMPLE_S).done:
            if (current := value()) not in values:
                values.append(current)
        assert future.result().phase is TriggerPhase.DONE, future.result()
        return values

    def hurry(self, times: float = 4.0) -> None:
        """Speed the arm up in tests where nothing happens during a movement."""
        self.robot.time_scale = times

    def stands(self) -> None:
        wait_until(lambda: not any(map(abs, self.robot.motion.speeds)) and self.robot.program is None, 5.0, 'arm stands')

    def recover(self) -> Any:
        self.steps.clear()
        return self.backend.recover(lambda *step: self.steps.append(step)).result(40.0)

    def checks(self) -> dict[str, Any]:
        return {check.name: check for check in self.backend.preflight().result(30.0)}

    def tool(self) -> tuple[float, ...]:
        """Position of the tool center point, whole millimeters."""
        return tuple(round(1000 * value) for value in self.robot.motion.tcp_pose[:3])


@pytest.fixture
def rtde() -> Iterator[BackendLink]:
    """Backend rtde with the real ur_rtde."""
    pytest.importorskip('rtde_control', reason='ur_rtde has no wheel for this machine')
    link = BackendLink()
    options = ArmOptions(link.address, 125.0, STALE_S, WATCHDOG_HZ)
    link.backend = RtdeBackend(link.setup(options))
    link.start()
    yield link
    link.close()


@pytest.fixture(params=[500.0])
def timed(request: pytest.FixtureRequest) -> Iterator[BackendLink]:
    """Backend rtde at the highest rate of the e-Series."""
    pytest.importorskip('rtde_control', reason='ur_rtde has no wheel for this machine')
    link = BackendLink()
    link.backend = RtdeBackend(link.setup(ArmOptions(link.address, request.param, STALE_S, WATCHDOG_HZ)))
    link.start()
    yield link
    link.close()


@pytest.fixture
def rtde_through() -> Iterator[Callable[[Callable[[str], str]], BackendLink]]:
    """Factory of a link whose backend reaches the controller by another address, which a function returns for its own."""
    pytest.importorskip('rtde_control', reason='ur_rtde has no wheel for this machine')
    made: list[BackendLink] = []

    def make(address_of: Callable[[str], str]) -> BackendLink:
        link = BackendLink()
        made.append(link)
        link.backend = RtdeBackend(link.setup(ArmOptions(address_of(link.address), 125.0, STALE_S, WATCHDOG_HZ)))
        link.start()
        link.hurry()
        return link

    yield make
    for link in made:
        link.close()


class GripperLink(BackendLink):
    """Backend rtde and a simulated gripper that takes pieces out of a tray."""

    def __init__(self, gripper: dict[str, Any], recipe_gripper: dict[str, Any]) -> None:
        self.events: list[str] = []
        self.world = World(TrayMix(('EM1-2U1',)), lambda event, **_: self.events.append(event))
        self.world.fill([('EM1-2U1', 1, 24)])
        self.world.presented_part = 'EM1-2U1'
        self._hardware = gripper
        super().__init__(gripper=recipe_gripper)

    def _make_server(self) -> ControllerServer:
        data = yaml.safe_load(RECIPE.read_text()) | {'gripper': self._hardware}
        recipe = parse_recipe(data, reach=False)
        self.gripper = SimulatedGripper(recipe, self.world)
        return controller_server(self.address, recipe, self.gripper, letters=False)


@pytest.fixture
def gripper_link() -> Iterator[Callable[..., GripperLink]]:
    """Factory of a link with a gripper of the given recipe; `recipe_gripper` is what the cell believes."""
    pytest.importorskip('rtde_control', reason='ur_rtde has no wheel for this machine')
    made: list[GripperLink] = []

    def make(gripper: dict[str, Any], recipe_gripper: dict[str, Any] | None = None) -> GripperLink:
        link = GripperLink(gripper, recipe_gripper or gripper)
        link.backend = RtdeBackend(link.setup(ArmOptions(link.address, 125.0, STALE_S, WATCHDOG_HZ)))
        made.append(link)
        link.start()
        return link

    yield make
    for link in made:
        link.close()


class DriverLink(BackendLink):
    """Backend ros_driver with the simulated driver."""

    def __init__(self, graph: Any, *, dashboard: bool = True) -> None:
        super().__init__()
        self.graph = graph
        settings = graph.options(robot_ip=self.address, dashboard=dashboard) | {'namespace': 'cell/driver'}
        self.driver = graph.add(UrDriverNode(**settings))
        node = Node('robot', context=graph.context, namespace='cell')
        options = ArmOptions('driver', 125.0, 1.0, 5.0, has_dashboard=dashboard)
        self.backend = ros_driver_backend(self.setup(options), node, 'driver')
        graph.add(node)

    def hurry(self, times: float = 4.0) -> None:
        self.robot.time_scale = self.driver.follower.time_scale = times


@pytest.fixture
def driver(graph: Any) -> Iterator[DriverLink]:
    link = DriverLink(graph)
    link.start()
    yield link
    link.close()


@pytest.fixture
def bare_driver(graph: Any) -> Iterator[DriverLink]:
    """Backend ros_driver with a driver that has no dashboard client."""
    link = DriverLink(graph, dashboard=False)
    link.start()
    yield link
    link.close()
