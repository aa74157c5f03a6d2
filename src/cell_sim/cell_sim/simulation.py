"""The whole simulated world in one object: everything that is dialled, served or moved, on one asyncio loop.

Tests use it without ROS; the node hands it what it hears on its topics.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from cell_common.catalogue import Catalogue

from cell_sim.camera_scene import RenderedScene, Scene
from cell_sim.faults import UnknownFault
from cell_sim.pieces import Mixture
from cell_sim.server_camera import CameraServer
from cell_sim.stock_keeper import StockKeeper
from cell_sim.transport_robot import RobotProgram
from cell_sim.truth import TruthLog
from cell_sim.ur_program import UrProgram
from cell_sim.world import World


@dataclass(frozen=True)
class RobotSettings:
    """How the robot of the world behaves."""

    host: str = '127.0.0.1'
    port: int = 50010
    """Of the robot node; 0 = there is no robot."""
    framing: str = 'line'
    bare_done: bool = True
    time_scale: float = 1.0


@dataclass(frozen=True)
class CameraSettings:
    """How the camera of the world is served."""

    port: int = 8090
    """0 = any free one."""
    address: str = '127.0.0.1'
    frame_rate: float = 10.0


class Simulation:
    """A simulated world with its devices."""

    def __init__(self, catalogue: Catalogue, mixture: Mixture, *, robot: RobotSettings | None = None,
                 camera: CameraSettings | None = None, truth_file: str = '', scene: Scene | None = None) -> None:
        """Make a world whose devices are not running yet; a device without settings does not exist.

        Raises:
            OSError: The truth file cannot be written.
        """
        self.truth = TruthLog(truth_file, time.time)
        self.world = World(mixture, self.truth)
        self.keeper = StockKeeper(self.world)
        prints = {part.part_number: part.prints for part in catalogue.parts.values()}
        self._scene: Scene = scene or RenderedScene(prints, mixture.seed)
        self.robot = self.camera = None
        if robot is not None:
            program = UrProgram(self.world, catalogue, robot.time_scale)
            self.robot = RobotProgram(program, robot.host, robot.port, framing=robot.framing, bare_done=robot.bare_done,
                                      take_away=self.world.take_away)
        if camera is not None:
            self.camera = CameraServer(self._take, camera.port, frame_rate=camera.frame_rate, address=camera.address)

    async def start(self) -> None:
        """Switch the devices on.

        Raises:
            OSError: A port that a device listens on is in use.
        """
        self._now: Callable[[], float] = asyncio.get_running_loop().time
        if self.camera is not None:
            await self.camera.start()
        if self.robot is not None:
            await self.robot.start()

    async def stop(self) -> None:
        """Switch the devices off."""
        for device in (self.robot, self.camera):
            if device is not None:
                await device.stop()
        self.truth.close()

    async def inject(self, device: str, fault: str, value: float) -> str:
        """Let a device misbehave and return what will happen.

        Raises:
            UnknownFault: There is no such device, or it has no such fault.
        """
        devices = {'robot': self.robot, 'camera': self.camera}
        chosen = devices.get(device)
        if chosen is None:
            there = ', '.join(name for name, thing in devices.items() if thing is not None)
            raise UnknownFault(f'no simulated device "{device}"; there are: {there}')
        return chosen.inject(fault, value)

    def _take(self) -> bytes:
        return self._scene.frame(self.world.view(self._now()))
