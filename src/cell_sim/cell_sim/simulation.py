"""The whole simulated world in one object: everything that is dialled, served or moved, on one asyncio loop.

Tests use it without ROS; the node hands it what it hears on its topics.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cell_common.catalogue import Catalogue
from cell_robot.motion.recipe import Recipe

from cell_sim.camera.http_server import CameraServer
from cell_sim.camera.label_renderer import code_text
from cell_sim.camera.rendered_scene import RenderedScene, Scene
from cell_sim.faults import UnknownFaultError
from cell_sim.letters.arm import controller_server, letters_robot
from cell_sim.letters.client import LettersClient, LettersSettings
from cell_sim.letters.program import TimedProgram
from cell_sim.scales.filler import FillOrder
from cell_sim.scales.fleet import ALL_SCALES, Fleet, ScaleSettings, inject_all
from cell_sim.ur_controller.ports.controller import ControllerServer
from cell_sim.world.ground_truth import GroundTruthLog
from cell_sim.world.parts import TrayMix
from cell_sim.world.stock_sync import StockSync
from cell_sim.world.world import World


@dataclass(frozen=True)
class CameraSettings:
    """How the camera of the world is served."""

    port: int = 8090
    """0 = any free one."""
    address: str = '127.0.0.1'
    frame_rate: float = 10.0


class Device(Protocol):
    """Anything that can be switched on and off and told to misbehave."""

    async def start(self) -> None:
        """Switch on."""
        ...

    async def stop(self) -> None:
        """Switch off."""
        ...

    def inject(self, fault: str, value: float) -> str:
        """Arm a fault and return what will happen."""
        ...


class Simulation:
    """A simulated world with its devices."""

    def __init__(
        self,
        catalogue: Catalogue,
        mixture: TrayMix,
        *,
        robot: LettersSettings | None = None,
        camera: CameraSettings | None = None,
        scales: ScaleSettings | None = None,
        scene: Scene | None = None,
        ur_address: str = '',
        recipe: Recipe | None = None,
        time_scale: float = 1.0,
        truth_file: str = '',
    ) -> None:
        """Make a world whose devices are not running yet; a device without settings does not exist.

        Args:
            catalogue: The parts, their letters and what is printed on them.
            mixture: What lies in the trays.
            robot: Of the UR program.
            camera: Of the network camera.
            scales: Of the indicators and fillers.
            scene: What the camera sees; None = rendered labels.
            ur_address: What a simulated UR controller listens on, at the ports of a real one; "" = there is none.
            recipe: With it the controller's arm handles the pieces of the world, and runs the letters program when there
                are settings for that; without it the arm moves in the empty.
            time_scale: How many times faster than in life the controller's arm is.
            truth_file: Gets what happened, for tests; "" = nothing is kept.

        Raises:
            OSError: The truth file cannot be written.
        """
        self.truth = GroundTruthLog(truth_file, time.time)
        self.world = World(mixture, self.truth)
        self.stock_sync = StockSync(self.world)
        self._tasks: list[asyncio.Task[None]] = []
        self.ur: ControllerServer | None = None
        if ur_address:
            self.ur = (
                ControllerServer(address=ur_address)
                if recipe is None
                else controller_server(ur_address, recipe, self.world, letters=robot is not None, time_scale=time_scale)
            )
        self.robot: LettersClient | None = None
        if robot is not None:
            on_controller = self.ur is not None and recipe is not None
            self.robot = (
                letters_robot(self.ur, self.world, catalogue, robot)
                if on_controller and self.ur is not None
                else _robot(self.world, catalogue, robot)
            )
        self.camera: CameraServer | None = None
        if camera is not None:
            prints = {part.part_number: part.prints for part in catalogue.parts.values()}
            codes = {part.part_number: text for part in catalogue.parts.values() if (text := code_text(part))}
            self._scene: Scene = scene or RenderedScene(prints, mixture.seed, codes)
            self.camera = CameraServer(self._take, camera.port, frame_rate=camera.frame_rate, address=camera.address)
        fleet = Fleet(scales, mixture.seed, self.truth) if scales is not None else None
        self.scales = fleet.scales if fleet is not None else {}
        self.stations = fleet.stations if fleet is not None else []

    @property
    def devices(self) -> dict[str, Device]:
        """All devices, by the names that faults are given to."""
        devices: dict[str, Device] = {f'scale:{scale_id}': scale for scale_id, scale in self.scales.items()}
        if self.camera is not None:
            devices['camera'] = self.camera
        if self.robot is not None:
            devices['robot'] = self.robot
        if self.ur is not None:
            devices['ur'] = self.ur
        return dict(sorted(devices.items()))

    async def start(self) -> None:
        """Switch the devices on.

        Raises:
            OSError: A port that a device listens on is in use.
        """
        self._now: Callable[[], float] = asyncio.get_running_loop().time
        for device in sorted(self.devices.values(), key=lambda device: device is not self.ur):
            await device.start()
        self._tasks = [asyncio.get_running_loop().create_task(station.work()) for station in self.stations]

    async def stop(self) -> None:
        """Switch the devices off."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for device in self.devices.values():
            await device.stop()
        self.truth.close()

    async def inject(self, device: str, fault: str, value: float) -> str:
        """Let a device misbehave and return what will happen.

        Raises:
            UnknownFaultError: There is no such device, or it has no such fault.
        """
        devices = self.devices
        if device == ALL_SCALES and self.scales:
            return inject_all(self.scales.values(), fault, value)
        if device == 'hand' and fault == 'empty':
            self.world.remove_part()
            return 'a person has taken the part out of the gripper'
        if device == 'nest':
            return self.world.place_in_nest(fault)
        if device not in devices:
            known = ', '.join([*devices, 'nest', 'hand (empty)', ALL_SCALES])
            raise UnknownFaultError(f'no simulated device "{device}"; there are: {known}')
        return devices[device].inject(fault, value)

    def order_bags(self, orders: Mapping[str, FillOrder]) -> None:
        """Tell the fillers what is to be filled now: station -> order; a station that is not named stops."""
        for station in self.stations:
            station.set_order(orders.get(station.station))

    def _take(self) -> bytes:
        return self._scene.frame(self.world.view(self._now()))


def _robot(world: World, catalogue: Catalogue, settings: LettersSettings) -> LettersClient:
    program = TimedProgram(world, catalogue, settings.time_scale, settings.event_letters)
    return LettersClient(
        program,
        settings.host,
        settings.port,
        framing=settings.framing,
        bare_reply=settings.bare_reply,
        remove_part=world.remove_part,
    )
