"""The simulated world with all its devices, on one asyncio loop.

Tests use this class directly; the node passes it the data of its topics.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cell_common.catalogue import Catalogue
from cell_robot.motion import CellRecipe

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
from cell_sim.world.ground_truth import GroundTruthLog
from cell_sim.world.parts import TrayMix
from cell_sim.world.stock_sync import StockSync
from cell_sim.world.world import World

__all__ = ['CameraSettings', 'Simulation', 'SimulationConfig']


@dataclass(frozen=True)
class CameraSettings:
    """Network settings of the simulated camera."""

    port: int = 8090
    """TCP port; 0 = any free one."""
    address: str = '127.0.0.1'
    frame_rate: float = 10.0
    """Frames per second."""


@dataclass(frozen=True)
class SimulationConfig:
    """Devices of a simulated world; a device without settings does not exist."""

    catalogue: Catalogue
    """Parts, with their letters and printed texts."""
    mix: TrayMix
    """Composition of the trays."""
    robot: LettersSettings | None = None
    """UR program of the letters backend."""
    camera: CameraSettings | None = None
    scales: ScaleSettings | None = None
    """Indicators and bag fillers."""
    scene: Scene | None = None
    """Subject of the camera; None = rendered labels."""
    ur_address: str = ''
    """Address of a simulated UR controller, which uses the ports of a real one; "" = no controller."""
    recipe: CellRecipe | None = None
    """With a recipe the controller's arm handles the parts of the world, and runs the letters program if `robot` is set."""
    time_scale: float = 1.0
    """Speed of the controller's arm relative to a real one."""
    truth_file: str = ''
    """Ground truth log for tests; "" = no log."""


class Device(Protocol):
    """Simulated device that can be started, stopped and given faults."""

    async def start(self) -> None:
        """Switch the device on."""
        ...

    async def stop(self) -> None:
        """Switch the device off."""
        ...

    def inject(self, fault: str, value: float) -> str:
        """Inject a fault and return a description of its effect."""
        ...


class Simulation:
    """A simulated world with its devices."""

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
        self._loop: asyncio.AbstractEventLoop | None = None
        self.ur = self._create_controller(config)
        self.robot = self._create_robot(config)
        self.camera = self._create_camera(config)
        fleet = Fleet(config.scales, config.mix.seed, self.truth) if config.scales is not None else None
        self.scales = fleet.scales if fleet is not None else {}
        self.stations = fleet.stations if fleet is not None else []

    @property
    def devices(self) -> dict[str, Device]:
        """All devices by the names that `inject` takes."""
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

        Raises:
            OSError: A port of a device is in use.
        """
        self._loop = asyncio.get_running_loop()
        for device in sorted(self.devices.values(), key=lambda device: device is not self.ur):
            await device.start()
        self._tasks = [self._loop.create_task(station.run()) for station in self.stations]

    async def stop(self) -> None:
        """Switch the devices off."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for device in self.devices.values():
            await device.stop()
        self.truth.close()

    async def inject(self, device: str, fault: str, value: float) -> str:
        """Inject a fault into a device and return a description of its effect.

        Raises:
            UnknownFaultError: The device or the fault does not exist.
        """
        devices = self.devices
        if device == ALL_SCALES and self.scales:
            return inject_all(self.scales.values(), fault, value)
        if device == 'hand' and fault == 'empty':
            self.world.remove_part()
            return 'the part has been removed from the gripper by hand'
        if device == 'nest':
            return self.world.place_in_nest(fault)
        if device not in devices:
            known = ', '.join([*devices, 'nest', 'hand (empty)', ALL_SCALES])
            raise UnknownFaultError(f'no simulated device "{device}"; known devices: {known}')
        return devices[device].inject(fault, value)

    def order_bags(self, orders: Mapping[str, FillOrder]) -> None:
        """Set the orders of the fillers, station -> order; a station without an order stops."""
        for station in self.stations:
            station.set_order(orders.get(station.station))

    def _create_controller(self, config: SimulationConfig) -> ControllerServer | None:
        if not config.ur_address:
            return None
        if config.recipe is None:
            return ControllerServer(address=config.ur_address)
        return controller_server(
            config.ur_address, config.recipe, self.world, letters=config.robot is not None, time_scale=config.time_scale
        )

    def _create_robot(self, config: SimulationConfig) -> LettersClient | None:
        settings = config.robot
        if settings is None:
            return None
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

        def capture() -> bytes:
            assert self._loop is not None, 'the camera runs after start'
            return scene.frame(self.world.view(self._loop.time()))

        return CameraServer(capture, camera.port, frame_rate=camera.frame_rate, address=camera.address)
