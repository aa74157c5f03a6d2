"""The simulated world with all its devices, on one asyncio loop.

Tests use this class directly; the node passes it the data of its topics. Everything here runs in
the thread of the event loop. The only exception is the rendering of camera frames, which has a
worker thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cell_common.catalogue import Catalogue
from cell_common.timeouts import with_timeout
from cell_robot.motion import CellRecipe, place_joints, target_places
from cell_robot.robot_modes import RobotMode

from cell_sim.camera.http_server import CameraServer
from cell_sim.camera.label_renderer import code_text
from cell_sim.camera.rendered_scene import RenderedScene, Scene
from cell_sim.faults import UnknownFaultError
from cell_sim.letters.arm import controller_server, letters_client
from cell_sim.letters.client import LettersClient, LettersSettings
from cell_sim.letters.program import TimedProgram
from cell_sim.scales.filler import FillOrder
from cell_sim.scales.fleet import ALL_SCALES, Fleet, ScaleSettings, inject_all
from cell_sim.ur_controller.ports.controller import ControllerServer
from cell_sim.ur_controller.power import Power
from cell_sim.world.gripper import SimulatedGripper
from cell_sim.world.ground_truth import GroundTruthLog
from cell_sim.world.parts import TrayMix
from cell_sim.world.stock_sync import StockSync
from cell_sim.world.world import World

__all__ = ['CameraSettings', 'Simulation', 'SimulationConfig']


@dataclass(frozen=True)
class CameraSettings:
    """Network settings of the simulated camera.

    Attributes:
        port: TCP port; 0 = any free one. `CameraServer.port` has the port in use.
        address: Address to listen on.
        frame_rate: Frames per second.
    """

    port: int = 8090
    address: str = '127.0.0.1'
    frame_rate: float = 10.0


@dataclass(frozen=True)
class SimulationConfig:
    """Devices of a simulated world; a device without settings does not exist.

    Two robots are possible. Without `ur_address` the letters program is simulated by the duration
    of its movements. With `ur_address` and `recipe` it runs on the simulated controller, whose
    joints move.

    Attributes:
        catalogue: Parts, with their letters and printed texts.
        mix: Composition of the trays; its seed also seeds images and bag weights.
        robot: UR program of the letters backend.
        camera: Network camera.
        scales: Indicators and bag fillers.
        scene: Subject of the camera; None = rendered labels.
        ur_address: Address of a simulated UR controller, on the ports of a real one; "" = none.
        recipe: Taught poses. With a recipe the controller's gripper handles the parts of the world,
            and the controller runs the letters program if `robot` is set.
        time_scale: Speed of the controller's arm relative to a real one.
        truth_file: Ground truth log for tests; "" = no log.
        stock_wait: Longest time, seconds, until the robot is ready: it waits for the ledger's first
            stock report, which fills the trays. 0 = it is ready at once.
    """

    catalogue: Catalogue
    mix: TrayMix
    robot: LettersSettings | None = None
    camera: CameraSettings | None = None
    scales: ScaleSettings | None = None
    scene: Scene | None = None
    ur_address: str = ''
    recipe: CellRecipe | None = None
    time_scale: float = 1.0
    truth_file: str = ''
    stock_wait: float = 0.0


class Device(Protocol):
    """Simulated device that can be started, stopped and given faults.

    `stop` must be safe without `start`: a start that fails halfway stops all devices. All methods
    are called in the thread of the event loop.
    """

    async def start(self) -> None:
        """Switch the device on."""
        ...

    async def stop(self) -> None:
        """Switch the device off."""
        ...

    def inject(self, fault: str, value: float) -> str:
        """Inject a fault and return a description of its effect.

        Args:
            fault: Name from the device's fault table.
            value: Count or seconds, depending on the fault; 0 = the default of the fault.

        Raises:
            UnknownFaultError: The device has no such fault.
        """
        ...


class Simulation:
    """A simulated world with its devices.

    Attributes:
        truth: Ground truth log; writes nothing without a `truth_file`.
        world: Trays, gripper and parts.
        stock_sync: Fills the trays from the ledger's stock.
        ur: UR controller, None without `ur_address`.
        robot: Letters program, None without settings.
        camera: Network camera, None without settings.
        scales: Indicators by scale id.
        stations: Bag fillers; a scale beyond the list of stations has none.
    """

    def __init__(self, config: SimulationConfig) -> None:
        """Create the world; `start` switches its devices on.

        Raises:
            OSError: The ground truth log cannot be written.
            ValueError: The print format or the source address of the scales is invalid.
        """
        self.truth = GroundTruthLog(config.truth_file, time.time)
        self.world = World(config.mix, self.truth)
        self.stock_sync = StockSync(self.world)
        self._tasks: list[asyncio.Task[None]] = []
        self._stock_wait, self._filled = config.stock_wait, asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.gripper: SimulatedGripper | None = None
        self._recipe = config.recipe
        self.ur = self._create_controller(config)
        self.robot = self._create_robot(config)
        self.camera = self._create_camera(config)
        fleet = Fleet(config.scales, config.mix.seed, self.truth) if config.scales is not None else None
        self.scales = fleet.scales if fleet is not None else {}
        self.stations = fleet.stations if fleet is not None else []

    @property
    def devices(self) -> dict[str, Device]:
        """All devices by the names that `inject` takes: `camera`, `robot`, `scale:<id>`, `ur`."""
        devices: dict[str, Device] = {f'scale:{scale_id}': scale for scale_id, scale in self.scales.items()}
        if self.camera is not None:
            devices['camera'] = self.camera
        if self.robot is not None:
            devices['robot'] = self.robot
        if self.ur is not None:
            devices['ur'] = self.ur
        return dict(sorted(devices.items()))

    async def start(self) -> None:
        """Switch the devices on; the UR controller first, because the letters program runs on it.

        Must be called in the event loop that later runs the devices. After an error call `stop`:
        the devices that had started still hold their ports.

        Raises:
            OSError: A port of a device is in use.
        """
        self._loop = asyncio.get_running_loop()
        waits = self._stock_wait > 0.0
        # False sorts before True, so the controller comes first.
        for device in sorted(self.devices.values(), key=lambda device: device is not self.ur):
            if device is not self.robot or not waits:
                await device.start()
        self._tasks = [self._loop.create_task(station.run()) for station in self.stations]
        if waits:
            if self.ur is not None and self.robot is None:
                self.ur.controller.power = Power(self.ur.controller.timings, RobotMode.BOOTING)
            self._tasks.append(self._loop.create_task(self._start_robot()))

    def report_stock(self, sequence: int, stock: Iterable[tuple[str, int, int]]) -> None:
        """Take a stock report of the ledger; the first one fills the trays, and makes the robot ready.

        Args:
            sequence: Number of the last ledger entry in the report.
            stock: (part number, tray, count) of each tray.
        """
        self.stock_sync.report(sequence, stock)
        self._filled.set()

    async def _start_robot(self) -> None:
        """Make the robot ready when the trays are filled: before, it would find them empty."""
        with contextlib.suppress(asyncio.TimeoutError):
            await with_timeout(self._filled.wait(), self._stock_wait)
        if self.robot is not None:
            await self.robot.start()
        elif self.ur is not None and self.ur.controller.mode == RobotMode.BOOTING:
            self.ur.controller.power = Power(self.ur.controller.timings, RobotMode.RUNNING)

    async def stop(self) -> None:
        """Switch the devices off, and close the ground truth log."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for device in self.devices.values():
            await device.stop()
        self.truth.close()

    async def inject(self, device: str, fault: str, value: float) -> str:
        """Inject a fault into a device and return a description of its effect.

        Four names are no devices: `scale:*` stands for all scales, `hand` with fault `empty`
        removes the held part, `nest` puts the part number given as `fault` into the nest of
        known-good parts, and `guide` lets an operator guide the arm in freedrive to the place given
        as `fault`, for example `targets.place`.

        Args:
            device: Key of `devices`, or one of the names above.
            fault: Name from the device's fault table.
            value: Count or seconds, depending on the fault; 0 = its default.

        Raises:
            UnknownFaultError: The device or the fault does not exist; the text lists those that do.
        """
        devices = self.devices
        if device == ALL_SCALES and self.scales:
            return inject_all(self.scales.values(), fault, value)
        if device == 'hand' and fault == 'empty':
            self.world.remove_part()
            return 'the part has been removed from the gripper by hand'
        if device == 'gripper' and self.gripper is not None:
            if fault == 'clear':
                self.gripper.faults.clear()
                return 'pending faults are removed'
            return self.gripper.faults.inject(fault, value)
        actions = {'nest': self.world.place_in_nest, 'guide': self._guide}
        if device in actions:
            return actions[device](fault)
        if device not in devices:
            known = ', '.join([*devices, 'gripper', 'nest', 'guide', 'hand (empty)', ALL_SCALES])
            raise UnknownFaultError(f'no simulated device "{device}"; known devices: {known}')
        return devices[device].inject(fault, value)

    def _guide(self, place: str) -> str:
        """Let an operator guide the arm by hand to a place of the world's recipe, which is where the trays really are.

        Raises:
            UnknownFaultError: There is no such place, or the arm is held.
        """
        recipe = self._recipe
        joints = place_joints(recipe, place) if recipe is not None and self.ur is not None else None
        if joints is None or recipe is None or self.ur is None:
            names = [*(f'waypoints.{name}' for name in recipe.waypoints), *dict(target_places(recipe))] if recipe else []
            raise UnknownFaultError(f'no place "{place}" to guide the arm to; known places: {", ".join(names)}')
        if not self.ur.controller.guide(joints):
            raise UnknownFaultError('the arm cannot be moved by hand: freedrive is off')
        return f'an operator guides the arm to {place}'

    def order_bags(self, orders: Mapping[str, FillOrder]) -> None:
        """Set the orders of the fillers, station -> order; a station without an order stops."""
        for station in self.stations:
            station.set_order(orders.get(station.station))

    def _create_controller(self, config: SimulationConfig) -> ControllerServer | None:
        if not config.ur_address:
            return None
        if config.recipe is None:
            return ControllerServer(address=config.ur_address)
        self.gripper = SimulatedGripper(config.recipe, self.world)
        return controller_server(
            config.ur_address, config.recipe, self.gripper, letters=config.robot is not None, time_scale=config.time_scale
        )

    def _create_robot(self, config: SimulationConfig) -> LettersClient | None:
        settings = config.robot
        if settings is None:
            return None
        # The letters program then runs on the controller's arm; its client only speaks the
        # protocol.
        if self.ur is not None and config.recipe is not None:
            return letters_client(self.ur, self.world, config.catalogue, settings)
        program = TimedProgram(self.world, config.catalogue, settings.time_scale, settings.event_letters)
        return LettersClient(program, settings, remove_part=self.world.remove_part)

    def _create_camera(self, config: SimulationConfig) -> CameraServer | None:
        camera = config.camera
        if camera is None:
            return None
        parts = config.catalogue.parts.values()
        prints = {part.part_number: part.prints for part in parts}
        codes = {part.part_number: text for part in parts if (text := code_text(part))}
        scene = config.scene or RenderedScene(prints, config.mix.seed, codes)

        # Called in the camera's worker thread. `loop.time` only reads the monotonic clock, so it is
        # safe there, and the world's view is then at the same clock as its movements.
        def capture() -> bytes:
            assert self._loop is not None, 'the camera runs after start'
            return scene.frame(self.world.view(self._loop.time()))

        return CameraServer(capture, camera.port, frame_rate=camera.frame_rate, address=camera.address)
